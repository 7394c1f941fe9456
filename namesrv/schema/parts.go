package schema

import (
	"encoding/binary"

	"holdfast"
)

// Flags of a link.
const (
	linkSize = 1 << iota // its size is not what the context says
	linkHome             // its home is not the slot of the directory
	linkOS               // its server id is written whole: it is not of the usual type
)

// appendLink appends a link. What the context tells already, home and size, is left out.
func appendLink(b []byte, l holdfast.Link, home holdfast.Slot, size int64) []byte {
	flags := byte(0)
	if l.Size != size {
		flags |= linkSize
	}
	if l.Home != home {
		flags |= linkHome
	}
	if l.OS.Type() != holdfast.TypeObjectStore {
		flags |= linkOS
	}
	b = append(b, flags)
	if flags&linkOS != 0 {
		b = binary.AppendUvarint(b, uint64(l.OS))
	} else {
		b = binary.AppendUvarint(b, uint64(l.OS)&(1<<56-1))
	}
	b = binary.AppendUvarint(b, uint64(l.Object.Epoch))
	b = binary.AppendUvarint(b, l.Object.Counter)
	b = binary.LittleEndian.AppendUint32(b, l.CRC)
	if flags&linkSize != 0 {
		b = binary.AppendUvarint(b, uint64(l.Size))
	}
	if flags&linkHome != 0 {
		b = binary.AppendUvarint(b, uint64(l.Home))
	}
	return b
}

func (r *reader) link(home holdfast.Slot, size int64) holdfast.Link {
	flags := r.byte()
	l := holdfast.Link{Home: home, Size: size}
	if os := r.uvarint(); flags&linkOS != 0 {
		l.OS = holdfast.ServiceID(os)
	} else {
		l.OS = holdfast.NewServiceID(holdfast.TypeObjectStore, os)
	}
	l.Object.Epoch = holdfast.Epoch(r.uvarint())
	l.Object.Counter = r.uvarint()
	l.CRC = r.uint32()
	if flags&linkSize != 0 {
		l.Size = r.size()
	}
	if flags&linkHome != 0 {
		l.Home = holdfast.Slot(r.uvarint())
	}
	return l
}

// Flags of a part.
const (
	partLink = 1 << iota
	partFrom // it does not begin at the beginning of the object
	partChecksum
	partETag
)

// minPart is the least a part takes, which bounds what a decoder allocates.
const minPart = 3

// AppendTable appends a part table: its number of rows, then the rows. Offsets follow from the sizes, since rows have
// neither gap nor overlap.
func AppendTable(b []byte, t holdfast.PartTable, home holdfast.Slot) []byte {
	b = binary.AppendUvarint(b, uint64(len(t)))
	for i := range t {
		b = AppendPart(b, &t[i], home)
	}
	return b
}

// AppendPart appends a part without its offset.
func AppendPart(b []byte, p *holdfast.Part, home holdfast.Slot) []byte {
	flags := byte(0)
	if !p.Link.IsZero() {
		flags |= partLink
	}
	if p.From != 0 {
		flags |= partFrom
	}
	if !p.Checksum.IsZero() {
		flags |= partChecksum
	}
	if !p.ETag.IsZero() {
		flags |= partETag
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(p.Number))
	b = binary.AppendUvarint(b, uint64(p.Size))
	if flags&partLink != 0 {
		b = appendLink(b, p.Link, home, p.Size)
	}
	if flags&partFrom != 0 {
		b = binary.AppendUvarint(b, uint64(p.From))
	}
	if flags&partETag != 0 {
		b = append(b, p.ETag.Digest[:]...)
		b = binary.AppendUvarint(b, uint64(p.ETag.Parts))
	}
	if flags&partChecksum != 0 {
		b = appendChecksum(b, p.Checksum)
	}
	return b
}

func (r *reader) part(home holdfast.Slot, a *Arena) (p holdfast.Part) {
	flags := r.byte()
	p.Number = int(uint32(r.uvarint()))
	p.Size = r.size()
	if flags&partLink != 0 {
		p.Link = r.link(home, p.Size)
	}
	if flags&partFrom != 0 {
		p.From = r.size()
	}
	if flags&partETag != 0 {
		r.fill(p.ETag.Digest[:])
		p.ETag.Parts = uint16(r.uvarint())
	}
	if flags&partChecksum != 0 {
		p.Checksum = r.checksum(a)
	}
	return p
}

// DecodeTable reads a part table.
func DecodeTable(v []byte, home holdfast.Slot, a *Arena) (holdfast.PartTable, error) {
	r := reader{b: v}
	n := r.uvarint()
	if n > uint64(len(r.b)/minPart) {
		return nil, errFormat
	}
	t := make(holdfast.PartTable, n)
	offset := int64(0)
	for i := range t {
		t[i] = r.part(home, a)
		t[i].Offset = offset
		offset += t[i].Size
	}
	if r.bad {
		return nil, errFormat
	}
	return t, nil
}

func appendETag(b []byte, t holdfast.ETag) []byte {
	if t.IsZero() {
		return b
	}
	b = append(b, t.Digest[:]...)
	if t.Parts > 0 {
		b = binary.AppendUvarint(b, uint64(t.Parts))
	}
	return b
}

func appendChecksum(b []byte, c holdfast.Checksum) []byte {
	composite := byte(0)
	if c.Composite {
		composite = 1
	}
	return appendString(append(b, byte(c.Algorithm), composite), c.Value)
}

func (r *reader) checksum(a *Arena) (c holdfast.Checksum) {
	c.Algorithm = holdfast.ChecksumAlgorithm(r.byte())
	c.Composite = r.byte() == 1
	c.Value = a.String(r.chunk())
	return c
}
