package gw

import (
	"net/http"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// createBucket serves CreateBucket. As S3 does in its first region, making one's own bucket again is a success there
// and BucketAlreadyOwnedByYou elsewhere.
func createBucket(q *request) error {
	if err := s3api.CheckNewBucketName(q.target.Bucket); err != nil {
		return err
	}
	locks, err := wantsObjectLock(q.r.Header)
	if err != nil {
		return err
	}
	if err := q.refuseUnbuilt(); err != nil {
		return err
	}
	if err := q.checkLocation(); err != nil {
		return err
	}
	settings, err := q.newAccessSettings()
	if err != nil {
		return err
	}
	if settings, err = q.newBucketQuota(settings); err != nil {
		return err
	}
	info := holdfast.BucketInfo{Name: q.target.Bucket, Owner: q.caller.User, ObjectLock: locks, Settings: settings}
	if locks {
		info.Versioning = holdfast.VersioningEnabled
	}
	made, err := q.g.volume.CreateBucket(q.ctx, info)
	switch {
	case holdfast.Is(err, holdfast.Exists) && made.Owner != q.caller.User:
		return s3api.E(s3api.BucketAlreadyExists).With("BucketName", q.target.Bucket).WithCause(err)
	case holdfast.Is(err, holdfast.Exists) && q.set.region != usEast1:
		return s3api.E(s3api.BucketAlreadyOwnedByYou).With("BucketName", q.target.Bucket).WithCause(err)
	case holdfast.Is(err, holdfast.Exists): // S3 resets the list then
		change := volume.BucketChange{Settings: map[string][]byte{aclSetting: settings[aclSetting]}}
		if err := q.updateBucket(change); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	q.w.Header().Set("Location", "/"+q.target.Bucket)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// usEast1 is the region with rules of its own: buckets have no location there, and creating one's own again succeeds.
const usEast1 = "us-east-1"

// checkLocation refuses a bucket for another region.
func (q *request) checkLocation() error {
	if q.body.size() == 0 {
		return nil
	}
	data, err := q.document(s3api.OpCreateBucket)
	if err != nil {
		return err
	}
	want, err := s3api.DecodeCreateBucket(data)
	if err != nil {
		return err
	}
	if want != "" && want != q.set.region {
		return s3api.E(s3api.InvalidLocationConstraint).With("LocationConstraint", want)
	}
	return nil
}

func deleteBucket(q *request) error {
	b, err := q.bucket() // checks the expected owner
	if err != nil {
		return err
	}
	err = q.g.volume.DeleteBucket(q.ctx, q.target.Bucket)
	switch {
	case holdfast.Is(err, holdfast.NotFound):
		return s3api.NoBucket(q.target.Bucket).WithCause(err)
	case holdfast.Is(err, holdfast.NotEmpty):
		e := s3api.E(s3api.BucketNotEmpty).With("BucketName", q.target.Bucket).WithCause(err)
		if b.Info().Versioning != holdfast.VersioningOff {
			e = e.WithMessage("The bucket you tried to delete is not empty. You must delete all versions in the bucket.")
		}
		return e
	case err != nil:
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

func headBucket(q *request) error {
	if _, err := q.bucket(); err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("X-Amz-Bucket-Region", q.set.region)
	h.Set("X-Amz-Access-Point-Alias", "false")
	q.w.WriteHeader(http.StatusOK)
	return nil
}
