package sse

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"

	"holdfast"
)

// Mode is who has the key that seals an object's key; stored, so appended to only.
type Mode uint8

// The modes.
const (
	None     Mode = iota // not encrypted
	Managed              // SSE-S3: a master key of the cluster
	Customer             // SSE-C: the client, who sends it with each request
)

// Vault seals and opens keys under the cluster's master keys; package keyring's Ring is one. The context tells what a key is for.
type Vault interface {
	Seal(secret, context []byte) ([]byte, error)
	Open(sealed, context []byte) ([]byte, error)
}

const recordFormat = 1

// recordContext is what keys of objects are sealed for.
var recordContext = []byte("holdfast object key")

// ErrWrongKey is the cause of an error of [Record.OpenCustomer]: the client's key is not the one that the object was stored with.
var ErrWrongKey = errors.New("the key is not the one that the object was encrypted with")

// Record says how an object is encrypted, and holds its key in sealed form. It is stored as it is.
type Record []byte

// Mode returns the mode of a record; the empty one's is None. Kinds: Corrupt.
func (r Record) Mode() (Mode, error) {
	switch {
	case len(r) == 0:
		return None, nil
	case len(r) < 2 || r[0] != recordFormat || Mode(r[1]) != Managed && Mode(r[1]) != Customer:
		return None, badRecord()
	}
	return Mode(r[1]), nil
}

func badRecord() error {
	return holdfast.E("sse.record", holdfast.Corrupt, errors.New("the record of an encrypted object is malformed"))
}

func (r Record) body(want Mode) ([]byte, error) {
	m, err := r.Mode()
	if err == nil && m != want {
		err = badRecord()
	}
	if err != nil {
		return nil, err
	}
	return r[2:], nil
}

// newKey makes a random object key.
func newKey() (k Key) {
	_, _ = rand.Read(k[:]) // documented never to fail
	return k
}

// NewManaged makes an object key and its record under the cluster's current master key.
func NewManaged(v Vault) (Key, Record, error) {
	key := newKey()
	sealed, err := v.Seal(key[:], recordContext)
	if err != nil {
		return Key{}, nil, err
	}
	return key, append(Record{recordFormat, byte(Managed)}, sealed...), nil
}

// OpenManaged returns the object key of a record that NewManaged made. Kinds: Corrupt, and Unavailable while the master key is missing.
func (r Record) OpenManaged(v Vault) (Key, error) {
	body, err := r.body(Managed)
	if err != nil {
		return Key{}, err
	}
	data, err := v.Open(body, recordContext)
	if err != nil {
		return Key{}, err
	}
	if len(data) != KeySize {
		return Key{}, badRecord()
	}
	return Key(data), nil
}

// customerInfo separates the keys that come from clients' keys from whatever else is derived from them.
const (
	customerInfo = "holdfast sse customer 1"
	customerSalt = 32
)

// customerAEAD returns the cipher that seals one object key under a client's key and a random salt. It is used once, so its nonce is zero.
func customerAEAD(customer *Key, salt []byte) (cipher.AEAD, error) {
	return derive(customer, salt, customerInfo)
}

// NewCustomer makes an object key and its record under a client's key. The client's key cannot be found from the record; whether a
// key is the same one can be, for who tries it.
func NewCustomer(customer *Key) (Key, Record, error) {
	key := newKey()
	r := append(Record{recordFormat, byte(Customer)}, make([]byte, customerSalt)...)
	salt := r[2:]
	_, _ = rand.Read(salt) // documented never to fail
	aead, err := customerAEAD(customer, salt)
	if err != nil {
		return Key{}, nil, holdfast.E("sse.record", holdfast.Other, err)
	}
	return key, aead.Seal(r, make([]byte, aead.NonceSize()), key[:], recordContext), nil
}

// OpenCustomer returns the object key of a record that NewCustomer made. Kinds: Corrupt, and Denied with [ErrWrongKey] if it was made with
// another key, which cannot be told from damage to the record.
func (r Record) OpenCustomer(customer *Key) (Key, error) {
	body, err := r.body(Customer)
	if err != nil {
		return Key{}, err
	}
	if len(body) != customerSalt+KeySize+tagSize {
		return Key{}, badRecord()
	}
	aead, err := customerAEAD(customer, body[:customerSalt])
	if err != nil {
		return Key{}, holdfast.E("sse.record", holdfast.Other, err)
	}
	data, err := aead.Open(nil, make([]byte, aead.NonceSize()), body[customerSalt:], recordContext)
	if err != nil {
		return Key{}, holdfast.E("sse.record", holdfast.Denied, ErrWrongKey)
	}
	return Key(data), nil
}
