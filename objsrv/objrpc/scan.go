package objrpc

import (
	"encoding/binary"
	"io"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// frameFields receives the fields of a frame but its data, in the order of the wire.
type frameFields interface {
	number(n protowire.Number, t protowire.Type, v uint64) error // varints and fixed ones
	bytes(n protowire.Number, b []byte) error                    // b is the callee's
}

// scanFrame walks over a message without copying its data, and returns where that lies. Like all readers of protobuf
// it takes the last one if a field comes twice.
func scanFrame(bufs mem.BufferSlice, fields frameFields) (span, error) {
	var data span
	for c := newCursor(bufs); c.left > 0; {
		tag, err := c.varint()
		if err != nil {
			return span{}, err
		}
		n, t := protowire.DecodeTag(tag)
		if !n.IsValid() {
			return span{}, errFrame
		}
		if t == protowire.BytesType {
			err = scanBytes(&c, n, &data, fields)
		} else {
			err = scanNumber(&c, n, t, fields)
		}
		if err != nil {
			return span{}, err
		}
	}
	return data, nil
}

func scanNumber(c *cursor, n protowire.Number, t protowire.Type, fields frameFields) error {
	var v uint64
	var err error
	switch t {
	case protowire.VarintType:
		v, err = c.varint()
	case protowire.Fixed64Type:
		v, err = c.fixed(8)
	case protowire.Fixed32Type:
		v, err = c.fixed(4)
	default: // groups: no version of the frames has any
		return errFrame
	}
	if err != nil {
		return err
	}
	return fields.number(n, t, v)
}

func scanBytes(c *cursor, n protowire.Number, data *span, fields frameFields) error {
	size, err := c.varint()
	if err != nil || size > uint64(c.left) {
		return errFrame
	}
	if n == fieldData {
		if size > FrameData {
			return errFrameData
		}
		*data = span{at: *c, size: int(size)}
		c.skip(int(size))
		return nil
	}
	b := make([]byte, size)
	c.read(b)
	return fields.bytes(n, b)
}

// cursor is a position in a message that lies in several buffers. Copying it is a bookmark.
type cursor struct {
	rest mem.BufferSlice // buffers after the current one
	cur  []byte          // what is left of the current one
	left int             // what is left of the message
}

func newCursor(bufs mem.BufferSlice) cursor { return cursor{rest: bufs, left: bufs.Len()} }

// chunk returns the bytes up to the end of the current buffer, none only at the end of the message.
func (c *cursor) chunk() []byte {
	for len(c.cur) == 0 && len(c.rest) > 0 {
		c.cur, c.rest = c.rest[0].ReadOnlyData(), c.rest[1:]
	}
	return c.cur
}

// advance goes over n bytes of the current chunk.
func (c *cursor) advance(n int) { c.cur, c.left = c.cur[n:], c.left-n }

// skip goes over n ≤ left bytes.
func (c *cursor) skip(n int) {
	for n > 0 {
		step := min(n, len(c.chunk()))
		c.advance(step)
		n -= step
	}
}

// read fills p, which is not longer than what is left.
func (c *cursor) read(p []byte) {
	for len(p) > 0 {
		n := copy(p, c.chunk())
		c.advance(n)
		p = p[n:]
	}
}

func (c *cursor) varint() (uint64, error) {
	var v uint64
	for shift := 0; shift < 64 && c.left > 0; shift += 7 {
		b := c.chunk()[0]
		c.advance(1)
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if shift == 63 && b > 1 {
				return 0, errFrame
			}
			return v, nil
		}
	}
	return 0, errFrame
}

func (c *cursor) fixed(size int) (uint64, error) {
	if c.left < size {
		return 0, errFrame
	}
	var b [8]byte
	c.read(b[:size])
	return binary.LittleEndian.Uint64(b[:]), nil
}

// span is a run of bytes in a message.
type span struct {
	at   cursor
	size int
}

// hold turns the span into a payload that owns references to bufs, the message it lies in.
func (s span) hold(bufs mem.BufferSlice) payload {
	if s.size == 0 {
		return payload{}
	}
	bufs.Ref()
	return payload{at: s.at, size: s.size, bufs: bufs}
}

// payload is the data of a received frame, read where the transport left it. One goroutine at a time may use it.
type payload struct {
	at   cursor
	size int // bytes not read yet
	bufs mem.BufferSlice
}

// Read copies the next bytes; io.EOF when there are none left.
func (p *payload) Read(b []byte) (int, error) {
	if p.size == 0 {
		return 0, io.EOF
	}
	n := min(len(b), p.size)
	p.at.read(b[:n])
	p.size -= n
	return n, nil
}

// WriteTo writes what is left to w, in one Write per buffer.
func (p *payload) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for p.size > 0 {
		b := p.at.chunk()
		b = b[:min(len(b), p.size)]
		n, err := w.Write(b)
		if n < 0 || n > len(b) {
			n, err = 0, io.ErrShortWrite
		}
		total += int64(n)
		p.at.advance(n)
		p.size -= n
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// free gives the buffers back. Nothing can be read afterwards.
func (p *payload) free() {
	p.bufs.Free()
	*p = payload{}
}
