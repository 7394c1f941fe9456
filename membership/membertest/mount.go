package membertest

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast/storage"
)

// mount is the client of the shared filesystem in a machine's kernel: what it remembers, what it has not written yet, and what
// keeps it from the server. All of it is gone when the machine crashes; nothing is when a process is killed.
type mount struct {
	cut     bool // the server cannot be reached:
	soft    bool // calls fail after a while, and may take effect later; otherwise they wait
	waiting []*flight
	slow    time.Duration // what a request or a reply may take
	failing int           // so many syncs fail

	// What the kernel answers from, each until some true time. Changed by the loop alone.
	missing map[string]time.Duration // names that were not there
	listed  map[string]listing
	stated  map[string]stated

	mu    sync.Mutex
	dirty map[uint64]*unwritten // by inode

	// Writes that may still land, by inode: those past the kernel that somebody waits for, and those that nobody does.
	flying map[uint64][]*flight
	late   map[uint64][]*landing
}

type listing struct {
	names []string
	until time.Duration
}

type stated struct {
	info  vfs.FileInfo
	until time.Duration
}

// unwritten are the writes to a file that the kernel has not sent, oldest first.
type unwritten struct {
	srv     vfs.File
	extents []extent
}

type extent struct {
	off int64
	b   []byte
}

// landing is a write on its way.
type landing struct {
	srv vfs.File
	extent
	over bool
}

func newMount() mount {
	return mount{
		missing: map[string]time.Duration{}, listed: map[string]listing{}, stated: map[string]stated{},
		dirty: map[uint64]*unwritten{}, late: map[uint64][]*landing{}, flying: map[uint64][]*flight{}, slow: fastest,
	}
}

// The speed of a healthy mount, and how long a kernel believes what it knows, at most.
const (
	fastest   = 3 * time.Millisecond
	staleness = 4 * leaseT
	// lateBy bounds how much later than its error a call may take effect.
	lateBy = 5 * leaseT
)

// forget drops what the kernel knows about a name and its directory, as its own changes do.
func (m *mount) forget(name string) {
	delete(m.missing, name)
	delete(m.stated, name)
	delete(m.listed, path.Dir(name))
}

// write keeps bytes in the kernel until they are synced, or written back in the background.
func (m *mount) write(inode uint64, srv vfs.File, off int64, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.dirty[inode]
	if u == nil {
		u = &unwritten{srv: srv}
		m.dirty[inode] = u
	}
	u.extents = append(u.extents, extent{off, slices.Clone(b)})
}

// take returns the unwritten bytes of a file and forgets them.
func (m *mount) take(inode uint64) []extent {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.dirty[inode]
	delete(m.dirty, inode)
	if u == nil {
		return nil
	}
	return u.extents
}

// end returns how far the unwritten bytes of a file reach.
func (m *mount) end(inode uint64) (end int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.dirty[inode]; u != nil {
		for _, e := range u.extents {
			end = max(end, e.off+int64(len(e.b)))
		}
	}
	return end
}

// overlay shows the unwritten bytes of a file in b, read from off.
func (m *mount) overlay(inode uint64, b []byte, off int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.dirty[inode]
	if u == nil {
		return
	}
	for _, e := range u.extents {
		from, to := max(off, e.off), min(off+int64(len(b)), e.off+int64(len(e.b)))
		if from < to {
			copy(b[from-off:to-off], e.b[from-e.off:to-e.off])
		}
	}
}

// writeBack lets the kernel send some of what it keeps, in any order; nobody hears of it.
func (m *machine) writeBack() {
	w := m.w
	for _, inode := range slices.Sorted(maps.Keys(m.dirty)) {
		if m.cut || !w.chance(300) {
			continue
		}
		u := m.dirty[inode]
		i := w.rng.IntN(len(u.extents))
		e := u.extents[i]
		if overlaps(u.extents[:i], e) {
			continue // the page is written with the older bytes first
		}
		u.extents = slices.Delete(u.extents, i, i+1)
		if len(u.extents) == 0 {
			delete(m.dirty, inode)
		}
		_, _ = u.srv.WriteAt(slices.Clone(e.b), e.off)
		w.fault("write-back", "%s inode %d %d+%d", m.name, inode, e.off, len(e.b))
	}
}

func overlaps(all []extent, e extent) bool {
	for _, o := range all {
		if o.off < e.off+int64(len(e.b)) && e.off < o.off+int64(len(o.b)) {
			return true
		}
	}
	return false
}

// straggle sends bytes that land some time later, or never, whatever the sender was told.
func (m *machine) straggle(inode uint64, srv vfs.File, e extent) {
	w := m.w
	l := &landing{srv: srv, extent: extent{e.off, slices.Clone(e.b)}}
	boot, site := m.boot, w.site
	m.late[inode] = append(m.late[inode], l)
	w.after(w.between(0, lateBy), func() {
		if l.over || site != w.site || boot != m.boot && w.chance(500) {
			return
		}
		l.land()
		w.fault("late-write", "%s inode %d %d+%d", m.name, inode, e.off, len(e.b))
	})
}

func (l *landing) land() {
	if !l.over {
		l.over = true
		_, _ = l.srv.WriteAt(slices.Clone(l.b), l.off)
	}
}

// barrier is what a sync that succeeds promises: no earlier write of this machine to the file lands after it.
func (m *machine) barrier(inode uint64) {
	for _, f := range m.flying[inode] {
		if f.boot == m.boot {
			_ = f.take()
			f.landed = true
		}
	}
	delete(m.flying, inode)
	for _, l := range m.late[inode] {
		if m.w.chance(500) {
			l.land()
		}
		l.over = true
	}
	delete(m.late, inode)
}

// short writes a name without the random part of a temporary one, which must not decide anything.
func short(name string) string {
	dir, base := path.Split(name)
	dir = strings.Replace(strings.TrimPrefix(strings.TrimPrefix(dir, root), "/"), "services/", "", 1)
	if strings.HasPrefix(base, ".") && strings.HasSuffix(base, ".tmp") {
		if dot := strings.LastIndexByte(strings.TrimSuffix(base, ".tmp"), '.'); dot > 0 {
			base = base[:dot] + ".*.tmp"
		}
	}
	return dir + base
}

// byAge lists a directory at the server: names in their order, temporary files in the order of their last change.
func byAge(disk storage.FS, dir string) ([]string, error) {
	names, err := disk.List(dir)
	if err != nil {
		return nil, err
	}
	changed := map[string]int64{}
	for _, name := range names {
		if storage.IsTemp(name) {
			if info, err := disk.Stat(path.Join(dir, name)); err == nil {
				changed[name] = info.ModTime().UnixNano()
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if c := strings.Compare(short(a), short(b)); c != 0 {
			return c
		}
		return cmp.Compare(changed[a], changed[b])
	})
	return names, nil
}
