package namerpc

import (
	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

// Background work: fates, changes, intents, status.

func guardedToWire(objects []holdfast.GuardedObject) []uint64 {
	wire := make([]uint64, 0, 3*len(objects))
	for _, o := range objects {
		wire = append(wire, uint64(o.Object.Epoch), o.Object.Counter, uint64(o.Home))
	}
	return wire
}

func (d *decoder) guarded(wire []uint64) []holdfast.GuardedObject {
	if len(wire)%3 != 0 {
		d.fail(errTriples)
		return nil
	}
	objects := make([]holdfast.GuardedObject, len(wire)/3)
	for i := range objects {
		row := wire[3*i:]
		objects[i].Object = holdfast.ObjectID{Epoch: holdfast.Epoch(row[0]), Counter: row[1]}
		objects[i].Home = d.slot(uint32(min(row[2], 1<<16)))
	}
	return objects
}

func fatesToWire(fates []holdfast.Fate) []byte {
	wire := make([]byte, len(fates))
	for i, f := range fates {
		wire[i] = byte(f)
	}
	return wire
}

func fatesFromWire(wire []byte) []holdfast.Fate {
	fates := make([]holdfast.Fate, len(wire))
	for i, b := range wire {
		fates[i] = holdfast.Fate(b)
	}
	return fates
}

func changeToWire(c *holdfast.Change) *namepb.Change {
	w := &namepb.Change{
		Seq:     c.Seq,
		Kind:    uint32(c.Kind),
		Bucket:  idToWire(c.Bucket),
		Dir:     idToWire(c.Dir),
		Name:    []byte(c.Name),
		Version: idToWire(c.Version),
		Null:    c.Null,
		Size:    c.Size,
		Etag:    etagToWire(c.ETag),
		Note:    []byte(c.Note),
	}
	w.AtS, w.AtNs = timeToWire(c.At)
	return w
}

func (d *decoder) change(w *namepb.Change) holdfast.Change {
	return holdfast.Change{
		Seq:     w.GetSeq(),
		At:      d.time(w.GetAtS(), w.GetAtNs()),
		Kind:    holdfast.ChangeKind(d.u8(w.GetKind())),
		Bucket:  d.id(w.GetBucket()),
		Dir:     d.id(w.GetDir()),
		Name:    string(w.GetName()),
		Version: d.id(w.GetVersion()),
		Null:    w.GetNull(),
		Size:    w.GetSize(),
		ETag:    d.etag(w.GetEtag()),
		Note:    string(w.GetNote()),
	}
}

func intentToWire(in *holdfast.Intent) *namepb.Intent {
	w := &namepb.Intent{
		Slot:   uint32(in.ID.Slot),
		Seq:    in.ID.Seq,
		Kind:   uint32(in.Kind),
		Dir:    idToWire(in.Dir),
		Parent: idToWire(in.Parent),
		Name:   []byte(in.Name),
	}
	w.AtS, w.AtNs = timeToWire(in.At)
	return w
}

func (d *decoder) intent(w *namepb.Intent) holdfast.Intent {
	return holdfast.Intent{
		ID:     holdfast.IntentID{Slot: d.slot(w.GetSlot()), Seq: w.GetSeq()},
		Kind:   holdfast.IntentKind(d.u8(w.GetKind())),
		Dir:    d.id(w.GetDir()),
		Parent: d.id(w.GetParent()),
		Name:   string(w.GetName()),
		At:     d.time(w.GetAtS(), w.GetAtNs()),
	}
}

func statusToWire(s holdfast.NameStatus) *namepb.StatusReply {
	return &namepb.StatusReply{
		Slots:    int64(s.Slots),
		Names:    s.Names,
		Seq:      s.Seq,
		First:    s.First,
		Garbage:  s.Garbage,
		Intents:  s.Intents,
		InFlight: s.InFlight,
	}
}

func statusFromWire(w *namepb.StatusReply) holdfast.NameStatus {
	return holdfast.NameStatus{
		Slots:    int(w.GetSlots()),
		Names:    w.GetNames(),
		Seq:      w.GetSeq(),
		First:    w.GetFirst(),
		Garbage:  w.GetGarbage(),
		Intents:  w.GetIntents(),
		InFlight: w.GetInFlight(),
	}
}
