package s3api

import (
	"strconv"
	"time"
)

// ObjectEntry is one object of a listing. ETag is without quotes.
type ObjectEntry struct {
	Key               string
	LastModified      time.Time
	ETag              string
	SizeBytes         int64
	StorageClass      StorageClass
	Owner             Owner  // zero is left out
	ChecksumAlgorithm string // "" is left out
	ChecksumType      string // "" is left out
}

// VersionEntry is one version of ListObjectVersions. A delete marker has no ETag, size, class or checksum.
type VersionEntry struct {
	ObjectEntry
	VersionID    string // "null" for the version from before versioning
	Latest       bool
	DeleteMarker bool
}

// ListWriter writes a listing while the names are read: begin it with one of the Begin functions, add entries in key
// order, finish it with the matching End. It appends to one buffer and allocates only when that has to grow. Common
// prefixes may be added between objects; they are written after them, as S3 does. Not safe for concurrent use.
type ListWriter struct {
	buf      []byte
	prefixes []byte // the CommonPrefixes elements so far
	root     string
	encoding Encoding
	count    int
}

// Count returns the number of entries and common prefixes added.
func (w *ListWriter) Count() int { return w.count }

func (w *ListWriter) begin(dst []byte, root, bucket string, encoding Encoding) {
	w.root, w.encoding = root, encoding
	w.buf = appendRoot(dst, root)
	w.buf = appendElement(w.buf, "Name", bucket)
}

// encoded adds an element that encoding-type concerns.
func (w *ListWriter) encoded(name, text string) {
	w.buf = w.encoding.appendElement(w.buf, name, text)
}

func (w *ListWriter) encodedOptional(name, text string) {
	w.buf = w.encoding.appendOptional(w.buf, name, text)
}

func (w *ListWriter) end() []byte {
	w.buf = append(w.buf, w.prefixes...)
	return appendClose(w.buf, w.root)
}

// ListV1 is the head of a ListObjects answer. Under [URLEncoding] Prefix, Marker, NextMarker, Delimiter, the keys and the common
// prefixes are encoded.
type ListV1 struct {
	Bucket, Prefix, Marker, Delimiter string
	MaxKeys                           int
	Encoding                          Encoding
}

// BeginListV1 starts the document at the end of dst, which the writer owns until EndV1.
func BeginListV1(dst []byte, head *ListV1) *ListWriter {
	w := &ListWriter{}
	w.begin(dst, "ListBucketResult", head.Bucket, head.Encoding)
	w.encoded("Prefix", head.Prefix)
	w.encoded("Marker", head.Marker)
	w.encodedOptional("Delimiter", head.Delimiter)
	w.buf = appendInt(w.buf, "MaxKeys", int64(head.MaxKeys))
	w.buf = appendEncodingType(w.buf, head.Encoding)
	return w
}

// EndV1 finishes a ListObjects answer. nextMarker, the last key or common prefix, is given only with a delimiter and only when
// truncated; without one clients go on from the last key.
func (w *ListWriter) EndV1(truncated bool, nextMarker string) []byte {
	w.buf = appendBool(w.buf, "IsTruncated", truncated)
	if truncated {
		w.encodedOptional("NextMarker", nextMarker)
	}
	return w.end()
}

// ListV2 is the head of a ListObjectsV2 answer. Under [URLEncoding] Prefix, StartAfter, Delimiter, the keys and the common
// prefixes are encoded; continuation tokens are opaque and are not.
type ListV2 struct {
	Bucket, Prefix, Delimiter     string
	StartAfter, ContinuationToken string
	MaxKeys                       int
	Encoding                      Encoding
}

// BeginListV2 starts the document at the end of dst, which the writer owns until EndV2.
func BeginListV2(dst []byte, head *ListV2) *ListWriter {
	w := &ListWriter{}
	w.begin(dst, "ListBucketResult", head.Bucket, head.Encoding)
	w.encoded("Prefix", head.Prefix)
	w.encodedOptional("StartAfter", head.StartAfter)
	w.buf = appendOptional(w.buf, "ContinuationToken", head.ContinuationToken)
	w.encodedOptional("Delimiter", head.Delimiter)
	w.buf = appendInt(w.buf, "MaxKeys", int64(head.MaxKeys))
	w.buf = appendEncodingType(w.buf, head.Encoding)
	return w
}

