package s3api

import "time"

// AppendInitiated appends the answer of CreateMultipartUpload.
func AppendInitiated(dst []byte, bucket, key, uploadID string) []byte {
	const root = "InitiateMultipartUploadResult"
	dst = appendRoot(dst, root)
	dst = appendElement(dst, "Bucket", bucket)
	dst = appendElement(dst, "Key", key)
	dst = appendElement(dst, "UploadId", uploadID)
	return appendClose(dst, root)
}

// CompleteAnswer is the answer of CompleteMultipartUpload. ETag is without quotes.
type CompleteAnswer struct {
	Location     string // the object's URL
	Bucket, Key  string
	ETag         string
	ChecksumType string // "" is left out
	Checksums    []Checksum
}

// Append appends the document.
func (a *CompleteAnswer) Append(dst []byte) []byte {
	const root = "CompleteMultipartUploadResult"
	dst = appendRoot(dst, root)
	dst = appendElement(dst, "Location", a.Location)
	dst = appendElement(dst, "Bucket", a.Bucket)
	dst = appendElement(dst, "Key", a.Key)
	dst = appendETag(dst, a.ETag)
	dst = appendOptional(dst, "ChecksumType", a.ChecksumType)
	dst = appendChecksums(dst, a.Checksums)
	return appendClose(dst, root)
}

// PartEntry is one part of ListParts. ETag is without quotes.
type PartEntry struct {
	Number       int
	LastModified time.Time
	ETag         string
	SizeBytes    int64
	Checksums    []Checksum
}

// ListPartsAnswer is the answer of ListParts, which has no encoding-type.
type ListPartsAnswer struct {
	Bucket, Key, UploadID string
	PartNumberMarker      int
	NextPartNumberMarker  int // the last part of this page; 0 on an empty page
	MaxParts              int
	Truncated             bool
	Initiator, Owner      Owner
	StorageClass          StorageClass
	ChecksumAlgorithm     string // "" is left out
	ChecksumType          string // "" is left out
	Parts                 []PartEntry
}

// Append appends the document.
func (a *ListPartsAnswer) Append(dst []byte) []byte {
	dst = appendRoot(dst, "ListPartsResult")
	dst = appendElement(dst, "Bucket", a.Bucket)
	dst = appendElement(dst, "Key", a.Key)
	dst = appendElement(dst, "UploadId", a.UploadID)
	dst = a.Initiator.append(dst, "Initiator")
	dst = a.Owner.append(dst, "Owner")
	dst = appendElement(dst, "StorageClass", string(a.StorageClass))
	dst = appendInt(dst, "PartNumberMarker", int64(a.PartNumberMarker))
	dst = appendInt(dst, "NextPartNumberMarker", int64(a.NextPartNumberMarker))
	dst = appendInt(dst, "MaxParts", int64(a.MaxParts))
	dst = appendBool(dst, "IsTruncated", a.Truncated)
	dst = appendOptional(dst, "ChecksumAlgorithm", a.ChecksumAlgorithm)
	dst = appendOptional(dst, "ChecksumType", a.ChecksumType)
	for i := range a.Parts {
		p := &a.Parts[i]
		dst = append(dst, "<Part>"...)
		dst = appendInt(dst, "PartNumber", int64(p.Number))
		dst = appendTimeElement(dst, "LastModified", p.LastModified)
		dst = appendETag(dst, p.ETag)
		dst = appendInt(dst, "Size", p.SizeBytes)
		dst = appendChecksums(dst, p.Checksums)
		dst = append(dst, "</Part>"...)
	}
	return appendClose(dst, "ListPartsResult")
}

// UploadEntry is one upload of ListMultipartUploads.
type UploadEntry struct {
	Key, UploadID     string
	Initiated         time.Time
	Initiator, Owner  Owner
	StorageClass      StorageClass
	ChecksumAlgorithm string // "" is left out
	ChecksumType      string // "" is left out
}

// ListUploadsAnswer is the answer of ListMultipartUploads.
type ListUploadsAnswer struct {
	Bucket                            string
	Prefix, Delimiter                 string
	KeyMarker, UploadIDMarker         string
	NextKeyMarker, NextUploadIDMarker string // of the last upload, also if the page is the last; of the last thing if Truncated
	MaxUploads                        int
	Truncated                         bool
	Encoding                          Encoding
	Uploads                           []UploadEntry
	CommonPrefixes                    []string
}

// Append appends the document. Under [URLEncoding] the encoded elements are Delimiter, KeyMarker, Prefix, NextKeyMarker, Key and
// the common prefixes.
func (a *ListUploadsAnswer) Append(dst []byte) []byte {
	dst = appendRoot(dst, "ListMultipartUploadsResult")
	dst = appendElement(dst, "Bucket", a.Bucket)
	dst = a.Encoding.appendElement(dst, "KeyMarker", a.KeyMarker)
	dst = appendElement(dst, "UploadIdMarker", a.UploadIDMarker)
	dst = a.Encoding.appendElement(dst, "NextKeyMarker", a.NextKeyMarker)
	dst = appendElement(dst, "NextUploadIdMarker", a.NextUploadIDMarker)
	dst = a.Encoding.appendElement(dst, "Prefix", a.Prefix)
	dst = a.Encoding.appendOptional(dst, "Delimiter", a.Delimiter)
	dst = appendInt(dst, "MaxUploads", int64(a.MaxUploads))
	dst = appendEncodingType(dst, a.Encoding)
	dst = appendBool(dst, "IsTruncated", a.Truncated)
	for i := range a.Uploads {
		dst = a.Uploads[i].append(dst, a.Encoding)
	}
	for _, prefix := range a.CommonPrefixes {
		dst = appendCommonPrefix(dst, a.Encoding, prefix)
	}
	return appendClose(dst, "ListMultipartUploadsResult")
}

func (u *UploadEntry) append(dst []byte, encoding Encoding) []byte {
	dst = append(dst, "<Upload>"...)
	dst = encoding.appendElement(dst, "Key", u.Key)
	dst = appendElement(dst, "UploadId", u.UploadID)
	dst = u.Initiator.append(dst, "Initiator")
	dst = u.Owner.append(dst, "Owner")
	dst = appendElement(dst, "StorageClass", string(u.StorageClass))
	dst = appendTimeElement(dst, "Initiated", u.Initiated)
	dst = appendOptional(dst, "ChecksumAlgorithm", u.ChecksumAlgorithm)
	dst = appendOptional(dst, "ChecksumType", u.ChecksumType)
	return append(dst, "</Upload>"...)
}
