package fstest

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// openTests hold the flags of open(2).
func openTests() []test {
	return []test{
		{"O_CREAT makes an empty regular file", basic, func(e *env) {
			fd := e.open(e.at("f"), unix.O_RDWR|unix.O_CREAT)
			st := e.fstat(fd)
			eq(e, "type", st.Mode&unix.S_IFMT, unix.S_IFREG)
			eq(e, "size", st.Size, 0)
			eq(e, "links", uint64(st.Nlink), 1)
			eq(e, "inode by name", e.stat(e.at("f")).Ino, st.Ino)
		}},
		{"O_CREAT opens what is there", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR|unix.O_CREAT)
			eq(e, "content", e.read(fd, 10, 0), "data")
		}},
		{"O_EXCL makes what is not there", basic, func(e *env) { e.open(e.at("f"), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL) }},
		fails("O_EXCL refuses a file", basic, unix.EEXIST, func(e *env) error {
			return opens(e.file("f", ""), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL)
		}),
		fails("O_EXCL refuses a directory", basic, unix.EEXIST, func(e *env) error {
			return opens(e.folder("d"), unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL)
		}),
		fails("O_EXCL refuses a dangling link", basic, unix.EEXIST, func(e *env) error {
			return opens(e.link("l", "nowhere"), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL)
		}),
		{"O_CREAT follows a dangling link", basic, func(e *env) {
			e.open(e.link("l", "made"), unix.O_RDWR|unix.O_CREAT)
			eq(e, "type", e.stat(e.at("made")).Mode&unix.S_IFMT, unix.S_IFREG)
		}},
		{"O_TRUNC empties", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_WRONLY|unix.O_TRUNC)
			eq(e, "size", e.fstat(fd).Size, 0)
			e.holds(e.at("f"), "")
		}},
		{"O_TRUNC shows in handles that are open", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDONLY)
			e.open(e.at("f"), unix.O_WRONLY|unix.O_TRUNC)
			eq(e, "content", e.read(fd, 10, 0), "")
		}},
		{"a failed O_EXCL|O_TRUNC changes nothing", basic, func(e *env) {
			e.is(opens(e.file("f", "data"), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_TRUNC), unix.EEXIST)
			e.holds(e.at("f"), "data")
		}},
		{"O_APPEND writes at the end whatever the offset", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR|unix.O_APPEND)
			_, err := unix.Seek(fd, 0, unix.SEEK_SET)
			e.ok(err)
			_, err = unix.Write(fd, []byte("more"))
			e.ok(err)
			at, err := unix.Seek(fd, 0, unix.SEEK_CUR)
			e.ok(err)
			eq(e, "offset", at, 8)
			e.holds(e.at("f"), "datamore")
		}},
		{"O_APPEND can be set later", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR)
			_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND)
			e.ok(err)
			_, err = unix.Write(fd, []byte("more"))
			e.ok(err)
			e.holds(e.at("f"), "datamore")
		}},
		fails("a missing file", basic, unix.ENOENT, func(e *env) error { return opens(e.at("f"), unix.O_RDONLY) }),
		fails("a missing directory", basic, unix.ENOENT, func(e *env) error { return opens(e.at("d/f"), unix.O_RDWR|unix.O_CREAT) }),
		fails("an empty path", basic, unix.ENOENT, func(*env) error { return opens("", unix.O_RDONLY) }),
		fails("a file as a directory", basic, unix.ENOTDIR, func(e *env) error {
			return opens(e.file("f", "")+"/x", unix.O_RDWR|unix.O_CREAT)
		}),
		fails("a file with a slash after it", basic, unix.ENOTDIR, func(e *env) error { return opens(e.file("f", "")+"/", unix.O_RDONLY) }),
		fails("O_CREAT with a slash after the name", basic, unix.EISDIR, func(e *env) error {
			return opens(e.at("f/"), unix.O_RDWR|unix.O_CREAT)
		}),
		fails("writing to a directory", basic, unix.EISDIR, func(e *env) error { return opens(e.folder("d"), unix.O_WRONLY) }),
		fails("O_CREAT on a directory", basic, unix.EISDIR, func(e *env) error { return opens(e.folder("d"), unix.O_RDONLY|unix.O_CREAT) }),
		fails("O_TRUNC on a directory", basic, unix.EISDIR, func(e *env) error { return opens(e.folder("d"), unix.O_WRONLY|unix.O_TRUNC) }),
		fails("O_DIRECTORY on a file", basic, unix.ENOTDIR, func(e *env) error { return opens(e.file("f", ""), unix.O_DIRECTORY) }),
		{"O_DIRECTORY on a directory", basic, func(e *env) { e.ok(opens(e.folder("d"), unix.O_DIRECTORY)) }},
		fails("O_NOFOLLOW on a link", basic, unix.ELOOP, func(e *env) error {
			e.file("f", "")
			return opens(e.link("l", "f"), unix.O_RDONLY|unix.O_NOFOLLOW)
		}),
		{"O_NOFOLLOW follows links on the way", basic, func(e *env) {
			e.folder("d")
			e.file("d/f", "")
			e.link("l", "d")
			e.ok(opens(e.at("l/f"), unix.O_RDONLY|unix.O_NOFOLLOW))
		}},
		{"O_PATH finds a link itself", basic, func(e *env) {
			fd := e.open(e.link("l", "nowhere"), unix.O_PATH|unix.O_NOFOLLOW)
			eq(e, "type", e.fstat(fd).Mode&unix.S_IFMT, unix.S_IFLNK)
		}},
		fails("reading what is open for writing", basic, unix.EBADF, func(e *env) error {
			_, err := unix.Read(e.open(e.file("f", "data"), unix.O_WRONLY), make([]byte, 1))
			return err
		}),
		fails("writing what is open for reading", basic, unix.EBADF, func(e *env) error {
			_, err := unix.Write(e.open(e.file("f", "data"), unix.O_RDONLY), make([]byte, 1))
			return err
		}),
		fails("reading a directory", basic, unix.EISDIR, func(e *env) error {
			_, err := unix.Read(e.open(e.dir, unix.O_RDONLY), make([]byte, 1))
			return err
		}),
		{"a file made without any rights is open to its maker", basic, func(e *env) {
			fd, err := unix.Open(e.at("f"), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0)
			e.ok(err)
			e.write(fd, "data", 0)
			e.ok(unix.Close(fd))
			eq(e, "mode", e.perm(e.at("f")), 0)
		}},
		{"openat finds names below a directory", basic, func(e *env) {
			e.folder("d")
			e.file("d/f", "data")
			fd, err := unix.Openat(e.open(e.at("d"), unix.O_DIRECTORY), "f", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			e.ok(err)
			eq(e, "content", e.read(fd, 10, 0), "data")
			e.ok(unix.Close(fd))
		}},
		{"a directory handle goes on after a rename", basic, func(e *env) {
			fd := e.open(e.folder("d"), unix.O_DIRECTORY)
			e.ok(unix.Rename(e.at("d"), e.at("moved")))
			e.ok(unix.Mkdirat(fd, "sub", 0o755))
			eq(e, "names", e.names(e.at("moved")), "sub")
		}},
		{"O_TMPFILE has no name and can be given one", Tmpfile, tmpfileLinked},
		fails("O_TMPFILE for reading only", Tmpfile, unix.EINVAL, func(e *env) error { return opens(e.dir, unix.O_RDONLY|unix.O_TMPFILE) }),
		{"many handles on one file", basic, func(e *env) {
			path := e.file("f", "")
			for i := range 200 {
				e.write(e.open(path, unix.O_RDWR), "x", int64(i))
			}
			e.holds(path, strings.Repeat("x", 200))
		}},
	}
}

func tmpfileLinked(e *env) {
	fd := e.open(e.dir, unix.O_RDWR|unix.O_TMPFILE)
	e.write(fd, "data", 0)
	eq(e, "links", uint64(e.fstat(fd).Nlink), 0)
	eq(e, "names", e.names(e.dir), "")
	if _, lacks := e.opt.Without[HardLinks]; lacks {
		return
	}
	e.ok(unix.Linkat(unix.AT_FDCWD, fmt.Sprint("/proc/self/fd/", fd), unix.AT_FDCWD, e.at("f"), unix.AT_SYMLINK_FOLLOW))
	e.holds(e.at("f"), "data")
}
