package gw

import (
	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// replication is what of a bucket is to be copied where. It is kept and shown; nothing copies yet.
func replication() setting {
	return setting{
		name: "replication", put: s3api.OpPutBucketReplication, absent: s3api.ReplicationConfigurationNotFoundError, check: checkReplication,
	}
}

// checkReplication holds the buckets on both sides against the rules of S3: all of them keep versions.
func checkReplication(q *request, b *volume.Bucket, doc []byte) ([]byte, error) {
	c, err := s3api.DecodeReplication(doc)
	if err != nil {
		return nil, err
	}
	refuse := func(message string) *s3api.Error { return s3api.E(s3api.InvalidRequest).WithMessage(message) }
	if b.Info().Versioning != holdfast.VersioningEnabled {
		return nil, refuse("Versioning must be 'Enabled' on the bucket to apply a replication configuration").With("BucketName", q.target.Bucket)
	}
	checked := make(map[string]bool)
	for _, r := range c.Rules {
		if checked[r.Bucket] {
			continue
		}
		checked[r.Bucket] = true
		if r.Bucket == b.Info().Name {
			return nil, refuse("Destination bucket cannot be the same as the source bucket.")
		}
		target, err := q.g.volume.Bucket(q.ctx, r.Bucket)
		switch {
		case holdfast.Is(err, holdfast.NotFound):
			return nil, refuse("Destination bucket must exist.").WithCause(err)
		case err != nil:
			return nil, err
		case target.Info().Versioning != holdfast.VersioningEnabled:
			return nil, refuse("Destination bucket must have versioning enabled.")
		}
	}
	return c.Append(nil), nil
}
