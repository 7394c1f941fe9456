package takeover

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/storage"
)

// Fence is the fence of an epoch that this process opened. Safe for concurrent use.
type Fence struct {
	fs    storage.FS
	file  vfs.File
	epoch holdfast.Epoch
	size  int64 // of the file as long as nobody ended the epoch
	lease Lease

	// Calls of Confirm are numbered by their beginning. The epoch is in doubt while the last that could not tell is younger than the
	// last that could: an older answer may be from before it was fenced.
	calls, told, untold atomic.Uint64

	over   atomic.Bool // the epoch has ended for this process
	once   sync.Once
	lost   chan struct{}
	reason error // written before lost is closed

	mu     sync.Mutex // guards the rest; never held during I/O
	users  int        // calls that use file
	closed bool
}

var _ holdfast.Fence = (*Fence)(nil)

func openFence(fsys storage.FS, dir layout.Service, e holdfast.Epoch, l Lease) (*Fence, error) {
	f, err := fsys.Open(dir.Fence(e))
	if err != nil {
		return nil, err
	}
	return &Fence{
		fs: fsys, file: f, epoch: e, lease: l,
		size: int64(len(layout.EncodeFence(e))),
		lost: make(chan struct{}),
	}, nil
}

// Epoch returns the epoch the fence is of.
func (f *Fence) Epoch() holdfast.Epoch { return f.epoch }

// Held is rule R2: see holdfast.Fence. While the epoch is in doubt it is Unavailable: who fenced it may be waiting only for this
// process to have looked.
func (f *Fence) Held() error {
	if f.over.Load() {
		return f.notOwner()
	}
	if f.untold.Load() > f.told.Load() {
		return holdfast.E("fence", holdfast.Unavailable, fmt.Errorf("the fence of epoch %d cannot be read", f.epoch))
	}
	return f.lease.Held()
}

// Confirm is rule R1: see holdfast.Fence. It does not ask for the lease: a write that was durable before anybody
// fenced the epoch counts, however late it is.
func (f *Fence) Confirm() error {
	call := f.calls.Add(1)
	if f.over.Load() {
		return f.notOwner()
	}
	if !f.use() {
		return f.notOwner()
	}
	defer f.unuse()
	attr, err := f.fs.ForcedStat(f.file)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESTALE):
		f.Lose(fmt.Errorf("the fence of epoch %d was removed", f.epoch))
		return f.notOwner()
	case err != nil:
		raise(&f.untold, call)
		return holdfast.E("confirm", holdfast.Unknown, err)
	case attr.Size != f.size || attr.Links == 0:
		f.Lose(fmt.Errorf("epoch %d was fenced by a successor", f.epoch))
		return f.notOwner()
	}
	raise(&f.told, call)
	return nil
}

// raise makes n at least v.
func raise(n *atomic.Uint64, v uint64) {
	for old := n.Load(); old < v && !n.CompareAndSwap(old, v); old = n.Load() {
	}
}

// Lose ends the epoch for this process; the first reason stays.
func (f *Fence) Lose(reason error) {
	f.once.Do(func() {
		f.reason = reason
		f.over.Store(true)
		close(f.lost)
	})
}

// Lost is closed once the service is lost. The node then closes the engine, and may take the service again.
func (f *Fence) Lost() <-chan struct{} { return f.lost }

// Reason returns why the service is lost; nil if it is not.
func (f *Fence) Reason() error {
	select {
	case <-f.lost:
		return f.reason
	default:
		return nil
	}
}

func (f *Fence) notOwner() error {
	return &holdfast.Error{Op: "fence", Kind: holdfast.NotOwner, Err: f.Reason()}
}

// use keeps the file open until unuse, unless it is closed.
func (f *Fence) use() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.users++
	return true
}

func (f *Fence) unuse() {
	f.mu.Lock()
	f.users--
	last := f.closed && f.users == 0
	f.mu.Unlock()
	if last {
		_ = f.file.Close() // it was only read
	}
}

// close closes the file, or leaves that to the last call that uses it: on a mount that hangs, that one may take its time.
func (f *Fence) close() {
	f.mu.Lock()
	last := !f.closed && f.users == 0
	f.closed = true
	f.mu.Unlock()
	if last {
		_ = f.file.Close() // it was only read
	}
}

// fence ends an open epoch: its fence file grows, durably.
func (c *Claimant) fence(dir layout.Service, e holdfast.Epoch, by layout.Claim) error {
	f, err := c.FS.OpenReadWrite(dir.Fence(e), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	end := fmt.Appendf(nil, "fenced by epoch %d of host %s nonce %s\n", by.Epoch, by.Host, by.Nonce)
	_, err = f.WriteAt(end, int64(len(layout.EncodeFence(e))))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return storage.SyncDir(c.FS, dir.Store(e))
}
