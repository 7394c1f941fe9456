package storagetest

import (
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
)

// CrashFS is a filesystem in memory. Files are sparse: a byte at a huge offset costs a page. Safe for concurrent use; one
// lock serves all, so it is made for tests of order and not of speed.
type CrashFS struct {
	// DirectIO makes OpenData grant [storage.Direct], and such files refuse unaligned transfers as O_DIRECT does. Set it
	// before use.
	DirectIO bool

	mu      sync.Mutex
	root    *node
	pending []dirChange // not synced, oldest first
	inodes  uint64      // given out
	ops     uint64      // done
	ticks   int64
	locks   map[string]bool
	usage   vfs.DiskUsage
}

var _ storage.FS = (*CrashFS)(nil)

// dirChange sets a name of a directory; a nil child removes it. The two halves of a rename have the same op.
type dirChange struct {
	op    uint64
	dir   *node
	name  string
	child *node
}

// NewCrash returns an empty filesystem.
func NewCrash() *CrashFS {
	c := &CrashFS{locks: map[string]bool{}, usage: vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40}}
	c.root = newNode(1, true)
	c.inodes = 1
	return c
}

// Discard forgets all files, and the content of those that are open. A test calls it when it is done with a filesystem that
// goroutines parked for ever go on holding.
func (c *CrashFS) Discard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.root.discard()
	c.root, c.pending = newNode(1, true), nil
}

// SetDiskUsage sets what GetDiskUsage answers.
func (c *CrashFS) SetDiskUsage(u vfs.DiskUsage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.usage = u
}

func components(name string) []string {
	name = strings.Trim(path.Clean("/"+name), "/")
	if name == "" {
		return nil
	}
	return strings.Split(name, "/")
}

func pathError(op, name string, err error) error { return &os.PathError{Op: op, Path: name, Err: err} }

func (c *CrashFS) lookupLocked(name string) (*node, error) {
	n := c.root
	for _, part := range components(name) {
		if !n.isDir {
			return nil, unix.ENOTDIR
		}
		child := n.children[part]
		if child == nil {
			return nil, unix.ENOENT
		}
		n = child
	}
	return n, nil
}

// parentLocked returns the directory that holds name, and the last component.
func (c *CrashFS) parentLocked(name string) (*node, string, error) {
	parts := components(name)
	if len(parts) == 0 {
		return nil, "", unix.EINVAL
	}
	dir, err := c.lookupLocked(path.Dir("/" + strings.Join(parts, "/")))
	if err == nil && !dir.isDir {
		err = unix.ENOTDIR
	}
	return dir, parts[len(parts)-1], err
}

func (c *CrashFS) newNodeLocked(isDir bool) *node {
	c.inodes++
	n := newNode(c.inodes, isDir)
	c.stampLocked(n)
	return n
}

func (c *CrashFS) stampLocked(n *node) {
	c.ticks++
	n.mtime = c.ticks
}

// setLocked changes a name of a directory in one unsynced operation; op 0 starts a new one.
func (c *CrashFS) setLocked(op uint64, dir *node, name string, child *node) uint64 {
	if op == 0 {
		c.ops++
		op = c.ops
	}
	if old := dir.children[name]; old != nil {
		old.links--
	}
	if child == nil {
		delete(dir.children, name)
	} else {
		dir.children[name] = child
		child.links++
	}
	c.stampLocked(dir)
	c.pending = append(c.pending, dirChange{op, dir, name, child})
	return op
}

func (c *CrashFS) syncDirLocked(dir *node) {
	rest := c.pending[:0:0]
	for _, ch := range c.pending {
		if ch.dir == dir {
			ch.apply(dir.durableChildren)
		} else {
			rest = append(rest, ch)
		}
	}
	c.pending = rest
}

func (ch dirChange) apply(children map[string]*node) {
	if ch.child == nil {
		delete(children, ch.name)
	} else {
		children[ch.name] = ch.child
	}
}

