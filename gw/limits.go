package gw

import (
	"net/http"

	"holdfast"
	"holdfast/gw/admin"
	"holdfast/gw/limit"
	"holdfast/gw/s3api"
	"holdfast/gw/usage"
	"holdfast/volume"
)

// keepLimits counts the request against what its user and its bucket may do, and refuses it if that is used up. It comes before the body is
// read.
func (q *request) keepLimits() error {
	l := q.g.limiter
	if l == nil || q.op.Management() || q.op.Preflight() {
		return nil
	}
	class := classOf(q.op)
	ok, err := l.Allow(q.ctx, q.caller.User, q.target.Bucket, class)
	if err != nil {
		return err
	}
	if !ok {
		q.g.metrics.limited.WithLabelValues("operations").Inc()
		return s3api.E(s3api.SlowDown)
	}
	if q.op != s3api.OpGetObject {
		return nil
	}
	if q.w.out, ok = l.Out(q.caller.User, q.target.Bucket); !ok {
		q.g.metrics.limited.WithLabelValues("bandwidth").Inc()
		return s3api.E(s3api.SlowDown)
	}
	q.w.ctx = q.ctx
	return nil
}

// classOf returns the class of an operation for limits: that of objects and of lists by what they do, all others are default.
func classOf(op s3api.Op) limit.Class {
	switch op {
	case s3api.OpGetObject, s3api.OpHeadObject, s3api.OpGetObjectAttributes:
		return limit.Get
	case s3api.OpPutObject, s3api.OpCopyObject, s3api.OpPostObject, s3api.OpCreateMultipartUpload, s3api.OpUploadPart,
		s3api.OpUploadPartCopy, s3api.OpCompleteMultipartUpload:
		return limit.Put
	case s3api.OpListBuckets, s3api.OpListObjects, s3api.OpListObjectsV2, s3api.OpListObjectVersions, s3api.OpListMultipartUploads,
		s3api.OpListParts:
		return limit.List
	case s3api.OpDeleteObject, s3api.OpDeleteObjects, s3api.OpAbortMultipartUpload:
		return limit.Delete
	}
	return limit.Default
}

// mayHold refuses what would take the owner of a bucket over the quota of all the owner's buckets, and keeps room for it until the request
// ends. Replaced is the key that n bytes replace, "" if they replace nothing. A length that is not known (negative) is let pass.
func (q *request) mayHold(b *volume.Bucket, replaced string, n int64) error {
	l := q.g.limiter
	if l == nil {
		return nil
	}
	place, ok, err := l.Reserve(q.ctx, b.Info().Owner, n)
	if !ok && err == nil && replaced != "" && b.Info().Versioning == holdfast.VersioningOff {
		// Near the quota it matters what goes in exchange.
		var old holdfast.Entry
		if old, err = b.Head(q.ctx, replaced, volume.Version{}); err == nil {
			place, ok, err = l.Reserve(q.ctx, b.Info().Owner, n-old.Size)
		} else if holdfast.Is(err, holdfast.NotFound) {
			err = nil
		}
	}
	if err != nil || ok {
		q.place = place
		return err
	}
	q.g.metrics.limited.WithLabelValues("user quota").Inc()
	return s3api.E(s3api.QuotaExceeded)
}

// newBucketQuota adds the quota that new buckets get to the settings of one.
func (q *request) newBucketQuota(settings map[string][]byte) (map[string][]byte, error) {
	if q.g.limiter == nil {
		return settings, nil
	}
	size, err := q.g.limiter.NewBucketQuota(q.ctx)
	if err != nil || size == 0 {
		return settings, err
	}
	name, value, err := volume.NewQuota(size)
	if err != nil {
		return nil, err
	}
	if settings == nil {
		settings = make(map[string][]byte)
	}
	settings[name] = value
	return settings, nil
}

// countUsage adds a request that was answered to the usage records. Refusals for want of a right are not counted: who is charged for them
// would be the one who was refused. Neither are the names of buckets that are not there, which anybody could make up.
func (q *request) countUsage() {
	if q.g.usage == nil || q.op.Management() || q.op.Preflight() || !q.billed || q.w.status == http.StatusForbidden {
		return
	}
	key := usage.Key{User: q.caller.User}
	if q.loaded != nil {
		key.Bucket, key.Epoch = q.target.Bucket, admin.LifeOf(q.loaded.Info())
	}
	kind := usage.Other
	switch classOf(q.op) {
	case limit.Get:
		kind = usage.Get
	case limit.Put:
		kind = usage.Put
	case limit.List:
		kind = usage.List
	}
	q.g.usage.Add(key, kind, q.body.read, q.w.bytes)
}
