package nametest

import (
	"context"
	"reflect"
	"time"

	"holdfast"
)

func directories(w *world) {
	a := w.mkdir(w.root, "a/")
	b := w.mkdir(a, "b/")
	w.put(w.root, "a")
	w.put(b, "")
	q := holdfast.Lookup{Dir: holdfast.VolumeRoot, Path: []string{"bucket/", "a/", "b/"}}
	got := w.lookup(q)
	if got.Err != nil || !reflect.DeepEqual(got.Dirs, []holdfast.DirID{w.root, a, b}) {
		w.Errorf("walk: got %v, %v", got.Dirs, got.Err)
	}
	q.Path = []string{"bucket/", "a/", "x/", "y/"}
	if got := w.missing(holdfast.NotFound, q); len(got.Dirs) != 2 {
		w.Errorf("broken walk: got %v", got.Dirs)
	}
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Name: "a/"})
	s := w.state(b)
	if s.Parent != a || s.Name != "b/" || s.Bucket != w.root || s.Entries != 1 || s.Visible != 1 {
		w.Errorf("state: got %+v", s)
	}
	w.want("entries", w.state(w.root).Entries, 2)

	other := w.newDir(9)
	w.do(holdfast.MakeDir{Dir: other, Parent: w.root, Name: "a/", Root: w.root})
	w.want("linked already", w.do(holdfast.LinkDir{Parent: w.root, Name: "a/", Child: other})[0].Dir, a)
	w.refuse(holdfast.Exists, holdfast.LinkDir{Parent: w.root, Name: "a/", Child: other, Exclusive: true})
	w.want("the same again", w.do(holdfast.LinkDir{Parent: w.root, Name: "a/", Child: a, Exclusive: true})[0].Dir, a)
	w.do(holdfast.UnlinkDir{Parent: w.root, Name: "a/", Child: other})
	w.want("not that child", w.state(w.root).Entries, 2)
	w.do(holdfast.UnlinkDir{Parent: w.root, Name: "a/", Child: a}, holdfast.LinkDir{Parent: w.root, Name: "z/", Child: a}) // a rename
	w.want("renamed", w.state(a).Name, "z/")
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Path: []string{"a/"}})
}

func directoryLife(w *world) {
	d := w.newDir(100)
	make := holdfast.MakeDir{Dir: d, Parent: w.root, Name: "d/", Root: w.root}
	w.do(make)
	w.do(make)
	w.refuse(holdfast.Invalid, holdfast.DropDir{Dir: d})
	w.do(holdfast.LinkDir{Parent: w.root, Name: "d/", Child: d})
	w.put(d, "x")
	w.refuse(holdfast.NotEmpty, holdfast.SealDir{Dir: d})
	w.do(holdfast.DeleteEntry{Dir: d, Name: "x"})
	w.do(holdfast.SealDir{Dir: d})
	w.do(holdfast.SealDir{Dir: d})
	w.do(holdfast.UnlinkDir{Parent: w.root, Name: "d/", Child: d})
	w.do(holdfast.DropDir{Dir: d})
	w.do(holdfast.DropDir{Dir: d})
	w.missing(holdfast.DirGone, holdfast.Lookup{Dir: d, Name: "x"})
	w.refuse(holdfast.DirGone, holdfast.SealDir{Dir: d})
	w.refuse(holdfast.Invalid, holdfast.SealDir{Dir: holdfast.VolumeRoot})
	w.want("entries", w.state(w.root).Entries, 0)
}

