package fstest

import (
	"golang.org/x/sys/unix"
)

// directTests hold O_DIRECT with memory, offset and length in multiples of a page, which every device takes.
func directTests() []test {
	return []test{
		{"written directly, read through the cache", Direct, func(e *env) {
			buf := aligned(e, 65536)
			copy(buf, pattern(65536))
			fd := e.open(e.file("f", ""), unix.O_RDWR|unix.O_DIRECT)
			n, err := unix.Pwrite(fd, buf, 4096)
			e.ok(err)
			eq(e, "written", n, len(buf))
			eq(e, "content", e.read(e.open(e.at("f"), unix.O_RDONLY), 65536, 4096), pattern(65536))
		}},
		{"written through the cache, read directly", Direct, func(e *env) {
			e.file("f", pattern(65536))
			buf := aligned(e, 65536)
			n, err := unix.Pread(e.open(e.at("f"), unix.O_RDONLY|unix.O_DIRECT), buf, 0)
			e.ok(err)
			eq(e, "content", string(buf[:n]), pattern(65536))
		}},
		{"overwritten directly after it was cached", Direct, func(e *env) {
			e.holds(e.file("f", pattern(16384)), pattern(16384))
			buf := aligned(e, 4096)
			_, err := unix.Pwrite(e.open(e.at("f"), unix.O_WRONLY|unix.O_DIRECT), buf, 4096)
			e.ok(err)
			e.holds(e.at("f"), pattern(16384)[:4096]+string(make([]byte, 4096))+pattern(16384)[8192:])
		}},
		{"the end of a file that is no multiple", Direct, func(e *env) {
			buf := aligned(e, 8192)
			fd := e.open(e.file("f", pattern(5000)), unix.O_RDONLY|unix.O_DIRECT)
			n, err := unix.Pread(fd, buf, 0)
			e.ok(err)
			eq(e, "content", string(buf[:n]), pattern(5000))
			n, err = unix.Pread(fd, buf, 8192)
			e.ok(err)
			eq(e, "past the end", n, 0)
		}},
	}
}

// aligned is memory that begins at a page.
func aligned(e *env, n int) []byte {
	e.Helper()
	m, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	e.ok(err)
	e.Cleanup(func() { _ = unix.Munmap(m) }) // nothing depends on it
	return m
}
