package volume

import (
	"context"
	"io"
	"slices"
	"time"

	"holdfast"
)

// Head returns the entry of a version of a key. Kinds: NotFound; if that is because the version is a delete marker, the entry
// that comes with the error is the marker (Marker, Version and Modified are set); [ErrNoBucket] tells when the bucket is gone.
func (b *Bucket) Head(ctx context.Context, key string, version Version) (_ holdfast.Entry, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opHead, start, err) }()
	return b.head(ctx, opHead, key, version)
}

func (b *Bucket) head(ctx context.Context, o op, key string, version Version) (holdfast.Entry, error) {
	if err := checkKey(o.String(), key); err != nil {
		return holdfast.Entry{}, err
	}
	qs := [1]question{newQuestion(key, holdfast.Lookup{Want: holdfast.WantEntry, Version: version.ID, Null: version.Null})}
	b.ask(ctx, qs[:])
	a := &qs[0].answer
	if a.Err == nil && a.Entry.Marker {
		a.Err = fail(o.String(), holdfast.NotFound, key)
	}
	return a.Entry, wrap(o.String(), key, a.Err)
}

// Object is a version of a key whose bytes can be read. It holds no resources between calls and need not be closed. One goroutine
// uses it at a time.
type Object struct {
	vol    *Volume
	root   holdfast.DirID
	key    string
	entry  holdfast.Entry
	latest bool // it was asked for as the current version
	gone   bool // its bytes were found gone before the first was written; set by WriteRange
}

// Entry returns the entry of the version. It is shared: do not change it.
func (o *Object) Entry() *holdfast.Entry { return &o.entry }

// Key returns the key that the object was opened by.
func (o *Object) Key() string { return o.key }

// Open looks up a version of a key to read its bytes. Kinds and the entry that comes with NotFound are as for [Bucket.Head]:
// the object is not nil then and has the marker as its entry, if there is one.
func (b *Bucket) Open(ctx context.Context, key string, version Version) (_ *Object, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opRead, start, err) }()
	return b.open(ctx, key, version)
}

func (b *Bucket) open(ctx context.Context, key string, version Version) (*Object, error) {
	entry, err := b.head(ctx, opRead, key, version)
	return &Object{vol: b.vol, root: b.info.Root, key: key, entry: entry, latest: version.IsCurrent()}, err
}

// maxReopen bounds how often Read opens a key again because it was replaced before its first byte was read.
const maxReopen = 8

// Read opens a version of a key and calls serve with it. If serve returns the error that WriteRange gave because the bytes were
// replaced before the first of them was written, it opens the key again and calls serve again: serve must not have
// answered anything by then (it may write its header along with the first bytes). The error is that of Open or of serve. An object
// whose name is still there while its bytes are not is Corrupt.
func (b *Bucket) Read(ctx context.Context, key string, version Version, serve func(*Object) error) (err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opRead, start, err) }()
	o, err := b.open(ctx, key, version)
	for range maxReopen {
		if err != nil {
			return err
		}
		if err = serve(o); err == nil || !o.gone {
			return err
		}
		before := o.entry
		if o, err = b.open(ctx, key, version); err == nil && o.entry.Version == before.Version && o.entry.ETag == before.ETag {
			return fail(opRead.String(), holdfast.Corrupt, key)
		}
	}
	return fail(opRead.String(), holdfast.Unavailable, key)
}

// WriteRange writes the bytes [off, off+n) of the object to w, in order, and returns how many were written. The bytes are
// pinned while it runs; of an object of several parts the next ones are fetched ahead, in a bounded amount. Nothing
// that fails a checksum is written.
//
// Kinds: Invalid (the range is not inside the object, or the object is sealed: see [Object.WriteStored]), Corrupt, and Conflict: nothing was written because the version was
// removed or replaced after Open; open it again (see [Bucket.Read]). An error of w is returned as it is.
func (o *Object) WriteRange(ctx context.Context, w io.Writer, off, n int64) (int64, error) {
	if len(o.entry.Sealed) > 0 {
		return 0, fail(opRead.String(), holdfast.Invalid, o.key)
	}
	return o.writeRange(ctx, w, o.entry.Content, o.entry.Size, off, n)
}

// WriteStored is [Object.WriteRange] for the bytes as they are stored, which differ from the object's own if it is sealed: the range
// is of what its links hold, one behind the other.
func (o *Object) WriteStored(ctx context.Context, w io.Writer, off, n int64) (int64, error) {
	c, size := storedContent(o.entry.Content)
	return o.writeRange(ctx, w, c, size, off, n)
}

// StoredReader is [Object.Reader] for the bytes as they are stored.
func (o *Object) StoredReader(ctx context.Context, off, n int64) io.ReadCloser {
	return newPiped(ctx, func(ctx context.Context, w io.Writer) error {
		_, err := o.WriteStored(ctx, w, off, n)
		return err
	})
}

// storedContent returns a content with the sizes that its links have, and how much that is together.
func storedContent(c holdfast.Content) (holdfast.Content, int64) {
	if len(c.Parts) == 0 {
		return c, c.Link.Size
	}
	rows, size := slices.Clone(c.Parts), int64(0)
	for i := range rows {
		rows[i].Offset, rows[i].Size, rows[i].From = size, rows[i].Link.Size, 0
		size += rows[i].Size
	}
	return holdfast.Content{Parts: rows}, size
}

func (o *Object) writeRange(ctx context.Context, w io.Writer, c holdfast.Content, size, off, n int64) (int64, error) {
	if off < 0 || n < 0 || off+n > size || off+n < off {
		return 0, fail(opRead.String(), holdfast.Invalid, o.key)
	}
	out := &sink{w: w}
	err := o.vol.write(ctx, out, cut(c, off, n))
	switch {
	case out.err != nil:
		err = out.err
	case err == nil:
	case out.n == 0 && holdfast.Is(err, holdfast.NotFound):
		o.gone = true
		err = &holdfast.Error{Op: "volume.read", Kind: holdfast.Conflict, ID: o.key, Err: err}
	case holdfast.Is(err, holdfast.NotFound): // the pins did not hold, or the bytes are lost
		err = &holdfast.Error{Op: "volume.read", Kind: holdfast.Corrupt, ID: o.key, Err: err}
	default:
		err = wrap("read", o.key, err)
	}
	return out.n, err
}

// Reader returns a reader of the bytes [off, off+n), for use as the body of a put or of a part: this is how objects are
// copied with bounded memory. Close it. Errors are those of WriteRange.
func (o *Object) Reader(ctx context.Context, off, n int64) io.ReadCloser {
	return newPiped(ctx, func(ctx context.Context, w io.Writer) error {
		_, err := o.WriteRange(ctx, w, off, n)
		return err
	})
}

// PartRange returns where the part with this number lies in the content, and how many parts there are. An object that was
// not made of parts has one, number 1. Kinds: InvalidPart if there is no such part.
func (o *Object) PartRange(number int) (off, n int64, parts int, err error) {
	rows := o.entry.Content.Parts
	if len(rows) == 0 && number == 1 {
		return 0, o.entry.Size, 1, nil
	}
	for i := range rows {
		if rows[i].Number == number {
			return rows[i].Offset, rows[i].Size, len(rows), nil
		}
	}
	return 0, 0, len(rows), fail("part range", holdfast.InvalidPart, o.key)
}
