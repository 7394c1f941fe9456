package nametest

import (
	"reflect"
	"strings"
	"time"

	"holdfast"
)

func putLookupDelete(w *world) {
	r := w.do(holdfast.PutEntry{Dir: w.root, Name: "a", Entry: w.entry(w.root, 10)})[0]
	w.want("created", r.Created, true)
	w.want("null", r.Entry.Null, true)
	if r.Entry.Version.IsZero() || r.Entry.Modified.IsZero() {
		w.Errorf("stored without version or time: %+v", r.Entry)
	}
	if got := w.find(w.root, "a"); !reflect.DeepEqual(got, r.Entry) {
		w.Errorf("lookup: got %+v, want %+v", got, r.Entry)
	}
	r2 := w.do(holdfast.PutEntry{Dir: w.root, Name: "a", Entry: w.entry(w.root, 20)})[0]
	w.want("created again", r2.Created, false)
	w.want("size", w.find(w.root, "a").Size, 20)
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Name: "a", Version: r.Entry.Version})
	d := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "a"})[0]
	w.want("found", d.Found, true)
	w.want("deleted version", d.Entry.Version, r2.Entry.Version)
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Name: "a"})
	w.want("found again", w.do(holdfast.DeleteEntry{Dir: w.root, Name: "a"})[0].Found, false)
	w.want("entries", w.state(w.root).Entries, 0)
}

func wholeEntries(w *world) {
	e := w.entry(w.root, 1<<40)
	e.ETag.Parts = 3
	e.Modified = time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)
	e.Checksum = holdfast.Checksum{Algorithm: holdfast.SHA256, Composite: true, Value: strings.Repeat("\x00\xff", 16)}
	e.StorageClass = "GLACIER"
	e.Headers = []holdfast.Header{{Name: "content-type", Value: "text/plain"}, {Name: "x-amz-meta-ü", Value: strings.Repeat("v", 3000)}}
	e.ACL = []byte{0, 1, 2}
	e.Tags = []holdfast.Header{{Name: "k", Value: ""}}
	e.Lock = holdfast.Lock{Mode: holdfast.LockCompliance, Until: time.Date(9999, 1, 1, 0, 0, 0, 1, time.UTC), LegalHold: true}
	e.POSIX = &holdfast.POSIX{Mode: 0o100644, UID: 1, GID: 1 << 31, Access: e.Modified, Change: time.Unix(-5, 9).UTC(), Target: "t"}
	stored := w.do(holdfast.PutEntry{Dir: w.root, Name: "e", Entry: e, Versioning: holdfast.VersioningEnabled})[0].Entry
	e.Version = stored.Version
	if !reflect.DeepEqual(stored, e) {
		w.Errorf("reply: got %+v, want %+v", stored, e)
	}
	if got := w.find(w.root, "e"); !reflect.DeepEqual(got, e) {
		w.Errorf("lookup: got %+v, want %+v", got, e)
	}
}

func wholePartTables(w *world) {
	for _, rows := range []int{1, 5, 2000} {
		e := holdfast.Entry{ETag: holdfast.ETag{Digest: [16]byte{1}, Parts: uint16(rows)}}
		for i := range rows {
			p := holdfast.Part{Number: i + 1, Offset: e.Size, Size: int64(i % 3), ETag: etag(uint64(i))}
			if p.Size > 0 {
				p.Link = w.link(w.root, p.Size)
			}
			e.Content.Parts = append(e.Content.Parts, p)
			e.Size += p.Size
		}
		stored := w.do(holdfast.PutEntry{Dir: w.root, Name: "p", Entry: e})[0].Entry
		if got := w.find(w.root, "p"); !reflect.DeepEqual(got, stored) || !reflect.DeepEqual(got.Content, e.Content) {
			w.Errorf("table of %d rows came back different", rows)
		}
		it := w.page(holdfast.ListRequest{Dir: w.root, WithContent: true}).Items[0]
		if !reflect.DeepEqual(it.Entry.Content, e.Content) {
			w.Errorf("table of %d rows was listed different", rows)
		}
	}
	bad := holdfast.Entry{Size: 5, Content: holdfast.Content{Parts: holdfast.PartTable{{Number: 1, Offset: 1, Size: 5}}}}
	w.refuse(holdfast.Invalid, holdfast.PutEntry{Dir: w.root, Name: "q", Entry: bad})
}

