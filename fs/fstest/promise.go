package fstest

import (
	"os"

	"golang.org/x/sys/unix"
)

// Promise names a feature that a file system may lack. The zero value is what every file system must do.
type Promise string

// The promises that may be in Options.Without.
const (
	basic Promise = ""

	HardLinks     Promise = "hard links"      // link(2), counted in st_nlink
	SpecialFiles  Promise = "special files"   // mknod(2) of fifos, sockets and devices
	UserXattrs    Promise = "user xattrs"     // user.* attributes on files and directories
	SharedMap     Promise = "shared mappings" // MAP_SHARED for writing, coherent with read and write
	Direct        Promise = "O_DIRECT"        // aligned I/O around the page cache
	Flock         Promise = "flock"           // flock(2) between processes
	RangeLocks    Promise = "range locks"     // fcntl(2) locks of processes and of open files
	ProcessLocks  Promise = "process locks"   // closing any handle of a file drops the fcntl locks of the process; F_GETLK names it
	Allocate      Promise = "fallocate"       // fallocate(2), mode 0 and FALLOC_FL_KEEP_SIZE
	Punch         Promise = "punch hole"      // FALLOC_FL_PUNCH_HOLE
	DataSeek      Promise = "data seek"       // SEEK_HOLE finds real holes, not only the end of the file
	NoReplace     Promise = "RENAME_NOREPLACE"
	Exchange      Promise = "RENAME_EXCHANGE"
	Tmpfile       Promise = "O_TMPFILE"                 // and a name for such a file later
	Nameless      Promise = "attributes without a name" // an unlinked file that is open can have its mode, owner and times set
	SetGroup      Promise = "set-group-id directories"  // what is made in one gets its group
	Nanoseconds   Promise = "nanosecond times"
	AccessTimes   Promise = "access times"     // a read moves an access time that is older than the modification
	SeekDir       Promise = "seekdir"          // offsets of getdents(2) can be gone back to
	DirLinks      Promise = "directory links"  // st_nlink of a directory is 2 and its sub-directories
	LongPaths     Promise = "long paths"       // paths of PATH_MAX bytes
	SetIDClearing Promise = "set-id clearing"  // a write by another user than root takes set-user-id away
	SizeAtOnce    Promise = "sizes at once"    // what stat says is there while another process appends can be read
	WholeReplace  Promise = "whole replace"    // while one name is renamed over another, an open of that finds the old or the new file
	CloseToOpen   Promise = "close to open"    // an open on another mount sees what was closed or synced on this one
	CrossLocks    Promise = "locks over hosts" // flock and fcntl locks hold between mounts
	CrossHandles  Promise = "handles over hosts"
)

// Gap says why a promise is not kept, and how an attempt is refused.
type Gap struct {
	Reason string     // for the log, in one sentence
	Errno  unix.Errno // what a try must answer; 0 if the lack does not show as a refusal
}

// probe tries a promise once, for the proof that it is kept, or that what is missing is refused with the errno of its Gap.
type probe func(e *env) error

// probes has the promises whose lack shows as a refused call.
func probes() map[Promise]probe {
	fd := func(e *env) int { return e.open(e.file("f", "data"), unix.O_RDWR) }
	rename := func(flags uint) probe {
		return func(e *env) error {
			return unix.Renameat2(unix.AT_FDCWD, e.file("a", ""), unix.AT_FDCWD, e.file("b", ""), flags)
		}
	}
	return map[Promise]probe{
		HardLinks:    func(e *env) error { return unix.Link(e.file("a", ""), e.at("b")) },
		SpecialFiles: func(e *env) error { return unix.Mknod(e.at("p"), unix.S_IFIFO|0o600, 0) },
		UserXattrs:   func(e *env) error { return unix.Setxattr(e.file("a", ""), "user.a", []byte("v"), 0) },
		Direct:       func(e *env) error { return opens(e.file("a", ""), unix.O_RDWR|unix.O_DIRECT) },
		Tmpfile:      func(e *env) error { return opens(e.dir, unix.O_RDWR|unix.O_TMPFILE) },
		Flock:        func(e *env) error { return unix.Flock(fd(e), unix.LOCK_EX|unix.LOCK_NB) },
		RangeLocks: func(e *env) error {
			return unix.FcntlFlock(uintptr(fd(e)), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
		},
		Allocate: func(e *env) error { return unix.Fallocate(fd(e), 0, 0, 8192) },
		Punch:    func(e *env) error { return unix.Fallocate(fd(e), punchHole, 0, 4096) },
		Exchange: rename(unix.RENAME_EXCHANGE),
		NoReplace: func(e *env) error {
			return unix.Renameat2(unix.AT_FDCWD, e.file("a", ""), unix.AT_FDCWD, e.at("c"), unix.RENAME_NOREPLACE)
		},
		SharedMap: func(e *env) error {
			m, err := unix.Mmap(fd(e), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			if err == nil {
				err = unix.Munmap(m)
			}
			return err
		},
	}
}
