package checksum

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"
)

// MaxParts is the largest number of parts a multipart object has.
const MaxParts = 10_000

// Value is a checksum: an algorithm, the raw bytes, and for a composite one the
// number of parts it was made of. Values are comparable with ==; the zero
// Value means that there is none.
type Value struct {
	algorithm Algorithm
	parts     int
	sum       [sha256.Size]byte
}

// Algorithm returns the algorithm of v; None for the zero Value.
func (v Value) Algorithm() Algorithm { return v.algorithm }

// Parts returns the number of parts a composite checksum covers; 0 for the
// checksum of an object's or part's own bytes.
func (v Value) Parts() int { return v.parts }

// Type tells what v covers.
func (v Value) Type() Type {
	if v.parts > 0 {
		return Composite
	}
	return FullObject
}

// IsZero tells whether v is no checksum at all.
func (v Value) IsZero() bool { return v.algorithm == None }

// Raw returns a copy of the raw bytes, in network byte order.
func (v Value) Raw() []byte {
	return append([]byte(nil), v.sum[:v.algorithm.Size()]...)
}

// String returns the value as S3 writes it: the raw bytes in base64, followed by
// "-N" for a composite of N parts.
func (v Value) String() string {
	s := base64.StdEncoding.EncodeToString(v.sum[:v.algorithm.Size()])
	if v.parts > 0 {
		s += "-" + strconv.Itoa(v.parts)
	}
	return s
}

// ValueOf makes a Value of raw bytes, as a stored record has them. parts is 0
// for the checksum of an object's own bytes. ok is false if the length is not
// the algorithm's or parts is out of range.
func ValueOf(a Algorithm, raw []byte, parts int) (v Value, ok bool) {
	if !a.known() || len(raw) != a.Size() || parts < 0 || parts > MaxParts {
		return Value{}, false
	}
	v = Value{algorithm: a, parts: parts}
	copy(v.sum[:], raw)
	return v, true
}

// Sum makes a Value of what h, which a.New returned, has been given so far.
func Sum(a Algorithm, h hash.Hash) Value {
	v := Value{algorithm: a}
	h.Sum(v.sum[:0])
	return v
}

// Parse reads a value of algorithm a as clients write it: base64 of exactly the
// algorithm's length, canonical and padded. The error is an *Error with code
// InvalidRequest that names the header.
func Parse(a Algorithm, s string) (Value, error) {
	v := Value{algorithm: a}
	if !a.known() || !decodeExact(v.sum[:a.Size()], s) {
		return Value{}, invalidRequest("Value for " + a.Header() + " header is invalid.")
	}
	return v, nil
}

// ParseComposite reads a value that may end in "-N", as a client sends it with
// the completion of a multipart upload. Without the suffix it is Parse.
func ParseComposite(a Algorithm, s string) (Value, error) {
	sum, suffix, found := strings.Cut(s, "-") // '-' is no digit of this base64
	v, err := Parse(a, sum)
	if err != nil || !found {
		return v, err
	}
	n, err := strconv.Atoi(suffix)
	if err != nil || n < 1 || n > MaxParts || strconv.Itoa(n) != suffix {
		return Value{}, invalidRequest("Value for " + a.Header() + " header is invalid.")
	}
	v.parts = n
	return v, nil
}

// decodeExact decodes s into dst and tells whether it filled it exactly. A value
// with spare bits set in its last digit is refused: it would print differently
// from what the client sent.
func decodeExact(dst []byte, s string) bool {
	if len(s) != base64.StdEncoding.EncodedLen(len(dst)) || strings.ContainsAny(s, "\r\n") {
		return false
	}
	var buf [sha256.Size + 2]byte // Decode wants room for the padding
	n, err := base64.StdEncoding.Strict().Decode(buf[:], []byte(s))
	if err != nil || n != len(dst) {
		return false
	}
	copy(dst, buf[:n])
	return true
}

// Check compares what the client declared with what was computed from the bytes
// and returns an *Error with code BadDigest if they differ.
func (v Value) Check(computed Value) error {
	same := v.algorithm == computed.algorithm && v.parts == computed.parts &&
		subtle.ConstantTimeCompare(v.sum[:], computed.sum[:]) == 1
	if same {
		return nil
	}
	return &Error{
		Code:    CodeBadDigest,
		Message: "The " + v.algorithm.String() + " you specified did not match the calculated checksum.",
	}
}