func names(w *world) {
	all := []string{"", " ", ".", "..", "\x00", "\x00\x01", "\x00\xff", "\xff", "a", "a\x00", "ü", strings.Repeat("n", holdfast.MaxName)}
	for _, name := range all {
		w.put(w.root, name)
	}
	for _, name := range all {
		w.find(w.root, name)
	}
	w.want("visible", w.state(w.root).Visible, len(all))
	w.refuse(holdfast.TooLarge, holdfast.PutEntry{Dir: w.root, Name: strings.Repeat("n", holdfast.MaxName+1)})
	w.refuse(holdfast.Invalid, holdfast.PutEntry{Dir: w.root, Name: "a/b"})
	w.refuse(holdfast.Invalid, holdfast.PutEntry{Dir: w.root, Name: "m", Entry: holdfast.Entry{Marker: true}})
	w.refuse(holdfast.Invalid, holdfast.LinkDir{Parent: w.root, Name: "a", Child: w.root})
}

func retriedPut(w *world) {
	for _, v := range []holdfast.Versioning{holdfast.VersioningOff, holdfast.VersioningEnabled, holdfast.VersioningSuspended} {
		op := holdfast.PutEntry{Dir: w.root, Name: "r", Entry: w.entry(w.root, 1), Versioning: v}
		op.If.IfNoneMatch = v == holdfast.VersioningOff
		first := w.do(op)[0]
		before := w.state(w.root)
		second := w.do(op)[0]
		if !reflect.DeepEqual(first, second) {
			w.Errorf("versioning %d: got %+v the second time, %+v the first", v, second, first)
		}
		w.want("state", w.state(w.root), before)
	}
}

func retriedOldPut(w *world) {
	op := holdfast.PutEntry{Dir: w.root, Name: "r", Entry: w.entry(w.root, 1)}
	first := w.do(op)[0]
	w.put(w.root, "r")
	second := w.do(op)[0]
	w.want("version", second.Entry.Version, first.Entry.Version)
	w.want("current size", w.find(w.root, "r").Size, 10)
}

func oneOwner(w *world) {
	e := w.entry(w.root, 1)
	w.do(holdfast.PutEntry{Dir: w.root, Name: "a", Entry: e})
	w.refuse(holdfast.Invalid, holdfast.PutEntry{Dir: w.root, Name: "b", Entry: e})
	w.do(holdfast.DeleteEntry{Dir: w.root, Name: "a"})
	w.refuse(holdfast.Doomed, holdfast.PutEntry{Dir: w.root, Name: "b", Entry: e})
}

func conditions(w *world) {
	e := w.put(w.root, "c")
	other := etag(9999)
	size, wrong := int64(10), int64(11)
	later := e.Modified.Add(time.Hour)
	for _, c := range []struct {
		name string
		on   string
		cond holdfast.Conditions
		want holdfast.Kind // Other: it holds
	}{
		{"match", "c", holdfast.Conditions{IfMatch: &e.ETag}, holdfast.Other},
		{"no match", "c", holdfast.Conditions{IfMatch: &other}, holdfast.Precondition},
		{"match nothing", "none", holdfast.Conditions{IfMatch: &e.ETag}, holdfast.NotFound},
		{"any", "c", holdfast.Conditions{IfMatchAny: true}, holdfast.Other},
		{"any nothing", "none", holdfast.Conditions{IfMatchAny: true}, holdfast.NotFound},
		{"none match", "c", holdfast.Conditions{IfNoneMatch: true}, holdfast.Precondition},
		{"none match nothing", "none", holdfast.Conditions{IfNoneMatch: true}, holdfast.Other},
		{"size", "c", holdfast.Conditions{IfSize: &size}, holdfast.Other},
		{"wrong size", "c", holdfast.Conditions{IfSize: &wrong}, holdfast.Precondition},
		{"modified", "c", holdfast.Conditions{IfModified: &e.Modified}, holdfast.Other},
		{"not modified", "c", holdfast.Conditions{IfModified: &later}, holdfast.Precondition},
		{"one of two", "c", holdfast.Conditions{IfMatch: &e.ETag, IfSize: &wrong}, holdfast.Precondition},
	} {
		del := holdfast.DeleteEntry{Dir: w.root, Name: c.on, If: c.cond}
		put := holdfast.PutEntry{Dir: w.root, Name: c.on, Entry: w.entry(w.root, 1), If: c.cond}
		for _, op := range []holdfast.Op{put, del} {
			// A transaction that fails at its end shows whether the condition held, and changes nothing.
			r := w.try(op, holdfast.SealDir{Dir: holdfast.VolumeRoot})
			if held := r.Failed == 1; held != (c.want == holdfast.Other) || !held && !holdfast.Is(r.Err, c.want) {
				w.Errorf("%s, %T: got %v", c.name, op, r.Err)
			}
		}
	}
	w.want("version", w.find(w.root, "c").Version, e.Version)
}

