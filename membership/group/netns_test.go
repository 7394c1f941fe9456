package group_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/group"
)

// In this variable a process of a host finds what it is to be: TestMain makes this binary such a process.
const hostVariable = "HOLDFAST_TEST_GROUP_HOST"

// orders is what a process of a host is told.
type orders struct {
	Host  holdfast.HostID
	Run   uint64
	Key   group.Key
	Seeds []group.Seed
}

// bind is where a host gossips, in its own network.
func bind(host holdfast.HostID) string { return fmt.Sprintf("198.18.7.%d:2531", host) }

// runHost is a process of a host, with the tuning that users get. It writes a line with all it sees whenever that changes, and ends
// when its input does.
func runHost(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	changed := make(chan struct{}, 1)
	g, err := group.Start(group.Options{
		Cluster: cluster, Self: member(o.Host, o.Run), Bind: bind(o.Host), Keys: []group.Key{o.Key},
		Seeds: func() []group.Seed { return o.Seeds },
		OnEvent: func(group.Event) {
			select {
			case changed <- struct{}{}:
			default: // it will look anyway
			}
		},
	})
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // any end of it is the end
		close(ended)
	}()
	for {
		line, err := json.Marshal(ids(g))
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", line)
		select {
		case <-changed:
		case <-ended:
			return g.Close()
		}
	}
}

// lab is hosts in network namespaces of their own, joined by a bridge in another: no packet reaches the machine's network.
type lab struct {
	t     *testing.T
	key   group.Key
	seeds []group.Seed

	mu    sync.Mutex
	hosts map[holdfast.HostID]*process
	more  chan struct{} // capacity 1: somebody said something
}

// process is a running host.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	sees  []holdfast.HostID // guarded by lab.mu
	ended chan struct{}
}

func (l *lab) namespace(host holdfast.HostID) string {
	return fmt.Sprintf("hfg%d-%d", os.Getpid(), host)
}

const hub = 0 // the namespace of the bridge

func newLab(t *testing.T, n int) *lab {
	l := &lab{t: t, key: group.NewKey(), hosts: map[holdfast.HostID]*process{}, more: make(chan struct{}, 1)}
	t.Cleanup(l.wipe)
	l.ip("netns", "add", l.namespace(hub))
	for _, bridge := range []string{"br0", "br1"} {
		l.ip("-n", l.namespace(hub), "link", "add", bridge, "type", "bridge")
		l.ip("-n", l.namespace(hub), "link", "set", bridge, "up")
	}
	for i := range n {
		host := holdfast.HostID(i + 1)
		ns, port := l.namespace(host), fmt.Sprintf("p%d", host)
		l.ip("netns", "add", ns)
		l.ip("-n", l.namespace(hub), "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", ns)
		l.ip("-n", l.namespace(hub), "link", "set", port, "master", "br0", "up")
		l.ip("-n", ns, "addr", "add", strings.TrimSuffix(bind(host), ":2531")+"/24", "dev", "eth0")
		l.ip("-n", ns, "link", "set", "eth0", "up")
		l.ip("-n", ns, "link", "set", "lo", "up")
		l.seeds = append(l.seeds, group.Seed{Host: host, Address: bind(host)})
	}
	return l
}

