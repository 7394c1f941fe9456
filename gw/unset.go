package gw

import "holdfast/gw/s3api"

// What is answered as S3 answers it for a bucket or an object on which nothing was set: no tags.

// getObjectTagging answers that there are no tags, which is true as long as none can be set. Clients ask before they copy.
func getObjectTagging(q *request) error {
	v, err := q.version()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	e, err := q.head(b, v)
	if err != nil {
		return err
	}
	setVersion(q.w.Header(), b.Info(), e.Version, e.Null)
	return q.sendXML(s3api.AppendTagging)
}

func getBucketLocation(q *request) error {
	if _, err := q.bucket(); err != nil {
		return err
	}
	return q.sendXML(func(dst []byte) []byte { return s3api.AppendLocation(dst, q.set.region) })
}
