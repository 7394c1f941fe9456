package s3api

import "time"

// Owner is an account as answers show it. The zero value is left out.
type Owner struct{ ID, DisplayName string }

func (o Owner) append(dst []byte, element string) []byte {
	if o == (Owner{}) {
		return dst
	}
	dst = appendOpen(dst, element)
	dst = appendElement(dst, "ID", o.ID)
	dst = appendOptional(dst, "DisplayName", o.DisplayName)
	return appendClose(dst, element)
}

func appendChecksums(dst []byte, sums []Checksum) []byte {
	for _, sum := range sums {
		dst = appendElement(dst, "Checksum"+sum.Algorithm, sum.Value)
	}
	return dst
}

// BucketEntry is one bucket of ListBuckets.
type BucketEntry struct {
	Name    string
	Created time.Time
	Region  string // "" is left out
}

// ListBucketsAnswer is the answer of ListBuckets.
type ListBucketsAnswer struct {
	Owner             Owner
	Buckets           []BucketEntry
	Prefix            string
	ContinuationToken string // of the next page; "" is the last page
}

// Append appends the document.
func (a *ListBucketsAnswer) Append(dst []byte) []byte {
	dst = appendRoot(dst, "ListAllMyBucketsResult")
	dst = a.Owner.append(dst, "Owner")
	dst = appendOpen(dst, "Buckets")
	for _, b := range a.Buckets {
		dst = appendOpen(dst, "Bucket")
		dst = appendElement(dst, "Name", b.Name)
		dst = appendTimeElement(dst, "CreationDate", b.Created)
		dst = appendOptional(dst, "BucketRegion", b.Region)
		dst = appendClose(dst, "Bucket")
	}
	dst = appendClose(dst, "Buckets")
	dst = appendOptional(dst, "Prefix", a.Prefix)
	dst = appendOptional(dst, "ContinuationToken", a.ContinuationToken)
	return appendClose(dst, "ListAllMyBucketsResult")
}

// AppendLocation appends the answer of GetBucketLocation. S3 gives us-east-1 as an empty element.
func AppendLocation(dst []byte, region string) []byte {
	dst = appendRoot(dst, "LocationConstraint")
	if region != "us-east-1" {
		dst = appendText(dst, region)
	}
	return appendClose(dst, "LocationConstraint")
}

// AppendVersioning appends the answer of GetBucketVersioning: status is "Enabled", "Suspended", or "" for a bucket that never
// had versions.
func AppendVersioning(dst []byte, status string) []byte {
	dst = appendRoot(dst, "VersioningConfiguration")
	dst = appendOptional(dst, "Status", status)
	return appendClose(dst, "VersioningConfiguration")
}

// CopyAnswer is the answer of CopyObject and UploadPartCopy. ETag is without quotes.
type CopyAnswer struct {
	ETag         string
	LastModified time.Time
	ChecksumType string // "" is left out
	Checksums    []Checksum
}

// AppendObject appends the document of CopyObject.
func (a *CopyAnswer) AppendObject(dst []byte) []byte { return a.append(dst, "CopyObjectResult") }

// AppendPart appends the document of UploadPartCopy.
func (a *CopyAnswer) AppendPart(dst []byte) []byte { return a.append(dst, "CopyPartResult") }

func (a *CopyAnswer) append(dst []byte, root string) []byte {
	dst = appendRoot(dst, root)
	dst = appendTimeElement(dst, "LastModified", a.LastModified)
	dst = appendETag(dst, a.ETag)
	dst = appendOptional(dst, "ChecksumType", a.ChecksumType)
	dst = appendChecksums(dst, a.Checksums)
	return appendClose(dst, root)
}

// AppendPostResponse appends the answer of a PostObject that asked for status 201. Alone among the successes it has no namespace,
// and its Location has the slashes of the key escaped. ETag is without quotes.
func AppendPostResponse(dst []byte, location, bucket, key, etag string) []byte {
	dst = append(dst, xmlHeader...)
	dst = appendOpen(dst, "PostResponse")
	dst = appendElement(dst, "Location", location)
	dst = appendElement(dst, "Bucket", bucket)
	dst = appendElement(dst, "Key", key)
	dst = appendETag(dst, etag)
	return appendClose(dst, "PostResponse")
}

// DeleteResult writes the answer of DeleteObjects while the deletes are made. Start it with [BeginDeleteResult].
type DeleteResult struct {
	buf   []byte
	quiet bool
}

// BeginDeleteResult starts the document at the end of dst, which it owns until End. quiet leaves successes out.
func BeginDeleteResult(dst []byte, quiet bool) DeleteResult {
	return DeleteResult{appendRoot(dst, "DeleteResult"), quiet}
}

// Deleted adds a success. versionID is the version asked for, or ""; marker says that a delete marker was made or removed, and
// markerVersion is its id.
func (r *DeleteResult) Deleted(key, versionID string, marker bool, markerVersion string) {
	if r.quiet {
		return
	}
	b := append(r.buf, "<Deleted>"...)
	b = appendElement(b, "Key", key)
	b = appendOptional(b, "VersionId", versionID)
	if marker {
		b = appendBool(b, "DeleteMarker", true)
		b = appendOptional(b, "DeleteMarkerVersionId", markerVersion)
	}
	r.buf = append(b, "</Deleted>"...)
}

// Failed adds a failure of one object.
func (r *DeleteResult) Failed(key, versionID string, err error) {
	e := AsError(err)
	b := append(r.buf, "<Error>"...)
	b = appendElement(b, "Key", key)
	b = appendOptional(b, "VersionId", versionID)
	b = appendElement(b, "Code", string(e.Code))
	b = appendElement(b, "Message", e.text())
	r.buf = append(b, "</Error>"...)
}

// End finishes the document and returns it.
func (r *DeleteResult) End() []byte { return appendClose(r.buf, "DeleteResult") }
