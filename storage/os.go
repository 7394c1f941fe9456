package storage

import (
	"errors"
	"io"
	"os"
	"runtime"
	"time"
	"unsafe"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
)

// OS returns the filesystem of the machine. It differs from vfs.Default in what [FS] adds, and in Lock, which is
// host-local (see [LockHost]): a lock file on a shared mount may be invisible to other hosts, and it is not what fences.
func OS() FS { return osFS{vfs.Default} }

type osFS struct{ vfs.FS }

var _ FS = osFS{}

// Unwrap tells vfs.Root what lies beneath.
func (osFS) Unwrap() vfs.FS { return vfs.Default }

// Lock takes the host-local lock that stands for the file; the file itself is not created.
func (osFS) Lock(name string) (io.Closer, error) { return LockHost(name) }

func (osFS) ForcedStat(f vfs.File) (Attr, error) {
	const flags = unix.AT_EMPTY_PATH | unix.AT_STATX_FORCE_SYNC
	var st unix.Statx_t
	err := retryInterrupted(func() error {
		return unix.Statx(int(f.Fd()), "", flags, unix.STATX_BASIC_STATS, &st)
	})
	runtime.KeepAlive(f)
	if err != nil {
		return Attr{}, &os.PathError{Op: "statx", Path: "(open file)", Err: err}
	}
	return Attr{
		Size:     int64(st.Size),
		Modified: time.Unix(st.Mtime.Sec, int64(st.Mtime.Nsec)),
		Inode:    st.Ino,
		Links:    uint64(st.Nlink),
	}, nil
}

func (osFS) OpenData(name string, mode DataMode) (DataFile, error) {
	if mode == Direct {
		if f, err := openDirect(name); f != nil || err != nil {
			return f, err
		}
	}
	f, err := vfs.Default.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	return &osData{File: f}, nil
}

// openDirect opens a file with O_DIRECT. It returns nil and no error where the mount cannot do that, which
// some tell only at the first transfer.
func openDirect(name string) (DataFile, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_DIRECT|unix.O_CLOEXEC, 0o666)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, err = f.ReadAt(AlignedBuffer(DirectAlign), 0)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		_ = f.Close() // nothing was written
		return nil, nil
	}
	if err != nil && err != io.EOF {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return &osData{File: directFile{f}, direct: true}, nil
}

// directFile makes a vfs.File of a file that vfs.Default did not open.
type directFile struct{ *os.File }

type directInfo struct{ os.FileInfo }

func (directInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

func (f directFile) Stat() (vfs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	return directInfo{info}, nil
}

func (f directFile) Prefetch(int64, int64) error    { return nil }
func (f directFile) Preallocate(int64, int64) error { return nil } // osData does it
func (f directFile) SyncTo(int64) (bool, error)     { return false, nil }
func (f directFile) SyncData() error                { return f.File.Sync() } // osData does it

// osData is a data file of the machine.
type osData struct {
	vfs.File
	direct bool
}

func (f *osData) Direct() bool { return f.direct }

// SyncData is fdatasync(2): it covers the file's size, which is all the metadata a pool needs.
func (f *osData) SyncData() error {
	err := retryInterrupted(func() error { return unix.Fdatasync(int(f.Fd())) })
	runtime.KeepAlive(f)
	return err
}

// Preallocate reserves space for [off, off+n) without changing the file's size. Reserved bytes read as zeros. Mounts
// that cannot reserve return [holdfast.Unsupported].
func (f *osData) Preallocate(off, n int64) error {
	return f.fallocate("preallocate", unix.FALLOC_FL_KEEP_SIZE, off, n)
}

func (f *osData) PunchHole(off, n int64) error {
	return f.fallocate("punch hole", unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
}

func (f *osData) fallocate(op string, mode uint32, off, n int64) error {
	err := retryInterrupted(func() error { return unix.Fallocate(int(f.Fd()), mode, off, n) })
	runtime.KeepAlive(f)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return holdfast.E(op, holdfast.Unsupported, err)
	}
	return err
}

func (f *osData) Allocated() (int64, error) {
	var st unix.Stat_t
	err := retryInterrupted(func() error { return unix.Fstat(int(f.Fd()), &st) })
	runtime.KeepAlive(f)
	if err != nil {
		return 0, err
	}
	const unit = 512 // of st_blocks, whatever the filesystem's block size
	return st.Blocks * unit, nil
}

// retryInterrupted repeats a system call that a signal interrupted before it did anything.
func retryInterrupted(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// AlignedBuffer returns n zero bytes whose address is a multiple of [DirectAlign], for [Direct] files. The garbage
// collector owns it.
func AlignedBuffer(n int) []byte {
	raw := make([]byte, n+DirectAlign)
	skip := 0
	if r := int(uintptr(unsafe.Pointer(unsafe.SliceData(raw))) % DirectAlign); r != 0 {
		skip = DirectAlign - r
	}
	return raw[skip : skip+n : skip+n]
}