// Create is vfs.FS.Create: a file of the same name is removed first.
func (c *CrashFS) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	dir, base, err := c.parentLocked(name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	if old := dir.children[base]; old != nil {
		if old.isDir && len(old.children) > 0 {
			return nil, pathError("remove", name, unix.ENOTEMPTY)
		}
		c.setLocked(0, dir, base, nil)
	}
	n := c.newNodeLocked(false)
	c.setLocked(0, dir, base, n)
	return &crashFile{fs: c, n: n, name: base, read: true, write: true}, nil
}

// Open is vfs.FS.Open.
func (c *CrashFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return c.open(name, false, opts)
}

// OpenDir is vfs.FS.OpenDir.
func (c *CrashFS) OpenDir(name string) (vfs.File, error) { return c.open(name, false, nil) }

// OpenReadWrite is vfs.FS.OpenReadWrite: it creates the file if there is none.
func (c *CrashFS) OpenReadWrite(name string, _ vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return c.open(name, true, opts)
}

func (c *CrashFS) open(name string, write bool, opts []vfs.OpenOption) (vfs.File, error) {
	f, err := c.openFile(name, write)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o.Apply(f)
	}
	return f, nil
}

func (c *CrashFS) openFile(name string, write bool) (*crashFile, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.lookupLocked(name)
	if write && err == unix.ENOENT {
		dir, base, err := c.parentLocked(name)
		if err != nil {
			return nil, pathError("open", name, err)
		}
		n = c.newNodeLocked(false)
		c.setLocked(0, dir, base, n)
	} else if err != nil {
		return nil, pathError("open", name, err)
	}
	if write && n.isDir {
		return nil, pathError("open", name, unix.EISDIR)
	}
	return &crashFile{fs: c, n: n, name: path.Base(name), read: true, write: write}, nil
}

// OpenData is storage.FS.OpenData.
func (c *CrashFS) OpenData(name string, mode storage.DataMode) (storage.DataFile, error) {
	f, err := c.openFile(name, true)
	if err != nil {
		return nil, err
	}
	f.direct = c.DirectIO && mode == storage.Direct
	return f, nil
}

// ForcedStat is storage.FS.ForcedStat.
func (c *CrashFS) ForcedStat(f vfs.File) (storage.Attr, error) {
	cf, ok := f.(*crashFile)
	if !ok || cf.fs != c {
		return storage.Attr{}, holdfast.E("forced stat", holdfast.Invalid, fs.ErrInvalid)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cf.closed {
		return storage.Attr{}, fs.ErrClosed
	}
	n := cf.n
	return storage.Attr{Size: n.size, Modified: tickTime(n.mtime), Inode: n.inode, Links: uint64(n.links)}, nil
}

func tickTime(ticks int64) time.Time { return time.Unix(1_700_000_000, ticks*int64(time.Millisecond)) }

// Link is vfs.FS.Link.
func (c *CrashFS) Link(oldName, newName string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	fail := func(err error) error { return &os.LinkError{Op: "link", Old: oldName, New: newName, Err: err} }
	n, err := c.lookupLocked(oldName)
	if err != nil {
		return fail(err)
	}
	dir, base, err := c.parentLocked(newName)
	switch {
	case err != nil:
		return fail(err)
	case dir.children[base] != nil:
		return fail(unix.EEXIST)
	case n.isDir:
		return fail(unix.EPERM)
	}
	c.setLocked(0, dir, base, n)
	return nil
}

// Rename is vfs.FS.Rename. After a crash either both its halves show or neither, unless one of the directories was synced.
func (c *CrashFS) Rename(oldName, newName string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	fail := func(err error) error { return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: err} }
	from, fromBase, err := c.parentLocked(oldName)
	if err != nil {
		return fail(err)
	}
	to, toBase, err := c.parentLocked(newName)
	if err != nil {
		return fail(err)
	}
	n := from.children[fromBase]
	if n == nil {
		return fail(unix.ENOENT)
	}
	old := to.children[toBase]
	switch {
	case old != nil && old.isDir:
		return fail(unix.EEXIST) // so os.Rename has it, for an empty directory too
	case old == n:
		return nil // as POSIX has it for two links of one file
	case old != nil && n.isDir:
		return fail(unix.ENOTDIR)
	case n.isDir && n.holds(to):
		return fail(unix.EINVAL)
	}
	op := c.setLocked(0, to, toBase, n)
	c.setLocked(op, from, fromBase, nil)
	return nil
}

