package fstest

import "golang.org/x/sys/unix"

// syncTests hold that the calls which make data durable exist everywhere. Whether they do it takes a crash to see.
func syncTests() []test {
	both := func(name string, flags int, path func(e *env) string) test {
		return test{name, basic, func(e *env) {
			fd := e.open(path(e), flags)
			e.ok(unix.Fsync(fd))
			e.ok(unix.Fdatasync(fd))
		}}
	}
	return []test{
		both("a file for writing", unix.O_RDWR, func(e *env) string { return e.file("f", "data") }),
		both("a file for reading", unix.O_RDONLY, func(e *env) string { return e.file("f", "data") }),
		both("a directory", unix.O_DIRECTORY, func(e *env) string { return e.folder("d") }),
		{"an unlinked file", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR)
			e.ok(unix.Unlink(e.at("f")))
			e.write(fd, "more", 4)
			e.ok(unix.Fsync(fd))
			eq(e, "content", e.read(fd, 10, 0), "datamore")
		}},
		{"O_SYNC and O_DSYNC", basic, func(e *env) {
			path := e.file("f", "")
			e.write(e.open(path, unix.O_WRONLY|unix.O_SYNC), "da", 0)
			e.write(e.open(path, unix.O_WRONLY|unix.O_DSYNC), "ta", 2)
			e.holds(path, "data")
		}},
		{"the whole file system", basic, func(e *env) { e.ok(unix.Syncfs(e.open(e.dir, unix.O_DIRECTORY))) }},
		fails("a closed handle", basic, unix.EBADF, func(e *env) error {
			fd := e.open(e.file("f", ""), unix.O_RDWR)
			twin, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 900) // a number nothing else takes meanwhile
			e.ok(err)
			e.ok(unix.Close(twin))
			return unix.Fsync(twin)
		}),
	}
}
