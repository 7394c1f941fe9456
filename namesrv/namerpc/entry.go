package namerpc

import (
	"google.golang.org/protobuf/proto"

	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

func headerToWire(h *holdfast.Header) *namepb.Header {
	return &namepb.Header{Name: []byte(h.Name), Value: []byte(h.Value)}
}

func headerFromWire(w *namepb.Header) holdfast.Header {
	return holdfast.Header{Name: string(w.GetName()), Value: string(w.GetValue())}
}

func linkToWire(l holdfast.Link) *namepb.Link {
	if l == (holdfast.Link{}) {
		return nil
	}
	return &namepb.Link{
		Os:      uint64(l.OS),
		Epoch:   uint64(l.Object.Epoch),
		Counter: l.Object.Counter,
		Home:    uint32(l.Home),
		Size:    l.Size,
		Crc:     l.CRC,
	}
}

func (d *decoder) link(w *namepb.Link) holdfast.Link {
	if w == nil {
		return holdfast.Link{}
	}
	return holdfast.Link{
		OS:     holdfast.ServiceID(w.Os),
		Object: holdfast.ObjectID{Epoch: holdfast.Epoch(w.Epoch), Counter: w.Counter},
		Home:   d.slot(w.Home),
		Size:   w.Size,
		CRC:    w.Crc,
	}
}

func etagToWire(t holdfast.ETag) *namepb.ETag {
	if t.IsZero() {
		return nil
	}
	return &namepb.ETag{Digest: idToWire(t.Digest), Parts: uint32(t.Parts)}
}

func (d *decoder) etag(w *namepb.ETag) holdfast.ETag {
	if w == nil {
		return holdfast.ETag{}
	}
	return holdfast.ETag{Digest: d.id(w.Digest), Parts: d.u16(w.Parts)}
}

func checksumToWire(c holdfast.Checksum) *namepb.Checksum {
	if c == (holdfast.Checksum{}) {
		return nil
	}
	return &namepb.Checksum{Algorithm: uint32(c.Algorithm), Composite: c.Composite, Value: []byte(c.Value)}
}

func (d *decoder) checksum(w *namepb.Checksum) holdfast.Checksum {
	if w == nil {
		return holdfast.Checksum{}
	}
	return holdfast.Checksum{
		Algorithm: holdfast.ChecksumAlgorithm(d.u8(w.Algorithm)),
		Composite: w.Composite,
		Value:     string(w.Value),
	}
}

func partToWire(p *holdfast.Part) *namepb.Part {
	return &namepb.Part{
		Number:   int64(p.Number),
		Offset:   p.Offset,
		Size:     p.Size,
		From:     p.From,
		Link:     linkToWire(p.Link),
		Etag:     etagToWire(p.ETag),
		Checksum: checksumToWire(p.Checksum),
	}
}

func (d *decoder) part(w *namepb.Part) holdfast.Part {
	return holdfast.Part{
		Number:   int(w.GetNumber()),
		Offset:   w.GetOffset(),
		Size:     w.GetSize(),
		From:     w.GetFrom(),
		Link:     d.link(w.GetLink()),
		ETag:     d.etag(w.GetEtag()),
		Checksum: d.checksum(w.GetChecksum()),
	}
}

func lockToWire(l holdfast.Lock) *namepb.Lock {
	if l.IsZero() {
		return nil
	}
	w := &namepb.Lock{Mode: uint32(l.Mode), LegalHold: l.LegalHold, HoldOff: l.HoldOff}
	w.UntilS, w.UntilNs = timeToWire(l.Until)
	return w
}

func (d *decoder) lock(w *namepb.Lock) holdfast.Lock {
	if w == nil {
		return holdfast.Lock{}
	}
	return holdfast.Lock{
		Mode:      holdfast.LockMode(d.u8(w.Mode)),
		Until:     d.time(w.UntilS, w.UntilNs),
		LegalHold: w.LegalHold,
		HoldOff:   w.HoldOff,
	}
}

func posixToWire(p *holdfast.POSIX) *namepb.POSIX {
	if p == nil {
		return nil
	}
	w := &namepb.POSIX{Mode: p.Mode, Uid: p.UID, Gid: p.GID, Target: []byte(p.Target)}
	w.AccessS, w.AccessNs = timeToWire(p.Access)
	w.ChangeS, w.ChangeNs = timeToWire(p.Change)
	return w
}

func (d *decoder) posix(w *namepb.POSIX) *holdfast.POSIX {
	if w == nil {
		return nil
	}
	return &holdfast.POSIX{
		Mode:   w.Mode,
		UID:    w.Uid,
		GID:    w.Gid,
		Access: d.time(w.AccessS, w.AccessNs),
		Change: d.time(w.ChangeS, w.ChangeNs),
		Target: string(w.Target),
	}
}

func entryToWire(e *holdfast.Entry) *namepb.Entry {
	w := &namepb.Entry{
		Version:      idToWire(e.Version),
		Null:         e.Null,
		Marker:       e.Marker,
		Size:         e.Size,
		Etag:         etagToWire(e.ETag),
		Checksum:     checksumToWire(e.Checksum),
		Owner:        []byte(e.Owner),
		StorageClass: []byte(e.StorageClass),
		Headers:      manyToWire(e.Headers, headerToWire),
		Acl:          e.ACL,
		Sealed:       e.Sealed,
		Tags:         manyToWire(e.Tags, headerToWire),
		Lock:         lockToWire(e.Lock),
		Posix:        posixToWire(e.POSIX),
		Link:         linkToWire(e.Content.Link),
		Parts:        manyToWire(e.Content.Parts, partToWire),
	}
	w.ModifiedS, w.ModifiedNs = timeToWire(e.Modified)
	return w
}

func (d *decoder) entry(w *namepb.Entry) holdfast.Entry {
	if w == nil {
		return holdfast.Entry{}
	}
	return holdfast.Entry{
		Version:      d.id(w.Version),
		Null:         w.Null,
		Marker:       w.Marker,
		Modified:     d.time(w.ModifiedS, w.ModifiedNs),
		Size:         w.Size,
		ETag:         d.etag(w.Etag),
		Checksum:     d.checksum(w.Checksum),
		Owner:        string(w.Owner),
		StorageClass: string(w.StorageClass),
		Headers:      manyFromWire(w.Headers, headerFromWire),
		ACL:          w.Acl,
		Sealed:       w.Sealed,
		Tags:         manyFromWire(w.Tags, headerFromWire),
		Lock:         d.lock(w.Lock),
		POSIX:        d.posix(w.Posix),
		Content: holdfast.Content{
			Link:  d.link(w.Link),
			Parts: manyFromWire(w.Parts, d.part),
		},
	}
}

// sparse drops a message without content: replies have fields for every kind of question, most of them unused.
// An id that is set tells without measuring that there is content.
func sparse[W any, M interface {
	*W
	proto.Message
}](id []byte, w M) M {
	if id == nil && proto.Size(w) == 0 {
		return nil
	}
	return w
}

func someEntryToWire(e *holdfast.Entry) *namepb.Entry {
	w := entryToWire(e)
	return sparse(w.Version, w)
}

func uploadToWire(u *holdfast.Upload) *namepb.Upload {
	w := &namepb.Upload{Id: idToWire(u.ID), Initiator: []byte(u.Initiator), Entry: someEntryToWire(&u.Entry)}
	w.InitiatedS, w.InitiatedNs = timeToWire(u.Initiated)
	return w
}

func (d *decoder) upload(w *namepb.Upload) holdfast.Upload {
	if w == nil {
		return holdfast.Upload{}
	}
	return holdfast.Upload{
		ID:        d.id(w.Id),
		Initiated: d.time(w.InitiatedS, w.InitiatedNs),
		Initiator: string(w.Initiator),
		Entry:     d.entry(w.Entry),
	}
}

func uploadedPartToWire(p *holdfast.UploadedPart) *namepb.UploadedPart {
	w := &namepb.UploadedPart{Part: partToWire(&p.Part)}
	w.ModifiedS, w.ModifiedNs = timeToWire(p.Modified)
	return w
}

func (d *decoder) uploadedPart(w *namepb.UploadedPart) holdfast.UploadedPart {
	return holdfast.UploadedPart{Part: d.part(w.GetPart()), Modified: d.time(w.GetModifiedS(), w.GetModifiedNs())}
}
