package nametest

import (
	"fmt"
	"strings"

	"holdfast"
)

func list(w *world) {
	w.want("empty", w.listed(holdfast.ListRequest{Dir: w.root}), "")
	for _, name := range []string{"b", "a", "a-", "a0", "c\x00", "ü"} {
		w.put(w.root, name)
	}
	w.mkdir(w.root, "a/")
	w.mkdir(w.root, "d/")
	all := "a a- a/ a0 b c\x00 d/ ü "
	w.want("all", w.listed(holdfast.ListRequest{Dir: w.root}), all)
	for _, c := range []struct {
		r    holdfast.ListRequest
		want string
	}{
		{holdfast.ListRequest{Prefix: "a"}, "a a- a/ a0 "},
		{holdfast.ListRequest{Prefix: "a/"}, "a/ "},
		{holdfast.ListRequest{Prefix: "zz"}, ""},
		{holdfast.ListRequest{From: "a0"}, "a0 b c\x00 d/ ü "},
		{holdfast.ListRequest{From: "a0", After: true}, "b c\x00 d/ ü "},
		{holdfast.ListRequest{From: "a/", After: true}, "a0 b c\x00 d/ ü "},
		{holdfast.ListRequest{From: "a/x"}, "a0 b c\x00 d/ ü "},
		{holdfast.ListRequest{From: "a-", After: true, Prefix: "a"}, "a/ a0 "},
		{holdfast.ListRequest{From: "z", Prefix: "a"}, ""},
		{holdfast.ListRequest{Limit: 3}, "a a- a/ +"},
		{holdfast.ListRequest{Limit: 8}, all},
	} {
		c.r.Dir = w.root
		w.want(fmt.Sprintf("%+v", c.r), w.listed(c.r), c.want)
	}
	it := w.page(holdfast.ListRequest{Dir: w.root}).Items
	if e := it[0].Entry; e == nil || e.Size != 10 || e.Owner != "o" || e.ETag.IsZero() || e.Modified.IsZero() || !e.Content.Link.IsZero() || !it[0].Latest {
		w.Errorf("an entry: got %+v", it[0])
	}
	if it[2].Entry != nil || it[2].Dir.IsZero() {
		w.Errorf("a sub-directory: got %+v", it[2])
	}
	if it := w.page(holdfast.ListRequest{Dir: w.root, WithContent: true}).Items; it[0].Entry.Content.Link.IsZero() {
		w.Errorf("with content: got %+v", it[0].Entry)
	}
}

// pages follows a listing to its end in pages of n.
func (w *world) pages(r holdfast.ListRequest, n int) (items []holdfast.Item) {
	w.Helper()
	r.Limit = n
	for {
		p := w.page(r)
		items = append(items, p.Items...)
		if !p.More {
			return items
		}
		if len(p.Items) != n {
			w.Fatalf("a page of %d has %d items and More", n, len(p.Items))
		}
		last := p.Items[len(p.Items)-1]
		r.From, r.After = last.Name, true
		if last.Entry != nil {
			r.FromVersion = last.Entry.Version
		}
		if last.Upload != nil {
			r.FromUpload = last.Upload.ID
		}
	}
}

func text(items []holdfast.Item) string {
	var b strings.Builder
	for _, it := range items {
		b.WriteString(it.Name)
		if it.Entry != nil {
			fmt.Fprintf(&b, "@%x", it.Entry.Version)
		}
		if it.Upload != nil {
			fmt.Fprintf(&b, "#%v", it.Upload.ID)
		}
		b.WriteByte(' ')
	}
	return b.String()
}

func listPages(w *world) {
	d := w.mkdir(w.root, "d/")
	for i := range 40 {
		w.put(w.root, fmt.Sprintf("n%02d", i))
		w.do(holdfast.PutEntry{Dir: d, Name: fmt.Sprintf("v%d", i%7), Entry: w.entry(d, 1), Versioning: holdfast.VersioningEnabled})
	}
	w.do(holdfast.DeleteEntry{Dir: d, Name: "v3", Versioning: holdfast.VersioningEnabled})
	for _, r := range []holdfast.ListRequest{
		{Dir: w.root}, {Dir: w.root, Prefix: "n1"}, {Dir: w.root, Recursive: true},
		{Dir: w.root, Recursive: true, What: holdfast.ListVersions}, {Dir: d, What: holdfast.ListVersions},
		{Dir: w.root, Recursive: true, What: holdfast.ListVersions, Prefix: "d/v"},
	} {
		whole := text(w.pages(r, 1000))
		for _, n := range []int{1, 3, 40} {
			if got := text(w.pages(r, n)); got != whole {
				w.Errorf("%+v in pages of %d: got %s, want %s", r, n, got, whole)
			}
		}
	}
}

