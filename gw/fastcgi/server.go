// Package fastcgi lets web servers that speak FastCGI put requests to an http.Handler, with what the S3 API needs and
// net/http/fcgi alone does not give: the request's target as it was sent, bodies of unknown length, deadlines, an answer that can be
// cut off, and a shutdown that waits.
//
// Its invariant: a request that comes through here looks to the handler as if it had come over HTTP, but for header names:
// FastCGI writes them in capitals with underscores, so a name with an underscore cannot be told from one with a dash.
package fastcgi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"sync"
	"sync/atomic"
)

// MaxConns is how many connections of web servers are served at once. One more is closed; the web server then tries the next
// gateway, or answers for this one.
const MaxConns = 4096

// Server serves FastCGI. Make it with New; safe for concurrent use.
type Server struct {
	handler http.Handler
	log     *slog.Logger

	mu       sync.Mutex
	listener net.Listener
	conns    map[*conn]struct{}
	closing  bool
	idle     chan struct{} // closed when closing and no request is under way
	active   int           // requests under way
	running  sync.WaitGroup
}

// New returns a server of the handler, which logs the panics of that.
func New(handler http.Handler, log *slog.Logger) *Server {
	return &Server{handler: handler, log: log, conns: map[*conn]struct{}{}, idle: make(chan struct{})}
}

// Serve accepts connections until Shutdown, and then returns http.ErrServerClosed; or until the listener fails.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return errors.Join(http.ErrServerClosed, l.Close())
	}
	s.listener = l
	s.mu.Unlock()
	for {
		rwc, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.closing {
				return http.ErrServerClosed
			}
			return err
		}
		if c := s.admit(rwc); c != nil {
			go c.run()
		} else {
			_ = rwc.Close() // it was not used yet
		}
	}
}

// admit makes a connection of rwc; nil if there are too many, or the server shuts down.
func (s *Server) admit(rwc net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || len(s.conns) >= MaxConns {
		return nil
	}
	c := &conn{Conn: rwc, server: s, closed: make(chan struct{})}
	s.conns[c] = struct{}{}
	s.running.Add(1)
	return c
}

// begin counts a request; false if the server shuts down.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.active++
	return true
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	s.tellIdle()
}

// tellIdle is called with the lock held.
func (s *Server) tellIdle() {
	if s.closing && s.active == 0 {
		close(s.idle)
	}
}

// Shutdown accepts nothing more, waits for the requests under way, and closes all connections. If ctx ends first
// the rest is cut off and its error returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	var err error
	if !s.closing {
		s.closing = true
		if s.listener != nil {
			err = s.listener.Close()
		}
		s.tellIdle()
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("requests cut off: %w", ctx.Err()))
	}
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close() // nothing is under way on it that anybody waits for
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}

// conn is one connection of a web server, and the listener that hands it to net/http/fcgi: with one of its own for each connection a
// handler can reach the connection its request came by.
type conn struct {
	net.Conn
	server *Server
	given  bool         // to fcgi.Serve
	begun  atomic.Int64 // requests whose end was not written yet
	once   sync.Once
	closed chan struct{}
}

func (c *conn) run() {
	defer c.server.running.Done()
	_ = fcgi.Serve((*listener)(c), http.HandlerFunc(c.serve)) // it ends with the connection
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	delete(c.server.conns, c)
}

// endRequest is the type of the record that ends an answer (FastCGI 1.0, section 8); it is the second byte of a record.
const endRequest = 3

// Write writes a record: net/http/fcgi does so with one call each. A request is under way until its end is written, which
// is after its handler has returned.
func (c *conn) Write(record []byte) (int, error) {
	n, err := c.Conn.Write(record)
	if len(record) > 1 && record[1] == endRequest && c.begun.Load() > 0 {
		c.begun.Add(-1)
		c.server.end()
	}
	return n, err
}

// Close closes the connection; again is no error.
func (c *conn) Close() error {
	var err error
	c.once.Do(func() {
		err = c.Conn.Close()
		close(c.closed)
	})
	return err
}

// listener gives its connection out once.
type listener conn

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return (*conn)(l), nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

// Close implements [net.Listener]; the connection closes itself.
func (l *listener) Close() error { return nil }

// Addr implements [net.Listener].
func (l *listener) Addr() net.Addr { return l.LocalAddr() }
