package gw

import (
	"holdfast"
	"holdfast/gw/s3api"
)

// getObjectAttributes serves GetObjectAttributes
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html).
func getObjectAttributes(q *request) error {
	want, err := s3api.ParseObjectAttributes(q.r.Header)
	if err != nil {
		return err
	}
	maxParts, err := s3api.ParseMaxPartsHeader(q.r.Header.Get("X-Amz-Max-Parts"))
	if err != nil {
		return err
	}
	marker, err := s3api.ParsePartMarker(q.r.Header.Get("X-Amz-Part-Number-Marker"))
	if err != nil {
		return err
	}
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
	if _, err := q.openEntry(&e); err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Last-Modified", s3api.LastModified(e.Modified))
	setVersion(h, b.Info(), e.Version, e.Null)
	var answer s3api.AttributesAnswer
	if want.ETag {
		answer.ETag = e.ETag.String()
	}
	if want.Checksum {
		answer.Checksums, answer.ChecksumType = shownChecksums(e.Checksum, len(e.Content.Parts))
	}
	if want.ObjectParts && len(e.Content.Parts) > 0 {
		answer.Parts = attributeParts(e.Content.Parts, marker, maxParts)
	}
	if want.StorageClass {
		answer.StorageClass = className(&e)
	}
	if want.ObjectSize {
		answer.SizeBytes = &e.Size
	}
	return q.sendXML(answer.Append)
}

// attributeParts is the page of parts with numbers after marker. S3 lists parts only of uploads with checksums.
func attributeParts(parts holdfast.PartTable, marker, limit int) *s3api.AttributeParts {
	page := &s3api.AttributeParts{Total: len(parts), PartNumberMarker: marker, MaxParts: limit}
	for i := range parts {
		p := &parts[i]
		sums, _ := shownChecksums(p.Checksum, 0)
		if p.Number <= marker || len(sums) == 0 {
			continue
		}
		if len(page.Parts) == limit {
			page.Truncated = true
			break
		}
		page.Parts = append(page.Parts, s3api.AttributePart{Number: p.Number, SizeBytes: p.Size, Checksums: sums})
		page.NextPartNumberMarker = p.Number
	}
	return page
}
