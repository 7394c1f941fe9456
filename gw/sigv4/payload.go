package sigv4

import (
	"net/http"
	"strings"
)

// Payload tells what the signature of a request covers of its body, as declared
// by x-amz-content-sha256.
type Payload uint8

// The payload modes.
const (
	PayloadUnsigned        Payload = iota // UNSIGNED-PAYLOAD
	PayloadHash                           // the SHA-256 of the body
	PayloadChunked                        // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
	PayloadChunkedTrailer                 // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
	PayloadUnsignedTrailer                // STREAMING-UNSIGNED-PAYLOAD-TRAILER
)

// The values of x-amz-content-sha256 that are no hashes, and the hash of nothing.
const (
	UnsignedPayload        = "UNSIGNED-PAYLOAD"
	StreamingPayload       = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingTrailer       = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsigned      = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	EmptyPayload           = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	streamingECDSA         = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
	streamingECDSATrailer  = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"
	contentSHA256          = "x-amz-content-sha256"
	canonicalContentSHA256 = "X-Amz-Content-Sha256"
)

// Chunked tells whether the body is framed as aws-chunked.
func (p Payload) Chunked() bool {
	return p == PayloadChunked || p == PayloadChunkedTrailer || p == PayloadUnsignedTrailer
}

func (p Payload) signsChunks() bool { return p == PayloadChunked || p == PayloadChunkedTrailer }
func (p Payload) hasTrailer() bool {
	return p == PayloadChunkedTrailer || p == PayloadUnsignedTrailer
}

// parsePayload reads a value of x-amz-content-sha256.
func parsePayload(value string) (Payload, error) {
	switch value {
	case UnsignedPayload:
		return PayloadUnsigned, nil
	case StreamingPayload:
		return PayloadChunked, nil
	case StreamingTrailer:
		return PayloadChunkedTrailer, nil
	case StreamingUnsigned:
		return PayloadUnsignedTrailer, nil
	case streamingECDSA, streamingECDSATrailer:
		return 0, unsupportedMechanism()
	}
	if isHash(value) {
		return PayloadHash, nil
	}
	return 0, InvalidArgument("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "+
		"STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
		contentSHA256, value)
}

func isHash(s string) bool {
	if len(s) != len(EmptyPayload) {
		return false
	}
	for i := range len(s) {
		if unhex(s[i]) > 15 {
			return false
		}
	}
	return true
}

// headerPayload returns the declaration of a request signed in its header, where
// S3 demands one.
func headerPayload(r *http.Request) (string, Payload, error) {
	value := r.Header.Get(canonicalContentSHA256)
	if value == "" {
		return "", 0, refuse(CodeInvalidRequest, "Missing required header for this request: x-amz-content-sha256")
	}
	p, err := parsePayload(value)
	return value, p, err
}

// DeclareHash makes the body be held against x-amz-content-sha256, for a scheme whose signature says nothing of it. There every value
// but UNSIGNED-PAYLOAD is a hash, though it be one that no body has.
func (res *Result) DeclareHash(r *http.Request) {
	if value := r.Header.Get(canonicalContentSHA256); value != "" && value != UnsignedPayload {
		res.Payload, res.payloadHash = PayloadHash, value
	}
}

// ContentEncoding returns a Content-Encoding header without aws-chunked, which
// is the framing of one request and not of the object.
func ContentEncoding(value string) string {
	if !strings.Contains(value, "aws-chunked") {
		return value
	}
	var kept []string
	for coding := range strings.SplitSeq(value, ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			kept = append(kept, coding)
		}
	}
	return strings.Join(kept, ", ")
}

// Unsigned returns a Result for a request whose SchemeOf is Anonymous, so that
// its body is read like any other: SDKs frame bodies and send trailing checksums
// without credentials, too. The declared hash, if there is one, is checked. The
// error is an *Error; chunk signatures without a signature before them are
// refused.
func Unsigned(r *http.Request) (*Result, error) {
	res := &Result{Scheme: Anonymous}
	value := r.Header.Get(canonicalContentSHA256)
	if value == "" {
		return res, nil
	}
	var err error
	if res.Payload, err = parsePayload(value); err != nil {
		return nil, err
	}
	if res.Payload.signsChunks() {
		return nil, InvalidArgument("x-amz-content-sha256 must not announce signed chunks in a request that is not signed.",
			contentSHA256, value)
	}
	res.payloadHash = value
	return res, nil
}
