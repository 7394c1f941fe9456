package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"holdfast"
	"holdfast/gw"
	"holdfast/gw/account"
	"holdfast/gw/keyring"
	"holdfast/gw/limit"
	"holdfast/gw/usage"
	"holdfast/membership"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/storage"
	"holdfast/volume"
)

// Environment is what a node takes from its process.
type Environment struct {
	Getenv func(string) string
	Log    io.Writer

	// What the store stands on; tests of crashes and faults give others than those of the process.
	FS      storage.FS         // nil: the machine's files
	Machine membership.Machine // zero: this machine
	Now     func() time.Time   // nil: time.Now
}

// Node is a running server. Close it.
type Node struct {
	config   Config
	log      *slog.Logger
	level    *slog.LevelVar
	registry *prometheus.Registry

	fs         storage.FS
	env        Environment
	host       *membership.Host
	services   []*service
	direct     *volume.Direct
	doors      doors
	socket     *socket // nil: not serving
	volume     *volume.Volume
	gateway    *gw.Gateway
	keys       *keyring.Ring
	accounts   *account.Store
	limits     *limit.Limiter
	usage      *usage.Recorder
	background background
	stop       context.CancelFunc // of the services

	s3, ops   *http.Server
	endpoint  string
	serving   sync.WaitGroup
	done      chan struct{} // closed when a listener failed
	failed    sync.Once
	failure   error
	closeOnce sync.Once
	closeErr  error
}

// Start opens the store in the configured directory, making it if it is new, and serves it. The context bounds only the
// start.
func Start(ctx context.Context, config Config, env Environment) (*Node, error) {
	n, err := newNode(config, env)
	if err != nil {
		return nil, err
	}
	if err := n.open(ctx, env); err != nil {
		return nil, errors.Join(err, n.Close(ctx))
	}
	return n, nil
}

// OpenServices opens the services of an existing store without serving it: for tools that check a store. Background work of
// the services runs.
func OpenServices(ctx context.Context, config Config, env Environment) (*Node, error) {
	n, err := newNode(config, env)
	if err != nil {
		return nil, err
	}
	if _, err := n.fs.Stat(layout.Root(config.Data).Services()); err != nil {
		return nil, fmt.Errorf("there is no store: %w", err)
	}
	if _, err := n.openStore(ctx); err != nil {
		return nil, errors.Join(err, n.Close(ctx))
	}
	return n, nil
}

// Services is the way to the services of this node.
func (n *Node) Services() volume.Services { return n.direct }

func newNode(config Config, env Environment) (*Node, error) {
	level := new(slog.LevelVar)
	n := &Node{
		config: config, level: level,
		log:      slog.New(slog.NewTextHandler(env.Log, &slog.HandlerOptions{Level: level})),
		registry: prometheus.NewRegistry(),
		fs:       env.FS, env: env,
		doors: newDoors(),
		done:  make(chan struct{}),
	}
	if n.fs == nil {
		n.fs = storage.OS()
	}
	n.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return n, n.setLevel(config.Reloadable)
}

// open brings everything up, from the mount to the listeners.
func (n *Node) open(ctx context.Context, env Environment) error {
	// Ports first: when they are taken nothing else should be touched.
	s3, err := net.Listen("tcp", n.config.S3Address)
	if err != nil {
		return fmt.Errorf("--s3-address: %w", err)
	}
	n.endpoint = "http://" + s3.Addr().String()
	ops, err := net.Listen("tcp", n.config.MetricsAddress)
	if err != nil {
		return errors.Join(fmt.Errorf("--metrics-address: %w", err), s3.Close())
	}
	if err := n.openGateway(ctx, env); err != nil {
		return errors.Join(err, s3.Close(), ops.Close())
	}
	n.openSocket()
	n.openBackground()
	n.s3 = n.gateway.NewServer()
	n.ops = newOpsServer(n.registry, n.ready)
	n.serve(n.ops, ops)
	n.serve(n.s3, s3)
	return nil
}

// openSocket lets tools of this machine look at the running store. The server does without if it cannot, and where another
// lock than this machine's keeps a second process away from the socket's name.
func (n *Node) openSocket() {
	if n.env.Machine.Lock != nil {
		return
	}
	var err error
	if n.socket, err = openSocket(n.config.Data, n.doors); err != nil {
		n.log.Warn("no local socket: tools cannot look at this store while it is served", "error", err)
	}
}

