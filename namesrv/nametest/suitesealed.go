package nametest

import (
	"reflect"

	"holdfast"
)

// sealedEntries checks entries whose links are longer than what they hold, which no other entry's may be.
func sealedEntries(w *world) {
	e := w.entry(w.root, 100)
	e.Content.Link.Size = 148
	w.refuse(holdfast.Invalid, holdfast.PutEntry{Dir: w.root, Name: "e", Entry: e})
	e.Sealed = []byte("how")
	stored := w.do(holdfast.PutEntry{Dir: w.root, Name: "e", Entry: e})[0].Entry
	e.Version, e.Modified, e.Null = stored.Version, stored.Modified, stored.Null
	if got := w.find(w.root, "e"); !reflect.DeepEqual(stored, e) || !reflect.DeepEqual(got, e) {
		w.Errorf("got %+v and %+v, want %+v", stored, got, e)
	}
	w.want("listed size", w.page(holdfast.ListRequest{Dir: w.root}).Items[0].Entry.Size, 100)
	w.want("usage", w.usage(w.root).Bytes, 100)
	short := w.entry(w.root, 100)
	short.Sealed, short.Content.Link.Size = e.Sealed, 99
	w.refuse(holdfast.Invalid, holdfast.PutEntry{Dir: w.root, Name: "short", Entry: short})

	plain, id := holdfast.UploadID{1}, holdfast.UploadID{2}
	part := holdfast.Part{Number: 1, Size: 10, Link: w.link(w.root, 58), ETag: etag(1)}
	w.do(holdfast.CreateUpload{Dir: w.root, Name: "m", Upload: holdfast.Upload{ID: plain}})
	w.refuse(holdfast.Invalid, holdfast.PutPart{Dir: w.root, Name: "m", Upload: plain, Part: part})
	w.do(holdfast.CreateUpload{Dir: w.root, Name: "m", Upload: holdfast.Upload{ID: id, Entry: holdfast.Entry{Sealed: e.Sealed}}})
	w.do(holdfast.PutPart{Dir: w.root, Name: "m", Upload: id, Part: part})
	got := w.do(holdfast.CompleteUpload{Dir: w.root, Name: "m", Upload: id, Parts: complete(part)})[0].Entry
	w.want("size, sealed", [2]any{got.Size, string(got.Sealed)}, [2]any{10, "how"})
	if want := (holdfast.PartTable{part}); !reflect.DeepEqual(w.find(w.root, "m").Content.Parts, want) {
		w.Errorf("parts: got %+v, want %+v", got.Content.Parts, want)
	}
}
