package gw

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"holdfast"
	"holdfast/gw/s3api"
)

// postObject serves PostObject: a PutObject whose headers are fields of a form, see openForm
// (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html).
func postObject(q *request) error {
	entry, err := q.newEntry()
	if err != nil {
		return err
	}
	cond, err := q.writeConditions()
	if err != nil {
		return err
	}
	if err := q.expectMD5(); err != nil {
		return err
	}
	q.body.md5 = q.newMD5()
	b, err := q.bucket()
	if err != nil {
		return err
	}
	if err := q.lockNew(b, &entry); err != nil {
		return err
	}
	// The file is a little shorter than the form, whose length is known.
	if err := q.mayHold(b, q.target.Key, q.r.ContentLength); err != nil {
		return err
	}
	put, seal, err := q.store(b, entry, cond, -1)
	if err != nil {
		return q.bucketGone(err, cond)
	}
	q.skipRest()
	q.setStored(b, &put.Entry, seal)
	return q.sendPosted(&put.Entry)
}

// maxFormRest bounds what may follow the file of a form, so that the connection can carry another request.
const maxFormRest = 64 << 10

// skipRest reads what follows the file.
func (q *request) skipRest() {
	_, err := io.Copy(io.Discard, io.LimitReader(q.form.whole, maxFormRest))
	if err != nil || !q.form.whole.whole() {
		q.w.Header().Set("Connection", "close")
	}
}

// sendPosted answers as the form asks: with a redirect, or with one of three statuses.
func (q *request) sendPosted(e *holdfast.Entry) error {
	location := q.objectURL()
	target, ok := q.form.Get("success_action_redirect")
	if !ok {
		target, _ = q.form.Get("redirect") // of old
	}
	h := q.w.Header()
	if location, ok := redirectTo(target, q.target.Bucket, q.target.Key, quotedETag(e.ETag)); ok {
		h.Set("Location", location)
		h.Set("Content-Length", "0")
		q.w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	h.Set("Location", location)
	switch status, _ := q.form.Get("success_action_status"); status {
	case "201":
		return q.sendStatus(http.StatusCreated, s3api.ContentTypeXML,
			s3api.AppendPostResponse(nil, location, q.target.Bucket, q.target.Key, e.ETag.String()))
	case "200":
		h.Set("Content-Length", "0")
		q.w.WriteHeader(http.StatusOK)
	default:
		q.w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// redirectTo adds to the query of a URL what was stored. Text that is no absolute URL of the web is no redirect, as in S3.
func redirectTo(target, bucket, key, etag string) (string, bool) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !s3api.CleanHeaderValue(target) {
		return "", false
	}
	target, fragment, hasFragment := strings.Cut(target, "#")
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	target += separator + "bucket=" + url.QueryEscape(bucket) + "&key=" + url.QueryEscape(key) + "&etag=" + url.QueryEscape(etag)
	if hasFragment {
		target += "#" + fragment
	}
	return target, true
}

// objectURL is where the object of the request can be read. The slashes of the key are escaped, as in the answers of S3.
func (q *request) objectURL() string {
	base := q.scheme() + "://" + q.r.Host + "/"
	if !q.target.VirtualHosted {
		base += q.target.Bucket + "/"
	}
	return base + strings.ReplaceAll(url.QueryEscape(q.target.Key), "+", "%20")
}

// scheme is how the client reaches the gateway.
func (q *request) scheme() string {
	if q.r.TLS != nil {
		return "https"
	}
	return "http"
}
