package sse

import (
	"bytes"
	"crypto/cipher"
	"io"

	"holdfast"
)

// Part is a stream of an object: its number (0 for an object that was not made of parts) and how many plain bytes it holds.
type Part struct {
	Number int
	Size   int64
}

// section opens the chunks that hold a range of an object, one after the other. The stored streams of the parts lie one behind the other, so
// the chunks of a range are one range as well, even across parts.
type section struct {
	key   *Key
	parts []Part // the first one is being read; empty at the end
	index int64  // of the next chunk in it
	skip  int64  // plain bytes of the next chunk that lie before the range
	left  int64  // plain bytes still to be given out
	aead  cipher.AEAD
	salt  [saltSize]byte
}

// newSection returns the section for the plain bytes [off, off+n), and where its chunks are stored. Kinds: Invalid if the range is not inside
// the parts.
func newSection(key *Key, parts []Part, off, n int64) (section, Span, error) {
	var before Span
	for len(parts) > 0 && off >= parts[0].Size {
		off -= parts[0].Size
		before.Offset += StoredSize(parts[0].Size)
		parts = parts[1:]
	}
	if off < 0 || n < 0 || len(parts) == 0 && (n > 0 || off > 0) {
		return section{}, Span{}, &holdfast.Error{Op: "sse.read", Kind: holdfast.Invalid}
	}
	s := section{key: key, parts: parts, index: off / Payload, skip: off % Payload, left: n}
	span := before
	for i := range parts {
		if n == 0 {
			break
		}
		take := min(n, parts[i].Size-off)
		in := StoredSpan(parts[i].Size, off, take)
		if i == 0 {
			span.Offset += in.Offset
		}
		span.Length += in.Length
		n, off = n-take, 0
	}
	if n > 0 {
		return section{}, Span{}, &holdfast.Error{Op: "sse.read", Kind: holdfast.Invalid}
	}
	return s, span, nil
}

// next returns the stored size of the next chunk, 0 at the end of the range.
func (s *section) next() int {
	for s.left > 0 && len(s.parts) > 0 {
		if plain := s.parts[0].Size - s.index*Payload; plain > 0 {
			return int(min(plain, Payload)) + Overhead
		}
		s.parts, s.index, s.aead = s.parts[1:], 0, nil
	}
	return 0
}

// open opens the chunk that next announced, in dst, and returns what of it lies in the range.
func (s *section) open(dst, chunk []byte) ([]byte, error) {
	if s.aead == nil {
		copy(s.salt[:], chunk)
		var err error
		if s.aead, err = newAEAD(s.key, s.parts[0].Number, s.salt[:]); err != nil {
			return nil, holdfast.E("sse.read", holdfast.Other, err)
		}
	}
	if !bytes.Equal(s.salt[:], chunk[:saltSize]) {
		return nil, damaged()
	}
	last := s.index*Payload+int64(len(chunk)-Overhead) == s.parts[0].Size
	n := nonce(s.index, last)
	plain, err := s.aead.Open(dst[:0], n[:], chunk[saltSize:], nil)
	if err != nil {
		return nil, damaged()
	}
	s.index++
	plain = plain[s.skip:]
	plain = plain[:min(int64(len(plain)), s.left)]
	s.skip, s.left = 0, s.left-int64(len(plain))
	return plain, nil
}

// Decrypter takes the stored bytes of a range and writes the plain ones. It is for one goroutine. Close gives its buffers back.
type Decrypter struct {
	section
	w     io.Writer
	part  *[Chunk]byte // the beginning of a chunk
	have  int
	plain *[Chunk]byte
}

// NewDecrypter returns a writer for the bytes of the span, which writes the plain bytes [off, off+n) of an object with these parts to w. A
// chunk that does not verify is an error of Write, and nothing of it is written. Kinds: Invalid for a range that is not inside the object; of
// Write: Corrupt, and errors of w as they are.
func NewDecrypter(key *Key, parts []Part, off, n int64, w io.Writer) (*Decrypter, Span, error) {
	s, span, err := newSection(key, parts, off, n)
	if err != nil {
		return nil, span, err
	}
	return &Decrypter{section: s, w: w, part: buffers.Get().(*[Chunk]byte), plain: buffers.Get().(*[Chunk]byte)}, span, nil
}

// Write implements [io.Writer]. It neither keeps nor changes p.
func (d *Decrypter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		size := d.next()
		if size == 0 || d.plain == nil { // more than the span
			return done, damaged()
		}
		chunk := p[done:]
		if d.have > 0 || len(chunk) < size {
			n := copy(d.part[d.have:size], chunk)
			d.have += n
			done += n
			if d.have < size {
				return done, nil
			}
			chunk, d.have = d.part[:], 0
		} else {
			done += size
		}
		plain, err := d.open(d.plain[:], chunk[:size])
		if err != nil {
			return done, err
		}
		if _, err := d.w.Write(plain); err != nil {
			return done, err
		}
	}
	return done, nil
}

// Close gives the buffers back, and reports whether all of the range was written. Kinds: Corrupt if not; the buffers are not used
// again then, since whoever writes may still be at it.
func (d *Decrypter) Close() error {
	if d.left > 0 {
		return damaged()
	}
	if d.plain != nil {
		buffers.Put(d.part)
		buffers.Put(d.plain)
		d.part, d.plain = nil, nil
	}
	return nil
}

// Reader reads the plain bytes of a range. It is for one goroutine. Close gives its buffers back.
type Reader struct {
	section
	src   io.Reader
	part  *[Chunk]byte
	plain *[Chunk]byte
	ready []byte
	err   error
}

// NewReader returns a reader of the plain bytes [off, off+n) of an object with these parts. Open is called once, with the span of stored bytes
// that src is to give. Kinds are those of [NewDecrypter], and of Read Corrupt; errors of the source come as they are.
func NewReader(key *Key, parts []Part, off, n int64, open func(Span) io.Reader) (*Reader, error) {
	s, span, err := newSection(key, parts, off, n)
	if err != nil {
		return nil, err
	}
	return &Reader{section: s, src: open(span), part: buffers.Get().(*[Chunk]byte), plain: buffers.Get().(*[Chunk]byte)}, nil
}

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 && r.err == nil {
		r.ready, r.err = r.chunk()
	}
	if len(r.ready) == 0 {
		return 0, r.err
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

func (r *Reader) chunk() ([]byte, error) {
	size := r.next()
	if size == 0 {
		return nil, io.EOF
	}
	if _, err := io.ReadFull(r.src, r.part[:size]); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = damaged()
		}
		return nil, err
	}
	return r.open(r.plain[:], r.part[:size])
}

// Close gives the buffers back, unless the range was not read to its end: whoever reads it may still be at it. It does not close the
// source.
func (r *Reader) Close() error {
	if r.plain != nil && r.err == io.EOF {
		buffers.Put(r.part)
		buffers.Put(r.plain)
		r.part, r.plain = nil, nil
	}
	return nil
}
