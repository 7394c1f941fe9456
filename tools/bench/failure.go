package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
)

// s3Error is a response that says no.
type s3Error struct {
	status  int
	code    string // "" if the body named none, as with HEAD
	message string
}

func (e *s3Error) Error() string {
	if e.code == "" {
		return "HTTP " + strconv.Itoa(e.status)
	}
	return fmt.Sprintf("HTTP %d %s: %s", e.status, e.code, e.message)
}

// parseS3Error takes code and message out of an error document; anything else
// leaves both empty.
func parseS3Error(status int, body []byte) *s3Error {
	return &s3Error{status, clip(element(body, "Code"), 64), clip(element(body, "Message"), 256)}
}

// clip bounds what a stranger's server can put into the report.
func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// element is the character data of the first element of that name, unescaped.
// It is no XML parser: S3's documents put no attributes or comments here.
func element(doc []byte, name string) string {
	_, rest, ok := bytes.Cut(doc, []byte("<"+name+">"))
	if !ok {
		return ""
	}
	text, _, ok := bytes.Cut(rest, []byte("</"+name+">"))
	if !ok {
		return ""
	}
	return unescapeXML(string(text))
}

// mismatch is a successful response with the wrong bytes.
type mismatch struct{ detail string }

func (e *mismatch) Error() string { return "wrong content: " + e.detail }

// codes of failures that carry no S3 code.
const (
	codeMismatch = "ContentMismatch"
	codeRefused  = "ConnectionRefused"
	codeReset    = "ConnectionReset"
	codeClosed   = "ConnectionClosed"
	codeTimeout  = "Timeout"
	codeOther    = "ClientError"
)

// codeOf names the class under which err is counted.
func codeOf(err error) string {
	var s3 *s3Error
	var wrong *mismatch
	var ne net.Error
	switch {
	case errors.As(err, &s3):
		if s3.code == "" {
			return "HTTP " + strconv.Itoa(s3.status)
		}
		return s3.code
	case errors.As(err, &wrong):
		return codeMismatch
	case errors.Is(err, syscall.ECONNREFUSED):
		return codeRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return codeReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return codeClosed
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return codeTimeout
	default:
		return codeOther
	}
}

// retryable reports whether --retries applies: a lost connection or a 5xx.
func retryable(err error) bool {
	var s3 *s3Error
	if errors.As(err, &s3) {
		return s3.status >= 500
	}
	var wrong *mismatch
	return !errors.As(err, &wrong)
}

// explain words the failure of the first request so that the flag to correct
// comes first.
func explain(o *options, err error) error {
	var s3 *s3Error
	if !errors.As(err, &s3) {
		return badFlag("endpoint", "%s: %v", o.url, err)
	}
	flag := "bucket"
	switch s3.code {
	case "InvalidAccessKeyId", "InvalidToken":
		flag = "access-key"
	case "SignatureDoesNotMatch":
		flag = "secret-key"
	case "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "InvalidLocationConstraint", "PermanentRedirect":
		flag = "region"
	case "RequestTimeTooSkewed", "":
		flag = "endpoint"
	}
	return badFlag(flag, "%s/%s: %v", o.url, o.bucket, s3)
}
