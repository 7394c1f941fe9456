package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"holdfast/gw/checksum"
)

// Body reads the body of a verified request, free of its framing, and checks it
// on the way.
//
// If the length is known, the last byte is handed out only after everything was
// checked, so that even a reader of exactly Length bytes cannot miss a failure;
// else the check comes before io.EOF. Bytes before that are unchecked: commit
// nothing until Read has returned io.EOF. Errors are *Error, *checksum.Error, or
// what the connection returned, wrapped; after the first, Read returns it always.
//
// A Body is for one goroutine at a time and holds no more memory than one
// bufio.Reader of 4 KiB.
type Body struct {
	src       source
	closer    io.Closer
	length    int64 // -1 if unknown
	remaining int64 // -1 if unknown

	sha      hash.Hash // of PayloadHash; else nil
	shaWant  string    // as the client wrote it
	algo     checksum.Algorithm
	sum      hash.Hash // of algo; else nil
	want     checksum.Value
	computed checksum.Value // set at the end
	err      error          // sticky
}

// source is where the data comes from: the plain body, or the chunks in it.
type source interface {
	// read reads data, io.EOF after the last of it.
	read(p []byte) (int, error)
	// finish checks what follows the data, and returns a checksum if one did.
	finish() (checksum.Value, error)
}

// Body wraps the body of r, which Verify returned res for. want says which
// checksum of the data to compute and what it must be, usually from
// checksum.FromHeader: an Algorithm with neither Value nor Trailer is computed
// and not compared. A trailer that the signature announces is checked in any
// case. Errors are *Error or *checksum.Error.
func (res *Result) Body(r *http.Request, want checksum.Declared) (*Body, error) {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	b := &Body{closer: body, length: r.ContentLength, algo: want.Algorithm, want: want.Value}
	if res.Payload.Chunked() {
		if err := res.openChunks(b, r, body); err != nil {
			return nil, err
		}
	} else {
		if r.Header["X-Amz-Trailer"] != nil { // no trailer can come
			return nil, malformedTrailer()
		}
		b.src = plainSource{body}
	}
	b.remaining = b.length
	if res.Payload == PayloadHash {
		b.sha, b.shaWant = sha256.New(), res.payloadHash
	}
	b.sum = b.algo.New()
	return b, nil
}

// openChunks sets up the decoding of an aws-chunked body.
func (res *Result) openChunks(b *Body, r *http.Request, body io.Reader) error {
	var err error
	if b.length, err = decodedLength(r.Header.Get("X-Amz-Decoded-Content-Length")); err != nil {
		return err
	}
	trailer, err := checksum.FromTrailerHeader(r.Header)
	if err != nil {
		return err
	}
	if trailer != checksum.None && !res.Payload.hasTrailer() {
		return malformedTrailer()
	}
	if trailer != checksum.None {
		b.algo = trailer
	}
	b.src = newChunkSource(body, res.Payload, res.chain, trailer, b.length)
	return nil
}

func decodedLength(value string) (int64, error) {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		return 0, refuse(CodeMissingContentLength, "You must provide the Content-Length HTTP header.")
	}
	return int64(n), nil
}

// Length returns the number of bytes of data, without framing; -1 if the client
// did not say.
func (b *Body) Length() int64 { return b.length }

// Checksum returns the checksum of the data, once Read has returned io.EOF. It is
// the one the client declared and has been compared with it; zero if there is none.
func (b *Body) Checksum() checksum.Value { return b.computed }

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n := 0
	if b.remaining != 0 {
		if n, b.err = b.readData(p); b.err != nil && b.err != io.EOF {
			return 0, b.err
		}
	}
	if b.remaining == 0 || b.err == io.EOF {
		if b.err = b.finish(); b.err != io.EOF {
			return 0, b.err
		}
	}
	return n, b.err
}

// readData reads from the source into p and the hashes. It returns io.EOF only if
// the data may end here.
func (b *Body) readData(p []byte) (int, error) {
	if b.remaining > 0 && int64(len(p)) > b.remaining {
		p = p[:b.remaining]
	}
	n, err := b.src.read(p)
	if b.sha != nil {
		b.sha.Write(p[:n])
	}
	if b.sum != nil {
		b.sum.Write(p[:n])
	}
	if b.remaining > 0 {
		b.remaining -= int64(n)
	}
	switch {
	case err == nil || err == io.EOF && b.remaining <= 0:
		return n, err
	case err == io.EOF:
		return n, incomplete(b.length-b.remaining, b.length, io.ErrUnexpectedEOF)
	}
	return n, sourceError(err)
}

// finish makes the final checks; io.EOF means that all is well.
func (b *Body) finish() error {
	trailing, err := b.src.finish()
	if err != nil {
		return sourceError(err)
	}
	if b.sha != nil {
		var sum [sha256.Size]byte
		if got := hex.EncodeToString(b.sha.Sum(sum[:0])); !strings.EqualFold(got, b.shaWant) {
			return refuse(CodeContentSHA256Mismatch,
				"The provided 'x-amz-content-sha256' header does not match what was computed.",
				Detail{"ClientComputedContentSHA256", b.shaWant},
				Detail{"S3ComputedContentSHA256", got})
		}
	}
	if b.sum == nil {
		return io.EOF
	}
	if !trailing.IsZero() {
		b.want = trailing
	}
	computed := checksum.Sum(b.algo, b.sum)
	if !b.want.IsZero() {
		if err := b.want.Check(computed); err != nil {
			return err
		}
	}
	b.computed = computed
	return io.EOF
}

// sourceError turns an end in the wrong place into the client's fault; refusals
// pass, and anything else is the connection's.
func sourceError(err error) error {
	var e *Error
	var c *checksum.Error
	switch {
	case errors.As(err, &e) || errors.As(err, &c):
		return err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return cutShort(io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("sigv4: read a request body: %w", err)
}

// Close closes the underlying body. It does not read the rest.
func (b *Body) Close() error { return b.closer.Close() }

// plainSource is a body without framing.
type plainSource struct{ r io.Reader }

func (s plainSource) read(p []byte) (int, error)      { return s.r.Read(p) }
func (s plainSource) finish() (checksum.Value, error) { return checksum.Value{}, nil }
