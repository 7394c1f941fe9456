package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

// hole is the distance at which every file system may keep data and holes apart.
const hole = 4 << 20

const punchHole = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE

// sparseTests hold holes: SEEK_DATA and SEEK_HOLE of lseek(2), and fallocate(2).
func sparseTests() []test {
	return []test{
		{"data and end of a dense file", basic, func(e *env) {
			fd := e.open(e.file("f", pattern(5000)), unix.O_RDONLY)
			e.seeks(fd, 0, unix.SEEK_DATA, 0)
			e.seeks(fd, 4999, unix.SEEK_DATA, 4999)
			e.seeks(fd, 0, unix.SEEK_HOLE, 5000)
		}},
		fails("SEEK_DATA at the end", basic, unix.ENXIO, func(e *env) error { return seekErr(e, 5, unix.SEEK_DATA) }),
		fails("SEEK_HOLE at the end", basic, unix.ENXIO, func(e *env) error { return seekErr(e, 5, unix.SEEK_HOLE) }),
		fails("SEEK_DATA past the end", basic, unix.ENXIO, func(e *env) error { return seekErr(e, 100, unix.SEEK_DATA) }),
		{"holes are found", DataSeek, func(e *env) {
			fd := e.open(e.file("f", ""), unix.O_RDWR)
			e.write(fd, pattern(4096), hole)
			e.ok(unix.Ftruncate(fd, 3*hole))
			e.seeks(fd, 0, unix.SEEK_HOLE, 0)
			e.seeks(fd, 0, unix.SEEK_DATA, hole)
			e.seeks(fd, hole, unix.SEEK_HOLE, hole+4096)
			_, err := unix.Seek(fd, 2*hole, unix.SEEK_DATA)
			e.is(err, unix.ENXIO)
		}},
		{"a hole takes no space", DataSeek, func(e *env) {
			fd := e.open(e.file("f", ""), unix.O_RDWR)
			e.ok(unix.Ftruncate(fd, 1<<30))
			if st := e.fstat(fd); st.Blocks > 2048 {
				e.Errorf("an empty GiB has %d blocks", st.Blocks)
			}
		}},
		{"reading far inside a hole", basic, func(e *env) {
			fd := e.open(e.file("f", ""), unix.O_RDWR)
			e.write(fd, "z", 1<<32)
			eq(e, "size", e.fstat(fd).Size, 1<<32+1)
			eq(e, "hole", e.read(fd, 8192, 1<<31), strings.Repeat("\x00", 8192))
			eq(e, "end", e.read(fd, 10, 1<<32-1), "\x00z")
		}},
		{"fallocate grows with zeros and keeps data", Allocate, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR)
			e.ok(unix.Fallocate(fd, 0, 2, 10000))
			eq(e, "size", e.fstat(fd).Size, 10002)
			e.holds(e.at("f"), "data"+strings.Repeat("\x00", 9998))
		}},
		{"fallocate with FALLOC_FL_KEEP_SIZE", Allocate, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR)
			e.ok(unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, 0, 10000))
			e.holds(e.at("f"), "data")
		}},
		fails("fallocate of nothing", Allocate, unix.EINVAL, func(e *env) error {
			return unix.Fallocate(e.open(e.file("f", ""), unix.O_RDWR), 0, 0, 0)
		}),
		fails("fallocate of a handle for reading", Allocate, unix.EBADF, func(e *env) error {
			return unix.Fallocate(e.open(e.file("f", ""), unix.O_RDONLY), 0, 0, 10)
		}),
		{"a punched hole reads zeros and keeps the size", Punch, func(e *env) {
			data := pattern(20000)
			fd := e.open(e.file("f", data), unix.O_RDWR)
			e.ok(unix.Fallocate(fd, punchHole, 5000, 9000))
			e.holds(e.at("f"), data[:5000]+strings.Repeat("\x00", 9000)+data[14000:])
		}},
		{"a hole over the end keeps the size", Punch, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDWR)
			e.ok(unix.Fallocate(fd, punchHole, 2, 100000))
			e.holds(e.at("f"), "da\x00\x00")
		}},
		fails("FALLOC_FL_PUNCH_HOLE without FALLOC_FL_KEEP_SIZE", Punch, unix.EOPNOTSUPP, func(e *env) error {
			return unix.Fallocate(e.open(e.file("f", "data"), unix.O_RDWR), unix.FALLOC_FL_PUNCH_HOLE, 0, 2)
		}),
	}
}

// seeks checks where lseek ends up.
func (e *env) seeks(fd int, from int64, whence int, want int64) {
	e.Helper()
	got, err := unix.Seek(fd, from, whence)
	e.ok(err)
	eq(e, "offset", got, want)
}

// seekErr seeks in a file of five bytes.
func seekErr(e *env, from int64, whence int) error {
	_, err := unix.Seek(e.open(e.file("f", "12345"), unix.O_RDONLY), from, whence)
	return err
}
