package gw

import (
	"net/http"
	"strconv"
	"sync"

	"holdfast"
	"holdfast/gw/s3api"
)

// documents are buffers for XML answers. A page of a listing takes some 300 KiB; larger ones are not kept.
var documents = sync.Pool{New: func() any { return new([]byte) }}

const maxKeptDocument = 1 << 20

// sendXML answers with the document that build appends to an empty buffer.
func (q *request) sendXML(build func(dst []byte) []byte) error {
	buf := documents.Get().(*[]byte)
	doc := build((*buf)[:0])
	h := q.w.Header()
	h["Content-Type"] = []string{s3api.ContentTypeXML}
	h["Content-Length"] = []string{strconv.Itoa(len(doc))}
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(doc) // the client is gone: there is nobody left to tell
	if cap(doc) <= maxKeptDocument {
		*buf = doc
		documents.Put(buf)
	}
	return nil
}

// send answers with a document that is not XML.
func (q *request) send(contentType string, doc []byte) error {
	return q.sendStatus(http.StatusOK, contentType, doc)
}

// sendStatus answers with a document and a status.
func (q *request) sendStatus(status int, contentType string, doc []byte) error {
	h := q.w.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(doc))}
	q.w.WriteHeader(status)
	_, _ = q.w.Write(doc) // the client is gone: there is nobody left to tell
	return nil
}

// owner is how a user is shown: to callers who sign by the e-mail address as well, to others by the id alone.
func (q *request) owner(user string) s3api.Owner {
	if q.shown.ID != user { // a list shows the same owner again and again
		q.shown = s3api.Owner{ID: user, DisplayName: user}
		if q.signed && q.g.accounts != nil {
			if name, err := q.g.accounts.Name(q.ctx, user); err == nil { // an answer can do without
				q.shown.DisplayName = name
			}
		}
	}
	return q.shown
}

// className shows the storage class of an entry.
func className(e *holdfast.Entry) s3api.StorageClass {
	if e.StorageClass == "" {
		return s3api.Standard
	}
	return s3api.StorageClass(e.StorageClass)
}

// shownChecksums is a stored checksum as answers list it, with its type.
func shownChecksums(c holdfast.Checksum, parts int) (sums []s3api.Checksum, kind string) {
	v, ok := shownChecksum(c, max(parts, 1))
	if !ok {
		return nil, ""
	}
	return []s3api.Checksum{{Algorithm: v.Algorithm().String(), Value: v.String()}}, v.Type().String()
}
