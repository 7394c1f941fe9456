package gw

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// bucketTagging is the sub-resource with the tags of a bucket, in the order they were given. An empty set is none.
func bucketTagging() setting {
	return setting{
		name: "tagging", put: s3api.OpPutBucketTagging, absent: s3api.NoSuchTagSet, stored: http.StatusNoContent,
		check: func(_ *request, _ *volume.Bucket, doc []byte) ([]byte, error) {
			tags, err := s3api.DecodeTagging(doc, s3api.MaxBucketTags)
			if err != nil || len(tags) == 0 {
				return nil, err
			}
			return s3api.AppendTagging(nil, tags), nil
		},
	}
}

// storedTags converts tags to how entries keep them, sorted by key.
func storedTags(tags []s3api.Tag) []holdfast.Header {
	stored := make([]holdfast.Header, 0, len(tags))
	for _, t := range tags {
		stored = append(stored, holdfast.Header{Name: t.Key, Value: t.Value})
	}
	slices.SortFunc(stored, func(a, b holdfast.Header) int { return strings.Compare(a.Name, b.Name) })
	return stored
}

// getObjectTagging serves GetObjectTagging (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html). An
// object without tags has an empty set.
func getObjectTagging(q *request) error {
	return q.onVersion(func(e *holdfast.Entry) error {
		return q.sendXML(func(dst []byte) []byte {
			tags := make([]s3api.Tag, 0, len(e.Tags))
			for _, t := range e.Tags {
				tags = append(tags, s3api.Tag{Key: t.Name, Value: t.Value})
			}
			return s3api.AppendTagging(dst, tags)
		})
	})
}

// putObjectTagging serves PutObjectTagging (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html).
func putObjectTagging(q *request) error {
	doc, err := q.document(s3api.OpPutObjectTagging)
	if err != nil {
		return err
	}
	tags, err := s3api.DecodeTagging(doc, s3api.MaxObjectTags)
	if err != nil {
		return err
	}
	return q.setAspects(http.StatusOK, volume.AttrChange{Mask: holdfast.AspectTags, Entry: holdfast.Entry{Tags: storedTags(tags)}})
}

// deleteObjectTagging serves DeleteObjectTagging
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html).
func deleteObjectTagging(q *request) error {
	return q.setAspects(http.StatusNoContent, volume.AttrChange{Mask: holdfast.AspectTags})
}

// onVersion looks up the version that the request is about, names it in the answer's headers and calls serve with it.
func (q *request) onVersion(serve func(*holdfast.Entry) error) error {
	v, err := q.version()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	e, err := b.Head(q.ctx, q.target.Key, v)
	if err != nil {
		return q.missing(b, v, &e, err)
	}
	setVersion(q.w.Header(), b.Info(), e.Version, e.Null)
	return serve(&e)
}

// setAspects changes aspects of the version that the request is about and answers with a status.
func (q *request) setAspects(status int, change volume.AttrChange) error {
	v, err := q.version()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	change.Version = v
	e, err := b.SetAttributes(q.ctx, q.target.Key, change)
	if err != nil {
		return q.readError(b, v, err)
	}
	setVersion(q.w.Header(), b.Info(), e.Version, e.Null)
	q.w.WriteHeader(status)
	return nil
}

// setTagCount sets how many tags a version has, if any.
func setTagCount(h http.Header, e *holdfast.Entry) {
	if len(e.Tags) > 0 {
		h["X-Amz-Tagging-Count"] = []string{strconv.Itoa(len(e.Tags))}
	}
}
