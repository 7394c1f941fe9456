package sse

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync"

	"holdfast"
)

// KeySize is the size of all keys: AES-256.
const KeySize = 32

// Key is the key of an object: each of its streams gets a key of its own from it.
type Key [KeySize]byte

// String shows nothing of the key.
func (Key) String() string { return "object key" }

// GoString shows nothing of the key.
func (Key) GoString() string { return "object key" }

// streamInfo separates the keys of streams from whatever else is derived from an object's key.
const streamInfo = "holdfast sse stream 1"

// newAEAD returns the cipher of the stream of a part that begins with this salt. Part is 0 for an object that was not made of parts.
func newAEAD(key *Key, part int, salt []byte) (cipher.AEAD, error) {
	info := binary.BigEndian.AppendUint32([]byte(streamInfo), uint32(part))
	return derive(key, salt, string(info))
}

// derive returns the cipher of a key that is derived from another for one purpose (HKDF, RFC 5869).
func derive(key *Key, salt []byte, purpose string) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, key[:], salt, purpose, KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// nonce is that of the chunk at a place: the key is the stream's own, so the place is unique. The last byte marks the last chunk.
func nonce(index int64, last bool) (n [12]byte) {
	binary.BigEndian.PutUint64(n[:], uint64(index))
	if last {
		n[11] = 1
	}
	return n
}

// buffers are chunks as stored. They are cleared by what is written next, never read beyond it.
var buffers = sync.Pool{New: func() any { return new([Chunk]byte) }}

var errDamaged = errors.New("an encrypted stream is damaged, or its key is another one")

func damaged() error { return holdfast.E("sse.read", holdfast.Corrupt, errDamaged) }
