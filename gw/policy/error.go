package policy

import "fmt"

// CodeMalformed is the S3 error code of a document that is refused.
const CodeMalformed = "MalformedPolicy"

// Error is the refusal of a document. Message is the text S3 (IAM for an identity policy) gives.
type Error struct{ Message string }

// Error implements error.
func (e *Error) Error() string { return CodeMalformed + ": " + e.Message }

// InvalidPrincipal is the refusal of a bucket policy that names a principal which does not exist; see [Policy.Named].
func InvalidPrincipal() *Error { return malformed("Invalid principal in policy") }

// malformed makes the refusal.
func malformed(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}
