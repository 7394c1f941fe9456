package password

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"sync"

	"holdfast"
)

// Messages have fixed sizes and begin with their format.
const (
	wireFormat    = 1
	nonceSize     = 16
	tagSize       = 32
	costSize      = 1 + saltSize // logN, salt
	helloSize     = 1 + nonceSize
	challengeSize = 1 + nonceSize + costSize + shareSize
	answerSize    = 1 + shareSize + tagSize
	proofSize     = 1 + tagSize
)

// channel is what CPace calls CI.
func channel(binding []byte) []byte { return lvCat([]byte("holdfast join 1"), binding) }

// tags are the confirmations: each side shows one that only who has the key can know.
func tags(isk, sid []byte) (host, node []byte, err error) {
	if host, err = hkdf.Key(sha512.New, isk, sid, "the new host knows the password", tagSize); err == nil {
		node, err = hkdf.Key(sha512.New, isk, sid, "the node knows the password", tagSize)
	}
	return host, node, err
}

// Attempt is the new host's side of a conversation. It is for one connection and one use.
type Attempt struct {
	password, binding, nonce []byte
	want                     []byte // the node's tag; nil until Answer
}

// Begin starts the conversation about a password on a connection (see [Binding]) and returns the message for the node.
func Begin(password, binding []byte) (a *Attempt, hello []byte) {
	a = &Attempt{password: bytes.Clone(password), binding: bytes.Clone(binding), nonce: make([]byte, nonceSize)}
	_, _ = rand.Read(a.nonce) // never fails
	return a, append([]byte{wireFormat}, a.nonce...)
}

// Answer takes the node's challenge and returns the message that proves knowledge of the password to a node that has it. It
// takes about a tenth of a second. Errors: Corrupt if the message makes no sense; Unsupported for another format.
func (a *Attempt) Answer(challenge []byte) ([]byte, error) {
	const op = "answer password challenge"
	if err := checkMessage(op, challenge, challengeSize); err != nil {
		return nil, err
	}
	rest := challenge[1:]
	sid := append(bytes.Clone(a.nonce), rest[:nonceSize]...)
	cost, nodeShare := rest[nonceSize:nonceSize+costSize], rest[nonceSize+costSize:]
	v := Verifier{logN: cost[0], salt: [saltSize]byte(cost[1:])}
	if !v.affordable() {
		return nil, holdfast.E(op, holdfast.Corrupt, errors.New("scrypt's cost is out of bounds"))
	}
	if err := v.derive(a.password); err != nil {
		return nil, err
	}
	x := newExchange(v.key[:], channel(a.binding), sid)
	isk, err := x.key(nodeShare, append(lvCat(nodeShare, cost), lvCat(x.share, nil)...))
	if err != nil {
		return nil, holdfast.E(op, holdfast.Corrupt, err)
	}
	host, node, err := tags(isk, sid)
	if err != nil {
		return nil, holdfast.E(op, holdfast.Other, err)
	}
	a.want = node
	return append(append([]byte{wireFormat}, x.share...), host...), nil
}

// Check takes the node's proof. Denied if the other end of the connection does not know the password: it is no node of this
// cluster, or somebody is in between. Nothing that it says may be believed then.
func (a *Attempt) Check(proof []byte) error {
	const op = "check proof of password"
	if err := checkMessage(op, proof, proofSize); err != nil {
		return err
	}
	want := a.want
	a.want = nil
	if len(want) != tagSize || subtle.ConstantTimeCompare(proof[1:], want) != 1 {
		return holdfast.E(op, holdfast.Denied, errors.New("the other end does not know the password"))
	}
	return nil
}

func checkMessage(op string, b []byte, size int) error {
	if len(b) > 0 && b[0] != wireFormat {
		return holdfast.E(op, holdfast.Unsupported, errors.New("the message is of another format: upgrade the older side"))
	}
	if len(b) != size {
		return holdfast.E(op, holdfast.Corrupt, errors.New("the message has another length"))
	}
	return nil
}

// Door is a node's side: it knows the verifier, and lets only so many try. Safe for concurrent use.
type Door struct {
	limiter *Limiter

	mu       sync.Mutex
	verifier Verifier
}

// NewDoor returns a door for a verifier.
func NewDoor(v Verifier, limiter *Limiter) *Door { return &Door{verifier: v, limiter: limiter} }

// SetVerifier changes the password. Conversations that have begun go on with the old one.
func (d *Door) SetVerifier(v Verifier) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.verifier = v
}

// Question is a node's side of one conversation. It is for one connection and one use.
type Question struct {
	refund   func()
	exchange exchange // zero once used
	cost     []byte
}

// Ask begins a conversation with a source, which is the address of the other machine without its port, and returns the message
// for it. It spends one try of the source, which comes back if the answer is right. Errors: Overload if it has none left: it
// must wait; Corrupt and Unsupported for a message that makes no sense.
func (d *Door) Ask(source string, binding, hello []byte) (q *Question, challenge []byte, err error) {
	const op = "ask for password"
	if err := checkMessage(op, hello, helloSize); err != nil {
		return nil, nil, err
	}
	refund, err := d.limiter.Try(source)
	if err != nil {
		return nil, nil, err
	}
	d.mu.Lock()
	v := d.verifier
	d.mu.Unlock()
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails
	sid := append(bytes.Clone(hello[1:]), nonce...)
	q = &Question{refund: refund, cost: append([]byte{v.logN}, v.salt[:]...), exchange: newExchange(v.key[:], channel(binding), sid)}
	challenge = append(append(append([]byte{wireFormat}, nonce...), q.cost...), q.exchange.share...)
	return q, challenge, nil
}

// Check takes the new host's answer and returns the proof for it. Denied if it does not know the password, or was told
// another connection's challenge.
func (q *Question) Check(answer []byte) (proof []byte, err error) {
	const op = "check answer about password"
	if err := checkMessage(op, answer, answerSize); err != nil {
		return nil, err
	}
	wrong := holdfast.E(op, holdfast.Denied, errors.New("the password is wrong"))
	x := q.exchange
	if q.exchange = (exchange{}); x.secret == nil { // an answer was checked before
		return nil, wrong
	}
	share, tag := answer[1:1+shareSize], answer[1+shareSize:]
	isk, err := x.key(share, append(lvCat(x.share, q.cost), lvCat(share, nil)...))
	if err != nil {
		return nil, wrong
	}
	host, node, err := tags(isk, x.sid)
	if err != nil {
		return nil, holdfast.E(op, holdfast.Other, err)
	}
	if subtle.ConstantTimeCompare(tag, host) != 1 {
		return nil, wrong
	}
	q.refund()
	return append([]byte{wireFormat}, node...), nil
}
