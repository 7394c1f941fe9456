package gw

import (
	"slices"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// minPartSize is the least size of a part other than the last: 5 MiB.
const minPartSize = 5 << 20

// completeUpload serves CompleteMultipartUpload
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html).
func completeUpload(q *request) error {
	id, err := q.uploadID()
	if err != nil {
		return err
	}
	cond, err := q.writeConditions()
	if err != nil {
		return err
	}
	data, err := q.document(s3api.OpCompleteMultipartUpload)
	if err != nil {
		return err
	}
	listed, err := s3api.DecodeCompleteMultipartUpload(data)
	if err != nil {
		if e := s3api.AsError(err); e.Code == s3api.InvalidPartOrder {
			return e.With("UploadId", id.String())
		}
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	req := volume.CompleteRequest{MinPart: minPartSize, If: cond}
	if req.Parts, err = completedParts(id, listed); err != nil {
		return q.partsRefused(b, id, err)
	}
	up, err := q.begunUpload(b, id)
	if err != nil {
		return err
	}
	customer, err := q.completeKey(b, up)
	if err != nil {
		return err
	}
	if req.Checksum, err = q.completeChecksum(b, up, req.Parts); err != nil {
		return err
	}
	put, err := b.CompleteUpload(q.ctx, q.target.Key, id, req)
	if err != nil {
		return q.partError(b, id, req.Parts, err)
	}
	setWritten(q.w.Header(), b.Info(), &put.Entry)
	q.setExpiration(b.Info(), &put.Entry)
	setEncryption(q.w.Header(), put.Entry.Sealed, customer)
	answer := s3api.CompleteAnswer{
		Location: q.scheme() + "://" + q.r.Host + q.r.URL.EscapedPath(),
		Bucket:   q.target.Bucket, Key: q.target.Key, ETag: put.Entry.ETag.String(),
	}
	answer.Checksums, answer.ChecksumType = shownChecksums(put.Entry.Checksum, len(listed))
	return q.sendXML(answer.Append)
}

// partsRefused is err, or NoSuchUpload: that comes before what is wrong with the list of parts.
func (q *request) partsRefused(b *volume.Bucket, id holdfast.UploadID, err error) error {
	if _, uploadErr := b.Upload(q.ctx, q.target.Key, id); holdfast.Is(uploadErr, holdfast.NoSuchUpload) {
		return uploadErr
	}
	return err
}

// completedParts converts the rows of the request. An ETag that cannot be one of ours is InvalidPart, as one that differs is.
func completedParts(id holdfast.UploadID, listed []s3api.CompletedPart) ([]holdfast.CompletedPart, error) {
	parts := make([]holdfast.CompletedPart, len(listed))
	for i, p := range listed {
		tag, err := holdfast.ParseETag(p.ETag)
		if err != nil {
			return nil, s3api.BadPart(id.String(), p.Number, p.ETag).WithCause(err)
		}
		parts[i] = holdfast.CompletedPart{Number: p.Number, ETag: tag}
		if parts[i].Checksum, err = completedChecksum(p.Checksums); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// completedChecksum reads the checksum of a row; a row has at most one.
func completedChecksum(sums []s3api.Checksum) (holdfast.Checksum, error) {
	var v checksum.Value
	var err error
	for _, sum := range sums {
		if v, err = checksum.Parse(checksum.FromName(checksum.HeaderPrefix+sum.Algorithm), sum.Value); err != nil {
			break
		}
	}
	if err == nil && len(sums) <= 1 {
		return storedChecksum(v), nil
	}
	sums = slices.SortedFunc(slices.Values(sums), func(a, b s3api.Checksum) int { return strings.Compare(a.Algorithm, b.Algorithm) })
	all := ""
	for _, sum := range sums {
		all += sum.Algorithm + ":" + sum.Value + ";"
	}
	return holdfast.Checksum{}, s3api.BadArgument("Checksum", all, "Invalid Base64 or multiple checksums present in request").WithCause(err)
}

// checkPartAlgorithms holds the algorithms of the listed checksums against the one that the upload was begun with. A composite
// checksum wants one of every part.
func checkPartAlgorithms(of holdfast.Checksum, listed []holdfast.CompletedPart) error {
	for i := range listed {
		number := strconv.Itoa(listed[i].Number)
		switch got := listed[i].Checksum; {
		case got.IsZero() && of.Composite:
			return s3api.E(s3api.InvalidRequest).WithMessage("The upload was created using a " + algorithmText(of) + " checksum. " +
				"The complete request must include the checksum for each part. It was missing for part " + number + " in the request.")
		case !got.IsZero() && got.Algorithm != of.Algorithm:
			return s3api.E(s3api.BadDigest).WithMessage("The " + algorithmText(got) + " you specified for part " + number +
				" did not match what we received.")
		}
	}
	return nil
}

// algorithmText names the algorithm of a checksum as messages about multipart uploads do.
func algorithmText(of holdfast.Checksum) string {
	return strings.ToLower(checksum.Algorithm(of.Algorithm).String())
}

// begunUpload returns an upload, nil if it is gone. Perhaps it was completed before: the commit remembers its answer.
func (q *request) begunUpload(b *volume.Bucket, id holdfast.UploadID) (*holdfast.Upload, error) {
	up, err := b.Upload(q.ctx, q.target.Key, id)
	if holdfast.Is(err, holdfast.NoSuchUpload) {
		return nil, nil
	}
	return &up, err
}

// completeChecksum computes the object's checksum from those of its parts, if the upload was begun with one, and holds it and
// the size against what the request says of the object.
func (q *request) completeChecksum(b *volume.Bucket, up *holdfast.Upload, listed []holdfast.CompletedPart) (holdfast.Checksum, error) {
	if up == nil {
		return holdfast.Checksum{}, nil
	}
	size := q.r.Header.Get("X-Amz-Mp-Object-Size")
	algorithm := checksum.Algorithm(up.Entry.Checksum.Algorithm)
	err := q.checkType(algorithm, up)
	if err == nil && algorithm != checksum.None {
		err = checkPartAlgorithms(up.Entry.Checksum, listed)
	}
	if err != nil || algorithm == checksum.None && size == "" {
		return holdfast.Checksum{}, err
	}
	page, err := b.ListParts(q.ctx, q.target.Key, up.ID, 0, holdfast.MaxParts)
	if err != nil {
		return holdfast.Checksum{}, err
	}
	chosen := choose(page.Parts, listed)
	if err := checkObjectSize(size, chosen); err != nil || algorithm == checksum.None {
		return holdfast.Checksum{}, err
	}
	kind := checksum.FullObject
	if up.Entry.Checksum.Composite {
		kind = checksum.Composite
	}
	sum, ok := combine(algorithm, kind, chosen)
	if !ok {
		return holdfast.Checksum{}, nil // a part is missing or has no checksum: the commit tells which part is wrong
	}
	return storedChecksum(sum), q.checkObjectChecksum(algorithm, sum)
}

// partError says which part a complete request failed for, as far as that can still be told.
func (q *request) partError(b *volume.Bucket, id holdfast.UploadID, listed []holdfast.CompletedPart, err error) error {
	if kind := holdfast.KindOf(err); kind != holdfast.InvalidPart && kind != holdfast.PartTooSmall {
		return err
	}
	page, listErr := b.ListParts(q.ctx, q.target.Key, id, 0, holdfast.MaxParts)
	if listErr != nil {
		return err // the first error tells more
	}
	uploaded := make(map[int]*holdfast.Part, len(page.Parts))
	for i := range page.Parts {
		uploaded[page.Parts[i].Part.Number] = &page.Parts[i].Part
	}
	for i, l := range listed {
		p := uploaded[l.Number]
		switch {
		case p == nil || p.ETag != l.ETag || !l.Checksum.IsZero() && l.Checksum != p.Checksum:
			return s3api.BadPart(id.String(), l.Number, l.ETag.String()).WithCause(err)
		case i < len(listed)-1 && p.Size < minPartSize:
			return s3api.PartTooSmall(l.Number, p.ETag.String(), p.Size, minPartSize).WithCause(err)
		}
	}
	return err
}

// checkType holds x-amz-checksum-type against the type that the upload was begun with.
func (q *request) checkType(algorithm checksum.Algorithm, up *holdfast.Upload) error {
	text := q.r.Header.Get("X-Amz-Checksum-Type")
	if text == "" || algorithm == checksum.None {
		return nil
	}
	if _, err := checksum.ParseType(text); err != nil {
		return err
	}
	if _, begun := declaredChecksum(up.Entry.Checksum); text != begun {
		return s3api.E(s3api.InvalidRequest).WithMessage("The upload was created using the " + begun +
			" checksum mode. The complete request must use the same checksum mode.")
	}
	return nil
}

// choose picks the uploaded parts that the request lists, in its order; both are ordered by number.
func choose(uploaded []holdfast.UploadedPart, listed []holdfast.CompletedPart) []holdfast.Part {
	chosen := make([]holdfast.Part, 0, len(listed))
	next := 0
	for _, l := range listed {
		for next < len(uploaded) && uploaded[next].Part.Number < l.Number {
			next++
		}
		if next < len(uploaded) && uploaded[next].Part.Number == l.Number {
			chosen = append(chosen, uploaded[next].Part)
		}
	}
	return chosen
}

func checkObjectSize(text string, parts []holdfast.Part) error {
	if text == "" {
		return nil
	}
	want, err := strconv.ParseInt(text, 10, 64)
	if err != nil || want < 0 {
		return s3api.BadArgument("x-amz-mp-object-size", text, "Value for x-amz-mp-object-size header is invalid.")
	}
	var got int64
	for i := range parts {
		got += parts[i].Size
	}
	if got != want {
		return s3api.E(s3api.InvalidRequest).WithMessage("The provided 'x-amz-mp-object-size' header value " + text +
			" does not match what was computed: " + strconv.FormatInt(got, 10))
	}
	return nil
}

func combine(algorithm checksum.Algorithm, kind checksum.Type, parts []holdfast.Part) (checksum.Value, bool) {
	values := make([]checksum.Value, len(parts))
	lengths := make([]checksum.Part, len(parts))
	for i := range parts {
		v, ok := shownChecksum(parts[i].Checksum, 0)
		if !ok {
			return checksum.Value{}, false
		}
		values[i], lengths[i] = v, checksum.Part{Value: v, Length: parts[i].Size}
	}
	if kind == checksum.Composite {
		v, err := checksum.Compose(algorithm, values)
		return v, err == nil
	}
	v, err := checksum.Combine(algorithm, lengths)
	return v, err == nil
}

// checkObjectChecksum compares the computed checksum with the one the request gives for the object.
func (q *request) checkObjectChecksum(algorithm checksum.Algorithm, sum checksum.Value) error {
	given, text, err := checksum.Single(q.r.Header)
	if err != nil || given != algorithm {
		return err
	}
	want, err := checksum.ParseComposite(algorithm, text)
	if err != nil {
		return err
	}
	if want.Parts() == 0 && sum.Parts() > 0 { // the count of parts may be left out
		want, _ = checksum.ValueOf(algorithm, want.Raw(), sum.Parts())
	}
	if err := want.Check(sum); err != nil {
		return s3api.E(s3api.BadDigest).WithMessage("The " + strings.ToLower(algorithm.String()) +
			" you specified did not match the calculated checksum.").WithCause(err)
	}
	return nil
}