func atomicity(w *world) {
	w.put(w.root, "keep")
	before, usageBefore := w.state(w.root), w.usage(w.root)
	child := w.newDir(20)
	w.refuse(holdfast.NotEmpty,
		holdfast.PutEntry{Dir: w.root, Name: "x", Entry: w.entry(w.root, 1)},
		holdfast.DeleteEntry{Dir: w.root, Name: "keep"},
		holdfast.MakeDir{Dir: child, Parent: w.root, Name: "d/", Root: w.root},
		holdfast.LinkDir{Parent: w.root, Name: "d/", Child: child},
		holdfast.CreateUpload{Dir: w.root, Name: "u"},
		holdfast.SealDir{Dir: w.root, Doom: true})
	w.want("state", w.state(w.root), before)
	w.want("usage", w.usage(w.root), usageBefore)
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Name: "x"})
	w.missing(holdfast.DirGone, holdfast.Lookup{Dir: child, Want: holdfast.WantDir})
	w.find(w.root, "keep")

	// Later operations see what earlier ones of the transaction and of transactions before it did.
	e := w.entry(w.root, 3)
	rs, err := w.s.Apply(ctx, []holdfast.Tx{
		{Ops: []holdfast.Op{holdfast.PutEntry{Dir: w.root, Name: "t", Entry: e}, holdfast.DeleteEntry{Dir: w.root, Name: "t"}}},
		{Ops: []holdfast.Op{holdfast.PutEntry{Dir: w.root, Name: "t", Entry: w.entry(w.root, 4), If: holdfast.Conditions{IfNoneMatch: true}}}},
		{Ops: []holdfast.Op{holdfast.PutEntry{Dir: w.root, Name: "t", Entry: w.entry(w.root, 5), If: holdfast.Conditions{IfNoneMatch: true}}}},
		{},
	})
	if err != nil || rs[0].Err != nil || !rs[0].Replies[1].Found || rs[1].Err != nil || !holdfast.Is(rs[2].Err, holdfast.Precondition) || rs[3].Err != nil {
		w.Errorf("got %+v, %v", rs, err)
	}
	w.want("size", w.find(w.root, "t").Size, 4)
}

func limits(w *world) {
	many := make([]holdfast.Op, holdfast.MaxTxOps+1)
	for i := range many {
		many[i] = holdfast.DeleteEntry{Dir: w.root, Name: "x"}
	}
	if _, err := w.s.Apply(ctx, []holdfast.Tx{{Ops: many}}); !holdfast.Is(err, holdfast.TooLarge) {
		w.Errorf("too many operations: got %v", err)
	}
	if _, err := w.s.Apply(ctx, make([]holdfast.Tx, holdfast.MaxTxs+1)); !holdfast.Is(err, holdfast.TooLarge) {
		w.Errorf("too many transactions: got %v", err)
	}
	if _, err := w.s.Lookup(ctx, make([]holdfast.Lookup, holdfast.MaxLookups+1)); !holdfast.Is(err, holdfast.TooLarge) {
		w.Errorf("too many questions: got %v", err)
	}
	w.missing(holdfast.TooLarge, holdfast.Lookup{Dir: w.root, Name: strings.Repeat("n", holdfast.MaxName+1)})
	for _, limit := range []int{0, -1, holdfast.MaxList + 1} {
		ps, err := w.s.List(ctx, []holdfast.ListRequest{{Dir: w.root, Limit: limit}})
		if err != nil || !holdfast.Is(ps[0].Err, holdfast.Invalid) {
			w.Errorf("limit %d: got %v, %v", limit, ps, err)
		}
	}
	w.want("a full call", len(w.do(many[1:]...)), holdfast.MaxTxOps)
}

