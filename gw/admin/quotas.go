package admin

import (
	"context"
	"strconv"

	"holdfast/gw/limit"
	"holdfast/gw/s3api"
)

// gigabyte is the unit of quota-size.
const gigabyte = 1 << 30

// quotaOf says whose quota a request is about: a bucket's by its name, else that of the subject.
type quotaOf struct {
	bucket  string
	subject limit.Subject
	kind    string // user or bucket
}

// quota returns whose quota a request is about.
func (a *API) quota(ctx context.Context, c *Call) (q quotaOf, err error) {
	if a.Limits == nil {
		return q, s3api.E(s3api.NotImplemented)
	}
	by, err := c.one("emailAddress", "id", "bucket", "default")
	if err != nil {
		return q, err
	}
	switch by {
	case "bucket":
		q.kind = "bucket"
		if q.bucket, err = c.value("bucket"); err == nil {
			_, err = a.bucket(ctx, q.bucket)
			err = missing(q.bucket, err)
		}
	case "default":
		switch q.kind = c.Query.Get("default"); q.kind {
		case "user":
			q.subject = limit.DefaultUser()
		case "bucket":
			q.subject = limit.DefaultBucket()
		default:
			err = s3api.BadArgument("default", q.kind, "The parameter must be user or bucket")
		}
	default:
		var id string
		id, err = a.existingUser(ctx, c)
		q.kind, q.subject = "user", limit.User(id)
	}
	return q, err
}

// quotaJSON is a quota. Size is in GB, as it is set; Bytes, which is ours, is exact.
type quotaJSON struct {
	Version string `json:"version"`
	Type    string `json:"type"`
	Size    string `json:"size"`
	Bytes   int64  `json:"size_bytes"`
}

// GetQuotas answers GET /?ostor-quotas. For a user without a quota of its own it shows the default.
func (a *API) GetQuotas(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id", "bucket", "default"); err != nil {
		return err
	}
	q, err := a.quota(ctx, c)
	if err != nil {
		return err
	}
	size, err := a.quotaSize(ctx, q)
	if err != nil {
		return err
	}
	shown := strconv.FormatFloat(float64(size)/gigabyte, 'f', -1, 64)
	return c.json(quotaJSON{Version: "1", Type: q.kind, Size: shown, Bytes: size})
}

func (a *API) quotaSize(ctx context.Context, q quotaOf) (int64, error) {
	if q.bucket != "" {
		b, err := a.bucket(ctx, q.bucket)
		if err != nil {
			return 0, missing(q.bucket, err)
		}
		return b.Quota(), nil
	}
	r, err := a.Limits.Rules(ctx, q.subject)
	if err == nil && r.Quota == 0 && q.kind == "user" {
		r, err = a.Limits.Rules(ctx, limit.DefaultUser())
	}
	return r.Quota, err
}

// PutQuotas answers PUT /?ostor-quotas: quota-size in GB or, which is ours, quota-bytes; 0 is unlimited. The default of users counts for
// all that have no quota of their own; the default of buckets is given to buckets as they are made.
func (a *API) PutQuotas(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id", "bucket", "default", "quota-size", "quota-bytes"); err != nil {
		return err
	}
	unit, err := c.one("quota-size", "quota-bytes")
	if err != nil {
		return err
	}
	scale := int64(1)
	if unit == "quota-size" {
		scale = gigabyte
	}
	size, err := c.count(unit, limit.MaxQuota/scale)
	if err != nil {
		return err
	}
	return a.setQuota(ctx, c, size*scale)
}

// DeleteQuotas answers DELETE /?ostor-quotas.
func (a *API) DeleteQuotas(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id", "bucket", "default"); err != nil {
		return err
	}
	return a.setQuota(ctx, c, 0)
}

func (a *API) setQuota(ctx context.Context, c *Call, size int64) error {
	q, err := a.quota(ctx, c)
	if err != nil {
		return err
	}
	if q.bucket != "" {
		return missing(q.bucket, a.Volume.SetQuota(ctx, q.bucket, size))
	}
	return limitError(a.Limits.Change(ctx, q.subject, func(r *limit.Rules) { r.Quota = size }))
}
