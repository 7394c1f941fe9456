// Package nodetest runs clusters for tests: several nodes of different hosts on one directory, in one process or as processes of a
// binary, each with addresses of its own in 127.0.0.0/8.
package nodetest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/config"
	"holdfast/membership/layout"
	"holdfast/node"
	"holdfast/node/confdir"
	"holdfast/node/found"
	"holdfast/storage"
)

// Plan says what cluster a test wants.
type Plan struct {
	Hosts         int
	NameServers   int
	ObjectServers int
	Lease         time.Duration // T; 0: half a second
	// Settings are those of each node.
	Settings node.Config
}

// Cluster is a cluster of which any host may be running.
type Cluster struct {
	Root    string // the directory on the "mount"
	Volume  holdfast.VolumeID
	Hosts   []*Host
	First   config.Config // the first configuration
	Keys    node.Credentials
	Founder *found.Cluster
	plan    Plan
	base    string // directory of the test
	network string // first three bytes of all addresses
}

// Host is a host of the cluster and, while it runs in this process, its node.
type Host struct {
	ID       holdfast.HostID
	Dir      confdir.Dir
	Endpoint string // of its gateway
	Address  string // of its node
	Metrics  string
	FS       storage.FS         // nil: the machine's
	Machine  membership.Machine // zero: this one

	Node *node.Peer // nil: not running
	Log  *Log
}

// networks counts the clusters that this process made.
var networks atomic.Uint32

// network returns the first three bytes of addresses that no other cluster of this machine's tests uses, as good as certainly.
func network() string {
	pid, n := os.Getpid(), networks.Add(1)
	return fmt.Sprintf("127.%d.%d.", 16+pid%200, (uint32(pid/200)*7+n)%254+1)
}

const (
	nodePort    = 2530
	s3Port      = 2580
	metricsPort = 2590
)

// Password is the password of every cluster here.
const Password = "correct horse battery"

