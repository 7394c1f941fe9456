package volume

import (
	"context"
	"io"

	"holdfast"
)

// CreateUpload begins a multipart upload. Initiator and Entry of up are the caller's; ID and Initiated (if zero) are
// filled in. Entry is what the completed object will get; its Checksum may hold algorithm and type without a value.
func (b *Bucket) CreateUpload(ctx context.Context, key string, up holdfast.Upload) (holdfast.Upload, error) {
	return holdfast.Upload{}, unsupported("volume.create upload")
}

// Upload returns the record of an unfinished upload. Kinds: NoSuchUpload.
func (b *Bucket) Upload(ctx context.Context, key string, id holdfast.UploadID) (holdfast.Upload, error) {
	return holdfast.Upload{}, unsupported("volume.upload")
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
// be), Invalid (Number), NoSpace, TooLarge.
func (b *Bucket) PutPart(ctx context.Context, key string, id holdfast.UploadID, req PartRequest) (holdfast.Part, error) {
	return holdfast.Part{}, unsupported("volume.put part")
}

// PartPage is a page of an upload's parts, in the order of their numbers.
type PartPage struct {
	Upload holdfast.Upload
	Parts  []holdfast.UploadedPart
	More   bool
}

// ListParts returns up to limit parts with numbers after the given one. Limit 0 asks for the upload only. Kinds: NoSuchUpload.
func (b *Bucket) ListParts(ctx context.Context, key string, id holdfast.UploadID, after, limit int) (PartPage, error) {
	return PartPage{}, unsupported("volume.list parts")
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
func (b *Bucket) CompleteUpload(ctx context.Context, key string, id holdfast.UploadID, req CompleteRequest) (PutResult, error) {
	return PutResult{}, unsupported("volume.complete upload")
}

// AbortUpload gives an upload up and frees its parts. Kinds: NoSuchUpload.
func (b *Bucket) AbortUpload(ctx context.Context, key string, id holdfast.UploadID) error {
	return unsupported("volume.abort upload")
}