// holds reports whether dir is n or lies beneath it.
func (n *node) holds(dir *node) bool {
	if n == dir {
		return true
	}
	for _, child := range n.children {
		if child.isDir && child.holds(dir) {
			return true
		}
	}
	return false
}

// ReuseForWrite is vfs.FS.ReuseForWrite: a rename, and an open without truncation.
func (c *CrashFS) ReuseForWrite(oldName, newName string, cat vfs.DiskWriteCategory) (vfs.File, error) {
	if err := c.Rename(oldName, newName); err != nil {
		return nil, err
	}
	return c.OpenReadWrite(newName, cat)
}

// Remove is vfs.FS.Remove.
func (c *CrashFS) Remove(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	dir, base, err := c.parentLocked(name)
	if err != nil {
		return pathError("remove", name, err)
	}
	n := dir.children[base]
	if n == nil {
		return pathError("remove", name, unix.ENOENT)
	}
	if len(n.children) > 0 {
		return pathError("remove", name, unix.ENOTEMPTY)
	}
	c.setLocked(0, dir, base, nil)
	return nil
}

// RemoveAll is vfs.FS.RemoveAll; a crash may leave any part of the tree, children going before parents.
func (c *CrashFS) RemoveAll(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	dir, base, err := c.parentLocked(name)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return pathError("remove", name, err)
	}
	if n := dir.children[base]; n != nil {
		c.removeTreeLocked(dir, base, n)
	}
	return nil
}

func (c *CrashFS) removeTreeLocked(dir *node, name string, n *node) {
	for _, child := range sortedNames(n.children) {
		c.removeTreeLocked(n, child, n.children[child])
	}
	c.setLocked(0, dir, name, nil)
}

// MkdirAll is vfs.FS.MkdirAll.
func (c *CrashFS) MkdirAll(dir string, _ os.FileMode) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.root
	for _, part := range components(dir) {
		child := n.children[part]
		if child == nil {
			child = c.newNodeLocked(true)
			c.setLocked(0, n, part, child)
		}
		if !child.isDir {
			return pathError("mkdir", dir, unix.ENOTDIR)
		}
		n = child
	}
	return nil
}

// List is vfs.FS.List, in no particular order.
func (c *CrashFS) List(dir string) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.lookupLocked(dir)
	if err == nil && !n.isDir {
		err = unix.ENOTDIR
	}
	if err != nil {
		return nil, pathError("open", dir, err)
	}
	return sortedNames(n.children), nil
}

// Stat is vfs.FS.Stat.
func (c *CrashFS) Stat(name string) (vfs.FileInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.lookupLocked(name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return crashInfo{path.Base(name), n.size, n.mtime, n.isDir}, nil
}

// Lock is vfs.FS.Lock. A crash drops all locks.
func (c *CrashFS) Lock(name string) (io.Closer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := strings.Join(components(name), "/")
	if c.locks[key] {
		return nil, &holdfast.Error{Op: "lock", Kind: holdfast.Conflict, ID: name}
	}
	c.locks[key] = true
	return &crashLock{c, key}, nil
}

type crashLock struct {
	fs  *CrashFS
	key string
}

func (l *crashLock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	delete(l.fs.locks, l.key)
	return nil
}

// PathBase, PathJoin and PathDir are those of package path.
func (*CrashFS) PathBase(p string) string       { return path.Base(p) }
func (*CrashFS) PathJoin(elem ...string) string { return path.Join(elem...) }
func (*CrashFS) PathDir(p string) string        { return path.Dir(p) }

// GetDiskUsage returns what SetDiskUsage set.
func (c *CrashFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.usage, nil
}

// Unwrap returns nil: there is nothing beneath.
func (*CrashFS) Unwrap() vfs.FS { return nil }

func sortedNames(children map[string]*node) []string {
	names := make([]string, 0, len(children))
	for name := range children {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
