package objsrv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// Engine is an open object server. Safe for concurrent use.
type Engine struct {
	opt     Options
	epoch   holdfast.Epoch
	set     *pool.Set
	index   *index.Store
	pins    *pinTable
	commits *committer
	budget  *budget
	pieces  piecePools
	reads   sync.Pool // of *[]byte, readChunk long
	metrics *metrics

	// changing serialises what takes records away or changes them: Free, the sweep, defragmentation. It is held until
	// the change is durable, so that a second Free of an id does not return before the first one's is.
	changing sync.Mutex
	// unconfirmed are blocks durably freed whose R1 read failed; they wait for the next one that does not.
	// Guarded by changing.
	unconfirmed []pool.Addr

	inFlight atomic.Int64
	closed   atomic.Bool
	idle     chan struct{} // has room for one: closed and nothing in flight
	lost     sync.Once
	stop     context.CancelFunc // ends the background jobs
	jobs     sync.WaitGroup
	closing  sync.Once
	closeErr error
}

var _ holdfast.ObjectService = (*Engine)(nil)

// counterGap is skipped when an epoch is opened a second time: ids given to objects that never got a record must not be
// given again, and no more than this can have been under way.
const counterGap = 1 << 20

// Open opens the object server in a service directory. Errors are those of the index store; Unavailable or NotOwner when
// the fence says so.
func Open(ctx context.Context, opt Options) (*Engine, error) {
	opt = opt.withDefaults()
	if opt.Self.Type() != holdfast.TypeObjectStore || opt.FS == nil || opt.Fence == nil || opt.Fence.Epoch() == 0 {
		return nil, holdfast.E("objsrv.open", holdfast.Invalid, errors.New("options Self, FS and Fence are required"))
	}
	if err := opt.Fence.Held(); err != nil {
		return nil, err
	}
	opt.Events = opt.Events.withLogger(opt.Logger)
	e := &Engine{opt: opt, epoch: opt.Fence.Epoch(), idle: make(chan struct{}, 1)}
	e.metrics = newMetrics(e)
	e.pins = newPinTable(opt.Now, opt.CacheBytes)
	e.budget = newBudget(opt.WriteBuffers)
	var err error
	e.index, err = index.Open(index.Options{
		FS: opt.FS, Dir: opt.StoreDir, Self: opt.Self, Create: opt.Create,
		Fence: opt.Fence, CacheBytes: opt.IndexCacheBytes, Log: opt.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("objsrv.open: %w", err)
	}
	if err := e.openPools(); err != nil {
		return nil, errors.Join(err, e.index.Close())
	}
	if err := e.metrics.register(opt.Registerer, opt.Self); err != nil {
		e.set.Close()
		return nil, errors.Join(err, e.index.Close())
	}
	jobs, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	e.startJobs(jobs)
	return e, nil
}

// openPools opens the pool files and gives them their bitmaps. The cost grows with the number of regions, not of objects.
func (e *Engine) openPools() error {
	opt := e.opt
	set, err := pool.Open(pool.Options{
		FS: opt.FS, Dir: opt.FS.PathJoin(opt.Dir, "pools"), Self: opt.Self, Own: e.epoch,
		Undrained: opt.Undrained, Now: opt.Now, Hold: holdfast.MaxPin, MinFree: opt.MinFree,
		NoDirect: opt.NoDirect, RegionBlocks: opt.RegionBlocks, Granule: opt.Granule, Failed: e.poolFailed,
	})
	if err != nil {
		return err
	}
	counters, last, err := e.restore(set)
	if err != nil {
		set.Close()
		return err
	}
	next := uint64(1)
	if last.Epoch == e.epoch {
		next = last.Counter + counterGap
	}
	e.set = set
	set.Ready()
	e.commits = newCommitter(e, next, counters)
	return nil
}

func (e *Engine) restore(set *pool.Set) (index.Counters, holdfast.ObjectID, error) {
	err := e.index.Bitmaps(func(key pool.RegionKey, bits []byte) error {
		if err := set.Restore(key, bits); err != nil {
			// Its objects are lost, the others are not: go on, and say so.
			tell(e.opt.Events.Corrupt, CorruptInfo{Block: pool.Addr{Class: key.Class, File: key.File}, Err: err})
		}
		return nil
	})
	if err != nil {
		return index.Counters{}, holdfast.ObjectID{}, err
	}
	counters, err := e.index.Counters()
	if err != nil {
		return counters, holdfast.ObjectID{}, err
	}
	last, err := e.index.Last()
	return counters, last, err
}

// poolFailed is told of errors of the pools' background.
func (e *Engine) poolFailed(err error) {
	if holdfast.Is(err, holdfast.Unknown) {
		_ = e.lose(err)
		return
	}
	if f := e.opt.Events.BackgroundFailed; f != nil {
		f("prepare blocks", err)
	}
}

// held is rule R2: it says whether the service is (still) ours.
func (e *Engine) held() error {
	if err := e.opt.Fence.Held(); err != nil {
		return err
	}
	if err := e.index.Reason(); err != nil {
		return holdfast.E("objsrv", holdfast.NotOwner, err)
	}
	return nil
}

// serving is held for requests that last: they end early when the engine is being closed.
func (e *Engine) serving() error {
	if e.closed.Load() {
		return holdfast.E("objsrv", holdfast.NotOwner, errClosed)
	}
	return e.held()
}

// lose is rule R6: the state on the mount is unknown, so the service is dropped, and what waits for it is told so.
func (e *Engine) lose(reason error) error {
	e.lost.Do(func() {
		e.index.Lose(reason)
		e.opt.Fence.Lose(reason)
		tell(e.opt.Events.Lost, reason)
	})
	if holdfast.Is(reason, holdfast.Unknown) {
		return reason
	}
	return holdfast.E("objsrv", holdfast.Unknown, reason)
}

// abandon gives back what a failed change had allocated.
func (e *Engine) abandon(ch *change) {
	if ch.record == nil {
		return
	}
	for _, a := range ch.record.Blocks {
		if a.File == 0 { // was not given a block
			continue
		}
		if containsAddr(ch.poison, a) {
			e.metrics.poisoned.Inc()
			continue
		}
		e.set.Release(a)
	}
}

func containsAddr(list []pool.Addr, a pool.Addr) bool {
	for _, b := range list {
		if a == b {
			return true
		}
	}
	return false
}

// alloc allocates blocks; under space pressure the oldest pins go.
func (e *Engine) alloc(class pool.Class, n int, runs []pool.Run) ([]pool.Run, error) {
	runs, err := e.set.Alloc(class, n, runs)
	if err == nil {
		return runs, nil
	}
	if holdfast.Is(err, holdfast.NoSpace) {
		if blocks, broken := e.pins.breakOldest(); broken > 0 {
			e.set.Release(blocks...)
			e.metrics.brokenPins.Add(float64(broken))
			tell(e.opt.Events.PinsBroken, broken)
			return e.set.Alloc(class, n, runs)
		}
	}
	if holdfast.Is(err, holdfast.Unknown) {
		return runs, e.lose(err)
	}
	return runs, err
}

// Drained tells that nothing of an older epoch can write any more and its files were synced (R4): their space may be
// used.
func (e *Engine) Drained(epoch holdfast.Epoch) { e.set.Drained(epoch) }

// Close ends the background jobs, lets the changes under way finish and closes the files. Calls made later return
// NotOwner. Requests under way end at their next piece, or are waited for until ctx ends; then the files stay open and the error
// is Unavailable. If the service is lost it returns soon and leaves behind what the mount still holds. A second Close
// returns the error of the first.
func (e *Engine) Close(ctx context.Context) error {
	e.closing.Do(func() { e.closeErr = e.close(ctx) })
	return e.closeErr
}

func (e *Engine) close(ctx context.Context) error {
	e.stop()
	e.closed.Store(true)
	if e.inFlight.Load() == 0 {
		e.signalIdle()
	}
	select {
	case <-e.idle:
	case <-ctx.Done():
	case <-e.index.Lost():
	}
	e.commits.close()
	e.jobs.Wait()
	e.metrics.unregister()
	switch busy := e.inFlight.Load(); {
	case e.index.Reason() != nil: // somebody may be in a call to the mount for ever: the pool files stay open
	case busy > 0:
		return holdfast.E("objsrv.close", holdfast.Unavailable, fmt.Errorf("%d requests did not end", busy))
	default:
		e.set.Close()
	}
	return e.index.Close()
}

// enter counts a request; leave must follow unless it returns an error.
func (e *Engine) enter() error {
	e.inFlight.Add(1)
	if e.closed.Load() {
		e.leave()
		return holdfast.E("objsrv", holdfast.NotOwner, errClosed)
	}
	return nil
}

func (e *Engine) leave() {
	if e.inFlight.Add(-1) == 0 && e.closed.Load() {
		e.signalIdle()
	}
}

func (e *Engine) signalIdle() {
	select {
	case e.idle <- struct{}{}:
	default:
	}
}
