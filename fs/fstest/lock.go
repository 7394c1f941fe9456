package fstest

import (
	"golang.org/x/sys/unix"
)

// lock is a request for a lock of either kind.
type lock struct {
	Kind       string // "flock", "posix" (of the process) or "ofd" (of the open file)
	Type       int16  // unix.F_RDLCK, F_WRLCK or F_UNLCK
	Start, Len int64  // of range locks; a length of 0 reaches to the end, wherever that will be
	Wait       bool
}

func (l lock) set(fd int) error {
	if l.Kind == "flock" {
		how := map[int16]int{unix.F_RDLCK: unix.LOCK_SH, unix.F_WRLCK: unix.LOCK_EX, unix.F_UNLCK: unix.LOCK_UN}[l.Type]
		if !l.Wait {
			how |= unix.LOCK_NB
		}
		return unix.Flock(fd, how)
	}
	cmd := map[string]int{"posix": unix.F_SETLK, "ofd": unix.F_OFD_SETLK}[l.Kind]
	if l.Wait {
		cmd = map[string]int{"posix": unix.F_SETLKW, "ofd": unix.F_OFD_SETLKW}[l.Kind]
	}
	return unix.FcntlFlock(uintptr(fd), cmd, &unix.Flock_t{Type: l.Type, Start: l.Start, Len: l.Len})
}

// get asks what stands in the way of a range lock.
func (l lock) get(fd int) (unix.Flock_t, error) {
	cmd := unix.F_GETLK
	if l.Kind == "ofd" {
		cmd = unix.F_OFD_GETLK
	}
	found := unix.Flock_t{Type: l.Type, Start: l.Start, Len: l.Len}
	err := unix.FcntlFlock(uintptr(fd), cmd, &found)
	return found, err
}

func (a *actor) lock(fd int, l lock) error {
	a.e.Helper()
	return a.try(call{Do: "lock", Fd: fd, Lock: l})
}

// lockTests hold flock(2) and the locks of fcntl(2), between processes, on one mount and over two.
func lockTests() []test {
	var tests []test
	for _, kind := range []string{"flock", "posix", "ofd"} {
		p, owner := RangeLocks, RangeLocks
		switch kind {
		case "flock":
			p, owner = Flock, Flock
		case "posix":
			owner = ProcessLocks
		}
		tests = append(tests,
			test{kind + ": what shares and what excludes", p, func(e *env) { exclusion(e, kind, e.at("f")) }},
			test{kind + ": a waiter goes on when the holder lets go", p, func(e *env) { waiting(e, kind, e.at("f")) }},
			test{kind + ": a waiter goes on when the holder is killed", p, func(e *env) { killed(e, kind, e.at("f")) }},
			test{kind + ": closing lets go", owner, func(e *env) { closing(e, kind) }},
			test{kind + ": changed from shared to exclusive and back", p, func(e *env) { converted(e, kind) }},
			test{kind + ": what shares and what excludes over two mounts", CrossLocks, func(e *env) { exclusion(e, kind, e.there("f")) }},
			test{kind + ": a waiter goes on over two mounts", CrossLocks, func(e *env) { waiting(e, kind, e.there("f")) }},
			test{kind + ": a holder is killed on another mount", CrossLocks, func(e *env) { killed(e, kind, e.there("f")) }},
		)
	}
	return append(tests, rangeTests()...)
}

// exclusion tries every pair of locks of two processes, the second by its own path.
func exclusion(e *env, kind, second string) {
	a, b := e.actor(), e.actor()
	fa, fb := a.open(e.file("f", "data"), unix.O_RDWR), b.open(second, unix.O_RDWR)
	for _, row := range []struct {
		a, b int16
		want unix.Errno
	}{
		{unix.F_RDLCK, unix.F_RDLCK, 0}, {unix.F_RDLCK, unix.F_WRLCK, unix.EAGAIN},
		{unix.F_WRLCK, unix.F_RDLCK, unix.EAGAIN}, {unix.F_WRLCK, unix.F_WRLCK, unix.EAGAIN}, {unix.F_UNLCK, unix.F_WRLCK, 0},
	} {
		e.ok(a.lock(fa, lock{Kind: kind, Type: row.a}))
		e.is(b.lock(fb, lock{Kind: kind, Type: row.b}), row.want)
		e.ok(b.lock(fb, lock{Kind: kind, Type: unix.F_UNLCK}))
		e.ok(a.lock(fa, lock{Kind: kind, Type: unix.F_UNLCK}))
	}
}

