package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
)

// ParkingFS keeps rule R6 for code that would retry after a fault, above all Pebble: the first call that fails to
// change or to sync a file loses the service, and its caller is parked for ever instead of getting the error; so is every later
// caller that wants to change anything. Reads go on, and their errors are returned.
//
// Errors that tell a fact rather than a fault are returned: the name does not exist (but not when a file is to be created),
// exists or is not empty; and no space for a table file (.sst, .blob), which Pebble removes and writes again under another
// name.
//
// A parked goroutine is never released: that is the leak R6 costs. What it holds is freed with the process.
type ParkingFS struct {
	FS
	fence holdfast.Fence // may be nil

	once   sync.Once
	lost   chan struct{}
	reason error // written before lost is closed
}

// Parking wraps fs. A nil fence is not told.
func Parking(fs FS, fence holdfast.Fence) *ParkingFS {
	return &ParkingFS{FS: fs, fence: fence, lost: make(chan struct{})}
}

// Lost is closed when the service is lost.
func (p *ParkingFS) Lost() <-chan struct{} { return p.lost }

// Reason returns why the service is lost, or nil if it is not.
func (p *ParkingFS) Reason() error {
	select {
	case <-p.lost:
		return p.reason
	default:
		return nil
	}
}

// Lose marks the service lost; the first reason stays.
func (p *ParkingFS) Lose(reason error) {
	p.once.Do(func() {
		p.reason = reason
		close(p.lost)
		if p.fence != nil {
			p.fence.Lose(reason)
		}
	})
}

// Park loses the service and never returns.
func (p *ParkingFS) Park(reason error) {
	p.Lose(reason)
	select {}
}

// enter parks the caller if the service is lost.
func (p *ParkingFS) enter() {
	select {
	case <-p.lost:
		select {}
	default:
	}
}

// failedReadPause slows Pebble down when a table cannot be read.
const failedReadPause = 250 * time.Millisecond

// Open is vfs.FS.Open. Failures to read a table are slowed down.
func (p *ParkingFS) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := p.FS.Open(name, o...)
	switch {
	case !isTable(name):
		return f, err
	case err != nil:
		time.Sleep(failedReadPause)
		return nil, err
	}
	return &tableFile{f}, nil
}

// tableFile is a table being read. Pebble reads tables by ReadAt only.
type tableFile struct{ vfs.File }

func (f *tableFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(b, off)
	if err != nil && err != io.EOF {
		time.Sleep(failedReadPause)
	}
	return n, err
}

// noSpacePause slows Pebble down, which tries again at once and for ever to flush or compact on a full disk. The goroutine that
// sleeps holds no lock of Pebble's.
const noSpacePause = 250 * time.Millisecond

// leave returns err if the caller may see it, and parks the caller if not.
func (p *ParkingFS) leave(op, name string, err error) error {
	if err == nil || isFact(err) {
		return err
	}
	if IsNoSpace(err) && isTable(name) {
		time.Sleep(noSpacePause)
		return err
	}
	p.Park(&holdfast.Error{Op: op, Kind: holdfast.Unknown, ID: name, Err: err})
	return nil
}

func isFact(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY)
}

// IsNoSpace reports whether err says that the filesystem or the quota is full.
func IsNoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || holdfast.Is(err, holdfast.NoSpace)
}

func isTable(name string) bool {
	switch filepath.Ext(name) {
	case ".sst", ".blob":
		return true
	}
	return false
}

// Unwrap returns the wrapped filesystem.
func (p *ParkingFS) Unwrap() vfs.FS { return p.FS }

func (p *ParkingFS) change(op, name string, do func() error) error {
	p.enter()
	return p.leave(op, name, do())
}

func (p *ParkingFS) open(op, name string, do func() (vfs.File, error)) (vfs.File, error) {
	p.enter()
	f, err := do()
	if errors.Is(err, fs.ErrNotExist) {
		// The directory is gone, or the log to be used again: Pebble would try for ever.
		p.Park(&holdfast.Error{Op: op, Kind: holdfast.Unknown, ID: name, Err: err})
	}
	if err = p.leave(op, name, err); err != nil {
		return nil, err
	}
	return &parkingFile{File: f, fs: p, name: name}, nil
}

// Create is vfs.FS.Create, guarded.
func (p *ParkingFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return p.open("create", name, func() (vfs.File, error) { return p.FS.Create(name, c) })
}

