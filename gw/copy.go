package gw

import (
	"crypto/md5"
	"errors"
	"hash"
	"io"

	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// openSource opens the object that x-amz-copy-source names and holds the copy's conditions against it.
func (q *request) openSource() (*volume.Object, *volume.Bucket, s3api.CopySource, error) {
	from, err := s3api.ParseCopySource(q.r.Header.Get("X-Amz-Copy-Source"))
	if err != nil {
		return nil, nil, from, err
	}
	v, err := parseVersion(from.VersionID)
	if err != nil {
		return nil, nil, from, err
	}
	b, err := q.bucketNamed(from.Bucket)
	if err != nil {
		return nil, nil, from, err
	}
	if want := q.r.Header.Get("X-Amz-Source-Expected-Bucket-Owner"); want != "" && want != b.Info().Owner {
		return nil, nil, from, s3api.E(s3api.AccessDenied)
	}
	q.copied = &copied{bucket: b, from: from, size: -1}
	o, err := b.Open(q.ctx, from.Key, v)
	if holdfast.Is(err, holdfast.NotFound) {
		if err := q.allowSource(b, from.Key, v, nil); err != nil {
			return nil, nil, from, err
		}
	}
	switch {
	case holdfast.Is(err, holdfast.NotFound) && o != nil && o.Entry().Marker && !v.IsCurrent():
		return nil, nil, from, s3api.E(s3api.InvalidRequest).WithMessage(
			"The source of a copy request may not specifically refer to a delete marker by version id.")
	case holdfast.Is(err, holdfast.NotFound) && !v.IsCurrent():
		return nil, nil, from, s3api.NoVersion(from.Key, from.VersionID).WithCause(err)
	case holdfast.Is(err, holdfast.NotFound):
		return nil, nil, from, s3api.NoKey(from.Key).WithCause(err)
	case err != nil:
		return nil, nil, from, err
	}
	e := o.Entry()
	if err := q.allowSource(b, from.Key, v, e); err != nil {
		return nil, nil, from, err
	}
	q.copied.size = e.Size
	return o, b, from, s3api.ParseCopyConditions(q.r.Header, q.begun).Err(e.ETag.String(), e.Modified)
}

// copyObject serves CopyObject (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
func copyObject(q *request) error {
	directive, err := s3api.ParseMetadataDirective(q.r.Header.Get("X-Amz-Metadata-Directive"))
	if err != nil {
		return err
	}
	tagging, err := s3api.ParseTaggingDirective(q.r.Header.Get("X-Amz-Tagging-Directive"))
	if err != nil {
		return err
	}
	cond, err := q.writeConditions()
	if err != nil {
		return err
	}
	entry, err := q.newEntry()
	if err != nil {
		return err
	}
	algorithm, err := checksumAlgorithm(q.r.Header.Get("X-Amz-Checksum-Algorithm"))
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	if err := q.lockNew(b, &entry); err != nil {
		return err
	}
	src, srcBucket, from, err := q.openSource()
	if err != nil {
		return err
	}
	if src.Entry().Size > maxPutSize {
		return s3api.E(s3api.InvalidRequest).WithMessage(
			"The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	}
	if directive == s3api.CopyFromSource {
		if from == (s3api.CopySource{Bucket: q.target.Bucket, Key: q.target.Key}) && q.changesNothing(b, algorithm) {
			return s3api.CopyOntoItself()
		}
		entry.Headers = copiedHeaders(src.Entry().Headers, entry.Headers)
	}
	if tagging == s3api.CopyFromSource {
		entry.Tags = src.Entry().Tags
	}
	if err := q.mayHold(b, q.target.Key, src.Entry().Size); err != nil {
		return err
	}
	d := &copyDigest{algorithm: algorithm} // the copy is of one piece: what was composite becomes a checksum of the content
	if d.algorithm == checksum.None {
		d.algorithm = checksum.Algorithm(src.Entry().Checksum.Algorithm)
	}
	seal, err := q.newSealer(b)
	if err != nil {
		return err
	}
	put, err := q.copyBytes(b, src, volume.CopyRequest{Entry: entry, If: cond, Through: d.through, Finish: d.finish}, &seal)
	if err != nil {
		return q.bucketGone(err, cond)
	}
	h := q.w.Header()
	seal.setHeaders(h)
	setVersion(h, b.Info(), put.Entry.Version, put.Entry.Null)
	if srcBucket.Info().Versioning != holdfast.VersioningOff {
		h.Set("X-Amz-Copy-Source-Version-Id", versionText(src.Entry().Version, src.Entry().Null))
	}
	q.setExpiration(b.Info(), &put.Entry)
	answer := s3api.CopyAnswer{ETag: put.Entry.ETag.String(), LastModified: put.Entry.Modified}
	answer.Checksums, answer.ChecksumType = shownChecksums(put.Entry.Checksum, len(put.Entry.Content.Parts))
	return q.sendXML(answer.AppendObject)
}

// copyBytes copies an object. Where either side is encrypted, the bytes are opened and sealed anew on their way: each object has its own
// key.
func (q *request) copyBytes(b *volume.Bucket, src *volume.Object, req volume.CopyRequest, seal *sealer) (put volume.PutResult, err error) {
	open, err := q.openSourceEntry(src.Entry())
	if err != nil {
		return put, err
	}
	if !open.sealed && !seal.seals() {
		return b.Copy(q.ctx, src, q.target.Key, req)
	}
	plain, err := open.reader(q.ctx, src, 0, src.Entry().Size)
	if err != nil {
		return put, err
	}
	defer plain.Close()
	body, size, release, err := seal.body(0, req.Through(plain), src.Entry().Size)
	if err != nil {
		return put, err
	}
	defer release()
	req.Entry.Sealed = seal.record
	return b.Put(q.ctx, q.target.Key, volume.PutRequest{
		Entry: req.Entry, If: req.If, Body: body, Size: size,
		Finish: func(e *holdfast.Entry) error { return errors.Join(req.Finish(e), seal.finish(e)) },
	})
}

// openSourceEntry returns how the source of a copy is opened, with the key that the request sends for it.
func (q *request) openSourceEntry(e *holdfast.Entry) (opener, error) {
	customer, err := s3api.ParseCopySourceKey(q.r.Header)
	if err != nil {
		return opener{}, err
	}
	return q.allowRead(e, customer)
}

// changesNothing reports whether a copy onto itself says nothing of what it is to change, which S3 refuses. What it says may well be as it
// is already; that a bucket says how to encrypt is enough, too.
func (q *request) changesNothing(b *volume.Bucket, algorithm checksum.Algorithm) bool {
	_, encrypts := b.Info().Settings["encryption"]
	return !encrypts &&
		q.r.Header.Get("X-Amz-Storage-Class") == "" &&
		q.r.Header.Get("X-Amz-Website-Redirect-Location") == "" &&
		!s3api.AsksEncryption(q.r.Header) &&
		algorithm == checksum.None
}

// redirectHeader belongs to one name: a copy gets what its own request says.
const redirectHeader = "x-amz-website-redirect-location"

// copiedHeaders returns the headers of a copy that takes them from its source.
func copiedHeaders(source, request []holdfast.Header) []holdfast.Header {
	headers := make([]holdfast.Header, 0, len(source)+1)
	for _, h := range source {
		if h.Name != redirectHeader {
			headers = append(headers, h)
		}
	}
	for _, h := range request { // x-amz-website-… sorts behind all others
		if h.Name == redirectHeader {
			headers = append(headers, h)
		}
	}
	return headers
}

func checksumAlgorithm(name string) (checksum.Algorithm, error) {
	if name == "" {
		return checksum.None, nil
	}
	return checksum.ParseAlgorithm(name)
}

// copyDigest computes the ETag and the checksum of bytes on their way from one object to another.
type copyDigest struct {
	algorithm checksum.Algorithm
	md5       hash.Hash
	sum       hash.Hash
}

// through starts over with each reader, since a copy may be tried again.
func (d *copyDigest) through(r io.Reader) io.Reader {
	d.md5, d.sum = md5.New(), d.algorithm.New()
	if d.sum == nil {
		return io.TeeReader(r, d.md5)
	}
	return io.TeeReader(r, io.MultiWriter(d.md5, d.sum))
}

func (d *copyDigest) result() (holdfast.ETag, holdfast.Checksum) {
	if d.md5 == nil { // nothing was read: an empty source
		d.through(nil)
	}
	var tag holdfast.ETag
	d.md5.Sum(tag.Digest[:0])
	if d.sum == nil {
		return tag, holdfast.Checksum{}
	}
	return tag, storedChecksum(checksum.Sum(d.algorithm, d.sum))
}

func (d *copyDigest) finish(e *holdfast.Entry) error {
	e.ETag, e.Checksum = d.result()
	return nil
}
