package fstest

import "golang.org/x/sys/unix"

// unlinkTests hold unlink(2), and what becomes of files that are open without a name.
func unlinkTests() []test {
	return []test{
		{"a file", basic, func(e *env) {
			e.ok(unix.Unlink(e.file("f", "data")))
			e.gone(e.at("f"))
			eq(e, "names", e.names(e.dir), "")
		}},
		{"an open file can be read and written", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR)
			e.ok(unix.Unlink(e.at("f")))
			e.write(fd, pattern(200000), 4)
			eq(e, "content", e.read(fd, 300000, 0), "data"+pattern(200000))
			eq(e, "links", uint64(e.fstat(fd).Nlink), 0)
		}},
		{"an open file can have its mode and times set", Nameless, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR)
			e.ok(unix.Unlink(e.at("f")))
			e.ok(unix.Fchmod(fd, 0o600))
			e.ok(unix.Futimes(fd, []unix.Timeval{{Sec: 1000}, {Sec: 2000}}))
			st := e.fstat(fd)
			eq(e, "mode", st.Mode&0o7777, 0o600)
			eq(e, "modification", st.Mtim.Sec, 2000)
		}},
		{"the name is free at once while the file is open", basic, func(e *env) {
			old := e.open(e.file("f", "old"), unix.O_RDWR)
			e.ok(unix.Unlink(e.at("f")))
			fresh := e.open(e.file("f", "new"), unix.O_RDWR)
			e.write(old, "OLD", 0)
			eq(e, "new file", e.read(fresh, 10, 0), "new")
			eq(e, "old file", e.read(old, 10, 0), "OLD")
			if e.fstat(old).Ino == e.fstat(fresh).Ino {
				e.Error("two files that are open have one inode number")
			}
		}},
		{"a directory with an open unlinked file can go", basic, func(e *env) {
			e.folder("d")
			fd := e.open(e.file("d/f", "data"), unix.O_RDWR)
			e.ok(unix.Unlink(e.at("d/f")))
			e.ok(unix.Rmdir(e.at("d")))
			eq(e, "content", e.read(fd, 10, 0), "data")
		}},
		{"a link, not what it points at", basic, func(e *env) {
			e.file("f", "data")
			e.ok(unix.Unlink(e.link("l", "f")))
			eq(e, "names", e.names(e.dir), "f")
		}},
		{"one of two names", HardLinks, func(e *env) {
			e.ok(unix.Link(e.file("a", "data"), e.at("b")))
			e.ok(unix.Unlink(e.at("a")))
			e.holds(e.at("b"), "data")
			eq(e, "links", uint64(e.stat(e.at("b")).Nlink), 1)
		}},
		fails("what is missing", basic, unix.ENOENT, func(e *env) error { return unix.Unlink(e.at("f")) }),
		fails("twice", basic, unix.ENOENT, func(e *env) error {
			e.ok(unix.Unlink(e.file("f", "")))
			return unix.Unlink(e.at("f"))
		}),
		fails("a directory", basic, unix.EISDIR, func(e *env) error { return unix.Unlink(e.folder("d")) }),
		fails("below a file", basic, unix.ENOTDIR, func(e *env) error { return unix.Unlink(e.file("f", "") + "/x") }),
		fails("a file with a slash after it", basic, unix.ENOTDIR, func(e *env) error { return unix.Unlink(e.file("f", "") + "/") }),
	}
}
