package group_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/group"
	"holdfast/membership/protocol"
)

// patience bounds the wait for what must happen.
const patience = 20 * time.Second

const cluster = "0123456789abcdef0123456789abcdef"

// quick is a tuning for tests in one process.
func quick() group.Tuning {
	return group.Tuning{
		Probe: 100 * time.Millisecond, ProbeTimeout: 50 * time.Millisecond, Suspicion: 3,
		Gossip: 20 * time.Millisecond, Exchange: time.Second, Rejoin: 200 * time.Millisecond,
	}
}

// log collects events.
type log struct {
	mu     sync.Mutex
	events []group.Event
	more   chan struct{} // capacity 1
}

func newLog() *log { return &log{more: make(chan struct{}, 1)} }

func (l *log) add(e group.Event) {
	l.mu.Lock()
	l.events = append(l.events, e)
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// await returns the first event that fits and forgets it and all before it.
func (l *log) await(t *testing.T, what string, fits func(group.Event) bool) group.Event {
	t.Helper()
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		i := slices.IndexFunc(l.events, fits)
		if i >= 0 {
			e := l.events[i]
			l.events = l.events[i+1:]
			l.mu.Unlock()
			return e
		}
		seen := fmt.Sprint(l.events)
		l.mu.Unlock()
		select {
		case <-l.more:
		case <-timeout:
			t.Fatalf("%s: not seen in %v; seen: %s", what, patience, seen)
		}
	}
}

func is(kind group.EventKind, host holdfast.HostID) func(group.Event) bool {
	return func(e group.Event) bool { return e.Kind == kind && e.Peer.Host == host }
}

// town is hosts of one cluster on the addresses 127.0.0.1, 127.0.0.2 and so on; everybody is everybody's seed.
type town struct {
	t    *testing.T
	keys []group.Key
	port int

	mu     sync.Mutex
	groups map[holdfast.HostID]*group.Group
	seeds  []group.Seed
}

func newTown(t *testing.T) *town {
	return &town{t: t, keys: []group.Key{group.NewKey()}, groups: map[holdfast.HostID]*group.Group{}}
}

func (w *town) allSeeds() []group.Seed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seeds)
}

func member(host holdfast.HostID, run uint64) group.Member {
	return group.Member{
		Host: host, Run: run, Address: fmt.Sprintf("127.0.0.%d:2530", host), Storages: []string{"stor1"},
		Load: group.LoadUnknown, Speaks: protocol.Ours(),
	}
}

// start starts a host; change may alter its options before.
func (w *town) start(host holdfast.HostID, run uint64, change ...func(*group.Options)) (*group.Group, *log) {
	w.t.Helper()
	events := newLog()
	opt := group.Options{
		Cluster: cluster, Self: member(host, run), Bind: fmt.Sprintf("127.0.0.%d:%d", host, w.port),
		Keys: w.keys, Seeds: w.allSeeds, OnEvent: events.add, Tuning: quick(),
	}
	for _, f := range change {
		f(&opt)
	}
	g, err := group.Start(opt)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = g.Close() })
	w.mu.Lock()
	w.groups[host] = g
	if !slices.ContainsFunc(w.seeds, func(s group.Seed) bool { return s.Host == host }) {
		w.seeds = append(w.seeds, group.Seed{Host: host, Address: g.Address()})
	}
	w.mu.Unlock()
	return g, events
}

// at makes a host listen where another did.
func at(address string) func(*group.Options) {
	return func(opt *group.Options) { opt.Bind = address }
}

// settle waits until every host sees exactly these.
func (w *town) settle(hosts ...holdfast.HostID) {
	w.t.Helper()
	for _, id := range hosts {
		eventually(w.t, fmt.Sprintf("%v see one another", hosts), func() bool { return slices.Equal(ids(w.groups[id]), hosts) })
	}
}

func ids(g *group.Group) []holdfast.HostID {
	var all []holdfast.HostID
	for _, p := range g.Members() {
		all = append(all, p.Host)
	}
	return all
}

// eventually polls what has no event to wait for.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s: not so after %v", what, patience)
		}
	}
}

// TestMain sees that closed groups leave nothing running. It also makes this binary a host: see netns_test.go.
func TestMain(m *testing.M) {
	if text := os.Getenv(hostVariable); text != "" {
		if err := runHost(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // the fuzzer leaves a goroutine of its own
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && code == 0; {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			fmt.Printf("goroutines are left:\n%s\n", buf[:runtime.Stack(buf, true)])
			code = 1
		}
		runtime.Gosched()
	}
	os.Exit(code)
}
