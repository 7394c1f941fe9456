package gw

import (
	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// listParts serves ListParts (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html).
func listParts(q *request) error {
	id, err := q.uploadID()
	if err != nil {
		return err
	}
	answer := s3api.ListPartsAnswer{Bucket: q.target.Bucket, Key: q.target.Key, UploadID: id.String()}
	if answer.MaxParts, err = s3api.ParseMaxParts(q.query); err != nil {
		return err
	}
	if answer.PartNumberMarker, err = s3api.ParsePartMarker(q.query.Get("part-number-marker")); err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	page, err := b.ListParts(q.ctx, q.target.Key, id, answer.PartNumberMarker, answer.MaxParts)
	if err != nil {
		return err
	}
	up := &page.Upload
	q.setAbort(b.Info(), up.Initiated)
	answer.Initiator, answer.Owner, answer.StorageClass = q.owner(up.Initiator), q.owner(up.Entry.Owner), className(&up.Entry)
	answer.ChecksumAlgorithm, answer.ChecksumType = declaredChecksum(up.Entry.Checksum)
	answer.Truncated = page.More
	for i := range page.Parts {
		p := &page.Parts[i]
		sums, _ := shownChecksums(p.Part.Checksum, 0)
		answer.Parts = append(answer.Parts, s3api.PartEntry{
			Number: p.Part.Number, LastModified: p.Modified, ETag: p.Part.ETag.String(), SizeBytes: p.Part.Size, Checksums: sums,
		})
		answer.NextPartNumberMarker = p.Part.Number
	}
	return q.sendXML(answer.Append)
}

// declaredChecksum shows the algorithm and type that an upload was begun with.
func declaredChecksum(c holdfast.Checksum) (algorithm, kind string) {
	if c.IsZero() {
		return "", ""
	}
	kind = checksum.FullObject.String()
	if c.Composite {
		kind = checksum.Composite.String()
	}
	return checksum.Algorithm(c.Algorithm).String(), kind
}

// listUploads serves ListMultipartUploads
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html).
func listUploads(q *request) error {
	answer := s3api.ListUploadsAnswer{
		Bucket: q.target.Bucket, Prefix: q.query.Get("prefix"), Delimiter: q.query.Get("delimiter"),
		KeyMarker: q.query.Get("key-marker"), UploadIDMarker: q.query.Get("upload-id-marker"),
	}
	var err error
	if answer.Encoding, err = s3api.ParseEncodingType(q.query); err != nil {
		return err
	}
	if answer.MaxUploads, err = s3api.ParseMaxUploads(q.query); err != nil {
		return err
	}
	after := volume.Position{Key: answer.KeyMarker}
	if answer.KeyMarker == "" { // without it the other marker is ignored, as in S3
		answer.UploadIDMarker = ""
	}
	if answer.UploadIDMarker != "" {
		if after.Upload, err = holdfast.ParseUploadID(answer.UploadIDMarker); err != nil {
			return s3api.BadArgument("upload-id-marker", answer.UploadIDMarker, "Invalid uploadId marker")
		}
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	page, err := b.List(q.ctx, volume.ListOptions{
		What: holdfast.ListUploads, Prefix: answer.Prefix, Delimiter: answer.Delimiter, After: after, Limit: answer.MaxUploads,
	})
	if holdfast.Is(err, holdfast.NotFound) {
		return s3api.NoBucket(q.target.Bucket).WithCause(err)
	}
	if err != nil {
		return err
	}
	for i := range page.Items {
		item := &page.Items[i]
		if item.CommonPrefix {
			answer.CommonPrefixes = append(answer.CommonPrefixes, item.Key)
			continue
		}
		up := item.Upload
		entry := s3api.UploadEntry{
			Key: item.Key, UploadID: up.ID.String(), Initiated: up.Initiated, Initiator: q.owner(up.Initiator),
			Owner: q.owner(up.Entry.Owner), StorageClass: className(&up.Entry),
		}
		entry.ChecksumAlgorithm, entry.ChecksumType = declaredChecksum(up.Entry.Checksum)
		answer.Uploads = append(answer.Uploads, entry)
	}
	if n := len(answer.Uploads); n > 0 {
		answer.NextKeyMarker, answer.NextUploadIDMarker = answer.Uploads[n-1].Key, answer.Uploads[n-1].UploadID
	}
	if answer.Truncated = page.More; page.More {
		answer.NextKeyMarker, answer.NextUploadIDMarker = page.Next.Key, ""
		if page.Next.Upload != (holdfast.UploadID{}) {
			answer.NextUploadIDMarker = page.Next.Upload.String()
		}
	}
	return q.sendXML(answer.Append)
}