// OpenReadWrite is vfs.FS.OpenReadWrite, guarded.
func (p *ParkingFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return p.open("open", name, func() (vfs.File, error) { return p.FS.OpenReadWrite(name, c, o...) })
}

// ReuseForWrite is vfs.FS.ReuseForWrite, guarded.
func (p *ParkingFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return p.open("reuse", name, func() (vfs.File, error) { return p.FS.ReuseForWrite(old, name, c) })
}

// OpenDir is vfs.FS.OpenDir; syncs of the directory are guarded.
func (p *ParkingFS) OpenDir(name string) (vfs.File, error) {
	f, err := p.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &parkingFile{File: f, fs: p, name: name}, nil
}

// OpenData is FS.OpenData, guarded. The file's own calls are guarded too.
func (p *ParkingFS) OpenData(name string, mode DataMode) (DataFile, error) {
	p.enter()
	f, err := p.FS.OpenData(name, mode)
	if err = p.leave("open", name, err); err != nil {
		return nil, err
	}
	return &parkingData{parkingFile{File: f, fs: p, name: name}, f}, nil
}

// ForcedStat is FS.ForcedStat; it changes nothing and goes on after a loss.
func (p *ParkingFS) ForcedStat(f vfs.File) (Attr, error) {
	switch pf := f.(type) {
	case *parkingFile:
		f = pf.File
	case *parkingData:
		f = pf.data
	case *tableFile:
		f = pf.File
	}
	return p.FS.ForcedStat(f)
}

// Link is vfs.FS.Link, guarded.
func (p *ParkingFS) Link(old, name string) error {
	return p.change("link", name, func() error { return p.FS.Link(old, name) })
}

// Rename is vfs.FS.Rename, guarded.
func (p *ParkingFS) Rename(old, name string) error {
	return p.change("rename", name, func() error { return p.FS.Rename(old, name) })
}

// Remove is vfs.FS.Remove, guarded.
func (p *ParkingFS) Remove(name string) error {
	return p.change("remove", name, func() error { return p.FS.Remove(name) })
}

// RemoveAll is vfs.FS.RemoveAll, guarded.
func (p *ParkingFS) RemoveAll(name string) error {
	return p.change("remove", name, func() error { return p.FS.RemoveAll(name) })
}

// MkdirAll is vfs.FS.MkdirAll, guarded.
func (p *ParkingFS) MkdirAll(dir string, perm os.FileMode) error {
	return p.change("mkdir", dir, func() error { return p.FS.MkdirAll(dir, perm) })
}

// parkingFile guards the calls that change or sync a file.
type parkingFile struct {
	vfs.File
	fs   *ParkingFS
	name string
}

func (f *parkingFile) Write(b []byte) (int, error) {
	f.fs.enter()
	n, err := f.File.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, f.fs.leave("write", f.name, err)
}

func (f *parkingFile) WriteAt(b []byte, off int64) (int, error) {
	f.fs.enter()
	n, err := f.File.WriteAt(b, off)
	return n, f.fs.leave("write", f.name, err)
}

// A failed sync is a fault whatever its error: the pages may be marked clean, and a second sync would succeed.
func (f *parkingFile) sync(do func() error) error {
	f.fs.enter()
	if err := do(); err != nil {
		f.fs.Park(&holdfast.Error{Op: "sync", Kind: holdfast.Unknown, ID: f.name, Err: err})
	}
	return nil
}

func (f *parkingFile) Sync() error     { return f.sync(f.File.Sync) }
func (f *parkingFile) SyncData() error { return f.sync(f.File.SyncData) }

func (f *parkingFile) SyncTo(n int64) (full bool, err error) {
	err = f.sync(func() error { full, err = f.File.SyncTo(n); return err })
	return full, err
}

// Close returns nil: what was to be durable was synced, and NFS reports at close only what a sync reported or would have.
func (f *parkingFile) Close() error {
	if err := f.File.Close(); err != nil {
		f.fs.Lose(&holdfast.Error{Op: "close", Kind: holdfast.Unknown, ID: f.name, Err: err})
	}
	return nil
}

type parkingData struct {
	parkingFile
	data DataFile
}

func (f *parkingData) Direct() bool                 { return f.data.Direct() }
func (f *parkingData) Allocated() (int64, error)    { return f.data.Allocated() }
func (f *parkingData) PunchHole(off, n int64) error { f.fs.enter(); return f.data.PunchHole(off, n) }
