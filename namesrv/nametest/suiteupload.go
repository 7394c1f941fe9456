package nametest

import (
	"crypto/md5"
	"reflect"
	"strings"

	"holdfast"
)

// startUpload creates an upload of parts 1 to n, of 10 bytes each, and returns them.
func (w *world) startUpload(d holdfast.DirID, name string, id holdfast.UploadID, n int) (parts []holdfast.Part) {
	w.Helper()
	w.do(holdfast.CreateUpload{Dir: d, Name: name, Upload: holdfast.Upload{ID: id, Initiator: "i", Entry: holdfast.Entry{
		Owner: "o", StorageClass: "C", Headers: []holdfast.Header{{Name: "a", Value: "b"}},
	}}})
	for i := range n {
		p := holdfast.Part{Number: i + 1, Size: 10, Link: w.link(d, 10), ETag: etag(uint64(i))}
		p.Checksum = holdfast.Checksum{Algorithm: holdfast.CRC32, Value: "abcd"}
		w.do(holdfast.PutPart{Dir: d, Name: name, Upload: id, Part: p})
		parts = append(parts, p)
	}
	return parts
}

func complete(parts ...holdfast.Part) (cs []holdfast.CompletedPart) {
	for _, p := range parts {
		cs = append(cs, holdfast.CompletedPart{Number: p.Number, ETag: p.ETag})
	}
	return cs
}

func multipart(w *world) {
	id := holdfast.UploadID{1}
	parts := w.startUpload(w.root, "m", id, 4)
	w.want("no object yet", w.listed(holdfast.ListRequest{Dir: w.root}), "")
	w.want("entries", w.state(w.root).Entries, 1)
	a := w.lookup(holdfast.Lookup{Dir: w.root, Want: holdfast.WantParts, Name: "m", Upload: id, After: 1, Limit: 2})
	if a.Err != nil || len(a.Parts) != 2 || !a.More || !reflect.DeepEqual(a.Parts[0].Part, parts[1]) || a.Parts[0].Modified.IsZero() {
		w.Errorf("parts: got %+v", a)
	}
	if a.Upload.Initiator != "i" || a.Upload.Entry.StorageClass != "C" || a.Upload.Initiated.IsZero() || a.Upload.ID != id {
		w.Errorf("upload: got %+v", a.Upload)
	}
	parts[2].Link = w.link(w.root, 10)
	w.do(holdfast.PutPart{Dir: w.root, Name: "m", Upload: id, Part: parts[2]})
	sum := holdfast.Checksum{Algorithm: holdfast.CRC64NVME, Value: "12345678"}
	r := w.do(holdfast.CompleteUpload{Dir: w.root, Name: "m", Upload: id, Parts: complete(parts[0], parts[2]), MinPart: 10, Checksum: sum})[0]
	w.want("created", r.Created, true)
	e := w.find(w.root, "m")
	if !reflect.DeepEqual(e, r.Entry) {
		w.Errorf("reply and lookup differ: %+v, %+v", r.Entry, e)
	}
	digest := md5.Sum(append(append([]byte{}, parts[0].ETag.Digest[:]...), parts[2].ETag.Digest[:]...))
	w.want("etag", e.ETag, holdfast.ETag{Digest: digest, Parts: 2})
	w.want("size, class, checksum", [3]any{e.Size, e.StorageClass, e.Checksum}, [3]any{20, "C", sum})
	parts[2].Offset = 10
	if want := (holdfast.PartTable{parts[0], parts[2]}); !reflect.DeepEqual(e.Content.Parts, want) {
		w.Errorf("parts: got %+v, want %+v", e.Content.Parts, want)
	}
	w.want("usage", w.usage(w.root), holdfast.Usage{Objects: 1, Versions: 1, Bytes: 20})
	w.want("entries after", w.state(w.root).Entries, 1)
	w.missing(holdfast.NoSuchUpload, holdfast.Lookup{Dir: w.root, Want: holdfast.WantUpload, Name: "m", Upload: id})
}

func multipartErrors(w *world) {
	id := holdfast.UploadID{1}
	none := holdfast.UploadID{2}
	parts := w.startUpload(w.root, "m", id, 3)
	try := func(kind holdfast.Kind, cs []holdfast.CompletedPart, min int64) {
		w.Helper()
		w.refuse(kind, holdfast.CompleteUpload{Dir: w.root, Name: "m", Upload: id, Parts: cs, MinPart: min})
	}
	try(holdfast.Invalid, nil, 0)
	try(holdfast.Invalid, complete(parts[1], parts[0]), 0)
	try(holdfast.Invalid, complete(parts[0], parts[0]), 0)
	try(holdfast.InvalidPart, complete(holdfast.Part{Number: 9}), 0)
	try(holdfast.InvalidPart, complete(holdfast.Part{Number: 1, ETag: etag(99)}), 0)
	try(holdfast.InvalidPart, []holdfast.CompletedPart{{Number: 1, ETag: parts[0].ETag, Checksum: holdfast.Checksum{Algorithm: holdfast.CRC32, Value: "xxxx"}}}, 0)
	try(holdfast.PartTooSmall, complete(parts...), 11)
	w.refuse(holdfast.NoSuchUpload, holdfast.CompleteUpload{Dir: w.root, Name: "m", Upload: none, Parts: complete(parts...)})
	w.refuse(holdfast.NoSuchUpload, holdfast.CompleteUpload{Dir: w.root, Name: "other", Upload: id, Parts: complete(parts...)})
	w.refuse(holdfast.NoSuchUpload, holdfast.AbortUpload{Dir: w.root, Name: "m", Upload: none})
	w.refuse(holdfast.NoSuchUpload, holdfast.PutPart{Dir: w.root, Name: "m", Upload: none, Part: parts[0]})
	for _, number := range []int{0, -1, holdfast.MaxParts + 1} {
		w.refuse(holdfast.Invalid, holdfast.PutPart{Dir: w.root, Name: "m", Upload: id, Part: holdfast.Part{Number: number}})
	}
	w.do(holdfast.AbortUpload{Dir: w.root, Name: "m", Upload: id})
	w.refuse(holdfast.NoSuchUpload, holdfast.AbortUpload{Dir: w.root, Name: "m", Upload: id})
	w.want("entries", w.state(w.root).Entries, 0)
	fates, err := w.s.Settle(ctx, testOS, []holdfast.GuardedObject{{Object: parts[0].Link.Object, Home: w.root.Slot()}})
	if err != nil || fates[0] != holdfast.FateDoomed {
		w.Errorf("fate of an aborted part: got %v, %v", fates, err)
	}
}

