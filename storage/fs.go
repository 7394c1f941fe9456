// Package storage is the seam to a shared mount: the one door through which name servers, object servers and
// membership touch the filesystem, so that crash and fault tests cover them all by one substitution.
//
// It stands on Pebble's vfs.FS and adds what a shared mount and the pools need: forced attribute reads, hole punching,
// unbuffered writes, exclusive creation by link(2). Its invariant: nothing here decides who owns what; it only makes
// the calls, in the order their callers rely on, and reports truthfully what the mount answered.
package storage

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is a mounted filesystem as Holdfast uses it. Safe for concurrent use.
type FS interface {
	vfs.FS

	// OpenData opens a file for random reads and writes and creates it if it does not exist.
	OpenData(name string, mode DataMode) (DataFile, error)

	// ForcedStat reads the attributes of an open file from the server of the mount, not from the client's cache
	// (statx with AT_STATX_FORCE_SYNC on Linux).
	ForcedStat(f vfs.File) (Attr, error)
}

// DataMode says how a data file is accessed.
type DataMode uint8

// The modes.
const (
	// Buffered goes through the page cache.
	Buffered DataMode = iota
	// Direct bypasses the page cache where the mount can (O_DIRECT); buffers, offsets and lengths must then be
	// multiples of [DirectAlign]. Where the mount cannot, the file is opened Buffered: ask DataFile.Direct.
	Direct
)

// DirectAlign is the alignment in bytes that every mount with O_DIRECT accepts.
const DirectAlign = 4096

// DataFile is an open file of a pool. Safe for concurrent use, ranges that overlap excepted.
type DataFile interface {
	vfs.File

	// Direct reports whether the page cache is bypassed.
	Direct() bool

	// PunchHole gives the bytes [off, off+n) back to the filesystem; they read as zeros afterwards. The error is of kind
	// Unsupported where the mount cannot.
	PunchHole(off, n int64) error

	// Allocated returns the bytes the filesystem has reserved for the file.
	Allocated() (int64, error)
}

// Attr are the attributes a forced read brings back.
type Attr struct {
	Size     int64
	Modified time.Time
	Inode    uint64
	Links    uint64
}
