package schema

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// errFormat is the cause of all decoding errors; callers wrap it as Corrupt with the key.
var errFormat = errors.New("malformed value")

// reader takes values apart. After the first thing that does not fit, bad is set and everything reads as zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() {
	r.bad, r.b = true, nil
}

func (r *reader) err() error {
	if r.bad {
		return errFormat
	}
	return nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// fill copies the next len(dst) bytes.
func (r *reader) fill(dst []byte) { copy(dst, r.take(len(dst))) }

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 { // most are short
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// size reads a count of bytes that must not be negative.
func (r *reader) size() int64 {
	v := int64(r.uvarint())
	if v < 0 {
		r.fail()
		return 0
	}
	return v
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) uint32() uint32 {
	if v := r.take(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

// chunk reads a length and that many bytes.
func (r *reader) chunk() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	return r.take(int(n))
}

// time reads what appendTime wrote.
func (r *reader) time() time.Time {
	sec := r.varint()
	nsec := r.uvarint()
	if nsec >= 1e9 {
		r.fail()
		return time.Time{}
	}
	if r.bad {
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

// field reads the next tagged field; ok is false at the end.
func (r *reader) field() (tag uint64, body reader, ok bool) {
	if len(r.b) == 0 {
		return 0, reader{}, false
	}
	tag = r.uvarint()
	body.b = r.chunk()
	return tag, body, !r.bad
}

func appendChunk(b, v []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendField appends a tagged field. The empty body is not written: absent and empty are the same.
func appendField(b []byte, tag uint64, body []byte) []byte {
	if len(body) == 0 {
		return b
	}
	return appendChunk(binary.AppendUvarint(b, tag), body)
}

func appendStringField(b []byte, tag uint64, s string) []byte {
	if s == "" {
		return b
	}
	return appendString(binary.AppendUvarint(b, tag), s)
}

func appendUintField(b []byte, tag, v uint64) []byte {
	if v == 0 {
		return b
	}
	var buf [binary.MaxVarintLen64]byte
	return appendField(b, tag, binary.AppendUvarint(buf[:0], v))
}

// appendTime appends seconds and nanoseconds, so any time that S3 or a file may have fits. The zero time has its own
// second (-62135596800) and comes back as a zero time.
func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

// Arena makes strings that share few allocations: one chunk holds many. What it returned stays valid for ever, but one
// string keeps its whole chunk alive. The zero value is ready; it is for one goroutine.
type Arena struct {
	b    strings.Builder
	last string // the string returned last: entries of one listing repeat their owner
}

const arenaChunk = 8 << 10

// Grow makes room for n bytes in one chunk.
func (a *Arena) Grow(n int) {
	if a.b.Cap()-a.b.Len() < n {
		a.b = strings.Builder{}
		a.b.Grow(n)
	}
}

// String returns b as a string.
func (a *Arena) String(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if a.b.Cap()-a.b.Len() < len(b) {
		a.b = strings.Builder{}
		a.b.Grow(max(arenaChunk, len(b)))
	}
	n := a.b.Len()
	a.b.Write(b)
	return a.b.String()[n:]
}

// Join returns prefix and b as one string.
func (a *Arena) Join(prefix string, b []byte) string {
	if prefix == "" {
		return a.String(b)
	}
	if n := len(prefix) + len(b); a.b.Cap()-a.b.Len() < n {
		a.b = strings.Builder{}
		a.b.Grow(max(arenaChunk, n))
	}
	n := a.b.Len()
	a.b.WriteString(prefix)
	a.b.Write(b)
	return a.b.String()[n:]
}

// Repeated is String for values that tend to be the same again and again.
func (a *Arena) Repeated(b []byte) string {
	if string(b) == a.last {
		return a.last
	}
	a.last = a.String(b)
	return a.last
}
