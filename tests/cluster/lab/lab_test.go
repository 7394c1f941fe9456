package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childVariable makes this binary a process that makes a lab, says which, and waits to be killed.
const childVariable = "HOLDFAST_TEST_LAB_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		l, err := New(context.Background(), 2, Local())
		if err == nil {
			_, err = l.Start(1, "sleep", nil, "setsid", "--fork", "sleep", "600") // a daemon that outlives us
		}
		fmt.Println(l.dir, err)
		select {}
	}
	if os.Getenv("HOLDFAST_CLUSTER") == "" {
		fmt.Println("lab: nothing runs without HOLDFAST_CLUSTER=1, as make cluster sets it: these tests need root and real storages")
		return
	}
	os.Exit(m.Run())
}

// newLab makes a lab for a test, and sees at its end that nothing of it is left.
func newLab(t *testing.T, n int, s Storage) *Lab {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	began := time.Now()
	l, err := New(ctx, n, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s with %d hosts: up after %.1f s", s.Name(), n, time.Since(began).Seconds())
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		checkGone(t, l.dir)
	})
	return l
}

// checkGone fails if something of a lab is there.
func checkGone(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v, want it gone", dir, err)
	}
	if left, err := filepath.Glob(namespacePath(namespacePrefix + tagOf(dir) + "*")); err != nil || len(left) > 0 {
		t.Errorf("namespaces %v are left (%v)", left, err)
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || bytes.Contains(table, []byte(dir)) {
		t.Errorf("mounts in %s are left (%v):\n%s", dir, err, table)
	}
}

// serve accepts connections at an address in a host.
func serve(t *testing.T, l *Lab, h Host, address string) {
	t.Helper()
	done := make(chan error)
	var listener net.Listener
	go func() {
		done <- within(namespacePath(l.namespace(h)), func() (err error) {
			listener, err = net.Listen("tcp", address)
			return err
		})
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // a test has no use for the error
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_ = c.Close() // that it came is all
		}
	}()
}

// reach tells how a connection from a host ends.
func reach(t *testing.T, l *Lab, from Host, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	c, err := l.Dialer(from)(ctx, "tcp", address)
	if err == nil {
		err = c.Close()
	}
	return err
}

// TestNetworksAreCutApart cuts each network of a host and sees that the other goes on.
func TestNetworksAreCutApart(t *testing.T) {
	l, ctx := newLab(t, 3, Local()), t.Context()
	peerAt, storeAt := l.Address(1)+":7000", l.storeAddress(1)+":7001"
	serve(t, l, 1, peerAt)
	serve(t, l, 1, storeAt)
	check := func(when string, from Host, address string, want bool) {
		t.Helper()
		if err := reach(t, l, from, address); (err == nil) != want {
			t.Errorf("%s: host %d reaches %s: %v, want %v", when, from, address, err, want)
		}
	}
	check("all joined", 2, peerAt, true)
	check("all joined", 3, storeAt, true)
	if err := l.CutPeers(ctx, 1); err != nil {
		t.Fatal(err)
	}
	check("peers cut", 2, peerAt, false)
	check("peers cut", 2, storeAt, true)
	check("peers cut", 1, peerAt, true)
	if err := errors.Join(l.JoinPeers(ctx, 1), l.cut(ctx, 1, store)); err != nil {
		t.Fatal(err)
	}
	check("storage cut", 2, peerAt, true)
	check("storage cut", 2, storeAt, false)
	if err := l.JoinStorage(ctx, 1); err != nil {
		t.Fatal(err)
	}
	check("joined again", 2, storeAt, true)
	if err := l.CutStorage(ctx, 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("cut storage without a network: %v, want ErrUnsupported", err)
	}
	if err := reach(t, l, 2, "192.0.2.1:80"); err == nil {
		t.Error("a host reaches the world")
	}
}

// stateOf returns the state of a process, as proc(5) has it.
func stateOf(p *Process) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		return err.Error()
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return rest[:1]
}

func TestProcessesStopGoOnAndDie(t *testing.T) {
	l := newLab(t, 1, Local())
	p, err := l.Start(1, "talker", []string{"WORD=hello"}, "bash", "-c", `echo $WORD from $$; exec sleep 600`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	want := fmt.Sprintf("hello from %d\n", p.PID())
	state := func(want string) func() error {
		return func() error {
			if got := stateOf(p); got != want {
				return fmt.Errorf("state %q", got)
			}
			return nil
		}
	}
	err = await(ctx, "its output", func() error {
		if got := p.Output(); got != want {
			return fmt.Errorf("output %q, want %q", got, want)
		}
		return nil
	})
	if err = errors.Join(err, p.Pause(), await(ctx, "pause", state("T")), p.Resume(), await(ctx, "resume", state("S"))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Pause(), p.Kill(), p.Kill()); err != nil {
		t.Errorf("kill a paused process, and again: %v", err)
	}
	if p.cmd.ProcessState.String() != "signal: killed" {
		t.Errorf("it ended with %s", p.cmd.ProcessState)
	}
}

// TestSweepRemovesWhatACrashLeft kills a test in its lab. The next lab removes that one, with the daemon that runs in it, and no other.
func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	living := newLab(t, 1, Local())
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dir, problem, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || problem != "<nil>" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the crash left nothing: %v", err)
	}
	newLab(t, 1, Local())
	checkGone(t, dir)
	if _, err := os.Stat(living.Mount(1)); err != nil {
		t.Errorf("the lab of a living test: %v", err)
	}
}

// TestStoragesSurviveTheLossOfOne writes through one mount and reads through others, with all there, with a host cut off and with a server killed.
func TestStoragesSurviveTheLossOfOne(t *testing.T) {
	for _, s := range []Storage{Gluster(), MooseFS()} {
		t.Run(s.Name(), func(t *testing.T) {
			l := newLab(t, 3, s)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			pass := func(what string, from, to Host) {
				t.Helper()
				began := time.Now()
				if err := handOver(l, what, from, to); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				t.Logf("%s: %.2f s", what, time.Since(began).Seconds())
			}
			do := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			pass("whole", 1, 2)
			do(l.CutStorage(ctx, 3))
			pass("cut", 2, 1)
			do(l.JoinStorage(ctx, 3))
			do(l.AwaitStorage(ctx))
			pass("joined", 3, 1)
			do(l.KillServer(ctx, 2))
			pass("killed", 2, 3)
			do(l.StartServer(ctx, 2))
			do(l.AwaitStorage(ctx))
			pass("started", 1, 2)
		})
	}
}

// patience bounds an I/O of the tests; storages stall for some seconds when they lose a server.
const patience = 45 * time.Second

// handOver writes a file in one host and reads it in another. It gives up after patience, since a mount may hang for ever.
func handOver(l *Lab, name string, from, to Host) error {
	done := make(chan error, 1)
	go func() {
		want := []byte("content of " + name)
		f, err := os.Create(filepath.Join(l.Mount(from), name))
		if err == nil {
			_, err = f.Write(want)
			err = errors.Join(err, f.Sync(), f.Close())
		}
		if err != nil {
			done <- err
			return
		}
		got, err := os.ReadFile(filepath.Join(l.Mount(to), name))
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("host %d reads %q", to, got)
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return errors.New("the mount hangs")
	}
}
