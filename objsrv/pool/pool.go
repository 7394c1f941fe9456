package pool

import (
	"slices"
	"sync"
	"sync/atomic"

	"holdfast"
	"holdfast/storage"
)

// Pool is the files of one class.
type Pool struct {
	set   *Set
	class Class
	files atomic.Pointer[[]*File] // ordered by epoch; replaced as a whole, under mu

	mu      sync.Mutex
	own     *File // the file of the own epoch; nil until the first block is asked for
	growing bool  // somebody extends the own file; mu is not held meanwhile
	grown   sync.Cond
}

// file returns the file of an epoch, or nil.
func (p *Pool) file(epoch holdfast.Epoch) *File {
	files := *p.files.Load()
	for i := len(files) - 1; i >= 0; i-- {
		if files[i].geo.epoch == epoch {
			return files[i]
		}
	}
	return nil
}

func (p *Pool) addLocked(f *File) {
	files := append(slices.Clone(*p.files.Load()), f)
	slices.SortFunc(files, func(a, b *File) int {
		if a.geo.epoch < b.geo.epoch {
			return -1
		}
		return 1
	})
	p.files.Store(&files)
}

func (p *Pool) dropLocked(f *File) {
	files := slices.DeleteFunc(slices.Clone(*p.files.Load()), func(g *File) bool { return g == f })
	p.files.Store(&files)
}

// alloc appends runs of n free blocks in all to runs. On an error nothing is taken.
func (p *Pool) alloc(n uint32, runs []Run) ([]Run, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	keep := len(runs)
	for {
		runs, n = p.takeLocked(n, runs)
		if n == 0 {
			if p.lowLocked() {
				p.set.wantMore(p.class)
			}
			return runs, nil
		}
		if err := p.growLocked(); err != nil {
			for _, r := range runs[keep:] {
				p.releaseRunLocked(r)
			}
			return runs[:keep], err
		}
	}
}

// takeLocked takes what is free: from drained older files first, so that they do not keep holes for ever. It
// returns how many blocks are missing.
func (p *Pool) takeLocked(n uint32, runs []Run) ([]Run, uint32) {
	now := p.set.opt.Now()
	for _, f := range *p.files.Load() {
		if n == 0 {
			break
		}
		if f.usable && f.free > 0 { // R4
			var got uint32
			runs, got = f.takeLocked(n, now, runs)
			n -= got
		}
	}
	return runs, n
}

func (p *Pool) releaseRunLocked(r Run) {
	f := p.file(r.File)
	for i := range r.N {
		f.releaseLocked(r.Block + i)
	}
}

// lowLocked reports whether the prepared space runs out.
func (p *Pool) lowLocked() bool {
	return prepared(p.class) && !p.growing && p.own != nil && p.own.free < int(p.set.granule(p.class)/2)
}

// growLocked extends the own file by a granule, or waits for who is at it. The lock is given up during I/O.
func (p *Pool) growLocked() error {
	if p.growing {
		p.grown.Wait()
		return nil // the caller looks again
	}
	p.growing = true
	own, from := p.own, uint32(0)
	if own != nil {
		from = own.nextLocked(p.set.opt.Now())
	}
	p.mu.Unlock()
	f, to, err := p.prepare(own, from)
	p.mu.Lock()
	p.growing = false
	p.grown.Broadcast()
	if f != nil && own == nil {
		p.own = f
		p.addLocked(f)
	}
	if err == nil {
		f.openLocked(from, to)
	} else if f != nil && !storage.IsNoSpace(err) {
		f.limit = max(f.limit, to) // the zeros may still land: never use these blocks
	}
	return err
}

// prepare makes the own file if there is none and readies the blocks from the given one on. Only who set growing is here,
// so the limit does not change.
func (p *Pool) prepare(f *File, from uint32) (_ *File, to uint32, err error) {
	s := p.set
	if err := s.spaceFor(int64(s.granule(p.class)) * p.class.Size()); err != nil {
		return f, 0, err
	}
	if f == nil {
		if f, err = s.create(p.class, s.opt.Own); err != nil {
			return nil, 0, ioError("pool.create file", err)
		}
	}
	to = min((from/f.geo.regionBlocks+1)*f.geo.regionBlocks, from+s.granule(p.class))
	if to <= from { // 2^32 blocks
		return f, from, holdfast.E("pool.grow", holdfast.NoSpace, nil)
	}
	return f, to, ioError("pool.grow", f.fill(from, to))
}