func multipartRetried(w *world) {
	id := holdfast.UploadID{1}
	parts := w.startUpload(w.root, "m", id, 20)
	w.do(holdfast.CreateUpload{Dir: w.root, Name: "m", Upload: holdfast.Upload{ID: id}})
	w.do(holdfast.PutPart{Dir: w.root, Name: "m", Upload: id, Part: parts[0]})
	w.want("entries", w.state(w.root).Entries, 1)
	op := holdfast.CompleteUpload{Dir: w.root, Name: "m", Upload: id, Parts: complete(parts...), Versioning: holdfast.VersioningEnabled}
	first, second := w.do(op)[0], w.do(op)[0]
	if !reflect.DeepEqual(first, second) {
		w.Errorf("second reply: got %+v, want %+v", second, first)
	}
	w.put(w.root, "m")
	third := w.do(op)[0]
	w.want("after an overwrite", [2]any{third.Entry.Version, third.Entry.ETag}, [2]any{first.Entry.Version, first.Entry.ETag})
	w.refuse(holdfast.NoSuchUpload, holdfast.PutPart{Dir: w.root, Name: "m", Upload: id, Part: parts[0]})
}

func uploadIndex(w *world) {
	keys := []string{"a/b", "a", "a", "c\x00"}
	for i, key := range keys {
		w.do(holdfast.IndexUpload{Root: w.root, Key: key, Upload: holdfast.Upload{ID: holdfast.UploadID{byte(9 - i)}, Initiator: "i"}})
	}
	r := holdfast.ListRequest{Dir: w.root, What: holdfast.ListUploads}
	w.want("all", w.listed(r), "a a a/b c\x00 ")
	whole := text(w.pages(r, 100))
	w.want("in pages", text(w.pages(r, 1)), whole)
	items := w.page(r).Items
	if u := items[0].Upload; u == nil || u.ID != (holdfast.UploadID{7}) || u.Initiator != "i" || u.Initiated.IsZero() {
		w.Errorf("first: got %+v", items[0])
	}
	r.Prefix = "a/"
	w.want("prefix", w.listed(r), "a/b ")
	w.want("not entries", w.state(w.root).Entries, 0)
	w.do(holdfast.UnindexUpload{Root: w.root, Key: "a", Upload: holdfast.UploadID{7}})
	w.do(holdfast.UnindexUpload{Root: w.root, Key: "a", Upload: holdfast.UploadID{7}})
	r.Prefix = ""
	w.want("after one went", w.listed(r), "a a/b c\x00 ")
	d := w.mkdir(w.root, "d/")
	w.refuse(holdfast.Invalid, holdfast.IndexUpload{Root: d, Key: "x"})
	w.refuse(holdfast.TooLarge, holdfast.IndexUpload{Root: w.root, Key: strings.Repeat("k", holdfast.MaxName+1)})
	w.startUpload(d, "u", holdfast.UploadID{1}, 0)
	w.want("of a directory", w.listed(holdfast.ListRequest{Dir: d, What: holdfast.ListUploads}), "u ")
}

func settle(w *world) {
	kept, lost, gone := w.entry(w.root, 1), w.entry(w.root, 2), w.entry(w.root, 3)
	w.do(holdfast.PutEntry{Dir: w.root, Name: "kept", Entry: kept})
	w.do(holdfast.PutEntry{Dir: w.root, Name: "gone", Entry: gone})
	w.do(holdfast.DeleteEntry{Dir: w.root, Name: "gone"})
	ask := []holdfast.GuardedObject{
		{Object: kept.Content.Link.Object, Home: w.root.Slot()},
		{Object: lost.Content.Link.Object, Home: w.root.Slot()},
		{Object: gone.Content.Link.Object, Home: w.root.Slot()},
	}
	fates, err := w.s.Settle(ctx, testOS, ask)
	want := []holdfast.Fate{holdfast.FateCommitted, holdfast.FateDoomed, holdfast.FateDoomed}
	if err != nil || !reflect.DeepEqual(fates, want) {
		w.Fatalf("fates: got %v, %v, want %v", fates, err, want)
	}
	w.refuse(holdfast.Doomed, holdfast.PutEntry{Dir: w.root, Name: "lost", Entry: lost})
	w.want("kept", w.find(w.root, "kept").Size, 1)
	w.do(holdfast.DeleteEntry{Dir: w.root, Name: "kept"})
	w.refuse(holdfast.Doomed, holdfast.PutEntry{Dir: w.root, Name: "x", Entry: kept})
}
