package gw

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// createUpload serves CreateMultipartUpload
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html).
func createUpload(q *request) error {
	entry, err := q.newEntry()
	if err != nil {
		return err
	}
	algorithm, err := checksumAlgorithm(q.r.Header.Get("X-Amz-Checksum-Algorithm"))
	if err != nil {
		return err
	}
	kind, err := checksumType(q.r.Header.Get("X-Amz-Checksum-Type"), algorithm)
	if err != nil {
		return err
	}
	entry.Checksum = holdfast.Checksum{
		Algorithm: holdfast.ChecksumAlgorithm(algorithm), Composite: algorithm != checksum.None && kind == checksum.Composite,
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	if err := q.lockNew(b, &entry); err != nil {
		return err
	}
	seal, err := q.newSealer(b)
	if err != nil {
		return err
	}
	entry.Sealed = seal.record
	up, err := b.CreateUpload(q.ctx, q.target.Key, holdfast.Upload{Initiator: q.user(), Entry: entry})
	if err != nil {
		return q.bucketGone(err, holdfast.Conditions{})
	}
	seal.setHeaders(q.w.Header())
	q.setAbort(b.Info(), up.Initiated)
	if algorithm != checksum.None {
		h := q.w.Header()
		h.Set("X-Amz-Checksum-Algorithm", algorithm.String())
		h.Set("X-Amz-Checksum-Type", kind.String())
	}
	return q.sendXML(func(dst []byte) []byte {
		return s3api.AppendInitiated(dst, q.target.Bucket, q.target.Key, up.ID.String())
	})
}

// checksumType reads x-amz-checksum-type, which must be possible for the algorithm.
func checksumType(text string, algorithm checksum.Algorithm) (checksum.Type, error) {
	if text == "" {
		return algorithm.DefaultType(), nil
	}
	kind, err := checksum.ParseType(text)
	if err != nil {
		return 0, err
	}
	if algorithm == checksum.None {
		return 0, s3api.E(s3api.InvalidRequest).WithMessage(
			"The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	}
	if !algorithm.Allows(kind) {
		return 0, s3api.E(s3api.InvalidRequest).WithMessage("The " + kind.String() +
			" checksum type cannot be used with the " + strings.ToLower(algorithm.String()) + " checksum algorithm.")
	}
	return kind, nil
}

// uploadID reads the uploadId of the request; one that no upload can have is NoSuchUpload.
func (q *request) uploadID() (holdfast.UploadID, error) {
	text := q.query.Get("uploadId")
	id, err := holdfast.ParseUploadID(text)
	if err != nil {
		return id, s3api.NoUpload(text).WithCause(err)
	}
	return id, nil
}

// uploadPart serves UploadPart (https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html).
func uploadPart(q *request) error {
	number, err := s3api.ParsePartNumber(q.query.Get("partNumber"))
	if err != nil {
		return err
	}
	id, err := q.uploadID()
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
	up, err := b.Upload(q.ctx, q.target.Key, id)
	if err != nil {
		return err
	}
	if err := q.checkLockedBody(up.Entry.Lock, "Part"); err != nil {
		return err
	}
	if err := q.body.expectChecksum(up.Entry.Checksum); err != nil {
		return err
	}
	if err := q.mayHold(b, "", q.body.size()); err != nil {
		return err
	}
	seal, err := q.partSealer(&up)
	if err != nil {
		return err
	}
	body, size, release, err := seal.body(number, &q.body, q.body.size())
	if err != nil {
		return err
	}
	defer release()
	part, err := b.PutPart(q.ctx, q.target.Key, id, volume.PartRequest{
		Number: number, Body: body, Size: size,
		Finish: func(p *holdfast.Part) error {
			var err error
			p.ETag, p.Checksum, err = q.body.digests()
			return errors.Join(err, seal.finishPart(p))
		},
	})
	if err != nil {
		return err
	}
	h := q.w.Header()
	seal.setHeaders(h)
	h["Etag"] = []string{quotedETag(part.ETag)}
	setChecksum(h, part.Checksum, 0)
	h.Del("X-Amz-Checksum-Type") // a part has none
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// uploadPartCopy serves UploadPartCopy (https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html).
func uploadPartCopy(q *request) error {
	number, err := s3api.ParsePartNumber(q.query.Get("partNumber"))
	if err != nil {
		return err
	}
	id, err := q.uploadID()
	if err != nil {
		return err
	}
	if err := q.refuseUnbuilt(); err != nil {
		return err
	}
	want, err := s3api.ParseCopySourceRange(q.r.Header.Get("X-Amz-Copy-Source-Range"))
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	up, err := b.Upload(q.ctx, q.target.Key, id)
	if err != nil {
		return err
	}
	src, srcBucket, _, err := q.openSource()
	if err != nil {
		return err
	}
	span, err := want.Resolve(src.Entry().Size)
	if err != nil {
		return err
	}
	if span.Length > maxPutSize {
		return s3api.TooLarge(span.Length, maxPutSize)
	}
	if err := q.mayHold(b, "", span.Length); err != nil {
		return err
	}
	seal, err := q.partSealer(&up)
	if err != nil {
		return err
	}
	part, err := copyPart(q, b, number, &up, src, span, &seal)
	if err != nil {
		return err
	}
	seal.setHeaders(q.w.Header())
	if srcBucket.Info().Versioning != holdfast.VersioningOff {
		q.w.Header().Set("X-Amz-Copy-Source-Version-Id", versionText(src.Entry().Version, src.Entry().Null))
	}
	answer := s3api.CopyAnswer{ETag: part.ETag.String(), LastModified: time.Now().UTC()}
	answer.Checksums, _ = shownChecksums(part.Checksum, 0)
	return q.sendXML(answer.AppendPart)
}

// copyPart stores the range of the source as a part, with the checksum that the upload asks for.
func copyPart(q *request, b *volume.Bucket, number int, up *holdfast.Upload, src *volume.Object, span s3api.ByteRange, seal *sealer) (holdfast.Part, error) {
	open, err := q.openSourceEntry(src.Entry())
	if err != nil {
		return holdfast.Part{}, err
	}
	plain, err := open.reader(q.ctx, src, span.Offset, span.Length)
	if err != nil {
		return holdfast.Part{}, err
	}
	defer plain.Close()
	d := &copyDigest{algorithm: checksum.Algorithm(up.Entry.Checksum.Algorithm)}
	body, size, release, err := seal.body(number, d.through(plain), span.Length)
	if err != nil {
		return holdfast.Part{}, err
	}
	defer release()
	return b.PutPart(q.ctx, q.target.Key, up.ID, volume.PartRequest{
		Number: number, Body: body, Size: size,
		Finish: func(p *holdfast.Part) error {
			p.ETag, p.Checksum = d.result()
			return seal.finishPart(p)
		},
	})
}

func abortUpload(q *request) error {
	id, err := q.uploadID()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	if err := b.AbortUpload(q.ctx, q.target.Key, id); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
