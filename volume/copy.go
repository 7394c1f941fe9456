package volume

import (
	"context"
	"io"
	"time"

	"holdfast"
)

// CopyRequest describes the target of a copy; fields as in [PutRequest].
type CopyRequest struct {
	Entry holdfast.Entry
	If    holdfast.Conditions

	// Through, if set, stands between the source's bytes and the new object: it sees every byte once, in order, to compute digests.
	Through func(io.Reader) io.Reader
	Finish  func(*holdfast.Entry) error
}

// Copy makes a new object with the bytes of src. The bytes are copied on the server side with bounded memory, since a link has
// exactly one owner name. Kinds are as for [Bucket.Put], and Conflict if src was replaced meanwhile. Sealed entries are Invalid on either side: who
// can open them reads [Object.StoredReader] and puts.
//
// A large current version (over Options.ReplaySize) that is copied onto its own key, in a bucket that never had versioning,
// stays where it is: headers, ACL, tags, lock and storage class are stored anew, and the bytes, the ETag, the checksum and
// the time of modification are left in place. Through and Finish are not called then.
func (b *Bucket) Copy(ctx context.Context, src *Object, key string, req CopyRequest) (_ PutResult, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opCopy, start, err) }()
	if len(src.entry.Sealed) > 0 || len(req.Entry.Sealed) > 0 {
		return PutResult{}, fail(opCopy.String(), holdfast.Invalid, key)
	}
	itself := src.root == b.info.Root && src.key == key && src.latest
	if itself && b.info.Versioning == holdfast.VersioningOff && src.entry.Size > b.vol.opts.ReplaySize {
		return b.copyOntoItself(ctx, src, req)
	}
	body := src.Reader(ctx, 0, src.entry.Size)
	defer body.Close()
	put := PutRequest{Entry: req.Entry, If: req.If, Body: body, Size: src.entry.Size, Finish: req.Finish}
	if req.Through != nil {
		put.Body = req.Through(body)
	}
	return b.put(ctx, opCopy, key, put)
}

// copyOntoItself replaces what an object has beside its bytes.
func (b *Bucket) copyOntoItself(ctx context.Context, src *Object, req CopyRequest) (PutResult, error) {
	entry, err := b.setAttributes(ctx, src.key, AttrChange{
		Version: Version{ID: src.entry.Version},
		Mask: holdfast.AspectHeaders | holdfast.AspectACL | holdfast.AspectTags | holdfast.AspectLock |
			holdfast.AspectStorageClass,
		Entry: req.Entry,
		If:    req.If,
	})
	if holdfast.Is(err, holdfast.NotFound) {
		err = wrap(opCopy.String(), src.key, holdfast.E("volume.copy", holdfast.Conflict, err))
	}
	return PutResult{Entry: entry}, err
}
