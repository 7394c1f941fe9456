package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

// dataTests hold read(2), write(2) and their kin.
func dataTests() []test {
	return []test{
		{"what is written is read at once by every handle", basic, func(e *env) {
			path := e.file("f", "")
			w, r := e.open(path, unix.O_WRONLY), e.open(path, unix.O_RDONLY)
			e.write(w, "data", 0)
			eq(e, "content", e.read(r, 10, 0), "data")
			eq(e, "size", e.fstat(r).Size, 4)
			eq(e, "size by name", e.stat(path).Size, 4)
		}},
		{"read and write move one offset, pread and pwrite do not", basic, offsets},
		{"a dup shares the offset", basic, func(e *env) {
			fd := e.open(e.file("f", "abcd"), unix.O_RDONLY)
			twin, err := unix.Dup(fd)
			e.ok(err)
			defer func() { e.ok(unix.Close(twin)) }()
			buf := make([]byte, 2)
			_, err = unix.Read(fd, buf)
			e.ok(err)
			_, err = unix.Read(twin, buf)
			e.ok(err)
			eq(e, "content", string(buf), "cd")
		}},
		{"reading at the end and past it", basic, func(e *env) {
			fd := e.open(e.file("f", "data"), unix.O_RDONLY)
			eq(e, "at the end", e.read(fd, 10, 4), "")
			eq(e, "past it", e.read(fd, 10, 1<<30), "")
			eq(e, "over it", e.read(fd, 10, 2), "ta")
		}},
		{"writing past the end leaves zeros", basic, func(e *env) {
			path := e.file("f", "a")
			e.write(e.open(path, unix.O_WRONLY), "z", 10000)
			e.holds(path, "a"+strings.Repeat("\x00", 9999)+"z")
		}},
		{"zeros stay when a file was cut before it grew", basic, func(e *env) {
			path := e.file("f", strings.Repeat("x", 10000))
			e.ok(unix.Truncate(path, 100))
			e.write(e.open(path, unix.O_WRONLY), "z", 9000)
			e.holds(path, strings.Repeat("x", 100)+strings.Repeat("\x00", 8900)+"z")
		}},
		{"overwriting inside", basic, func(e *env) {
			path := e.file("f", strings.Repeat("x", 20000))
			e.write(e.open(path, unix.O_WRONLY), strings.Repeat("y", 5000), 3000)
			e.holds(path, strings.Repeat("x", 3000)+strings.Repeat("y", 5000)+strings.Repeat("x", 12000))
		}},
		{"writing nothing changes nothing", basic, func(e *env) {
			path := e.file("f", "data")
			fd := e.open(path, unix.O_WRONLY)
			n, err := unix.Pwrite(fd, nil, 100)
			e.ok(err)
			eq(e, "written", n, 0)
			e.holds(path, "data")
		}},
		{"every size around a block", basic, func(e *env) {
			for _, n := range []int{1, 511, 512, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 131073, 1<<20 - 1, 1 << 20, 1<<20 + 1} {
				data := pattern(n)
				e.holds(e.file("f", data), data)
			}
		}},
		{"vectors", basic, func(e *env) {
			path := e.file("f", "")
			fd := e.open(path, unix.O_RDWR)
			n, err := unix.Pwritev(fd, [][]byte{[]byte("ab"), nil, []byte("cde")}, 1)
			e.ok(err)
			eq(e, "written", n, 5)
			e.holds(path, "\x00abcde")
		}},
		{"pwrite in a file open for append goes to the end", basic, func(e *env) {
			path := e.file("f", "data") // so pwrite(2) says under BUGS: Linux does not follow POSIX here
			e.write(e.open(path, unix.O_WRONLY|unix.O_APPEND), "more", 0)
			e.holds(path, "datamore")
		}},
		{"copy_file_range within a file system", basic, func(e *env) {
			data := pattern(100000)
			in, out := e.open(e.file("a", data), unix.O_RDONLY), e.open(e.file("b", ""), unix.O_WRONLY)
			for done := 0; done < len(data); {
				n, err := unix.CopyFileRange(in, nil, out, nil, len(data)-done, 0)
				e.ok(err)
				if n == 0 {
					e.Fatal("copied nothing before the end")
				}
				done += n
			}
			e.holds(e.at("b"), data)
		}},
		fails("a negative offset", basic, unix.EINVAL, func(e *env) error {
			_, err := unix.Pwrite(e.open(e.file("f", ""), unix.O_WRONLY), []byte("x"), -1)
			return err
		}),
		fails("seeking before the start", basic, unix.EINVAL, func(e *env) error {
			_, err := unix.Seek(e.open(e.file("f", ""), unix.O_RDONLY), -1, unix.SEEK_SET)
			return err
		}),
		{"the size counts in st_blocks", basic, func(e *env) {
			fd := e.open(e.file("f", pattern(1<<20)), unix.O_RDWR)
			e.ok(unix.Fsync(fd)) // delayed allocation is over
			if st := e.fstat(fd); st.Blocks < 1<<20/512/2 {
				e.Errorf("a file of 1 MiB with noise has %d blocks of 512 bytes", st.Blocks)
			}
		}},
	}
}

func offsets(e *env) {
	fd := e.open(e.file("f", "abcdef"), unix.O_RDWR)
	buf := make([]byte, 2)
	_, err := unix.Read(fd, buf)
	e.ok(err)
	e.write(fd, "X", 5)
	eq(e, "by pread", e.read(fd, 1, 0), "a")
	_, err = unix.Write(fd, []byte("Y"))
	e.ok(err)
	at, err := unix.Seek(fd, 0, unix.SEEK_CUR)
	e.ok(err)
	eq(e, "offset", at, 3)
	end, err := unix.Seek(fd, 2, unix.SEEK_END)
	e.ok(err)
	eq(e, "past the end", end, 8)
	e.holds(e.at("f"), "abYdeX")
}

// pattern is n bytes in which every place can be told from its neighbours, and that do not compress well.
func pattern(n int) string {
	out := make([]byte, n)
	x := uint32(2463534242)
	for i := range out {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		out[i] = byte(x >> 11)
	}
	return string(out)
}
