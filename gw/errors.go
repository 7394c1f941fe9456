package gw

import (
	"context"
	"errors"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// s3Error returns what the client of q is told of err.
func s3Error(q *request, err error) *s3api.Error {
	var already *s3api.Error
	if errors.As(err, &already) {
		return already
	}
	if e := clientError(err); e != nil {
		return e
	}
	if q.body.stalled {
		return s3api.E(s3api.RequestTimeout).WithCause(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return s3api.E(s3api.ServiceUnavailable).WithCause(err)
	}
	switch holdfast.KindOf(err) {
	case holdfast.NotFound:
		return s3api.NoKey(q.target.Key).WithCause(err)
	case holdfast.NoSuchUpload:
		return s3api.NoUpload(q.query.Get("uploadId")).WithCause(err)
	case holdfast.Locked:
		return s3api.E(s3api.AccessDenied).WithMessage("Access Denied because object protected by object lock.").WithCause(err)
	case holdfast.Precondition:
		return s3api.FailedCondition(failedHeader(q)).WithCause(err)
	}
	return s3api.E(s3api.CodeOf(holdfast.KindOf(err))).WithCause(err)
}

// failedHeader names the header of a conditional write that did not hold; only one can have been sent.
func failedHeader(q *request) string {
	if q.r.Header.Get("If-None-Match") != "" {
		return "If-None-Match"
	}
	return "If-Match"
}

// bucket returns the bucket of the request's target, as it was when the request first asked.
func (q *request) bucket() (*volume.Bucket, error) { return q.bucketNamed(q.target.Bucket) }

func (q *request) bucketNamed(name string) (*volume.Bucket, error) {
	if q.loaded != nil && name == q.target.Bucket {
		return q.loaded, nil
	}
	b, err := q.g.volume.Bucket(q.ctx, name)
	if err != nil {
		return nil, missingBucket(name, err)
	}
	if name != q.target.Bucket {
		return b, nil
	}
	if want := q.r.Header.Get("X-Amz-Expected-Bucket-Owner"); want != "" && want != b.Info().Owner {
		return nil, s3api.E(s3api.AccessDenied)
	}
	q.loaded = b
	return b, nil
}

// missingBucket turns the NotFound of an operation on a bucket into NoSuchBucket.
func missingBucket(name string, err error) error {
	if holdfast.Is(err, holdfast.NotFound) {
		return s3api.NoBucket(name).WithCause(err)
	}
	return err
}

// bucketGone turns the NotFound of an operation that makes its key into NoSuchBucket: the bucket was deleted meanwhile.
func (q *request) bucketGone(err error, cond holdfast.Conditions) error {
	if holdfast.Is(err, holdfast.NotFound) && cond.IfMatch == nil {
		return s3api.NoBucket(q.target.Bucket).WithCause(err)
	}
	return err
}
