// Package password lets a new host and a node of the cluster prove to each other that both know the cluster's password, over a TLS
// connection on which neither can check the other's certificate yet.
//
// Its invariants: neither side learns anything about the password but whether the other knows the same one, and a proof is worth
// nothing on another connection. So a machine in the middle, which has a connection with each side, gets one guess for each
// try that a person makes, and nothing to try passwords on at leisure. The proof is a password-authenticated key exchange
// (CPace, in cpace.go) whose channel identifier is the channel binding of the TLS connection (RFC 9266), with a confirmation in
// each direction, the new host's first.
//
// A node keeps a [Verifier], which scrypt makes from the password. Who steals that file can join a host without the password,
// and try passwords at the price of one scrypt each. It lies beside the keys of the cluster, which are worth as much.
//
// The conversation, each message a step:
//
//	new host  Begin    hello ────────►            node  Door.Ask   (takes a try from the Limiter)
//	          Answer           ◄──────── challenge
//	                   answer ────────►                 Question.Check  (wrong: Denied, and the try is spent)
//	          Check            ◄──────── proof
//
// After Check without an error the connection itself may be trusted for whatever else is to be said on it.
package password

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/scrypt"

	"holdfast"
)

// Limits of a password, in bytes of UTF-8.
const (
	MinLength = 8
	MaxLength = 1024
)

// scrypt's parameters (RFC 7914). N is a power of two, written as its exponent; r and p are fixed. Scrypt takes 1 KiB times N of
// memory: a new host refuses a challenge that asks for more than maxLogN, and one that makes guessing cheaper than minLogN.
const (
	defaultLogN = 15
	minLogN     = 14
	maxLogN     = 17
	scryptR     = 8
	scryptP     = 1
)

const (
	saltSize = 16
	keySize  = 32
)

// Verifier is what a node keeps in place of the password. It is a secret.
type Verifier struct {
	logN uint8
	salt [saltSize]byte
	key  [keySize]byte
}

// NewVerifier makes the verifier of a password. Invalid if it is too short, too long or not UTF-8.
func NewVerifier(password []byte) (Verifier, error) {
	if err := Validate(password); err != nil {
		return Verifier{}, err
	}
	v := Verifier{logN: defaultLogN}
	_, _ = rand.Read(v.salt[:]) // never fails
	return v, v.derive(password)
}

// Validate returns what is wrong with a new password, without showing it.
func Validate(password []byte) error {
	var wrong error
	switch {
	case len(password) < MinLength:
		wrong = fmt.Errorf("it is shorter than %d characters", MinLength)
	case len(password) > MaxLength:
		wrong = fmt.Errorf("it is longer than %d bytes", MaxLength)
	case !utf8.Valid(password) || bytes.ContainsAny(password, "\x00\n\r"):
		wrong = errors.New("it is not a line of UTF-8")
	default:
		return nil
	}
	return holdfast.E("check password", holdfast.Invalid, wrong)
}

// derive sets the key from a password, and what else is known.
func (v *Verifier) derive(password []byte) error {
	key, err := scrypt.Key(password, v.salt[:], 1<<v.logN, scryptR, scryptP, keySize)
	if err != nil {
		return holdfast.E("derive key of password", holdfast.Invalid, err)
	}
	v.key = [keySize]byte(key)
	return nil
}

const fileHead = "password 1"

// Encode writes the file of the verifier; FORMAT.md of this package describes it.
func (v Verifier) Encode() []byte {
	return fmt.Appendf(nil, "%s\nscrypt %d %d %d\nsalt %x\nkey %x\n", fileHead, v.logN, scryptR, scryptP, v.salt, v.key)
}

// ParseVerifier reads the file. The errors, Corrupt and Unsupported, hold nothing of its content.
func ParseVerifier(b []byte) (Verifier, error) {
	lines := strings.Split(string(b), "\n")
	if strings.HasPrefix(lines[0], "password ") && lines[0] != fileHead {
		return Verifier{}, holdfast.E("decode password file", holdfast.Unsupported, errors.New("the format is another"))
	}
	var v Verifier
	if len(lines) != 5 || lines[0] != fileHead || lines[4] != "" || !v.parseCost(lines[1]) ||
		!parseHex(v.salt[:], "salt ", lines[2]) || !parseHex(v.key[:], "key ", lines[3]) {
		return Verifier{}, holdfast.E("decode password file", holdfast.Corrupt, errors.New("it is not what this program writes"))
	}
	return v, nil
}

func (v *Verifier) parseCost(line string) bool {
	text, found := strings.CutPrefix(line, "scrypt ")
	logN, rp, _ := strings.Cut(text, " ")
	n, err := strconv.ParseUint(logN, 10, 8)
	v.logN = uint8(n)
	return found && err == nil && strconv.FormatUint(n, 10) == logN && rp == fmt.Sprintf("%d %d", scryptR, scryptP) && v.affordable()
}

// affordable reports whether guessing is dear enough, and deriving cheap enough.
func (v *Verifier) affordable() bool { return minLogN <= v.logN && v.logN <= maxLogN }

func parseHex(to []byte, prefix, line string) bool {
	text, found := strings.CutPrefix(line, prefix)
	if !found || len(text) != hex.EncodedLen(len(to)) || strings.ToLower(text) != text {
		return false
	}
	_, err := hex.Decode(to, []byte(text))
	return err == nil
}

// Binding returns what a proof is bound to: the tls-exporter channel binding (RFC 9266) of a connection whose handshake is
// complete. The two ends of one connection have the same, no two connections do. Invalid before TLS 1.3.
func Binding(state tls.ConnectionState) ([]byte, error) {
	if !state.HandshakeComplete || state.Version < tls.VersionTLS13 {
		return nil, holdfast.E("bind password to connection", holdfast.Invalid, errors.New("it wants TLS 1.3"))
	}
	b, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, bindingSize)
	if err != nil {
		return nil, holdfast.E("bind password to connection", holdfast.Invalid, err)
	}
	return b, nil
}

const bindingSize = 32
