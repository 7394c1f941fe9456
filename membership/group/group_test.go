package group_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/membership/group"
	"holdfast/membership/protocol"
)

func TestHostsFindOneAnother(t *testing.T) {
	w := newTown(t)
	g1, events := w.start(1, 1)
	w.start(2, 7)
	w.start(3, 1)
	w.settle(1, 2, 3)
	got := events.await(t, "host 2", is(group.Joined, 2)).Peer
	want := group.Peer{Member: member(2, 7), Gossip: w.groups[2].Address(), Since: got.Since}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if up := g1.Up(); got.Since.IsZero() || time.Since(got.Since) > up {
		t.Errorf("host 2 is there since %v, the group for %v", got.Since, up)
	}
	if p, ok := g1.Alive(3); !ok || p.Host != 3 {
		t.Errorf("host 3: got %+v, %v", p, ok)
	}
	if _, ok := g1.Alive(4); ok {
		t.Error("host 4, which is not there, is alive")
	}
}

func TestDeathAndReturn(t *testing.T) {
	w := newTown(t)
	_, events := w.start(1, 1)
	g2, _ := w.start(2, 1)
	w.start(3, 1)
	w.settle(1, 2, 3)
	address := g2.Address()
	if err := g2.Kill(); err != nil {
		t.Fatal(err)
	}
	events.await(t, "death of 2", is(group.Lost, 2))
	w.settle(1, 3)
	w.start(2, 2, at(address))
	back := events.await(t, "return of 2", is(group.Joined, 2))
	if back.Peer.Run != 2 {
		t.Errorf("it returned as run %d, want 2", back.Peer.Run)
	}
	w.settle(1, 2, 3)
}

// A process that is back before anybody missed it shows as joined: its services went with its former life.
func TestQuickRestartShows(t *testing.T) {
	w := newTown(t)
	slow := func(opt *group.Options) { opt.Tuning.Suspicion = 1000 }
	_, events := w.start(1, 1, slow)
	g2, _ := w.start(2, 1, slow)
	w.settle(1, 2)
	address := g2.Address()
	if err := g2.Kill(); err != nil {
		t.Fatal(err)
	}
	w.start(2, 2, slow, at(address))
	events.await(t, "restart of 2", func(e group.Event) bool { return is(group.Joined, 2)(e) && e.Peer.Run == 2 })
}

