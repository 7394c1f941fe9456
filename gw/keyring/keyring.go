package keyring

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"holdfast"
)

// Variable is the name of the lines of a key file, and of the environment variable that gives a key.
const Variable = "HOLDFAST_CLUSTER_KEY"

// Sizes.
const (
	KeySize = 32 // of master keys and data keys: AES-256
	// MaxSecret is the longest secret that is sealed: longer ones want a stream format.
	MaxSecret = 64 << 10
	// MaxKeys is how many master keys a ring may have.
	MaxKeys = 64

	maxID   = 16
	maxFile = 64 << 10
)

// master is a master key.
type master struct {
	id  string
	key [KeySize]byte
}

// Ring is a set of master keys. It does not change, and is safe for concurrent use.
type Ring struct {
	keys []master // the last one is current
}

// Parse reads a key file: lines of the form
//
//	HOLDFAST_CLUSTER_KEY=id:base64
//
// with the standard base64 of 32 bytes, the current key last. Empty lines and those that begin with # are passed over; anything else is an
// error, so that a typing error does not cost a key. Errors never show keys.
func Parse(file []byte) (*Ring, error) {
	if len(file) > maxFile {
		return nil, refuse("the file is larger than %d bytes", maxFile)
	}
	r := new(Ring)
	s := bufio.NewScanner(bytes.NewReader(file))
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		value, ok := strings.CutPrefix(line, Variable+"=")
		if !ok {
			return nil, refuse("line %d: must be %s=ID:KEY", n, Variable)
		}
		if err := r.add(value); err != nil {
			return nil, refuse("line %d: %w", n, err)
		}
	}
	if err := s.Err(); err != nil {
		return nil, refuse("%w", err)
	}
	if len(r.keys) == 0 {
		return nil, refuse("there is no line %s=ID:KEY", Variable)
	}
	return r, nil
}

// With returns a ring that also has the keys of values, id:base64 each, separated by spaces or commas. The last of them is current.
func (r *Ring) With(values string) (*Ring, error) {
	more := &Ring{}
	if r != nil {
		more.keys = append(more.keys, r.keys...)
	}
	fields := strings.FieldsFunc(values, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\t' || c == '\r' })
	if len(fields) == 0 {
		return nil, refuse("%s is empty", Variable)
	}
	for _, f := range fields {
		if err := more.add(f); err != nil {
			return nil, refuse("%w", err)
		}
	}
	return more, nil
}

// add adds a key and makes it the current one. A key that is there already moves to the end.
func (r *Ring) add(value string) error {
	id, text, ok := strings.Cut(value, ":")
	if !ok || !validID(id) {
		return fmt.Errorf("a key is an id of 1 to %d letters, digits, - and _, a colon, and base64", maxID)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) != KeySize {
		return fmt.Errorf("key %s: is not the base64 of %d bytes", id, KeySize)
	}
	m := master{id: id}
	copy(m.key[:], data)
	kept := make([]master, 0, len(r.keys)+1)
	for _, k := range r.keys {
		switch {
		case k.id != id:
			kept = append(kept, k)
		case k.key != m.key:
			return fmt.Errorf("key %s: there are two different keys with this id", id)
		}
	}
	if len(kept) == MaxKeys {
		return fmt.Errorf("there are more than %d keys", MaxKeys)
	}
	r.keys = append(kept, m)
	return nil
}

func validID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

// Generate returns a new line for a key file, with a random key under a random id.
func Generate() string {
	var b [4 + KeySize]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return Variable + "=" + hex.EncodeToString(b[:4]) + ":" + base64.StdEncoding.EncodeToString(b[4:])
}

// Current returns the id of the key that seals.
func (r *Ring) Current() string { return r.keys[len(r.keys)-1].id }

// IDs returns the ids of all keys, the current one last.
func (r *Ring) IDs() []string {
	ids := make([]string, len(r.keys))
	for i := range r.keys {
		ids[i] = r.keys[i].id
	}
	return ids
}

// String shows the ids and no key.
func (r *Ring) String() string { return "keyring " + strings.Join(r.IDs(), " ") }

// Format implements [fmt.Formatter], so that no verb shows a key.
func (r *Ring) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(r.String())) }

func (r *Ring) find(id []byte) *master {
	for i := range r.keys {
		if r.keys[i].id == string(id) {
			return &r.keys[i]
		}
	}
	return nil
}

func refuse(format string, args ...any) error {
	return holdfast.E("keyring", holdfast.Invalid, fmt.Errorf(format, args...))
}

// errDamaged says nothing more of what did not open: it is all that can be known.
var errDamaged = errors.New("a sealed secret is damaged, or belongs somewhere else")
