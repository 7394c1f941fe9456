package s3api

import "strings"

// CopySource is the object that CopyObject or UploadPartCopy reads.
type CopySource struct {
	Bucket    string
	Key       string
	VersionID string // "" is the current version
}

// ParseCopySource parses x-amz-copy-source: [/]bucket/key[?versionId=id], the path percent-encoded. It is decoded exactly once and
// '+' is a plus, as in a request path. Access point ARNs are not known here.
func ParseCopySource(value string) (CopySource, error) {
	path, versionID := value, ""
	if i := strings.LastIndex(value, "?versionId="); i >= 0 {
		path, versionID = value[:i], value[i+len("?versionId="):]
		if versionID == "" {
			return CopySource{}, BadArgument("versionId", "", "Version id cannot be the empty string")
		}
	}
	rawBucket, rawKey, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok {
		// Some clients encode the whole value, the slash between bucket and key included.
		decoded, err := decodePath(rawBucket)
		if err != nil {
			return CopySource{}, badCopySource(value, "Invalid copy source encoding")
		}
		var key string
		if rawBucket, key, ok = strings.Cut(strings.TrimPrefix(decoded, "/"), "/"); !ok || rawBucket == "" {
			return CopySource{}, noSourceKey()
		}
		return checkCopySource(value, CopySource{rawBucket, key, versionID})
	}
	bucket, err := decodePath(rawBucket)
	if err != nil {
		return CopySource{}, badCopySource(value, "Invalid copy source encoding")
	}
	key, err := decodePath(rawKey)
	if err != nil {
		return CopySource{}, badCopySource(value, "Invalid copy source encoding")
	}
	return checkCopySource(value, CopySource{bucket, key, versionID})
}

func checkCopySource(value string, source CopySource) (CopySource, error) {
	if !plausibleBucket(source.Bucket) {
		return CopySource{}, badCopySource(value, "Invalid copy source bucket name")
	}
	if source.Key == "" {
		return CopySource{}, noSourceKey()
	}
	if err := CheckKey(source.Key); err != nil {
		return CopySource{}, err
	}
	return source, nil
}

// noSourceKey is the answer to a source without a key; S3 gives the header's name as its value.
func noSourceKey() error { return badCopySource("x-amz-copy-source", "Invalid copy source object key") }

func badCopySource(value, message string) error {
	return BadArgument("x-amz-copy-source", value, message)
}

// Directive says where a copy takes its metadata or tags from.
type Directive uint8

const (
	CopyFromSource     Directive = iota // the default
	ReplaceFromRequest                  // from the headers of the copy request
)

// ParseMetadataDirective parses x-amz-metadata-directive.
func ParseMetadataDirective(value string) (Directive, error) {
	return parseDirective("x-amz-metadata-directive", value, "Unknown metadata directive.")
}

// ParseTaggingDirective parses x-amz-tagging-directive.
func ParseTaggingDirective(value string) (Directive, error) {
	return parseDirective("x-amz-tagging-directive", value, "Unknown tagging directive.")
}

func parseDirective(header, value, message string) (Directive, error) {
	switch value {
	case "", "COPY":
		return CopyFromSource, nil
	case "REPLACE":
		return ReplaceFromRequest, nil
	}
	return 0, BadArgument(header, value, message)
}

// CopyOntoItself is S3's refusal of a copy that would change nothing: same bucket, key and version, metadata taken from the
// source, same storage class.
func CopyOntoItself() *Error {
	return E(InvalidRequest).WithMessage("This copy request is illegal because it is trying to copy an object to itself " +
		"without changing the object's metadata, storage class, website redirect location or encryption attributes.")
}
