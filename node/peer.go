package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc"

	"holdfast"
	"holdfast/gw/keyring"
	"holdfast/membership"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/group"
	"holdfast/membership/layout"
	"holdfast/membership/password"
	"holdfast/node/confdir"
	"holdfast/node/discovery"
	"holdfast/objsrv/objrpc"
	"holdfast/storage"
	"holdfast/volume"
)

// handOver bounds how long a node that stops waits for others to take its services before it releases them itself, and quiet how long
// it waits for one of them to ask.
const (
	handOver = 10 * time.Second
	quiet    = 3 * time.Second
)

// Peer is the process of one host of a cluster: the services that placement gives it, the gateways that the configuration gives
// it, and the configuration API. Close it.
type Peer struct {
	dir      confdir.Dir
	me       confdir.Node
	settings Config
	env      Environment
	log      *slog.Logger
	level    *slog.LevelVar
	registry *prometheus.Registry
	started  time.Time

	keys    *keyring.Ring
	root    Credentials
	links   *links
	door    *password.Door // nil: no configuration service
	tracker *tracker
	disc    *discovery.Discovery
	doors   doors
	group   *group.Group
	mounts  map[string]*mount // by name; does not change
	agent   *agent
	fronts  *fronts

	server  *grpc.Server
	ops     *http.Server
	address string             // where the node really listens
	stop    context.CancelFunc // of everything that runs in the background
	running sync.WaitGroup
	leaving atomic.Bool
	opened  chan struct{} // closed when everything is there

	done      chan struct{} // closed when the node cannot go on
	failed    sync.Once
	failure   error
	closeOnce sync.Once
	closeErr  error
}

// StartPeer starts the node of the host that a configuration directory describes. It waits for no mount and for no other node: what is
// not there is waited for in the background. settings are what is not in the directory; its file of settings goes below them.
func StartPeer(dir confdir.Dir, settings Config, env Environment) (*Peer, error) {
	p := &Peer{
		dir: dir, env: env, level: new(slog.LevelVar), registry: prometheus.NewRegistry(), started: time.Now(),
		doors: newDoors(), mounts: map[string]*mount{}, done: make(chan struct{}), opened: make(chan struct{}),
	}
	p.log = slog.New(slog.NewTextHandler(env.Log, &slog.HandlerOptions{Level: p.level}))
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	first, err := p.load(settings)
	if err != nil {
		return nil, err
	}
	if err := p.open(first); err != nil {
		return nil, errors.Join(err, p.Close(context.Background()))
	}
	return p, nil
}

// load reads the configuration directory.
func (p *Peer) load(settings Config) (first config.Config, err error) {
	if p.me, err = p.dir.Load(); err != nil {
		return first, err
	}
	if p.settings, err = PeerSettings(p.dir, settings); err != nil {
		return first, err
	}
	if err = setLevel(p.level, p.settings.Reloadable); err != nil {
		return first, err
	}
	if first, err = p.dir.LoadConfig(); err != nil {
		return first, err
	}
	if first.Cluster != p.me.Cluster {
		return first, fmt.Errorf("%s is of cluster %s, %s of %s", confdir.ConfigFile, first.Cluster, confdir.NodeFile, p.me.Cluster)
	}
	if p.root, err = readCredentials(p.dir); err != nil {
		return first, err
	}
	if p.door, err = openDoor(p.dir, p.env.Now); err != nil {
		return first, err
	}
	p.keys, err = readClusterKeys(p.dir, p.env.Getenv)
	return first, err
}

// open brings everything up, from the ports to the background work.
func (p *Peer) open(first config.Config) error {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.tracker = newTracker(p.dir, first, p.log)
	var err error
	if p.links, err = openLinks(p); err != nil {
		return err
	}
	node, err := net.Listen("tcp", p.me.Address)
	if err != nil {
		return fmt.Errorf("address in %s: %w", confdir.NodeFile, err)
	}
	p.address = node.Addr().String()
	ops, err := net.Listen("tcp", p.me.MetricsAddress())
	if err != nil {
		return errors.Join(fmt.Errorf("metrics address: %w", err), node.Close())
	}
	p.disc = discovery.New(discovery.Options{
		Self: p.me.Host.Value, Source: source{p}, Dial: p.links.dial, Logger: p.log,
	})
	p.disc.SetConfig(first)
	p.openMounts()
	p.agent = newAgent(p)
	p.fronts = newFronts(p)
	if err := p.joinGroup(first); err != nil {
		return errors.Join(err, node.Close(), ops.Close())
	}
	p.tracker.onChange = func(c config.Config) {
		p.disc.SetConfig(c)
		p.fronts.wake()
		p.agent.wake()
	}
	p.serve(node)
	p.ops = newOpsServer(p.registry, p.ready)
	p.running.Go(func() {
		if err := p.ops.Serve(ops); !errors.Is(err, http.ErrServerClosed) {
			p.fail(err)
		}
	})
	p.begin(ctx)
	close(p.opened)
	return nil
}

// openMounts lists the storages of this host.
func (p *Peer) openMounts() {
	fsys := p.env.FS
	if fsys == nil {
		fsys = storage.OS()
	}
	if p.settings.WithoutMounts {
		return
	}
	for name, path := range p.me.Storages {
		p.mounts[name] = &mount{name: name, root: layout.Root(path), fs: fsys}
	}
}

// machine describes this machine to the membership on a storage.
func (p *Peer) machine(root string) membership.Machine {
	if p.env.Machine.Lock != nil {
		return p.env.Machine
	}
	return membership.ThisMachineFor(root, p.me.Host.Value)
}

