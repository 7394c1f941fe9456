package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	dirPrefix       = "holdfast-lab-"
	namespacePrefix = "hfl-"
	lockName        = "lock"
	wipeWithin      = time.Minute
)

func tagOf(dir string) string { return strings.TrimPrefix(filepath.Base(dir), dirPrefix) }

// claim removes what dead tests left and makes the directory of a new lab, locked. A lock on the directory of all labs keeps others from
// taking a directory for a dead one's before its own lock is held.
func claim(ctx context.Context) (string, *os.File, error) {
	gate, err := os.OpenFile(filepath.Join(os.TempDir(), "holdfast-labs.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, err
	}
	defer gate.Close()
	if err := await(ctx, "the lock of all labs", func() error { return tryLock(gate) }); err != nil {
		return "", nil, err
	}
	if err := sweep(ctx); err != nil {
		return "", nil, fmt.Errorf("remove what dead tests left: %w", err)
	}
	// Its namespaces are named for the process and so is it: people look for what runs.
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
	if err != nil {
		return "", nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = tryLock(lock)
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, lock, nil
}

// tryLock takes a lock that goes away with this process. Go opens files close-on-exec, so no daemon inherits it.
func tryLock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// sweep wipes the labs whose process is gone: nobody holds their lock.
func sweep(ctx context.Context) error {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if tryLock(lock) == nil {
			errs = append(errs, wipe(ctx, dir))
		}
		errs = append(errs, lock.Close())
	}
	return errors.Join(errs...)
}

// wipe removes a lab. Mounts go first, so that nothing waits for a server that is dead or cut off; then the processes, the namespaces and
// last the files, when certainly no mount is among them.
func wipe(ctx context.Context, dir string) error {
	if err := unmountBelow(dir); err != nil {
		return err
	}
	names, err := filepath.Glob(namespacePath(namespacePrefix + tagOf(dir) + "-*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range names {
		name := filepath.Base(path)
		err := await(ctx, "end of what runs in "+name, func() error { return killAll(ctx, name) })
		if err == nil {
			_, err = run(ctx, "ip", "netns", "del", name)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err // another sweep finds the directory, and by it what is left
	}
	return os.RemoveAll(dir)
}

// killAll kills the processes of a namespace; an error if there were any.
func killAll(ctx context.Context, namespace string) error {
	pids, err := pidsOf(ctx, namespace)
	if err != nil {
		return err
	}
	// Our own main thread may be in there for the moment of a dial.
	pids = slices.DeleteFunc(pids, func(pid int) bool { return pid == os.Getpid() })
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	if len(pids) > 0 {
		return fmt.Errorf("processes %v", pids)
	}
	return nil
}

func pidsOf(ctx context.Context, namespace string) ([]int, error) {
	out, err := run(ctx, "ip", "netns", "pids", namespace)
	if err != nil {
		return nil, err
	}
	var pids []int
	for word := range strings.FieldsSeq(out) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("ip netns pids: %q", out)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// pidsNamed returns the processes of a program in a host.
func (l *Lab) pidsNamed(ctx context.Context, h Host, program string) ([]int, error) {
	pids, err := pidsOf(ctx, l.namespace(h))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(pids, func(pid int) bool {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		return err != nil || strings.TrimSpace(string(comm)) != program
	}), nil
}

// unmountBelow takes away all mounts below a directory, inner ones first, though their servers may be dead.
func unmountBelow(dir string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var points []string
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line) // proc(5): the fifth is the mount point; ours need no escapes
		if len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			points = append(points, fields[4])
		}
	}
	slices.Reverse(points) // later mounts lie on earlier ones
	for _, p := range points {
		if err := unix.Unmount(p, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", p, err)
		}
	}
	return nil
}
