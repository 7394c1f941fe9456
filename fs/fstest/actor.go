package fstest

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// actorEnv marks the process of an actor.
const actorEnv = "HOLDFAST_FSTEST_ACTOR"

// patience bounds every wait for another process. It is no measure of speed: only a call that never returns meets it.
const patience = 20 * time.Second

// Main runs the tests of a package that calls Run, and returns the exit code. In a process that Run started it serves that
// instead.
func Main(m *testing.M) int {
	if os.Getenv(actorEnv) == "" {
		return m.Run()
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fstest actor:", err)
		return 1
	}
	return 0
}

// call is one system call for an actor to make. Which fields count depends on Do.
type call struct {
	Do       string
	Path, To string
	Fd       int
	Flags    int
	Mode     uint32
	Uid, Gid int
	Groups   []int
	Off, Len int64
	Data     []byte
	Lock     lock
}

// reply is what came of a call.
type reply struct {
	N     int64
	Data  []byte
	Found unix.Flock_t
	Errno unix.Errno
}

// actor is another process that makes system calls for a test, one after the other: it holds locks, has other credentials, and
// may be killed.
type actor struct {
	e   *env
	cmd *exec.Cmd
	in  *json.Encoder
	out *json.Decoder

	end  sync.Once     // starts the end of the process
	gone chan struct{} // closed after it
}

// actor starts a process with the credentials of this one. It ends with the test.
func (e *env) actor() *actor {
	e.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), actorEnv+"=1", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	e.ok(err)
	out, err := cmd.StdoutPipe()
	e.ok(err)
	e.ok(cmd.Start())
	a := &actor{e: e, cmd: cmd, gone: make(chan struct{}), in: json.NewEncoder(in), out: json.NewDecoder(out)}
	e.Cleanup(a.kill)
	return a
}

// user starts a process of another user.
func (e *env) user(uid, gid int, groups ...int) *actor {
	e.Helper()
	e.root()
	a := e.actor()
	e.ok(a.try(call{Do: "become", Uid: uid, Gid: gid, Groups: groups}))
	return a
}

// kill ends the process as SIGKILL does, and returns when it is gone. A file system may keep a process that waits for a lock from
// dying; that fails the test but does not hang it.
func (a *actor) kill() {
	a.e.Helper()
	a.end.Do(func() { go a.reap() })
	select {
	case <-a.gone:
	case <-time.After(patience):
		a.e.Errorf("process %d was killed %v ago and is still there", a.cmd.Process.Pid, patience)
	}
}

func (a *actor) reap() {
	_ = a.cmd.Process.Kill() // it may be gone already
	_ = a.cmd.Wait()         // "signal: killed" is what was asked for
	close(a.gone)
}

// do has a call made and waits for it.
func (a *actor) do(c call) (reply, error) {
	a.e.Helper()
	return a.start(c)()
}

// start has a call made that may block. The function it returns waits for the end.
func (a *actor) start(c call) func() (reply, error) {
	a.e.Helper()
	a.e.ok(a.in.Encode(c))
	type outcome struct {
		r   reply
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = a.out.Decode(&o.r)
		done <- o
	}()
	return func() (reply, error) {
		a.e.Helper()
		select {
		case o := <-done:
			if o.err != nil {
				a.e.Fatalf("%s: the other process ended: %v", c.Do, o.err)
			}
			if o.r.Errno != 0 {
				return o.r, o.r.Errno
			}
			return o.r, nil
		case <-time.After(patience):
			a.e.Fatalf("%s: no answer within %v", c.Do, patience)
			return reply{}, nil
		}
	}
}

// try is do for calls that only succeed or fail.
func (a *actor) try(c call) error {
	a.e.Helper()
	_, err := a.do(c)
	return err
}

// open opens a path in the actor; the descriptor is the actor's.
func (a *actor) open(path string, flags int) int {
	a.e.Helper()
	r, err := a.do(call{Do: "open", Path: path, Flags: flags, Mode: 0o644})
	a.e.ok(err)
	return int(r.N)
}

// opens tries whether the actor can open a path.
func (a *actor) opens(path string, flags int) error {
	a.e.Helper()
	r, err := a.do(call{Do: "open", Path: path, Flags: flags, Mode: 0o644})
	if err != nil {
		return err
	}
	return a.try(call{Do: "close", Fd: int(r.N)})
}

