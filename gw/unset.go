package gw

import "holdfast/gw/s3api"

func getBucketLocation(q *request) error {
	if _, err := q.bucket(); err != nil {
		return err
	}
	return q.sendXML(func(dst []byte) []byte { return s3api.AppendLocation(dst, q.set.region) })
}