func versionsEnabled(w *world) {
	var vs []holdfast.Entry
	for i := range 3 {
		r := w.do(holdfast.PutEntry{Dir: w.root, Name: "v", Entry: w.entry(w.root, int64(i+1)), Versioning: holdfast.VersioningEnabled})[0]
		w.want("created", r.Created, i == 0)
		w.want("null", r.Entry.Null, false)
		vs = append(vs, r.Entry)
	}
	w.want("current", w.find(w.root, "v").Version, vs[2].Version)
	for _, v := range vs {
		a := w.lookup(holdfast.Lookup{Dir: w.root, Name: "v", Version: v.Version})
		if a.Err != nil || !reflect.DeepEqual(a.Entry, v) {
			w.Errorf("version: got %+v, %v, want %+v", a.Entry, a.Err, v)
		}
	}
	mark := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "v", Versioning: holdfast.VersioningEnabled, Owner: "me"})[0]
	w.want("marker", mark.Found && mark.Entry.Marker && !mark.Entry.Null, true)
	a := w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Name: "v"})
	w.want("marker told", a.Entry.Marker && a.Entry.Version == mark.Entry.Version && a.Entry.Owner == "me", true)
	a = w.lookup(holdfast.Lookup{Dir: w.root, Name: "v", Version: mark.Entry.Version})
	w.want("marker by version", a.Err == nil && a.Entry.Marker, true)
	w.want("state", [2]int64{w.state(w.root).Entries, w.state(w.root).Visible}, [2]int64{4, 0})

	again := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "nothing", Versioning: holdfast.VersioningEnabled})[0]
	w.want("marker on nothing", again.Entry.Marker && !again.Found, true)
}

func versionsSuspended(w *world) {
	put := func(v holdfast.Versioning) holdfast.Entry {
		return w.do(holdfast.PutEntry{Dir: w.root, Name: "s", Entry: w.entry(w.root, 1), Versioning: v})[0].Entry
	}
	null := put(holdfast.VersioningOff)
	kept := put(holdfast.VersioningEnabled)
	a := w.lookup(holdfast.Lookup{Dir: w.root, Name: "s", Null: true})
	w.want("null version", a.Entry.Version, null.Version)
	null2 := put(holdfast.VersioningSuspended)
	w.want("null", null2.Null, true)
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Name: "s", Version: null.Version})
	w.want("kept", w.lookup(holdfast.Lookup{Dir: w.root, Name: "s", Version: kept.Version}).Err, nil)
	mark := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "s", Versioning: holdfast.VersioningSuspended})[0]
	w.want("null marker", mark.Entry.Null && mark.Entry.Marker && mark.Found, true)
	a = w.lookup(holdfast.Lookup{Dir: w.root, Name: "s", Null: true})
	w.want("null version is the marker", a.Entry.Version, mark.Entry.Version)
	w.want("entries", w.state(w.root).Entries, 2)
	r := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "s", Null: true})[0]
	w.want("null deleted", r.Found && r.Entry.Version == mark.Entry.Version, true)
	w.want("promoted", w.find(w.root, "s").Version, kept.Version)
}