func sealed(w *world) {
	d := w.mkdir(w.root, "d/")
	id := holdfast.UploadID{1}
	w.do(holdfast.CreateUpload{Dir: d, Name: "u", Upload: holdfast.Upload{ID: id}})
	w.refuse(holdfast.NotEmpty, holdfast.SealDir{Dir: d})
	w.do(holdfast.SealDir{Dir: d, Doom: true})
	for _, op := range []holdfast.Op{
		holdfast.PutEntry{Dir: d, Name: "x"},
		holdfast.DeleteEntry{Dir: d, Name: "x"},
		holdfast.SetEntry{Dir: d, Name: "x"},
		holdfast.MakeDir{Dir: d, Name: "d/", Root: w.root},
		holdfast.LinkDir{Parent: d, Name: "x/", Child: w.root},
		holdfast.LinkDir{Parent: w.root, Name: "again/", Child: d},
		holdfast.UnlinkDir{Parent: d, Name: "x/", Child: w.root},
		holdfast.CreateUpload{Dir: d, Name: "x"},
		holdfast.PutPart{Dir: d, Name: "u", Upload: id},
		holdfast.CompleteUpload{Dir: d, Name: "u", Upload: id},
		holdfast.AbortUpload{Dir: d, Name: "u", Upload: id},
		holdfast.SetBucket{Root: d},
	} {
		w.refuse(holdfast.DirGone, op)
	}
	for _, want := range []holdfast.Want{holdfast.WantEntry, holdfast.WantBucket, holdfast.WantUpload, holdfast.WantParts} {
		w.missing(holdfast.DirGone, holdfast.Lookup{Dir: d, Want: want})
	}
	a := w.missing(holdfast.DirGone, holdfast.Lookup{Dir: w.root, Path: []string{"d/"}, Want: holdfast.WantDir})
	w.want("sealed", a.State.Sealed && len(a.Dirs) == 1, true)
	ps, err := w.s.List(ctx, []holdfast.ListRequest{{Dir: d, Limit: 1}})
	if err != nil || !holdfast.Is(ps[0].Err, holdfast.DirGone) {
		w.Errorf("list: got %v, %v", ps, err)
	}
}

func foreignSlots(w *world) {
	far := w.newDir(Foreign)
	w.refuse(holdfast.NotOwner, holdfast.PutEntry{Dir: far, Name: "x"})
	w.refuse(holdfast.NotOwner, holdfast.PutEntry{Dir: w.root, Name: "x", Entry: w.entry(far, 1)})
	w.refuse(holdfast.NotOwner, holdfast.DeleteEntry{Dir: w.root, Name: "x"}, holdfast.DropDir{Dir: far})
	w.missing(holdfast.NotOwner, holdfast.Lookup{Dir: far, Name: "x"})
	w.do(holdfast.LinkDir{Parent: w.root, Name: "far/", Child: far})
	a := w.missing(holdfast.NotOwner, holdfast.Lookup{Dir: w.root, Path: []string{"far/", "b/"}, Name: "x"})
	w.want("walked", a.Dirs, []holdfast.DirID{far})
	ps, err := w.s.List(ctx, []holdfast.ListRequest{{Dir: far, Limit: 1}})
	if err != nil || !holdfast.Is(ps[0].Err, holdfast.NotOwner) {
		w.Errorf("list: got %v, %v", ps, err)
	}
	if _, err := w.s.BucketEpoch(ctx, far); !holdfast.Is(err, holdfast.NotOwner) {
		w.Errorf("bucket epoch: got %v", err)
	}
	if _, err := w.s.Settle(ctx, testOS, []holdfast.GuardedObject{{Home: Foreign}}); !holdfast.Is(err, holdfast.NotOwner) {
		w.Errorf("settle: got %v", err)
	}
}

