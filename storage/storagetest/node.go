package storagetest

import (
	"maps"
	"slices"
)

const (
	pageSize   = 4096
	sectorSize = 512 // what a disk writes whole
)

type page [pageSize]byte

// node is a file or a directory. CrashFS.mu guards it.
type node struct {
	inode uint64
	links int
	mtime int64

	// A directory: what it shows, and what a power failure leaves at least.
	isDir           bool
	children        map[string]*node
	durableChildren map[string]*node

	// A file: sparse pages. base holds, for each page changed since the last sync, its content of then; mid, for each page
	// changed more than once, its content before the last change. A nil page is a hole.
	size        int64
	pages       map[int64]*page
	durableSize int64
	base, mid   map[int64]*page
}

func newNode(inode uint64, isDir bool) *node {
	n := &node{inode: inode, isDir: isDir}
	if isDir {
		n.children, n.durableChildren = map[string]*node{}, map[string]*node{}
	} else {
		n.pages, n.base, n.mid = map[int64]*page{}, map[int64]*page{}, map[int64]*page{}
	}
	return n
}

// touch prepares a page for a change and remembers what it was.
func (n *node) touch(i int64) *page {
	old := n.pages[i]
	fresh := new(page)
	if old != nil {
		*fresh = *old
	}
	n.remember(i, old)
	n.pages[i] = fresh
	return fresh
}

// remember notes what page i was; old is not changed afterwards.
func (n *node) remember(i int64, old *page) {
	if _, dirty := n.base[i]; dirty {
		n.mid[i] = old
	} else {
		n.base[i] = old
	}
}

func (n *node) writeAt(b []byte, off int64) {
	for end := off + int64(len(b)); off < end; {
		i, in := off/pageSize, off%pageSize
		c := copy(n.touch(i)[in:], b)
		b, off = b[c:], off+int64(c)
	}
	n.size = max(n.size, off)
}

// readAt fills b as far as the file goes.
func (n *node) readAt(b []byte, off int64) int {
	if off >= n.size {
		return 0
	}
	b = b[:min(int64(len(b)), n.size-off)]
	for done := 0; done < len(b); {
		i, in := (off+int64(done))/pageSize, (off+int64(done))%pageSize
		part := b[done:min(len(b), done+int(pageSize-in))]
		if p := n.pages[i]; p != nil {
			copy(part, p[in:])
		} else {
			clear(part)
		}
		done += len(part)
	}
	return len(b)
}

func (n *node) punch(off, length int64) {
	for end := off + length; off < end; {
		i, in := off/pageSize, off%pageSize
		c := min(pageSize-in, end-off)
		if p := n.pages[i]; p != nil {
			if c == pageSize || (in == 0 && off+c >= n.size) {
				n.remember(i, p)
				delete(n.pages, i)
			} else {
				clear(n.touch(i)[in : in+c])
			}
		}
		off += c
	}
}

func (n *node) sync() {
	clear(n.base)
	clear(n.mid)
	n.durableSize = n.size
}

// discard drops the content of everything below n.
func (n *node) discard() {
	for _, child := range n.children {
		child.discard()
	}
	clear(n.children)
	clear(n.durableChildren)
	clear(n.pages)
	n.size = 0
	n.sync()
}

// dirtyPages returns the numbers of the pages changed since the last sync, in order.
func (n *node) dirtyPages() []int64 { return slices.Sorted(maps.Keys(n.base)) }
