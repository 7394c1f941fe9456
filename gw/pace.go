package gw

import (
	"net/http"
	"time"
)

// Clients that stop in the middle would hold their place among the requests in flight for ever. So every read of a body and
// every write of an answer has a deadline, set anew as bytes move: a client may be slow, but it may not stand still.
const (
	// defaultPatience is how long a client may neither send nor take a byte.
	defaultPatience = time.Minute
	// paceBytes is how much of an answer a client must take within the patience; more is written in pieces.
	paceBytes = 1 << 20
	// lingerFor is how long the server may wait for the rest of a body that was refused, before it closes the connection.
	lingerFor = 5 * time.Second
)

// pace sets the deadlines of one request. net/http clears the one for reads itself before the next request of the
// connection, but not the one for writes.
type pace struct {
	conn     *http.ResponseController
	patience time.Duration
	read     time.Time // when the deadline for reads was set; zero: it is not
	write    time.Time // the deadline for writes; zero: there is none
}

// reading is called before a read. Connections that cannot have deadlines are those of tests.
func (p *pace) reading() {
	now := time.Now()
	if now.Sub(p.read) < p.patience/8 { // a deadline costs as much as a small read
		return
	}
	p.read = now
	_ = p.conn.SetReadDeadline(now.Add(p.patience))
}

// readAll is called when there is nothing more to read: the server then watches the connection for its end, which a
// deadline must not bring about.
func (p *pace) readAll() {
	if p.read.IsZero() {
		return
	}
	p.read = time.Time{}
	_ = p.conn.SetReadDeadline(time.Time{})
}

// refused is called when the rest of the body will not be read.
func (p *pace) refused() { _ = p.conn.SetReadDeadline(time.Now().Add(lingerFor)) }

// writing is called before at most paceBytes are written.
func (p *pace) writing() {
	now := time.Now()
	if p.write.Sub(now) >= p.patience-p.patience/8 {
		return
	}
	p.write = now.Add(p.patience)
	_ = p.conn.SetWriteDeadline(p.write)
}

// end is called when the answer is written.
func (p *pace) end() {
	if !p.write.IsZero() {
		_ = p.conn.SetWriteDeadline(time.Time{})
	}
}