func buckets(w *world) {
	owner, on, v := "new", true, holdfast.VersioningEnabled
	a := w.lookup(holdfast.Lookup{Dir: w.root, Want: holdfast.WantBucket})
	if b := a.Bucket; a.Err != nil || b.Name != "bucket" || b.Root != w.root || b.Owner != "o" || b.Epoch != 1 || b.Created.IsZero() {
		w.Fatalf("new bucket: got %+v, %v", b, a.Err)
	}
	w.want("epoch", w.do(holdfast.SetBucket{Root: w.root, Owner: &owner, Settings: map[string][]byte{"acl": []byte("x"), "cors": {}}})[0].Epoch, 2)
	w.refuse(holdfast.Conflict, holdfast.SetBucket{Root: w.root, Epoch: 1})
	w.do(holdfast.SetBucket{Root: w.root, Epoch: 2, Versioning: &v, ObjectLock: &on, Settings: map[string][]byte{"acl": nil}})
	b := w.lookup(holdfast.Lookup{Dir: w.root, Want: holdfast.WantBucket}).Bucket
	w.want("owner", b.Owner, owner)
	w.want("versioning", b.Versioning, v)
	w.want("object lock", b.ObjectLock, on)
	if _, ok := b.Settings["acl"]; ok || b.Settings["cors"] == nil || len(b.Settings) != 1 {
		w.Errorf("settings: got %q", b.Settings)
	}
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.mkdir(w.root, "d/"), Want: holdfast.WantBucket})
	w.want("listed", w.listed(holdfast.ListRequest{Dir: holdfast.VolumeRoot}), "bucket/ ")
	w.refuse(holdfast.Invalid, holdfast.MakeDir{Dir: w.newDir(1), Name: "x/", Root: w.root, Bucket: &holdfast.BucketInfo{}})
}

func bucketEpoch(w *world) {
	epoch, err := w.s.BucketEpoch(ctx, w.root)
	if err != nil || epoch != 1 {
		w.Fatalf("epoch: got %d, %v", epoch, err)
	}
	check := holdfast.BucketCheck{Root: w.root, Epoch: epoch}
	d := w.mkdir(w.root, "d/")
	w.do(holdfast.PutEntry{Dir: d, Name: "x", Entry: w.entry(d, 1), Bucket: check})
	w.do(holdfast.SetBucket{Root: w.root})
	if epoch, err = w.s.BucketEpoch(ctx, w.root); err != nil || epoch != 2 {
		w.Errorf("epoch after a change: got %d, %v", epoch, err)
	}
	w.refuse(holdfast.Conflict, holdfast.PutEntry{Dir: d, Name: "x", Entry: w.entry(d, 1), Bucket: check})
	w.refuse(holdfast.Conflict, holdfast.DeleteEntry{Dir: d, Name: "x", Bucket: check})
	w.do(holdfast.DeleteEntry{Dir: d, Name: "x", Bucket: holdfast.BucketCheck{Root: w.newDir(Foreign), Epoch: 77}}) // not checked here

	w.do(holdfast.UnlinkDir{Parent: w.root, Name: "d/", Child: d})
	w.do(holdfast.SealDir{Dir: w.root})
	if _, err = w.s.BucketEpoch(ctx, w.root); !holdfast.Is(err, holdfast.DirGone) {
		w.Errorf("epoch of a sealed bucket: got %v", err)
	}
	w.refuse(holdfast.DirGone, holdfast.DeleteEntry{Dir: d, Name: "x", Bucket: check})
	if _, err = w.s.BucketEpoch(ctx, d); !holdfast.Is(err, holdfast.DirGone) {
		w.Errorf("epoch of a directory: got %v", err)
	}
}

