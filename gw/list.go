package gw

import (
	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// listing is what ListObjects and ListObjectsV2 have in common.
type listing struct {
	bucket   *volume.Bucket
	opts     volume.ListOptions
	encoding s3api.Encoding
	owners   bool
	owner    func(user string) s3api.Owner
}

func (q *request) parseListing() (listing, error) {
	l := listing{owner: q.owner}
	var err error
	if l.encoding, err = s3api.ParseEncodingType(q.query); err != nil {
		return l, err
	}
	l.opts = volume.ListOptions{What: holdfast.ListObjects, Prefix: q.query.Get("prefix"), Delimiter: q.query.Get("delimiter")}
	if l.opts.Limit, err = s3api.ParseMaxKeys(q.query); err != nil {
		return l, err
	}
	l.bucket, err = q.bucket()
	return l, err
}

// page fetches the page and writes its items.
func (q *request) page(l *listing) (volume.ListPage, error) {
	page, err := l.bucket.List(q.ctx, l.opts)
	if holdfast.Is(err, holdfast.NotFound) {
		return page, s3api.NoBucket(q.target.Bucket).WithCause(err)
	}
	return page, err
}

func (l *listing) write(w *s3api.ListWriter, page *volume.ListPage) {
	var entry s3api.ObjectEntry // reused: the writer keeps nothing of it
	for i := range page.Items {
		item := &page.Items[i]
		if item.CommonPrefix {
			w.Prefix(item.Key)
			continue
		}
		fillEntry(&entry, item.Key, item.Entry)
		if l.owners {
			entry.Owner = l.owner(item.Entry.Owner)
		}
		w.Object(&entry)
	}
}

func fillEntry(to *s3api.ObjectEntry, key string, e *holdfast.Entry) {
	*to = s3api.ObjectEntry{
		Key: key, LastModified: e.Modified, ETag: e.ETag.String(), SizeBytes: e.Size, StorageClass: className(e),
	}
	if v, ok := shownChecksum(e.Checksum, 1); ok {
		to.ChecksumAlgorithm, to.ChecksumType = v.Algorithm().String(), v.Type().String()
	}
}

// listObjects serves ListObjects (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html).
func listObjects(q *request) error {
	l, err := q.parseListing()
	if err != nil {
		return err
	}
	l.owners = q.caller.User != "" // S3 does not tell anonymous callers
	marker := q.query.Get("marker")
	l.opts.After = volume.Position{Key: marker}
	page, err := q.page(&l)
	if err != nil {
		return err
	}
	head := s3api.ListV1{
		Bucket: q.target.Bucket, Prefix: l.opts.Prefix, Marker: marker, Delimiter: l.opts.Delimiter,
		MaxKeys: l.opts.Limit, Encoding: l.encoding,
	}
	next := ""
	if page.More && l.opts.Delimiter != "" {
		next = page.Next.Key
	}
	return q.sendXML(func(dst []byte) []byte {
		w := s3api.BeginListV1(dst, &head)
		l.write(w, &page)
		return w.EndV1(page.More, next)
	})
}

// listObjectsV2 serves ListObjectsV2 (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
func listObjectsV2(q *request) error {
	l, err := q.parseListing()
	if err != nil {
		return err
	}
	l.owners = q.query.Get("fetch-owner") == "true"
	startAfter, token := q.query.Get("start-after"), q.query.Get("continuation-token")
	l.opts.After = volume.Position{Key: startAfter}
	if tokens, given := q.query["continuation-token"]; given {
		if tokens[0] == "" {
			return s3api.BadArgument("continuation-token", "", "The continuation token provided is incorrect")
		}
		key, err := decodeToken(token)
		if err != nil {
			return err
		}
		l.opts.After = volume.Position{Key: key}
	}
	page, err := q.page(&l)
	if err != nil {
		return err
	}
	head := s3api.ListV2{
		Bucket: q.target.Bucket, Prefix: l.opts.Prefix, Delimiter: l.opts.Delimiter, StartAfter: startAfter,
		ContinuationToken: token, MaxKeys: l.opts.Limit, Encoding: l.encoding,
	}
	next := ""
	if page.More {
		next = encodeToken(page.Next.Key)
	}
	return q.sendXML(func(dst []byte) []byte {
		w := s3api.BeginListV2(dst, &head)
		l.write(w, &page)
		return w.EndV2(page.More, next)
	})
}
