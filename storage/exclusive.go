package storage

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
)

// Nonce is a random number that tells whose file it is that holds it.
type Nonce [16]byte

// NewNonce draws a nonce.
func NewNonce() Nonce {
	var n Nonce
	_, _ = rand.Read(n[:]) // never fails
	return n
}

// String returns the 32 hex digits.
func (n Nonce) String() string { return hex.EncodeToString(n[:]) }

// Outcome is what became of an exclusive creation.
type Outcome uint8

// The outcomes.
const (
	Unsure Outcome = iota // not known; the file may yet appear, with this content or another
	Won                   // the file is there with this content, durably
	Lost                  // the file is there with another content, and this one will never be it
)

// String returns the outcome in a word.
func (o Outcome) String() string { return [...]string{"unsure", "won", "lost"}[o] }

// CreateExclusive creates dir/name with this content unless it exists. The content must hold a fresh [Nonce], because it is
// by the content that the caller's file is told from another's. The returned bytes are what the file holds if the
// outcome is Lost; the error says why if it is Unsure, and is nil otherwise.
//
// The calls, in order: create a temporary file, write, fsync, close, link(2) to the name, fsync the directory. Any
// error of the link is no answer, EEXIST included, because a network client that repeats a lost request gets it for its own
// file: the name is then opened afresh and its content compared. A name that cannot be opened after an error decides nothing: the
// link may be on its way. The temporary file is removed at the end, so that a link that comes late finds nothing to link.
func CreateExclusive(fsys FS, dir, name string, content []byte) (Outcome, []byte, error) {
	temp, err := writeTemp(fsys, dir, name, content)
	if err != nil {
		return Unsure, nil, exclusiveError(dir, name, err)
	}
	target := fsys.PathJoin(dir, name)
	linkErr := fsys.Link(temp, target)
	if linkErr != nil {
		found, err := ReadFile(fsys, target, maxExclusive)
		if err != nil {
			_ = fsys.Remove(temp) // left for CleanTemps if it fails
			return Unsure, nil, exclusiveError(dir, name, errors.Join(linkErr, err))
		}
		if !bytes.Equal(found, content) {
			_ = fsys.Remove(temp) // as above
			return Lost, found, nil
		}
	}
	_ = fsys.Remove(temp) // as above
	if err := SyncDir(fsys, dir); err != nil {
		return Unsure, nil, exclusiveError(dir, name, err)
	}
	return Won, nil, nil
}

// maxExclusive bounds what is read back to compare.
const maxExclusive = 4 << 20

func exclusiveError(dir, name string, err error) error {
	return &holdfast.Error{Op: "create exclusively", Kind: holdfast.Unknown, ID: dir + "/" + name, Err: err}
}

// ReplaceFile gives dir/name this content, whether it exists or not: readers that open the file see the old or the new content
// whole. Temporary file, fsync, rename, fsync of the directory; on an error of the last two the kind is Unknown and either
// content may be found, also after a crash.
func ReplaceFile(fsys FS, dir, name string, content []byte) error {
	temp, err := writeTemp(fsys, dir, name, content)
	if err != nil {
		return err
	}
	err = fsys.Rename(temp, fsys.PathJoin(dir, name))
	if err != nil {
		_ = fsys.Remove(temp) // left for CleanTemps if it fails
	} else {
		err = SyncDir(fsys, dir)
	}
	if err != nil {
		return &holdfast.Error{Op: "replace", Kind: holdfast.Unknown, ID: dir + "/" + name, Err: err}
	}
	return nil
}

// Temporary files are named ".<name>.<nonce>.tmp".
const tempSuffix = ".tmp"

// IsTemp reports whether a name is that of a temporary file of this package.
func IsTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, tempSuffix)
}

func writeTemp(fsys FS, dir, name string, content []byte) (string, error) {
	temp := fsys.PathJoin(dir, "."+name+"."+NewNonce().String()+tempSuffix)
	if err := WriteFile(fsys, temp, content); err != nil {
		_ = fsys.Remove(temp) // left for CleanTemps if it fails
		return "", err
	}
	return temp, nil
}

// WriteFile creates a file with this content and syncs it, but not its directory.
func WriteFile(fsys FS, path string, content []byte) error {
	f, err := fsys.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	// Write may scribble over its argument, by the contract of vfs.File.
	if _, err = f.Write(bytes.Clone(content)); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// OpenFresh opens a file for reading what is on the server now: it drops the pages that the client's kernel keeps. Opening alone is
// not enough everywhere. GlusterFS, as it mounts by default, shows what another host rewrote in place without a change of length
// only when the old pages happen to go, though the attributes are current.
func OpenFresh(fsys FS, path string) (vfs.File, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	if fd := f.Fd(); fd != vfs.InvalidFd {
		_ = retryInterrupted(func() error { return unix.Fadvise(int(fd), 0, 0, unix.FADV_DONTNEED) }) // advice; probes tell where it does nothing
	}
	return f, nil
}

// ReadFile opens a file afresh ([OpenFresh]) and returns its content. A file over limit bytes is of kind TooLarge; one that does not
// exist is NotFound, which proves nothing on a shared mount.
func ReadFile(fsys FS, path string, limit int) ([]byte, error) {
	f, err := OpenFresh(fsys, path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &holdfast.Error{Op: "read", Kind: holdfast.NotFound, ID: path, Err: err}
		}
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		return nil, &holdfast.Error{Op: "read", Kind: holdfast.TooLarge, ID: path}
	}
	return b, nil
}

// SyncDir makes the names of a directory durable.
func SyncDir(fsys FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// MakeDir makes a directory and every missing parent, and makes all of them durable.
func MakeDir(fsys FS, dir string) error {
	if err := fsys.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for at := dir; ; {
		parent := fsys.PathDir(at)
		if parent == at {
			return nil
		}
		err := SyncDir(fsys, parent)
		if errors.Is(err, fs.ErrPermission) {
			return nil // above the mount there is nothing of ours to sync
		}
		if err != nil {
			return err
		}
		at = parent
	}
}

// CleanTemps removes the temporary files of a directory that are older than age by the mount's own clock. Taking one that
// is in use makes its owner's creation fail as Unsure, no more.
func CleanTemps(fsys FS, dir string, age time.Duration) error {
	names, err := fsys.List(dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !IsTemp(name) })
	if len(names) == 0 {
		return nil
	}
	clock, err := writeTemp(fsys, dir, "clock", nil)
	if err != nil {
		return err
	}
	defer fsys.Remove(clock)
	now, err := fsys.Stat(clock)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := fsys.PathJoin(dir, name)
		info, err := fsys.Stat(path)
		if err != nil || now.ModTime().Sub(info.ModTime()) < age {
			continue // gone, or young
		}
		if err := fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
