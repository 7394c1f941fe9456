// Package rawdisk measures what a directory's filesystem gives to a program
// that does nothing but write and flush: pwrite(2) and fdatasync(2) of blocks
// of one size by several writers into one file. It is the floor under every
// durable store on that filesystem, to which a store's throughput is compared.
//
// Invariant: an operation is counted after an fdatasync that began after its
// pwrite has returned.
package rawdisk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"holdfast/tools/bench/hist"
)

// Layout says where writes go.
type Layout string

const (
	// Overwrite writes over blocks of a file that was written out before: no
	// allocation, no size change, only data to flush.
	Overwrite Layout = "overwrite"
	// Append grows the file with every write, so that each flush also commits
	// the new size.
	Append Layout = "append"
)

// Sync says how writes are made durable.
type Sync string

const (
	// SyncEach has every write call its own fdatasync.
	SyncEach Sync = "each"
	// SyncGroup lets writers that finish while a flush runs share the next.
	SyncGroup Sync = "group"
	// SyncNone never flushes: the speed of the page cache.
	SyncNone Sync = "none"
)

// minFile is the least a file to overwrite has, so that neighbouring writes
// seldom meet in one block.
const minFile = 64 << 20

// chunk is how much one pwrite is given.
const chunk = 1 << 20

// Config is one measurement.
type Config struct {
	Dir     string // an existing directory; a temporary file in it is removed at the end
	Size    int64  // bytes per operation
	Writers int
	Layout  Layout
	Sync    Sync
	// Duration bounds the measurement, Ops the number of operations (0: no
	// bound). Whichever is met first ends it.
	Duration time.Duration
	WarmUp   time.Duration
	Ops      int64
	Seed     uint64
	// Measuring, if set, is called once when the warm-up is over.
	Measuring func()
	// Done counts operations, warm-up included, for a progress display.
	Done *atomic.Int64
}

// Result is what a measurement saw.
type Result struct {
	Ops         int64
	Elapsed     time.Duration
	Latency     hist.Histogram
	Interrupted bool // the context ended it
}

// Run measures. An I/O error ends it.
func Run(ctx context.Context, c Config) (*Result, error) {
	f, err := os.CreateTemp(c.Dir, ".holdfast-bench-raw-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // leaving it behind is all that can go wrong
	defer f.Close()           // nothing in the file matters

	r := &run{Config: c, f: f, fd: int(f.Fd())}
	if err := r.prepare(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(f.Name()), err)
	}
	return r.measure(ctx)
}

type run struct {
	Config
	f      *os.File
	fd     int
	blocks int64 // in the file to overwrite
	stride int64 // between blocks written one after the other
	block  []byte

	started  atomic.Int64 // operations begun, for Ops and for offsets to append at
	from     atomic.Int64 // unix nano from which operations count
	deadline time.Time

	flusher flusher
}

// prepare fills the buffer and, to overwrite, the file.
func (r *run) prepare(ctx context.Context) error {
	r.block = make([]byte, min(r.Size, chunk))
	rng := rand.New(rand.NewPCG(r.Seed, 0))
	for i := range r.block {
		r.block[i] = byte(rng.Uint32())
	}
	r.flusher.fd = r.fd
	r.flusher.cond.L = &r.flusher.mu
	if r.Layout != Overwrite {
		return nil
	}
	r.blocks = max(2*int64(r.Writers), (minFile+r.Size-1)/r.Size)
	r.stride = coprime(r.blocks)
	if err := unix.Fallocate(r.fd, 0, 0, r.blocks*r.Size); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("fallocate: %w", err)
	}
	// fallocate leaves unwritten extents, whose conversion is a metadata
	// commit; only blocks written once are truly overwritten.
	for i := range r.blocks {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.write(i * r.Size); err != nil {
			return err
		}
	}
	return r.f.Sync()
}

// coprime is a stride that visits all of n blocks before any again, in no
// order that a disk could merge: a block dirtied twice before a flush would be
// written once and counted twice.
func coprime(n int64) int64 {
	for s := n*5/8 + 1; ; s++ {
		a, b := n, s
		for b > 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return s
		}
	}
}

// write writes one operation's bytes at off.
func (r *run) write(off int64) error {
	for left := r.Size; left > 0; {
		n, err := unix.Pwrite(r.fd, r.block[:min(left, int64(len(r.block)))], off)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("pwrite: %w", err)
		}
		off += int64(n)
		left -= int64(n)
	}
	return nil
}

func (r *run) sync() error {
	switch r.Sync {
	case SyncEach:
		return fdatasync(r.fd)
	case SyncGroup:
		return r.flusher.flush()
	default:
		return nil
	}
}

func (r *run) measure(ctx context.Context) (*Result, error) {
	begin := time.Now().Add(r.WarmUp)
	r.from.Store(begin.UnixNano())
	if r.Duration > 0 {
		r.deadline = begin.Add(r.Duration)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	warm := time.AfterFunc(r.WarmUp, func() {
		if r.Measuring != nil {
			r.Measuring()
		}
	})
	defer warm.Stop()

	hists := make([]hist.Histogram, r.Writers)
	var wg sync.WaitGroup
	for i := range hists {
		wg.Go(func() {
			if err := r.writer(ctx, &hists[i]); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	res := &Result{Elapsed: max(time.Since(begin), 0)}
	if err := context.Cause(ctx); err != nil {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		res.Interrupted = true
	}
	for i := range hists {
		res.Latency.Merge(&hists[i])
	}
	res.Ops = int64(res.Latency.Count())
	return res, nil
}

// writer is one writer's loop.
func (r *run) writer(ctx context.Context, h *hist.Histogram) error {
	for ctx.Err() == nil {
		start := time.Now()
		if !r.deadline.IsZero() && !start.Before(r.deadline) {
			return nil
		}
		n := r.started.Add(1) - 1
		if r.Ops > 0 && n >= r.Ops {
			return nil
		}
		at := n
		if r.Layout == Overwrite {
			at = n % r.blocks * r.stride % r.blocks
		}
		if err := r.write(at * r.Size); err != nil {
			return err
		}
		if err := r.sync(); err != nil {
			return err
		}
		if r.Done != nil {
			r.Done.Add(1)
		}
		if start.UnixNano() >= r.from.Load() {
			h.Record(time.Since(start))
		}
	}
	return nil
}

// flusher shares fdatasync calls: whoever finds no flush running runs one for
// everybody who waits by then.
type flusher struct {
	fd      int
	mu      sync.Mutex
	cond    sync.Cond
	running bool
	begun   uint64 // flushes begun
	ended   uint64 // flushes ended
	err     error  // sticky: after one failed flush nothing is known
}

// flush returns once an fdatasync that began after the call has ended.
func (f *flusher) flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	need := f.begun + 1
	for f.ended < need && f.err == nil {
		if f.running {
			f.cond.Wait()
			continue
		}
		f.running = true
		f.begun++
		mine := f.begun
		f.mu.Unlock()
		err := fdatasync(f.fd)
		f.mu.Lock()
		f.running = false
		f.ended = mine
		if f.err == nil {
			f.err = err
		}
		f.cond.Broadcast()
	}
	return f.err
}

func fdatasync(fd int) error {
	for {
		err := unix.Fdatasync(fd)
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return fmt.Errorf("fdatasync: %w", err)
		}
	}
}
