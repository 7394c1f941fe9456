package fstest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// many is how many names make a directory that no single answer can hold.
const many = 1000

// dirent is one record of getdents64(2).
type dirent struct {
	name string
	ino  uint64
	next int64 // where the record after this one begins
	kind byte
}

// getdents reads records into a buffer of n bytes. None are the end.
func (e *env) getdents(fd, n int) []dirent {
	e.Helper()
	buf := make([]byte, n)
	n, err := unix.Getdents(fd, buf)
	e.ok(err)
	var out []dirent
	for buf = buf[:n]; len(buf) > 0; {
		size := binary.NativeEndian.Uint16(buf[16:])
		name, _, _ := bytes.Cut(buf[19:size], []byte{0})
		out = append(out, dirent{
			name: string(name), kind: buf[18],
			ino: binary.NativeEndian.Uint64(buf), next: int64(binary.NativeEndian.Uint64(buf[8:])),
		})
		buf = buf[size:]
	}
	return out
}

// rest reads from the handle's place to the end.
func (e *env) rest(fd int) []dirent {
	e.Helper()
	var out []dirent
	for {
		more := e.getdents(fd, 4096)
		if len(more) == 0 {
			return out
		}
		out = append(out, more...)
	}
}

// list reads a directory, without . and .., and checks that no name comes twice.
func (e *env) list(path string) map[string]dirent {
	e.Helper()
	return e.once(e.rest(e.open(path, unix.O_DIRECTORY)))
}

func (e *env) once(all []dirent) map[string]dirent {
	e.Helper()
	out := make(map[string]dirent)
	for _, d := range all {
		if _, twice := out[d.name]; twice {
			e.Errorf("%q is listed twice", d.name)
		}
		out[d.name] = d
	}
	delete(out, ".")
	delete(out, "..")
	return out
}

// readdirTests hold the listing of directories.
func readdirTests() []test {
	return []test{
		{"dot and dot-dot are listed", basic, func(e *env) {
			dots := 0
			for _, d := range e.rest(e.open(e.dir, unix.O_DIRECTORY)) {
				if d.name == "." || d.name == ".." {
					dots++
					eq(e, "type of "+d.name, d.kind, unix.DT_DIR)
				}
			}
			eq(e, "dots", dots, 2)
		}},
		{"types and inodes", basic, func(e *env) {
			e.file("f", "")
			e.folder("d")
			e.link("l", "x")
			got := e.list(e.dir)
			for name, kind := range map[string]byte{"f": unix.DT_REG, "d": unix.DT_DIR, "l": unix.DT_LNK} {
				eq(e, "type of "+name, got[name].kind, kind)
				eq(e, "inode of "+name, got[name].ino, e.stat(e.at(name)).Ino)
			}
		}},
		{"a large directory", basic, func(e *env) {
			e.fill(many)
			eq(e, "names", len(e.list(e.dir)), many)
		}},
		{"a second read begins again after seeking to the start", basic, func(e *env) {
			fd := e.open(e.dir, unix.O_DIRECTORY)
			eq(e, "names before", len(e.once(e.rest(fd))), 0)
			e.file("f", "")
			_, err := unix.Seek(fd, 0, unix.SEEK_SET)
			e.ok(err)
			eq(e, "names after", len(e.once(e.rest(fd))), 1)
		}},
		{"removal while reading loses no other name", basic, removeWhileReading},
		{"making while reading loses and doubles no old name", basic, func(e *env) {
			e.fill(many)
			fd := e.open(e.dir, unix.O_DIRECTORY)
			all := e.getdents(fd, 4096)
			for i := range 100 {
				e.file(fmt.Sprint("new", i), "")
			}
			got := e.once(append(all, e.rest(fd)...))
			for i := range many {
				if _, ok := got[fmt.Sprint("n", i)]; !ok {
					e.Errorf("n%d is missing", i)
				}
			}
		}},
		{"remove all while reading", basic, func(e *env) {
			e.fill(many)
			fd := e.open(e.dir, unix.O_DIRECTORY)
			for {
				some := e.getdents(fd, 4096)
				if len(some) == 0 {
					break
				}
				for name := range e.once(some) {
					e.ok(unix.Unlink(e.at(name)))
				}
			}
			eq(e, "names left", e.names(e.dir), "")
		}},
		{"going back to an offset", SeekDir, seekBack},
		fails("what is not a directory", basic, unix.ENOTDIR, func(e *env) error {
			_, err := unix.Getdents(e.open(e.file("f", ""), unix.O_RDONLY), make([]byte, 1000))
			return err
		}),
		fails("a buffer too small for one name", basic, unix.EINVAL, func(e *env) error {
			_, err := unix.Getdents(e.open(e.dir, unix.O_DIRECTORY), make([]byte, 8))
			return err
		}),
	}
}

// fill makes n empty files.
func (e *env) fill(n int) {
	e.Helper()
	for i := range n {
		fd, err := unix.Open(e.at(fmt.Sprint("n", i)), unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o644)
		e.ok(err)
		e.ok(unix.Close(fd))
	}
}

// removeWhileReading takes away what has been read, and a few that may not have been; all others must come exactly once.
func removeWhileReading(e *env) {
	e.fill(many)
	fd := e.open(e.dir, unix.O_DIRECTORY)
	all := e.getdents(fd, 4096)
	removed := make(map[string]bool)
	for name := range e.once(all) {
		removed[name] = true
	}
	for i := 0; i < many; i += 10 {
		removed[fmt.Sprint("n", i)] = true
	}
	for name := range removed {
		e.ok(unix.Unlink(e.at(name)))
	}
	got := e.once(append(all, e.rest(fd)...))
	for i := range many {
		name := fmt.Sprint("n", i)
		if _, ok := got[name]; !ok && !removed[name] {
			e.Errorf("%s is missing", name)
		}
	}
}

// seekBack remembers places and finds at each what came after it the first time.
func seekBack(e *env) {
	const n = 300
	e.fill(n)
	fd := e.open(e.dir, unix.O_DIRECTORY)
	all := e.rest(fd)
	for i := 0; i < len(all)-1; i += 37 {
		_, err := unix.Seek(fd, all[i].next, unix.SEEK_SET)
		e.ok(err)
		again := e.getdents(fd, 4096)
		if len(again) == 0 {
			e.Fatalf("after %d of %d records: nothing", i+1, len(all))
		}
		eq(e, "name", again[0].name, all[i+1].name)
	}
}
