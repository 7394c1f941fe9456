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

	"holdfast/membership"
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

// Node is a running server: a cluster of one. Close it.
type Node struct {
	config   Config
	log      *slog.Logger
	level    *slog.LevelVar
	registry *prometheus.Registry

	fs     storage.FS
	env    Environment
	store  *Store // nil: not open
	direct *volume.Direct
	doors  doors
	socket *socket // nil: not serving
	access *access // nil: only the services are open
	front  *front
	stop   context.CancelFunc // of the services

	ops       *http.Server
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
	return n, setLevel(level, config.Reloadable)
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
	n.ops = newOpsServer(n.registry, n.store.ready)
	n.serve(n.ops, ops)
	n.front.serve(s3, n.fail)
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
	keys, err := LoadOrCreateClusterKeys(n.config.Data, env.Getenv)
	if err != nil {
		return err
	}
	n.access, err = openAccess(accessOptions{
		Process: n.store.host.ID().String(), Services: n.direct, Keys: keys, Root: root, Config: n.config, Registry: n.registry, Logger: n.log, Now: env.Now,
	})
	if err != nil {
		return err
	}
	n.front = n.access.newFront(plan.gateway, n.registry)
	return nil
}

// openStore takes the directory and opens the services in it.
func (n *Node) openStore(ctx context.Context) (plan, error) {
	n.direct = volume.NewDirect(new(volume.SlotMap))
	store, err := openStore(storeOptions{
		FS: n.fs, Host: membership.Options{Root: n.config.Data, Machine: n.env.Machine}, Rosters: []roster{n.direct, n.doors},
		Registry: n.registry, Logger: n.log, Now: n.env.Now,
	})
	if err != nil {
		return plan{}, err
	}
	n.store = store
	p, err := loadOrCreatePlan(n.fs, store.host, n.config)
	if err != nil {
		return plan{}, err
	}
	n.direct.SetSlotMap(p.slots)
	store.opt.CacheShare = n.config.CacheBytes / int64(len(p.names)+len(p.objects))
	store.opt.Buffers = writeBuffers / int64(len(p.objects))
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	return p, store.openAll(running, p.duties(n.direct))
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

// Reload changes the settings that can be changed without dropping a connection.
func (n *Node) Reload(r Reloadable) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := setLevel(n.level, r); err != nil {
		return err
	}
	n.front.reload(r)
	n.log.Info("configuration reloaded", "region", r.Region, "domains", r.Domains, "website_domains", r.WebsiteDomains, "log_level", r.LogLevel)
	return nil
}

// Close stops accepting requests, lets those under way finish until ctx ends, closes the services and releases them.
func (n *Node) Close(ctx context.Context) error {
	n.closeOnce.Do(func() { n.closeErr = n.close(ctx) })
	return n.closeErr
}

func (n *Node) close(ctx context.Context) error {
	var errs []error
	if n.front != nil {
		errs = append(errs, n.front.shut(ctx))
	}
	if n.socket != nil {
		errs = append(errs, n.socket.close(ctx))
	}
	if n.access != nil {
		errs = append(errs, n.access.close())
	}
	if n.stop != nil {
		n.stop()
	}
	if n.store != nil {
		errs = append(errs, n.store.close(ctx))
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
