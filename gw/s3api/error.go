package s3api

import (
	"errors"
	"net/http"
	"strconv"
)

// Element is one extra XML element of an error answer, such as BucketName or ArgumentName.
type Element struct{ Name, Value string }

// Error is an S3 error: what the client is told. Build one with [E] or one of the constructors below and refine it with
// its With methods while it is still private to its maker; after that it is only read.
type Error struct {
	Code    Code
	Message string      // for the Message element; "" means the catalogue's default for the code
	Detail  []Element   // written after Message, in this order
	Header  http.Header // extra response headers, such as Content-Range of a 416; may be nil
	Cause   error       // for the log, never shown to the client; may be nil
}

// E returns the error of the code with its default message.
func E(code Code) *Error { return &Error{Code: code} }

// Error writes "code: message: cause" for logs.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.text()
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Status returns the HTTP status of the answer.
func (e *Error) Status() int { return e.Code.Status() }

func (e *Error) text() string {
	if e.Message != "" {
		return e.Message
	}
	return e.Code.Message()
}

// WithMessage replaces the default message and returns e.
func (e *Error) WithMessage(message string) *Error {
	e.Message = message
	return e
}

// With adds an XML element and returns e.
func (e *Error) With(name, value string) *Error {
	e.Detail = append(e.Detail, Element{name, value})
	return e
}

// WithHeader adds a response header and returns e. The value must not come from a request unchecked.
func (e *Error) WithHeader(name, value string) *Error {
	if e.Header == nil {
		e.Header = make(http.Header, 1)
	}
	e.Header.Add(name, value)
	return e
}

// WithCause records what lies behind the error for the log and returns e.
func (e *Error) WithCause(cause error) *Error {
	e.Cause = cause
	return e
}

// AsError returns the S3 error in err's chain, or an InternalError caused by err when there is none: a client learns
// nothing of what the store's own errors say. AsError(nil) is nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return E(InternalError).WithCause(err)
}

// BadArgument is InvalidArgument about one argument of the request, with the elements S3 names it by.
func BadArgument(name, value, message string) *Error {
	return E(InvalidArgument).WithMessage(message).With("ArgumentName", name).With("ArgumentValue", value)
}

// NoBucket is NoSuchBucket with the bucket's name.
func NoBucket(bucket string) *Error { return E(NoSuchBucket).With("BucketName", bucket) }

// NoKey is NoSuchKey with the key.
func NoKey(key string) *Error { return E(NoSuchKey).With("Key", key) }

// NoVersion is NoSuchVersion with the key and the version id.
func NoVersion(key, versionID string) *Error {
	return E(NoSuchVersion).With("Key", key).With("VersionId", versionID)
}

// NoUpload is NoSuchUpload with the upload id.
func NoUpload(uploadID string) *Error { return E(NoSuchUpload).With("UploadId", uploadID) }

// BadPart is InvalidPart about one part of a Complete request; etag is without quotes.
func BadPart(uploadID string, number int, etag string) *Error {
	return E(InvalidPart).With("UploadId", uploadID).With("PartNumber", strconv.Itoa(number)).With("ETag", etag)
}

// PartTooSmall is EntityTooSmall about one part, other than the last, of a Complete request; etag is without quotes.
func PartTooSmall(number int, etag string, sizeBytes, minBytes int64) *Error {
	return E(EntityTooSmall).With("ProposedSize", strconv.FormatInt(sizeBytes, 10)).
		With("MinSizeAllowed", strconv.FormatInt(minBytes, 10)).
		With("PartNumber", strconv.Itoa(number)).With("ETag", etag)
}

// TooLarge is EntityTooLarge with both sizes in bytes.
func TooLarge(sizeBytes, maxBytes int64) *Error {
	return E(EntityTooLarge).With("ProposedSize", strconv.FormatInt(sizeBytes, 10)).
		With("MaxSizeAllowed", strconv.FormatInt(maxBytes, 10))
}

// UnsatisfiableRange is InvalidRange with the header value that asked for it and the object's size in bytes. It carries the
// Content-Range header that RFC 9110 section 15.5.17 wants on a 416.
func UnsatisfiableRange(header string, sizeBytes int64) *Error {
	size := strconv.FormatInt(sizeBytes, 10)
	return E(InvalidRange).With("RangeRequested", header).With("ActualObjectSize", size).
		WithHeader("Content-Range", "bytes */"+size)
}

// FailedCondition is PreconditionFailed with the name of the header that did not hold, as in "If-Match".
func FailedCondition(header string) *Error {
	return E(PreconditionFailed).With("Condition", header)
}

// MethodRefused is MethodNotAllowed with the method and the kind of resource S3 names ("BUCKET", "OBJECT", "SERVICE", or
// the sub-resource in capitals).
func MethodRefused(method, resource string) *Error {
	return E(MethodNotAllowed).With("Method", method).With("ResourceType", resource)
}

// HeaderRefused is NotImplemented about the value of a header; additional may be "".
func HeaderRefused(header, additional string) *Error {
	e := E(NotImplemented).With("Header", header)
	if additional != "" {
		e.With("additionalMessage", additional)
	}
	return e
}
