package kv

import (
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast/storage"
)

// logStep is how far ahead of its end a log is filled with zeros. A sync that makes a file longer costs a commit of the
// filesystem's journal besides the data; one that overwrites does not, and takes half the time.
const logStep = 1 << 20

// logFS makes Pebble's commits overwrite: a new log is filled with zeros ahead of the writer, and Pebble
// uses old logs again, whose bytes are there already. Pebble's reader takes zeros, like the rest of an older log, for the end.
type logFS struct{ *storage.ParkingFS }

func (fs logFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.ParkingFS.Create(name, c)
	if err != nil || filepath.Ext(name) != ".log" {
		return f, err
	}
	return &logFile{File: f}, nil
}

func (fs logFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.ParkingFS.ReuseForWrite(old, name, c)
	if err != nil || filepath.Ext(name) != ".log" {
		return f, err
	}
	info, err := f.Stat()
	if err != nil {
		return f, nil // it only goes without filling
	}
	return &logFile{File: f, filled: info.Size()}, nil
}

// logFile is a log being written. Pebble writes from one goroutine and syncs from another.
type logFile struct {
	vfs.File
	pos    int64 // of the writer
	filled int64 // bytes of the file that exist
}

func (f *logFile) Write(b []byte) (int, error) {
	end := f.pos + int64(len(b))
	if end > f.filled {
		target := (end + logStep - 1) / logStep * logStep
		if _, err := f.File.WriteAt(make([]byte, target-f.filled), f.filled); err != nil {
			return 0, err
		}
		f.filled = target
	}
	n, err := f.File.Write(b)
	f.pos += int64(n)
	return n, err
}

// Preallocate does nothing: filling did it.
func (f *logFile) Preallocate(int64, int64) error { return nil }
