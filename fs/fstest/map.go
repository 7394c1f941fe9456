package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

// mapTests hold mmap(2) and its coherence with read and write.
func mapTests() []test {
	return []test{
		{"a private mapping reads the file", basic, func(e *env) {
			m := e.mmap(e.open(e.file("f", pattern(10000)), unix.O_RDONLY), 10000, unix.PROT_READ, unix.MAP_PRIVATE)
			eq(e, "content", string(m), pattern(10000))
		}},
		{"a private write stays private", basic, func(e *env) {
			m := e.mmap(e.open(e.file("f", "data"), unix.O_RDONLY), 4, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
			m[0] = 'X'
			e.holds(e.at("f"), "data")
		}},
		{"zeros follow the end inside the last page", basic, func(e *env) {
			m := e.mmap(e.open(e.file("f", "data"), unix.O_RDONLY), 4096, unix.PROT_READ, unix.MAP_PRIVATE)
			eq(e, "page", string(m), "data"+strings.Repeat("\x00", 4092))
		}},
		{"a write is seen by a shared mapping", SharedMap, func(e *env) {
			fd := e.open(e.file("f", pattern(10000)), unix.O_RDWR)
			m := e.mmap(fd, 10000, unix.PROT_READ, unix.MAP_SHARED)
			eq(e, "before", m[5000], pattern(10000)[5000])
			e.write(fd, "new", 5000)
			eq(e, "after", string(m[5000:5003]), "new")
		}},
		{"a mapped write is seen by read at once", SharedMap, func(e *env) {
			fd := e.open(e.file("f", pattern(10000)), unix.O_RDWR)
			m := e.mmap(fd, 10000, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			copy(m[6000:], "new")
			eq(e, "content", e.read(fd, 3, 6000), "new")
		}},
		{"two mappings share", SharedMap, func(e *env) {
			path := e.file("f", "data")
			one := e.mmap(e.open(path, unix.O_RDWR), 4, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			two := e.mmap(e.open(path, unix.O_RDWR), 4, unix.PROT_READ, unix.MAP_SHARED)
			one[0] = 'X'
			eq(e, "content", string(two), "Xata")
		}},
		{"msync writes back, and a fresh open reads it", SharedMap, func(e *env) {
			fd := e.open(e.file("f", pattern(10000)), unix.O_RDWR)
			m := e.mmap(fd, 10000, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			copy(m, "new")
			e.ok(unix.Msync(m, unix.MS_SYNC))
			e.holds(e.at("f"), "new"+pattern(10000)[3:])
		}},
		{"a mapping outlives its handle and the name", SharedMap, func(e *env) {
			fd, err := unix.Open(e.file("f", "data"), unix.O_RDWR|unix.O_CLOEXEC, 0)
			e.ok(err)
			m := e.mmap(fd, 4, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			e.ok(unix.Close(fd))
			e.ok(unix.Unlink(e.at("f")))
			m[0] = 'X'
			eq(e, "content", string(m), "Xata")
		}},
		{"a mapped write after the handle was closed reaches the file", SharedMap, func(e *env) {
			fd, err := unix.Open(e.file("f", "data"), unix.O_RDWR|unix.O_CLOEXEC, 0)
			e.ok(err)
			m, err := unix.Mmap(fd, 0, 4, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			e.ok(err)
			e.ok(unix.Close(fd))
			copy(m, "DATA")
			e.ok(unix.Munmap(m))
			e.holds(e.at("f"), "DATA")
		}},
		{"a mapping of a file that was cut faults", SharedMap, func(e *env) {
			e.file("f", pattern(20000))
			e.is(e.actor().try(call{Do: "poke", Path: e.at("f"), Len: 20000, Off: 100}), unix.EFAULT)
		}},
		{"a mapping of a file that was not cut does not", SharedMap, func(e *env) {
			e.file("f", pattern(20000))
			e.ok(e.actor().try(call{Do: "poke", Path: e.at("f"), Len: 20000, Off: 20000}))
		}},
		fails("a shared mapping to write what is open to read", SharedMap, unix.EACCES, func(e *env) error {
			_, err := unix.Mmap(e.open(e.file("f", "data"), unix.O_RDONLY), 0, 4, unix.PROT_WRITE, unix.MAP_SHARED)
			return err
		}),
		fails("a directory", basic, unix.ENODEV, func(e *env) error {
			_, err := unix.Mmap(e.open(e.dir, unix.O_DIRECTORY), 0, 4, unix.PROT_READ, unix.MAP_PRIVATE)
			return err
		}),
	}
}

func (e *env) mmap(fd, n, prot, flags int) []byte {
	e.Helper()
	m, err := unix.Mmap(fd, 0, n, prot, flags)
	e.ok(err)
	e.Cleanup(func() { _ = unix.Munmap(m) }) // nothing depends on it
	return m
}
