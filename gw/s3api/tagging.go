package s3api

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of tags (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html). Lengths are in characters.
const (
	MaxObjectTags = 10
	MaxBucketTags = 50
	MaxTagKey     = 128
	MaxTagValue   = 256
)

// Tag is a tag of an object or a bucket.
type Tag struct{ Key, Value string }

// DecodeTagging decodes the body of PutObjectTagging or PutBucketTagging, of which the tags may be at most max, in the order
// given. A tag that breaks a limit, a second one of the same key and one that begins with aws: are InvalidTag.
func DecodeTagging(body []byte, max int) ([]Tag, error) {
	if len(body) == 0 {
		return nil, E(MissingRequestBodyError)
	}
	var tags []Tag
	sets := 0
	err := decodeRoot(body, "Tagging", func(s *scanner, name string) error {
		if sets++; name != "TagSet" || sets > 1 {
			return s.fail("unexpected element " + name)
		}
		return s.each(func(name string) error {
			if name != "Tag" {
				return s.fail("unexpected element " + name)
			}
			tag, err := s.tag()
			if len(tags) <= MaxBucketTags { // one too many is enough to refuse them all
				tags = append(tags, tag)
			}
			return err
		})
	})
	switch {
	case err != nil:
		return nil, err
	case sets == 0:
		return nil, E(MalformedXML)
	}
	return tags, checkTags(tags, max)
}

func (s *scanner) tag() (Tag, error) {
	var tag Tag
	var seen map[string]bool
	err := s.each(func(name string) error {
		switch name {
		case "Key":
			return s.once(&seen, name, &tag.Key)
		case "Value":
			return s.once(&seen, name, &tag.Value)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && len(seen) != 2 {
		err = s.fail("tag without key or value")
	}
	return tag, err
}

// ParseTagging parses an x-amz-tagging header: tags as the parameters of a URL query, "" for none.
func ParseTagging(header string) ([]Tag, error) {
	if header == "" {
		return nil, nil
	}
	malformed := BadArgument("x-amz-tagging", header, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded "+
		"URL query parameters without tag name duplicates.")
	if strings.Contains(header, ",") { // it separates nothing, and no tag has one
		return nil, malformed
	}
	var tags []Tag
	seen := make(map[string]bool)
	for param := range strings.SplitSeq(header, "&") {
		if param == "" {
			continue
		}
		rawKey, rawValue, _ := strings.Cut(param, "=")
		key, keyErr := url.QueryUnescape(rawKey)
		value, valueErr := url.QueryUnescape(rawValue)
		if keyErr != nil || valueErr != nil || seen[key] || !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, malformed
		}
		seen[key] = true
		tags = append(tags, Tag{key, value})
	}
	return tags, checkTags(tags, MaxObjectTags)
}

// checkTags holds tags against the limits.
func checkTags(tags []Tag, max int) error {
	switch {
	case len(tags) > max && max == MaxObjectTags:
		return E(InvalidTag).WithMessage("Object tags cannot be greater than 10")
	case len(tags) > max:
		return E(InvalidTag).WithMessage("Bucket tag count cannot be greater than 50")
	}
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > MaxTagKey || !tagText(t.Key):
			return E(InvalidTag).WithMessage("The TagKey you have provided is invalid").With("TagKey", t.Key)
		case utf8.RuneCountInString(t.Value) > MaxTagValue || !tagText(t.Value):
			return E(InvalidTag).WithMessage("The TagValue you have provided is invalid").With("TagKey", t.Key).With("TagValue", t.Value)
		case len(t.Key) >= 4 && strings.EqualFold(t.Key[:4], "aws:") && max == MaxObjectTags:
			return E(InvalidTag).WithMessage("Your TagKey cannot be prefixed with aws:").With("TagKey", t.Key)
		case len(t.Key) >= 4 && strings.EqualFold(t.Key[:4], "aws:"):
			return E(InvalidTag).WithMessage("System tags cannot be added/updated by requester").With("TagKey", t.Key)
		case seen[t.Key]:
			return E(InvalidTag).WithMessage("Cannot provide multiple Tags with the same key").With("TagKey", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}

// tagText reports whether a text has no other characters than those S3 allows in tags: letters, numbers, spaces and a few signs.
func tagText(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.In(r, unicode.Z, unicode.M) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}

// AppendTagging appends the answer of GetObjectTagging and GetBucketTagging.
func AppendTagging(dst []byte, tags []Tag) []byte {
	dst = appendRoot(dst, "Tagging")
	dst = appendOpen(dst, "TagSet")
	for _, t := range tags {
		dst = appendOpen(dst, "Tag")
		dst = appendElement(dst, "Key", t.Key)
		dst = appendElement(dst, "Value", t.Value)
		dst = appendClose(dst, "Tag")
	}
	dst = appendClose(dst, "TagSet")
	return appendClose(dst, "Tagging")
}
