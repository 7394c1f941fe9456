package sse

import (
	"crypto/cipher"
	"crypto/rand"
	"io"

	"holdfast"
)

// Encrypter reads plain bytes and gives out the stream that holds them. It is for one goroutine. Close gives its buffers back.
type Encrypter struct {
	src   io.Reader
	left  int64 // plain bytes still to be read
	open  bool  // how many there are is not known: left is then what may still come
	ahead int   // bytes of the next chunk that were read to see whether there is one: 0 or 1
	first byte  // that byte
	aead  cipher.AEAD
	salt  [saltSize]byte
	index int64
	plain *[Chunk]byte
	out   *[Chunk]byte
	ready []byte // what of out was not given out yet
	err   error
}

// NewEncrypter returns the stream of a part (0: of an object that was not made of parts) that holds the size bytes of src. Its size is
// [StoredSize] of that. With size -1 the stream ends where src does. A source of another size ends the stream in an [holdfast.Aborted] error, any error of the source in that error, so
// half a stream never looks like a whole one.
func NewEncrypter(key *Key, part int, src io.Reader, size int64) (*Encrypter, error) {
	e := &Encrypter{src: src, left: size}
	if size < 0 {
		e.left, e.open = MaxPlain, true
	}
	if e.left > MaxPlain {
		return nil, &holdfast.Error{Op: "sse.write", Kind: holdfast.TooLarge}
	}
	_, _ = rand.Read(e.salt[:]) // documented never to fail
	var err error
	if e.aead, err = newAEAD(key, part, e.salt[:]); err != nil {
		return nil, holdfast.E("sse.write", holdfast.Other, err)
	}
	e.plain, e.out = buffers.Get().(*[Chunk]byte), buffers.Get().(*[Chunk]byte)
	return e, nil
}

// Read implements [io.Reader]. The source is read to its end: io.EOF comes only after the source gave it.
func (e *Encrypter) Read(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if len(e.ready) == 0 && e.err == nil {
			// A chunk that fits is sealed where it is wanted.
			n, err := e.seal(p[done:])
			done, e.err = done+n, err
			if n > 0 {
				continue
			}
		}
		if len(e.ready) == 0 {
			if done > 0 {
				return done, nil
			}
			return 0, e.err
		}
		n := copy(p[done:], e.ready)
		done, e.ready = done+n, e.ready[n:]
	}
	return done, nil
}

// seal makes the next chunk in dst if it fits, else in e.out, and returns how much of dst it took. Its error is kept for the next read.
func (e *Encrypter) seal(dst []byte) (int, error) {
	plain, err := e.next()
	if len(plain) == 0 || err != nil && err != io.EOF {
		return 0, err
	}
	direct := len(dst) >= len(plain)+Overhead
	if !direct {
		dst = e.out[:]
	}
	copy(dst, e.salt[:])
	n := nonce(e.index, err == io.EOF)
	sealed := e.aead.Seal(dst[saltSize:saltSize], n[:], plain, nil)
	e.index++
	if direct {
		return saltSize + len(sealed), err
	}
	e.ready = dst[:saltSize+len(sealed)]
	return 0, err
}

// next reads the plain bytes of the next chunk, with io.EOF if it is the last one: nothing is given out as that before the source has ended
// well.
func (e *Encrypter) next() ([]byte, error) {
	if e.open {
		return e.nextOpen()
	}
	if e.left == 0 {
		return nil, e.end()
	}
	plain := e.plain[:min(e.left, Payload)]
	if _, err := io.ReadFull(e.src, plain); err != nil {
		return nil, short(err)
	}
	e.left -= int64(len(plain))
	if e.left > 0 {
		return plain, nil
	}
	return plain, e.end()
}

// nextOpen is next for a source of unknown size: whether a chunk is the last one shows when one more byte is asked for.
func (e *Encrypter) nextOpen() ([]byte, error) {
	plain := e.plain[:Payload]
	plain[0] = e.first
	n, err := io.ReadFull(e.src, plain[e.ahead:])
	n += e.ahead
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		return plain[:n], io.EOF
	default:
		return nil, err
	}
	if e.left -= int64(n); e.left < 0 {
		return nil, &holdfast.Error{Op: "sse.write", Kind: holdfast.TooLarge}
	}
	var one [1]byte
	_, err = io.ReadFull(e.src, one[:])
	e.ahead, e.first = 1, one[0]
	return plain, err
}

// end reads the source to its end, which must be here.
func (e *Encrypter) end() error {
	var one [1]byte
	for range 100 { // as often as bufio.Reader lets a reader give nothing
		n, err := e.src.Read(one[:])
		switch {
		case n > 0:
			return short(nil)
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// short is the error of a source of the wrong size.
func short(err error) error {
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		return holdfast.E("sse.write", holdfast.Aborted, io.ErrUnexpectedEOF)
	}
	return err
}

// Close gives the buffers back, unless the stream was not read to its end: whoever reads it may still be at it. It does not close the source.
func (e *Encrypter) Close() error {
	if e.plain != nil && e.err == io.EOF && len(e.ready) == 0 {
		buffers.Put(e.plain)
		buffers.Put(e.out)
		e.plain, e.out = nil, nil
	}
	return nil
}
