// Package sign computes AWS Signature Version 4 headers without allocating.
//
// Reference: "Authenticating Requests: Using the Authorization Header (AWS
// Signature Version 4)" in the Amazon S3 API Reference.
//
// It stands apart from the gateway's signature code on purpose. That one
// verifies anything a client may send, from an http.Request; this one writes
// the few shapes a load generator sends, thousands of times a second on the
// same cores as the server it measures, so it works on byte slices in place,
// keeps the day's signing key and the second's timestamp, and touches no
// header map. Two independent writings also check each other: a shared bug
// would let a wrong signature pass.
//
// Invariant: the lines it appends are exactly the headers that were signed.
package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"time"
)

// UnsignedPayload is the payload hash of a request whose body is not signed.
const UnsignedPayload = "UNSIGNED-PAYLOAD"

// EmptyPayload is the payload hash of an empty body, in hex.
const EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Credentials are what a client proves. SessionToken may be empty.
type Credentials struct {
	AccessKey    string
	SecretKey    string
	SessionToken string
}

// Request is what a signature covers besides the host and the date.
type Request struct {
	Method string
	// Path is the path as it stands in the request line, percent-encoded once
	// by AppendPath.
	Path []byte
	// Query is the query string as it stands in the request line: names and
	// values encoded by AppendQuery, parameters sorted, "k=" for an empty value.
	Query []byte
	// PayloadHash is 64 hex digits or UnsignedPayload.
	PayloadHash []byte
}

// Signer signs for one key, region and host. It is not safe for concurrent
// use; give each connection its own.
type Signer struct {
	cred   Credentials
	region string
	host   string

	day     int64  // days since 1970 of key and scope
	second  int64  // Unix second of stamp
	scope   []byte // 20260101/region/s3/aws4_request
	stamp   []byte // 20260101T000000Z
	mac     hash.Hash
	sha     hash.Hash
	scratch []byte
	sum     [sha256.Size]byte
}

// New returns a Signer. host is the value of the Host header.
func New(cred Credentials, region, host string) *Signer {
	return &Signer{cred: cred, region: region, host: host, day: -1, second: -1, sha: sha256.New()}
}

// Append appends to dst the header lines that authenticate r at the time now
// (X-Amz-Content-Sha256, X-Amz-Date, X-Amz-Security-Token if there is one, and
// Authorization), each ended by CRLF. The caller writes the Host line.
func (s *Signer) Append(dst []byte, now time.Time, r Request) []byte {
	s.setTime(now)
	dst = append(dst, "X-Amz-Content-Sha256: "...)
	dst = append(dst, r.PayloadHash...)
	dst = append(dst, "\r\nX-Amz-Date: "...)
	dst = append(dst, s.stamp...)
	if s.cred.SessionToken != "" {
		dst = append(dst, "\r\nX-Amz-Security-Token: "...)
		dst = append(dst, s.cred.SessionToken...)
	}
	dst = append(dst, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential="...)
	dst = append(dst, s.cred.AccessKey...)
	dst = append(dst, '/')
	dst = append(dst, s.scope...)
	dst = append(dst, ", SignedHeaders="...)
	dst = append(dst, s.signedHeaders()...)
	dst = append(dst, ", Signature="...)
	dst = s.appendSignature(dst, r)
	return append(dst, "\r\n"...)
}

func (s *Signer) signedHeaders() string {
	if s.cred.SessionToken != "" {
		return "host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
	}
	return "host;x-amz-content-sha256;x-amz-date"
}

// appendSignature appends the 64 hex digits of the signature.
func (s *Signer) appendSignature(dst []byte, r Request) []byte {
	s.sha.Reset()
	s.scratch = s.appendCanonical(s.scratch[:0], r)
	s.sha.Write(s.scratch)
	digest := s.sha.Sum(s.sum[:0])

	b := append(s.scratch[:0], "AWS4-HMAC-SHA256\n"...)
	b = append(b, s.stamp...)
	b = append(b, '\n')
	b = append(b, s.scope...)
	b = append(b, '\n')
	b = hex.AppendEncode(b, digest)
	s.scratch = b

	s.mac.Reset()
	s.mac.Write(b)
	return hex.AppendEncode(dst, s.mac.Sum(s.sum[:0]))
}

// appendCanonical appends the canonical request.
func (s *Signer) appendCanonical(b []byte, r Request) []byte {
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = append(b, r.Path...)
	b = append(b, '\n')
	b = append(b, r.Query...)
	b = append(b, "\nhost:"...)
	b = append(b, s.host...)
	b = append(b, "\nx-amz-content-sha256:"...)
	b = append(b, r.PayloadHash...)
	b = append(b, "\nx-amz-date:"...)
	b = append(b, s.stamp...)
	if s.cred.SessionToken != "" {
		b = append(b, "\nx-amz-security-token:"...)
		b = append(b, s.cred.SessionToken...)
	}
	b = append(b, "\n\n"...)
	b = append(b, s.signedHeaders()...)
	b = append(b, '\n')
	return append(b, r.PayloadHash...)
}

// setTime renews the timestamp once a second and the signing key once a day.
func (s *Signer) setTime(now time.Time) {
	second := now.Unix()
	if second == s.second {
		return
	}
	s.second = second
	s.stamp = now.UTC().AppendFormat(s.stamp[:0], "20060102T150405Z")
	if day := second / 86400; day != s.day {
		s.day = day
		s.scope = append(append(append(s.scope[:0], s.stamp[:8]...), '/'), s.region...)
		s.scope = append(s.scope, "/s3/aws4_request"...)
		s.mac = hmac.New(sha256.New, signingKey(s.cred.SecretKey, string(s.stamp[:8]), s.region))
	}
}

func signingKey(secret, date, region string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{date, region, "s3", "aws4_request"} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return key
}
