package s3api

import (
	"net/http"
	"strings"
)

// AttributeSet is which attributes a GetObjectAttributes request asks for.
type AttributeSet struct{ ETag, Checksum, ObjectParts, StorageClass, ObjectSize bool }

// ParseObjectAttributes parses the x-amz-object-attributes header, a list that may come in several lines and with spaces
// (aws-sdk-js sends "ETag, ObjectSize"). None is InvalidRequest, an unknown one InvalidArgument.
func ParseObjectAttributes(h http.Header) (AttributeSet, error) {
	var set AttributeSet
	known := map[string]*bool{
		"ETag": &set.ETag, "Checksum": &set.Checksum, "ObjectParts": &set.ObjectParts,
		"StorageClass": &set.StorageClass, "ObjectSize": &set.ObjectSize,
	}
	value := joined(h, "X-Amz-Object-Attributes")
	any := false
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		field, ok := known[name]
		if !ok {
			return AttributeSet{}, BadArgument("x-amz-object-attributes", value, "Invalid attribute name specified.")
		}
		*field, any = true, true
	}
	if !any {
		return AttributeSet{}, E(InvalidRequest).WithMessage(
			"The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	return set, nil
}

// AttributePart is one part of GetObjectAttributes.
type AttributePart struct {
	Number    int
	SizeBytes int64
	Checksums []Checksum
}

// AttributeParts is the ObjectParts of GetObjectAttributes. S3 lists the parts themselves only of uploads with checksums.
type AttributeParts struct {
	Total                int
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	Truncated            bool
	Parts                []AttributePart
}

// AttributesAnswer is the answer of GetObjectAttributes: what was asked for and there is.
type AttributesAnswer struct {
	ETag         string // without quotes, which this answer does not have; "" is left out
	ChecksumType string
	Checksums    []Checksum
	Parts        *AttributeParts // nil is left out
	StorageClass StorageClass    // "" is left out
	SizeBytes    *int64          // nil is left out
}

// Append appends the document.
func (a *AttributesAnswer) Append(dst []byte) []byte {
	const root = "GetObjectAttributesResponse"
	dst = appendRoot(dst, root)
	dst = appendOptional(dst, "ETag", a.ETag)
	if len(a.Checksums) > 0 {
		dst = appendOpen(dst, "Checksum")
		dst = appendChecksums(dst, a.Checksums)
		dst = appendOptional(dst, "ChecksumType", a.ChecksumType)
		dst = appendClose(dst, "Checksum")
	}
	if a.Parts != nil {
		dst = a.Parts.append(dst)
	}
	dst = appendOptional(dst, "StorageClass", string(a.StorageClass))
	if a.SizeBytes != nil {
		dst = appendInt(dst, "ObjectSize", *a.SizeBytes)
	}
	return appendClose(dst, root)
}

// append writes ObjectParts. The count is the element PartsCount on the wire, whatever SDKs call it.
func (p *AttributeParts) append(dst []byte) []byte {
	dst = appendOpen(dst, "ObjectParts")
	dst = appendInt(dst, "PartsCount", int64(p.Total))
	if len(p.Parts) > 0 {
		dst = appendInt(dst, "PartNumberMarker", int64(p.PartNumberMarker))
		dst = appendInt(dst, "NextPartNumberMarker", int64(p.NextPartNumberMarker))
		dst = appendInt(dst, "MaxParts", int64(p.MaxParts))
		dst = appendBool(dst, "IsTruncated", p.Truncated)
	}
	for i := range p.Parts {
		part := &p.Parts[i]
		dst = append(dst, "<Part>"...)
		dst = appendInt(dst, "PartNumber", int64(part.Number))
		dst = appendInt(dst, "Size", part.SizeBytes)
		dst = appendChecksums(dst, part.Checksums)
		dst = append(dst, "</Part>"...)
	}
	return appendClose(dst, "ObjectParts")
}
