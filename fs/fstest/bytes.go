package fstest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"

	"golang.org/x/sys/unix"
)

// maxFile bounds the file of the random byte test.
const maxFile = 256 << 10

// byteOp is one step on the bytes of a file. Steps name absolute places, so that any of them can be left out.
type byteOp struct {
	do       string
	off, len int
	fill     byte // the bytes written count up from it; of a step that opens, the door
}

func (o byteOp) String() string {
	return fmt.Sprintf("%s off=%d len=%d fill=%d", o.do, o.off, o.len, o.fill)
}

func (o byteOp) data() []byte {
	out := make([]byte, o.len)
	for i := range out {
		out[i] = o.fill + byte(i) + byte(i>>8)
	}
	return out
}

// byteOps are the steps that the file system can do, the frequent ones more than once.
func (e *env) byteOps() []string {
	ops := []string{"write", "write", "write", "read", "read", "truncate", "append", "fsync", "reopen", "map read"}
	for _, row := range []struct {
		needs Promise
		op    string
	}{{Punch, "punch"}, {SharedMap, "map write"}, {Allocate, "allocate"}} {
		if _, lacks := e.opt.Without[row.needs]; !lacks {
			ops = append(ops, row.op)
		}
	}
	return ops
}

// newByteOp prefers small steps near each other and edges of blocks, where the mistakes are.
func newByteOp(rng *rand.Rand, use []string) byteOp {
	o := byteOp{do: use[rng.Intn(len(use))], off: rng.Intn(maxFile), len: 1 + rng.Intn(300), fill: byte(rng.Intn(256))}
	switch rng.Intn(4) {
	case 0:
		o.len = 1 + rng.Intn(64<<10)
	case 1:
		o.off = o.off &^ 4095
		o.len = 4096 * (1 + rng.Intn(4))
	case 2:
		o.off %= 20000
	}
	o.len = min(o.len, maxFile-o.off)
	return o
}

// byteRun is a file and what must be in it.
type byteRun struct {
	doors []string // paths of the file, which take turns
	fd    int
	model []byte
}

// runBytes makes the steps on a file in a directory. After each it compares the size, and now and then and at the end all bytes.
func runBytes(doors []string, ops []byteOp) (err error) {
	r := &byteRun{}
	for _, door := range doors {
		r.doors = append(r.doors, door+"/file")
	}
	if r.fd, err = unix.Open(r.doors[0], unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o644); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(r.fd)) }()
	for i, o := range ops {
		if err := r.step(o); err != nil {
			return fmt.Errorf("step %d, %v: %w", i, o, err)
		}
		var st unix.Stat_t
		if err := unix.Fstat(r.fd, &st); err != nil {
			return err
		}
		if st.Size != int64(len(r.model)) {
			return fmt.Errorf("step %d, %v: size is %d, want %d", i, o, st.Size, len(r.model))
		}
		if i%20 == 0 || i == len(ops)-1 {
			if err := r.compare(0, maxFile+1); err != nil {
				return fmt.Errorf("all bytes after step %d, %v: %w", i, o, err)
			}
		}
	}
	return nil
}

func (r *byteRun) step(o byteOp) error {
	switch o.do {
	case "write":
		r.put(o.off, o.data())
		return r.pwrite(o.data(), o.off)
	case "append":
		o.len = min(o.len, maxFile-len(r.model))
		end := len(r.model)
		r.put(end, o.data())
		return r.pwrite(o.data(), end)
	case "read":
		return r.compare(o.off, o.len)
	case "truncate":
		r.resize(o.off)
		return unix.Ftruncate(r.fd, int64(o.off))
	case "allocate":
		r.resize(max(len(r.model), o.off+o.len))
		return unix.Fallocate(r.fd, 0, int64(o.off), int64(o.len))
	case "punch":
		if o.off < len(r.model) {
			clear(r.model[o.off:min(o.off+o.len, len(r.model))])
		}
		return unix.Fallocate(r.fd, punchHole, int64(o.off), int64(o.len))
	case "fsync":
		return unix.Fsync(r.fd)
	case "reopen":
		return r.reopen(int(o.fill))
	}
	return r.mapped(o)
}

// reopen closes the file and opens it through a door, which must show all that went in by the others.
func (r *byteRun) reopen(door int) error {
	if err := unix.Close(r.fd); err != nil {
		return err
	}
	var err error
	r.fd, err = unix.Open(r.doors[door%len(r.doors)], unix.O_RDWR|unix.O_CLOEXEC, 0)
	return err
}

// mapped reads or writes through a shared or private mapping, inside the file.
func (r *byteRun) mapped(o byteOp) (err error) {
	end := min(o.off+o.len, len(r.model))
	if o.off >= end {
		return nil
	}
	prot, flags := unix.PROT_READ, unix.MAP_PRIVATE
	if o.do == "map write" {
		prot, flags = unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED
	}
	m, err := unix.Mmap(r.fd, 0, len(r.model), prot, flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Munmap(m)) }()
	if o.do == "map write" {
		copy(m[o.off:end], o.data())
		copy(r.model[o.off:end], o.data())
	}
	return differ(m[o.off:end], r.model[o.off:end], o.off)
}

func (r *byteRun) put(off int, data []byte) {
	r.resize(max(len(r.model), off+len(data)))
	copy(r.model[off:], data)
}

func (r *byteRun) resize(n int) {
	if n < len(r.model) {
		r.model = r.model[:n:n]
		return
	}
	r.model = append(r.model, make([]byte, n-len(r.model))...)
}

func (r *byteRun) pwrite(data []byte, off int) error {
	n, err := unix.Pwrite(r.fd, data, int64(off))
	if err == nil && n != len(data) {
		return fmt.Errorf("wrote %d of %d bytes", n, len(data))
	}
	return err
}

// compare reads n bytes, or up to the end.
func (r *byteRun) compare(off, n int) error {
	want := r.model[min(off, len(r.model)):min(off+n, len(r.model))]
	buf := make([]byte, n)
	got := 0
	for got < n {
		k, err := unix.Pread(r.fd, buf[got:], int64(off+got))
		if err != nil {
			return err
		}
		if k == 0 {
			break
		}
		got += k
	}
	return differ(buf[:got], want, off)
}

// differ tells where bytes are not what they must be.
func differ(got, want []byte, off int) error {
	if bytes.Equal(got, want) {
		return nil
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Errorf("byte %d is %d, want %d (%d read, %d expected)", off+i, got[i], want[i], len(got), len(want))
		}
	}
	return fmt.Errorf("read %d bytes from %d, want %d", len(got), off, len(want))
}
