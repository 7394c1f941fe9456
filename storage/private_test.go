package storage_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"holdfast"
	"holdfast/storage"
)

func TestPrivateFilesArePrivate(t *testing.T) {
	old := syscall.Umask(0) // the mode must not hang on it
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(path, []byte("old"), 0o666)) // in the way, and open to all
	must(t, storage.ReplacePrivate(path, []byte("secret")))
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, %v; want mode 0600", info.Mode(), err)
	}
	if b, err := storage.ReadPrivate(path, 6); string(b) != "secret" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := storage.ReadPrivate(path, 5); !holdfast.Is(err, holdfast.TooLarge) {
		t.Errorf("over the limit: got %v, want TooLarge", err)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 1 {
		t.Errorf("the directory has %v, %v; want the file alone", names, err)
	}
}

func TestReadPrivateRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := storage.ReadPrivate(filepath.Join(dir, "none"), 100); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("no file: got %v, want NotFound", err)
	}
	if _, err := storage.ReadPrivate(dir, 100); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("a directory: got %v, want Denied", err)
	}
	path := filepath.Join(dir, "key")
	must(t, os.WriteFile(path, []byte("secret"), 0o600))
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602} {
		must(t, os.Chmod(path, mode))
		if _, err := storage.ReadPrivate(path, 100); !holdfast.Is(err, holdfast.Denied) {
			t.Errorf("mode %v: got %v, want Denied", mode, err)
		}
	}
}

func TestReplacePrivateLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "key")
	must(t, os.Mkdir(target, 0o700)) // rename over a directory fails
	if err := storage.ReplacePrivate(target, []byte("x")); err == nil {
		t.Error("replaced a directory")
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("the directory has %v, %v; want what was there", names, err)
	}
	if err := storage.ReplacePrivate(filepath.Join(dir, "none", "key"), []byte("x")); err == nil {
		t.Error("made a file in a directory that is not there")
	}
}
