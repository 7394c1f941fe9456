package gw

import (
	"net/http"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// getBucketVersioning serves GetBucketVersioning
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html).
func getBucketVersioning(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	status := map[holdfast.Versioning]string{
		holdfast.VersioningEnabled: "Enabled", holdfast.VersioningSuspended: "Suspended",
	}[b.Info().Versioning]
	return q.sendXML(func(dst []byte) []byte { return s3api.AppendVersioning(dst, status) })
}

// putBucketVersioning serves PutBucketVersioning
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html). Nobody has a device for MFA delete, so
// asking for it is what asking without the code of one is in S3.
func putBucketVersioning(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	doc, err := q.document(s3api.OpPutBucketVersioning)
	if err != nil {
		return err
	}
	config, err := s3api.DecodeVersioning(doc)
	if err != nil {
		return err
	}
	if config.MFADelete {
		return s3api.E(s3api.AccessDenied).WithMessage("Mfa Authentication must be used for this request")
	}
	state := holdfast.VersioningEnabled
	change := volume.BucketChange{Versioning: &state}
	if config.Suspended {
		state = holdfast.VersioningSuspended
		if b.Info().ObjectLock {
			return s3api.E(s3api.InvalidBucketState).WithMessage(
				"An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		change.Epoch = b.Info().Epoch // object lock must not come in between
	}
	if err := q.updateBucket(change); err != nil {
		return bucketRace(err)
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// bucketRace is the answer when a bucket's record was changed between a look at it and the change that depends on what was seen.
func bucketRace(err error) error {
	if holdfast.Is(err, holdfast.Conflict) {
		return s3api.E(s3api.OperationAborted).WithCause(err)
	}
	return err
}

// listObjectVersions serves ListObjectVersions
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html).
func listObjectVersions(q *request) error {
	keyMarker, idMarker, err := s3api.ParseVersionMarkers(q.query)
	if err != nil {
		return err
	}
	after, err := parseVersion(idMarker)
	if err != nil {
		return s3api.BadArgument("version-id-marker", idMarker, "Invalid version id specified")
	}
	l, err := q.parseListing()
	if err != nil {
		return err
	}
	l.opts.What, l.opts.After = holdfast.ListVersions, volume.Position{Key: keyMarker, Version: after.ID}
	if after.Null {
		if l.opts.After, err = q.nullPosition(l.bucket, keyMarker); err != nil {
			return err
		}
	}
	page, err := q.page(&l)
	if err != nil {
		return err
	}
	head := s3api.ListVersions{
		Bucket: q.target.Bucket, Prefix: l.opts.Prefix, Delimiter: l.opts.Delimiter,
		KeyMarker: keyMarker, VersionIDMarker: idMarker, MaxKeys: l.opts.Limit, Encoding: l.encoding,
	}
	nextID := ""
	if page.More && !page.Next.Version.IsZero() {
		nextID = page.Next.Version.String()
	}
	return q.sendXML(func(dst []byte) []byte {
		w := s3api.BeginListVersions(dst, &head)
		l.writeVersions(w, &page)
		return w.EndVersions(page.More, page.Next.Key, nextID)
	})
}

// nullPosition returns the place of the null version of a key. Our own pages end with the version's true id, since the
// null version may be written anew in front of the others while a client pages; only a client's own marker says null. If there is
// no null version any more, the key's versions are shown from the first.
func (q *request) nullPosition(b *volume.Bucket, key string) (volume.Position, error) {
	e, err := b.Head(q.ctx, key, volume.Version{Null: true})
	if err != nil && !holdfast.Is(err, holdfast.NotFound) {
		return volume.Position{}, err
	}
	at := volume.Position{Key: key, Version: e.Version}
	if e.Version.IsZero() { // before all versions, which sort from the highest id down
		for i := range at.Version {
			at.Version[i] = 0xff
		}
	}
	return at, nil
}

func (l *listing) writeVersions(w *s3api.ListWriter, page *volume.ListPage) {
	var v s3api.VersionEntry // reused: the writer keeps nothing of it
	for i := range page.Items {
		item := &page.Items[i]
		if item.CommonPrefix {
			w.Prefix(item.Key)
			continue
		}
		e := item.Entry
		v.Latest, v.DeleteMarker, v.VersionID = item.Latest, e.Marker, versionText(e.Version, e.Null)
		fillEntry(&v.ObjectEntry, item.Key, e)
		v.Owner = l.owner(e.Owner)
		w.Version(&v)
	}
}
