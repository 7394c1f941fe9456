package wire

import (
	"bytes"
	"errors"
	"math"
)

// Response is the part of a response head that a load generator needs.
type Response struct {
	Status int
	// ContentLength is -1 if the head does not say.
	ContentLength int64
	// Chunked says that the body has the chunked transfer coding.
	Chunked bool
	// Close says that the server will close the connection.
	Close bool
	// ETag is the value of the ETag header, quotes included. The slice is
	// reused by the next response.
	ETag []byte
}

var (
	errStatusLine = errors.New("malformed response: bad status line")
	errHeader     = errors.New("malformed response: bad header line")
	errLength     = errors.New("malformed response: bad Content-Length")
	errCoding     = errors.New("malformed response: unknown transfer coding")
	errHeadSize   = errors.New("malformed response: head too large")
	errInterim    = errors.New("malformed response: too many interim responses")
)

// parseHead parses a head at the start of b into resp and returns its length,
// the blank line included; 0 if b does not hold all of it yet.
func parseHead(b []byte, resp *Response) (int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > maxHead {
			return 0, errHeadSize
		}
		return 0, nil
	}
	if end > maxHead {
		return 0, errHeadSize
	}
	lines := b[:end]
	// Readers that take a bare LF for a line end would see another head.
	if bytes.Count(lines, []byte("\n")) != bytes.Count(lines, []byte("\r\n")) {
		return 0, errHeader
	}
	line, lines := cutLine(lines)
	*resp = Response{ContentLength: -1, ETag: resp.ETag[:0]}
	if err := parseStatusLine(line, resp); err != nil {
		return 0, err
	}
	for len(lines) > 0 {
		line, lines = cutLine(lines)
		if err := parseHeader(line, resp); err != nil {
			return 0, err
		}
	}
	if resp.Chunked {
		resp.ContentLength = -1 // RFC 9112, section 6.3: the coding overrides
	}
	return end + 4, nil
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\r\n"))
	return line, rest
}

func parseStatusLine(line []byte, resp *Response) error {
	// HTTP/1.x SP 3DIGIT [SP reason]
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return errStatusLine
	}
	if line[7] != '0' && line[7] != '1' {
		return errStatusLine
	}
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return errStatusLine
		}
		resp.Status = resp.Status*10 + int(c-'0')
	}
	resp.Close = line[7] == '0'
	return nil
}

func parseHeader(line []byte, resp *Response) error {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || line[0] == ' ' || line[0] == '\t' || line[colon-1] == ' ' || line[colon-1] == '\t' {
		return errHeader
	}
	name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
	switch {
	case isName(name, "content-length"):
		n, err := parseLength(value)
		if err != nil || resp.ContentLength >= 0 && resp.ContentLength != n {
			return errLength
		}
		resp.ContentLength = n
	case isName(name, "transfer-encoding"):
		if !isName(value, "chunked") {
			return errCoding
		}
		resp.Chunked = true
	case isName(name, "connection"):
		if isName(value, "close") {
			resp.Close = true
		} else if isName(value, "keep-alive") {
			resp.Close = false
		}
	case isName(name, "etag"):
		resp.ETag = append(resp.ETag[:0], value...)
	}
	return nil
}

// isName compares without regard to ASCII case; lower must be lower case.
func isName(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func parseLength(b []byte) (int64, error) {
	if len(b) == 0 || len(b) > 19 {
		return 0, errLength
	}
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, errLength
		}
		n = n*10 + uint64(c-'0')
	}
	if n > math.MaxInt64 {
		return 0, errLength
	}
	return int64(n), nil
}
