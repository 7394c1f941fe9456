// Package wire is a minimal HTTP/1.1 client: one request at a time over one
// persistent connection, with buffers that are reused.
//
// It exists because a load generator runs on the cores of the server it
// measures: net/http's client spends several times what the request itself
// costs on goroutine hand-overs, header maps and allocations. This one writes
// a request head that the caller has formatted, with the body in the same
// system call, and parses only what a load generator needs from a response
// (RFC 9112). 100-continue is not used, redirects are not followed, nothing is
// pooled.
//
// Invariant: after a response was read to its end and Reusable is true, the
// connection stands exactly at the next response; in any other case it must be
// closed.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// readBuffer is the size of a connection's read buffer and so the most
	// that one read asks of the kernel.
	readBuffer = 256 << 10
	// maxHead bounds the head of a response, status line included.
	maxHead = 64 << 10
	// coalesce is the request size, head included, up to which the body is
	// copied behind the head to be sent by one write; larger bodies go out by
	// writev, from where they lie.
	coalesce = 64 << 10
	// tlsWrite is how much a TLS connection is given at a time.
	tlsWrite = 64 << 10
)

// Endpoint says where connections go.
type Endpoint struct {
	// Address is host:port.
	Address string
	// TLS is nil for plain http.
	TLS *tls.Config
	// Timeout bounds the connection set-up and then each stretch of Send and
	// reading of one response. 0 means none.
	Timeout time.Duration
}

// Conn is one connection. It is not safe for concurrent use, except that Close
// and Interrupt may be called at any time to make a blocked call return.
type Conn struct {
	nc      net.Conn
	tcp     *net.TCPConn // nil over TLS
	timeout time.Duration
	armed   time.Time // when the deadline was last set
	stopped atomic.Bool
	in      []byte
	r, w    int // in[r:w] is read from the network and not yet consumed
	out     []byte
	vec     net.Buffers
}

// Dial connects to e, including the TLS handshake.
func Dial(ctx context.Context, e Endpoint) (*Conn, error) {
	if e.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.Timeout)
		defer cancel()
	}
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return nil, err
	}
	c := New(nc, e.Timeout)
	if e.TLS != nil {
		t := tls.Client(nc, e.TLS)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = nc.Close() // the handshake's error is the one to report
			return nil, fmt.Errorf("tls handshake: %w", err)
		}
		c.nc, c.tcp = t, nil
	}
	return c, nil
}

// New returns a Conn over nc, which it owns from now on.
func New(nc net.Conn, timeout time.Duration) *Conn {
	tcp, _ := nc.(*net.TCPConn)
	return &Conn{nc: nc, tcp: tcp, timeout: timeout, in: make([]byte, readBuffer)}
}

// Close closes the connection.
func (c *Conn) Close() error { return c.nc.Close() }

// Interrupt makes blocked and later calls fail with a timeout.
func (c *Conn) Interrupt() {
	c.stopped.Store(true)
	_ = c.nc.SetDeadline(past) // it fails only once closed
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// Send writes one request: a complete head and the pieces of its body, which
// are only read. now is the time, for the deadline.
func (c *Conn) Send(now time.Time, head []byte, body [][]byte) error {
	c.arm(now)
	size := len(head)
	for _, p := range body {
		size += len(p)
	}
	switch {
	case size <= coalesce:
		c.out = append(c.out[:0], head...)
		for _, p := range body {
			c.out = append(c.out, p...)
		}
		_, err := c.nc.Write(c.out)
		return err
	case c.tcp != nil:
		c.vec = append(append(c.vec[:0], head), body...)
		vec := c.vec // WriteTo consumes its receiver; keep the array
		_, err := c.vec.WriteTo(c.tcp)
		c.vec = vec
		return err
	default:
		return c.sendPieces(head, body)
	}
}

func (c *Conn) sendPieces(head []byte, body [][]byte) error {
	if _, err := c.nc.Write(head); err != nil {
		return err
	}
	for _, p := range body {
		for len(p) > 0 {
			n, err := c.nc.Write(p[:min(len(p), tlsWrite)])
			if err != nil {
				return err
			}
			p = p[n:]
		}
	}
	return nil
}

// arm moves the deadline, but only when a quarter of the timeout has passed
// since it was moved last: setting timers for every request shows in profiles.
func (c *Conn) arm(now time.Time) {
	if c.timeout > 0 && now.Sub(c.armed) > c.timeout/4 {
		c.Extend(now, c.timeout)
	}
}

// Extend sets the deadline of sending and reading to d from now.
func (c *Conn) Extend(now time.Time, d time.Duration) {
	c.armed = now
	_ = c.nc.SetDeadline(now.Add(d)) // it fails only once closed; the next call reports that
	if c.stopped.Load() {            // Interrupt came in between: it must win
		_ = c.nc.SetDeadline(past)
	}
}

// fill reads more into the buffer, making room if there is none.
func (c *Conn) fill() error {
	if c.r == c.w {
		c.r, c.w = 0, 0
	} else if c.w == len(c.in) {
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.in) {
		return errors.New("malformed response: a line or head larger than the buffer")
	}
	n, err := c.nc.Read(c.in[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}
