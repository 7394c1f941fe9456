package namesrv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/namesrv/schema"
	"holdfast/storage/kv"
)

// Engine is a name server. Safe for concurrent use.
type Engine struct {
	opt   Options
	lim   Limits
	store *kv.Store
	fence holdfast.Fence
	slots [holdfast.Slots]bool // fixed while open

	queue    chan *job
	inFlight atomic.Int64
	full     atomic.Bool // less than Limits.MinFree is left: see watchSpace
	view     atomic.Pointer[view]
	epochs   sync.Map // of buckets: DirID → uint64, as of the view

	// gate is read-locked by every call and locked by Close, which so waits for them.
	gate   sync.RWMutex
	closed bool

	background context.Context // ends when Close begins
	cancel     context.CancelFunc
	running    sync.WaitGroup // committer, collector, sweeper
	stopped    chan struct{}  // closed when the committer has ended
	wakeGC     chan struct{}
	lostOnce   sync.Once

	m *metrics
}

var _ holdfast.NameService = (*Engine)(nil)

// Open opens the store and starts serving. Errors are those of kv.Open, and [holdfast.Invalid] for options that make no sense.
func Open(ctx context.Context, opt Options) (*Engine, error) {
	if opt.FS == nil || opt.Fence == nil || opt.StoreDir == "" || opt.Self.Type() != holdfast.TypeNameServer {
		return nil, holdfast.E("namesrv.open", holdfast.Invalid, errors.New("options Self, FS, StoreDir and Fence must be set"))
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	e := &Engine{opt: opt, lim: opt.Limits.withDefaults(), fence: opt.Fence, wakeGC: make(chan struct{}, 1), stopped: make(chan struct{})}
	var err error
	e.store, err = kv.Open(opt.FS, opt.StoreDir, kv.Options{
		Create: opt.Create, Cache: opt.Cache, CacheBytes: e.lim.CacheBytes, Fence: opt.Fence,
	})
	if err != nil {
		return nil, err
	}
	c, err := e.loadOrLost(ctx)
	if err != nil {
		_ = e.store.Close() // the first error tells more
		return nil, fmt.Errorf("open name server %v: %w", opt.Self, err)
	}
	e.start(c)
	return e, nil
}

// loadOrLost is load, but returns when a fault parks it; see kv.
func (e *Engine) loadOrLost(ctx context.Context) (*committer, error) {
	type loaded struct {
		c   *committer
		err error
	}
	done := make(chan loaded, 1)
	go func() {
		c, err := e.load(ctx)
		done <- loaded{c, err}
	}()
	select {
	case l := <-done:
		return l.c, l.err
	case <-e.store.Lost():
		return nil, holdfast.E("namesrv.open", holdfast.Unknown, e.store.Reason())
	}
}

// load reads what is kept in memory; in a new store it writes the first records.
func (e *Engine) load(ctx context.Context) (*committer, error) {
	c := newCommitter(e)
	if e.opt.Create {
		for _, s := range e.opt.InitialSlots {
			if s >= holdfast.Slots {
				return nil, holdfast.E("namesrv.open", holdfast.Invalid, fmt.Errorf("slot %d", s))
			}
			e.slots[s] = true
		}
		if err := c.initialise(); err != nil {
			return nil, err
		}
	} else if err := e.loadSlots(); err != nil {
		return nil, err
	}
	if err := c.loadState(); err != nil {
		return nil, err
	}
	if err := c.loadShares(); err != nil {
		return nil, err
	}
	if err := e.loadEpochs(ctx); err != nil {
		return nil, err
	}
	e.publish(c.state)
	return c, nil
}

func (e *Engine) loadSlots() error {
	return scanRange(e.store, schema.KindSlot, func(key, _ []byte) error {
		s, ok := schema.ParseSlotKey(key)
		if !ok {
			return corrupt("slot", key, nil)
		}
		e.slots[s] = true
		return nil
	})
}

// loadEpochs reads the epochs of buckets from the records of their roots: a sealed one has none.
func (e *Engine) loadEpochs(ctx context.Context) error {
	return scanRange(e.store, schema.KindBucket, func(key, _ []byte) error {
		_, root, _, ok := schema.ParseDir(key)
		if !ok {
			return corrupt("bucket", key, nil)
		}
		value, closer, err := e.store.Get(schema.DirKey(nil, root))
		if err != nil {
			return readFailed(err)
		}
		defer closer.Close()
		var d schema.Dir
		if err := schema.DecodeDir(&d, value); err != nil {
			return corrupt("directory", key, err)
		}
		if !d.Sealed {
			e.epochs.Store(root, d.Epoch)
		}
		return ctx.Err()
	})
}

func (e *Engine) start(c *committer) {
	e.queue = make(chan *job, e.lim.QueuedCalls)
	e.background, e.cancel = context.WithCancel(context.Background())
	e.m = newMetrics(e)
	e.running.Add(4)
	go func() { defer e.running.Done(); c.run() }()
	go func() { defer e.running.Done(); e.collect() }()
	go func() { defer e.running.Done(); e.sweepLoop() }()
	go func() { defer e.running.Done(); e.watchSpace() }()
}

// Close ends calls that wait with [holdfast.Unavailable], stops the background work and closes the store; it waits
// for all of that, but not for a store that was lost. Transactions that were acknowledged are durable already.
func (e *Engine) Close(ctx context.Context) error {
	e.cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.running.Wait()
		e.gate.Lock()
		first := !e.closed
		e.closed = true
		e.gate.Unlock()
		if first {
			e.view.Load().release()
		}
	}()
	select {
	case <-done:
	case <-e.store.Lost():
	case <-ctx.Done():
		return holdfast.E("namesrv.close", holdfast.Unavailable, ctx.Err())
	}
	e.m.unregister()
	return e.store.Close()
}

