package gw

import (
	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// logging is where the access log of a bucket goes
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html).
func logging() setting {
	return setting{
		name: "logging", put: s3api.OpPutBucketLogging, unset: new(s3api.LoggingConfig).Append(nil), check: checkLogging,
	}
}

// checkLogging holds the target against the rules of S3: it exists and belongs to the same owner.
func checkLogging(q *request, b *volume.Bucket, doc []byte) ([]byte, error) {
	c, err := s3api.DecodeLogging(doc)
	if err != nil || !c.Enabled() {
		return nil, err
	}
	target, err := q.g.volume.Bucket(q.ctx, c.TargetBucket)
	switch {
	case holdfast.Is(err, holdfast.NotFound):
		return nil, badLogTarget("The target bucket for logging does not exist", c.TargetBucket).WithCause(err)
	case err != nil:
		return nil, err
	case target.Info().Owner != b.Info().Owner:
		return nil, badLogTarget("The owner for the bucket to be logged and the target bucket must be the same.", c.TargetBucket)
	}
	return c.Append(nil), nil
}

func badLogTarget(message, bucket string) *s3api.Error {
	return s3api.E(s3api.InvalidTargetBucketForLogging).WithMessage(message).With("TargetBucket", bucket)
}
