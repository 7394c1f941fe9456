package holdfast

import (
	"encoding/hex"
	"strconv"
)

// Link is what a name points to: the bytes of one object on one object server. A link has exactly one owner name.
type Link struct {
	OS     ServiceID
	Object ObjectID
	Home   Slot   // the slot that keeps the object's fate; fixed at creation, also when the name moves
	Size   int64  // bytes
	CRC    uint32 // CRC32C (Castagnoli) of the whole content
}

// IsZero reports whether the link points nowhere, as that of an empty object does.
func (l Link) IsZero() bool { return l.Object.IsZero() }

// Part is a row of a part table.
type Part struct {
	Number   int   // S3 part number, 1 … 10,000; 0 for an extent of a written file
	Offset   int64 // where the part begins in the content
	Size     int64 // how many bytes of the content it is
	From     int64 // where those bytes begin in the linked object
	Link     Link  // zero when Size is 0 or the part is a hole
	ETag     ETag
	Checksum Checksum
}

// PartTable is the content of a multipart object or a written file: rows ordered by Offset, without gap or overlap.
type PartTable []Part

// Content says where the bytes of an entry are: Link alone for an object made by one PUT, Parts for one made of
// several, neither for an empty object.
type Content struct {
	Link  Link
	Parts PartTable
}

// Links calls yield for each link of the content until yield returns false.
func (c Content) Links(yield func(Link) bool) {
	if !c.Link.IsZero() && !yield(c.Link) {
		return
	}
	for i := range c.Parts {
		if l := c.Parts[i].Link; !l.IsZero() && !yield(l) {
			return
		}
	}
}

// ETag is an entity tag: an MD5 digest, and for a multipart object the number of its parts.
// S3 shows it as hex, with "-N" behind it for N parts.
type ETag struct {
	Digest [16]byte
	Parts  uint16 // 0: not multipart
}

// IsZero reports whether no entity tag is set.
func (t ETag) IsZero() bool { return t == ETag{} }

// String returns the tag without quotes.
func (t ETag) String() string {
	var buf [38]byte
	return string(t.AppendTo(buf[:0]))
}

// AppendTo appends the tag without quotes to b.
func (t ETag) AppendTo(b []byte) []byte {
	b = hex.AppendEncode(b, t.Digest[:])
	if t.Parts > 0 {
		b = append(b, '-')
		b = strconv.AppendUint(b, uint64(t.Parts), 10)
	}
	return b
}

// ParseETag reads a tag with or without quotes. A string that no ETag of ours can look like is [Invalid].
func ParseETag(s string) (ETag, error) {
	var t ETag
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if len(s) > 33 && s[32] == '-' {
		n, err := strconv.ParseUint(s[33:], 10, 16)
		if err != nil || n == 0 {
			return t, E("parse etag", Invalid, err)
		}
		t.Parts = uint16(n)
		s = s[:32]
	}
	if len(s) != 32 {
		return ETag{}, E("parse etag", Invalid, nil)
	}
	if _, err := hex.Decode(t.Digest[:], []byte(s)); err != nil {
		return ETag{}, E("parse etag", Invalid, err)
	}
	return t, nil
}

// ChecksumAlgorithm is an S3 additional checksum; the numbers are stored, so the list is only appended to.
type ChecksumAlgorithm uint8

// The algorithms of the S3 API (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
const (
	NoChecksum ChecksumAlgorithm = iota
	CRC32
	CRC32C
	CRC64NVME
	SHA1
	SHA256
)

// Checksum is the additional checksum of an object or a part, as S3 clients sent or asked for it.
type Checksum struct {
	Algorithm ChecksumAlgorithm
	Composite bool   // over the parts' checksums, not over the content
	Value     string // raw digest bytes, 4 to 32
}

// IsZero reports whether there is none.
func (c Checksum) IsZero() bool { return c.Algorithm == NoChecksum }
