package s3api

import (
	"net/http"
	"strings"
	"time"
)

// Outcome is what the conditions of a read say.
type Outcome uint8

const (
	Proceed     Outcome = iota // answer the request
	NotChanged                 // answer 304 (a copy: 412)
	FailedMatch                // answer 412
)

// Conditions are the conditional headers of a read, or of the source of a copy. The zero value has none.
type Conditions struct {
	prefix            string // "" or "x-amz-copy-source-"
	ifMatch           string
	ifNoneMatch       string
	ifModifiedSince   time.Time // zero: absent, or not a date
	ifUnmodifiedSince time.Time
}

// ParseConditions reads If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since of a GET or HEAD. Dates that do not
// parse are as good as absent (RFC 9110 sections 13.1.3 and 13.1.4), and so is an If-Modified-Since that is later than now, in S3.
func ParseConditions(h http.Header, now time.Time) Conditions {
	c := Conditions{
		ifMatch:           joined(h, "If-Match"),
		ifNoneMatch:       joined(h, "If-None-Match"),
		ifModifiedSince:   parseDate(h, "If-Modified-Since"),
		ifUnmodifiedSince: parseDate(h, "If-Unmodified-Since"),
	}
	return c.at(now)
}

// ParseCopyConditions reads the x-amz-copy-source-if-* headers of CopyObject and UploadPartCopy, as [ParseConditions] does.
func ParseCopyConditions(h http.Header, now time.Time) Conditions {
	c := Conditions{
		prefix:            "x-amz-copy-source-",
		ifMatch:           joined(h, "X-Amz-Copy-Source-If-Match"),
		ifNoneMatch:       joined(h, "X-Amz-Copy-Source-If-None-Match"),
		ifModifiedSince:   parseDate(h, "X-Amz-Copy-Source-If-Modified-Since"),
		ifUnmodifiedSince: parseDate(h, "X-Amz-Copy-Source-If-Unmodified-Since"),
	}
	return c.at(now)
}

// at returns the conditions without a date that is yet to come.
func (c Conditions) at(now time.Time) Conditions {
	if c.ifModifiedSince.After(now) {
		c.ifModifiedSince = time.Time{}
	}
	return c
}

// Check evaluates the conditions against an existing object, in the order of RFC 9110 section 13.2.2, from which the two
// combinations that S3 documents follow: If-Match that holds wins over If-Unmodified-Since that does not (200), and
// If-None-Match that fails wins over If-Modified-Since that holds (304). etag is without quotes; modified is compared in
// whole seconds, which is all the client has seen. failed names the header behind an outcome other than Proceed.
func (c Conditions) Check(etag string, modified time.Time) (outcome Outcome, failed string) {
	modified = modified.Truncate(time.Second)
	switch {
	case c.ifMatch != "":
		if !matchesETag(c.ifMatch, etag, false) {
			return FailedMatch, c.name("If-Match")
		}
	case !c.ifUnmodifiedSince.IsZero() && modified.After(c.ifUnmodifiedSince):
		return FailedMatch, c.name("If-Unmodified-Since")
	}
	switch {
	case c.ifNoneMatch != "":
		if matchesETag(c.ifNoneMatch, etag, true) {
			return NotChanged, c.name("If-None-Match")
		}
	case !c.ifModifiedSince.IsZero() && !modified.After(c.ifModifiedSince):
		return NotChanged, c.name("If-Modified-Since")
	}
	return Proceed, ""
}

// Err is Check as an error: nil, NotModified (304, for reads) or PreconditionFailed. A copy is a write, so its source
// conditions only ever fail with 412.
func (c Conditions) Err(etag string, modified time.Time) error {
	outcome, failed := c.Check(etag, modified)
	switch {
	case outcome == Proceed:
		return nil
	case outcome == NotChanged && c.prefix == "":
		return E(NotModified)
	}
	return FailedCondition(failed)
}

