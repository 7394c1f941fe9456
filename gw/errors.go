package gw

import (
	"context"
	"errors"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// kindCodes is the one table from the kinds of the store's errors to the codes S3 clients know. A handler that can say
// more (which key, which part) does so before an error comes here. What is missing is InternalError.
var kindCodes = map[holdfast.Kind]s3api.Code{
	holdfast.Invalid:       s3api.InvalidArgument,
	holdfast.NotFound:      s3api.NoSuchKey,
	holdfast.NotEmpty:      s3api.BucketNotEmpty,
	holdfast.Precondition:  s3api.PreconditionFailed,
	holdfast.Conflict:      s3api.ConditionalRequestConflict,
	holdfast.NoSuchUpload:  s3api.NoSuchUpload,
	holdfast.InvalidPart:   s3api.InvalidPart,
	holdfast.PartTooSmall:  s3api.EntityTooSmall,
	holdfast.NotOwner:      s3api.ServiceUnavailable,
	holdfast.Unavailable:   s3api.ServiceUnavailable,
	holdfast.Doomed:        s3api.ServiceUnavailable,
	holdfast.Unknown:       s3api.ServiceUnavailable,
	holdfast.DirGone:       s3api.ServiceUnavailable,
	holdfast.Overload:      s3api.SlowDown,
	holdfast.NoSpace:       s3api.InsufficientStorage,
	holdfast.TooLarge:      s3api.EntityTooLarge,
	holdfast.Aborted:       s3api.IncompleteBody,
	holdfast.Locked:        s3api.AccessDenied,
	holdfast.Denied:        s3api.AccessDenied,
	holdfast.Unsupported:   s3api.NotImplemented,
	holdfast.QuotaExceeded: s3api.QuotaExceeded,
}

// s3Error returns what the client of q is told of err.
func s3Error(q *request, err error) *s3api.Error {
	var already *s3api.Error
	if errors.As(err, &already) {
		return already
	}
	if e := clientError(err); e != nil {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return s3api.E(s3api.ServiceUnavailable).WithCause(err)
	}
	kind := holdfast.KindOf(err)
	code, ok := kindCodes[kind]
	if !ok {
		code = s3api.InternalError
	}
	e := s3api.E(code).WithCause(err)
	switch kind {
	case holdfast.NotFound:
		e = s3api.NoKey(q.target.Key).WithCause(err)
	case holdfast.NoSuchUpload:
		e = s3api.NoUpload(q.query.Get("uploadId")).WithCause(err)
	case holdfast.Precondition:
		e = s3api.FailedCondition(failedHeader(q)).WithCause(err)
	}
	return e
}

// failedHeader names the header of a conditional write that did not hold; only one can have been sent.
func failedHeader(q *request) string {
	if q.r.Header.Get("If-None-Match") != "" {
		return "If-None-Match"
	}
	return "If-Match"
}

// bucket returns the bucket of the request's target.
func (q *request) bucket() (*volume.Bucket, error) { return q.bucketNamed(q.target.Bucket) }

func (q *request) bucketNamed(name string) (*volume.Bucket, error) {
	b, err := q.g.volume.Bucket(q.ctx, name)
	if holdfast.Is(err, holdfast.NotFound) {
		return nil, s3api.NoBucket(name).WithCause(err)
	}
	if err != nil {
		return nil, err
	}
	if want := q.r.Header.Get("X-Amz-Expected-Bucket-Owner"); want != "" && name == q.target.Bucket && want != b.Info().Owner {
		return nil, s3api.E(s3api.AccessDenied)
	}
	return b, nil
}

// bucketGone turns the NotFound of an operation that makes its key into NoSuchBucket: the bucket was deleted meanwhile.
func (q *request) bucketGone(err error, cond holdfast.Conditions) error {
	if holdfast.Is(err, holdfast.NotFound) && cond.IfMatch == nil {
		return s3api.NoBucket(q.target.Bucket).WithCause(err)
	}
	return err
}
