package sigv4

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// The S3 error codes of refused requests. Their HTTP status is the business of
// the gateway's error catalogue.
const (
	CodeAccessDenied          = "AccessDenied"
	CodeHeaderMalformed       = "AuthorizationHeaderMalformed"
	CodeQueryParameters       = "AuthorizationQueryParametersError"
	CodeContentSHA256Mismatch = "XAmzContentSHA256Mismatch"
	CodeIncompleteBody        = "IncompleteBody"
	CodeInvalidAccessKeyID    = "InvalidAccessKeyId"
	CodeInvalidArgument       = "InvalidArgument"
	CodeInvalidChunkSize      = "InvalidChunkSizeError"
	CodeInvalidRequest        = "InvalidRequest"
	CodeInvalidURI            = "InvalidURI"
	CodeMalformedTrailer      = "MalformedTrailerError"
	CodeMissingContentLength  = "MissingContentLength"
	CodeSignatureDoesNotMatch = "SignatureDoesNotMatch"
	CodeTimeTooSkewed         = "RequestTimeTooSkewed"
)

// maxDetail bounds a Detail that repeats what the client sent, in bytes, so that
// a refusal is never much larger than an ordinary answer.
const maxDetail = 16 << 10

// Detail is an element that S3 adds to an error document.
type Detail struct{ Name, Value string }

// Error is a refusal. Code is the S3 error code, Message the text S3 gives with
// it, Details the additional elements of the XML document in their order. Err,
// where there is one, is the cause and not for the client.
type Error struct {
	Code    string
	Message string
	Details []Detail
	Err     error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.Message + ": " + e.Err.Error()
	}
	return e.Code + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Detail returns the value of the named detail; "" if there is none.
func (e *Error) Detail(name string) string {
	for _, d := range e.Details {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

func refuse(code, message string, details ...Detail) *Error {
	return &Error{Code: code, Message: message, Details: details}
}

// Mismatch is the refusal of a signature that is not what the secret gives. The
// canonical request is "" in Signature Version 2, which has none. S3 shows both
// as text and as hexadecimal bytes so that a client's author sees the difference.
func Mismatch(accessKey, stringToSign, provided, canonicalRequest string) *Error {
	e := refuse(CodeSignatureDoesNotMatch, "The request signature we calculated does not match "+
		"the signature you provided. Check your key and signing method.",
		Detail{"AWSAccessKeyId", accessKey},
		Detail{"StringToSign", clip(stringToSign)},
		Detail{"SignatureProvided", clip(provided)},
		Detail{"StringToSignBytes", spacedHex(clip(stringToSign))})
	if canonicalRequest != "" {
		e.Details = append(e.Details,
			Detail{"CanonicalRequest", clip(canonicalRequest)},
			Detail{"CanonicalRequestBytes", spacedHex(clip(canonicalRequest))})
	}
	return e
}

// UnknownKey is the refusal of an access key that nobody has.
func UnknownKey(accessKey string) *Error {
	return refuse(CodeInvalidAccessKeyID, "The AWS Access Key Id you provided does not exist in our records.",
		Detail{"AWSAccessKeyId", clip(accessKey)})
}

// Skewed is the refusal of a request whose clock is too far from ours. sent is
// the time as the client wrote it.
func Skewed(sent string, now time.Time) *Error {
	return refuse(CodeTimeTooSkewed, "The difference between the request time and the current time is too large.",
		Detail{"RequestTime", clip(sent)},
		Detail{"ServerTime", now.UTC().Format(time.RFC3339)},
		Detail{"MaxAllowedSkewMilliseconds", strconv.FormatInt(MaxSkew.Milliseconds(), 10)})
}

// NoDate is the refusal of a request that says nothing usable of its time.
func NoDate() *Error {
	return refuse(CodeAccessDenied, "AWS authentication requires a valid Date or x-amz-date header")
}

// Expired is the refusal of a presigned request after its time.
func Expired(expires, now time.Time, more ...Detail) *Error {
	return refuse(CodeAccessDenied, "Request has expired", append(more,
		Detail{"Expires", expires.UTC().Format(time.RFC3339)},
		Detail{"ServerTime", now.UTC().Format(time.RFC3339)})...)
}

// InvalidArgument is the refusal of one header or parameter.
func InvalidArgument(message, name, value string) *Error {
	return refuse(CodeInvalidArgument, message,
		Detail{"ArgumentName", name}, Detail{"ArgumentValue", clip(value)})
}

// incomplete is the refusal of a body whose length is not the promised one.
func incomplete(provided, expected int64, cause error) *Error {
	return &Error{
		Code:    CodeIncompleteBody,
		Message: "You did not provide the number of bytes specified by the Content-Length HTTP header",
		Details: []Detail{
			{"NumberBytesExpected", strconv.FormatInt(expected, 10)},
			{"NumberBytesProvided", strconv.FormatInt(provided, 10)},
		},
		Err: cause,
	}
}

// cutShort is the refusal of framing that ends, or makes no sense, before the last of it.
func cutShort(cause error) *Error {
	return &Error{Code: CodeIncompleteBody, Message: "The request body terminated unexpectedly", Err: cause}
}

func malformedTrailer() *Error {
	return refuse(CodeMalformedTrailer, "The request contained trailing data that was not well-formed "+
		"or did not conform to our published schema.")
}

func clip(s string) string {
	if len(s) > maxDetail {
		return s[:maxDetail]
	}
	return s
}

// spacedHex writes the bytes of s as S3 does: "47 45 54 0a".
func spacedHex(s string) string {
	var b strings.Builder
	b.Grow(3 * len(s))
	var pair [2]byte
	for i := range len(s) {
		if i > 0 {
			b.WriteByte(' ')
		}
		hex.Encode(pair[:], []byte{s[i]})
		b.Write(pair[:])
	}
	return b.String()
}