// waiting has a second process wait. The holder writes just before it lets go: who was let in earlier would not read it.
func waiting(e *env, kind, second string) {
	a, b := e.actor(), e.actor()
	fa, fb := a.open(e.file("f", "data"), unix.O_RDWR), b.open(second, unix.O_RDWR)
	e.ok(a.lock(fa, lock{Kind: kind, Type: unix.F_WRLCK}))
	wait := b.start(call{Do: "lock", Fd: fb, Lock: lock{Kind: kind, Type: unix.F_WRLCK, Wait: true}})
	e.ok(a.try(call{Do: "write", Fd: fa, Data: []byte("DONE")}))
	e.ok(a.try(call{Do: "fsync", Fd: fa}))
	e.ok(a.lock(fa, lock{Kind: kind, Type: unix.F_UNLCK}))
	_, err := wait()
	e.ok(err)
	fresh := b.open(second, unix.O_RDONLY) // what another mount wrote is promised to a new handle
	r, err := b.do(call{Do: "read", Fd: fresh, Len: 10})
	e.ok(err)
	eq(e, "content", string(r.Data), "DONE")
}

func killed(e *env, kind, second string) {
	a, b := e.actor(), e.actor()
	fa, fb := a.open(e.file("f", "data"), unix.O_RDWR), b.open(second, unix.O_RDWR)
	e.ok(a.lock(fa, lock{Kind: kind, Type: unix.F_WRLCK}))
	e.is(b.lock(fb, lock{Kind: kind, Type: unix.F_WRLCK}), unix.EAGAIN)
	wait := b.start(call{Do: "lock", Fd: fb, Lock: lock{Kind: kind, Type: unix.F_WRLCK, Wait: true}})
	a.kill()
	_, err := wait()
	e.ok(err)
}

// closing tells the families apart: the locks of a process go with the first handle of the file that it closes, the locks of an
// open file with the last twin of the handle.
func closing(e *env, kind string) {
	a, b := e.actor(), e.actor()
	path := e.file("f", "data")
	held, fb := a.open(path, unix.O_RDWR), b.open(path, unix.O_RDWR)
	want := lock{Kind: kind, Type: unix.F_WRLCK}
	e.ok(a.lock(held, want))
	another := a.open(path, unix.O_RDONLY)
	e.ok(a.try(call{Do: "close", Fd: another}))
	if kind == "posix" {
		e.ok(b.lock(fb, want))
		return
	}
	e.is(b.lock(fb, want), unix.EAGAIN)
	twin, err := a.do(call{Do: "dup", Fd: held})
	e.ok(err)
	e.ok(a.try(call{Do: "close", Fd: held}))
	e.is(b.lock(fb, want), unix.EAGAIN)
	e.ok(a.try(call{Do: "close", Fd: int(twin.N)}))
	want.Wait = true // the last close may reach a server a moment later
	e.ok(b.lock(fb, want))
}

func converted(e *env, kind string) {
	a, b := e.actor(), e.actor()
	path := e.file("f", "data")
	fa, fb := a.open(path, unix.O_RDWR), b.open(path, unix.O_RDWR)
	shared, exclusive := lock{Kind: kind, Type: unix.F_RDLCK}, lock{Kind: kind, Type: unix.F_WRLCK}
	e.ok(a.lock(fa, shared))
	e.ok(a.lock(fa, exclusive))
	e.is(b.lock(fb, shared), unix.EAGAIN)
	e.ok(a.lock(fa, shared))
	e.ok(b.lock(fb, shared))
	e.is(a.lock(fa, exclusive), unix.EAGAIN)
}

