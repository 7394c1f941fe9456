package pool

import (
	"fmt"
	"sync"
	"time"

	"holdfast"
	"holdfast/storage"
)

// space keeps the filesystem from filling up: with no room left the index could not even record that something is
// freed. It asks the mount seldom, since statfs on a shared mount is dear.
type space struct {
	fs    storage.FS
	dir   string
	least int64
	now   func() time.Time

	mu    sync.Mutex
	asked time.Time
	free  int64
}

// How old, and after how many bytes given out, an answer of the mount is asked for again.
const (
	spaceAge   = time.Second
	spaceBytes = 64 << 20
)

// spaceFor reserves room for n bytes about to be written.
func (s *Set) spaceFor(n int64) error {
	sp := &s.space
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if now := sp.now(); sp.asked.IsZero() || now.Sub(sp.asked) > spaceAge || sp.free < sp.least+spaceBytes {
		usage, err := sp.fs.GetDiskUsage(sp.dir)
		if err != nil {
			return nil // some mounts cannot tell; a write will
		}
		sp.asked, sp.free = now, int64(usage.AvailBytes)
	}
	if sp.free-n < sp.least {
		return holdfast.E("pool.space", holdfast.NoSpace, fmt.Errorf("%d bytes free, %d are kept", sp.free, sp.least))
	}
	sp.free -= n
	return nil
}

// Usage is the space of one class.
type Usage struct {
	Files int
	Live  int64 // blocks in use by records
	Ready int64 // blocks free for use, those held or closed included
}

// Usage tells the space of a class.
func (s *Set) Usage(c Class) Usage {
	p := &s.pools[c]
	p.mu.Lock()
	defer p.mu.Unlock()
	var u Usage
	for _, f := range *p.files.Load() {
		u.Files++
		u.Live += f.live.Load()
		if f.usable {
			u.Ready += int64(f.free)
		}
	}
	return u
}

// Reserved returns the bytes the filesystem keeps for the pool files, and those it still has.
func (s *Set) Reserved() (reserved, free int64, err error) {
	for c := range s.pools {
		for _, f := range *s.pools[c].files.Load() {
			n, err := f.buf.Allocated()
			if err != nil {
				return 0, 0, ioError("pool.reserved", err)
			}
			reserved += n
		}
	}
	usage, err := s.opt.FS.GetDiskUsage(s.opt.Dir)
	if err != nil {
		return reserved, 0, nil // some mounts cannot tell
	}
	return reserved, int64(usage.AvailBytes), nil
}