// EndV2 finishes a ListObjectsV2 answer; nextToken is "" unless truncated. KeyCount is what was added.
func (w *ListWriter) EndV2(truncated bool, nextToken string) []byte {
	w.buf = appendInt(w.buf, "KeyCount", int64(w.count))
	w.buf = appendBool(w.buf, "IsTruncated", truncated)
	w.buf = appendOptional(w.buf, "NextContinuationToken", nextToken)
	return w.end()
}

// ListVersions is the head of a ListObjectVersions answer. Under [URLEncoding] KeyMarker, NextKeyMarker, Prefix, Delimiter, the
// keys and the common prefixes are encoded.
type ListVersions struct {
	Bucket, Prefix, Delimiter  string
	KeyMarker, VersionIDMarker string
	MaxKeys                    int
	Encoding                   Encoding
}

// BeginListVersions starts the document at the end of dst, which the writer owns until EndVersions.
func BeginListVersions(dst []byte, head *ListVersions) *ListWriter {
	w := &ListWriter{}
	w.begin(dst, "ListVersionsResult", head.Bucket, head.Encoding)
	w.encoded("Prefix", head.Prefix)
	w.encoded("KeyMarker", head.KeyMarker)
	w.buf = appendElement(w.buf, "VersionIdMarker", head.VersionIDMarker)
	w.encodedOptional("Delimiter", head.Delimiter)
	w.buf = appendInt(w.buf, "MaxKeys", int64(head.MaxKeys))
	w.buf = appendEncodingType(w.buf, head.Encoding)
	return w
}

// EndVersions finishes a ListObjectVersions answer; the markers are where the next page starts when truncated.
func (w *ListWriter) EndVersions(truncated bool, nextKeyMarker, nextVersionIDMarker string) []byte {
	w.buf = appendBool(w.buf, "IsTruncated", truncated)
	if truncated {
		w.encoded("NextKeyMarker", nextKeyMarker)
		w.buf = appendOptional(w.buf, "NextVersionIdMarker", nextVersionIDMarker)
	}
	return w.end()
}

// Object adds an object.
func (w *ListWriter) Object(o *ObjectEntry) {
	w.count++
	b := append(w.buf, "<Contents><Key>"...)
	b = w.encoding.append(b, o.Key)
	b = append(b, "</Key><LastModified>"...)
	b = AppendTime(b, o.LastModified)
	b = append(b, "</LastModified>"...)
	b = appendStored(b, o)
	b = o.Owner.append(b, "Owner")
	w.buf = append(b, "</Contents>"...)
}

// appendStored appends what a delete marker does not have.
func appendStored(b []byte, o *ObjectEntry) []byte {
	b = append(b, "<ETag>&quot;"...)
	b = appendText(b, o.ETag)
	b = append(b, "&quot;</ETag>"...)
	b = appendOptional(b, "ChecksumAlgorithm", o.ChecksumAlgorithm)
	b = appendOptional(b, "ChecksumType", o.ChecksumType)
	b = append(b, "<Size>"...)
	b = strconv.AppendInt(b, o.SizeBytes, 10)
	b = append(b, "</Size><StorageClass>"...)
	b = appendText(b, string(o.StorageClass))
	return append(b, "</StorageClass>"...)
}

// Version adds a version or a delete marker.
func (w *ListWriter) Version(v *VersionEntry) {
	element := "Version"
	if v.DeleteMarker {
		element = "DeleteMarker"
	}
	w.count++
	b := appendOpen(w.buf, element)
	b = w.encoding.appendElement(b, "Key", v.Key)
	b = appendElement(b, "VersionId", v.VersionID)
	b = appendBool(b, "IsLatest", v.Latest)
	b = appendTimeElement(b, "LastModified", v.LastModified)
	if !v.DeleteMarker {
		b = appendStored(b, &v.ObjectEntry)
	}
	b = v.Owner.append(b, "Owner")
	w.buf = appendClose(b, element)
}

// Prefix adds a common prefix.
func (w *ListWriter) Prefix(prefix string) {
	w.count++
	w.prefixes = appendCommonPrefix(w.prefixes, w.encoding, prefix)
}

func appendCommonPrefix(dst []byte, encoding Encoding, prefix string) []byte {
	dst = append(dst, "<CommonPrefixes><Prefix>"...)
	dst = encoding.append(dst, prefix)
	return append(dst, "</Prefix></CommonPrefixes>"...)
}

func appendEncodingType(dst []byte, encoding Encoding) []byte {
	if encoding != URLEncoding {
		return dst
	}
	return appendElement(dst, "EncodingType", "url")
}
