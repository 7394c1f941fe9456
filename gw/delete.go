package gw

import (
	"net/http"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// deleteObject serves DeleteObject (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html). A key that is
// not there is deleted as well.
func deleteObject(q *request) error {
	v, err := q.version()
	if err != nil {
		return err
	}
	cond, err := deleteConditions(q.r.Header)
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	done := q.remove(b, []volume.DeleteRequest{{
		Key: q.target.Key, Version: v, If: cond, Owner: q.user(), Bypass: bypass(q.r.Header),
	}})[0]
	if done.Err != nil {
		return done.Err
	}
	h := q.w.Header()
	if done.Marker {
		h.Set("X-Amz-Delete-Marker", "true")
	}
	switch {
	case done.Marker || done.Found && !v.IsCurrent():
		setVersion(h, b.Info(), done.Version, done.Null)
	case !v.IsCurrent(): // it was not there, which is no error
		setVersion(h, b.Info(), v.ID, v.Null)
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// remove deletes from a bucket. Conditions on size and time are about an object that is there, as S3 documents them: where nothing is, not even
// a delete marker, they hold.
func (q *request) remove(b *volume.Bucket, requests []volume.DeleteRequest) []volume.DeleteResult {
	results := b.Delete(q.ctx, requests)
	for i := range results {
		r := &requests[i]
		if !holdfast.Is(results[i].Err, holdfast.Precondition) || r.If.IfMatch != nil || r.If.IfMatchAny {
			continue
		}
		if e, err := b.Head(q.ctx, r.Key, r.Version); holdfast.Is(err, holdfast.NotFound) && !e.Marker {
			results[i] = volume.DeleteResult{}
		}
	}
	return results
}

func bypass(h http.Header) bool {
	return strings.EqualFold(h.Get("X-Amz-Bypass-Governance-Retention"), "true")
}

// deleteConditions reads the conditions of a conditional delete: If-Match, and the size and time of directory buckets.
func deleteConditions(h http.Header) (holdfast.Conditions, error) {
	var cond holdfast.Conditions
	switch match := h.Get("If-Match"); match {
	case "":
	case "*":
		cond.IfMatchAny = true
	default:
		tag := etagOf(match)
		cond.IfMatch = &tag
	}
	if text := h.Get("X-Amz-If-Match-Last-Modified-Time"); text != "" {
		t, err := http.ParseTime(text)
		if err != nil {
			return cond, s3api.BadArgument("x-amz-if-match-last-modified-time", text, "Invalid date")
		}
		cond.IfModified = &t
	}
	if text := h.Get("X-Amz-If-Match-Size"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return cond, s3api.BadArgument("x-amz-if-match-size", text, "Invalid size")
		}
		cond.IfSize = &n
	}
	return cond, nil
}