var errClosed = errors.New("closed")

// enter begins a call; if it returns nil, leave must follow. Rule R2: the fence is asked first.
func (e *Engine) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return holdfast.E("namesrv", holdfast.Aborted, err)
	}
	e.gate.RLock()
	if e.closed || e.background.Err() != nil {
		e.gate.RUnlock()
		return holdfast.E("namesrv", holdfast.Unavailable, errClosed)
	}
	if err := e.fence.Held(); err != nil {
		e.gate.RUnlock()
		return err
	}
	e.inFlight.Add(1)
	return nil
}

func (e *Engine) leave() {
	e.inFlight.Add(-1)
	e.gate.RUnlock()
}

// read runs a reading call on the durable view. R2 again: the reply goes out only if the lease was held at its end too.
func (e *Engine) read(ctx context.Context, f func(*view) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	v := e.acquire()
	defer v.release()
	if err := f(v); err != nil {
		return err
	}
	return e.fence.Held()
}

// holds reports whether the slot of a directory is this server's.
func (e *Engine) holds(d holdfast.DirID) bool { return e.slots[d.Slot()] }

// notOwner is the error of a request for a slot of another server.
func notOwner(d holdfast.DirID) error {
	return &holdfast.Error{Op: "namesrv", Kind: holdfast.NotOwner, ID: d.String()}
}

// corrupt is the error of a record that does not decode.
func corrupt(what string, key []byte, err error) error {
	return &holdfast.Error{Op: "namesrv: " + what, Kind: holdfast.Corrupt, ID: fmt.Sprintf("%x", key), Err: err}
}

// readFailed classifies an error of the store.
func readFailed(err error) error {
	if pebble.IsCorruptionError(err) {
		return holdfast.E("namesrv: read", holdfast.Corrupt, err)
	}
	return holdfast.E("namesrv: read", holdfast.Unavailable, err)
}

// scanRange calls f for each record of a kind.
func scanRange(r pebble.Reader, k schema.Kind, f func(key, value []byte) error) error {
	lower, upper := schema.KindRange(k)
	return scanBetween(r, lower, upper, f)
}

// scanBetween calls f for each record from lower to before upper; f must not keep what it gets. An error of f ends it.
func scanBetween(r pebble.Reader, lower, upper []byte, f func(key, value []byte) error) (err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return readFailed(err)
	}
	defer func() {
		if cerr := it.Close(); err == nil && cerr != nil {
			err = readFailed(cerr)
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return readFailed(err)
		}
		if err := f(it.Key(), v); err != nil {
			return err
		}
	}
	return nil
}