func promotion(w *world) {
	var vs []holdfast.Entry
	for range 3 {
		vs = append(vs, w.do(holdfast.PutEntry{Dir: w.root, Name: "p", Entry: w.entry(w.root, 1), Versioning: holdfast.VersioningEnabled})[0].Entry)
	}
	mark := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "p", Versioning: holdfast.VersioningEnabled})[0].Entry
	del := func(v holdfast.VersionID) { w.do(holdfast.DeleteEntry{Dir: w.root, Name: "p", Version: v}) }
	del(vs[1].Version)
	w.missing(holdfast.NotFound, holdfast.Lookup{Dir: w.root, Name: "p"})
	del(mark.Version)
	w.want("after the marker", w.find(w.root, "p").Version, vs[2].Version)
	del(vs[2].Version)
	w.want("after the current", w.find(w.root, "p").Version, vs[0].Version)
	del(vs[0].Version)
	w.want("state", w.state(w.root).Entries, 0)
	w.want("usage", w.usage(w.root), holdfast.Usage{})
}

func objectLock(w *world) {
	lock := func(l holdfast.Lock) holdfast.Entry {
		e := w.entry(w.root, 1)
		e.Lock = l
		return w.do(holdfast.PutEntry{Dir: w.root, Name: "l", Entry: e, Versioning: holdfast.VersioningEnabled})[0].Entry
	}
	future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for _, c := range []struct {
		lock         holdfast.Lock
		plain, force bool // whether a delete goes through, without and with bypass
	}{
		{holdfast.Lock{Mode: holdfast.LockCompliance, Until: future}, false, false},
		{holdfast.Lock{Mode: holdfast.LockGovernance, Until: future}, false, true},
		{holdfast.Lock{LegalHold: true}, false, false},
		{holdfast.Lock{Mode: holdfast.LockCompliance, Until: past}, true, true},
	} {
		for _, bypass := range []bool{false, true} {
			e := lock(c.lock)
			r := w.try(holdfast.DeleteEntry{Dir: w.root, Name: "l", Version: e.Version, Bypass: bypass})
			want := c.plain
			if bypass {
				want = c.force
			}
			if (r.Err == nil) != want || r.Err != nil && !holdfast.Is(r.Err, holdfast.Locked) {
				w.Errorf("%+v, bypass %v: got %v", c.lock, bypass, r.Err)
			}
		}
	}
	lock(holdfast.Lock{LegalHold: true})
	w.do(holdfast.DeleteEntry{Dir: w.root, Name: "l", Versioning: holdfast.VersioningEnabled}) // a marker removes nothing
}

// retention changes the retention and the legal hold of versions on their own, and weakens neither without the right.
func retention(w *world) {
	now := time.Now().UTC().Round(0)
	in := func(m holdfast.LockMode, d time.Duration) holdfast.Lock {
		return holdfast.Lock{Mode: m, Until: now.Add(d)}
	}
	gov, comp, none := holdfast.LockGovernance, holdfast.LockCompliance, holdfast.Lock{}
	for i, c := range []struct {
		from, to     holdfast.Lock
		plain, force bool // whether it goes through, without and with bypass
	}{
		{none, in(gov, time.Hour), true, true},
		{none, none, true, true},
		{in(gov, time.Hour), in(gov, 2*time.Hour), true, true},
		{in(gov, time.Hour), in(gov, time.Hour), true, true},
		{in(gov, time.Hour), in(gov, time.Minute), false, true},
		{in(gov, time.Hour), in(comp, 2*time.Hour), false, true},
		{in(gov, time.Hour), none, false, true},
		{in(gov, -time.Hour), none, true, true},
		{in(comp, time.Hour), in(comp, 2*time.Hour), true, true},
		{in(comp, time.Hour), in(comp, time.Minute), false, false},
		{in(comp, time.Hour), in(gov, 2*time.Hour), false, false},
		{in(comp, time.Hour), none, false, false},
		{in(comp, -time.Hour), in(gov, time.Hour), true, true},
	} {
		for _, bypass := range []bool{false, true} {
			e := w.entry(w.root, 1)
			c.from.LegalHold = i%2 == 0
			e.Lock = c.from
			e = w.do(holdfast.PutEntry{Dir: w.root, Name: "r", Entry: e, Versioning: holdfast.VersioningEnabled})[0].Entry
			r := w.try(holdfast.SetEntry{Dir: w.root, Name: "r", Version: e.Version, Mask: holdfast.AspectRetention, Entry: holdfast.Entry{Lock: c.to}, Bypass: bypass})
			want, lock := c.plain, c.from
			if bypass {
				want = c.force
			}
			if (r.Err == nil) != want || r.Err != nil && !holdfast.Is(r.Err, holdfast.Locked) {
				w.Errorf("%d, bypass %v: got %v", i, bypass, r.Err)
			}
			if want {
				lock.Mode, lock.Until = c.to.Mode, c.to.Until
			}
			w.want("lock", w.find(w.root, "r").Lock, lock)
		}
	}
	e := w.put(w.root, "h")
	for _, l := range []holdfast.Lock{{LegalHold: true}, {HoldOff: true}} {
		r := w.do(holdfast.SetEntry{Dir: w.root, Name: "h", Mask: holdfast.AspectLegalHold, Entry: holdfast.Entry{Lock: l}})[0]
		w.want("hold", r.Entry.Lock, l)
		w.want("hold as found", w.find(w.root, "h").Lock, l)
	}
	w.do(holdfast.DeleteEntry{Dir: w.root, Name: "h", Version: e.Version})
	mark := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "h", Versioning: holdfast.VersioningEnabled})[0].Entry
	w.refuse(holdfast.NotFound, holdfast.SetEntry{Dir: w.root, Name: "h", Version: mark.Version, Mask: holdfast.AspectTags})
}

