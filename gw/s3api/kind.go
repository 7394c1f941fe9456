package s3api

import (
	"errors"

	"holdfast"
)

// CodeOf returns the S3 code for a kind of the store's errors. NotFound, Exists and Conflict depend on the operation, and what
// is given here is the meaning for an object: handlers of buckets and uploads turn them into their own codes first. Kinds
// that callers must never see, and unknown ones, are InternalError.
func CodeOf(kind holdfast.Kind) Code {
	if code, ok := kindCodes[kind]; ok {
		return code
	}
	return InternalError
}

// kindCodes is the table of the edge between the store and S3. A lost owner, an unknown outcome and doomed bytes are retried
// below this line; when that gave up, the client may go on retrying.
var kindCodes = map[holdfast.Kind]Code{
	holdfast.Invalid:       InvalidArgument,
	holdfast.NotFound:      NoSuchKey,
	holdfast.Exists:        PreconditionFailed,
	holdfast.DirGone:       ServiceUnavailable,
	holdfast.NotEmpty:      BucketNotEmpty,
	holdfast.Precondition:  PreconditionFailed,
	holdfast.Conflict:      ConditionalRequestConflict,
	holdfast.Doomed:        ServiceUnavailable,
	holdfast.NoSuchUpload:  NoSuchUpload,
	holdfast.InvalidPart:   InvalidPart,
	holdfast.PartTooSmall:  EntityTooSmall,
	holdfast.NotOwner:      ServiceUnavailable,
	holdfast.Unavailable:   ServiceUnavailable,
	holdfast.Overload:      SlowDown,
	holdfast.NoSpace:       InsufficientStorage,
	holdfast.Corrupt:       InternalError,
	holdfast.TooLarge:      EntityTooLarge,
	holdfast.Aborted:       RequestTimeout,
	holdfast.Locked:        AccessDenied,
	holdfast.Unsupported:   NotImplemented,
	holdfast.Unknown:       ServiceUnavailable,
	holdfast.Denied:        AccessDenied,
	holdfast.QuotaExceeded: QuotaExceeded,
}

// FromStore returns the S3 error for an error of the store: the one already in its chain, or that of its kind with err as the
// cause. FromStore(nil) is nil.
func FromStore(err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return E(CodeOf(holdfast.KindOf(err))).WithCause(err)
}
