package namerpc

import (
	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

// dirOpToWire converts the operations on directories, buckets, intents and shares; nil for any other.
func dirOpToWire(op holdfast.Op) *namepb.Op {
	switch o := op.(type) {
	case holdfast.MakeDir:
		return &namepb.Op{Op: &namepb.Op_MakeDir{MakeDir: makeDirToWire(&o)}}
	case holdfast.LinkDir:
		w := &namepb.LinkDir{Parent: idToWire(o.Parent), Name: []byte(o.Name), Child: idToWire(o.Child), Exclusive: o.Exclusive}
		return &namepb.Op{Op: &namepb.Op_LinkDir{LinkDir: w}}
	case holdfast.UnlinkDir:
		w := &namepb.UnlinkDir{Parent: idToWire(o.Parent), Name: []byte(o.Name), Child: idToWire(o.Child)}
		return &namepb.Op{Op: &namepb.Op_UnlinkDir{UnlinkDir: w}}
	case holdfast.SealDir:
		return &namepb.Op{Op: &namepb.Op_SealDir{SealDir: &namepb.SealDir{Dir: idToWire(o.Dir), Doom: o.Doom}}}
	case holdfast.DropDir:
		return &namepb.Op{Op: &namepb.Op_DropDir{DropDir: &namepb.DropDir{Dir: idToWire(o.Dir)}}}
	case holdfast.SetBucket:
		return &namepb.Op{Op: &namepb.Op_SetBucket{SetBucket: setBucketToWire(&o)}}
	case holdfast.DropIntent:
		w := &namepb.DropIntent{Dir: idToWire(o.Dir), Slot: uint32(o.ID.Slot), Seq: o.ID.Seq}
		return &namepb.Op{Op: &namepb.Op_DropIntent{DropIntent: w}}
	case holdfast.SetShare:
		w := &namepb.SetShare{Dir: idToWire(o.Dir), Root: idToWire(o.Root), Epoch: o.Epoch, Share: o.Share, Lower: o.Lower}
		return &namepb.Op{Op: &namepb.Op_SetShare{SetShare: w}}
	}
	return nil
}

func (d *decoder) dirOp(w *namepb.Op) holdfast.Op {
	switch o := w.GetOp().(type) {
	case *namepb.Op_MakeDir:
		return d.makeDir(o.MakeDir)
	case *namepb.Op_LinkDir:
		w := o.LinkDir
		return holdfast.LinkDir{Parent: d.id(w.GetParent()), Name: string(w.GetName()), Child: d.id(w.GetChild()), Exclusive: w.GetExclusive()}
	case *namepb.Op_UnlinkDir:
		w := o.UnlinkDir
		return holdfast.UnlinkDir{Parent: d.id(w.GetParent()), Name: string(w.GetName()), Child: d.id(w.GetChild())}
	case *namepb.Op_SealDir:
		return holdfast.SealDir{Dir: d.id(o.SealDir.GetDir()), Doom: o.SealDir.GetDoom()}
	case *namepb.Op_DropDir:
		return holdfast.DropDir{Dir: d.id(o.DropDir.GetDir())}
	case *namepb.Op_SetBucket:
		return d.setBucket(o.SetBucket)
	case *namepb.Op_DropIntent:
		w := o.DropIntent
		return holdfast.DropIntent{Dir: d.id(w.GetDir()), ID: holdfast.IntentID{Slot: d.slot(w.GetSlot()), Seq: w.GetSeq()}}
	case *namepb.Op_SetShare:
		w := o.SetShare
		return holdfast.SetShare{
			Dir: d.id(w.GetDir()), Root: d.id(w.GetRoot()), Epoch: w.GetEpoch(), Share: w.GetShare(), Lower: w.GetLower(),
		}
	}
	d.fail(errOp) // none, or one of a newer peer
	return nil
}

func makeDirToWire(o *holdfast.MakeDir) *namepb.MakeDir {
	w := &namepb.MakeDir{
		Dir:    idToWire(o.Dir),
		Parent: idToWire(o.Parent),
		Name:   []byte(o.Name),
		Root:   idToWire(o.Root),
	}
	if o.Bucket != nil {
		w.Bucket = bucketToWire(o.Bucket)
	}
	return w
}

func (d *decoder) makeDir(w *namepb.MakeDir) holdfast.MakeDir {
	o := holdfast.MakeDir{
		Dir:    d.id(w.GetDir()),
		Parent: d.id(w.GetParent()),
		Name:   string(w.GetName()),
		Root:   d.id(w.GetRoot()),
	}
	if w.GetBucket() != nil {
		b := d.bucket(w.Bucket)
		o.Bucket = &b
	}
	return o
}

func setBucketToWire(o *holdfast.SetBucket) *namepb.SetBucket {
	w := &namepb.SetBucket{
		Root:       idToWire(o.Root),
		Epoch:      o.Epoch,
		ObjectLock: o.ObjectLock,
		Settings:   settingsToWire(o.Settings),
	}
	if o.Owner != nil {
		w.Owner = []byte(*o.Owner)
	}
	if o.Versioning != nil {
		n := uint32(*o.Versioning)
		w.Versioning = &n
	}
	return w
}

func (d *decoder) setBucket(w *namepb.SetBucket) holdfast.SetBucket {
	o := holdfast.SetBucket{Root: d.id(w.GetRoot()), Epoch: w.GetEpoch(), Settings: settingsFromWire(w.GetSettings())}
	if w == nil {
		return o
	}
	o.ObjectLock = w.ObjectLock
	if w.Owner != nil {
		s := string(w.Owner)
		o.Owner = &s
	}
	if w.Versioning != nil {
		v := holdfast.Versioning(d.u8(*w.Versioning))
		o.Versioning = &v
	}
	return o
}
