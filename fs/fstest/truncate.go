package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

// truncateTests hold truncate(2) and ftruncate(2).
func truncateTests() []test {
	var sizes []test
	for _, row := range []struct {
		name     string
		from, to int
	}{
		{"to nothing", 5000, 0}, {"inside a block", 5000, 100}, {"at a block", 10000, 4096}, {"by one byte", 4097, 4096},
		{"to the same size", 5000, 5000}, {"up by one byte", 4096, 4097}, {"up from nothing", 0, 10000}, {"up over blocks", 100, 1 << 20},
	} {
		sizes = append(sizes, test{row.name, basic, func(e *env) {
			data := pattern(row.from)
			want := data[:min(row.from, row.to)] + strings.Repeat("\x00", max(0, row.to-row.from))
			e.ok(unix.Truncate(e.file("a", data), int64(row.to)))
			e.holds(e.at("a"), want)
			fd := e.open(e.file("b", data), unix.O_RDWR)
			e.ok(unix.Ftruncate(fd, int64(row.to)))
			eq(e, "size", e.fstat(fd).Size, int64(row.to))
			eq(e, "content", e.read(fd, row.to+1, 0), want)
		}})
	}
	return append(sizes, []test{
		{"down and up again reads zeros", basic, func(e *env) {
			path := e.file("f", pattern(10000))
			e.ok(unix.Truncate(path, 5))
			e.ok(unix.Truncate(path, 10000))
			e.holds(path, pattern(5)+strings.Repeat("\x00", 9995))
		}},
		{"the offset of a handle stays", basic, func(e *env) {
			path := e.file("f", "data")
			fd := e.open(path, unix.O_RDWR)
			_, err := unix.Seek(fd, 4, unix.SEEK_SET)
			e.ok(err)
			e.ok(unix.Ftruncate(fd, 0))
			_, err = unix.Write(fd, []byte("x"))
			e.ok(err)
			e.holds(path, "\x00\x00\x00\x00x")
		}},
		{"an unlinked file can be cut", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR)
			e.ok(unix.Unlink(e.at("f")))
			e.ok(unix.Ftruncate(fd, 2))
			eq(e, "content", e.read(fd, 10, 0), "da")
		}},
		{"through a symbolic link", basic, func(e *env) {
			e.file("f", "data")
			e.ok(unix.Truncate(e.link("l", "f"), 1))
			e.holds(e.at("f"), "d")
		}},
		fails("a missing file", basic, unix.ENOENT, func(e *env) error { return unix.Truncate(e.at("f"), 0) }),
		fails("a directory", basic, unix.EISDIR, func(e *env) error { return unix.Truncate(e.folder("d"), 0) }),
		fails("a negative size", basic, unix.EINVAL, func(e *env) error { return unix.Truncate(e.file("f", ""), -1) }),
		fails("below a file", basic, unix.ENOTDIR, func(e *env) error { return unix.Truncate(e.file("f", "")+"/x", 0) }),
		fails("a handle for reading", basic, unix.EINVAL, func(e *env) error {
			return unix.Ftruncate(e.open(e.file("f", ""), unix.O_RDONLY), 0)
		}),
	}...)
}
