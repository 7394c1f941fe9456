package namerpc

import (
	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

// opToWire returns nil for what is not an operation.
func opToWire(op holdfast.Op) *namepb.Op {
	switch o := op.(type) {
	case holdfast.PutEntry:
		return &namepb.Op{Op: &namepb.Op_PutEntry{PutEntry: putEntryToWire(&o)}}
	case holdfast.DeleteEntry:
		return &namepb.Op{Op: &namepb.Op_DeleteEntry{DeleteEntry: deleteEntryToWire(&o)}}
	case holdfast.SetEntry:
		return &namepb.Op{Op: &namepb.Op_SetEntry{SetEntry: setEntryToWire(&o)}}
	case holdfast.CreateUpload, holdfast.PutPart, holdfast.CompleteUpload, holdfast.AbortUpload,
		holdfast.IndexUpload, holdfast.UnindexUpload:
		return uploadOpToWire(op)
	}
	return dirOpToWire(op)
}

func (d *decoder) op(w *namepb.Op) holdfast.Op {
	switch o := w.GetOp().(type) {
	case *namepb.Op_PutEntry:
		return d.putEntry(o.PutEntry)
	case *namepb.Op_DeleteEntry:
		return d.deleteEntry(o.DeleteEntry)
	case *namepb.Op_SetEntry:
		return d.setEntry(o.SetEntry)
	case *namepb.Op_CreateUpload, *namepb.Op_PutPart, *namepb.Op_CompleteUpload, *namepb.Op_AbortUpload,
		*namepb.Op_IndexUpload, *namepb.Op_UnindexUpload:
		return d.uploadOp(w)
	}
	return d.dirOp(w)
}

func putEntryToWire(o *holdfast.PutEntry) *namepb.PutEntry {
	return &namepb.PutEntry{
		Dir:        idToWire(o.Dir),
		Name:       []byte(o.Name),
		Entry:      entryToWire(&o.Entry),
		Versioning: uint32(o.Versioning),
		If:         conditionsToWire(&o.If),
		Bucket:     checkToWire(o.Bucket),
	}
}

func (d *decoder) putEntry(w *namepb.PutEntry) holdfast.PutEntry {
	return holdfast.PutEntry{
		Dir:        d.id(w.GetDir()),
		Name:       string(w.GetName()),
		Entry:      d.entry(w.GetEntry()),
		Versioning: holdfast.Versioning(d.u8(w.GetVersioning())),
		If:         d.conditions(w.GetIf()),
		Bucket:     d.check(w.GetBucket()),
	}
}

func deleteEntryToWire(o *holdfast.DeleteEntry) *namepb.DeleteEntry {
	return &namepb.DeleteEntry{
		Dir:        idToWire(o.Dir),
		Name:       []byte(o.Name),
		Version:    idToWire(o.Version),
		Null:       o.Null,
		Versioning: uint32(o.Versioning),
		Owner:      []byte(o.Owner),
		If:         conditionsToWire(&o.If),
		Bypass:     o.Bypass,
		Bucket:     checkToWire(o.Bucket),
	}
}

func (d *decoder) deleteEntry(w *namepb.DeleteEntry) holdfast.DeleteEntry {
	return holdfast.DeleteEntry{
		Dir:        d.id(w.GetDir()),
		Name:       string(w.GetName()),
		Version:    d.id(w.GetVersion()),
		Null:       w.GetNull(),
		Versioning: holdfast.Versioning(d.u8(w.GetVersioning())),
		Owner:      string(w.GetOwner()),
		If:         d.conditions(w.GetIf()),
		Bypass:     w.GetBypass(),
		Bucket:     d.check(w.GetBucket()),
	}
}

func setEntryToWire(o *holdfast.SetEntry) *namepb.SetEntry {
	return &namepb.SetEntry{
		Dir:     idToWire(o.Dir),
		Name:    []byte(o.Name),
		Version: idToWire(o.Version),
		Null:    o.Null,
		Mask:    uint32(o.Mask),
		Entry:   entryToWire(&o.Entry),
		If:      conditionsToWire(&o.If),
		Bypass:  o.Bypass,
	}
}

func (d *decoder) setEntry(w *namepb.SetEntry) holdfast.SetEntry {
	return holdfast.SetEntry{
		Dir:     d.id(w.GetDir()),
		Name:    string(w.GetName()),
		Version: d.id(w.GetVersion()),
		Null:    w.GetNull(),
		Mask:    holdfast.Aspect(d.u8(w.GetMask())),
		Entry:   d.entry(w.GetEntry()),
		If:      d.conditions(w.GetIf()),
		Bypass:  w.GetBypass(),
	}
}
