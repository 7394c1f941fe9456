package fstest

import (
	"fmt"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// node is a file, a directory or a symbolic link of the model.
type node struct {
	kind   uint32 // unix.S_IFREG, S_IFDIR or S_IFLNK
	mode   uint32
	text   string // content, or target
	links  int
	names  map[string]*node // of a directory
	parent *node            // of a directory
}

// tree is what POSIX and Linux say becomes of a tree of names, for a process that may do everything. Where a call could fail for
// two reasons the model follows the order of Linux, in which the last component is looked at after the way to it.
type tree struct {
	top  *node // above the root, because a link may lead there
	root *node
}

func newTree() *tree {
	top := folderNode(nil)
	top.parent = top
	return &tree{top: top, root: folderNode(top)}
}

func folderNode(parent *node) *node {
	return &node{kind: unix.S_IFDIR, mode: 0o755, links: 1, names: map[string]*node{}, parent: parent}
}

// maxFollow is how many links Linux follows on the way to one file.
const maxFollow = 40

// spot is where a name is or would be. The node is nil if nothing is there.
type spot struct {
	dir  *node
	name string
	node *node
}

// find goes to a path from a directory. The last component is followed if it is a link and follow is set.
func (m *tree) find(from *node, path string, follow bool, followed *int) (spot, unix.Errno) {
	dir := from
	parts := strings.Split(path, "/")
	for i, name := range parts {
		last := i == len(parts)-1
		if name == ".." {
			dir = dir.parent
			continue
		}
		n := dir.names[name]
		if n != nil && n.kind == unix.S_IFLNK && (!last || follow) {
			if *followed++; *followed > maxFollow {
				return spot{}, unix.ELOOP
			}
			s, no := m.find(dir, n.text, true, followed)
			if no != 0 || last {
				return s, no
			}
			n = s.node
		}
		switch {
		case last:
			return spot{dir, name, n}, 0
		case n == nil:
			return spot{}, unix.ENOENT
		case n.kind != unix.S_IFDIR:
			return spot{}, unix.ENOTDIR
		}
		dir = n
	}
	return spot{dir.parent, "", dir}, 0
}

// at goes to a path of a step.
func (m *tree) at(path string, follow bool) (spot, unix.Errno) {
	var followed int
	return m.find(m.root, path, follow, &followed)
}

// make makes a step, and returns the errno it must have.
func (m *tree) make(o treeOp) unix.Errno {
	switch o.do {
	case "write", "append", "truncate", "chmod":
		return m.change(o)
	case "mkdir":
		return m.add(o.path, func(dir *node) *node { return folderNode(dir) })
	case "symlink":
		return m.add(o.path, func(*node) *node { return &node{kind: unix.S_IFLNK, text: o.to, links: 1} })
	case "link":
		return m.link(o)
	case "rename":
		return m.rename(o)
	}
	return m.remove(o)
}

// change is for the steps that follow a link at the end.
func (m *tree) change(o treeOp) unix.Errno {
	s, no := m.at(o.path, true)
	if no != 0 {
		return no
	}
	if s.node == nil {
		if o.do != "write" {
			return unix.ENOENT
		}
		s.node = &node{kind: unix.S_IFREG, mode: 0o644, links: 1}
		s.dir.names[s.name] = s.node
	}
	if o.do == "chmod" {
		s.node.mode = o.mode
		return 0
	}
	if s.node.kind == unix.S_IFDIR {
		return unix.EISDIR
	}
	switch o.do {
	case "write":
		s.node.text = o.text
	case "append":
		s.node.text += o.text
	default:
		s.node.text = (s.node.text + "\x00")[:1]
	}
	return 0
}

// add makes a new name.
func (m *tree) add(path string, fresh func(dir *node) *node) unix.Errno {
	s, no := m.at(path, false)
	if no != 0 {
		return no
	}
	if s.node != nil {
		return unix.EEXIST
	}
	s.dir.names[s.name] = fresh(s.dir)
	return 0
}

func (m *tree) link(o treeOp) unix.Errno {
	old, no := m.at(o.path, false)
	if no != 0 {
		return no
	}
	if old.node == nil {
		return unix.ENOENT
	}
	s, no := m.at(o.to, false)
	switch {
	case no != 0:
		return no
	case s.node != nil:
		return unix.EEXIST
	case old.node.kind == unix.S_IFDIR:
		return unix.EPERM
	}
	s.dir.names[s.name] = old.node
	old.node.links++
	return 0
}

func (m *tree) remove(o treeOp) unix.Errno {
	s, no := m.at(o.path, false)
	switch {
	case no != 0:
		return no
	case s.node == nil:
		return unix.ENOENT
	case o.do == "unlink" && s.node.kind == unix.S_IFDIR:
		return unix.EISDIR
	case o.do == "rmdir" && s.node.kind != unix.S_IFDIR:
		return unix.ENOTDIR
	case o.do == "rmdir" && len(s.node.names) > 0:
		return unix.ENOTEMPTY
	}
	s.node.links--
	delete(s.dir.names, s.name)
	return 0
}

func (m *tree) rename(o treeOp) unix.Errno {
	from, no := m.at(o.path, false)
	if no != 0 {
		return no
	}
	to, no := m.at(o.to, false)
	if no != 0 {
		return no
	}
	if no := renameRefused(from, to); no != 0 || from.node == to.node {
		return no
	}
	if to.node != nil {
		to.node.links--
	}
	delete(from.dir.names, from.name)
	to.dir.names[to.name] = from.node
	if from.node.kind == unix.S_IFDIR {
		from.node.parent = to.dir
	}
	return 0
}

func renameRefused(from, to spot) unix.Errno {
	switch {
	case from.node == nil:
		return unix.ENOENT
	case within(to.dir, from.node):
		return unix.EINVAL
	case to.node != nil && from.dir != to.dir && within(from.dir, to.node):
		return unix.ENOTEMPTY
	case to.node == nil || from.node == to.node:
		return 0
	case from.node.kind == unix.S_IFDIR && to.node.kind != unix.S_IFDIR:
		return unix.ENOTDIR
	case from.node.kind != unix.S_IFDIR && to.node.kind == unix.S_IFDIR:
		return unix.EISDIR
	case len(to.node.names) > 0:
		return unix.ENOTEMPTY
	}
	return 0
}

// within reports whether a directory is another node or below it.
func within(dir, above *node) bool {
	for ; dir != above; dir = dir.parent {
		if dir == dir.parent {
			return false
		}
	}
	return true
}

// look describes all that is below a directory, as look does for the file system.
func (m *tree) look(dir *node, prefix string) []string {
	var out []string
	for name, n := range dir.names {
		name = prefix + name
		switch n.kind {
		case unix.S_IFDIR:
			out = append(append(out, fmt.Sprintf("%s/ %04o", name, n.mode)), m.look(n, name+"/")...)
		case unix.S_IFLNK:
			out = append(out, fmt.Sprintf("%s -> %s, links %d", name, n.text, n.links))
		default:
			out = append(out, fmt.Sprintf("%s %04o links %d size %d: %q", name, n.mode, n.links, len(n.text), n.text))
		}
	}
	sort.Strings(out)
	return out
}
