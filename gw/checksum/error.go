package checksum

// The S3 error codes this package answers with.
const (
	CodeBadDigest      = "BadDigest"
	CodeInvalidDigest  = "InvalidDigest"
	CodeInvalidRequest = "InvalidRequest"
)

// Error is a refusal of what a client declared or sent. Code is the S3 error
// code and Message the text S3 gives with it.
type Error struct {
	Code    string
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func invalidRequest(message string) error {
	return &Error{Code: CodeInvalidRequest, Message: message}
}
