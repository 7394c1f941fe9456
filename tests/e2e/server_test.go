package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// readyWithin bounds how long a server may take until it answers /readyz; far more than it needs.
const readyWithin = 60 * time.Second

// server is a running holdfast process on a data directory that outlives it.
type server struct {
	data     string
	s3       string // host:port
	metrics  string // host:port
	access   string
	secret   string
	cmd      *exec.Cmd
	exited   chan struct{} // closed when the process ended
	exitErr  error         // valid after exited
	log      *logBuffer
	extraArg []string
}

// logBuffer keeps the end of what the process wrote.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const keepLog = 64 << 10

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.Len() > keepLog {
		l.buf.Next(l.buf.Len() - keepLog/2)
	}
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// newServer prepares a server on a fresh directory and starts it; the test's end stops it.
func newServer(t *testing.T, args ...string) *server {
	t.Helper()
	return newServerOn(t, filepath.Join(t.TempDir(), "data"), args...)
}

// newServerOn is newServer on a given directory.
func newServerOn(t *testing.T, data string, args ...string) *server {
	t.Helper()
	s := &server{
		data: data, s3: freeAddress(t), metrics: freeAddress(t), extraArg: args,
	}
	s.start(t)
	t.Cleanup(func() {
		if s.running() {
			s.kill(t)
		}
		if t.Failed() {
			t.Logf("the server wrote:\n%s", s.log)
		}
	})
	s.access, s.secret = readCredentials(t, filepath.Join(s.data, "root-credentials.env"))
	return s
}

// start runs the binary and waits until it is ready.
func (s *server) start(t *testing.T) {
	t.Helper()
	args := append([]string{"server", "--data", s.data, "--s3-address", s.s3, "--metrics-address", s.metrics}, s.extraArg...)
	s.log = &logBuffer{}
	s.cmd = exec.Command(binary, args...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		s.exitErr = cmd.Wait()
		close(exited)
	}(s.cmd, s.exited)
	eventually(t, readyWithin, "the server to be ready", func() error {
		select {
		case <-s.exited:
			t.Fatalf("the server ended: %v\n%s", s.exitErr, s.log)
		default:
		}
		resp, err := http.Get("http://" + s.metrics + "/readyz")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz: %s", resp.Status)
		}
		return nil
	})
}

func (s *server) running() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// kill ends the process at once, as a crash does.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.exited
}

// stop asks the process to close cleanly and checks that it does.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.exited:
	case <-time.After(readyWithin):
		t.Fatalf("the server did not close within %v\n%s", readyWithin, s.log)
	}
	if s.exitErr != nil {
		t.Fatalf("close: %v\n%s", s.exitErr, s.log)
	}
}

// fsck runs the checker on the stopped server's directory and fails the test unless it is clean.
func (s *server) fsck(t *testing.T) {
	t.Helper()
	out, err := exec.Command(binary, "fsck", "--data", s.data).CombinedOutput()
	if err != nil {
		t.Fatalf("fsck: %v\n%s", err, out)
	}
}

func (s *server) endpoint() string { return "http://" + s.s3 }

// freeAddress returns an address that nobody listens at. Its port is below those that the system gives to outgoing connections, so
// that none of the clients' takes it before the server does.
func freeAddress(t *testing.T) string {
	t.Helper()
	const lowest, ports, tries = 10_000, 20_000, 100
	var err error
	for range tries {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(ports))); err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal(err)
	return ""
}

func readCredentials(t *testing.T, name string) (access, secret string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		switch key, value, _ := strings.Cut(s.Text(), "="); key {
		case "HOLDFAST_ROOT_ACCESS_KEY":
			access = value
		case "HOLDFAST_ROOT_SECRET_KEY":
			secret = value
		}
	}
	if access == "" || secret == "" {
		t.Fatalf("%s holds no credentials", name)
	}
	return access, secret
}

// eventually polls until ok returns nil, and fails the test with the last error after the bound.
func eventually(t *testing.T, bound time.Duration, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(bound)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s: %v", bound, what, err)
		}
		<-tick.C
	}
}
