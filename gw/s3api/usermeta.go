package s3api

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxUserMetadata bounds the user metadata of an object in bytes: names, without the x-amz-meta- prefix, and values in UTF-8.
const MaxUserMetadata = 2 << 10

// userMetaPrefix starts the headers of user metadata, in canonical form.
const userMetaPrefix = "X-Amz-Meta-"

// userMetaHeader is how the prefix is written in answers.
const userMetaHeader = "x-amz-meta-"

// Meta is one piece of user metadata: the name in lower case without x-amz-meta-, the value in UTF-8.
type Meta struct{ Name, Value string }

// ParseUserMetadata returns the user metadata of a request in the order of its names. Several headers of one name are one value
// joined with ",". More than 2 KiB is MetadataTooLarge, a control character InvalidArgument. A value that is not UTF-8 is
// read as ISO 8859-1, the historical encoding of headers (RFC 9110 section 5.5), so what is stored is always UTF-8.
// An ASCII value is stored untouched, RFC 2047 words included, so it comes back exactly as it was sent.
func ParseUserMetadata(h http.Header) ([]Meta, error) {
	var meta []Meta
	size := 0
	for name, values := range h {
		if len(name) < len(userMetaPrefix) || !strings.EqualFold(name[:len(userMetaPrefix)], userMetaPrefix) {
			continue
		}
		m := Meta{strings.ToLower(name[len(userMetaPrefix):]), utf8Value(strings.Join(values, ","))}
		if !CleanHeaderValue(m.Value) {
			return nil, BadArgument("x-amz-meta-"+m.Name, m.Value, "The value of a metadata header is not valid.")
		}
		size += len(m.Name) + len(m.Value)
		meta = append(meta, m)
	}
	if size > MaxUserMetadata {
		return nil, E(MetadataTooLarge).With("Size", strconv.Itoa(size)).
			With("MaxSizeAllowed", strconv.Itoa(MaxUserMetadata))
	}
	slices.SortFunc(meta, func(a, b Meta) int { return cmp.Compare(a.Name, b.Name) })
	return meta, nil
}

// SetUserMetadata sets the x-amz-meta- headers of an answer. ASCII goes out as it is; other text as RFC 2047 words
// (=?UTF-8?b?...?=), as S3 documents for REST, because clients read raw header bytes as ISO 8859-1.
func SetUserMetadata(h http.Header, meta []Meta) {
	for _, m := range meta {
		// Not h.Set: clients make dictionaries of these names, so they must come back in lower case as S3 gives them.
		h[userMetaHeader+m.Name] = []string{mime.BEncoding.Encode("UTF-8", m.Value)}
	}
}

// utf8Value returns v if it is UTF-8, else v read as ISO 8859-1.
func utf8Value(v string) string {
	if utf8.ValidString(v) {
		return v
	}
	var b strings.Builder
	for i := range len(v) {
		b.WriteRune(rune(v[i]))
	}
	return b.String()
}
