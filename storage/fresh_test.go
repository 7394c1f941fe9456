package storage_test

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"holdfast/storage"
)

// resident counts the pages of a file that the kernel keeps.
func resident(t *testing.T, path string) (pages int) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	m, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	must(t, err)
	defer func() { must(t, unix.Munmap(m)) }()
	state := make([]byte, (len(m)+os.Getpagesize()-1)/os.Getpagesize())
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), uintptr(unsafe.Pointer(&state[0])))
	if errno != 0 {
		t.Fatal(errno)
	}
	for _, s := range state {
		pages += int(s & 1)
	}
	return pages
}

// What another host rewrote without a change of length is hidden by pages that the kernel keeps, so there must be none.
func TestOpenFreshReadsNoKeptPages(t *testing.T) {
	dir := t.TempDir()
	var st unix.Statfs_t
	must(t, unix.Statfs(dir, &st))
	if st.Type == unix.TMPFS_MAGIC {
		t.Skip("a tmpfs is nothing but kept pages")
	}
	path := filepath.Join(dir, "f")
	must(t, storage.WriteFile(storage.OS(), path, make([]byte, 4*os.Getpagesize()+100)))
	if resident(t, path) == 0 {
		t.Fatal("no page is kept, so nothing can be shown")
	}
	f, err := storage.OpenFresh(storage.OS(), path)
	must(t, err)
	defer f.Close()
	if n := resident(t, path); n != 0 {
		t.Errorf("%d pages are kept", n)
	}
}
