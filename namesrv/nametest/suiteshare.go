package nametest

import "holdfast"

// share sets a share and returns what the reply tells: share, epoch, bytes in use.
func (w *world) share(op holdfast.SetShare) [3]int64 {
	w.Helper()
	op.Dir, op.Root = holdfast.NewDirID(w.slot, [16]byte{}), w.root
	r := w.do(op)[0]
	return [3]int64{r.Share, int64(r.Epoch), r.Usage.Bytes + r.Usage.UploadBytes}
}

func shares(w *world) {
	d := w.mkdir(w.root, "d/")
	put := func(name string, size int64) holdfast.PutEntry {
		return holdfast.PutEntry{Dir: d, Name: name, Entry: w.entry(d, size)}
	}
	w.want("none", w.share(holdfast.SetShare{}), [3]int64{holdfast.NoShare, 0, 0})
	w.do(put("a", 60))
	w.want("set", w.share(holdfast.SetShare{Epoch: 5, Share: 100}), [3]int64{100, 5, 60})
	w.full(put("b", 41))
	w.full(put("b", 30), put("c", 11))
	w.want("nothing stays of a refusal", w.usage(w.root), holdfast.Usage{Objects: 1, Versions: 1, Bytes: 60})
	last := put("b", 40)
	w.do(last)
	w.do(last) // a retry is answered as done
	w.full(put("c", 1))
	w.do(put("empty", 0))
	w.do(put("a", 60)) // in place of as much
	w.full(put("a", 61))
	w.do(put("a", 10), put("c", 50)) // the sum counts
	w.do(holdfast.DeleteEntry{Dir: d, Name: "b"})
	w.want("before", w.share(holdfast.SetShare{Epoch: 4, Share: 1000}), [3]int64{100, 5, 60})
	w.want("lower", w.share(holdfast.SetShare{Epoch: 5, Share: 80, Lower: true}), [3]int64{80, 5, 60})
	w.want("never raised", w.share(holdfast.SetShare{Epoch: 6, Share: 90, Lower: true}), [3]int64{80, 6, 60})
	w.want("not below what is used", w.share(holdfast.SetShare{Epoch: 7, Share: 0, Lower: true}), [3]int64{60, 7, 60})
	w.want("below it", w.share(holdfast.SetShare{Epoch: 7, Share: 20}), [3]int64{20, 7, 60})
	w.do(put("c", 45))
	w.full(put("c", 46))
	w.want("removed", w.share(holdfast.SetShare{Epoch: 8, Share: holdfast.NoShare}), [3]int64{holdfast.NoShare, 0, 55})
	w.do(put("c", 1000))
	w.want("first lowered", w.share(holdfast.SetShare{Epoch: 9, Share: 5, Lower: true}), [3]int64{1010, 9, 1010})
	w.refuse(holdfast.Invalid, holdfast.SetShare{Dir: d, Epoch: 1})
	w.refuse(holdfast.NotOwner, holdfast.SetShare{Dir: holdfast.NewDirID(Foreign, [16]byte{}), Root: w.root})
}

func sharesOfUploads(w *world) {
	id := holdfast.UploadID{3}
	parts := w.startUpload(w.root, "m", id, 3)
	w.want("set", w.share(holdfast.SetShare{Epoch: 2, Share: 35}), [3]int64{35, 2, 30})
	fourth := holdfast.PutPart{Dir: w.root, Name: "m", Upload: id, Part: holdfast.Part{Number: 4, Size: 6, Link: w.link(w.root, 6)}}
	w.full(fourth)
	fourth.Part.Number = 1 // in place of ten bytes
	w.do(fourth)
	w.do(holdfast.CompleteUpload{Dir: w.root, Name: "m", Upload: id, Parts: complete(parts[1:]...)})
	w.want("unlisted parts are gone", w.share(holdfast.SetShare{}), [3]int64{35, 2, 20})
	w.do(holdfast.PutEntry{Dir: w.root, Name: "m", Entry: w.entry(w.root, 15), Versioning: holdfast.VersioningEnabled})
	w.full(holdfast.PutEntry{Dir: w.root, Name: "m", Entry: w.entry(w.root, 1), Versioning: holdfast.VersioningEnabled})
	w.do(holdfast.DeleteEntry{Dir: w.root, Name: "m", Versioning: holdfast.VersioningEnabled}) // a marker takes nothing
}

func sharesOfOthers(w *world) {
	said := holdfast.BucketCheck{Root: w.root, Quota: true}
	id := holdfast.UploadID{4}
	w.do(holdfast.CreateUpload{Dir: w.root, Name: "m", Upload: holdfast.Upload{ID: id}})
	part := holdfast.PutPart{Dir: w.root, Name: "m", Upload: id, Part: holdfast.Part{Number: 1, Size: 6, Link: w.link(w.root, 6)}, Bucket: said}
	put := holdfast.PutEntry{Dir: w.root, Name: "a", Entry: w.entry(w.root, 9), Bucket: said}
	w.full(put)
	w.full(part)
	w.do(holdfast.PutEntry{Dir: w.root, Name: "empty", Entry: w.entry(w.root, 0), Bucket: said})
	w.share(holdfast.SetShare{Epoch: 1, Share: 15})
	w.do(put)
	w.do(part)
	other := w.root
	w.root = w.bucket("other/")
	w.put(w.root, "a") // has no quota
	w.want("other", w.share(holdfast.SetShare{}), [3]int64{holdfast.NoShare, 0, 10})
	w.root = other
	w.do(holdfast.AbortUpload{Dir: w.root, Name: "m", Upload: id})
	w.want("after abort", w.share(holdfast.SetShare{}), [3]int64{15, 1, 9})
}

// full runs one transaction that must be too much for the share; no operation in particular is to blame.
func (w *world) full(ops ...holdfast.Op) {
	w.Helper()
	if r := w.try(ops...); !holdfast.Is(r.Err, holdfast.QuotaExceeded) || r.Failed != -1 {
		w.Errorf("over the share: got %v of operation %d", r.Err, r.Failed)
	}
}
