package pool

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"holdfast"
	"holdfast/storage"
)

// Options of a [Set]. FS, Dir, Self, Own and Now are required.
type Options struct {
	FS   storage.FS
	Dir  string // the pools directory; made if it does not exist
	Self holdfast.ServiceID
	Own  holdfast.Epoch

	// Undrained are the epochs whose processes may still write: their files are only read, and so are all older ones, in which
	// such a process may have used holes (R4).
	Undrained []holdfast.Epoch

	Now     func() time.Time
	Hold    time.Duration // how long after Open the free blocks of existing files wait for readers of the time before
	MinFree int64         // bytes the filesystem keeps free; growing below it is NoSpace

	NoDirect     bool               // never bypass the page cache
	RegionBlocks func(Class) uint32 // of new files; nil or 0: the default
	Granule      func(Class) uint32 // blocks a file grows by; nil: the default
	Failed       func(err error)    // told of errors in the background
}

// Set is the twelve pools of an object server. Safe for concurrent use, except where a method says otherwise.
type Set struct {
	opt   Options
	pools [Classes]Pool
	space space

	draining  sync.Mutex // guards undrained; taken inside Pool.mu
	undrained []holdfast.Epoch

	more chan Class // pools that run out of prepared blocks
	quit chan struct{}
	done sync.WaitGroup
}

// Open opens the pool files in the directory. The free blocks become available with [Set.Ready], after the bitmaps were
// given back by [Set.Restore].
func Open(opt Options) (*Set, error) {
	s := &Set{opt: opt, undrained: slices.Clone(opt.Undrained), more: make(chan Class, Classes), quit: make(chan struct{})}
	s.space = space{fs: opt.FS, dir: opt.Dir, least: opt.MinFree, now: opt.Now}
	for c := range s.pools {
		p := &s.pools[c]
		p.set, p.class = s, Class(c)
		p.grown.L = &p.mu
		p.files.Store(new([]*File))
	}
	if err := opt.FS.MkdirAll(opt.Dir, 0o755); err != nil {
		return nil, ioError("pool.open", err)
	}
	if err := s.syncDir(opt.FS.PathDir(opt.Dir)); err != nil {
		return nil, failedSync(err)
	}
	names, err := opt.FS.List(opt.Dir)
	if err != nil {
		return nil, ioError("pool.open", err)
	}
	for _, name := range names {
		if err := s.loadNamed(name); err != nil {
			s.closeFiles()
			return nil, ioError("pool.open "+name, err)
		}
	}
	return s, nil
}

func (s *Set) loadNamed(name string) error {
	class, epoch, ok := parseFileName(name)
	if !ok {
		return nil // not ours
	}
	f, err := s.load(class, epoch)
	if f == nil || err != nil {
		return err
	}
	p := &s.pools[class]
	p.mu.Lock()
	defer p.mu.Unlock()
	f.usable = s.writable(epoch)
	if epoch == s.opt.Own {
		p.own = f
	}
	p.addLocked(f)
	return nil
}

// Restore sets the bitmap of a region as a durable row says. Only between Open and Ready; one goroutine. The error is of
// kind Corrupt if there is no such region: objects in it cannot be read.
func (s *Set) Restore(key RegionKey, bits []byte) error {
	bad := func(what string) error {
		return &holdfast.Error{Op: "pool.restore", Kind: holdfast.Corrupt, ID: key.String(), Err: fmt.Errorf("%s", what)}
	}
	if key.Class >= Classes {
		return bad("no such class")
	}
	f := s.pools[key.Class].file(key.File)
	if f == nil {
		return bad("the pool file is missing")
	}
	if int64(key.Region) > int64(f.limit/f.geo.regionBlocks)+maxLostRegions {
		return bad("region far beyond the end of the file")
	}
	r := f.regionLocked(key.Region)
	if !ParseBits(r.live, bits) || r.live.nextSet(f.geo.regionBlocks, uint32(64*len(r.live))) != uint32(64*len(r.live)) {
		return bad("more bits than blocks")
	}
	r.used = r.live.count()
	f.live.Add(int64(r.used))
	return nil
}