func TestGoodbyeNeedsNoSuspicion(t *testing.T) {
	w := newTown(t)
	_, events := w.start(1, 1, func(opt *group.Options) { opt.Tuning.Suspicion = 1000 })
	g2, _ := w.start(2, 1)
	w.settle(1, 2)
	if err := g2.Close(); err != nil {
		t.Fatal(err)
	}
	events.await(t, "goodbye of 2", is(group.Lost, 2))
	if err := g2.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// A full restart: all are gone, and come back in another order, at other times.
func TestFullRestart(t *testing.T) {
	w := newTown(t)
	addresses := map[holdfast.HostID]string{}
	for id := holdfast.HostID(1); id <= 3; id++ {
		g, _ := w.start(id, 1)
		addresses[id] = g.Address()
	}
	w.settle(1, 2, 3)
	for _, g := range w.groups {
		if err := g.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []holdfast.HostID{3, 1, 2} {
		w.start(id, 2, at(addresses[id]))
	}
	w.settle(1, 2, 3)
}

func TestUpdateIsHeard(t *testing.T) {
	w := newTown(t)
	_, events := w.start(1, 1)
	g2, _ := w.start(2, 1)
	w.settle(1, 2)
	m := member(2, 1)
	m.Storages, m.Load = nil, 40
	if err := g2.Update(m); err != nil {
		t.Fatal(err)
	}
	got := events.await(t, "update of 2", is(group.Updated, 2)).Peer.Member
	if got.Load != 40 || len(got.Storages) != 0 {
		t.Errorf("got %+v, want %+v", got, m)
	}
	m.Host = 9
	if err := g2.Update(m); !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("update of the id: got %v, want Invalid", err)
	}
	m = member(2, 1)
	m.Storages = []string{strings.Repeat("x", 600)}
	if err := g2.Update(m); !holdfast.Is(err, holdfast.TooLarge) {
		t.Errorf("long name: got %v, want TooLarge", err)
	}
}

func TestHintsSpread(t *testing.T) {
	w := newTown(t)
	g1, events := w.start(1, 1)
	g2, _ := w.start(2, 1)
	w.settle(1, 2)
	service := holdfast.NewServiceID(holdfast.TypeNameServer, 5)
	hint := group.Hint{Service: service, Host: 2, Epoch: 4}
	g2.Tell(hint)
	if e := events.await(t, "hint", func(e group.Event) bool { return e.Kind == group.Hinted }); e.Hint != hint {
		t.Errorf("got %+v, want %+v", e.Hint, hint)
	}
	g1.Tell(group.Hint{Service: service, Host: 1, Epoch: 3})
	if h, ok := g1.Hint(service); !ok || h != hint {
		t.Errorf("after an older one: got %+v, want %+v", h, hint)
	}
	released := group.Hint{Service: service, Epoch: 4}
	g2.Tell(released)
	events.await(t, "release", func(e group.Event) bool { return e.Kind == group.Hinted && e.Hint == released })
	g2.Tell(hint)
	if h, _ := g2.Hint(service); h != released {
		t.Errorf("after the release: got %+v, want %+v", h, released)
	}
	// Who comes later learns it by the exchange.
	g3, _ := w.start(3, 1)
	eventually(t, "a newcomer knows", func() bool { h, ok := g3.Hint(service); return ok && h == released })
	if h, ok := g3.Hint(service + 1); ok {
		t.Errorf("a service that nobody spoke of: got %+v", h)
	}
}

// stranger starts a host that knows of host 1, and checks that they never meet while two others of the town do.
func stranger(t *testing.T, change func(*group.Options)) {
	t.Helper()
	w := newTown(t)
	g1, _ := w.start(1, 1)
	s, _ := w.start(9, 1, change)
	w.start(2, 1)
	for _, g := range []*group.Group{g1, w.groups[2]} {
		eventually(t, "hosts of the cluster meet", func() bool { return slices.Equal(ids(g), []holdfast.HostID{1, 2}) })
	}
	// By now the stranger has been asked, and has asked, more than once.
	eventually(t, "the stranger asked", func() bool { return s.Up() > 4*quick().Rejoin })
	if got := ids(s); !slices.Equal(got, []holdfast.HostID{9}) {
		t.Errorf("the stranger sees %v", got)
	}
	if got := ids(g1); !slices.Equal(got, []holdfast.HostID{1, 2}) {
		t.Errorf("host 1 sees %v", got)
	}
}

func TestAnotherKeyStaysOut(t *testing.T) {
	stranger(t, func(opt *group.Options) { opt.Keys = []group.Key{group.NewKey()} })
}

func TestAnotherClusterStaysOut(t *testing.T) {
	stranger(t, func(opt *group.Options) { opt.Cluster = strings.Repeat("f", 32) })
}

func TestTwoHostsWithOneID(t *testing.T) {
	w := newTown(t)
	_, events := w.start(1, 1)
	w.start(2, 1)
	w.settle(1, 2)
	w.start(2, 1, at("127.0.0.3:0"))
	e := events.await(t, "conflict", is(group.Conflicted, 2))
	if !holdfast.Is(e.Err, holdfast.Conflict) {
		t.Errorf("got %v, want Conflict", e.Err)
	}
}

// The key of a running cluster is changed in three steps, and everybody stays in sight. Who has the old key alone is out then.
func TestKeysRotate(t *testing.T) {
	w := newTown(t)
	g1, _ := w.start(1, 1)
	g2, _ := w.start(2, 1)
	w.settle(1, 2)
	old, fresh := w.keys[0], group.NewKey()
	hint := group.Hint{Service: holdfast.NewServiceID(holdfast.TypeObjectStore, 1), Host: 1}
	for _, keys := range [][]group.Key{{old, fresh}, {fresh, old}, {fresh}} {
		for _, g := range []*group.Group{g1, g2} {
			if err := g.SetKeys(keys); err != nil {
				t.Fatal(err)
			}
			// Two hosts that are a step apart still understand each other, both ways.
			for from, to := range map[*group.Group]*group.Group{g1: g2, g2: g1} {
				hint.Epoch++
				from.Tell(hint)
				eventually(t, "a hint comes through", func() bool { h, ok := to.Hint(hint.Service); return ok && h == hint })
			}
		}
	}
	w.settle(1, 2)
	w.keys = []group.Key{fresh}
	w.start(3, 1)
	w.settle(1, 2, 3)
	for _, bad := range [][]group.Key{nil, make([]group.Key, group.MaxKeys+1)} {
		if err := g1.SetKeys(bad); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%d keys: got %v, want Invalid", len(bad), err)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	good := group.Options{Cluster: cluster, Self: member(1, 1), Bind: "127.0.0.1:0", Keys: []group.Key{group.NewKey()}}
	for name, change := range map[string]func(*group.Options){
		"no key":             func(o *group.Options) { o.Keys = nil },
		"a name to bind":     func(o *group.Options) { o.Bind = "localhost:0" },
		"nothing to bind":    func(o *group.Options) { o.Bind = "" },
		"nothing to tell":    func(o *group.Options) { o.Bind = "0.0.0.0:0" },
		"a bad address":      func(o *group.Options) { o.Advertise = "here" },
		"no host id":         func(o *group.Options) { o.Self.Host = 0 },
		"no protocol":        func(o *group.Options) { o.Self.Speaks = protocol.Range{} },
		"a load of over 100": func(o *group.Options) { o.Self.Load = 101 },
	} {
		opt := good
		change(&opt)
		if g, err := group.Start(opt); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%s: got %v, want Invalid", name, err)
			if g != nil {
				_ = g.Close()
			}
		}
	}
	good.Bind = "192.0.2.1:0" // of no machine
	if _, err := group.Start(good); !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("an address of another machine: got %v, want Unavailable", err)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	w := newTown(t)
	g, events := w.start(1, 1, func(o *group.Options) { o.Registerer = reg })
	w.start(2, 1)
	events.await(t, "host 2", is(group.Joined, 2))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range families {
		if f.GetName() == "holdfast_group_hosts" {
			found = f.GetMetric()[0].GetGauge().GetValue() == 2
		}
	}
	if !found {
		t.Errorf("no holdfast_group_hosts of 2 in %v", families)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := reg.Gather(); err != nil || len(left) != 0 {
		t.Errorf("after Close: %v, %v; want no metrics", left, err)
	}
}

func TestGossipAddress(t *testing.T) {
	for node, want := range map[string]string{
		"10.0.0.1:2530": "10.0.0.1:2531", "[::1]:1": "[::1]:2", "host510:2530": "host510:2531",
		"10.0.0.1": "", "10.0.0.1:65535": "", "10.0.0.1:0": "", "": "", "a:b": "",
	} {
		got, err := group.GossipAddress(node)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v; want %q", node, got, err, want)
		}
	}
}
