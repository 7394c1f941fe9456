package namerpc

import (
	"errors"
	"math"
	"time"

	"holdfast"
)

var (
	errIDLength = errors.New("id is not 16 bytes long")
	errRange    = errors.New("number is out of range")
	errOp       = errors.New("operation is of no known type")
	errTriples  = errors.New("guarded objects are not triples")
)

// decoder turns messages into the contract's types and keeps the first thing it could not make sense of. The functions
// that use it go on with zero values, so they read as plain lists of fields; whoever made the decoder looks at err.
type decoder struct{ err error }

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// id reads an id: 16 bytes, or none for zero.
func (d *decoder) id(b []byte) (id [16]byte) {
	if copy(id[:], b) != len(b) || len(b)%len(id) != 0 {
		d.fail(errIDLength)
	}
	return id
}

// u8 reads the number of an enumeration; numbers that this version has no name for pass.
func (d *decoder) u8(n uint32) uint8 {
	if n > math.MaxUint8 {
		d.fail(errRange)
	}
	return uint8(n)
}

func (d *decoder) u16(n uint32) uint16 {
	if n > math.MaxUint16 {
		d.fail(errRange)
	}
	return uint16(n)
}

func (d *decoder) slot(n uint32) holdfast.Slot { return holdfast.Slot(d.u16(n)) }

// unixOfZero is Go's zero time in seconds since 1970. Times travel relative to it, so that the zero time is the
// absent one; the sums below may wrap, both ways alike.
const unixOfZero = -62135596800

func timeToWire(t time.Time) (seconds int64, nanoseconds uint32) {
	return t.Unix() - unixOfZero, uint32(t.Nanosecond())
}

func (d *decoder) time(seconds int64, nanoseconds uint32) time.Time {
	if nanoseconds >= uint32(time.Second) {
		d.fail(errRange)
	}
	return time.Unix(seconds+unixOfZero, int64(nanoseconds)).UTC()
}

// idToWire returns nil for the zero id.
func idToWire[ID ~[16]byte](id ID) []byte {
	if id == (ID{}) {
		return nil
	}
	return id[:]
}

// manyToWire converts a slice by a function of one element; an empty one gives nil.
func manyToWire[T, W any](in []T, one func(*T) *W) []*W {
	if len(in) == 0 {
		return nil
	}
	out := make([]*W, len(in))
	for i := range in {
		out[i] = one(&in[i])
	}
	return out
}

// manyFromWire is the inverse of manyToWire.
func manyFromWire[W, T any](in []*W, one func(*W) T) []T {
	if len(in) == 0 {
		return nil
	}
	out := make([]T, len(in))
	for i := range in {
		out[i] = one(in[i])
	}
	return out
}
