package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"math"
	"strconv"
	"strings"

	"holdfast/gw/checksum"
)

// Bounds of the framing of a body.
const (
	maxFrameLine  = 4 << 10  // bytes of a chunk header or trailer line
	maxTrailer    = 16 << 10 // bytes of all lines behind the last chunk
	maxEmptyReads = 100      // reads in a row that return nothing
	// minChunk is the smallest size of a chunk that is not the last; S3 refuses
	// smaller ones.
	minChunk = 8 << 10
)

const (
	chunkParameter   = "chunk-signature"
	chunkExtension   = ";" + chunkParameter + "="
	trailerSignature = "x-amz-trailer-signature"
)

// chunkSource decodes an aws-chunked body:
//
//	size in hexadecimal [;chunk-signature=…] CRLF data CRLF   for each chunk
//	0 [;chunk-signature=…] CRLF                               the last
//	[name:value CRLF …] [x-amz-trailer-signature:… CRLF] CRLF
//
// It reads the body to its end. Clients disagree about blank lines around the
// trailer, so these are skipped.
type chunkSource struct {
	r         *bufio.Reader
	mode      Payload
	chain     chain
	sha       hash.Hash         // of the chunk, if chunks are signed
	sum       [sha256.Size]byte // memory of checkSignature
	signature []byte
	trailer   checksum.Algorithm // None if no trailer may come
	length    int64              // data bytes the client promised
	remaining int64              // of these, what is beyond this chunk
	left      int64              // data bytes left in the current chunk
	size      int64              // of the current chunk; -1 before the first
	number    int                // of the current chunk, from 1
	last      bool               // the chunk of size 0 has been read
}

func newChunkSource(r io.Reader, mode Payload, c chain, trailer checksum.Algorithm, length int64) *chunkSource {
	s := &chunkSource{
		r:    bufio.NewReaderSize(r, maxFrameLine),
		mode: mode, chain: c, trailer: trailer, length: length, remaining: length, size: -1,
	}
	if mode.signsChunks() {
		s.sha = sha256.New()
	}
	return s
}

func (s *chunkSource) read(p []byte) (int, error) {
	if s.left == 0 {
		if err := s.nextChunk(); err != nil {
			return 0, err
		}
		if s.last {
			return 0, io.EOF
		}
	}
	n, err := s.readSome(p[:min(int64(len(p)), s.left)])
	if s.sha != nil {
		s.sha.Write(p[:n])
	}
	s.left -= int64(n)
	if err != nil {
		return n, unexpected(err)
	}
	if s.left == 0 {
		err = s.endChunk()
	}
	return n, err
}

