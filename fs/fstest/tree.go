package fstest

import (
	"fmt"
	"math/rand"
	"os"
	"path"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// treeOp is one step on a tree of names.
type treeOp struct {
	do       string
	path, to string
	mode     uint32
	text     string
	door     int // which mount it goes through, if there are several
}

func (o treeOp) String() string {
	return fmt.Sprintf("%s %s to=%s mode=%04o text=%s door=%d", o.do, o.path, o.to, o.mode, o.text, o.door)
}

// newTreeOp picks from so few names that steps meet each other all the time.
func newTreeOp(rng *rand.Rand, links bool) treeOp {
	name := func() string { return string(rune('a' + rng.Intn(3))) }
	pick := func() string {
		p := name()
		for range rng.Intn(3) {
			p += "/" + name()
		}
		return p
	}
	ops := []string{"write", "write", "append", "mkdir", "mkdir", "mkdir", "rename", "rename", "rename", "unlink", "rmdir", "symlink", "chmod",
		"truncate"}
	if links {
		ops = append(ops, "link")
	}
	o := treeOp{do: ops[rng.Intn(len(ops))], path: pick(), door: rng.Intn(2)}
	switch o.do {
	case "rename", "link":
		o.to = pick()
	case "symlink":
		o.to = pick()
		if rng.Intn(3) == 0 {
			o.to = "../" + name()
		}
	case "chmod":
		o.mode = []uint32{0o600, 0o644, 0o700, 0o755, 0}[rng.Intn(5)]
	case "write", "append":
		o.text = fmt.Sprint(rng.Intn(1000))
	}
	return o
}

// runTree makes the steps below dir and in a model, and compares the outcome of each and the whole tree after it. The root of the
// steps is one level down, because a link may lead one level up. Where there are two doors, each step is looked at through the other.
func runTree(doors []string, ops []treeOp) error {
	m := newTree()
	m.top.names["r"] = m.root
	if err := os.Mkdir(doors[0]+"/r", 0o755); err != nil {
		return err
	}
	for i, o := range ops {
		got, want := errnoOf(o.make(doors[o.door%len(doors)]+"/r/")), m.make(o)
		if got != want {
			return fmt.Errorf("step %d, %v: got %s, want %s", i, o, errnoName(got), errnoName(want))
		}
		real, err := look(doors[(o.door+1)%len(doors)], "")
		if err != nil {
			return fmt.Errorf("after step %d, %v: %w", i, o, err)
		}
		if model := m.look(m.top, ""); strings.Join(real, "\n") != strings.Join(model, "\n") {
			return fmt.Errorf("after step %d, %v: the tree is\n  %s\nwant\n  %s", i, o, strings.Join(real, "\n  "), strings.Join(model, "\n  "))
		}
	}
	return nil
}

// make makes the step in the file system.
func (o treeOp) make(root string) error {
	at := root + o.path
	switch o.do {
	case "write":
		return put(at, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, o.text)
	case "append":
		return put(at, unix.O_WRONLY|unix.O_APPEND, o.text)
	case "truncate":
		return unix.Truncate(at, 1)
	case "mkdir":
		return unix.Mkdir(at, 0o755)
	case "rename":
		return unix.Rename(at, root+o.to)
	case "unlink":
		return unix.Unlink(at)
	case "rmdir":
		return unix.Rmdir(at)
	case "link":
		return unix.Link(at, root+o.to)
	case "symlink":
		return unix.Symlink(o.to, at)
	}
	return unix.Chmod(at, o.mode)
}

func put(at string, flags int, text string) error {
	fd, err := unix.Open(at, flags|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(text))
	if again := unix.Close(fd); err == nil {
		err = again
	}
	return err
}

// look describes all that is below a directory, a line each.
func look(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range entries {
		at, name := path.Join(dir, d.Name()), prefix+d.Name()
		var st unix.Stat_t
		if err := unix.Lstat(at, &st); err != nil {
			return nil, err
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			below, err := look(at, name+"/")
			if err != nil {
				return nil, err
			}
			out = append(append(out, fmt.Sprintf("%s/ %04o", name, st.Mode&0o7777)), below...)
		case unix.S_IFLNK:
			target, err := os.Readlink(at)
			if err != nil {
				return nil, err
			}
			out = append(out, fmt.Sprintf("%s -> %s, links %d", name, target, st.Nlink))
		default:
			data, err := os.ReadFile(at)
			if err != nil {
				return nil, err
			}
			out = append(out, fmt.Sprintf("%s %04o links %d size %d: %q", name, st.Mode&0o7777, st.Nlink, st.Size, data))
		}
	}
	sort.Strings(out)
	return out, nil
}
