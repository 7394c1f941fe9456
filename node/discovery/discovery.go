package discovery

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/volume"
)

// Bounds of looking for news.
const (
	// pace is the shortest time between two looks. A caller that fails sooner again gets what the last look found.
	pace = 50 * time.Millisecond
	// lookWithin bounds a look; what has not been answered by then is looked for by the next.
	lookWithin = 2 * time.Second
)

// Source finds out who owns services of a storage: by their owner files, or by asking a node that has the mount. What it cannot find
// out now it leaves out.
type Source interface {
	Owners(ctx context.Context, storage string, ids []holdfast.ServiceID) []confrpc.Owner
}

// Options say what a Discovery stands on.
type Options struct {
	Self   holdfast.HostID
	Source Source
	// Dial makes a connection to a node; it need not connect.
	Dial func(address string) (*grpc.ClientConn, error)
	// Stale is called when calls fail although all owners are as known: the configuration may be old. Must not block.
	Stale  func()
	Logger *slog.Logger
}

// Discovery knows the services of a cluster. Close it when nobody calls any more. Safe for concurrent use.
type Discovery struct {
	opt  Options
	pool *pool

	mu       sync.Mutex
	services map[holdfast.ServiceID]*entry                 // guarded by mu
	volumes  map[holdfast.VolumeID]*view                   // guarded by mu
	names    map[holdfast.ServiceID]holdfast.NameService   // open here; guarded by mu
	objects  map[holdfast.ServiceID]holdfast.ObjectService // the same
	asking   map[string]bool                               // storages with a question under way; guarded by mu
	flight   chan struct{}                                 // closed when the look under way ends; nil: none; guarded by mu
	looked   time.Time                                     // when the last one began; guarded by mu
	looking  sync.WaitGroup
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
}

// entry is what is known of a service.
type entry struct {
	storage string
	owner   confrpc.Owner // zero: nothing is known
	asked   bool          // a look answered for it, if only that there is no owner
	failed  bool          // a call failed since the last look

	// The ways to it over the pool, made when first needed; dropped when the owner changes.
	name   *remoteName
	object *remoteObject
}

// New returns a Discovery that knows nothing yet.
func New(opt Options) *Discovery {
	if opt.Stale == nil {
		opt.Stale = func() {}
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Discovery{
		opt: opt, pool: newPool(opt.Dial),
		services: make(map[holdfast.ServiceID]*entry),
		volumes:  make(map[holdfast.VolumeID]*view),
		names:    make(map[holdfast.ServiceID]holdfast.NameService),
		objects:  make(map[holdfast.ServiceID]holdfast.ObjectService),
		asking:   make(map[string]bool),
	}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d
}

// Close ends what is under way and closes all connections.
func (d *Discovery) Close() error {
	d.stop()
	d.looking.Wait()
	return d.pool.close()
}

// SetConfig says which services and volumes there are. Slot maps and lists of object servers take effect at once.
func (d *Discovery) SetConfig(c config.Config) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := make(map[holdfast.ServiceID]*entry, len(c.Services))
	for _, s := range c.Services {
		e := d.services[s.ID.Value]
		if e == nil || e.storage != s.Storage {
			e = &entry{storage: s.Storage}
		}
		known[s.ID.Value] = e
	}
	d.services = known
	for i := range c.Volumes {
		d.viewLocked(c.Volumes[i].ID.Value).set(&c.Volumes[i])
	}
}

// Volume returns the way to the services of a volume. It may be asked before the volume is configured.
func (d *Discovery) Volume(id holdfast.VolumeID) volume.Services {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.viewLocked(id)
}

func (d *Discovery) viewLocked(id holdfast.VolumeID) *view {
	v := d.volumes[id]
	if v == nil {
		v = newView(d)
		d.volumes[id] = v
	}
	return v
}

// Learn takes a hint in: who owns a service under an epoch. It reports whether that is news.
func (d *Discovery) Learn(o confrpc.Owner) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.learnLocked(o)
}

func (d *Discovery) learnLocked(o confrpc.Owner) bool {
	e := d.services[o.Service]
	if e == nil || o.Epoch < e.owner.Epoch || o.Host == 0 {
		return false
	}
	e.asked = true
	if o.Epoch == e.owner.Epoch && (o.Address == "" || o.Address == e.owner.Address) {
		return false
	}
	e.owner, e.failed, e.name, e.object = o, false, nil, nil
	return true
}

// Owners returns what is known of the owners of services; of all without ids. Services that never had one, or of which nothing is known,
// are left out; complete tells whether every storage has answered for its services.
func (d *Discovery) Owners(ids []holdfast.ServiceID) []confrpc.Owner {
	d.mu.Lock()
	defer d.mu.Unlock()
	var owners []confrpc.Owner
	if len(ids) == 0 {
		for _, e := range d.services {
			if e.owner.Epoch > 0 {
				owners = append(owners, e.owner)
			}
		}
		return owners
	}
	for _, id := range ids {
		if e := d.services[id]; e != nil && e.owner.Epoch > 0 {
			owners = append(owners, e.owner)
		}
	}
	return owners
}

// Asked reports whether it is known who owns a service, or that nobody does.
func (d *Discovery) Asked(id holdfast.ServiceID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.services[id]
	return e != nil && e.asked
}

// SetName says that a name server is open here; nil takes it away.
func (d *Discovery) SetName(id holdfast.ServiceID, s holdfast.NameService) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s == nil {
		delete(d.names, id)
		return
	}
	d.names[id] = s
}

// SetObject says that an object server is open here; nil takes it away.
func (d *Discovery) SetObject(id holdfast.ServiceID, s holdfast.ObjectService) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s == nil {
		delete(d.objects, id)
		return
	}
	d.objects[id] = s
}

// Conn returns a connection to a node's address from the pool.
func (d *Discovery) Conn(address string) (grpc.ClientConnInterface, error) {
	return d.pool.conn(address, 0)
}

// answerWithin is how soon a node must answer to keep its connections once it is suspected.
const answerWithin = time.Second

// Suspect looks whether a node still answers, and if it does not, cuts the calls that wait for it: a host that was lost or paused without
// a word would hold them until the connection's own probes give up.
func (d *Discovery) Suspect(address string) {
	if d.ctx.Err() != nil {
		return
	}
	d.looking.Go(func() {
		conn, err := d.pool.conn(address, 0)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(d.ctx, answerWithin)
		defer cancel()
		if _, err := confrpc.NewClient(conn).Status(ctx); err != nil && d.ctx.Err() == nil {
			d.opt.Logger.Warn("node does not answer, its connections are cut", "address", address, "error", err)
			d.pool.drop(address)
			d.forgetWays(address)
		}
	})
}

// forgetWays drops the ways over the connections of an address.
func (d *Discovery) forgetWays(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.services {
		if e.owner.Address == address {
			e.name, e.object = nil, nil
		}
	}
}

// ids returns those of a storage, in order, that a predicate picks. mu is held.
func (d *Discovery) pickLocked(pick func(*entry) bool) map[string][]holdfast.ServiceID {
	by := make(map[string][]holdfast.ServiceID)
	for id, e := range d.services {
		if pick(e) {
			by[e.storage] = append(by[e.storage], id)
		}
	}
	for _, ids := range by {
		slices.Sort(ids)
	}
	return by
}
