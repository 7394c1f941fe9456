package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// startTime bounds how long a server may take until it serves.
	startTime = 30 * time.Second
	// stopTime bounds how long it may take to drain before it is killed.
	stopTime = 15 * time.Second
	// pollEvery is how often a starting server is asked.
	pollEvery = 20 * time.Millisecond
	// maxLog is how much of a server's last output an error quotes.
	maxLog = 2 << 10
)

// server is a process under test.
type server struct {
	name     string
	endpoint string // http://host:port
	data     string // its directory
	cmd      *exec.Cmd
	log      string        // file with its output
	exited   chan struct{} // closed when the process has ended
	err      error         // how it ended; read after exited
}

// startServer starts `holdfast server` on a fresh directory.
func startServer(ctx context.Context, binary, dir string) (*server, error) {
	addrs, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	s := &server{name: "holdfast", endpoint: "http://" + addrs[0], data: filepath.Join(dir, "data")}
	ready := func() bool { return answersOK("http://" + addrs[1] + "/healthz") }
	return s, s.start(ctx, binary, ready, "server", "--data", s.data, "--s3-address", addrs[0], "--metrics-address", addrs[1])
}

// startNull starts the null server.
func startNull(ctx context.Context, binary, dir string) (*server, error) {
	addrs, err := freeAddresses(1)
	if err != nil {
		return nil, err
	}
	s := &server{name: "null", endpoint: "http://" + addrs[0], data: filepath.Join(dir, "null")}
	ready := func() bool { return accepts(addrs[0]) }
	return s, s.start(ctx, binary, ready, "null-server", "--s3-address", addrs[0], "--data", s.data)
}

// start runs the binary and waits until ready says so; on an error nothing is
// left running.
func (s *server) start(ctx context.Context, binary string, ready func() bool, args ...string) error {
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return err
	}
	s.log = s.data + ".log"
	out, err := os.Create(s.log)
	if err != nil {
		return err
	}
	defer out.Close() // the child has its own descriptor
	s.cmd = exec.Command(binary, args...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	// A killed run must not leave a server behind.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start %s server: %w", s.name, err)
	}
	s.exited = make(chan struct{})
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	if err := s.await(ctx, ready); err != nil {
		return errors.Join(fmt.Errorf("%s server: %w; its output ends with:\n%s", s.name, err, tail(s.log)), s.stop())
	}
	return nil
}

func (s *server) await(ctx context.Context, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ready() && exists(s.credentials()) {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// credentials is the file with the root keys that the server wrote.
func (s *server) credentials() string { return filepath.Join(s.data, "root-credentials.env") }

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop asks the process to end and kills it if it does not.
func (s *server) stop() error {
	select {
	case <-s.exited:
		return nil // its early end has been noticed elsewhere
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-s.exited:
		return nil
	case <-timer.C:
		_ = s.cmd.Process.Kill() // it may have ended just now
		<-s.exited
		return fmt.Errorf("%s server did not end within %v of SIGTERM", s.name, stopTime)
	}
}

// freeAddresses finds n loopback ports that nobody listens on.
func freeAddresses(n int) ([]string, error) {
	var addrs []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

func answersOK(url string) bool {
	resp, err := (&http.Client{Timeout: time.Second}).Get(url)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body) // only the status matters
	_ = resp.Body.Close()                 // likewise
	return resp.StatusCode == http.StatusOK
}

func accepts(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close() // it was only a question
	return true
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tail is the end of a file, for a message.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(bytes.ToValidUTF8(b[max(0, len(b)-maxLog):], nil)))
}
