package namerpc

import (
	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

func lookupToWire(q *holdfast.Lookup) *namepb.Lookup {
	w := &namepb.Lookup{
		Dir:     idToWire(q.Dir),
		Want:    uint32(q.Want),
		Name:    []byte(q.Name),
		Version: idToWire(q.Version),
		Null:    q.Null,
		Upload:  idToWire(q.Upload),
		After:   int64(q.After),
		Limit:   int64(q.Limit),
	}
	for _, name := range q.Path {
		w.Path = append(w.Path, []byte(name))
	}
	return w
}

func (d *decoder) lookup(w *namepb.Lookup) holdfast.Lookup {
	q := holdfast.Lookup{
		Dir:     d.id(w.GetDir()),
		Want:    holdfast.Want(d.u8(w.GetWant())),
		Name:    string(w.GetName()),
		Version: d.id(w.GetVersion()),
		Null:    w.GetNull(),
		Upload:  d.id(w.GetUpload()),
		After:   int(w.GetAfter()),
		Limit:   int(w.GetLimit()),
	}
	for _, name := range w.GetPath() {
		q.Path = append(q.Path, string(name))
	}
	return q
}

func answerToWire(a *holdfast.Answer) *namepb.Answer {
	w := &namepb.Answer{
		Error: errorToWire(a.Err),
		Entry: someEntryToWire(&a.Entry),
		State: dirStateToWire(&a.State),
		Parts: manyToWire(a.Parts, uploadedPartToWire),
		More:  a.More,
	}
	bucket, upload := bucketToWire(&a.Bucket), uploadToWire(&a.Upload)
	w.Bucket, w.Upload = sparse(bucket.Root, bucket), sparse(upload.Id, upload)
	for i := range a.Dirs {
		w.Dirs = append(w.Dirs, a.Dirs[i][:])
	}
	return w
}

func (d *decoder) answer(w *namepb.Answer) holdfast.Answer {
	a := holdfast.Answer{
		Err:    errorFromWire(w.GetError()),
		Entry:  d.entry(w.GetEntry()),
		State:  d.dirState(w.GetState()),
		Bucket: d.bucket(w.GetBucket()),
		Upload: d.upload(w.GetUpload()),
		Parts:  manyFromWire(w.GetParts(), d.uploadedPart),
		More:   w.GetMore(),
	}
	for _, dir := range w.GetDirs() {
		a.Dirs = append(a.Dirs, d.id(dir))
	}
	return a
}

func dirStateToWire(s *holdfast.DirState) *namepb.DirState {
	if *s == (holdfast.DirState{}) {
		return nil
	}
	return &namepb.DirState{
		Parent:  idToWire(s.Parent),
		Name:    []byte(s.Name),
		Bucket:  idToWire(s.Bucket),
		Entries: s.Entries,
		Visible: s.Visible,
		Sealed:  s.Sealed,
	}
}

func (d *decoder) dirState(w *namepb.DirState) holdfast.DirState {
	if w == nil {
		return holdfast.DirState{}
	}
	return holdfast.DirState{
		Parent:  d.id(w.Parent),
		Name:    string(w.Name),
		Bucket:  d.id(w.Bucket),
		Entries: w.Entries,
		Visible: w.Visible,
		Sealed:  w.Sealed,
	}
}
