package storagetest

import (
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast/storage"
)

// crashFile is an open file of a CrashFS, whose lock guards it.
type crashFile struct {
	fs          *CrashFS
	n           *node
	name        string
	read, write bool
	direct      bool
	closed      bool
	pos         int64
}

var _ storage.DataFile = (*crashFile)(nil)

// enter locks the filesystem and checks that the file may be used so.
func (f *crashFile) enter(op string, write bool) (leave func(), err error) {
	f.fs.mu.Lock()
	leave = f.fs.mu.Unlock
	switch {
	case f.closed:
		err = fs.ErrClosed
	case write && !f.write:
		err = unix.EBADF
	case f.n.isDir && op != "sync" && op != "stat":
		err = unix.EISDIR
	}
	if err != nil {
		leave()
		return nil, pathError(op, f.name, err)
	}
	return leave, nil
}

// aligned checks a transfer of a direct file.
func (f *crashFile) aligned(b []byte, off int64) error {
	if f.direct && (off%storage.DirectAlign != 0 || len(b)%storage.DirectAlign != 0) {
		return pathError("direct transfer", f.name, unix.EINVAL)
	}
	return nil
}

func (f *crashFile) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	return nil
}

func (f *crashFile) Read(b []byte) (int, error) {
	leave, err := f.enter("read", false)
	if err != nil {
		return 0, err
	}
	defer leave()
	n := f.n.readAt(b, f.pos)
	f.pos += int64(n)
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (f *crashFile) ReadAt(b []byte, off int64) (int, error) {
	leave, err := f.enter("read", false)
	if err != nil {
		return 0, err
	}
	defer leave()
	if err := f.aligned(b, off); err != nil {
		return 0, err
	}
	n := f.n.readAt(b, off)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *crashFile) Write(b []byte) (int, error) {
	leave, err := f.enter("write", true)
	if err != nil {
		return 0, err
	}
	defer leave()
	f.n.writeAt(b, f.pos)
	f.fs.stampLocked(f.n)
	f.pos += int64(len(b))
	return len(b), nil
}

func (f *crashFile) WriteAt(b []byte, off int64) (int, error) {
	leave, err := f.enter("write", true)
	if err != nil {
		return 0, err
	}
	defer leave()
	if err := f.aligned(b, off); err != nil {
		return 0, err
	}
	f.n.writeAt(b, off)
	f.fs.stampLocked(f.n)
	return len(b), nil
}

func (f *crashFile) Sync() error {
	leave, err := f.enter("sync", false)
	if err != nil {
		return err
	}
	defer leave()
	if f.n.isDir {
		f.fs.syncDirLocked(f.n)
	} else {
		f.n.sync()
	}
	return nil
}

func (f *crashFile) SyncData() error { return f.Sync() }

// SyncTo promises nothing, as sync_file_range(2) does.
func (f *crashFile) SyncTo(int64) (bool, error) { return false, nil }

func (f *crashFile) Preallocate(int64, int64) error { return nil }
func (f *crashFile) Prefetch(int64, int64) error    { return nil }
func (f *crashFile) Fd() uintptr                    { return vfs.InvalidFd }
func (f *crashFile) Direct() bool                   { return f.direct }

func (f *crashFile) PunchHole(off, n int64) error {
	leave, err := f.enter("punch", true)
	if err != nil {
		return err
	}
	defer leave()
	if off < 0 || n <= 0 {
		return pathError("punch", f.name, unix.EINVAL)
	}
	f.n.punch(off, min(n, max(0, f.n.size-off)))
	f.fs.stampLocked(f.n)
	return nil
}

func (f *crashFile) Allocated() (int64, error) {
	leave, err := f.enter("stat", false)
	if err != nil {
		return 0, err
	}
	defer leave()
	return int64(len(f.n.pages)) * pageSize, nil
}

func (f *crashFile) Stat() (vfs.FileInfo, error) {
	leave, err := f.enter("stat", false)
	if err != nil {
		return nil, err
	}
	defer leave()
	return crashInfo{f.name, f.n.size, f.n.mtime, f.n.isDir}, nil
}

type crashInfo struct {
	name  string
	size  int64
	ticks int64
	isDir bool
}

func (i crashInfo) Name() string           { return i.name }
func (i crashInfo) Size() int64            { return i.size }
func (i crashInfo) ModTime() time.Time     { return tickTime(i.ticks) }
func (i crashInfo) IsDir() bool            { return i.isDir }
func (i crashInfo) Sys() any               { return nil }
func (i crashInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

func (i crashInfo) Mode() os.FileMode {
	if i.isDir {
		return os.ModeDir | 0o755
	}
	return 0o644
}
