package s3api

import (
	"fmt"
	"math"
	"strings"
)

// ByteRange is a satisfied range of an object: Length bytes from Offset.
type ByteRange struct{ Offset, Length int64 }

// ContentRange returns the Content-Range header of a 206 with the range of an object of the size.
func (r ByteRange) ContentRange(sizeBytes int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", r.Offset, r.Offset+r.Length-1, sizeBytes)
}

// RangeRequest is a parsed Range header. The zero value asks for the whole object.
type RangeRequest struct {
	header string
	kind   rangeKind
	first  int64 // of fromTo
	last   int64 // of fromTo: inclusive, MaxInt64 when open; of suffix: the number of bytes
}

type rangeKind uint8

const (
	wholeObject rangeKind = iota
	fromTo
	suffix
)

// ParseRange parses a Range header as S3 does. S3 serves one range per request (API reference, GetObject) and ignores, answering
// 200 with the whole object, what is not one well-formed byte range: other units, several ranges, a last byte before the
// first, letters. Numbers past int64 count as the largest.
func ParseRange(header string) RangeRequest {
	unit, spec, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return RangeRequest{}
	}
	from, to, ok := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok {
		return RangeRequest{}
	}
	first, hasFirst, ok1 := parseOffset(from)
	last, hasLast, ok2 := parseOffset(to)
	switch {
	case !ok1 || !ok2 || !hasFirst && !hasLast:
		return RangeRequest{}
	case !hasFirst:
		return RangeRequest{header: header, kind: suffix, last: last}
	case !hasLast:
		return RangeRequest{header: header, kind: fromTo, first: first, last: math.MaxInt64}
	case last < first:
		return RangeRequest{}
	}
	return RangeRequest{header: header, kind: fromTo, first: first, last: last}
}

// Whole reports whether the request is for the whole object whatever its size.
func (r RangeRequest) Whole() bool { return r.kind == wholeObject }

// Resolve applies the range to an object of the size in bytes. partial says whether to answer 206; otherwise the range is the
// whole object. A range that begins at or past the end, or a suffix of no bytes, is InvalidRange, 416. A suffix of an
// empty object is the whole, empty object (RFC 9110 section 14.1.2; readers of file tails rely on it).
func (r RangeRequest) Resolve(sizeBytes int64) (got ByteRange, partial bool, err error) {
	switch r.kind {
	case fromTo:
		if r.first >= sizeBytes {
			return ByteRange{}, false, UnsatisfiableRange(r.header, sizeBytes)
		}
		last := min(r.last, sizeBytes-1)
		return ByteRange{Offset: r.first, Length: last - r.first + 1}, true, nil
	case suffix:
		if r.last == 0 {
			return ByteRange{}, false, UnsatisfiableRange(r.header, sizeBytes)
		}
		if sizeBytes == 0 {
			return ByteRange{}, false, nil
		}
		length := min(r.last, sizeBytes)
		return ByteRange{Offset: sizeBytes - length, Length: length}, true, nil
	}
	return ByteRange{Length: sizeBytes}, false, nil
}

// parseOffset parses decimal digits; "" is absent. Overflow saturates.
func parseOffset(s string) (n int64, present, ok bool) {
	for i := range len(s) {
		digit := s[i] - '0'
		if digit > 9 {
			return 0, false, false
		}
		if n > (math.MaxInt64-int64(digit))/10 {
			n = math.MaxInt64
			continue
		}
		n = n*10 + int64(digit)
	}
	return n, s != "", true
}

// ParseCopySourceRange parses x-amz-copy-source-range of UploadPartCopy; "" is the whole source. Unlike Range it is strict
// (API reference, UploadPartCopy): exactly bytes=first-last, else InvalidArgument.
func ParseCopySourceRange(value string) (CopyRange, error) {
	if value == "" {
		return CopyRange{whole: true}, nil
	}
	spec, ok := strings.CutPrefix(value, "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	first, hasFirst, ok1 := parseOffset(from)
	last, hasLast, ok2 := parseOffset(to)
	if !ok || !dash || !ok1 || !ok2 || !hasFirst || !hasLast || last < first {
		return CopyRange{}, BadArgument("x-amz-copy-source-range", value,
			"The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "+
				"zero-based offsets of the first and last bytes to copy")
	}
	return CopyRange{first: first, last: last, header: value}, nil
}

// CopyRange is the range of the source that UploadPartCopy copies.
type CopyRange struct {
	whole       bool
	first, last int64
	header      string
}

// Resolve applies the range to a source of the size in bytes. A range that ends behind the source is InvalidArgument, one that begins
// there InvalidRequest: S3 does not clip here, since a short part would corrupt the upload silently.
func (r CopyRange) Resolve(sizeBytes int64) (ByteRange, error) {
	if r.whole {
		return ByteRange{Length: sizeBytes}, nil
	}
	if r.first >= sizeBytes {
		return ByteRange{}, E(InvalidRequest).WithMessage("The specified copy range is invalid for the source object size")
	}
	if r.last >= sizeBytes {
		return ByteRange{}, BadArgument("x-amz-copy-source-range", r.header,
			fmt.Sprintf("Range specified is not valid for source object of size: %d", sizeBytes))
	}
	return ByteRange{Offset: r.first, Length: r.last - r.first + 1}, nil
}
