package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"sync"
)

const (
	terminator = "aws4_request"
	// maxSigningKeys bounds the cache of derived keys: two generations of half
	// of it. An entry is about 200 bytes.
	maxSigningKeys = 8192
)

// signingKey is the key derived from a secret for one day, region and service.
type signingKey [sha256.Size]byte

func hmacSum(key []byte, data string) (sum signingKey) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	h.Sum(sum[:0])
	return sum
}

// deriveKey computes the signing key.
func deriveKey(secret, date, region, service string) signingKey {
	k := hmacSum([]byte("AWS4"+secret), date)
	k = hmacSum(k[:], region)
	k = hmacSum(k[:], service)
	return hmacSum(k[:], terminator)
}

// appendSignature appends the signature of toSign in lower-case hexadecimal.
func (k *signingKey) appendSignature(b, toSign []byte) []byte {
	h := hmac.New(sha256.New, k[:])
	h.Write(toSign)
	var sum [sha256.Size]byte
	return hex.AppendEncode(b, h.Sum(sum[:0]))
}

// appendStringToSign appends what a signature of the canonical request covers.
func appendStringToSign(b []byte, when, scope string, canonical []byte) []byte {
	b = append(b, algorithm...)
	b = append(b, '\n')
	b = append(b, when...)
	b = append(b, '\n')
	b = append(b, scope...)
	b = append(b, '\n')
	sum := sha256.Sum256(canonical)
	return hex.AppendEncode(b, sum[:])
}

// keyCache remembers derived keys. The secret is compared at every use, so the
// key of a rotated secret is never used again. Safe for concurrent use.
type keyCache struct {
	mu         sync.RWMutex
	young, old map[keyID]*keyEntry // two generations
}

type keyID struct{ accessKey, date, region string }

type keyEntry struct {
	secret string
	key    signingKey
}

// get returns the signing key for the secret that is in force now.
func (c *keyCache) get(secret, service string, cred *credential) *signingKey {
	id := keyID{cred.accessKey, cred.date, cred.region}
	c.mu.RLock()
	e := c.young[id]
	if e == nil {
		e = c.old[id]
	}
	c.mu.RUnlock()
	if e != nil && subtle.ConstantTimeCompare([]byte(e.secret), []byte(secret)) == 1 {
		return &e.key
	}
	e = &keyEntry{secret: secret, key: deriveKey(secret, cred.date, cred.region, service)}
	c.put(id, e)
	return &e.key
}

func (c *keyCache) put(id keyID, e *keyEntry) {
	// The strings are parts of a request's headers, which must not stay with them.
	id = keyID{strings.Clone(id.accessKey), strings.Clone(id.date), strings.Clone(id.region)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= maxSigningKeys/2 {
		c.young, c.old = make(map[keyID]*keyEntry), c.young
	}
	c.young[id] = e
}
