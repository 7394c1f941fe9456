package namerpc

import (
	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

// uploadOpToWire converts the operations on multipart uploads; nil for any other.
func uploadOpToWire(op holdfast.Op) *namepb.Op {
	switch o := op.(type) {
	case holdfast.CreateUpload:
		w := &namepb.CreateUpload{Dir: idToWire(o.Dir), Name: []byte(o.Name), Upload: uploadToWire(&o.Upload)}
		return &namepb.Op{Op: &namepb.Op_CreateUpload{CreateUpload: w}}
	case holdfast.PutPart:
		w := &namepb.PutPart{Dir: idToWire(o.Dir), Name: []byte(o.Name), Upload: idToWire(o.Upload), Part: partToWire(&o.Part), Bucket: checkToWire(o.Bucket)}
		return &namepb.Op{Op: &namepb.Op_PutPart{PutPart: w}}
	case holdfast.CompleteUpload:
		return &namepb.Op{Op: &namepb.Op_CompleteUpload{CompleteUpload: completeToWire(&o)}}
	case holdfast.AbortUpload:
		w := &namepb.AbortUpload{Dir: idToWire(o.Dir), Name: []byte(o.Name), Upload: idToWire(o.Upload)}
		return &namepb.Op{Op: &namepb.Op_AbortUpload{AbortUpload: w}}
	case holdfast.IndexUpload:
		w := &namepb.IndexUpload{Root: idToWire(o.Root), Key: []byte(o.Key), Upload: uploadToWire(&o.Upload)}
		return &namepb.Op{Op: &namepb.Op_IndexUpload{IndexUpload: w}}
	case holdfast.UnindexUpload:
		w := &namepb.UnindexUpload{Root: idToWire(o.Root), Key: []byte(o.Key), Upload: idToWire(o.Upload)}
		return &namepb.Op{Op: &namepb.Op_UnindexUpload{UnindexUpload: w}}
	}
	return nil
}

func (d *decoder) uploadOp(w *namepb.Op) holdfast.Op {
	switch o := w.GetOp().(type) {
	case *namepb.Op_CreateUpload:
		w := o.CreateUpload
		return holdfast.CreateUpload{Dir: d.id(w.GetDir()), Name: string(w.GetName()), Upload: d.upload(w.GetUpload())}
	case *namepb.Op_PutPart:
		w := o.PutPart
		return holdfast.PutPart{
			Dir: d.id(w.GetDir()), Name: string(w.GetName()), Upload: d.id(w.GetUpload()), Part: d.part(w.GetPart()),
			Bucket: d.check(w.GetBucket()),
		}
	case *namepb.Op_CompleteUpload:
		return d.complete(o.CompleteUpload)
	case *namepb.Op_AbortUpload:
		w := o.AbortUpload
		return holdfast.AbortUpload{Dir: d.id(w.GetDir()), Name: string(w.GetName()), Upload: d.id(w.GetUpload())}
	case *namepb.Op_IndexUpload:
		w := o.IndexUpload
		return holdfast.IndexUpload{Root: d.id(w.GetRoot()), Key: string(w.GetKey()), Upload: d.upload(w.GetUpload())}
	case *namepb.Op_UnindexUpload:
		w := o.UnindexUpload
		return holdfast.UnindexUpload{Root: d.id(w.GetRoot()), Key: string(w.GetKey()), Upload: d.id(w.GetUpload())}
	}
	d.fail(errOp)
	return nil
}

func completeToWire(o *holdfast.CompleteUpload) *namepb.CompleteUpload {
	return &namepb.CompleteUpload{
		Dir:        idToWire(o.Dir),
		Name:       []byte(o.Name),
		Upload:     idToWire(o.Upload),
		Parts:      manyToWire(o.Parts, completedPartToWire),
		MinPart:    o.MinPart,
		Checksum:   checksumToWire(o.Checksum),
		Versioning: uint32(o.Versioning),
		If:         conditionsToWire(&o.If),
		Bucket:     checkToWire(o.Bucket),
	}
}

func (d *decoder) complete(w *namepb.CompleteUpload) holdfast.CompleteUpload {
	return holdfast.CompleteUpload{
		Dir:        d.id(w.GetDir()),
		Name:       string(w.GetName()),
		Upload:     d.id(w.GetUpload()),
		Parts:      manyFromWire(w.GetParts(), d.completedPart),
		MinPart:    w.GetMinPart(),
		Checksum:   d.checksum(w.GetChecksum()),
		Versioning: holdfast.Versioning(d.u8(w.GetVersioning())),
		If:         d.conditions(w.GetIf()),
		Bucket:     d.check(w.GetBucket()),
	}
}

func completedPartToWire(p *holdfast.CompletedPart) *namepb.CompletedPart {
	return &namepb.CompletedPart{Number: int64(p.Number), Etag: etagToWire(p.ETag), Checksum: checksumToWire(p.Checksum)}
}

func (d *decoder) completedPart(w *namepb.CompletedPart) holdfast.CompletedPart {
	return holdfast.CompletedPart{
		Number:   int(w.GetNumber()),
		ETag:     d.etag(w.GetEtag()),
		Checksum: d.checksum(w.GetChecksum()),
	}
}
