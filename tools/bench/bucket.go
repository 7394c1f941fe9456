package bench

import (
	"context"
	"errors"
)

// ensureBucket creates the bucket if it does not exist. Being the first request
// of a run, it also finds out whether endpoint, keys and region are right.
func (f *fleet) ensureBucket(ctx context.Context) (created bool, err error) {
	c := f.workers[0].client
	// A listing of one key, not a HEAD: its refusal says why.
	c.bucketPath("list-type=2&max-keys=1")
	err = c.call(ctx, "GET", nil, "", nil)
	var e *s3Error
	if err == nil || !errors.As(err, &e) || e.code != "NoSuchBucket" {
		return false, err
	}
	c.bucketPath("")
	var doc []byte
	if f.o.region != "us-east-1" { // the one region that must not be named
		doc = []byte(`<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>` +
			escapeXML(f.o.region) + `</LocationConstraint></CreateBucketConfiguration>`)
	}
	err = c.call(ctx, "PUT", doc, "", nil)
	if errors.As(err, &e) && e.code == "BucketAlreadyOwnedByYou" { // another run was quicker
		return false, nil
	}
	return err == nil, err
}

// clean deletes all objects of the run, and the bucket if the run created it.
func (f *fleet) clean(ctx context.Context, created bool) error {
	res, err := f.run(ctx, phase{name: "clean up", plan: f.sequential(opDelete, maxBatch),
		total: (f.o.objects + maxBatch - 1) / maxBatch})
	if err != nil {
		return err
	}
	if len(res.samples) > 0 {
		return errors.New("clean up: " + res.samples[0])
	}
	if !created || ctx.Err() != nil {
		return nil
	}
	c := f.workers[0].client
	c.bucketPath("")
	if err := c.call(ctx, "DELETE", nil, "", nil); err != nil {
		return badFlag("cleanup", "bucket %s: %v", f.o.bucket, err)
	}
	return nil
}