func intents(w *world) {
	all := func(after holdfast.IntentID, limit int) []holdfast.Intent {
		in, err := w.s.Intents(ctx, after, 0, limit)
		if err != nil {
			w.Fatal(err)
		}
		return in
	}
	w.want("after linking", len(all(holdfast.IntentID{}, 10)), 0)
	a, b := w.newDir(5), w.newDir(3)
	w.do(holdfast.MakeDir{Dir: a, Parent: w.root, Name: "a/", Root: w.root})
	w.do(holdfast.MakeDir{Dir: b, Parent: w.root, Name: "b/", Root: w.root})
	in := all(holdfast.IntentID{}, 10)
	if len(in) != 2 || in[0].Dir != b || in[0].Kind != holdfast.IntentLinkDir || in[0].Parent != w.root || in[0].Name != "b/" || in[1].Dir != a {
		w.Fatalf("intents: got %+v", in)
	}
	w.want("one", len(all(holdfast.IntentID{}, 1)), 1)
	w.want("after the first", all(in[0].ID, 10)[0].Dir, a)
	if old, err := w.s.Intents(ctx, holdfast.IntentID{}, time.Hour, 10); err != nil || len(old) != 0 {
		w.Errorf("old ones: got %v, %v", old, err)
	}
	w.do(holdfast.DropIntent{Dir: a, ID: in[1].ID})
	w.do(holdfast.DropIntent{Dir: a, ID: in[1].ID})
	w.do(holdfast.SealDir{Dir: b})
	if in = all(holdfast.IntentID{}, 10); len(in) != 1 || in[0].Kind != holdfast.IntentUnlinkDir || in[0].Dir != b {
		w.Fatalf("after sealing: got %+v", in)
	}
	w.do(holdfast.DropDir{Dir: b})
	w.want("after dropping", len(all(holdfast.IntentID{}, 10)), 0)
	st, err := w.s.Status(ctx)
	w.want("status", [2]any{st.Intents, err}, [2]any{0, nil})
	if _, err := w.s.Intents(ctx, holdfast.IntentID{}, 0, 0); !holdfast.Is(err, holdfast.Invalid) {
		w.Errorf("limit 0: got %v", err)
	}
}

func (w *world) usage(root holdfast.DirID) holdfast.Usage {
	w.Helper()
	u, err := w.s.Usage(ctx, root)
	if err != nil {
		w.Fatal(err)
	}
	return u
}

func usage(w *world) {
	d := w.mkdir(w.root, "d/")
	w.put(w.root, "a")
	w.do(holdfast.PutEntry{Dir: d, Name: "v", Entry: w.entry(d, 5), Versioning: holdfast.VersioningEnabled})
	w.do(holdfast.PutEntry{Dir: d, Name: "v", Entry: w.entry(d, 6), Versioning: holdfast.VersioningEnabled})
	w.do(holdfast.DeleteEntry{Dir: d, Name: "v", Versioning: holdfast.VersioningEnabled})
	w.want("usage", w.usage(w.root), holdfast.Usage{Objects: 1, Versions: 4, Bytes: 21})
	w.put(w.root, "a")
	w.do(holdfast.CreateUpload{Dir: d, Name: "u", Upload: holdfast.Upload{ID: holdfast.UploadID{1}}})
	w.do(holdfast.PutPart{Dir: d, Name: "u", Upload: holdfast.UploadID{1}, Part: holdfast.Part{Number: 2, Size: 7, Link: w.link(d, 7)}})
	w.do(holdfast.PutPart{Dir: d, Name: "u", Upload: holdfast.UploadID{1}, Part: holdfast.Part{Number: 2, Size: 8, Link: w.link(d, 8)}})
	w.want("with an upload", w.usage(w.root), holdfast.Usage{Objects: 1, Versions: 4, Bytes: 21, UploadBytes: 8})
	st, err := w.s.Status(ctx)
	w.want("names", [2]any{st.Names, err}, [2]any{4, nil})
	w.want("usage of nothing", w.usage(w.newDir(1)), holdfast.Usage{})
}

