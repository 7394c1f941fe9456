package gw

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"slices"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/gw/sse"
	"holdfast/volume"
)

// Server-side encryption (https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html). What a client sees (sizes, ranges,
// ETags, checksums) is of the plain bytes; what the volume stores are the streams of package sse, and how to open them is in
// Entry.Sealed. Requests about plain objects pay for nothing but the look at that field.

// sealer encrypts what a request stores. The zero sealer stores plain bytes.
type sealer struct {
	record   sse.Record
	key      sse.Key
	customer *s3api.CustomerKey // nil: managed, or plain
}

// newSealer decides how a new object is encrypted: as the request says, else as the bucket does, else as the server does. It must be told
// before the body is read.
func (q *request) newSealer(b *volume.Bucket) (sealer, error) {
	asked, err := s3api.ParseEncryption(q.r.Header)
	if err != nil {
		return sealer{}, err
	}
	config, err := q.defaultEncryption(b)
	if err != nil {
		return sealer{}, err
	}
	s := sealer{customer: asked.Customer}
	switch {
	case asked.Customer != nil && config.BlocksCustomerKeys():
		return sealer{}, q.customerKeysBlocked()
	case asked.Customer != nil:
		s.key, s.record, err = sse.NewCustomer((*sse.Key)(&asked.Customer.Key))
	case asked.Managed || config.Managed:
		if q.g.keys == nil {
			return sealer{}, s3api.E(s3api.NotImplemented).WithMessage("This server has no master key to encrypt with.")
		}
		s.key, s.record, err = sse.NewManaged(q.g.keys)
	}
	return s, err
}

// customerKeysBlocked is what S3 says when the bucket's configuration blocks customers' keys.
func (q *request) customerKeysBlocked() error {
	return s3api.E(s3api.AccessDenied).WithMessage("User: arn:aws:iam::" + q.caller.User + ":root is not authorized to perform: s3:PutObject on resource: " +
		"\"arn:aws:s3:::" + q.target.Bucket + "/" + q.target.Key + "\" because this bucket has blocked upload requests that specify " +
		"Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type")
}

// partSealer returns what encrypts a part of an upload: under the key that the upload was begun with, which the client has to send again if
// it is the client's.
func (q *request) partSealer(up *holdfast.Upload) (sealer, error) {
	asked, err := s3api.ParseEncryption(q.r.Header)
	if err != nil {
		return sealer{}, err
	}
	s := sealer{record: up.Entry.Sealed, customer: asked.Customer}
	mode, err := s.record.Mode()
	switch {
	case err != nil:
	case asked.Managed && mode != sse.Managed:
		err = s3api.RefuseEncryption(q.r.Header)
	case (mode == sse.Customer) != (asked.Customer != nil):
		err = s3api.PartKeyMissing()
	case mode == sse.Customer:
		if s.key, err = s.record.OpenCustomer((*sse.Key)(&asked.Customer.Key)); errors.Is(err, sse.ErrWrongKey) {
			err = s3api.PartKeyWrong().WithCause(err)
		}
	case mode == sse.Managed:
		s.key, err = q.openManaged(s.record)
	}
	return s, err
}

// completeKey returns the key that a request to complete an upload sends, nil if it sends none: none is needed, as in S3, unless there are
// checksums, which tell of the bytes.
func (q *request) completeKey(b *volume.Bucket, up *holdfast.Upload) (*s3api.CustomerKey, error) {
	customer, err := s3api.ParseCustomerKey(q.r.Header)
	if err != nil || up == nil {
		return nil, err
	}
	record := sse.Record(up.Entry.Sealed)
	mode, err := record.Mode()
	switch {
	case err != nil:
	case mode != sse.Customer && customer != nil:
		err = s3api.KeyNotWanted()
	case mode == sse.Customer && customer != nil:
		if _, err = record.OpenCustomer((*sse.Key)(&customer.Key)); errors.Is(err, sse.ErrWrongKey) {
			err = s3api.PartKeyWrong().WithCause(err)
		}
	case mode == sse.Customer:
		err = q.needsNoKey(b, up)
	}
	return customer, err
}

// needsNoKey refuses to complete an upload that has checksums, or whose parts have some, without its key.
func (q *request) needsNoKey(b *volume.Bucket, up *holdfast.Upload) error {
	if up.Entry.Checksum.Algorithm != 0 {
		return s3api.PartKeyMissing()
	}
	page, err := b.ListParts(q.ctx, q.target.Key, up.ID, 0, holdfast.MaxParts)
	if slices.ContainsFunc(page.Parts, func(p holdfast.UploadedPart) bool { return !p.Part.Checksum.IsZero() }) {
		return s3api.PartKeyMissing()
	}
	return err
}

func (q *request) openManaged(r sse.Record) (sse.Key, error) {
	if q.g.keys == nil {
		return sse.Key{}, holdfast.E("gw.encryption", holdfast.Unavailable, errors.New("this server has no master keys"))
	}
	return r.OpenManaged(q.g.keys)
}

// seals reports whether anything is encrypted.
func (s *sealer) seals() bool { return len(s.record) > 0 }

