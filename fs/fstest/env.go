package fstest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// env is one test's own directory, and the words tests are written in. What a test cannot go on without ends it.
type env struct {
	*testing.T
	dir   string // fresh, empty, mode 0777
	other string // the same directory through the other mount, or through this one if there is none
	opt   Options
}

func (r *runner) env(t *testing.T) *env {
	r.made++
	e := &env{T: t, opt: r.opt, dir: filepath.Join(r.base, fmt.Sprint("t", r.made))}
	e.ok(unix.Mkdir(e.dir, 0o777))
	e.ok(unix.Chmod(e.dir, 0o777))
	e.other = e.dir
	if r.opt.Other != "" {
		e.other = filepath.Join(r.opt.Other, filepath.Base(r.base), filepath.Base(e.dir))
	}
	return e
}

// at is the path of a name in the test's directory, and there the same on the other mount.
func (e *env) at(name string) string    { return e.dir + "/" + name }
func (e *env) there(name string) string { return e.other + "/" + name }

// ok ends the test if a call failed that must not.
func (e *env) ok(err error) {
	e.Helper()
	if err != nil {
		e.Fatalf("got %v (%d), want success", err, errnoOf(err))
	}
}

// is checks the errno of a call that must fail.
func (e *env) is(err error, want unix.Errno) {
	e.Helper()
	if got := errnoOf(err); got != want {
		e.Errorf("got %s, want %s", errnoName(got), errnoName(want))
	}
}

// errnoOf is the errno in an error, 0 for nil and -1 for an error that has none.
func errnoOf(err error) unix.Errno {
	var no unix.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &no):
		return no
	}
	return ^unix.Errno(0)
}

func errnoName(no unix.Errno) string {
	if no == 0 {
		return "success"
	}
	if name := unix.ErrnoName(no); name != "" {
		return name
	}
	return no.Error()
}

// eq compares what must be equal.
func eq[T comparable](e *env, what string, got, want T) {
	e.Helper()
	if got != want {
		e.Errorf("%s: got %s, want %s", what, clip(got), clip(want))
	}
}

// clip keeps long contents out of the log.
func clip(v any) string {
	const most = 200
	text := fmt.Sprintf("%#v", v)
	if len(text) > most {
		return fmt.Sprintf("%s... (%d bytes)", text[:most], len(text))
	}
	return text
}

// file makes a file with the content and returns its path.
func (e *env) file(name, content string) string {
	e.Helper()
	path := e.at(name)
	e.ok(os.WriteFile(path, []byte(content), 0o644))
	return path
}

// folder makes a directory and returns its path.
func (e *env) folder(name string) string {
	e.Helper()
	e.ok(unix.Mkdir(e.at(name), 0o755))
	return e.at(name)
}

// link makes a symbolic link and returns its path.
func (e *env) link(name, target string) string {
	e.Helper()
	e.ok(unix.Symlink(target, e.at(name)))
	return e.at(name)
}

// open opens a path, until the test is over.
func (e *env) open(path string, flags int) int {
	e.Helper()
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o644)
	e.ok(err)
	e.Cleanup(func() { _ = unix.Close(fd) }) // a test may have closed it
	return fd
}

// opens tries whether a path can be opened.
func opens(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// write writes all of data at an offset.
func (e *env) write(fd int, data string, off int64) {
	e.Helper()
	n, err := unix.Pwrite(fd, []byte(data), off)
	e.ok(err)
	eq(e, "bytes written", n, len(data))
}

// read reads up to n bytes at an offset.
func (e *env) read(fd, n int, off int64) string {
	e.Helper()
	buf := make([]byte, n)
	got := 0
	for got < n {
		k, err := unix.Pread(fd, buf[got:], off+int64(got))
		e.ok(err)
		if k == 0 {
			break
		}
		got += k
	}
	return string(buf[:got])
}

// holds checks the whole content of a file.
func (e *env) holds(path, want string) {
	e.Helper()
	got, err := os.ReadFile(path)
	e.ok(err)
	eq(e, "content of "+filepath.Base(path), string(got), want)
}

func (e *env) stat(path string) unix.Stat_t {
	e.Helper()
	var st unix.Stat_t
	e.ok(unix.Lstat(path, &st))
	return st
}

func (e *env) fstat(fd int) unix.Stat_t {
	e.Helper()
	var st unix.Stat_t
	e.ok(unix.Fstat(fd, &st))
	return st
}

// perm is the low twelve bits of a path's mode.
func (e *env) perm(path string) uint32 {
	e.Helper()
	return e.stat(path).Mode & 0o7777
}

// gone checks that a path does not exist.
func (e *env) gone(path string) {
	e.Helper()
	var st unix.Stat_t
	e.is(unix.Lstat(path, &st), unix.ENOENT)
}

// names lists a directory as one string, sorted.
func (e *env) names(path string) string {
	e.Helper()
	entries, err := os.ReadDir(path)
	e.ok(err)
	var names []string
	for _, d := range entries {
		names = append(names, d.Name())
	}
	return strings.Join(names, " ")
}

// needs skips a test that rests on one more promise.
func (e *env) needs(p Promise) {
	e.Helper()
	if gap, lacks := e.opt.Without[p]; lacks {
		e.Skipf("no %s: %s", p, gap.Reason)
	}
}

// root skips a test that takes the rights of root.
func (e *env) root() {
	e.Helper()
	if os.Geteuid() != 0 {
		e.Skip("NEEDS ROOT: this process cannot become another user")
	}
}
