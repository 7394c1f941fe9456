package group

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/memberlist"

	"holdfast"
)

// Key encrypts gossip, by AES-256-GCM. It is a secret of the cluster that every host has in a file of its own machine.
type Key [32]byte

// MaxKeys bounds the keys that are understood at a time.
const MaxKeys = 4

// NewKey draws a key.
func NewKey() Key {
	var k Key
	_, _ = rand.Read(k[:]) // never fails
	return k
}

const keysHead = "gossip-keys 1"

// EncodeKeys writes the file of keys: a line with the format, then a line of 64 hex digits for each, the one in use first.
func EncodeKeys(keys []Key) []byte {
	var b strings.Builder
	b.WriteString(keysHead + "\n")
	for _, k := range keys {
		b.WriteString(hex.EncodeToString(k[:]) + "\n")
	}
	return []byte(b.String())
}

// ParseKeys reads the file of keys. The errors, Corrupt and Unsupported, hold nothing of its content.
func ParseKeys(b []byte) ([]Key, error) {
	lines := strings.Split(string(b), "\n")
	if strings.HasPrefix(lines[0], "gossip-keys ") && lines[0] != keysHead {
		return nil, holdfast.E("decode gossip keys", holdfast.Unsupported, errors.New("the format is another"))
	}
	n := len(lines) - 2
	if lines[0] != keysHead || n < 1 || n > MaxKeys || lines[len(lines)-1] != "" {
		return nil, holdfast.E("decode gossip keys", holdfast.Corrupt, fmt.Errorf("%d lines", len(lines)))
	}
	keys := make([]Key, n)
	for i := range keys {
		raw, err := hex.DecodeString(lines[i+1])
		if err != nil || len(raw) != len(Key{}) || strings.ToLower(lines[i+1]) != lines[i+1] {
			return nil, holdfast.E("decode gossip keys", holdfast.Corrupt, fmt.Errorf("line %d is not 64 hex digits", i+2))
		}
		keys[i] = Key(raw)
	}
	return keys, nil
}

func newKeyring(keys []Key) (*memberlist.Keyring, error) {
	if len(keys) == 0 || len(keys) > MaxKeys {
		return nil, fmt.Errorf("%d gossip keys, want 1 to %d", len(keys), MaxKeys)
	}
	var raw [][]byte
	for _, k := range keys {
		raw = append(raw, k[:])
	}
	return memberlist.NewKeyring(raw, raw[0])
}
