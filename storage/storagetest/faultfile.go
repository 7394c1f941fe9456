package storagetest

import (
	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast/storage"
)

// faultFile is an open file of a FaultFS.
type faultFile struct {
	vfs.File
	fs   *FaultFS
	path string
}

// write runs a write, or half of it.
func (f *faultFile) write(b []byte, do func([]byte) (int, error)) (int, error) {
	switch v := f.fs.begin(OpWrite, f.path); v.act {
	case actFail:
		return 0, v.err
	case actTear:
		n, _ := do(b[:len(b)/2]) // the error of the whole is what the caller sees
		return n, v.err
	case actFailAfter:
		n, err := do(b)
		if err == nil {
			err = v.err
		}
		return n, err
	}
	return do(b)
}

func (f *faultFile) Write(b []byte) (int, error) { return f.write(b, f.File.Write) }

func (f *faultFile) WriteAt(b []byte, off int64) (int, error) {
	return f.write(b, func(b []byte) (int, error) { return f.File.WriteAt(b, off) })
}

func (f *faultFile) read(do func() (int, error)) (n int, err error) {
	err = f.fs.do(OpRead, f.path, func() (err error) { n, err = do(); return err })
	return n, err
}

func (f *faultFile) Read(b []byte) (int, error) {
	return f.read(func() (int, error) { return f.File.Read(b) })
}

func (f *faultFile) ReadAt(b []byte, off int64) (int, error) {
	return f.read(func() (int, error) { return f.File.ReadAt(b, off) })
}

func (f *faultFile) Sync() error     { return f.fs.do(OpSync, f.path, f.File.Sync) }
func (f *faultFile) SyncData() error { return f.fs.do(OpSync, f.path, f.File.SyncData) }

func (f *faultFile) Stat() (info vfs.FileInfo, err error) {
	err = f.fs.do(OpStat, f.path, func() (err error) { info, err = f.File.Stat(); return err })
	return info, err
}

// SyncTo promises nothing, so it cannot go wrong; a stopped world does nothing.
func (f *faultFile) SyncTo(n int64) (bool, error) {
	if f.fs.Stopped() {
		return false, ErrStopped
	}
	return f.File.SyncTo(n)
}

type faultData struct {
	*faultFile
	data storage.DataFile
}

func (f *faultData) Direct() bool              { return f.data.Direct() }
func (f *faultData) Allocated() (int64, error) { return f.data.Allocated() }

func (f *faultData) PunchHole(off, n int64) error {
	return f.fs.do(OpPunch, f.path, func() error { return f.data.PunchHole(off, n) })
}