// openGateway opens the store and puts the gateway on top.
func (n *Node) openGateway(ctx context.Context, env Environment) error {
	if err := os.MkdirAll(n.config.Data, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	plan, err := n.openStore(ctx)
	if err != nil {
		return fmt.Errorf("--data %s: %w", n.config.Data, err)
	}
	root, err := LoadOrCreateCredentials(n.config.Data, env.Getenv)
	if err != nil {
		return err
	}
	if n.keys, err = LoadOrCreateClusterKeys(n.config.Data, env.Getenv); err != nil {
		return err
	}
	n.volume, err = volume.Open(volume.Options{Services: n.direct, Registerer: n.registry, Logger: n.log})
	if err != nil {
		return err
	}
	n.openAccounts(root)
	if err := n.openForGateway(); err != nil {
		return err
	}
	n.openLimits(plan.gateway)
	n.gateway = gw.New(gw.Options{
		Service: plan.gateway, Volume: n.volume, Keys: n.keys, Credentials: gw.NewCredentials(n.accounts), Accounts: n.accounts, Users: n.accounts,
		Targets:    n.background.events,
		AccessLog:  n.background.accessLog,
		Settings:   n.config.gatewaySettings(),
		Limits:     n.limits,
		Usage:      n.usage,
		Registerer: n.registry, Logger: n.log,
	})
	return nil
}

// openStore takes the directory and opens the services in it.
func (n *Node) openStore(ctx context.Context) (plan, error) {
	var err error
	n.host, err = membership.Open(membership.Options{FS: n.fs, Root: n.config.Data, Machine: n.env.Machine, OnEvent: n.leaseEvent})
	if err != nil {
		return plan{}, err
	}
	p, err := loadOrCreatePlan(n.fs, n.host, n.config)
	if err != nil {
		return plan{}, err
	}
	return p, n.openServices(ctx, p)
}

// openServices opens all services of the plan, in parallel.
func (n *Node) openServices(ctx context.Context, plan plan) error {
	n.direct = volume.NewDirect(plan.slots)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	for _, id := range plan.names {
		n.services = append(n.services, n.nameService(id, plan))
	}
	for _, id := range plan.objects {
		n.services = append(n.services, n.objectService(id, plan))
	}
	errs := make([]error, len(n.services))
	var wg sync.WaitGroup
	for i, s := range n.services {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = s.start(running)
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

// leaseEvent logs what happens to the lease.
func (n *Node) leaseEvent(e heartbeat.Event) {
	switch {
	case e.Superseded:
		n.log.Error("a newer process of this host is at work; this one lets go")
	case e.Err != nil:
		n.log.Warn("heartbeat not written", "error", e.Err)
	default:
		n.log.Info("lease", "event", fmt.Sprint(e.Lease))
	}
}

func (n *Node) serve(server *http.Server, l net.Listener) {
	n.serving.Add(1)
	go func() {
		defer n.serving.Done()
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.fail(err)
		}
	}()
}

func (n *Node) fail(err error) {
	n.failed.Do(func() {
		n.failure = err
		close(n.done)
	})
}

// Endpoint returns the URL of the S3 API, with the port that was really taken.
func (n *Node) Endpoint() string { return n.endpoint }

// Done is closed when the node cannot serve any more; Close tells why.
func (n *Node) Done() <-chan struct{} { return n.done }

// registerer labels the metrics of a service with its id.
func (n *Node) registerer(id holdfast.ServiceID) prometheus.Registerer {
	return prometheus.WrapRegistererWith(prometheus.Labels{"service": id.String()}, n.registry)
}

// ready tells whether all services are open.
func (n *Node) ready() error {
	for _, s := range n.services {
		if !s.ready.Load() {
			return fmt.Errorf("service %s is not open", s.id)
		}
	}
	return nil
}

// Reload changes the settings that can be changed without dropping a connection.
func (n *Node) Reload(r Reloadable) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := n.setLevel(r); err != nil {
		return err
	}
	n.usage.SetPeriod(r.usagePeriod())
	n.gateway.Reload(r.gatewaySettings())
	n.log.Info("configuration reloaded", "region", r.Region, "domains", r.Domains, "website_domains", r.WebsiteDomains, "log_level", r.LogLevel)
	return nil
}

func (n *Node) setLevel(r Reloadable) error {
	l, err := r.level()
	if err == nil {
		n.level.Set(l)
	}
	return err
}

// Close stops accepting requests, lets those under way finish until ctx ends, closes the services and releases them.
func (n *Node) Close(ctx context.Context) error {
	n.closeOnce.Do(func() { n.closeErr = n.close(ctx) })
	return n.closeErr
}

func (n *Node) close(ctx context.Context) error {
	var errs []error
	if n.s3 != nil {
		if err := n.s3.Shutdown(ctx); err != nil {
			errs = append(errs, n.s3.Close()) // the rest is cut off: unacknowledged, so nothing is lost
		}
	}
	if n.socket != nil {
		errs = append(errs, n.socket.close(ctx))
	}
	errs = append(errs, n.background.close())
	n.closeLimits()
	if n.volume != nil {
		errs = append(errs, n.volume.Close())
	}
	if n.stop != nil {
		n.stop()
		for _, s := range n.services {
			if s.done != nil {
				errs = append(errs, s.wait(ctx))
			}
		}
	}
	if n.host != nil {
		errs = append(errs, n.host.Close())
	}
	if n.ops != nil {
		errs = append(errs, n.ops.Close())
	}
	n.serving.Wait()
	select {
	case <-n.done:
		errs = append(errs, n.failure)
	default:
	}
	return errors.Join(errs...)
}
