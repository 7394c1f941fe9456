package fstest

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// directoryTests hold mkdir(2) and rmdir(2).
func directoryTests() []test {
	return []test{
		{"a new one is empty", basic, func(e *env) {
			st := e.stat(e.folder("d"))
			eq(e, "type", st.Mode&unix.S_IFMT, unix.S_IFDIR)
			eq(e, "names", e.names(e.at("d")), "")
			eq(e, "itself", e.stat(e.at("d/.")).Ino, st.Ino)
			eq(e, "parent", e.stat(e.at("d/..")).Ino, e.stat(e.dir).Ino)
		}},
		{"with a slash after the name", basic, func(e *env) {
			e.ok(unix.Mkdir(e.at("d/"), 0o755))
			e.ok(unix.Rmdir(e.at("d/")))
		}},
		{"links count the sub-directories", DirLinks, func(e *env) {
			e.folder("d")
			e.file("d/f", "")
			e.folder("d/a")
			e.folder("d/b")
			eq(e, "links", uint64(e.stat(e.at("d")).Nlink), 4)
			e.ok(unix.Rmdir(e.at("d/a")))
			eq(e, "links after rmdir", uint64(e.stat(e.at("d")).Nlink), 3)
			e.ok(unix.Rename(e.at("d/b"), e.at("b")))
			eq(e, "links after rename", uint64(e.stat(e.at("d")).Nlink), 2)
		}},
		{"an empty one can go, and come back", basic, func(e *env) {
			e.folder("d")
			e.file("d/f", "")
			e.ok(unix.Unlink(e.at("d/f")))
			e.ok(unix.Rmdir(e.at("d")))
			e.gone(e.at("d"))
			eq(e, "names", e.names(e.folder("d")), "")
		}},
		{"a removed one that is open is empty and takes nothing", basic, func(e *env) {
			fd := e.open(e.folder("d"), unix.O_DIRECTORY)
			e.ok(unix.Rmdir(e.at("d")))
			e.is(unix.Mkdirat(fd, "x", 0o755), unix.ENOENT)
			_, err := unix.Openat(fd, "x", unix.O_CREAT|unix.O_RDWR, 0o644)
			e.is(err, unix.ENOENT)
		}},
		{"a deep one", basic, func(e *env) {
			path := strings.Repeat("d/", 100) + "end"
			e.ok(os.MkdirAll(e.at(path), 0o755))
			e.file(path+"/f", "data")
			e.holds(e.at(path+"/f"), "data")
			e.ok(os.RemoveAll(e.at("d")))
			e.gone(e.at("d"))
		}},
		fails("mkdir over a file", basic, unix.EEXIST, func(e *env) error { return unix.Mkdir(e.file("f", ""), 0o755) }),
		fails("mkdir over a directory", basic, unix.EEXIST, func(e *env) error { return unix.Mkdir(e.folder("d"), 0o755) }),
		fails("mkdir over a dangling link", basic, unix.EEXIST, func(e *env) error { return unix.Mkdir(e.link("l", "x"), 0o755) }),
		fails("mkdir of dot", basic, unix.EEXIST, func(e *env) error { return unix.Mkdir(e.at("."), 0o755) }),
		fails("mkdir in a missing directory", basic, unix.ENOENT, func(e *env) error { return unix.Mkdir(e.at("x/d"), 0o755) }),
		fails("mkdir below a file", basic, unix.ENOTDIR, func(e *env) error { return unix.Mkdir(e.file("f", "")+"/d", 0o755) }),
		fails("rmdir of what is missing", basic, unix.ENOENT, func(e *env) error { return unix.Rmdir(e.at("d")) }),
		fails("rmdir of a file", basic, unix.ENOTDIR, func(e *env) error { return unix.Rmdir(e.file("f", "")) }),
		fails("rmdir of a link to a directory", basic, unix.ENOTDIR, func(e *env) error {
			e.folder("d")
			return unix.Rmdir(e.link("l", "d"))
		}),
		fails("rmdir with a file in it", basic, unix.ENOTEMPTY, func(e *env) error {
			e.folder("d")
			e.file("d/f", "")
			return unix.Rmdir(e.at("d"))
		}),
		fails("rmdir with a directory in it", basic, unix.ENOTEMPTY, func(e *env) error {
			e.folder("d")
			e.folder("d/e")
			return unix.Rmdir(e.at("d"))
		}),
		fails("rmdir of dot", basic, unix.EINVAL, func(e *env) error { return unix.Rmdir(e.folder("d") + "/.") }),
		fails("rmdir of the parent", basic, unix.ENOTEMPTY, func(e *env) error { return unix.Rmdir(e.folder("d") + "/..") }),
	}
}
