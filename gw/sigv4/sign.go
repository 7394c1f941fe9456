package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Credentials are what a client signs with.
type Credentials struct {
	AccessKey    string
	SecretKey    string
	SessionToken string // of temporary credentials; else ""
}

// Signer signs requests as a client does. It remembers the signing key of the
// day, so that a signature costs one HMAC. Safe for concurrent use.
type Signer struct {
	creds   Credentials
	region  string
	service string

	mu   sync.Mutex
	date string // of key
	key  signingKey
}

// NewSigner returns a Signer for S3 in a region.
func NewSigner(creds Credentials, region string) *Signer {
	return &Signer{creds: creds, region: region, service: "s3"}
}

// Sign signs one request in its Authorization header. Many requests are cheaper
// with a Signer.
func Sign(r *http.Request, creds Credentials, region string, at time.Time, payloadHash string) {
	NewSigner(creds, region).Sign(r, at, payloadHash)
}

// Sign adds x-amz-date, x-amz-content-sha256 and Authorization to the headers,
// which must be complete otherwise. payloadHash is the SHA-256 of the body in
// lower-case hexadecimal, or one of the constants beginning with UnsignedPayload.
func (s *Signer) Sign(r *http.Request, at time.Time, payloadHash string) {
	s.sign(r, at, payloadHash)
}

// signed is what continues a signature over a chunked body.
type signed struct {
	key                    signingKey
	when, scope, signature string
}

func (s *Signer) sign(r *http.Request, at time.Time, payloadHash string) signed {
	when := at.UTC().Format(timeFormat)
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	delete(r.Header, "Authorization")
	r.Header["X-Amz-Date"] = []string{when}
	r.Header[canonicalContentSHA256] = []string{payloadHash}
	if s.creds.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.creds.SessionToken)
	}
	names := headersToSign(r.Header)
	out := s.signature(r, names, payloadHash, when)
	b := make([]byte, 0, 256)
	b = append(b, algorithm+" Credential="...)
	b = append(b, s.creds.AccessKey...)
	b = append(b, '/')
	b = append(b, out.scope...)
	b = append(b, ", SignedHeaders="...)
	for i, name := range names {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	b = append(b, ", Signature="...)
	b = append(b, out.signature...)
	r.Header["Authorization"] = []string{string(b)}
	return out
}

// Presign turns r into a presigned request by adding to the query of its URL.
// The x-amz-* headers of r are signed: whoever uses the URL must send them.
// expires is 1 second to MaxExpires.
func (s *Signer) Presign(r *http.Request, at time.Time, expires time.Duration) {
	when := at.UTC().Format(timeFormat)
	names := []string{"host"}
	for key := range r.Header {
		if lower := strings.ToLower(key); strings.HasPrefix(lower, amzPrefix) {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	q := r.URL.Query()
	q.Set("X-Amz-Algorithm", algorithm)
	q.Set("X-Amz-Credential", s.creds.AccessKey+"/"+s.scope(when[:len(dateFormat)]))
	q.Set("X-Amz-Date", when)
	q.Set("X-Amz-Expires", strconv.FormatInt(int64(expires/time.Second), 10))
	q.Set("X-Amz-SignedHeaders", strings.Join(names, ";"))
	if s.creds.SessionToken != "" {
		q.Set("X-Amz-Security-Token", s.creds.SessionToken)
	}
	r.URL.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	out := s.signature(r, names, UnsignedPayload, when)
	r.URL.RawQuery += "&X-Amz-Signature=" + url.QueryEscape(out.signature)
}

func (s *Signer) scope(date string) string {
	return date + "/" + s.region + "/" + s.service + "/" + terminator
}

// signature signs the request as it would go over the wire now.
func (s *Signer) signature(r *http.Request, names []string, payloadHash, when string) signed {
	date := when[:len(dateFormat)]
	out := signed{key: s.keyOf(date), when: when, scope: s.scope(date)}
	m := newScratch()
	defer m.release()
	m.build(r, names, payloadHash, "") // url.URL writes no malformed escapes
	m.toSign = appendStringToSign(m.toSign, when, out.scope, m.canonical)
	var buf [hexSignature]byte
	out.signature = string(out.key.appendSignature(buf[:0], m.toSign))
	return out
}

func (s *Signer) keyOf(date string) signingKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.date != date {
		s.date, s.key = date, deriveKey(s.creds.SecretKey, date, s.region, s.service)
	}
	return s.key
}

// headersToSign returns the names of the headers to sign, sorted: all but those
// that proxies and HTTP libraries change on the way.
func headersToSign(h http.Header) []string {
	names := make([]string, 1, len(h)+1)
	names[0] = "host"
	for key := range h {
		switch key {
		case "Authorization", "User-Agent", "Accept-Encoding", "Connection", "Content-Length",
			"Expect", "Transfer-Encoding", "Te", "Trailer", "X-Amzn-Trace-Id", "X-Forwarded-For":
			continue
		case "X-Amz-Date": // without the allocation of the others
			names = append(names, "x-amz-date")
		case canonicalContentSHA256:
			names = append(names, contentSHA256)
		default:
			names = append(names, strings.ToLower(key))
		}
	}
	slices.Sort(names)
	return names
}
