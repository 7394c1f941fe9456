package gw

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"holdfast/gw/checksum"
	"holdfast/gw/form"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
)

// upload is the form of a PostObject, which says in its body who sent it and what is to be stored where.
type upload struct {
	*form.Form
	whole *payload // the body that the form is in
}

// openForm reads the fields of a form: they name the caller, the key and what a PutObject has in its headers. From there on the request
// is one to put the form's file under the key, and its body is the file. A form without a signature is anonymous, unless
// the request itself is signed.
func (a *authenticator) openForm(q *request, scheme sigv4.Scheme) error {
	boundary, err := form.Boundary(q.r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if q.r.ContentLength < 0 {
		return s3api.E(s3api.MissingContentLength)
	}
	if err := a.authenticateAs(q, scheme); err != nil {
		return err
	}
	whole := q.body
	q.form = &upload{whole: &whole}
	if q.form.Form, err = form.Open(&whole, boundary); err != nil {
		q.body = whole // for what it knows of how reading went
		return err
	}
	key, err := q.form.Key()
	if err != nil {
		return err
	}
	if err := a.verifyForm(q, key); err != nil {
		return err
	}
	q.target.Key = key
	put, err := q.form.asPut(q.r)
	if err != nil {
		return err
	}
	q.r = put
	return q.openFile()
}

// verifyForm verifies the signature of the form's policy, if it has one, and holds the form against the policy.
func (a *authenticator) verifyForm(q *request, key string) error {
	f := q.form
	signed, err := a.verifyPolicy(q)
	if err != nil || signed == nil {
		f.Bound(0, maxPutSize)
		return err
	}
	if err := a.admitCaller(q, signed); err != nil {
		return err
	}
	encoded, _ := f.Get("policy") // it was there to be verified
	policy, err := form.ParsePolicy(encoded)
	if err != nil {
		return err
	}
	if err := policy.Check(f.Form, q.target.Bucket, key, time.Now()); err != nil {
		return err
	}
	f.Bound(policy.Range(maxPutSize))
	return nil
}

// verifyPolicy verifies the signature of the form's policy. A form with none of the fields of a signature gives nil; one with some of
// them lacks the others.
func (a *authenticator) verifyPolicy(q *request) (*sigv4.Result, error) {
	f := q.form
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := f.Get(name); ok {
				return true
			}
		}
		return false
	}
	switch {
	case has("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"):
		var v [5]string
		err := f.need(v[:], "Policy", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
		if err != nil {
			return nil, err
		}
		return a.v4.VerifyPost(q.ctx, sigv4.PostFields{Policy: v[0], Algorithm: v[1], Credential: v[2], Date: v[3], Signature: v[4]})
	case has("AWSAccessKeyId", "Signature"):
		var v [3]string
		if err := f.need(v[:], "Policy", "AWSAccessKeyId", "Signature"); err != nil {
			return nil, err
		}
		return a.v2.VerifyPost(q.ctx, v[1], v[0], v[2])
	}
	return nil, nil
}

// need reads fields that must be there.
func (f *upload) need(values []string, names ...string) error {
	for i, name := range names {
		var err error
		if values[i], err = f.Need(name); err != nil {
			return err
		}
	}
	return nil
}

// asPut returns the request as the PutObject that the form stands for. Headers of the request itself say nothing about the object:
// the policy does not cover them.
func (f *upload) asPut(r *http.Request) (*http.Request, error) {
	put := *r
	put.Header = f.Header()
	for name, values := range r.Header {
		if name == "X-Amz-Expected-Bucket-Owner" || !strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "Content-") &&
			name != "Cache-Control" && name != "Expires" {
			put.Header[name] = values
		}
	}
	if doc, ok := f.Get("tagging"); ok {
		tags, err := s3api.DecodeTagging([]byte(doc), s3api.MaxObjectTags)
		if err != nil {
			return nil, err
		}
		put.Header.Set("X-Amz-Tagging", tagHeader(tags))
	}
	return &put, nil
}

// tagHeader writes tags as x-amz-tagging has them.
func tagHeader(tags []s3api.Tag) string {
	values := make(url.Values, len(tags))
	for _, t := range tags {
		values.Set(t.Key, t.Value)
	}
	return values.Encode()
}

// openFile makes the file the body of the request.
func (q *request) openFile() error {
	declared, err := checksum.FromHeader(q.r.Header)
	if err != nil {
		return err
	}
	file := &http.Request{Header: q.r.Header, Body: io.NopCloser(q.form.File), ContentLength: -1}
	body, err := (&sigv4.Result{Payload: sigv4.PayloadUnsigned}).Body(file, declared)
	if err != nil {
		return err
	}
	q.body = payload{body: body, pace: &q.w.pace, declared: declared}
	return nil
}