// body returns what is to be stored for a body of size bytes (-1: not known), how much that is, and a function that gives back what it borrowed. Part is the number of
// the part, 0 for a whole object.
func (s *sealer) body(part int, body io.Reader, size int64) (io.Reader, int64, func(), error) {
	if !s.seals() {
		return body, size, func() {}, nil
	}
	e, err := sse.NewEncrypter(&s.key, part, body, size)
	if err != nil {
		return nil, 0, nil, err
	}
	if size >= 0 {
		size = sse.StoredSize(size)
	}
	return e, size, func() { _ = e.Close() }, nil
}

// plainSize returns how many plain bytes lie in what was stored.
func (s *sealer) plainSize(stored int64) (int64, error) {
	if !s.seals() {
		return stored, nil
	}
	return sse.PlainSize(stored)
}

// etag returns the entity tag of plain bytes with this MD5: of an object with a client's key it tells nothing of them, as in S3.
func (s *sealer) etag(digest holdfast.ETag) holdfast.ETag {
	if s.customer == nil {
		return digest
	}
	var tag holdfast.ETag
	_, _ = rand.Read(tag.Digest[:]) // documented never to fail
	return tag
}

// finish fills in what an entry says of its plain bytes, after its digests.
func (s *sealer) finish(e *holdfast.Entry) error {
	var err error
	e.Size, err = s.plainSize(e.Size)
	e.ETag = s.etag(e.ETag)
	return err
}

// finishPart is finish for a part.
func (s *sealer) finishPart(p *holdfast.Part) error {
	var err error
	p.Size, err = s.plainSize(p.Size)
	p.ETag = s.etag(p.ETag)
	return err
}

// setHeaders says in an answer how what was stored is encrypted.
func (s *sealer) setHeaders(h http.Header) { setEncryption(h, s.record, s.customer) }

// setEncryption says in an answer how an object is encrypted.
func setEncryption(h http.Header, r sse.Record, customer *s3api.CustomerKey) {
	switch mode, _ := r.Mode(); {
	case mode == sse.Managed:
		s3api.SetManaged(h)
	case mode == sse.Customer && customer != nil:
		s3api.SetCustomer(h, customer)
	}
}

// opener decrypts what a request reads. The zero opener is that of a plain object.
type opener struct {
	sealed   bool
	key      sse.Key
	customer *s3api.CustomerKey
}

// allowRead holds the key that a request sends against how an object is encrypted: it must send the right one, and none if the object needs none.
func (q *request) allowRead(e *holdfast.Entry, customer *s3api.CustomerKey) (opener, error) {
	if len(e.Sealed) == 0 && customer == nil {
		return opener{}, nil
	}
	record := sse.Record(e.Sealed)
	mode, err := record.Mode()
	o := opener{sealed: true, customer: customer}
	switch {
	case err != nil:
	case mode != sse.Customer && customer != nil:
		err = s3api.KeyNotWanted()
	case mode == sse.Managed:
		o.key, err = q.openManaged(record)
	case customer == nil:
		err = s3api.KeyMissing()
	default:
		if o.key, err = record.OpenCustomer((*sse.Key)(&customer.Key)); errors.Is(err, sse.ErrWrongKey) {
			err = s3api.KeyWrong().WithCause(err)
		}
	}
	return o, err
}

// openEntry is allowRead with the key in the request's headers, for reads of the request's own key.
func (q *request) openEntry(e *holdfast.Entry) (opener, error) {
	customer, err := s3api.ParseCustomerKey(q.r.Header)
	if err != nil {
		return opener{}, err
	}
	return q.allowRead(e, customer)
}

// streams lists the streams of an object.
func streams(e *holdfast.Entry) []sse.Part {
	if len(e.Content.Parts) == 0 {
		return []sse.Part{{Size: e.Size}}
	}
	parts := make([]sse.Part, len(e.Content.Parts))
	for i := range parts {
		parts[i] = sse.Part{Number: e.Content.Parts[i].Number, Size: e.Content.Parts[i].Size}
	}
	return parts
}

// writeRange writes plain bytes of an object.
func (d *opener) writeRange(ctx context.Context, o *volume.Object, w io.Writer, off, n int64) error {
	if !d.sealed {
		_, err := o.WriteRange(ctx, w, off, n)
		return err
	}
	plain, span, err := sse.NewDecrypter(&d.key, streams(o.Entry()), off, n, w)
	if err != nil {
		return err
	}
	_, err = o.WriteStored(ctx, plain, span.Offset, span.Length)
	if missing := plain.Close(); err == nil {
		err = missing
	}
	return err
}

// reader returns a reader of plain bytes of an object. Close it.
func (d *opener) reader(ctx context.Context, o *volume.Object, off, n int64) (io.ReadCloser, error) {
	if !d.sealed {
		return o.Reader(ctx, off, n), nil
	}
	var stored io.ReadCloser
	r, err := sse.NewReader(&d.key, streams(o.Entry()), off, n, func(s sse.Span) io.Reader {
		stored = o.StoredReader(ctx, s.Offset, s.Length)
		return stored
	})
	if err != nil {
		return nil, err
	}
	return &openedReader{Reader: r, stored: stored}, nil
}

// openedReader closes the stored bytes with the plain ones.
type openedReader struct {
	*sse.Reader
	stored io.Closer
}

// Close implements [io.Closer].
func (r *openedReader) Close() error { return errors.Join(r.stored.Close(), r.Reader.Close()) }
