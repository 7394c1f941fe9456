package admin

import (
	"context"
	"time"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// deleteFor is about how long one request deletes before it says how far it came.
const deleteFor = 5 * time.Second

// progress is how far a request has come.
type progress struct {
	Deleted bool  `json:"deleted"` // the bucket is gone; else ask again
	Objects int64 `json:"objects"` // versions and delete markers that this request deleted
	Uploads int64 `json:"uploads"` // unfinished uploads that this request gave up
}

// DeleteBuckets answers DELETE /?ostor-buckets, which is ours: it deletes a bucket with everything in it, by force, some seconds' worth
// in each request. The bucket itself is all the state there is, so any number of requests may be at it, and it is gone on with after
// whatever broke it off. Governance locks do not hold it up; compliance locks and legal holds do.
func (a *API) DeleteBuckets(ctx context.Context, c *Call) error {
	if err := c.only("bucket"); err != nil {
		return err
	}
	name, err := c.value("bucket")
	if err != nil {
		return err
	}
	b, err := a.bucket(ctx, name)
	if err != nil {
		return missing(name, err)
	}
	var p progress
	for end := time.Now().Add(deleteFor); !p.Deleted && time.Now().Before(end); {
		if err := a.deleteSome(ctx, b, &p); err != nil {
			return missing(name, err)
		}
	}
	return c.json(p)
}

// deleteSome deletes a page of what is in the bucket, or the bucket if there is nothing.
func (a *API) deleteSome(ctx context.Context, b *volume.Bucket, p *progress) error {
	uploads, err := abortSome(ctx, b)
	if p.Uploads += int64(uploads); err != nil || uploads > 0 {
		return err
	}
	objects, err := deleteVersions(ctx, b)
	if p.Objects += int64(objects); err != nil || objects > 0 {
		return err
	}
	err = a.Volume.DeleteBucket(ctx, b.Info().Name)
	switch {
	case err == nil:
		p.Deleted = true
	case holdfast.Is(err, holdfast.NotEmpty): // somebody goes on writing
		err = nil
	}
	return err
}

// abortSome gives up a page of unfinished uploads and returns how many there were.
func abortSome(ctx context.Context, b *volume.Bucket) (int, error) {
	page, err := b.List(ctx, volume.ListOptions{What: holdfast.ListUploads, Limit: volume.MaxDelete})
	if err != nil {
		return 0, err
	}
	for _, it := range page.Items {
		err := b.AbortUpload(ctx, it.Key, it.Upload.ID)
		if err != nil && !holdfast.Is(err, holdfast.NoSuchUpload) && !holdfast.Is(err, holdfast.NotFound) {
			return 0, err
		}
	}
	return len(page.Items), nil
}

// deleteVersions deletes a page of versions and delete markers and returns how many there were.
func deleteVersions(ctx context.Context, b *volume.Bucket) (int, error) {
	page, err := b.List(ctx, volume.ListOptions{What: holdfast.ListVersions, Limit: volume.MaxDelete})
	if err != nil {
		return 0, err
	}
	asked := make([]volume.DeleteRequest, len(page.Items))
	for i, it := range page.Items {
		asked[i] = volume.DeleteRequest{Key: it.Key, Version: volume.Version{ID: it.Entry.Version}, Bypass: true}
		if it.Entry.Null {
			asked[i].Version = volume.Version{Null: true}
		}
	}
	for i, r := range b.Delete(ctx, asked) {
		switch {
		case holdfast.Is(r.Err, holdfast.Locked):
			return 0, s3api.E(s3api.AccessDenied).WithMessage("The object " + asked[i].Key + " is locked: the bucket cannot be deleted").WithCause(r.Err)
		case r.Err != nil:
			return 0, r.Err
		}
	}
	return len(asked), nil
}
