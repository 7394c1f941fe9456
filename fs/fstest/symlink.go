package fstest

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// symlinkTests hold symlink(2), readlink(2) and the following of links.
func symlinkTests() []test {
	reads := func(name, target string) test {
		return test{name, basic, func(e *env) {
			path := e.link("l", target)
			buf := make([]byte, 5000)
			n, err := unix.Readlink(path, buf)
			e.ok(err)
			eq(e, "target", string(buf[:n]), target)
			st := e.stat(path)
			eq(e, "type", st.Mode&unix.S_IFMT, unix.S_IFLNK)
			eq(e, "size", st.Size, int64(len(target)))
		}}
	}
	return []test{
		reads("a relative target", "a/../b"), reads("an absolute target", "/no/such/place"), reads("any bytes", "\xff\x01 \n"),
		reads("of 60 bytes", strings.Repeat("x", 60)), reads("of 255 bytes", strings.Repeat("x", 255)),
		reads("of 4095 bytes", strings.Repeat("x/", 2047)+"x"),
		{"a short buffer gets the beginning", basic, func(e *env) {
			buf := make([]byte, 3)
			n, err := unix.Readlink(e.link("l", "target"), buf)
			e.ok(err)
			eq(e, "target", string(buf[:n]), "tar")
		}},
		{"to a file and through a directory", basic, func(e *env) {
			e.folder("d")
			e.file("d/f", "data")
			e.holds(e.link("l", "d/f"), "data")
			e.link("m", "d")
			e.holds(e.at("m/f"), "data")
		}},
		{"forty in a chain", basic, func(e *env) {
			e.holds(chain(e, 40), "data")
		}},
		fails("one more than forty", basic, unix.ELOOP, func(e *env) error { return opens(chain(e, 41), unix.O_RDONLY) }),
		fails("to itself", basic, unix.ELOOP, func(e *env) error { return opens(e.link("l", "l"), unix.O_RDONLY) }),
		fails("two in a ring", basic, unix.ELOOP, func(e *env) error {
			e.link("a", "b")
			return opens(e.link("b", "a")+"/x", unix.O_RDONLY)
		}),
		fails("a dangling one", basic, unix.ENOENT, func(e *env) error { return opens(e.link("l", "nowhere"), unix.O_RDONLY) }),
		fails("over a file", basic, unix.EEXIST, func(e *env) error { return unix.Symlink("x", e.file("f", "")) }),
		fails("with no target", basic, unix.ENOENT, func(e *env) error { return unix.Symlink("", e.at("l")) }),
		fails("of 4096 bytes", basic, unix.ENAMETOOLONG, func(e *env) error { return unix.Symlink(strings.Repeat("x", 4096), e.at("l")) }),
		fails("in a missing directory", basic, unix.ENOENT, func(e *env) error { return unix.Symlink("x", e.at("d/l")) }),
		fails("readlink of a file", basic, unix.EINVAL, func(e *env) error {
			_, err := unix.Readlink(e.file("f", ""), make([]byte, 10))
			return err
		}),
		fails("readlink of what is missing", basic, unix.ENOENT, func(e *env) error {
			_, err := unix.Readlink(e.at("l"), make([]byte, 10))
			return err
		}),
		{"chown of a link itself", basic, func(e *env) {
			e.root()
			e.file("f", "")
			e.ok(unix.Lchown(e.link("l", "f"), 1001, 2001))
			eq(e, "owner of the link", e.stat(e.at("l")).Uid, 1001)
			eq(e, "owner of the file", e.stat(e.at("f")).Uid, 0)
		}},
		{"times of a link itself", basic, func(e *env) {
			e.file("f", "")
			past := []unix.Timespec{{Sec: 1000}, {Sec: 2000}}
			e.ok(unix.UtimesNanoAt(unix.AT_FDCWD, e.link("l", "f"), past, unix.AT_SYMLINK_NOFOLLOW))
			eq(e, "time of the link", e.stat(e.at("l")).Mtim.Sec, 2000)
			if e.stat(e.at("f")).Mtim.Sec == 2000 {
				e.Error("the time of the file was set")
			}
		}},
	}
}

// chain makes n links, each to the one before, the first to a file.
func chain(e *env, n int) string {
	e.file("0", "data")
	for i := range n {
		e.link(fmt.Sprint(i+1), fmt.Sprint(i))
	}
	return e.at(fmt.Sprint(n))
}