// rangeTests hold what only locks of ranges have.
func rangeTests() []test {
	var tests []test
	for _, kind := range []string{"posix", "ofd"} {
		tests = append(tests,
			test{kind + ": ranges", RangeLocks, func(e *env) { ranges(e, kind, e.at("f")) }},
			test{kind + ": ranges over two mounts", CrossLocks, func(e *env) { ranges(e, kind, e.there("f")) }},
			test{kind + ": a range is split by what is let go", RangeLocks, func(e *env) { split(e, kind) }},
			fails(kind+": a write lock on a handle for reading", RangeLocks, unix.EBADF, func(e *env) error {
				return lock{Kind: kind, Type: unix.F_WRLCK}.set(e.open(e.file("f", ""), unix.O_RDONLY))
			}),
			fails(kind+": a read lock on a handle for writing", RangeLocks, unix.EBADF, func(e *env) error {
				return lock{Kind: kind, Type: unix.F_RDLCK}.set(e.open(e.file("f", ""), unix.O_WRONLY))
			}),
			fails(kind+": a range before the start", RangeLocks, unix.EINVAL, func(e *env) error {
				return lock{Kind: kind, Type: unix.F_WRLCK, Start: 5, Len: -10}.set(e.open(e.file("f", ""), unix.O_RDWR))
			}),
		)
	}
	return append(tests, []test{
		{"posix: F_GETLK names the process", ProcessLocks, func(e *env) {
			a, b := e.actor(), e.actor()
			path := e.file("f", "data")
			e.ok(a.lock(a.open(path, unix.O_RDWR), lock{Kind: "posix", Type: unix.F_WRLCK}))
			r, err := b.do(call{Do: "getlock", Fd: b.open(path, unix.O_RDWR), Lock: lock{Kind: "posix", Type: unix.F_RDLCK}})
			e.ok(err)
			eq(e, "process", int(r.Found.Pid), a.cmd.Process.Pid)
		}},
		{"posix: F_GETLK names the range", RangeLocks, func(e *env) {
			a, b := e.actor(), e.actor()
			path := e.file("f", "data")
			fa, fb := a.open(path, unix.O_RDWR), b.open(path, unix.O_RDWR)
			e.ok(a.lock(fa, lock{Kind: "posix", Type: unix.F_WRLCK, Start: 10, Len: 5}))
			r, err := b.do(call{Do: "getlock", Fd: fb, Lock: lock{Kind: "posix", Type: unix.F_RDLCK}})
			e.ok(err)
			eq(e, "type", r.Found.Type, unix.F_WRLCK)
			eq(e, "start", r.Found.Start, 10)
			eq(e, "length", r.Found.Len, 5)
			r, err = b.do(call{Do: "getlock", Fd: fb, Lock: lock{Kind: "posix", Type: unix.F_RDLCK, Start: 15, Len: 1}})
			e.ok(err)
			eq(e, "type beside it", r.Found.Type, unix.F_UNLCK)
		}},
		{"ofd: two handles of one process exclude each other", RangeLocks, func(e *env) {
			path := e.file("f", "data")
			one, two := e.open(path, unix.O_RDWR), e.open(path, unix.O_RDWR)
			want := lock{Kind: "ofd", Type: unix.F_WRLCK}
			e.ok(want.set(one))
			e.is(want.set(two), unix.EAGAIN)
		}},
		{"flock: two handles of one process exclude each other", Flock, func(e *env) {
			path := e.file("f", "data")
			one, two := e.open(path, unix.O_RDWR), e.open(path, unix.O_RDONLY)
			e.ok(unix.Flock(one, unix.LOCK_EX|unix.LOCK_NB))
			e.is(unix.Flock(two, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
		}},
		{"flock: a directory", Flock, func(e *env) {
			e.ok(unix.Flock(e.open(e.folder("d"), unix.O_DIRECTORY), unix.LOCK_EX|unix.LOCK_NB))
		}},
	}...)
}

// ranges holds bytes 10 to 19 in one process and tries others in a second.
func ranges(e *env, kind, second string) {
	a, b := e.actor(), e.actor()
	fa, fb := a.open(e.file("f", "data"), unix.O_RDWR), b.open(second, unix.O_RDWR)
	e.ok(a.lock(fa, lock{Kind: kind, Type: unix.F_WRLCK, Start: 10, Len: 10}))
	for _, row := range []struct {
		start, n int64
		want     unix.Errno
	}{
		{0, 10, 0}, {20, 10, 0}, {20, 0, 0}, {1 << 40, 1, 0}, {0, 0, unix.EAGAIN}, {0, 11, unix.EAGAIN},
		{19, 1, unix.EAGAIN}, {12, 2, unix.EAGAIN}, {19, 0, unix.EAGAIN}, {5, 100, unix.EAGAIN},
	} {
		l := lock{Kind: kind, Type: unix.F_WRLCK, Start: row.start, Len: row.n}
		if got := errnoOf(b.lock(fb, l)); got != row.want {
			e.Errorf("bytes from %d, %d: got %s, want %s", row.start, row.n, errnoName(got), errnoName(row.want))
		}
		l.Type = unix.F_UNLCK
		e.ok(b.lock(fb, l))
	}
}

func split(e *env, kind string) {
	a, b := e.actor(), e.actor()
	path := e.file("f", "data")
	fa, fb := a.open(path, unix.O_RDWR), b.open(path, unix.O_RDWR)
	e.ok(a.lock(fa, lock{Kind: kind, Type: unix.F_WRLCK, Len: 30}))
	e.ok(a.lock(fa, lock{Kind: kind, Type: unix.F_UNLCK, Start: 10, Len: 10}))
	e.ok(b.lock(fb, lock{Kind: kind, Type: unix.F_WRLCK, Start: 10, Len: 10}))
	e.is(b.lock(fb, lock{Kind: kind, Type: unix.F_WRLCK, Start: 9, Len: 1}), unix.EAGAIN)
	e.is(b.lock(fb, lock{Kind: kind, Type: unix.F_WRLCK, Start: 20, Len: 1}), unix.EAGAIN)
}
