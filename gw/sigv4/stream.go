package sigv4

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"time"

	"holdfast/gw/checksum"
)

// DefaultChunk is the chunk size of a Stream that names none, as SDKs use it.
const DefaultChunk = 64 << 10

// ErrStream is returned for a Stream that cannot be sent.
var ErrStream = errors.New("sigv4: the stream's mode, size or checksum is impossible")

// Stream is a body to be sent as aws-chunked.
type Stream struct {
	Body     io.Reader
	Size     int64              // bytes that Body has
	Chunk    int                // bytes in a chunk; 0 means DefaultChunk
	Payload  Payload            // one of the three chunked modes
	Checksum checksum.Algorithm // of the trailer, in the modes that have one
}

// SignStream signs r with a chunked body: it sets the headers that belong to it,
// r.ContentLength and r.Body, which yields the framed and signed stream. The
// body can be sent once. Closing it closes nothing.
func (s *Signer) SignStream(r *http.Request, at time.Time, st Stream) error {
	if st.Chunk == 0 {
		st.Chunk = DefaultChunk
	}
	hasChecksum := st.Checksum != checksum.None
	if !st.Payload.Chunked() || st.Size < 0 || st.Chunk < 1 || hasChecksum != st.Payload.hasTrailer() {
		return ErrStream
	}
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	encoding := "aws-chunked"
	if had := r.Header.Get("Content-Encoding"); had != "" {
		encoding += "," + had
	}
	r.Header.Set("Content-Encoding", encoding)
	r.Header.Set("X-Amz-Decoded-Content-Length", strconv.FormatInt(st.Size, 10))
	if hasChecksum {
		r.Header.Set("X-Amz-Trailer", st.Checksum.Header())
	}
	r.ContentLength = st.encodedLength()
	value := map[Payload]string{
		PayloadChunked: StreamingPayload, PayloadChunkedTrailer: StreamingTrailer, PayloadUnsignedTrailer: StreamingUnsigned,
	}[st.Payload]
	out := s.sign(r, at, value)
	e := &streamEncoder{Stream: st, left: st.Size, sum: st.Checksum.New()}
	e.chain = newChain(out.key, s.creds.AccessKey, out.when, out.scope, out.signature)
	e.frame = make([]byte, 0, st.Chunk+maxFrameHeader)
	e.data = make([]byte, st.Chunk)
	if st.Payload.signsChunks() {
		e.sha = sha256.New()
	}
	r.Body = io.NopCloser(e)
	return nil
}

// maxFrameHeader is room for what surrounds the data of a chunk.
const maxFrameHeader = 16 + len(chunkExtension) + hexSignature + 4

// encodedLength returns the length of the framed stream.
func (st *Stream) encodedLength() int64 {
	chunk := int64(st.Chunk)
	n := st.Size / chunk * (st.headerLength(chunk) + chunk + 2)
	if rest := st.Size % chunk; rest > 0 {
		n += st.headerLength(rest) + rest + 2
	}
	n += st.headerLength(0) + 2
	if st.Payload.hasTrailer() {
		base64Length := (st.Checksum.Size() + 2) / 3 * 4
		n += int64(len(st.Checksum.Header()) + 1 + base64Length + 2)
	}
	if st.Payload == PayloadChunkedTrailer {
		n += int64(len(trailerSignature) + 1 + hexSignature + 2)
	}
	return n
}

func (st *Stream) headerLength(size int64) int64 {
	n := len(strconv.FormatInt(size, 16)) + 2
	if st.Payload.signsChunks() {
		n += len(chunkExtension) + hexSignature
	}
	return int64(n)
}

// streamEncoder is the framed stream, a chunk at a time.
type streamEncoder struct {
	Stream
	chain chain
	sha   hash.Hash // of a chunk, if chunks are signed
	sum   hash.Hash // of everything, if a trailer follows
	left  int64
	data  []byte // one chunk
	frame []byte // the framed chunk
	next  int    // what of frame has been read
	done  bool
}

func (e *streamEncoder) Read(p []byte) (int, error) {
	if e.next == len(e.frame) {
		if e.done {
			return 0, io.EOF
		}
		if err := e.encode(); err != nil {
			return 0, err
		}
	}
	n := copy(p, e.frame[e.next:])
	e.next += n
	return n, nil
}

// encode fills the frame with the next chunk, or with the last and the trailer.
func (e *streamEncoder) encode() error {
	data := e.data[:min(int64(len(e.data)), e.left)]
	if _, err := io.ReadFull(e.Body, data); err != nil {
		return fmt.Errorf("sigv4: read the data of a stream: %w", err)
	}
	e.left -= int64(len(data))
	e.next = 0
	b := strconv.AppendInt(e.frame[:0], int64(len(data)), 16)
	if e.sha != nil {
		e.sha.Reset()
		e.sha.Write(data)
		var sum [sha256.Size]byte
		e.sha.Sum(sum[:0])
		b = append(b, chunkExtension...)
		b = append(b, e.chain.sign(&sum)[:]...)
	}
	b = append(b, "\r\n"...)
	if len(data) > 0 {
		if e.sum != nil {
			e.sum.Write(data)
		}
		b = append(b, data...)
		e.frame = append(b, "\r\n"...)
		return nil
	}
	e.frame = append(e.appendTrailer(b), "\r\n"...)
	e.done = true
	return nil
}

func (e *streamEncoder) appendTrailer(b []byte) []byte {
	if e.sum == nil {
		return b
	}
	line := e.Checksum.Header() + ":" + checksum.Sum(e.Checksum, e.sum).String()
	b = append(b, line+"\r\n"...)
	if e.sha == nil {
		return b
	}
	b = append(b, trailerSignature+":"...)
	b = append(b, e.chain.signTrailer([]byte(line + "\n"))[:]...)
	return append(b, "\r\n"...)
}
