package gw

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
)

// metaPrefix begins the names under which user metadata is stored.
const metaPrefix = "x-amz-meta-"

// systemHeaders are the request headers that are stored with an object and given back by a read, by stored name.
var systemHeaders = [...]struct{ stored, header string }{
	{"cache-control", "Cache-Control"},
	{"content-disposition", "Content-Disposition"},
	{"content-encoding", "Content-Encoding"},
	{"content-language", "Content-Language"},
	{"content-type", "Content-Type"},
	{"expires", "Expires"},
	{"x-amz-website-redirect-location", "X-Amz-Website-Redirect-Location"},
}

// defaultContentType is that of an object whose client named none.
const defaultContentType = "binary/octet-stream"

// newEntry returns the entry that the headers of a PutObject, CopyObject (with REPLACE) or CreateMultipartUpload ask for.
func (q *request) newEntry() (holdfast.Entry, error) {
	class, err := s3api.ParseStorageClass(q.r.Header.Get("X-Amz-Storage-Class"))
	if err != nil {
		return holdfast.Entry{}, err
	}
	if err := q.refuseUnbuilt(); err != nil {
		return holdfast.Entry{}, err
	}
	headers, err := storedHeaders(q.r.Header)
	if err != nil {
		return holdfast.Entry{}, err
	}
	tags, err := s3api.ParseTagging(q.r.Header.Get("X-Amz-Tagging"))
	if err != nil {
		return holdfast.Entry{}, err
	}
	lock, err := s3api.ParseLockHeaders(q.r.Header, time.Now())
	if err != nil {
		return holdfast.Entry{}, err
	}
	e := holdfast.Entry{Headers: headers, Tags: storedTags(tags), Lock: storedLock(lock)}
	if err := q.giveOwner(&e); err != nil {
		return holdfast.Entry{}, err
	}
	if class != s3api.Standard {
		e.StorageClass = string(class)
	}
	return e, nil
}

// storedHeaders picks the headers that are stored, sorted by name.
func storedHeaders(h http.Header) ([]holdfast.Header, error) {
	meta, err := s3api.ParseUserMetadata(h)
	if err != nil {
		return nil, err
	}
	headers := make([]holdfast.Header, 0, len(meta)+2)
	for _, s := range systemHeaders {
		value := h.Get(s.header)
		switch s.stored {
		case "content-encoding":
			value = sigv4.ContentEncoding(value)
		case "content-type":
			if value == "" {
				value = defaultContentType
			}
		}
		if !s3api.CleanHeaderValue(value) { // from a presigned query, where the server did not look
			return nil, s3api.BadArgument(s.stored, value, "The value of a header is not valid.")
		}
		if s.stored == "x-amz-website-redirect-location" && value != "" {
			if err := s3api.CheckRedirectLocation(value); err != nil {
				return nil, err
			}
		}
		if value != "" {
			headers = append(headers, holdfast.Header{Name: s.stored, Value: value})
		}
	}
	for _, m := range meta {
		headers = append(headers, holdfast.Header{Name: metaPrefix + m.Name, Value: m.Value})
	}
	slices.SortFunc(headers, func(a, b holdfast.Header) int { return strings.Compare(a.Name, b.Name) })
	return headers, nil
}

// unbuiltHeaders ask for features that are not built. Storing an object without what the client asked for
// would be a wrong success.
var unbuiltHeaders = [...]string{
	"X-Amz-Write-Offset-Bytes",
}

// refuseUnbuilt refuses headers that ask for what is not built.
func (q *request) refuseUnbuilt() error {
	for _, name := range unbuiltHeaders {
		if q.r.Header.Get(name) != "" {
			return s3api.HeaderRefused(strings.ToLower(name), "")
		}
	}
	return nil
}

// writeConditions reads the conditions of a conditional write.
func (q *request) writeConditions() (holdfast.Conditions, error) {
	c, err := s3api.ParseWriteCondition(q.r.Header)
	if err != nil {
		return holdfast.Conditions{}, err
	}
	cond := holdfast.Conditions{IfNoneMatch: c.IfAbsent}
	if c.IfMatch != "" {
		tag := etagOf(c.IfMatch)
		cond.IfMatch = &tag
	}
	return cond, nil
}

// etagOf parses an entity tag. Text that cannot be one of ours becomes a tag that no entry has, so that it matches
// nothing and the answer still depends on whether the key exists.
func etagOf(text string) holdfast.ETag {
	tag, err := holdfast.ParseETag(text)
	if err != nil {
		return holdfast.ETag{Parts: 1<<16 - 1} // more parts than an upload can have
	}
	return tag
}

// quotedETag returns the tag as headers have it.
func quotedETag(t holdfast.ETag) string {
	var buf [42]byte
	b := append(buf[:0], '"')
	b = t.AppendTo(b)
	return string(append(b, '"'))
}

// setEntryHeaders sets what describes an entry in the answer to a GET or HEAD, except its length.
func setEntryHeaders(h http.Header, e *holdfast.Entry) {
	h["Etag"] = []string{quotedETag(e.ETag)}
	h["Last-Modified"] = []string{s3api.LastModified(e.Modified)}
	h["Accept-Ranges"] = []string{"bytes"}
	var meta []s3api.Meta
	for i := range e.Headers {
		stored := &e.Headers[i]
		if name, ok := strings.CutPrefix(stored.Name, metaPrefix); ok {
			meta = append(meta, s3api.Meta{Name: name, Value: stored.Value})
			continue
		}
		h.Set(stored.Name, stored.Value)
	}
	s3api.SetUserMetadata(h, meta)
	if e.StorageClass != "" {
		h["X-Amz-Storage-Class"] = []string{e.StorageClass}
	}
	setTagCount(h, e)
	s3api.SetLockHeaders(h, shownLock(e.Lock))
}
