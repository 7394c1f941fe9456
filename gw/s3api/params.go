package s3api

import (
	"net/url"
	"strconv"
)

// Limits of lists and parts.
const (
	MaxListPage   = 1000  // keys, uploads, parts or versions in one answer
	MaxBucketPage = 10000 // buckets in one answer
	MaxPartNumber = 10000
)

// ParsePartNumber parses the partNumber of UploadPart, UploadPartCopy, GetObject and HeadObject: 1 to 10000.
func ParsePartNumber(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > MaxPartNumber || value[0] == '+' {
		return 0, BadArgument("partNumber", value, "Part number must be an integer between 1 and 10000, inclusive")
	}
	return n, nil
}

// ParseMaxKeys parses max-keys of the object listings: absent is 1000, more than 1000 is 1000, 0 is an empty page.
func ParseMaxKeys(query url.Values) (int, error) { return parsePageSize(query, "max-keys", "maxKeys") }

// ParseMaxUploads parses max-uploads of ListMultipartUploads, as [ParseMaxKeys].
func ParseMaxUploads(query url.Values) (int, error) {
	return parsePageSize(query, "max-uploads", "max-uploads")
}

// ParseMaxParts parses max-parts of ListParts, as [ParseMaxKeys].
func ParseMaxParts(query url.Values) (int, error) {
	return parsePageSize(query, "max-parts", "max-parts")
}

// ParseMaxPartsHeader parses the x-amz-max-parts header of GetObjectAttributes, as [ParseMaxKeys].
func ParseMaxPartsHeader(value string) (int, error) {
	return parsePageSize(url.Values{"x-amz-max-parts": {value}}, "x-amz-max-parts", "x-amz-max-parts")
}

func parsePageSize(query url.Values, key, argument string) (int, error) {
	value := query.Get(key)
	if value == "" {
		return MaxListPage, nil
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return 0, BadArgument(key, value, "Provided "+key+" not an integer or within integer range")
	}
	if n < 0 {
		return 0, BadArgument(key, value, "Argument "+argument+" must be an integer between 0 and 2147483647")
	}
	return int(min(n, MaxListPage)), nil
}

// ParseMaxBuckets parses max-buckets of ListBuckets: absent is 10000, else 1 to 10000.
func ParseMaxBuckets(query url.Values) (int, error) {
	value := query.Get("max-buckets")
	if value == "" {
		return MaxBucketPage, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > MaxBucketPage {
		return 0, BadArgument("max-buckets", value, "Argument max-buckets must be an integer between 1 and 10000.")
	}
	return n, nil
}

// ParsePartMarker parses part-number-marker (a query parameter of ListParts, a header of GetObjectAttributes): parts after
// this number follow; "" is 0. A number past the last possible part is an empty page, not an error.
func ParsePartMarker(value string) (int, error) {
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return 0, BadArgument("part-number-marker", value,
			"Provided part-number-marker not an integer or within integer range")
	}
	if n < 0 {
		return 0, BadArgument("part-number-marker", value,
			"Argument part-number-marker must be an integer between 0 and 2147483647")
	}
	return int(n), nil
}

// ParseEncodingType parses encoding-type: url, or absent for plain text.
func ParseEncodingType(query url.Values) (Encoding, error) {
	switch value := query.Get("encoding-type"); value {
	case "":
		return PlainEncoding, nil
	case "url":
		return URLEncoding, nil
	default:
		return PlainEncoding, BadArgument("encoding-type", value, "Invalid Encoding Method specified in Request")
	}
}
