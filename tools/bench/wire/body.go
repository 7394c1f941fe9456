package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	// maxInterim bounds the 1xx responses before the final one.
	maxInterim = 8
	// maxLine bounds a chunk-size line and a trailer line.
	maxLine = 4 << 10
	// maxTrailers bounds the lines after the last chunk.
	maxTrailers = 64
)

var (
	errChunk   = errors.New("malformed response: bad chunk")
	errTrailer = errors.New("malformed response: too many trailers")
)

// Sink consumes a body as it arrives. p is only valid during the call. An
// error stops the reading and is returned as it is.
type Sink interface {
	Consume(p []byte) error
}

// ReadHead reads the head of the next response, skipping interim ones. An end
// of the connection before the first byte is io.EOF, later io.ErrUnexpectedEOF.
func (c *Conn) ReadHead(resp *Response) error {
	for range maxInterim {
		if err := c.readOneHead(resp); err != nil {
			return err
		}
		if resp.Status >= 200 || resp.Status == 101 {
			return nil
		}
	}
	return errInterim
}

func (c *Conn) readOneHead(resp *Response) error {
	for {
		if c.r < c.w {
			n, err := parseHead(c.in[c.r:c.w], resp)
			if err != nil {
				return err
			}
			if n > 0 {
				c.r += n
				return nil
			}
		}
		if err := c.fill(); err != nil {
			if err == io.EOF && c.r < c.w {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
}

// ReadBody reads the body that belongs to resp into sink (nil discards it) and
// returns how many bytes it had. head says that the request was a HEAD, whose
// response has none.
func (c *Conn) ReadBody(resp *Response, head bool, sink Sink) (int64, error) {
	switch {
	case head || resp.Status == 204 || resp.Status == 304:
		return 0, nil
	case resp.Chunked:
		return c.readChunked(sink)
	case resp.ContentLength >= 0:
		return c.readN(resp.ContentLength, sink)
	default:
		resp.Close = true
		n, err := c.readN(math.MaxInt64, sink)
		if err == io.ErrUnexpectedEOF {
			err = nil
		}
		return n, err
	}
}

// Reusable reports whether another request may follow once resp was read to
// its end. Bytes that nobody asked for make a connection unusable.
func (c *Conn) Reusable(resp *Response) bool { return !resp.Close && c.r == c.w }

// readN hands n bytes to sink.
func (c *Conn) readN(n int64, sink Sink) (int64, error) {
	var done int64
	for done < n {
		if c.r == c.w {
			if err := c.fill(); err != nil {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return done, err
			}
		}
		p := c.in[c.r:c.w]
		if int64(len(p)) > n-done {
			p = p[:n-done]
		}
		c.r += len(p)
		done += int64(len(p))
		if sink != nil {
			if err := sink.Consume(p); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// readChunked reads a body with the chunked coding (RFC 9112, section 7.1).
func (c *Conn) readChunked(sink Sink) (int64, error) {
	var total int64
	for {
		line, err := c.readLine()
		if err != nil {
			return total, err
		}
		size, err := parseChunkSize(line)
		if err != nil {
			return total, err
		}
		if size == 0 {
			return total, c.skipTrailers()
		}
		n, err := c.readN(size, sink)
		total += n
		if err != nil {
			return total, err
		}
		if line, err = c.readLine(); err != nil {
			return total, err
		}
		if len(line) != 0 {
			return total, fmt.Errorf("%w: data beyond its size", errChunk)
		}
	}
}

func (c *Conn) skipTrailers() error {
	for range maxTrailers {
		line, err := c.readLine()
		if err != nil || len(line) == 0 {
			return err
		}
	}
	return errTrailer
}

// readLine returns the next line without its CRLF, valid until the next read.
func (c *Conn) readLine() ([]byte, error) {
	for {
		if i := bytes.Index(c.in[c.r:c.w], []byte("\r\n")); i >= 0 && i <= maxLine {
			line := c.in[c.r : c.r+i]
			c.r += i + 2
			return line, nil
		} else if i > maxLine || c.w-c.r > maxLine {
			return nil, fmt.Errorf("%w: line too long", errChunk)
		}
		if err := c.fill(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// parseChunkSize parses the hex size before any extension.
func parseChunkSize(line []byte) (int64, error) {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	line = bytes.TrimRight(line, " \t")
	if len(line) == 0 || len(line) > 15 {
		return 0, fmt.Errorf("%w: bad size", errChunk)
	}
	var n int64
	for _, ch := range line {
		d := int64(0)
		switch {
		case '0' <= ch && ch <= '9':
			d = int64(ch - '0')
		case 'a' <= ch|0x20 && ch|0x20 <= 'f':
			d = int64(ch|0x20-'a') + 10
		default:
			return 0, fmt.Errorf("%w: bad size", errChunk)
		}
		n = n<<4 | d
	}
	return n, nil
}
