package volume

import (
	"context"
	"io"

	"holdfast"
)

// Head returns the entry of a version of a key. Kinds: NotFound; if that is because the version is a delete marker, the entry
// that comes with the error is the marker (Marker, Version and Modified are set).
func (b *Bucket) Head(ctx context.Context, key string, version Version) (holdfast.Entry, error) {
	return holdfast.Entry{}, unsupported("volume.head")
}

// Object is a version of a key whose bytes can be read. It holds no resources between calls and need not be closed.
type Object struct {
	vol   *Volume
	key   string
	entry holdfast.Entry
}

// Entry returns the entry of the version. It is shared: do not change it.
func (o *Object) Entry() *holdfast.Entry { return &o.entry }

// Key returns the key that the object was opened by.
func (o *Object) Key() string { return o.key }

// Open looks up a version of a key to read its bytes. Kinds and the entry that comes with NotFound are as for [Bucket.Head]:
// the object is not nil then and has the marker as its entry, if there is one.
func (b *Bucket) Open(ctx context.Context, key string, version Version) (*Object, error) {
	return nil, unsupported("volume.open object")
}

// Read opens a version of a key and calls serve with it. If serve returns the error that WriteRange gave because the bytes were
// replaced before the first of them was written, it opens the key again and calls serve again: serve must not have
// answered anything by then (it may write its header along with the first bytes). The error is that of Open or of serve.
func (b *Bucket) Read(ctx context.Context, key string, version Version, serve func(*Object) error) error {
	return unsupported("volume.read")
}

// WriteRange writes the bytes [off, off+n) of the object to w, in order, and returns how many were written. The bytes are
// pinned while it runs; of an object of several parts the next ones are fetched ahead, in a bounded amount. Nothing
// that fails a checksum is written.
//
// Kinds: Invalid (the range is not inside the object), Corrupt, and Conflict: nothing was written because the version was
// removed or replaced after Open; open it again (see [Bucket.Read]). An error of w is returned as it is.
func (o *Object) WriteRange(ctx context.Context, w io.Writer, off, n int64) (int64, error) {
	return 0, unsupported("volume.write range")
}

// Reader returns a reader of the bytes [off, off+n), for use as the body of a put or of a part: this is how objects are
// copied with bounded memory. Close it. Errors are those of WriteRange.
func (o *Object) Reader(ctx context.Context, off, n int64) io.ReadCloser { return nil }

// PartRange returns where the part with this number lies in the content, and how many parts there are. An object that was
// not made of parts has one, number 1. Kinds: InvalidPart if there is no such part.
func (o *Object) PartRange(number int) (off, n int64, parts int, err error) {
	return 0, 0, 0, unsupported("volume.part range")
}
