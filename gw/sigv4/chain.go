package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
)

const (
	hexSignature     = 2 * sha256.Size // characters of a signature
	chunkAlgorithm   = "AWS4-HMAC-SHA256-PAYLOAD"
	trailerAlgorithm = "AWS4-HMAC-SHA256-TRAILER"
)

// chain is the sequence of signatures over the chunks of a body: each covers its
// chunk and the signature before, the first of which is the request's own.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
type chain struct {
	mac       hash.Hash // keyed with the signing key
	accessKey string
	where     string // "\n" time "\n" scope "\n", common to all strings to sign
	previous  [hexSignature]byte
	toSign    []byte            // reused; also what a refusal shows
	sum       [sha256.Size]byte // memory of finish
}

// newChain starts a chain with the verified signature of the request.
func newChain(key signingKey, accessKey, when, scope, seed string) chain {
	c := chain{
		mac:       hmac.New(sha256.New, key[:]),
		accessKey: accessKey,
		where:     "\n" + when + "\n" + scope + "\n",
		toSign:    make([]byte, 0, 4*hexSignature+len(scope)+64), // enough for every one
	}
	copy(c.previous[:], seed)
	return c
}

// sign returns the signature of the next chunk, whose data hashed to sum, and
// makes it the previous one.
func (c *chain) sign(sum *[sha256.Size]byte) *[hexSignature]byte {
	b := append(c.toSign[:0], chunkAlgorithm...)
	b = append(b, c.where...)
	b = append(b, c.previous[:]...)
	b = append(b, '\n')
	b = append(b, EmptyPayload...)
	b = append(b, '\n')
	return c.finish(hex.AppendEncode(b, sum[:]))
}

// signTrailer returns the signature of the trailer, given the canonical lines.
func (c *chain) signTrailer(lines []byte) *[hexSignature]byte {
	sum := sha256.Sum256(lines)
	b := append(c.toSign[:0], trailerAlgorithm...)
	b = append(b, c.where...)
	b = append(b, c.previous[:]...)
	b = append(b, '\n')
	return c.finish(hex.AppendEncode(b, sum[:]))
}

func (c *chain) finish(toSign []byte) *[hexSignature]byte {
	c.toSign = toSign
	c.mac.Reset()
	c.mac.Write(toSign)
	hex.Encode(c.previous[:], c.mac.Sum(c.sum[:0]))
	return &c.previous
}

// compare refuses provided unless it is the signature just computed.
func (c *chain) compare(provided []byte) error {
	if subtle.ConstantTimeCompare(c.previous[:], provided) == 1 {
		return nil
	}
	return Mismatch(c.accessKey, string(c.toSign), string(provided), "")
}