func (l *lab) ip(args ...string) {
	l.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// wipe ends what runs and removes the namespaces.
func (l *lab) wipe() {
	for _, p := range l.hosts {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	}
	for host := range holdfast.HostID(len(l.seeds) + 1) {
		if out, err := exec.Command("ip", "netns", "del", l.namespace(host)).CombinedOutput(); err != nil {
			l.t.Errorf("ip netns del: %v\n%s", err, out)
		}
	}
}

// start runs a host.
func (l *lab) start(host holdfast.HostID, run uint64) {
	l.t.Helper()
	text, err := json.Marshal(orders{Host: host, Run: run, Key: l.key, Seeds: l.seeds})
	if err != nil {
		l.t.Fatal(err)
	}
	cmd := exec.Command("nsenter", "--net=/run/netns/"+l.namespace(host), os.Args[0])
	cmd.Env = append(os.Environ(), hostVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	p := &process{cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	l.mu.Lock()
	l.hosts[host] = p
	l.mu.Unlock()
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			l.hear(p, lines.Bytes())
		}
		_ = cmd.Wait() // most are killed
	}()
}

func (l *lab) hear(p *process, line []byte) {
	var sees []holdfast.HostID
	if err := json.Unmarshal(line, &sees); err != nil {
		l.t.Errorf("a host says %q", line)
		return
	}
	l.mu.Lock()
	p.sees = sees
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

func (l *lab) kill(hosts ...holdfast.HostID) {
	l.t.Helper()
	for _, h := range hosts {
		if err := l.hosts[h].cmd.Process.Kill(); err != nil {
			l.t.Fatal(err)
		}
		<-l.hosts[h].ended
	}
}

func (l *lab) signal(host holdfast.HostID, s syscall.Signal) {
	l.t.Helper()
	if err := l.hosts[host].cmd.Process.Signal(s); err != nil {
		l.t.Fatal(err)
	}
}

// move plugs hosts into another bridge: into br0 or br1, or into none. Nobody's link goes down: packets are lost in silence.
func (l *lab) move(bridge string, hosts ...holdfast.HostID) {
	for _, host := range hosts {
		to := []string{"master", bridge}
		if bridge == "" {
			to = []string{"nomaster"}
		}
		l.ip(append([]string{"-n", l.namespace(hub), "link", "set", fmt.Sprintf("p%d", host)}, to...)...)
	}
}

// await waits until each of the hosts sees exactly these, and logs how long it took.
func (l *lab) await(what string, sees map[holdfast.HostID][]holdfast.HostID) {
	l.t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	for {
		l.mu.Lock()
		done := true
		for host, want := range sees {
			done = done && slices.Equal(l.hosts[host].sees, want)
		}
		var state strings.Builder
		for _, s := range l.seeds {
			fmt.Fprintf(&state, " %d: %v", s.Host, l.hosts[s.Host].sees)
		}
		l.mu.Unlock()
		if done {
			l.t.Logf("%-46s %5.2f s", what, time.Since(began).Seconds())
			return
		}
		select {
		case <-l.more:
		case <-ctx.Done():
			l.t.Fatalf("%s: not so; they see%s", what, state.String())
		}
	}
}

type view = map[holdfast.HostID][]holdfast.HostID

// Real processes in real networks, with the tuning that users get: death, pause, partition, full restart. The log has the times.
func TestNetworkNamespaces(t *testing.T) {
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("it makes network namespaces, which takes root and some time")
	}
	l := newLab(t, 3)
	whole := []holdfast.HostID{1, 2, 3}
	all := view{1: whole, 2: whole, 3: whole}
	began := time.Now()
	for _, h := range whole {
		l.start(h, 1)
	}
	l.await("all start, and see one another", all)

	l.kill(3)
	l.await("SIGKILL: the others hold it dead", view{1: {1, 2}, 2: {1, 2}})
	l.start(3, 2)
	l.await("it restarts: all see one another", all)

	l.signal(2, syscall.SIGSTOP)
	l.await("SIGSTOP: the others hold it dead", view{1: {1, 3}, 3: {1, 3}})
	l.signal(2, syscall.SIGCONT)
	l.await("SIGCONT: all see one another", all)

	l.move("", 1)
	l.await("cut off: the others hold it dead", view{2: {2, 3}, 3: {2, 3}})
	l.await("and it holds them dead, so much later", view{1: {1}})
	l.move("br0", 1)
	l.await("the partition heals: all see one another", all)

	if err := l.hosts[2].stdin.Close(); err != nil {
		t.Fatal(err)
	}
	<-l.hosts[2].ended
	l.await("goodbye: the others know", view{1: {1, 3}, 3: {1, 3}})

	cpu := l.hosts[1].cmd
	l.kill(1, 3)
	t.Logf("host 1 took %v of CPU in %v", cpu.ProcessState.SystemTime()+cpu.ProcessState.UserTime(), time.Since(began))
	for _, h := range []holdfast.HostID{3, 2, 1} {
		l.start(h, 3)
	}
	l.await("full restart: all see one another", all)
}

// Two sides of a cluster lose sight of each other, go on by themselves, change something, and become one again.
func TestSplitInTwo(t *testing.T) {
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("it makes network namespaces, which takes root and some time")
	}
	l := newLab(t, 5)
	whole, left, right := []holdfast.HostID{1, 2, 3, 4, 5}, []holdfast.HostID{1, 2}, []holdfast.HostID{3, 4, 5}
	all := view{1: whole, 2: whole, 3: whole, 4: whole, 5: whole}
	for _, h := range whole {
		l.start(h, 1)
	}
	l.await("all start, and see one another", all)
	l.move("br1", left...)
	l.await("split: each side sees itself", view{1: left, 2: left, 3: right, 4: right, 5: right})
	l.kill(4)
	l.await("one dies on the right", view{3: {3, 5}, 5: {3, 5}})
	l.start(4, 2)
	l.await("and comes back", view{3: right, 4: right, 5: right})
	l.move("br0", left...)
	l.await("the split heals: all see one another", all)
}
