package fastcgi

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// SniffWithin is how long a connection may be silent before it is given to HTTP, which has a bound of its own.
	SniffWithin = 20 * time.Second
	// MaxSniffed is how many connections may be silent at a time; one more is given to HTTP at once.
	MaxSniffed = 1024

	// Bounds of the pause after an error of Accept that passes.
	minPause, maxPause = 5 * time.Millisecond, time.Second
)

// version is the first byte of every record (FastCGI 1.0, section 3.3); no request of HTTP and no handshake of TLS begins so.
const version = 1

// Split divides the connections of a listener by what they speak, so that one port serves both. It looks at the first byte and
// takes nothing. Closing either half closes the listener; both then return net.ErrClosed.
func Split(l net.Listener) (http, fastcgi net.Listener) {
	s := &splitter{listener: l, sniffed: map[net.Conn]struct{}{}, closed: make(chan struct{})}
	web, fcgi := &half{splitter: s, conns: make(chan net.Conn)}, &half{splitter: s, conns: make(chan net.Conn)}
	s.web, s.fcgi = web, fcgi
	s.running.Add(1)
	go s.accept()
	return web, fcgi
}

type splitter struct {
	listener  net.Listener
	web, fcgi *half
	running   sync.WaitGroup
	once      sync.Once
	closed    chan struct{}
	closeErr  error
	failure   error // of the listener; written before closed is

	mu      sync.Mutex
	sniffed map[net.Conn]struct{} // silent so far; nil: closed
}

// half is one of the two listeners.
type half struct {
	*splitter
	conns chan net.Conn
}

func (s *splitter) accept() {
	defer s.running.Done()
	for pause := minPause; ; {
		c, err := s.listener.Accept()
		if err != nil && temporary(err) && s.wait(pause) {
			pause = min(2*pause, maxPause)
			continue
		}
		if err != nil {
			s.close(err)
			return
		}
		pause = minPause
		if !s.watch(c) {
			s.web.give(c)
			continue
		}
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			to := s.sniff(c)
			if s.unwatch(c) {
				to.give(c)
			}
		}()
	}
}

// temporary reports whether an error of Accept passes, as that of too many open files does. net/http asks the same way.
func temporary(err error) bool {
	var passing interface{ Temporary() bool }
	return errors.As(err, &passing) && passing.Temporary()
}

// wait waits for a while; false if the listener was closed.
func (s *splitter) wait(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closed:
		return false
	}
}

// watch notes a silent connection; false if there are too many.
func (s *splitter) watch(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sniffed == nil || len(s.sniffed) >= MaxSniffed {
		return false
	}
	s.sniffed[c] = struct{}{}
	return true
}

// unwatch reports whether the connection is still ours to give.
func (s *splitter) unwatch(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ours := s.sniffed[c]
	delete(s.sniffed, c)
	return ours
}

// sniff waits for the first byte and says whose the connection is.
func (s *splitter) sniff(c net.Conn) *half {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return s.web
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return s.web
	}
	_ = c.SetReadDeadline(time.Now().Add(SniffWithin)) // where that fails, closing ends the wait
	var first [1]byte
	n := 0
	_ = raw.Read(func(fd uintptr) bool { // an error leaves n at 0, and HTTP finds it, too
		n, _, err = unix.Recvfrom(int(fd), first[:], unix.MSG_PEEK)
		return err != unix.EAGAIN && err != unix.EINTR
	})
	_ = c.SetReadDeadline(time.Time{})
	if n == 1 && first[0] == version {
		return s.fcgi
	}
	return s.web
}

// give hands a connection to whoever accepts on this half.
func (h *half) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		_ = c.Close() // it was not used yet
	}
}

func (s *splitter) close(failure error) {
	s.once.Do(func() {
		s.failure = failure
		s.closeErr = s.listener.Close()
		s.mu.Lock()
		for c := range s.sniffed {
			_ = c.Close()
		}
		s.sniffed = nil
		s.mu.Unlock()
		close(s.closed)
	})
}

// Accept implements [net.Listener].
func (h *half) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, h.failure
	}
}

// Close implements [net.Listener].
func (h *half) Close() error {
	h.close(net.ErrClosed)
	h.running.Wait()
	return h.closeErr
}

// Addr implements [net.Listener].
func (h *half) Addr() net.Addr { return h.listener.Addr() }
