package volume

import (
	"context"
	"io"

	"holdfast"
)

// PutRequest describes a new object.
type PutRequest struct {
	// Entry is what is stored beside the bytes: Owner, StorageClass, Headers, ACL, Tags, Lock, POSIX, and ETag and
	// Checksum if they are known beforehand. Size, Version, Content and Modified (if zero) are filled in.
	Entry holdfast.Entry
	If    holdfast.Conditions

	// Body is read to its end, by one goroutine. An error of it other than io.EOF is returned as it is and
	// nothing is stored. It may be nil for an empty object.
	Body io.Reader
	Size int64 // of the body; -1 when not known. A body of another length is Aborted

	// Finish, if set, is called once after the end of the body and before the commit, to fill in what was learned from the
	// bytes (ETag, Checksum) or to refuse them: its error is returned as it is and nothing is stored. It is
	// never called again if the bytes are stored again.
	Finish func(*holdfast.Entry) error
}

// PutResult is what a put or a complete brings back.
type PutResult struct {
	Entry   holdfast.Entry // as stored
	Created bool           // there was no visible current version before
}

// Put stores an object and makes it the current version of its key. It returns when the bytes and the name are durable; after any
// error except Unknown nothing of it is visible. Bodies up to Options.ReplaySize survive the failure of an object
// server; for larger ones memory stays bounded.
//
// Kinds: Precondition and NotFound (see [holdfast.Conditions]), NotFound also when the bucket is gone, NoSpace, TooLarge
// (a key over 1024 bytes, a body over holdfast.MaxObjectSize), Locked, QuotaExceeded.
func (b *Bucket) Put(ctx context.Context, key string, req PutRequest) (PutResult, error) {
	return PutResult{}, unsupported("volume.put")
}

// CopyRequest describes the target of a copy; fields as in [PutRequest].
type CopyRequest struct {
	Entry holdfast.Entry
	If    holdfast.Conditions

	// Through, if set, stands between the source's bytes and the new object: it sees every byte once, in order, to compute digests.
	Through func(io.Reader) io.Reader
	Finish  func(*holdfast.Entry) error
}

// Copy makes a new object with the bytes of src. The bytes are copied on the server side with bounded memory, since a link has
// exactly one owner name. A copy of the current version onto its own key, in a bucket that never had versioning, stores
// headers, ACL, tags, lock and storage class anew and leaves the bytes, the ETag and the checksum in place; Through and
// Finish are not called then. Kinds are as for [Bucket.Put], and Conflict if src was replaced meanwhile.
func (b *Bucket) Copy(ctx context.Context, src *Object, key string, req CopyRequest) (PutResult, error) {
	return PutResult{}, unsupported("volume.copy")
}