func changes(w *world) {
	st, err := w.s.Status(ctx)
	if err != nil {
		w.Fatal(err)
	}
	e := w.put(w.root, "a")
	w.do(holdfast.SetEntry{Dir: w.root, Name: "a", Mask: holdfast.AspectACL})
	d := w.mkdir(w.root, "d/")
	mark := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "a", Versioning: holdfast.VersioningEnabled})[0].Entry
	w.do(holdfast.DeleteEntry{Dir: w.root, Name: "a", Version: mark.Version})
	w.do(holdfast.UnlinkDir{Parent: w.root, Name: "d/", Child: d})
	w.do(holdfast.SetBucket{Root: w.root})
	w.refuse(holdfast.Precondition, holdfast.PutEntry{Dir: w.root, Name: "a", If: holdfast.Conditions{IfNoneMatch: true}})
	got, err := w.s.Changes(ctx, st.Seq, 100)
	if err != nil {
		w.Fatal(err)
	}
	want := []struct {
		kind holdfast.ChangeKind
		name string
		v    holdfast.VersionID
	}{
		{holdfast.ChangePut, "a", e.Version}, {holdfast.ChangeAttr, "a", e.Version}, {holdfast.ChangeLink, "d/", holdfast.VersionID{}},
		{holdfast.ChangeMarker, "a", mark.Version}, {holdfast.ChangeDelete, "a", mark.Version},
		{holdfast.ChangeUnlink, "d/", holdfast.VersionID{}}, {holdfast.ChangeBucket, "", holdfast.VersionID{}},
	}
	if len(got) != len(want) {
		w.Fatalf("got %d changes, want %d: %+v", len(got), len(want), got)
	}
	for i, c := range got {
		if c.Seq != st.Seq+uint64(i)+1 || c.Kind != want[i].kind || c.Name != want[i].name || c.Version != want[i].v ||
			c.Dir != w.root || c.Bucket != w.root || c.At.IsZero() {
			w.Errorf("change %d: got %+v, want %+v", i, c, want[i])
		}
	}
	w.want("size and etag", [2]any{got[0].Size, got[0].ETag}, [2]any{e.Size, e.ETag})
	notes(w)
	some, err := w.s.Changes(ctx, st.Seq+2, 2)
	if err != nil || len(some) != 2 || some[0].Seq != st.Seq+3 {
		w.Errorf("two: got %+v, %v", some, err)
	}
	none, err := w.s.Changes(ctx, st.Seq+100, 2)
	if err != nil || len(none) != 0 {
		w.Errorf("none: got %+v, %v", none, err)
	}
}

// notes checks that the note of a transaction is kept with the changes of entries, and of no others.
func notes(w *world) {
	st, err := w.s.Status(ctx)
	if err != nil {
		w.Fatal(err)
	}
	ops := []holdfast.Op{
		holdfast.PutEntry{Dir: w.root, Name: "noted"}, holdfast.DeleteEntry{Dir: w.root, Name: "noted"}, holdfast.SetBucket{Root: w.root},
	}
	rs, err := w.s.Apply(ctx, []holdfast.Tx{{Ops: ops, Note: "why"}, {Ops: ops[:2]}})
	if err != nil || rs[0].Err != nil || rs[1].Err != nil {
		w.Fatalf("got %+v, %v", rs, err)
	}
	var got []string
	changes, err := w.s.Changes(ctx, st.Seq, 100)
	if err != nil {
		w.Fatal(err)
	}
	for _, c := range changes {
		got = append(got, c.Note)
	}
	w.want("notes", got, []string{"why", "why", "", "", ""})
	if _, err := w.s.Apply(ctx, []holdfast.Tx{{Ops: ops, Note: string(make([]byte, holdfast.MaxNote+1))}}); !holdfast.Is(err, holdfast.TooLarge) {
		w.Errorf("a long note: got %v", err)
	}
}

func cancelled(w *world) {
	c, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.s.Apply(c, []holdfast.Tx{{Ops: []holdfast.Op{holdfast.PutEntry{Dir: w.root, Name: "c"}}}}); !holdfast.Is(err, holdfast.Aborted) {
		w.Errorf("apply: got %v", err)
	}
	if _, err := w.s.Lookup(c, []holdfast.Lookup{{Dir: w.root, Name: "c"}}); !holdfast.Is(err, holdfast.Aborted) {
		w.Errorf("lookup: got %v", err)
	}
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Name: "c"})
}