// maxLostRegions is how far behind the end of its file a region may be whose data never landed; a guard against
// absurd rows, not a promise.
const maxLostRegions = 1 << 16

// Ready makes the free blocks of usable files available once Options.Hold has passed, and starts the background filling.
func (s *Set) Ready() {
	until := s.opt.Now().Add(s.opt.Hold)
	for c := range s.pools {
		p := &s.pools[c]
		p.mu.Lock()
		for _, f := range *p.files.Load() {
			f.restoreLocked(until)
		}
		p.mu.Unlock()
	}
	s.done.Add(1)
	go s.fillAhead()
}

// fillAhead is the background goroutine: it prepares blocks before they are asked for.
func (s *Set) fillAhead() {
	defer s.done.Done()
	for {
		select {
		case <-s.quit:
			return
		case c := <-s.more:
			p := &s.pools[c]
			p.mu.Lock()
			var err error
			if p.lowLocked() {
				err = p.growLocked()
			}
			p.mu.Unlock()
			if err != nil && s.opt.Failed != nil {
				s.opt.Failed(err)
			}
		}
	}
}

// wantMore asks the background to prepare blocks; if it has been asked often enough already, that will do.
func (s *Set) wantMore(c Class) {
	select {
	case s.more <- c:
	default:
	}
}

// writable is rule R4: whether the files of an epoch may be written in place. An epoch that is not drained may have writes under
// way to its own files and, in the holes that it used, to all that are older.
func (s *Set) writable(epoch holdfast.Epoch) bool {
	s.draining.Lock()
	defer s.draining.Unlock()
	for _, e := range s.undrained {
		if epoch <= e {
			return false
		}
	}
	return epoch <= s.opt.Own
}

// Drained tells that nothing of the epoch can write any more and the files it wrote to were synced. The free blocks of files that
// no other epoch holds back may be used (R4), after the hold like those of other old files.
func (s *Set) Drained(epoch holdfast.Epoch) {
	s.draining.Lock()
	s.undrained = slices.DeleteFunc(s.undrained, func(e holdfast.Epoch) bool { return e == epoch })
	s.draining.Unlock()
	for c := range s.pools {
		p := &s.pools[c]
		p.mu.Lock()
		for _, f := range *p.files.Load() {
			if s.writable(f.geo.epoch) {
				f.usable = true
			}
		}
		p.mu.Unlock()
	}
}

// Alloc appends runs that hold n free blocks of the class in all, n ≥ 1, in as few runs as it can. They are the
// caller's until it gives them to [Set.Release], or for ever. Errors: NoSpace; Unknown after a failed fsync (R6);
// Unavailable when the mount failed otherwise.
func (s *Set) Alloc(class Class, n int, runs []Run) ([]Run, error) {
	return s.pools[class].alloc(uint32(n), runs)
}

// Release gives blocks back that no durable record refers to: because none ever did and every write to them returned
// success (or never began), or because the record is durably gone and the last reader too (R3). Blocks with a failed
// write are not released: they stay poisoned until the process ends, and after that until the epoch is drained.
func (s *Set) Release(addrs ...Addr) {
	for _, a := range addrs {
		p := &s.pools[a.Class]
		p.mu.Lock()
		if f := p.file(a.File); f != nil {
			f.releaseLocked(a.Block)
		}
		p.mu.Unlock()
	}
}

// Close waits for the background goroutine and closes the files. No other call may be under way or follow.
func (s *Set) Close() {
	close(s.quit)
	s.done.Wait()
	s.closeFiles()
}

func (s *Set) closeFiles() {
	for c := range s.pools {
		for _, f := range *s.pools[c].files.Load() {
			f.close()
		}
	}
}

// CloseIdle closes a set that was opened and never made ready.
func (s *Set) CloseIdle() { s.closeFiles() }