// serve makes the calls that come in until the other side goes away.
func serve(in io.Reader, out io.Writer) error {
	dec, enc, known := json.NewDecoder(in), json.NewEncoder(out), verbs()
	for {
		var c call
		if err := dec.Decode(&c); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		verb := known[c.Do]
		if verb == nil {
			return fmt.Errorf("unknown call %q", c.Do)
		}
		var r reply
		if err := verb(c, &r); err != nil {
			r.Errno = errnoOf(err)
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
}

// verbs is what an actor can do.
func verbs() map[string]func(c call, r *reply) error {
	return map[string]func(c call, r *reply) error{
		"become": become,
		"umask":  func(c call, r *reply) error { unix.Umask(int(c.Mode)); return nil },
		"open": func(c call, r *reply) error {
			fd, err := unix.Open(c.Path, c.Flags|unix.O_CLOEXEC, c.Mode)
			r.N = int64(fd)
			return err
		},
		"close": func(c call, _ *reply) error { return unix.Close(c.Fd) },
		"dup":   func(c call, r *reply) error { fd, err := unix.Dup(c.Fd); r.N = int64(fd); return err },
		"read": func(c call, r *reply) error {
			r.Data = make([]byte, c.Len)
			n, err := unix.Pread(c.Fd, r.Data, c.Off)
			r.Data = r.Data[:max(n, 0)]
			return err
		},
		"write":    func(c call, _ *reply) error { _, err := unix.Pwrite(c.Fd, c.Data, c.Off); return err },
		"append":   appendMany,
		"race":     raceMany,
		"fsync":    func(c call, _ *reply) error { return unix.Fsync(c.Fd) },
		"access":   func(c call, _ *reply) error { return unix.Access(c.Path, c.Mode) },
		"mkdir":    func(c call, _ *reply) error { return unix.Mkdir(c.Path, c.Mode) },
		"mknod":    func(c call, _ *reply) error { return unix.Mknod(c.Path, c.Mode, 0) },
		"unlink":   func(c call, _ *reply) error { return unix.Unlink(c.Path) },
		"rmdir":    func(c call, _ *reply) error { return unix.Rmdir(c.Path) },
		"rename":   func(c call, _ *reply) error { return unix.Rename(c.Path, c.To) },
		"chmod":    func(c call, _ *reply) error { return unix.Chmod(c.Path, c.Mode) },
		"chown":    func(c call, _ *reply) error { return unix.Lchown(c.Path, c.Uid, c.Gid) },
		"truncate": func(c call, _ *reply) error { return unix.Truncate(c.Path, c.Len) },
		"stat":     func(c call, _ *reply) error { var st unix.Stat_t; return unix.Lstat(c.Path, &st) },
		"touch":    func(c call, _ *reply) error { return unix.UtimesNanoAt(unix.AT_FDCWD, c.Path, nil, 0) },
		"settime": func(c call, _ *reply) error {
			return unix.UtimesNanoAt(unix.AT_FDCWD, c.Path, []unix.Timespec{{Sec: 1}, {Sec: 1}}, 0)
		},
		"setxattr": func(c call, _ *reply) error { return unix.Setxattr(c.Path, c.To, c.Data, 0) },
		"lock":     func(c call, _ *reply) error { return c.Lock.set(c.Fd) },
		"getlock":  func(c call, r *reply) error { var err error; r.Found, err = c.Lock.get(c.Fd); return err },
		"poke":     poke,
	}
}

// become gives up root in all threads.
func become(c call, _ *reply) error {
	if err := syscall.Setgroups(c.Groups); err != nil {
		return err
	}
	if err := syscall.Setresgid(c.Gid, c.Gid, c.Gid); err != nil {
		return err
	}
	return syscall.Setresuid(c.Uid, c.Uid, c.Uid)
}

// appendMany writes the data Len times to the end of a file.
func appendMany(c call, _ *reply) error {
	fd, err := unix.Open(c.Path, unix.O_WRONLY|unix.O_APPEND|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	for range c.Len {
		if _, err := unix.Write(fd, c.Data); err != nil {
			_ = unix.Close(fd) // the first error counts
			return err
		}
	}
	return unix.Close(fd)
}

// raceMany makes one call for each of Len names that begin with Path, and answers with a 1 for each that succeeded and a 0 for each
// that came too late. To names the call, and Data is what the other name has
// besides.
func raceMany(c call, r *reply) error {
	for i := range c.Len {
		path := fmt.Sprint(c.Path, i)
		var err error
		switch c.To {
		case "create":
			err = opens(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
		case "mkdir":
			err = unix.Mkdir(path, 0o755)
		case "unlink":
			err = unix.Unlink(path)
		case "rename":
			err = unix.Rename(path, path+string(c.Data))
		case "RENAME_NOREPLACE":
			err = unix.Renameat2(unix.AT_FDCWD, path+string(c.Data), unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
		case "link":
			err = unix.Link(path+string(c.Data), path)
		}
		switch err {
		case nil:
			r.Data = append(r.Data, 1)
		case unix.EEXIST, unix.ENOENT:
			r.Data = append(r.Data, 0)
		default:
			return err
		}
	}
	return nil
}

// poke maps Len bytes of a file, cuts it to Off bytes, and touches the last of the mapped ones. A fault is answered as EFAULT.
func poke(c call, _ *reply) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = unix.EFAULT
		}
	}()
	fd, err := unix.Open(c.Path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	m, err := unix.Mmap(fd, 0, int(c.Len), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	if err := unix.Ftruncate(fd, c.Off); err != nil {
		return err
	}
	m[len(m)-1] = 1
	return nil
}
