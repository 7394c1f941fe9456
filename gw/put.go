package gw

import (
	"errors"
	"net/http"

	"holdfast"
	"holdfast/volume"
)

// maxPutSize is the most a single PutObject, UploadPart or copied part may have: 5 GiB.
const maxPutSize = 5 << 30

// putObject serves PutObject (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
func putObject(q *request) error {
	entry, err := q.newEntry()
	if err != nil {
		return err
	}
	cond, err := q.writeConditions()
	if err != nil {
		return err
	}
	if err := q.openPayload(maxPutSize); err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	if err := q.lockNew(b, &entry); err != nil {
		return err
	}
	if err := q.checkLockedBody(entry.Lock, "Object"); err != nil {
		return err
	}
	if err := q.mayHold(b, q.target.Key, q.body.size()); err != nil {
		return err
	}
	put, seal, err := q.store(b, entry, cond, q.body.size())
	if err != nil {
		return q.bucketGone(err, cond)
	}
	q.setStored(b, &put.Entry, seal)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// setStored sets the headers that tell of an object that was just stored.
func (q *request) setStored(b *volume.Bucket, e *holdfast.Entry, seal sealer) {
	h := q.w.Header()
	seal.setHeaders(h)
	h["Etag"] = []string{quotedETag(e.ETag)}
	setWritten(h, b.Info(), e)
	setChecksum(h, e.Checksum, 0)
	q.setExpiration(b.Info(), e)
}

// store stores the request's body of this size (-1: not known) as an object, encrypted as the request or the bucket says, and returns how
// it was.
func (q *request) store(b *volume.Bucket, entry holdfast.Entry, cond holdfast.Conditions, size int64) (put volume.PutResult, seal sealer, err error) {
	if seal, err = q.newSealer(b); err != nil {
		return put, seal, err
	}
	body, stored, release, err := seal.body(0, &q.body, size)
	if err != nil {
		return put, seal, err
	}
	defer release()
	entry.Sealed = seal.record
	put, err = b.Put(q.ctx, q.target.Key, volume.PutRequest{
		Entry: entry, If: cond, Body: body, Size: stored,
		Finish: func(e *holdfast.Entry) error { return errors.Join(q.finishEntry(e), seal.finish(e)) },
	})
	return put, seal, err
}

// finishEntry fills in what was learned from the bytes of the request's body.
func (q *request) finishEntry(e *holdfast.Entry) error {
	var err error
	e.ETag, e.Checksum, err = q.body.digests()
	return err
}

// setChecksum sets the header of an additional checksum and its type; parts is how many parts the object was made of, 0 or more.
func setChecksum(h http.Header, c holdfast.Checksum, parts int) {
	v, ok := shownChecksum(c, max(parts, 1))
	if !ok {
		return
	}
	h.Set(v.Algorithm().Header(), v.String())
	h.Set("X-Amz-Checksum-Type", v.Type().String())
}
