package gw

import (
	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// deleteObjects serves DeleteObjects (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html): up to 1,000
// keys, each with its own outcome.
func deleteObjects(q *request) error {
	req, err := q.parseDelete()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	asked := make([]volume.DeleteRequest, 0, len(req.Objects))
	refused := make(map[int]error) // objects of the request that never reach the volume
	for i := range req.Objects {
		d, err := q.deletion(b, &req.Objects[i])
		if err != nil {
			refused[i] = err
			continue
		}
		asked = append(asked, d)
	}
	done := q.remove(b, asked)
	logs := q.batchLog(b)
	return q.sendXML(func(dst []byte) []byte {
		w := s3api.BeginDeleteResult(dst, req.Quiet)
		next := 0
		for i := range req.Objects {
			o := &req.Objects[i]
			if err := refused[i]; err != nil {
				told := s3Error(q, err)
				logs.deleted(o, told)
				w.Failed(o.Key, o.VersionID, told)
				continue
			}
			result := &done[next]
			next++
			if result.Err != nil {
				told := deleteError(q, o.Key, result.Err)
				logs.deleted(o, told)
				w.Failed(o.Key, o.VersionID, told)
				continue
			}
			logs.deleted(o, nil)
			marker := ""
			if result.Marker {
				marker = versionText(result.Version, result.Null)
			}
			w.Deleted(o.Key, o.VersionID, result.Marker, marker)
		}
		return w.End()
	})
}

func deleteError(q *request, key string, err error) *s3api.Error {
	if holdfast.Is(err, holdfast.NotFound) {
		return s3api.NoKey(key)
	}
	return s3Error(q, err)
}

// parseDelete reads the document of a DeleteObjects request. S3 wants its integrity protected by Content-MD5 or a checksum.
func (q *request) parseDelete() (s3api.DeleteRequest, error) {
	if len(q.r.Header["Content-Md5"]) == 0 && q.body.declared.Algorithm == checksum.None && !q.body.signed {
		return s3api.DeleteRequest{}, s3api.E(s3api.InvalidRequest).WithMessage("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	data, err := q.document(s3api.OpDeleteObjects)
	if err != nil {
		return s3api.DeleteRequest{}, err
	}
	return s3api.DecodeDelete(data)
}

// deletion turns an object of the request into what the volume is asked for.
func (q *request) deletion(b *volume.Bucket, o *s3api.DeleteObject) (volume.DeleteRequest, error) {
	if err := s3api.CheckKey(o.Key); err != nil {
		return volume.DeleteRequest{}, err
	}
	v, err := parseVersion(o.VersionID)
	if err != nil {
		return volume.DeleteRequest{}, s3api.NoVersion(o.Key, o.VersionID)
	}
	if err := q.allowDelete(b, o.Key, v); err != nil {
		return volume.DeleteRequest{}, err
	}
	d := volume.DeleteRequest{Key: o.Key, Version: v, Owner: q.user(), Bypass: bypass(q.r.Header)}
	switch o.ETag {
	case "":
	case "*":
		d.If.IfMatchAny = true
	default:
		tag := etagOf(o.ETag)
		d.If.IfMatch = &tag
	}
	d.If.IfSize, d.If.IfModified = o.Size, o.LastModified
	return d, nil
}