// namedConditions holds the conditions of a delete that names a version against that version.
func namedConditions(w *world) {
	var vs []holdfast.Entry
	for n := range 2 {
		e := w.entry(w.root, int64(n+1))
		e.ETag = etag(uint64(n + 1))
		vs = append(vs, w.do(holdfast.PutEntry{Dir: w.root, Name: "n", Entry: e, Versioning: holdfast.VersioningEnabled})[0].Entry)
	}
	del := func(e, cond holdfast.Entry) holdfast.DeleteEntry {
		return holdfast.DeleteEntry{Dir: w.root, Name: "n", Version: e.Version, If: holdfast.Conditions{IfMatch: &cond.ETag, IfSize: &cond.Size}}
	}
	w.refuse(holdfast.Precondition, del(vs[0], vs[1]))
	w.refuse(holdfast.Precondition, del(vs[1], vs[0]))
	w.want("found", w.do(del(vs[0], vs[0]))[0].Found, true)
	w.refuse(holdfast.NotFound, del(vs[0], vs[0]))
	w.want("found", w.do(del(vs[1], vs[1]))[0].Found, true)
}

func setEntry(w *world) {
	e := w.put(w.root, "s")
	change := holdfast.Entry{
		Headers: []holdfast.Header{{Name: "a", Value: "b"}}, ACL: []byte("acl"), Tags: []holdfast.Header{{Name: "t", Value: "u"}},
		Lock: holdfast.Lock{LegalHold: true}, StorageClass: "X", POSIX: &holdfast.POSIX{Mode: 1, Access: e.Modified, Change: e.Modified},
		Owner: "not an aspect",
	}
	r := w.do(holdfast.SetEntry{Dir: w.root, Name: "s", Mask: holdfast.AspectTags | holdfast.AspectACL, Entry: change})[0]
	e.Tags, e.ACL = change.Tags, change.ACL
	if !reflect.DeepEqual(r.Entry, e) {
		w.Errorf("two aspects: got %+v, want %+v", r.Entry, e)
	}
	w.do(holdfast.SetEntry{Dir: w.root, Name: "s", Version: e.Version, Mask: ^holdfast.Aspect(0), Entry: change})
	e.Headers, e.Lock, e.StorageClass, e.POSIX = change.Headers, change.Lock, change.StorageClass, change.POSIX
	if got := w.find(w.root, "s"); !reflect.DeepEqual(got, e) {
		w.Errorf("all aspects: got %+v, want %+v", got, e)
	}
	w.refuse(holdfast.NotFound, holdfast.SetEntry{Dir: w.root, Name: "none"})
	w.refuse(holdfast.NotFound, holdfast.SetEntry{Dir: w.root, Name: "s", Version: holdfast.VersionID{1}})
	other := etag(1234)
	w.refuse(holdfast.Precondition, holdfast.SetEntry{Dir: w.root, Name: "s", If: holdfast.Conditions{IfMatch: &other}})
}
