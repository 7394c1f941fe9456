package fastcgi_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast/gw/fastcgi"
)

// TestSplit wants each connection at the side whose protocol it speaks, with every byte, however slowly it comes.
func TestSplit(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web, fcgi := fastcgi.Split(l)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	silent := dial()
	for _, c := range []struct {
		sent string
		to   net.Listener
	}{{"GET / HTTP/1.1\r\n", web}, {"\x01\x01\x00\x01", fcgi}, {"\x16\x03\x01", web}, {"\x00", web}} {
		client := dial()
		if _, err := io.WriteString(client, c.sent); err != nil {
			t.Fatal(err)
		}
		got, err := c.to.Accept()
		if err != nil {
			t.Fatalf("%q: %v", c.sent, err)
		}
		b := make([]byte, len(c.sent))
		if _, err := io.ReadFull(got, b); err != nil || string(b) != c.sent {
			t.Errorf("got %q, %v; want %q", b, err, c.sent)
		}
		_ = got.Close()
	}
	gone := dial()
	_ = gone.Close() // a client that leaves without a word is HTTP's
	if c, err := web.Accept(); err != nil {
		t.Error(err)
	} else {
		_ = c.Close()
	}
	if err := web.Close(); err != nil {
		t.Error(err)
	}
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("a silent connection is open after the listener was closed")
	}
	for _, half := range []net.Listener{web, fcgi} {
		if _, err := half.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
	}
	if err := fcgi.Close(); err != nil {
		t.Errorf("closing the other half: %v", err)
	}
}

// TestSplitPassesFailures wants the servers to learn that their listener broke.
func TestSplitPassesFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	broken := errors.New("broken")
	passing := &net.OpError{Op: "accept", Err: unix.EMFILE}
	web, fcgi := fastcgi.Split(&failing{l, []error{passing, passing, broken}})
	for _, half := range []net.Listener{web, fcgi} {
		if _, err := half.Accept(); !errors.Is(err, broken) {
			t.Errorf("Accept: %v, want %v", err, broken)
		}
	}
}

type failing struct {
	net.Listener
	errs []error // in turn
}

func (f *failing) Accept() (net.Conn, error) {
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, err
}