func listRecursive(w *world) {
	a := w.mkdir(w.root, "a/")
	ab := w.mkdir(a, "b/")
	w.mkdir(w.root, "empty/")
	slash := w.mkdir(w.root, "/")
	far := w.newDir(Foreign)
	w.do(holdfast.LinkDir{Parent: a, Name: "far/", Child: far})
	w.put(w.root, "a")
	w.put(w.root, "a-")
	w.put(w.root, "a0")
	w.put(a, "")
	w.put(a, "x")
	w.put(ab, "y")
	w.put(slash, "z")
	for _, c := range []struct {
		r    holdfast.ListRequest
		want string
	}{
		{holdfast.ListRequest{}, "/z a a- a/ a/b/y a/far/ a/x a0 "},
		{holdfast.ListRequest{Prefix: "a/"}, "a/ a/b/y a/far/ a/x "},
		{holdfast.ListRequest{Prefix: "a/b"}, "a/b/y "},
		{holdfast.ListRequest{Prefix: "a/b/y"}, "a/b/y "},
		{holdfast.ListRequest{Prefix: "a/far/deep"}, "a/far/ "},
		{holdfast.ListRequest{From: "a/", After: true}, "a/b/y a/far/ a/x a0 "},
		{holdfast.ListRequest{From: "a/b/y"}, "a/b/y a/far/ a/x a0 "},
		{holdfast.ListRequest{From: "a/b/y", After: true}, "a/far/ a/x a0 "},
		{holdfast.ListRequest{From: "a/far/", After: true}, "a/x a0 "},
		{holdfast.ListRequest{From: "a/far/in"}, "a/far/ a/x a0 "},
		{holdfast.ListRequest{From: "a/x", After: true}, "a0 "},
		{holdfast.ListRequest{From: "a/b/z", Limit: 1}, "a/far/ +"},
	} {
		c.r.Dir, c.r.Recursive = w.root, true
		w.want(fmt.Sprintf("%+v", c.r), w.listed(c.r), c.want)
	}
}

func listVersions(w *world) {
	put := func(name string) holdfast.VersionID {
		return w.do(holdfast.PutEntry{Dir: w.root, Name: name, Entry: w.entry(w.root, 1), Versioning: holdfast.VersioningEnabled})[0].Entry.Version
	}
	a1, b1, a2 := put("a"), put("b"), put("a")
	mark := w.do(holdfast.DeleteEntry{Dir: w.root, Name: "a", Versioning: holdfast.VersioningEnabled})[0].Entry.Version
	ab := put("a\x00b")
	w.mkdir(w.root, "a/")
	items := w.page(holdfast.ListRequest{Dir: w.root, What: holdfast.ListVersions}).Items
	want := []struct {
		name   string
		v      holdfast.VersionID
		latest bool
	}{{"a", mark, true}, {"a", a2, false}, {"a", a1, false}, {"a\x00b", ab, true}, {"a/", holdfast.VersionID{}, false}, {"b", b1, true}}
	if len(items) != len(want) {
		w.Fatalf("got %d items, want %d", len(items), len(want))
	}
	for i, it := range items {
		v := holdfast.VersionID{}
		if it.Entry != nil {
			v = it.Entry.Version
		}
		if it.Name != want[i].name || v != want[i].v || it.Latest != want[i].latest {
			w.Errorf("item %d: got %q %v %v, want %+v", i, it.Name, v, it.Latest, want[i])
		}
	}
	w.want("marker", items[0].Entry.Marker, true)
	from := w.page(holdfast.ListRequest{Dir: w.root, What: holdfast.ListVersions, From: "a", After: true, FromVersion: a2}).Items
	w.want("within a name", from[0].Entry.Version, a1)
	w.want("not latest", from[0].Latest, false)
	w.want("plain", w.listed(holdfast.ListRequest{Dir: w.root}), "a\x00b a/ b ")
}

func visibility(w *world) {
	full, marked, deep := w.mkdir(w.root, "full/"), w.mkdir(w.root, "marked/"), w.mkdir(w.root, "deep/")
	w.mkdir(w.root, "empty/")
	mid := w.mkdir(deep, "mid/")
	hollow := w.mkdir(w.root, "hollow/")
	w.mkdir(hollow, "x/")
	far := w.mkdir(w.root, "far/")
	w.do(holdfast.LinkDir{Parent: far, Name: "f/", Child: w.newDir(Foreign)})
	w.do(holdfast.LinkDir{Parent: w.root, Name: "other/", Child: w.newDir(Foreign)})
	w.put(full, "k")
	w.put(mid, "k")
	w.do(holdfast.DeleteEntry{Dir: marked, Name: "m", Versioning: holdfast.VersioningEnabled})
	y, n, u := holdfast.VisibleYes, holdfast.VisibleNo, holdfast.VisibleUnknown
	want := map[string][2]holdfast.Visibility{
		"full/": {y, y}, "marked/": {n, y}, "deep/": {y, y}, "empty/": {n, n}, "hollow/": {n, n}, "far/": {u, u}, "other/": {u, u},
	}
	for i, what := range []holdfast.Listing{holdfast.ListObjects, holdfast.ListVersions} {
		items := w.page(holdfast.ListRequest{Dir: w.root, What: what}).Items
		w.want("sub-directories", len(items), len(want))
		for _, it := range items {
			w.want(it.Name, it.Visible, want[it.Name][i])
		}
	}
}
