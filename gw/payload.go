package gw

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
)

// payload is the body of a request: free of framing, verified against the signature and the declared checksum as it is
// read (sigv4.Body does that), digested and counted here.
type payload struct {
	body     *sigv4.Body
	pace     *pace // of the request
	stalled  bool  // the client stood still for too long
	declared checksum.Declared
	signed   bool // the signature covers the bytes
	read     int64
	ended    time.Time // when the last byte came; zero if it did not, or nothing was to come
	md5      hash.Hash // nil unless the operation makes an ETag
	sum      hash.Hash // of an additional checksum that the client did not declare; nil unless one is wanted
	sumOf    checksum.Algorithm
	want     *checksum.MD5 // Content-MD5; nil if there is none
}

// openPayload prepares the body of an operation that stores bytes: its length must be known, and its MD5 becomes the ETag.
func (q *request) openPayload(maxSize int64) error {
	if q.body.body.Length() < 0 || saysNothing(q.r) {
		return s3api.E(s3api.MissingContentLength)
	}
	if n := q.body.body.Length(); n > maxSize {
		return s3api.TooLarge(n, maxSize)
	}
	if err := q.expectMD5(); err != nil {
		return err
	}
	q.body.md5 = q.newMD5()
	return nil
}

// saysNothing reports whether a request does not say whether it has a body: to HTTP/1.1 it has none, but S3 takes no empty object for it.
func saysNothing(r *http.Request) bool {
	return r.ContentLength == 0 && r.ProtoMajor == 1 && len(r.Header["Content-Length"]) == 0
}

// lanesFrom is the length of a body from which it pays to hash it beside others: shorter ones are done before there are any.
const lanesFrom = 1 << 20

// newMD5 returns what digests the body, until the request ends.
func (q *request) newMD5() hash.Hash {
	if q.body.size() < lanesFrom {
		return md5.New()
	}
	h := q.g.lanes.New()
	q.atEnd = h.Close
	return h
}

// expectChecksum makes the body of a part carry the checksum that its upload was begun with. Another is refused, and none if the
// object's is made of those that the client sends; else it is computed here.
func (p *payload) expectChecksum(of holdfast.Checksum) error {
	want := checksum.Algorithm(of.Algorithm)
	got := p.declared.Algorithm
	switch {
	case want == checksum.None || got == want:
		return nil
	case got != checksum.None || of.Composite:
		actual := "null"
		if got != checksum.None {
			actual = strings.ToLower(got.String())
		}
		return s3api.E(s3api.InvalidRequest).WithMessage("Checksum Type mismatch occurred, expected checksum Type: " +
			strings.ToLower(want.String()) + ", actual checksum Type: " + actual)
	}
	p.sumOf, p.sum = want, want.New()
	return nil
}

// whole reports whether all of the body was read and verified.
func (p *payload) whole() bool { return p.body != nil && p.size() >= 0 && p.read == p.size() }

// size returns the length of the data without framing.
func (p *payload) size() int64 { return p.body.Length() }

// Read implements [io.Reader].
func (p *payload) Read(b []byte) (int, error) {
	p.pace.reading()
	n, err := p.body.Read(b)
	p.read += int64(n)
	switch {
	case err == io.EOF || p.whole():
		p.pace.readAll()
		p.ended = time.Now()
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.stalled = true
	}
	if p.md5 != nil {
		p.md5.Write(b[:n])
	}
	if p.sum != nil {
		p.sum.Write(b[:n])
	}
	return n, err
}

// digests returns what the bytes hash to, once they were read to io.EOF, or refuses them if that is not what Content-MD5
// said. The additional checksum was compared by then.
func (p *payload) digests() (holdfast.ETag, holdfast.Checksum, error) {
	var tag holdfast.ETag
	p.md5.Sum(tag.Digest[:0])
	if p.want != nil {
		if err := checkMD5(*p.want, tag.Digest, hex.EncodeToString); err != nil {
			return holdfast.ETag{}, holdfast.Checksum{}, err
		}
	}
	sum := p.body.Checksum()
	if p.sum != nil {
		sum = checksum.Sum(p.sumOf, p.sum)
	}
	return tag, storedChecksum(sum), nil
}

// document reads a body that is an XML document whole, up to the operation's bound, and holds it against Content-MD5.
func (q *request) document(op s3api.Op) ([]byte, error) {
	if q.doc != nil { // a policy wanted to know what is in it
		return q.doc, nil
	}
	if err := q.expectMD5(); err != nil {
		return nil, err
	}
	data, err := s3api.ReadBody(&q.body, s3api.MaxBody(op))
	if err != nil {
		if e := clientError(err); e != nil { // more precise than what ReadBody makes of it
			return nil, e
		}
		return nil, err
	}
	if want := q.body.want; want != nil {
		if err := checkMD5(*want, md5.Sum(data), base64.StdEncoding.EncodeToString); err != nil {
			return nil, err
		}
	}
	q.doc = data
	return data, nil
}

// checkMD5 compares digests. S3 shows the one it expected in hexadecimal for an object and in base64 for a document, the other always
// in base64.
func checkMD5(want, computed checksum.MD5, show func([]byte) string) error {
	err := want.Check(computed)
	if err == nil {
		return nil
	}
	return clientError(err).With("ExpectedDigest", show(want[:])).With("CalculatedDigest", base64.StdEncoding.EncodeToString(computed[:]))
}

// expectMD5 reads Content-MD5.
func (q *request) expectMD5() error {
	text, ok := q.r.Header["Content-Md5"]
	if !ok {
		return nil
	}
	want, err := checksum.ParseContentMD5(text[0])
	if err != nil {
		return s3api.E(s3api.InvalidDigest).With("Content-MD5", text[0]).WithCause(err)
	}
	q.body.want = &want
	return nil
}

// storedChecksum converts a checksum to how entries keep it; the numbers of the algorithms are the same.
func storedChecksum(v checksum.Value) holdfast.Checksum {
	if v.IsZero() {
		return holdfast.Checksum{}
	}
	return holdfast.Checksum{
		Algorithm: holdfast.ChecksumAlgorithm(v.Algorithm()),
		Composite: v.Type() == checksum.Composite,
		Value:     string(v.Raw()),
	}
}

// shownChecksum converts a stored checksum back; parts is how many parts a composite one was made of.
func shownChecksum(c holdfast.Checksum, parts int) (checksum.Value, bool) {
	if c.IsZero() || c.Value == "" {
		return checksum.Value{}, false
	}
	if !c.Composite {
		parts = 0
	}
	return checksum.ValueOf(checksum.Algorithm(c.Algorithm), []byte(c.Value), parts)
}