// begin starts the background work, all of which ends with ctx.
func (p *Peer) begin(ctx context.Context) {
	for _, m := range p.mounts {
		p.running.Go(func() { m.open(ctx, p) })
	}
	if home, ok := p.home(); ok {
		p.running.Go(func() {
			p.tracker.watchMount(ctx, home.fs, home.root)
		})
	}
	p.running.Go(func() { p.tracker.watchPeers(ctx, p.anyPeer) })
	p.running.Go(func() { p.agent.run(ctx) })
	p.running.Go(func() { p.fronts.run(ctx) })
	p.running.Go(func() { p.introduce(ctx) })
}

// home returns the mount that the configuration log is on, if this host has it.
func (p *Peer) home() (*mount, bool) {
	c := p.tracker.get()
	if len(c.Storages) == 0 {
		return nil, false
	}
	m, ok := p.mounts[c.Storages[0].Name]
	return m, ok
}

// working returns the names of the storages that can be worked on now, in order.
func (p *Peer) working() []string {
	var names []string
	for name, m := range p.mounts {
		if m.works() == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// serve answers other nodes on a listener.
func (p *Peer) serve(l net.Listener) {
	p.server = grpc.NewServer(append(objrpc.ServerOptions(), p.links.serverOptions()...)...)
	p.doors.register(p.server)
	confrpc.NewServer(api{p}).Register(p.server)
	confrpc.NewJoinServer(p.door, api{p}).Register(p.server)
	p.running.Go(func() {
		if err := p.server.Serve(l); err != nil {
			p.fail(err)
		}
	})
}

func (p *Peer) fail(err error) {
	p.failed.Do(func() {
		p.failure = err
		close(p.done)
	})
}

// Done is closed when the node cannot go on; Close tells why.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Address returns where the node answers other nodes, MetricsAddress where metrics and health are.
func (p *Peer) Address() string { return p.address }

// MetricsAddress returns where metrics and health are.
func (p *Peer) MetricsAddress() string { return p.me.MetricsAddress() }

// Volume is the way to the services of a volume.
func (p *Peer) Volume(id holdfast.VolumeID) volume.Services { return p.disc.Volume(id) }

// ready tells whether the node does all that it is there for.
func (p *Peer) ready() error {
	for name, m := range p.mounts {
		if err := m.works(); err != nil {
			return fmt.Errorf("storage %s: %w", name, err)
		}
	}
	return p.fronts.ready()
}

// Reload reads the file of settings again and changes what can be changed without dropping a connection.
func (p *Peer) Reload() error {
	settings, err := PeerSettings(p.dir, p.settings)
	if err != nil {
		return err
	}
	if err := setLevel(p.level, settings.Reloadable); err != nil {
		return err
	}
	p.fronts.reload(settings.Reloadable)
	p.log.Info("settings reloaded")
	return nil
}

// Close stops in good order: gateways finish their requests, the others take over the services, and what is left is released. It waits
// until ctx ends.
func (p *Peer) Close(ctx context.Context) error {
	p.closeOnce.Do(func() { p.closeErr = p.close(ctx) })
	return p.closeErr
}

func (p *Peer) close(ctx context.Context) error {
	p.leaving.Store(true)
	var errs []error
	var shut sync.WaitGroup
	if p.fronts != nil {
		shut.Go(func() { p.fronts.shut(ctx) })
	}
	if p.group != nil {
		alone := len(p.group.Members()) < 2
		errs = append(errs, p.group.Close())
		if !alone {
			p.handOver(ctx)
		}
	}
	shut.Wait()
	if p.stop != nil {
		p.stop()
	}
	if p.fronts != nil {
		errs = append(errs, p.fronts.close())
	}
	errs = append(errs, p.closeStores(ctx))
	if p.server != nil {
		p.server.Stop()
	}
	if p.ops != nil {
		errs = append(errs, p.ops.Close())
	}
	errs = append(errs, waitFor(ctx, &p.running))
	if p.disc != nil {
		errs = append(errs, p.disc.Close())
	}
	if p.links != nil {
		errs = append(errs, p.links.close())
	}
	select {
	case <-p.done:
		errs = append(errs, p.failure)
	default:
	}
	return errors.Join(errs...)
}

// handOver waits until the others, who think that this host is gone, have asked for its services.
func (p *Peer) handOver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, handOver)
	defer cancel()
	ticker := time.NewTicker(settle)
	defer ticker.Stop()
	last, asked := p.agent.open(), time.Now()
	for last > 0 && time.Since(asked) < quiet {
		if open := p.agent.open(); open < last {
			last, asked = open, time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// closeStores releases what is open and ends the memberships, each storage on its own: one that hangs is given up with ctx.
func (p *Peer) closeStores(ctx context.Context) error {
	var errs []error
	var mu sync.Mutex
	var all sync.WaitGroup
	for name, m := range p.mounts {
		s := m.opened()
		if s == nil {
			continue
		}
		all.Go(func() {
			if err := s.close(ctx); err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("storage %s: %w", name, err))
				mu.Unlock()
			}
		})
	}
	if err := waitFor(ctx, &all); err != nil {
		return err // some still write to errs
	}
	return errors.Join(errs...)
}

// waitFor waits for a group of goroutines, or for ctx.
func waitFor(ctx context.Context, all *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a storage does not answer: %w", ctx.Err())
	}
}
