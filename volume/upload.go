package volume

import (
	"context"
	"io"
	"time"

	"holdfast"
	"holdfast/volume/path"
)

// CreateUpload begins a multipart upload. Initiator and Entry of up are the caller's; ID and Initiated (if zero) are
// filled in. Entry is what the completed object will get; its Checksum may hold algorithm and type without a value.
func (b *Bucket) CreateUpload(ctx context.Context, key string, up holdfast.Upload) (_ holdfast.Upload, err error) {
	began := time.Now()
	defer func() { b.vol.metrics.done(opCreateUpload, began, err) }()
	if err := checkKey(opCreateUpload.String(), key); err != nil {
		return holdfast.Upload{}, err
	}
	if up.Initiated.IsZero() {
		up.Initiated = began.UTC()
	}
	up.ID = holdfast.NewUploadID(up.Initiated)
	// The index comes first: a row without an upload is passed over, an upload without a row would be found by nobody.
	row := holdfast.IndexUpload{Root: b.info.Root, Key: key, Upload: up}
	if err := b.vol.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{row}}})[0].Err; err != nil {
		if holdfast.Is(err, holdfast.DirGone) {
			err = ErrNoBucket
		}
		return holdfast.Upload{}, wrap(opCreateUpload.String(), key, err)
	}
	name := key[len(path.Dir(key)):]
	c := change{op: opCreateUpload.String(), key: key, create: true}
	c.ops = func(_ context.Context, at place) ([]holdfast.Op, error) {
		return []holdfast.Op{holdfast.CreateUpload{Dir: at.dir, Name: name, Upload: up}}, nil
	}
	if _, err := b.apply(ctx, &c); err != nil {
		if !c.unsure {
			b.unindex(context.WithoutCancel(ctx), key, up.ID)
		}
		return holdfast.Upload{}, wrap(c.op, key, err)
	}
	return up, nil
}

// unindex removes an upload's row. One that stays is passed over by listings.
func (b *Bucket) unindex(ctx context.Context, key string, id holdfast.UploadID) {
	row := holdfast.UnindexUpload{Root: b.info.Root, Key: key, Upload: id}
	_ = b.vol.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{row}}})
}

// endUpload returns the operations that end an upload, with that on its row if it is on the same name server, and reports
// whether the row is left to be removed.
func (b *Bucket) endUpload(at place, key string, id holdfast.UploadID, end holdfast.Op) (ops []holdfast.Op, left bool) {
	ops = []holdfast.Op{end}
	if left = !b.vol.router.together(at.dir, b.info.Root); !left {
		ops = append(ops, holdfast.UnindexUpload{Root: b.info.Root, Key: key, Upload: id})
	}
	return ops, left
}

// lookupUpload asks for an upload. A path that does not exist leads to no upload.
func (b *Bucket) lookupUpload(ctx context.Context, key string, ask holdfast.Lookup) (question, error) {
	qs := [1]question{newQuestion(key, ask)}
	b.ask(ctx, qs[:])
	err := qs[0].answer.Err
	if holdfast.Is(err, holdfast.NotFound) {
		err = &holdfast.Error{Op: "volume.upload", Kind: holdfast.NoSuchUpload, ID: ask.Upload.String(), Err: err}
	}
	return qs[0], err
}

// Upload returns the record of an unfinished upload. Kinds: NoSuchUpload.
func (b *Bucket) Upload(ctx context.Context, key string, id holdfast.UploadID) (holdfast.Upload, error) {
	page, err := b.ListParts(ctx, key, id, 0, 0)
	return page.Upload, err
}

// PartRequest describes a part. Body, Size and Finish are as in [PutRequest]; Finish fills in ETag and Checksum. To copy a part
// from an object, give [Object.Reader] as the body.
type PartRequest struct {
	Number   int // 1 … holdfast.MaxParts
	ETag     holdfast.ETag
	Checksum holdfast.Checksum
	Body     io.Reader
	Size     int64
	Finish   func(*holdfast.Part) error
}

// PutPart stores a part; an earlier one with the same number is replaced. Kinds: NoSuchUpload (found out before Body is read, if it can
// be), Invalid (Number), NoSpace, TooLarge, QuotaExceeded.
func (b *Bucket) PutPart(ctx context.Context, key string, id holdfast.UploadID, req PartRequest) (_ holdfast.Part, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opPutPart, start, err) }()
	if err := b.checkPart(ctx, key, id, &req); err != nil {
		return holdfast.Part{}, err
	}
	part := holdfast.Part{Number: req.Number, ETag: req.ETag, Checksum: req.Checksum}
	body := creation{bucket: b, key: key, body: req.Body, size: req.Size}
	body.finish = func(size int64) error {
		part.Size = size
		if req.Finish == nil {
			return nil
		}
		return req.Finish(&part)
	}
	defer body.release()
	name := key[len(path.Dir(key)):]
	c := change{op: opPutPart.String(), key: key, absent: holdfast.NoSuchUpload, doomed: body.doomed}
	c.ops = func(ctx context.Context, at place) ([]holdfast.Op, error) {
		link, err := body.at(ctx, at.dir)
		if err != nil {
			return nil, err
		}
		part.Link = link
		return []holdfast.Op{holdfast.PutPart{Dir: at.dir, Name: name, Upload: id, Part: part, Bucket: at.check()}}, nil
	}
	c.grows = func(ctx context.Context) (int64, error) { return b.partGrowth(ctx, key, id, part.Number, part.Size) }
	if _, err := b.apply(ctx, &c); err != nil {
		return holdfast.Part{}, body.failed(ctx, &c, err)
	}
	return part, nil
}