// New makes the cluster's directories and its first configuration, and starts nothing.
func New(t testing.TB, plan Plan) *Cluster {
	t.Helper()
	if plan.Lease == 0 {
		plan.Lease = 500 * time.Millisecond
	}
	base := t.TempDir()
	keys := node.Credentials{AccessKey: "ROOTKEYOFTESTS", SecretKey: "secret-key-of-tests"}
	f, err := found.New([]byte(Password), keys, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Root: filepath.Join(base, "mount"), Keys: keys, Founder: f, plan: plan, base: base, network: network()}
	if err := found.Storage(storage.OS(), layout.Root(c.Root), f.Name); err != nil {
		t.Fatal(err)
	}
	conf := config.New(f.Name).WithStorage(config.Storage{Name: "stor1", Dir: "mount", LeaseMS: int(plan.Lease / time.Millisecond)})
	for i := range plan.Hosts {
		h := c.NewHost(t)
		h.ID = membership.NewHostID()
		conf = conf.WithHost(config.Host{ID: config.IDOf(h.ID), Name: fmt.Sprintf("host%d", i+1), Address: h.Address, Storages: []string{"stor1"}})
	}
	if conf, c.Volume, err = conf.WithVolume("vol1", "stor1", plan.NameServers, plan.ObjectServers); err != nil {
		t.Fatal(err)
	}
	for _, h := range c.Hosts {
		if conf, _, err = conf.WithGateway(h.ID, c.Volume, h.S3Address()); err != nil {
			t.Fatal(err)
		}
	}
	if c.First, err = config.Open(storage.OS(), layout.Root(c.Root)).Publish(0, conf); err != nil {
		t.Fatal(err)
	}
	for _, h := range c.Hosts {
		n := confdir.Node{
			Host: config.IDOf(h.ID), Address: h.Address, Metrics: h.Metrics, Storages: map[string]string{"stor1": c.Root},
		}
		if err := f.Host(h.Dir, n, c.First, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// NewHost makes room for one more host, without a configuration directory.
func (c *Cluster) NewHost(t testing.TB) *Host {
	t.Helper()
	n := len(c.Hosts) + 1
	ip := fmt.Sprintf("%s%d", c.network, n)
	h := &Host{
		Dir: confdir.Dir(filepath.Join(c.base, fmt.Sprintf("host%d", n))), Log: &Log{},
		Address: join(ip, nodePort), Metrics: join(ip, metricsPort), Endpoint: "http://" + join(ip, s3Port),
	}
	c.Hosts = append(c.Hosts, h)
	return h
}

// S3Address is where the gateway of the host listens.
func (h *Host) S3Address() string { return strings.TrimPrefix(h.Endpoint, "http://") }

// OtherMachine is a machine whose locks are not this one's, and that can prove nothing about it.
func OtherMachine() membership.Machine {
	return membership.Machine{
		Boot: storage.NewNonce().String(),
		Lock: func(string) (io.Closer, string, error) { return io.NopCloser(nil), storage.NewNonce().String(), nil },
	}
}

func join(ip string, port int) string { return net.JoinHostPort(ip, fmt.Sprint(port)) }

// Start is New with all hosts running in this process; the test's end stops them.
func Start(t testing.TB, plan Plan) *Cluster {
	t.Helper()
	c := New(t, plan)
	for i := range c.Hosts {
		c.Run(t, i)
	}
	return c
}

// stopWithin bounds how long a node may take to stop.
const stopWithin = 30 * time.Second

// Run starts the node of a host in this process.
func (c *Cluster) Run(t testing.TB, i int) *node.Peer {
	t.Helper()
	h := c.Hosts[i]
	p, err := node.StartPeer(h.Dir, c.plan.Settings, node.Environment{Getenv: func(string) string { return "" }, Log: h.Log, FS: h.FS, Machine: h.Machine})
	if err != nil {
		t.Fatal(err)
	}
	h.Node = p
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		_ = p.Close(ctx) // tests that want to know stop it themselves
		if t.Failed() || os.Getenv("HOLDFAST_SHOW") != "" {
			t.Logf("host %d wrote:\n%s", i+1, h.Log)
		}
	})
	return p
}

// Stop stops the node of a host in good order.
func (c *Cluster) Stop(t testing.TB, i int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := c.Hosts[i].Node.Close(ctx); err != nil {
		t.Errorf("host %d: %v", i+1, err)
	}
	c.Hosts[i].Node = nil
}

// childDir is the variable of the environment that makes a test binary the node of a host.
const childDir = "HOLDFAST_TEST_NODE"

// RunChild makes this process a node if it was started by [Cluster.Spawn], and then does not return. Call it first in TestMain.
func RunChild() {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	p, err := node.StartPeer(confdir.Dir(dir), node.Config{}, node.Environment{Getenv: func(string) string { return "" }, Log: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	select {
	case <-stop:
	case <-p.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Spawn starts the node of a host as a process of its own: this test binary, whose TestMain calls [RunChild]. The test's end kills it.
func (c *Cluster) Spawn(t testing.TB, i int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+string(c.Hosts[i].Dir))
	return c.start(t, i, cmd)
}

// Exec starts the node of a host as a process of the real binary. The test's end kills it.
func (c *Cluster) Exec(t testing.TB, i int, binary string) *exec.Cmd {
	t.Helper()
	return c.start(t, i, exec.Command(binary, "node", "-r", string(c.Hosts[i].Dir)))
}

func (c *Cluster) start(t testing.TB, i int, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	h := c.Hosts[i]
	cmd.Stdout, cmd.Stderr = h.Log, h.Log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if t.Failed() || os.Getenv("HOLDFAST_SHOW") != "" {
			t.Logf("host %d wrote:\n%s", i+1, h.Log)
		}
	})
	return cmd
}

// Owner returns which host is said to run a service; -1 if none is.
func (c *Cluster) Owner(id holdfast.ServiceID) int {
	b, err := storage.ReadFile(storage.OS(), layout.Root(c.Root).Service(id).OwnerFile(), layout.MaxFile)
	if err != nil {
		return -1
	}
	o, err := layout.ParseOwner(b)
	if err != nil {
		return -1
	}
	for i, h := range c.Hosts {
		if h.ID == o.Host {
			return i
		}
	}
	return -1
}

// Log keeps what a node wrote.
type Log struct {
	mu  sync.Mutex
	buf []byte
}

// keepLog bounds a Log in bytes.
const keepLog = 1 << 20

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) > keepLog {
		l.buf = append(l.buf[:0], l.buf[keepLog/2:]...)
	}
	l.buf = append(l.buf, p...)
	return len(p), nil
}

// String returns what was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.buf)
}
