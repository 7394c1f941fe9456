package accesslog

import (
	"crypto/tls"
	"strconv"
	"strings"
	"time"

	"holdfast/gw/s3api"
)

// Record is what a line tells of a request. A field that is "", or a size or time that is negative, is written as "-".
type Record struct {
	Owner      string // of the bucket
	Bucket     string
	Time       time.Time // when the request came
	Address    string
	Requester  string
	Request    string // x-amz-request-id
	Operation  string // see [Operation]
	Key        string // not encoded
	URI        string // "METHOD uri HTTP/1.1"
	Status     int
	Error      string // S3 error code
	Sent       int64  // bytes of the answer's body
	ObjectSize int64
	Total      time.Duration // until the answer was sent
	TurnAround time.Duration // until the answer was begun
	Referer    string
	UserAgent  string
	Version    string // versionId of the request
	Host       string // x-amz-id-2
	Signature  string // SigV2 or SigV4
	Cipher     string
	Auth       string // AuthHeader or QueryString
	HostHeader string
	TLS        string
	ByList     bool // an access control list was needed to allow the request
}

// Append appends the line, with its end.
func (r *Record) Append(dst []byte) []byte {
	dst = appendField(dst, r.Owner)
	dst = appendField(append(dst, ' '), r.Bucket)
	dst = append(dst, " ["...)
	dst = r.Time.UTC().AppendFormat(dst, "02/Jan/2006:15:04:05 -0700")
	dst = append(dst, ']')
	for _, field := range [...]string{r.Address, r.Requester, r.Request, r.Operation, encodeKey(r.Operation, r.Key)} {
		dst = appendField(append(dst, ' '), field)
	}
	quote := appendQuoted
	if r.Operation == BatchDelete { // has no request of its own: S3 writes no quotes either
		quote = appendField
	}
	dst = quote(append(dst, ' '), r.URI)
	dst = appendNumber(append(dst, ' '), nonzero(int64(r.Status)))
	dst = appendField(append(dst, ' '), r.Error)
	dst = appendNumber(append(dst, ' '), nonzero(r.Sent))
	dst = appendNumber(append(dst, ' '), r.ObjectSize)
	dst = appendNumber(append(dst, ' '), milliseconds(r.Total))
	dst = appendNumber(append(dst, ' '), milliseconds(r.TurnAround))
	dst = quote(append(dst, ' '), r.Referer)
	dst = quote(append(dst, ' '), r.UserAgent)
	for _, field := range [...]string{r.Version, r.Host, r.Signature, r.Cipher, r.Auth, r.HostHeader, r.TLS} {
		dst = appendField(append(dst, ' '), field)
	}
	// There are no access points, and no region is known that the request came from.
	if r.ByList {
		return append(dst, " - Yes -\n"...)
	}
	return append(dst, " - - -\n"...)
}

// appendField writes a field without spaces. Space and control characters, which no honest client sends there, would forge fields or
// lines: they are encoded as in a URI.
func appendField(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, '-')
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			dst = appendPercent(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func appendPercent(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	return append(dst, '%', hex[c>>4], hex[c&15])
}

// appendQuoted writes a field between quotes. S3 leaves quotes inside as they are; here they are escaped, since they would forge fields.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if s == "" {
		dst = append(dst, '-')
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || c == '"' {
			dst = appendPercent(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// appendNumber writes a number, or "-" for a negative one.
func appendNumber(dst []byte, n int64) []byte {
	if n < 0 {
		return append(dst, '-')
	}
	return strconv.AppendInt(dst, n, 10)
}

// nonzero makes "-" of 0, as S3 shows an answer without a body.
func nonzero(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

func milliseconds(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return d.Milliseconds()
}

// encodeKey encodes a key as S3 does in logs: twice for requests that name the key in their URI, once for what is done without one, by
// a DeleteObjects or by the store itself.
func encodeKey(operation, key string) string {
	once := string(s3api.AppendURLEncoded(nil, key))
	if strings.HasPrefix(operation, "REST.") || strings.HasPrefix(operation, "WEBSITE.") {
		return strings.ReplaceAll(once, "%", "%25")
	}
	return once
}

// Cipher names a cipher suite as OpenSSL, and S3, do.
func Cipher(suite uint16) string {
	name := tls.CipherSuiteName(suite)
	exchange, cipher, ok := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !ok {
		return name // version 1.3 has the same names everywhere
	}
	if exchange = strings.ReplaceAll(exchange, "_", "-"); exchange == "RSA" {
		exchange = ""
	} else {
		exchange += "-"
	}
	cipher = strings.Replace(strings.ReplaceAll(cipher, "_", "-"), "AES-", "AES", 1)
	return exchange + strings.Replace(cipher, "CHACHA20-POLY1305-SHA256", "CHACHA20-POLY1305", 1)
}

// TLSVersion names a version of TLS.
func TLSVersion(version uint16) string {
	return strings.Replace(tls.VersionName(version), "TLS ", "TLSv", 1)
}
