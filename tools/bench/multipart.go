package bench

import (
	"context"
	"errors"
	"strconv"
	"time"

	"holdfast/tools/bench/sign"
)

// abortTime bounds the attempt to abort an upload that did not complete.
const abortTime = 5 * time.Second

// multipart uploads the object of that index in parts, one after the other,
// and records each step besides the whole.
func (w *worker) multipart(ctx context.Context, index uint64) (outcome, error) {
	c := w.client
	var id string
	err := w.step(opCreateUpload, func() (outcome, error) {
		c.objectPath(index)
		c.query = append(c.query, "uploads="...)
		c.doc.reset()
		err := c.call(ctx, "POST", nil, "", &c.doc)
		if id = element(c.doc.data, "UploadId"); err == nil && id == "" {
			err = errors.New("malformed response: no UploadId")
		}
		return outcome{}, err
	})
	if err != nil {
		return outcome{}, err
	}
	c.object = c.source.Object(index, c.o.size.of(c.o.seed, index))
	if err = w.uploadParts(ctx, index, id); err == nil {
		err = w.step(opCompleteUpload, func() (outcome, error) { return outcome{}, w.completeUpload(ctx, index, id) })
	}
	if err != nil {
		w.abortUpload(ctx, index, id)
		return outcome{}, err
	}
	return outcome{bytes: c.object.Size()}, nil
}

// uploadParts sends the parts and leaves the document that completes them in
// w.body.
func (w *worker) uploadParts(ctx context.Context, index uint64, id string) error {
	c := w.client
	size := c.object.Size()
	w.body = append(w.body[:0], `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`...)
	for part, from := int64(1), int64(0); from < size || part == 1; part, from = part+1, from+c.o.partSize {
		n := min(c.o.partSize, size-from)
		err := w.step(opUploadPart, func() (outcome, error) {
			c.objectPath(index)
			c.query = strconv.AppendInt(append(c.query, "partNumber="...), part, 10)
			c.query = sign.AppendQuery(append(c.query, "&uploadId="...), id)
			return outcome{bytes: n}, c.upload(ctx, from, n)
		})
		if err != nil {
			return err
		}
		w.body = strconv.AppendInt(append(w.body, "<Part><PartNumber>"...), part, 10)
		w.body = append(w.body, "</PartNumber><ETag>"...)
		w.body = append(w.body, escapeXML(string(c.resp.ETag))...)
		w.body = append(w.body, "</ETag></Part>"...)
	}
	w.body = append(w.body, "</CompleteMultipartUpload>"...)
	return nil
}

func (w *worker) completeUpload(ctx context.Context, index uint64, id string) error {
	c := w.client
	c.objectPath(index)
	c.query = sign.AppendQuery(append(c.query, "uploadId="...), id)
	c.doc.reset()
	if err := c.call(ctx, "POST", w.body, "", &c.doc); err != nil {
		return err
	}
	// S3 may send 200 before it knows and put the error into the body.
	if e := parseS3Error(c.resp.Status, c.doc.data); e.code != "" {
		return e
	}
	return nil
}

// abortUpload gives an unfinished upload back, also after an interrupt, over a
// connection of its own. It is a courtesy: its failure is not reported.
func (w *worker) abortUpload(ctx context.Context, index uint64, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	c := newClient(w.client.o, w.client.source, nil)
	defer c.close()
	c.objectPath(index)
	c.query = sign.AppendQuery(append(c.query, "uploadId="...), id)
	_ = c.call(ctx, "DELETE", nil, "", nil)
}

// step runs and records one request of a multipart upload.
func (w *worker) step(o op, f func() (outcome, error)) error {
	start := time.Now()
	out, err := f()
	w.record(o, start, out, err)
	return err
}