// readSome is Read that returns at least a byte or an error.
func (s *chunkSource) readSome(p []byte) (int, error) {
	for range maxEmptyReads {
		n, err := s.r.Read(p)
		if n > 0 {
			return n, nil // an error comes again
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// nextChunk reads the header of a chunk, and checks the last one's signature.
func (s *chunkSource) nextChunk() error {
	line, err := s.line()
	if err != nil {
		return unexpected(err)
	}
	before := s.size
	if !s.parseChunkHeader(line) {
		return cutShort(nil)
	}
	if s.number++; s.size > s.remaining {
		return incomplete(s.length-s.remaining+s.size, s.length, nil)
	}
	if s.size == 0 {
		s.last = true
		return s.checkSignature()
	}
	if before >= 0 && before < minChunk {
		return refuse(CodeInvalidChunkSize, "Only the last chunk is allowed to have a size less than 8192 bytes",
			Detail{"Chunk", strconv.Itoa(s.number)}, Detail{"BadChunkSize", strconv.FormatInt(before, 10)})
	}
	s.left = s.size
	s.remaining -= s.size
	return nil
}

// parseChunkHeader reads the size and, if chunks are signed, the signature, which may be any text here.
func (s *chunkSource) parseChunkHeader(line []byte) bool {
	digits := line
	if s.mode.signsChunks() {
		var parameter []byte
		digits, parameter, _ = bytes.Cut(line, []byte(";"))
		name, signature, _ := bytes.Cut(parameter, []byte("="))
		signature = bytes.TrimSpace(signature)
		if string(bytes.TrimSpace(name)) != chunkParameter || len(signature) == 0 || bytes.IndexByte(signature, ';') >= 0 {
			return false
		}
		s.signature = append(s.signature[:0], signature...)
		digits = bytes.TrimRight(digits, " \t")
	}
	if len(digits) == 0 || len(digits) > 16 {
		return false
	}
	var size uint64
	for _, c := range digits {
		d := unhex(c)
		if d > 15 {
			return false
		}
		size = size<<4 | uint64(d)
	}
	if size > math.MaxInt64 {
		return false
	}
	s.size = int64(size)
	return true
}

// endChunk reads the line break behind the data and checks the signature.
func (s *chunkSource) endChunk() error {
	line, err := s.line()
	if err != nil {
		return unexpected(err)
	}
	if len(line) != 0 {
		return cutShort(nil)
	}
	return s.checkSignature()
}

func (s *chunkSource) checkSignature() error {
	if s.sha == nil {
		return nil
	}
	s.sha.Sum(s.sum[:0])
	s.sha.Reset()
	s.chain.sign(&s.sum)
	return s.chain.compare(s.signature)
}

// line reads a line without its end. It is valid until the next read. A line end
// is CRLF or, as one SDK writes it before the trailer's signature, LF. At the end
// of the body it returns what there is with io.EOF.
func (s *chunkSource) line() ([]byte, error) {
	line, err := s.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return nil, cutShort(err)
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), err
}

// unexpected is for errors in places where the body must not end.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// finish reads the last chunk, if the data ended without it, and the trailer.
func (s *chunkSource) finish() (checksum.Value, error) {
	if !s.last {
		if err := s.nextChunk(); err != nil {
			return checksum.Value{}, err
		}
		if !s.last {
			return checksum.Value{}, incomplete(s.length+s.size, s.length, nil) // only if nothing was promised to remain
		}
	}
	t := trailerReader{source: s}
	for total := 0; ; {
		line, err := s.line()
		if err != nil && err != io.EOF {
			return checksum.Value{}, err
		}
		if total += len(line) + 2; total > maxTrailer {
			return checksum.Value{}, malformedTrailer()
		}
		if len(line) > 0 {
			if refused := t.add(line); refused != nil {
				return checksum.Value{}, refused
			}
		}
		if err == io.EOF {
			return t.end()
		}
	}
}

// trailerReader collects the lines behind the last chunk.
type trailerReader struct {
	source    *chunkSource
	canonical []byte // what the trailer's signature covers
	value     checksum.Value
	signed    bool
}

func (t *trailerReader) add(line []byte) error {
	name, value, found := strings.Cut(string(line), ":")
	if !found || t.signed || !t.source.mode.hasTrailer() {
		return malformedTrailer()
	}
	name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
	if name == trailerSignature {
		if !t.source.mode.signsChunks() {
			return malformedTrailer()
		}
		t.signed = true
		t.source.chain.signTrailer(t.canonical)
		return t.source.chain.compare([]byte(value))
	}
	if name != t.source.trailer.Header() || !t.value.IsZero() {
		return malformedTrailer()
	}
	var err error
	if t.value, err = checksum.Parse(t.source.trailer, value); err != nil {
		return refuse(CodeInvalidRequest, "Value for "+name+" trailing header is invalid.")
	}
	t.canonical = append(t.canonical, name+":"+value+"\n"...)
	return nil
}

// end checks that the trailer is complete.
func (t *trailerReader) end() (checksum.Value, error) {
	mode := t.source.mode
	switch {
	case t.source.trailer != checksum.None && t.value.IsZero():
		return checksum.Value{}, malformedTrailer()
	case mode.hasTrailer() && mode.signsChunks() && !t.signed:
		return checksum.Value{}, cutShort(nil)
	}
	return t.value, nil
}
