package gw

import (
	"net/http"

	"holdfast/gw/s3api"
	"holdfast/volume"
)

// setting is a sub-resource of a bucket that is a document: the CORS rules, the policy and so on. It is kept in the bucket's record
// under its name, in the form that check returns, and changes the bucket's epoch, so that no request begun later anywhere
// goes by the old one.
type setting struct {
	name   string     // in the record; that of the query parameter, such as "cors"
	put    s3api.Op   // operation that stores it; bounds the document
	absent s3api.Code // of a GET when it is not set
	unset  []byte     // instead of absent: the document of a GET when it is not set; nil if that is an error

	// check validates a document and returns what is stored: what later parses without an error and a GET gives back. nil
	// is a document that says what is so when nothing is set: the setting is removed.
	check func(q *request, b *volume.Bucket, doc []byte) ([]byte, error)

	contentType string // of the GET; "" means XML
	stored      int    // status of a PUT that succeeded; 0 means 200
}

// get answers with the document.
func (s setting) get(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	doc, ok := b.Info().Settings[s.name]
	switch {
	case !ok && s.unset != nil:
		doc = s.unset
	case !ok:
		return s3api.E(s.absent).With("BucketName", q.target.Bucket)
	}
	if s.contentType != "" {
		return q.send(s.contentType, doc)
	}
	return q.sendXML(func(dst []byte) []byte { return append(dst, doc...) })
}

// set stores the document in the request's body.
func (s setting) set(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	doc, err := q.document(s.put)
	if err != nil {
		return err
	}
	if doc, err = s.check(q, b, doc); err != nil {
		return err
	}
	if err := q.updateBucket(volume.BucketChange{Settings: map[string][]byte{s.name: doc}}); err != nil {
		return err
	}
	q.w.WriteHeader(max(s.stored, http.StatusOK))
	return nil
}

// remove deletes the document; one that is not there is no error.
func (s setting) remove(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	if _, ok := b.Info().Settings[s.name]; ok {
		if err := q.updateBucket(volume.BucketChange{Settings: map[string][]byte{s.name: nil}}); err != nil {
			return err
		}
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// updateBucket changes the record of the request's bucket.
func (q *request) updateBucket(change volume.BucketChange) error {
	_, err := q.g.volume.UpdateBucket(q.ctx, q.target.Bucket, change)
	return missingBucket(q.target.Bucket, err)
}