func (c Conditions) name(header string) string {
	if c.prefix == "" {
		return header
	}
	return c.prefix + header
}

// WriteCondition is the condition of a conditional write, to be held against the current object in the commit. At most one
// field is set; the zero value always holds.
type WriteCondition struct {
	IfAbsent bool   // If-None-Match: * — there must be no current object
	IfMatch  string // the current object must have this ETag (no quotes)
}

// ParseWriteCondition reads the conditional headers of PutObject, CopyObject and CompleteMultipartUpload. S3 takes If-None-Match
// with "*" alone and If-Match with one ETag; other values, both at once, and If-Unmodified-Since are NotImplemented, since
// ignoring a condition would make an unconditional write of a conditional one. If-Modified-Since means nothing on a write
// (RFC 9110 section 13.1.3) and is ignored.
//
// What a handler answers: IfAbsent with an object there, or IfMatch with another one, is [FailedCondition]; IfMatch with none
// there is NoSuchKey; a lost race is ConditionalRequestConflict.
func ParseWriteCondition(h http.Header) (WriteCondition, error) {
	match, noneMatch := joined(h, "If-Match"), joined(h, "If-None-Match")
	switch {
	case match != "" && noneMatch != "":
		return WriteCondition{}, HeaderRefused("If-Match,If-None-Match",
			"Multiple conditional request headers present in the request")
	case h.Get("If-Unmodified-Since") != "":
		return WriteCondition{}, HeaderRefused("If-Unmodified-Since", "")
	case noneMatch != "" && noneMatch != "*":
		return WriteCondition{}, HeaderRefused("If-None-Match",
			"We don't accept the provided value of If-None-Match header for this API")
	case noneMatch != "":
		return WriteCondition{IfAbsent: true}, nil
	case match == "":
		return WriteCondition{}, nil
	}
	etag, rest, weak, ok := nextETag(match)
	if !ok || weak || etag == "*" || rest != "" || etag == "" {
		return WriteCondition{}, HeaderRefused("If-Match",
			"We don't accept the provided value of If-Match header for this API")
	}
	return WriteCondition{IfMatch: etag}, nil
}

// matchesETag reports whether a list of entity tags, or "*", has the etag. A weak comparison (RFC 9110 section 8.8.3.2) takes
// W/"x" for "x"; a strong one never matches a weak tag. Tags without quotes are taken as they are, as S3 does.
func matchesETag(list, etag string, weakly bool) bool {
	for list != "" {
		tag, rest, weak, ok := nextETag(list)
		if !ok {
			return false
		}
		if tag == "*" || tag == etag && (weakly || !weak) {
			return true
		}
		list = rest
	}
	return false
}

// nextETag takes the first entity tag off a comma-separated list, and the comma behind it.
func nextETag(list string) (tag, rest string, weak, ok bool) {
	list = strings.TrimLeft(list, " \t,")
	if after, found := strings.CutPrefix(list, "W/"); found {
		list, weak = after, true
	}
	if !strings.HasPrefix(list, `"`) {
		tag, rest, _ = strings.Cut(list, ",")
		return strings.TrimSpace(tag), strings.TrimSpace(rest), weak, true
	}
	tag, rest, ok = strings.Cut(list[1:], `"`)
	if !ok {
		return "", "", false, false
	}
	rest = strings.TrimSpace(rest)
	if rest != "" && rest[0] != ',' {
		return "", "", false, false
	}
	return tag, strings.TrimLeft(rest, " \t,"), weak, true
}

// joined is the value of a list header that may come as several lines.
func joined(h http.Header, name string) string {
	values := h[name]
	if len(values) == 1 {
		return strings.TrimSpace(values[0])
	}
	return strings.TrimSpace(strings.Join(values, ","))
}

func parseDate(h http.Header, name string) time.Time {
	value := h.Get(name)
	if value == "" {
		return time.Time{}
	}
	t, err := http.ParseTime(value)
	if err != nil {
		return time.Time{}
	}
	return t
}
