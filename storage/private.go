package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"holdfast"
)

// Private files are secrets of this machine, on its own disk and not on the mount: keys, and what proves passwords. They do not
// go through [FS], which cannot say who may read a file.
const privateMode = 0o600

// ReplacePrivate gives a file of this machine this content, whole or not at all, and lets nobody but its owner read it at any moment. The
// directory must exist; it is better one of mode 0700.
func ReplacePrivate(path string, content []byte) error {
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+NewNonce().String()+tempSuffix)
	err := writePrivate(temp, content)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // it may not be there
		return &holdfast.Error{Op: "write private file", Kind: holdfast.Unknown, ID: path, Err: err}
	}
	dir, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return &holdfast.Error{Op: "write private file", Kind: holdfast.Unknown, ID: path, Err: err}
	}
	return nil
}

func writePrivate(temp string, content []byte) error {
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, privateMode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// ReadPrivate returns the content of such a file. Errors: NotFound; Denied if others may read or write it, because then it is no
// secret any more, and must be replaced; TooLarge.
func ReadPrivate(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &holdfast.Error{Op: "read private file", Kind: holdfast.NotFound, ID: path, Err: err}
	}
	if err != nil {
		return nil, &holdfast.Error{Op: "read private file", ID: path, Err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, &holdfast.Error{Op: "read private file", ID: path, Err: err}
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, &holdfast.Error{
			Op: "read private file", Kind: holdfast.Denied, ID: path,
			Err: errors.New("others may read or write it: make a new secret, and keep it with mode 0600"),
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, &holdfast.Error{Op: "read private file", ID: path, Err: err}
	}
	if len(b) > limit {
		return nil, &holdfast.Error{Op: "read private file", Kind: holdfast.TooLarge, ID: path}
	}
	return b, nil
}
