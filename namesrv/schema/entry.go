package schema

import (
	"encoding/binary"
	"time"

	"holdfast"
)

// The first byte of a value under KindEntry.
const (
	formEntry = 0x01 // a version
	formDir   = 0x02 // a sub-directory: its DirID follows
)

// Flags of an entry.
const (
	flagNull     = 1 << iota // the null version
	flagMarker               // a delete marker
	flagETag                 // an ETag follows
	flagParts                // … with a number of parts
	flagModified             // a time of modification other than the version's clock follows
	flagLink                 // a link follows
)

// Tags of an entry's optional fields; stored, so appended to only.
const (
	tagOwner = iota + 1
	tagClass
	tagChecksum
	tagHeaders
	tagACL
	tagTags
	tagLock
	tagPOSIX
	tagParts      // part table
	tagLargeTable // the part table lies under KindTable; its number of rows
	tagSealed
	entryTags
)

// Record is an entry as it is stored: with what the contract does not show.
type Record struct {
	holdfast.Entry

	// LargeTable is the number of rows of a part table that lies under its own key; Content.Parts is empty then until
	// someone reads it.
	LargeTable int

	// Extra are fields that newer code wrote; a rewrite keeps them.
	Extra []byte
}

// Fields says which parts of an entry a decoder fills.
type Fields uint8

// The selections.
const (
	Brief   Fields = 0 // what listings show: no headers, ACL, tags, POSIX, Sealed and content
	Content Fields = 1 << iota
	Rest
	All = Content | Rest
)

// AppendEntry appends the value of a version. Home is the slot of its directory.
func AppendEntry(b []byte, r *Record, home holdfast.Slot) []byte {
	e := &r.Entry
	flags := byte(0)
	set := func(on bool, f byte) {
		if on {
			flags |= f
		}
	}
	modified := e.Modified.Unix() != clockTime(e.Version).Unix() || e.Modified.Nanosecond() != clockTime(e.Version).Nanosecond()
	set(e.Null, flagNull)
	set(e.Marker, flagMarker)
	set(!e.ETag.IsZero(), flagETag)
	set(e.ETag.Parts > 0, flagParts)
	set(modified, flagModified)
	set(!e.Content.Link.IsZero(), flagLink)

	b = append(b, formEntry, flags)
	b = append(b, e.Version[:]...)
	b = binary.AppendUvarint(b, uint64(e.Size))
	b = appendETag(b, e.ETag)
	if modified {
		b = appendTime(b, e.Modified)
	}
	if flags&flagLink != 0 {
		b = appendLink(b, e.Content.Link, home, e.Size)
	}
	b = appendAttributes(b, e)
	if len(e.Content.Parts) > 0 {
		b = appendField(b, tagParts, AppendTable(nil, e.Content.Parts, home))
	}
	b = appendUintField(b, tagLargeTable, uint64(r.LargeTable))
	return append(b, r.Extra...)
}

func clockTime(v holdfast.VersionID) time.Time { return time.Unix(0, int64(v.Clock())).UTC() }

// ClockTime is the time of modification of an entry that was given none: the time in its version.
func ClockTime(v holdfast.VersionID) time.Time { return clockTime(v) }

// appendAttributes appends the optional fields other than content.
func appendAttributes(b []byte, e *holdfast.Entry) []byte {
	b = appendStringField(b, tagOwner, e.Owner)
	b = appendStringField(b, tagClass, e.StorageClass)
	if !e.Checksum.IsZero() {
		b = appendField(b, tagChecksum, appendChecksum(nil, e.Checksum))
	}
	if !e.Lock.IsZero() {
		b = appendField(b, tagLock, appendLock(nil, e.Lock))
	}
	if len(e.Headers) > 0 {
		b = appendField(b, tagHeaders, appendHeaders(nil, e.Headers))
	}
	b = appendField(b, tagACL, e.ACL)
	b = appendField(b, tagSealed, e.Sealed)
	if len(e.Tags) > 0 {
		b = appendField(b, tagTags, appendHeaders(nil, e.Tags))
	}
	if e.POSIX != nil {
		b = appendField(b, tagPOSIX, appendPOSIX(nil, e.POSIX))
	}
	return b
}

// IsDir reports whether a value under KindEntry is a sub-directory, and which.
func IsDir(v []byte) (d holdfast.DirID, ok bool) {
	if len(v) < 1+len(d) || v[0] != formDir {
		return d, false
	}
	copy(d[:], v[1:])
	return d, true
}

// AppendChild appends the value of a sub-directory.
func AppendChild(b []byte, d holdfast.DirID) []byte {
	return append(append(b, formDir), d[:]...)
}

// DecodeEntry reads a version into r, which it overwrites; strings are made in a.
func DecodeEntry(r *Record, v []byte, home holdfast.Slot, want Fields, a *Arena) error {
	in := reader{b: v}
	if in.byte() != formEntry {
		return errFormat
	}
	flags := in.byte()
	r.LargeTable, r.Extra = 0, nil
	r.Entry = holdfast.Entry{}
	e := &r.Entry
	e.Null, e.Marker = flags&flagNull != 0, flags&flagMarker != 0
	in.fill(e.Version[:])
	e.Size = in.size()
	if flags&flagETag != 0 {
		in.fill(e.ETag.Digest[:])
	}
	if flags&flagParts != 0 {
		e.ETag.Parts = uint16(in.uvarint())
	}
	if flags&flagModified != 0 {
		e.Modified = in.time()
	} else {
		e.Modified = clockTime(e.Version)
	}
	if flags&flagLink != 0 {
		link := in.link(home, e.Size)
		if want&Content != 0 {
			e.Content.Link = link
		}
	}
	for {
		tag, body, ok := in.field()
		if !ok {
			break
		}
		r.field(tag, body, home, want, a, &in)
	}
	return in.err()
}

// field takes in one optional field of an entry.
func (r *Record) field(tag uint64, body reader, home holdfast.Slot, want Fields, a *Arena, in *reader) {
	e := &r.Entry
	switch tag {
	case tagOwner:
		e.Owner = a.Repeated(body.b)
	case tagClass:
		e.StorageClass = a.String(body.b)
	case tagChecksum:
		e.Checksum = body.checksum(a)
	case tagLock:
		e.Lock = body.lock()
	case tagLargeTable:
		r.LargeTable = int(body.uvarint())
	default:
		r.rest(tag, body, home, want, a)
		if tag == tagParts && want&Content != 0 && e.Content.Parts == nil {
			in.fail()
		}
		return
	}
	in.bad = in.bad || body.bad
}

// rest takes in the fields that listings do without; one that is malformed stays empty.
func (r *Record) rest(tag uint64, body reader, home holdfast.Slot, want Fields, a *Arena) {
	e := &r.Entry
	switch {
	case tag == tagParts:
		if want&Content != 0 {
			e.Content.Parts, _ = DecodeTable(body.b, home, a)
		}
	case want&Rest == 0:
	case tag == tagHeaders:
		e.Headers = body.headers(a)
	case tag == tagACL:
		e.ACL = append([]byte(nil), body.b...)
	case tag == tagSealed:
		e.Sealed = append([]byte(nil), body.b...)
	case tag == tagTags:
		e.Tags = body.headers(a)
	case tag == tagPOSIX:
		e.POSIX = body.posix(a)
	case tag == 0 || tag >= entryTags:
		r.Extra = appendField(r.Extra, tag, body.b)
	}
}
