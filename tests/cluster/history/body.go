package history

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
)

// Sizes of contents: mostly small, some of several blocks, few that take several requests between hosts.
const (
	minBytes    = 64
	smallBytes  = 4 << 10
	middleBytes = 100 << 10
	largeBytes  = 1 << 20
)

// content returns the bytes of a value: its number, and a stream made from it.
func content(v Value) []byte {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], uint64(v))
	limit := smallBytes
	switch v % 32 {
	case 0:
		limit = largeBytes
	case 1, 2, 3:
		limit = middleBytes
	}
	b := make([]byte, minBytes+int(v/32)%limit)
	_, _ = rand.NewChaCha8(seed).Read(b[8:]) // never fails
	binary.BigEndian.PutUint64(b, uint64(v))
	return b
}

// identify returns the value whose content these bytes are, and what is wrong with them if they are of none.
func identify(b []byte) (v Value, broken string) {
	if len(b) < 8 {
		return None, fmt.Sprintf("%d bytes that nobody wrote", len(b))
	}
	v = Value(binary.BigEndian.Uint64(b))
	if want := content(v); !bytes.Equal(b, want) {
		return v, fmt.Sprintf("%d bytes that begin like %x, which has %d, and are not it", len(b), v, len(want))
	}
	return v, ""
}

// etag returns the ETag of a content, in its quotes.
func etag(b []byte) string {
	sum := md5.Sum(b)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}