// checkPart refuses a part that cannot be stored, before its body is read.
func (b *Bucket) checkPart(ctx context.Context, key string, id holdfast.UploadID, req *PartRequest) error {
	if err := checkKey(opPutPart.String(), key); err != nil {
		return err
	}
	if req.Number < 1 || req.Number > holdfast.MaxParts {
		return fail(opPutPart.String(), holdfast.Invalid, key)
	}
	if req.Size > holdfast.MaxObjectSize {
		return fail(opPutPart.String(), holdfast.TooLarge, key)
	}
	grows := func(ctx context.Context) (int64, error) { return b.partGrowth(ctx, key, id, req.Number, req.Size) }
	if err := b.mayHold(ctx, opPutPart.String(), key, req.Size, grows); err != nil {
		return err
	}
	_, err := b.lookupUpload(ctx, key, holdfast.Lookup{Want: holdfast.WantUpload, Upload: id})
	return wrap(opPutPart.String(), key, err)
}

// PartPage is a page of an upload's parts, in the order of their numbers.
type PartPage struct {
	Upload holdfast.Upload
	Parts  []holdfast.UploadedPart
	More   bool
}

// ListParts returns up to limit parts with numbers after the given one. Limit 0 asks for the upload only. Kinds: NoSuchUpload.
func (b *Bucket) ListParts(ctx context.Context, key string, id holdfast.UploadID, after, limit int) (_ PartPage, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opListParts, start, err) }()
	if err := checkKey(opListParts.String(), key); err != nil {
		return PartPage{}, err
	}
	if after < 0 || limit < 0 {
		return PartPage{}, fail(opListParts.String(), holdfast.Invalid, "limit")
	}
	ask := holdfast.Lookup{Want: holdfast.WantParts, Upload: id, After: after, Limit: min(limit, holdfast.MaxParts)}
	if limit == 0 {
		ask = holdfast.Lookup{Want: holdfast.WantUpload, Upload: id}
	}
	q, err := b.lookupUpload(ctx, key, ask)
	if err != nil {
		return PartPage{}, wrap(opListParts.String(), key, err)
	}
	return PartPage{Upload: q.answer.Upload, Parts: q.answer.Parts, More: q.answer.More}, nil
}

// CompleteRequest turns an upload into an object.
type CompleteRequest struct {
	Parts    []holdfast.CompletedPart // in ascending order of numbers
	MinPart  int64                    // the least size of a part other than the last
	Checksum holdfast.Checksum        // of the object, computed by the caller from the parts' checksums
	If       holdfast.Conditions
}

// CompleteUpload makes the object, without copying a byte. Done again (a lost reply), it gives the same answer for
// as long as the name server remembers. Kinds: NoSuchUpload, InvalidPart, PartTooSmall, Invalid (order), Precondition, Locked.
func (b *Bucket) CompleteUpload(ctx context.Context, key string, id holdfast.UploadID, req CompleteRequest) (_ PutResult, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opCompleteUpload, start, err) }()
	if err := checkKey(opCompleteUpload.String(), key); err != nil {
		return PutResult{}, err
	}
	name := key[len(path.Dir(key)):]
	c := change{op: opCompleteUpload.String(), key: key, absent: holdfast.NoSuchUpload}
	var left bool
	c.ops = func(_ context.Context, at place) (ops []holdfast.Op, _ error) {
		ops, left = b.endUpload(at, key, id, holdfast.CompleteUpload{
			Dir: at.dir, Name: name, Upload: id, Parts: req.Parts, MinPart: req.MinPart, Checksum: req.Checksum,
			Versioning: at.bucket.Versioning, If: req.If, Bucket: at.check(),
		})
		return ops, nil
	}
	replies, err := b.apply(ctx, &c)
	if err != nil {
		return PutResult{}, wrap(c.op, key, err)
	}
	if left {
		b.unindex(context.WithoutCancel(ctx), key, id)
	}
	return PutResult{Entry: replies[0].Entry, Created: replies[0].Created}, nil
}

// AbortUpload gives an upload up and frees its parts. Kinds: NoSuchUpload.
func (b *Bucket) AbortUpload(ctx context.Context, key string, id holdfast.UploadID) (err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opAbortUpload, start, err) }()
	if err := checkKey(opAbortUpload.String(), key); err != nil {
		return err
	}
	name := key[len(path.Dir(key)):]
	c := change{op: opAbortUpload.String(), key: key, absent: holdfast.NoSuchUpload}
	var left bool
	c.ops = func(_ context.Context, at place) (ops []holdfast.Op, _ error) {
		ops, left = b.endUpload(at, key, id, holdfast.AbortUpload{Dir: at.dir, Name: name, Upload: id})
		return ops, nil
	}
	_, err = b.apply(ctx, &c)
	if c.unsure && holdfast.Is(err, holdfast.NoSuchUpload) {
		err = nil // our own first attempt removed it
	}
	if err != nil {
		return wrap(c.op, key, err)
	}
	if left {
		b.unindex(context.WithoutCancel(ctx), key, id)
	}
	qs := [1]question{newQuestion(key, holdfast.Lookup{})}
	if b.resolve(ctx, qs[:]); qs[0].answer.Err == nil {
		b.tidy(&qs[0])
	}
	return nil
}
