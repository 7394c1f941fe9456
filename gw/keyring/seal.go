package keyring

import (
	"crypto/rand"
	"fmt"

	"holdfast"
)

const (
	format1 = 1
	// Overhead is how much longer than the secret a sealed one is at most.
	Overhead = 2 + maxID + nonceSize + tagSize
)

// Seal encrypts a small secret under the current key. Context says what the secret is and to whom it belongs; it is not
// kept, and Open must be given the same. Kinds: TooLarge.
func (r *Ring) Seal(secret, context []byte) ([]byte, error) {
	if len(secret) > MaxSecret {
		return nil, &holdfast.Error{Op: "keyring.seal", Kind: holdfast.TooLarge}
	}
	m := &r.keys[len(r.keys)-1]
	out := make([]byte, 0, len(secret)+Overhead)
	out = append(out, format1, byte(len(m.id)))
	out = append(out, m.id...)
	head := len(out)
	out = out[:head+nonceSize]
	nonce := out[head:]
	_, _ = rand.Read(nonce) // documented never to fail
	aead, err := derive(&m.key, nonce)
	if err != nil {
		return nil, holdfast.E("keyring.seal", holdfast.Other, err)
	}
	return aead.Seal(out, nonce[deriveSize:], secret, associated(out[:head], context)), nil
}

// Open decrypts what Seal made. Kinds: Corrupt when it is damaged or was sealed for another context, Unavailable when its master key is
// not in the ring: the operator has to bring it back.
func (r *Ring) Open(sealed, context []byte) ([]byte, error) {
	head, rest, ok := split(sealed)
	if !ok || len(rest) > nonceSize+MaxSecret+tagSize {
		return nil, holdfast.E("keyring.open", holdfast.Corrupt, errDamaged)
	}
	id := head[2:]
	m := r.find(id)
	if m == nil {
		return nil, &holdfast.Error{Op: "keyring.open", Kind: holdfast.Unavailable, ID: string(id),
			Err: fmt.Errorf("there is no master key with this id: add its line to the cluster's key file")}
	}
	nonce := rest[:nonceSize]
	aead, err := derive(&m.key, nonce)
	if err != nil {
		return nil, holdfast.E("keyring.open", holdfast.Other, err)
	}
	secret, err := aead.Open(nil, nonce[deriveSize:], rest[nonceSize:], associated(head, context))
	if err != nil {
		return nil, holdfast.E("keyring.open", holdfast.Corrupt, errDamaged)
	}
	return secret, nil
}

// KeyID returns the id of the master key that something was sealed under, "" if it was not sealed by a ring.
func KeyID(sealed []byte) string {
	head, _, ok := split(sealed)
	if !ok {
		return ""
	}
	return string(head[2:])
}

// split cuts a sealed secret into its head (format and id) and the rest (nonce, ciphertext, tag).
func split(sealed []byte) (head, rest []byte, ok bool) {
	if len(sealed) < 2 || sealed[0] != format1 {
		return nil, nil, false
	}
	n := 2 + int(sealed[1])
	if n == 2 || n > 2+maxID || len(sealed) < n+nonceSize+tagSize {
		return nil, nil, false
	}
	return sealed[:n:n], sealed[n:], validID(string(sealed[2:n]))
}

// associated is what is authenticated beside the secret. The head tells its own length, so the two cannot run into each other.
func associated(head, context []byte) []byte {
	return append(append(make([]byte, 0, len(head)+len(context)), head...), context...)
}

// DataKey encrypts one object. It is not to be kept longer than a request lasts.
type DataKey [KeySize]byte

// String shows nothing of the key.
func (DataKey) String() string { return "data key" }

// Format implements [fmt.Formatter], so that no verb shows the key.
func (k DataKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(k.String())) }

// NewDataKey makes a random data key, and the sealed form that is to be kept in its place.
func (r *Ring) NewDataKey(context []byte) (key DataKey, sealed []byte, err error) {
	_, _ = rand.Read(key[:]) // documented never to fail
	sealed, err = r.Seal(key[:], context)
	return key, sealed, err
}

// OpenDataKey returns the data key that NewDataKey sealed. Kinds are those of Open.
func (r *Ring) OpenDataKey(sealed, context []byte) (DataKey, error) {
	data, err := r.Open(sealed, context)
	if err != nil {
		return DataKey{}, err
	}
	if len(data) != KeySize {
		return DataKey{}, holdfast.E("keyring.open", holdfast.Corrupt, errDamaged)
	}
	return DataKey(data), nil
}
