package storage

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"holdfast"
)

// HostLock is a lock among the processes of one machine. The kernel drops it with the last breath of its
// holder, so whoever gets it knows that every process that held this very lock ([HostLock.Token]) is gone or gave it up.
type HostLock struct {
	file  *os.File
	whole *os.File // of LockHostOf: the path's own lock, shared; else nil
	token string
}

// LockHost takes the machine-wide lock named by path, which need not exist. It does not wait: if another process (or
// this one) holds the lock, the error is of kind Conflict and names the holder's pid.
//
// The lock is a flock(2) on a file in a directory of the machine, not of the mount: locks on shared mounts are not
// reliable, and a lock is only asked here what the machine's own kernel can answer. Processes in containers with a file system
// of their own do not see each other's locks: see Token.
func LockHost(path string) (*HostLock, error) {
	name, abs, err := machineFile(path, ".lock")
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l, err := lockFile(f, abs)
	if err != nil {
		_ = f.Close() // nothing to lose in it
		return nil, err
	}
	return l, nil
}

// LockHostOf takes the machine-wide lock of one host's process on path. Any number of processes of different hosts may work on
// one path of one machine, as in tests; LockHost and LockHostOf of one path exclude each other.
func LockHostOf(path string, host holdfast.HostID) (*HostLock, error) {
	name, abs, err := machineFile(path, ".lock")
	if err != nil {
		return nil, err
	}
	whole, err := os.OpenFile(name, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := retryInterrupted(func() error { return unix.Flock(int(whole.Fd()), unix.LOCK_SH|unix.LOCK_NB) }); err != nil {
		content := make([]byte, 256)
		n, _ := whole.ReadAt(content, 0) // only a hint
		_ = whole.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, inUse(abs, strings.Fields(string(content[:n])))
		}
		return nil, &os.PathError{Op: "flock", Path: name, Err: err}
	}
	f, err := os.OpenFile(strings.TrimSuffix(name, ".lock")+"-"+host.String()+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errors.Join(err, whole.Close())
	}
	l, err := lockFile(f, abs)
	if err != nil {
		_, _ = f.Close(), whole.Close() // nothing to lose in them
		return nil, err
	}
	l.whole = whole
	return l, nil
}

// inUse is the error of a lock that another process holds, given what the lock file says of it.
func inUse(path string, fields []string) error {
	holder := "another process"
	if len(fields) > 1 {
		holder = "process " + fields[1]
	}
	return &holdfast.Error{Op: "lock", Kind: holdfast.Conflict, ID: path, Err: fmt.Errorf("in use by %s of this machine", holder)}
}

// lockFile locks an open lock file and makes its content "token pid path".
func lockFile(f *os.File, path string) (*HostLock, error) {
	err := retryInterrupted(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	content := make([]byte, 256)
	n, _ := f.ReadAt(content, 0) // an empty or unreadable file only costs the hint
	fields := strings.Fields(string(content[:n]))
	if errors.Is(err, unix.EWOULDBLOCK) {
		if retryInterrupted(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) }) == nil {
			fields = nil // nodes of hosts share it; who is named there held it before them
		}
		return nil, inUse(path, fields)
	}
	if err != nil {
		return nil, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
	token := rand.Text()
	if len(fields) > 0 && len(fields[0]) == len(token) {
		token = fields[0]
	}
	text := fmt.Sprintf("%s %d %s\n", token, os.Getpid(), path)
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return nil, err
	}
	if err := f.Truncate(int64(len(text))); err != nil {
		return nil, err
	}
	return &HostLock{file: f, token: token}, nil
}

// SocketPath returns where a process of this machine that works on path listens for others of the same user: beside the file of
// [LockHost] and not on the mount, where sockets may not work.
func SocketPath(path string) (string, error) {
	name, _, err := machineFile(path, ".sock")
	return name, err
}

// machineFile returns the name of a file of this machine that stands for a path, and the real path it stands for.
func machineFile(path, ext string) (name, real string, err error) {
	if real, err = filepath.Abs(path); err != nil {
		return "", "", err
	}
	if r, err := filepath.EvalSymlinks(real); err == nil {
		real = r
	} else if r, err := filepath.EvalSymlinks(filepath.Dir(real)); err == nil {
		real = filepath.Join(r, filepath.Base(real))
	}
	dir, err := machineDir()
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256([]byte(real))
	return filepath.Join(dir, hex.EncodeToString(sum[:16])+ext), real, nil
}

// machineDir returns the directory of lock files and sockets, made if need be: one for root, one for each other user. One that
// another user could put something into is refused.
func machineDir() (string, error) {
	dir := "/run/holdfast"
	if os.Geteuid() != 0 {
		dir = filepath.Join(os.TempDir(), "holdfast-"+strconv.Itoa(os.Geteuid()))
	}
	err := os.MkdirAll(dir, 0o700)
	if err != nil && os.Geteuid() == 0 {
		dir = filepath.Join(os.TempDir(), "holdfast-0")
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return "", &holdfast.Error{Op: "machine directory", Kind: holdfast.Denied, ID: dir, Err: errors.New("is open to other users")}
	}
	return dir, nil
}

// Token names the lock itself: random, made with the lock file and gone with it. A successor proves that a
// predecessor is dead by holding the lock whose token, and on the boot whose id, the predecessor wrote down. After a reboot,
// a clean-up of temporary files or in another container the token differs, and nothing is proven.
func (l *HostLock) Token() string { return l.token }

// Close gives the lock back. The lock file stays, and with it the token.
func (l *HostLock) Close() error {
	err := l.file.Close()
	if l.whole != nil {
		err = errors.Join(err, l.whole.Close())
	}
	return err
}

// BootID returns the random id of this boot of the machine, or an error if the kernel does not tell.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(b)), nil
}

var _ io.Closer = (*HostLock)(nil)
