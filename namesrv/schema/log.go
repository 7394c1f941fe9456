package schema

import (
	"encoding/binary"
	"hash/fnv"
	"time"

	"holdfast"
)

// Fate is the record of what became of an object.
type Fate struct {
	Fate    holdfast.Fate
	Settled bool // committed, and the object server was told

	// Of a commit that is not settled, or of one that was undone since: the name (or part) that did it, as OwnerOfName and
	// OwnerOfPart give it, 0 if none did; the version it made; and, unless undone, whether there was no visible version
	// before. They let a commit that comes twice be answered.
	Owner   uint64
	Version holdfast.VersionID
	Created bool

	At time.Time // of a doomed one: when
}

// OwnerOfName tells apart the names that may have committed a link.
func OwnerOfName(d holdfast.DirID, name string) uint64 {
	h := fnv.New64a()
	h.Write(d[:])
	h.Write([]byte(name))
	return h.Sum64()
}

// OwnerOfPart is OwnerOfName for a part of an upload.
func OwnerOfPart(d holdfast.DirID, id holdfast.UploadID, number int) uint64 {
	h := fnv.New64a()
	h.Write(d[:])
	h.Write(id[:])
	h.Write([]byte{byte(number >> 8), byte(number), 0})
	return h.Sum64()
}

// The first byte of a fate.
const (
	fateCommitted = 0x01
	fateCreated   = 0x02 // committed, and the name had no visible version before
	fateSettled   = 0x03
	fateDoomed    = 0x04 // never committed
	fateUndone    = 0x05 // doomed after it was committed
)

// AppendFate appends the value of a fate.
func AppendFate(b []byte, f *Fate) []byte {
	switch {
	case f.Fate == holdfast.FateDoomed && f.Owner == 0:
		return binary.AppendVarint(append(b, fateDoomed), f.At.Unix())
	case f.Fate == holdfast.FateDoomed:
		b = binary.AppendVarint(append(b, fateUndone), f.At.Unix())
	case f.Settled:
		return append(b, fateSettled)
	case f.Created:
		b = append(b, fateCreated)
	default:
		b = append(b, fateCommitted)
	}
	b = binary.BigEndian.AppendUint64(b, f.Owner)
	return append(b, f.Version[:]...)
}

// DecodeFate reads a fate.
func DecodeFate(f *Fate, v []byte) error {
	*f = Fate{Fate: holdfast.FateCommitted}
	r := reader{b: v}
	switch r.byte() {
	case fateDoomed:
		f.Fate = holdfast.FateDoomed
		f.At = time.Unix(r.varint(), 0).UTC()
		return r.err()
	case fateUndone:
		f.Fate = holdfast.FateDoomed
		f.At = time.Unix(r.varint(), 0).UTC()
	case fateSettled:
		f.Settled = true
		return r.err()
	case fateCreated:
		f.Created = true
	case fateCommitted:
	default:
		return errFormat
	}
	if b := r.take(8); b != nil {
		f.Owner = binary.BigEndian.Uint64(b)
	}
	r.fill(f.Version[:])
	return r.err()
}

// Flags of a change.
const (
	changeETag = 1 << iota
	changeVersion
	changeBucketIsDir
	changeNote
	changeNull
)

// AppendChange appends the value of a record of the change log. The sequence is in the key.
func AppendChange(b []byte, c *holdfast.Change) []byte {
	flags := byte(0)
	if !c.ETag.IsZero() {
		flags |= changeETag
	}
	if !c.Version.IsZero() {
		flags |= changeVersion
	}
	if c.Bucket == c.Dir {
		flags |= changeBucketIsDir
	}
	if len(c.Note) > 0 {
		flags |= changeNote
	}
	if c.Null {
		flags |= changeNull
	}
	b = append(b, formTagged, byte(c.Kind), flags)
	b = append(b, c.Dir[:]...)
	if flags&changeBucketIsDir == 0 {
		b = append(b, c.Bucket[:]...)
	}
	b = appendTime(b, c.At)
	b = appendString(b, c.Name)
	b = binary.AppendUvarint(b, uint64(c.Size))
	if flags&changeVersion != 0 {
		b = append(b, c.Version[:]...)
	}
	if flags&changeETag != 0 {
		b = append(b, c.ETag.Digest[:]...)
		b = binary.AppendUvarint(b, uint64(c.ETag.Parts))
	}
	if flags&changeNote != 0 {
		b = appendString(b, c.Note)
	}
	return b
}

// DecodeChange reads a record of the change log.
func DecodeChange(c *holdfast.Change, seq uint64, v []byte) error {
	*c = holdfast.Change{Seq: seq}
	r := reader{b: v}
	if r.byte() != formTagged {
		return errFormat
	}
	c.Kind = holdfast.ChangeKind(r.byte())
	flags := r.byte()
	c.Null = flags&changeNull != 0
	r.fill(c.Dir[:])
	if c.Bucket = c.Dir; flags&changeBucketIsDir == 0 {
		r.fill(c.Bucket[:])
	}
	c.At = r.time()
	c.Name = string(r.chunk())
	c.Size = r.size()
	if flags&changeVersion != 0 {
		r.fill(c.Version[:])
	}
	if flags&changeETag != 0 {
		r.fill(c.ETag.Digest[:])
		c.ETag.Parts = uint16(r.uvarint())
	}
	if flags&changeNote != 0 {
		c.Note = string(r.chunk())
	}
	return r.err()
}

// AppendIntent appends the value of an intent. The id is in the key.
func AppendIntent(b []byte, i *holdfast.Intent) []byte {
	b = append(b, formTagged, byte(i.Kind))
	b = append(b, i.Dir[:]...)
	b = append(b, i.Parent[:]...)
	b = appendTime(b, i.At)
	return appendString(b, i.Name)
}

// DecodeIntent reads an intent.
func DecodeIntent(i *holdfast.Intent, id holdfast.IntentID, v []byte) error {
	*i = holdfast.Intent{ID: id}
	r := reader{b: v}
	if r.byte() != formTagged {
		return errFormat
	}
	i.Kind = holdfast.IntentKind(r.byte())
	r.fill(i.Dir[:])
	r.fill(i.Parent[:])
	i.At = r.time()
	i.Name = string(r.chunk())
	return r.err()
}
