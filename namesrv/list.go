package namesrv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast"
	"holdfast/namesrv/schema"
)

// Bounds of one page besides its limit.
const (
	maxExpanded = 10_000 // directories one recursive page walks through, if it has an item to go on from then
	maxDepth    = holdfast.MaxName
	visibleWalk = 64 // directory records read to tell one sub-directory's visibility
)

// List implements [holdfast.NameService].
func (e *Engine) List(ctx context.Context, requests []holdfast.ListRequest) ([]holdfast.Page, error) {
	if len(requests) > holdfast.MaxLookups {
		return nil, holdfast.E("namesrv.list", holdfast.TooLarge, fmt.Errorf("%d requests", len(requests)))
	}
	pages := make([]holdfast.Page, len(requests))
	err := e.read(ctx, func(v *view) error {
		for i := range requests {
			if err := ctx.Err(); err != nil {
				return holdfast.E("namesrv.list", holdfast.Aborted, err)
			}
			l := lister{reader: reader{e: e, v: v, op: "namesrv.list"}, ctx: ctx, req: &requests[i], page: &pages[i]}
			if err := l.run(); err != nil {
				pages[i] = holdfast.Page{Err: err}
			}
			e.m.listed(len(pages[i].Items))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pages, nil
}

// noVersion stands for the version of what has none, in comparisons with FromVersion: nothing of its name comes before it.
var noVersion = func() (v holdfast.VersionID) {
	for i := range v {
		v[i] = 0xff
	}
	return v
}()

// errFull ends a scan whose page is full.
var errFull = errors.New("page full")

// lister makes one page.
type lister struct {
	reader
	ctx  context.Context
	req  *holdfast.ListRequest
	page *holdfast.Page

	entries  cursor
	versions cursor // of KindOlder, with ListVersions only
	inside   bool   // the versions cursor was put behind the first version of a name
	passed   bool   // the scan is past From
	expanded int

	arena schema.Arena
	slab  []schema.Record // entries of items are cut from it
}

func (l *lister) run() error {
	req := l.req
	if !l.e.holds(req.Dir) {
		return notOwner(req.Dir)
	}
	if req.Limit < 1 || req.Limit > holdfast.MaxList || req.What > holdfast.ListUploads {
		return l.fail(holdfast.Invalid, "limit or listing")
	}
	rec, err := l.dir(req.Dir)
	if err != nil {
		return err
	}
	l.passed = req.From == "" && !req.After
	switch req.What {
	case holdfast.ListUploads:
		err = l.uploads(rec.Epoch > 0)
	default:
		err = l.tree()
	}
	if errors.Is(err, errFull) {
		l.page.More = true
		return nil
	}
	return err
}

// tree lists entries, with ListVersions merged with the older versions.
func (l *lister) tree() (err error) {
	if err := l.entries.open(l.v, schema.KindEntry); err != nil {
		return err
	}
	defer l.entries.close(&err)
	if l.req.What == holdfast.ListVersions {
		if err := l.versions.open(l.v, schema.KindOlder); err != nil {
			return err
		}
		l.entries.lazy = true
		defer l.versions.close(&err)
	}
	return l.walk(l.req.Dir, "", 0)
}

// begin returns the name at which the scan of the directory with this path begins: nothing before it can be on the page.
func (l *lister) begin(path string) string {
	start := l.req.Prefix
	if !l.passed && l.req.From > start {
		start = l.req.From
	}
	rest, inside := strings.CutPrefix(start, path)
	if !inside {
		return ""
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 && l.req.Recursive {
		return rest[:i+1] // the sub-directory that start is in
	}
	return rest
}

// seekVersions puts the versions cursor where the scan of a directory begins: at a name, or among its versions if the page does, since a
// name may have very many.
func (l *lister) seekVersions(d holdfast.DirID, path, begin string) {
	req := l.req
	if l.passed || !req.After || req.FromVersion.IsZero() || compareJoined(path, []byte(begin), req.From) != 0 {
		l.key = schema.NamePrefix(l.key[:0], schema.KindOlder, d, begin)
		l.versions.seek(l.key[:len(l.key)-2]) // without the end of the name: also longer ones
		return
	}
	l.key = schema.OlderKey(l.key[:0], d, begin, req.FromVersion)
	if l.versions.seek(l.key); !l.versions.ok {
		return
	}
	end := len(l.versions.it.Key()) - len(req.FromVersion)
	l.key = append(l.key[:0], l.versions.it.Key()[:end]...)
	l.inside = l.versions.it.Prev() && bytes.HasPrefix(l.versions.it.Key(), l.key)
	l.versions.it.Next() // back
}

// walk lists one directory, whose path relative to the request is path.
func (l *lister) walk(d holdfast.DirID, path string, depth int) error {
	begin := l.begin(path)
	l.key = schema.EntryKey(l.key[:0], d, begin)
	l.entries.seek(l.key)
	if l.versions.it != nil {
		l.seekVersions(d, path, begin)
	}
	prefix, _ := strings.CutPrefix(l.req.Prefix, path)
	if len(l.req.Prefix) <= len(path) {
		prefix = ""
	}
	for {
		if err := l.olderBefore(d, path, prefix); err != nil {
			return err
		}
		if !l.entries.ok {
			return nil
		}
		name := l.entries.rest()
		if len(prefix) > 0 && !hasPrefix(name, prefix) {
			if string(name) > prefix {
				return nil
			}
			if !l.req.Recursive || !bytes.HasSuffix(name, []byte{'/'}) || !strings.HasPrefix(prefix, string(name)) {
				l.entries.next()
				continue
			}
		}
		value, err := l.entries.value()
		if err != nil {
			return err
		}
		child, isDir := schema.IsDir(value)
		if isDir {
			err = l.sub(d, child, path, name, depth)
		} else {
			err = l.current(d, path, name, value)
		}
		if err != nil {
			return err
		}
	}
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// skip reports whether an item lies before the page. Order only grows, so after the first that does not no more is compared.
func (l *lister) skip(path string, name []byte, v holdfast.VersionID) bool {
	if l.passed {
		return false
	}
	c := compareJoined(path, name, l.req.From)
	switch {
	case c < 0:
		return true
	case c > 0:
		l.passed = true
		return false
	case !l.req.After:
		return false
	case l.req.FromVersion.IsZero():
		return true
	}
	return bytes.Compare(v[:], l.req.FromVersion[:]) >= 0
}

// compareJoined compares path+name with s without joining them.
func compareJoined(path string, name []byte, s string) int {
	n := min(len(path), len(s))
	if c := strings.Compare(path[:n], s[:n]); c != 0 {
		return c
	}
	if len(s) < len(path) {
		return 1
	}
	rest := s[n:]
	m := min(len(name), len(rest))
	if c := strings.Compare(string(name[:m]), rest[:m]); c != 0 {
		return c
	}
	return len(name) - len(rest)
}

// sub lists a sub-directory: expanded in place, or as an item.
func (l *lister) sub(d, child holdfast.DirID, path string, name []byte, depth int) error {
	if l.req.Recursive && l.e.holds(child) && depth < maxDepth {
		if l.expanded++; l.expanded > maxExpanded && len(l.page.Items) > 0 {
			return errFull
		}
		return l.expand(d, child, path, string(name), depth)
	}
	// An unexpanded item of a recursive listing stands for all that is in it, so it is behind From if anything in it may be.
	inFrom := l.req.Recursive && !l.passed && compareJoined(path, name, l.req.From) < 0 && strings.HasPrefix(l.req.From, path+string(name))
	if !inFrom && l.skip(path, name, noVersion) {
		l.entries.next()
		return nil
	}
	if len(l.page.Items) == l.req.Limit {
		return errFull
	}
	visible, err := l.visibility(child)
	if err != nil {
		return err
	}
	l.page.Items = append(l.page.Items, holdfast.Item{Name: l.arena.Join(path, name), Dir: child, Visible: visible})
	l.entries.next()
	return nil
}

// expand lists what is in a sub-directory, then goes back to behind its name.
func (l *lister) expand(d, child holdfast.DirID, path, name string, depth int) error {
	if err := l.ctx.Err(); err != nil {
		return holdfast.E(l.op, holdfast.Aborted, err)
	}
	if !l.passed && compareJoined(path, []byte(name), l.req.From) > 0 {
		l.passed = true
	}
	if !l.passed && !strings.HasPrefix(l.req.From, path+name) { // all of it is before From
		l.entries.next()
		return nil
	}
	if err := l.walk(child, path+name, depth+1); err != nil {
		return err
	}
	l.key = append(schema.EntryKey(l.key[:0], d, name), 0)
	l.entries.seek(l.key)
	if l.versions.it != nil {
		l.key = schema.NamePrefix(l.key[:0], schema.KindOlder, d, name)
		l.versions.seek(l.key[:len(l.key)-2])
	}
	return nil
}

// current lists the visible current version of a name, and with ListVersions those behind it.
func (l *lister) current(d holdfast.DirID, path string, name, value []byte) error {
	rec, err := l.record(d, value)
	if err != nil {
		return err
	}
	if !l.skip(path, name, rec.Version) {
		if err := l.add(path, name, rec, true); err != nil {
			return err
		}
	}
	if l.versions.it != nil {
		if err := l.sameName(d, path, name); err != nil {
			return err
		}
	}
	l.entries.next()
	return nil
}

// record decodes a version into the next place of the slab; add keeps it there.
func (l *lister) record(d holdfast.DirID, value []byte) (*schema.Record, error) {
	if len(l.slab) == 0 {
		n := min(l.req.Limit-len(l.page.Items)+1, max(32, len(l.page.Items)))
		l.slab = make([]schema.Record, n)
	}
	rec := &l.slab[0]
	want := schema.Brief
	if l.req.WithContent {
		want = schema.Content
	}
	if err := schema.DecodeEntry(rec, value, d.Slot(), want, &l.arena); err != nil {
		return nil, corrupt("entry", l.key, err)
	}
	if l.req.WithContent && rec.LargeTable > 0 {
		if err := l.table(d, rec); err != nil {
			return nil, err
		}
	}
	return rec, nil
}

// add puts the record at the head of the slab on the page.
func (l *lister) add(path string, name []byte, rec *schema.Record, latest bool) error {
	if len(l.page.Items) == l.req.Limit {
		return errFull
	}
	if l.page.Items == nil {
		l.page.Items = make([]holdfast.Item, 0, min(l.req.Limit, 1000))
	}
	l.slab = l.slab[1:]
	l.page.Items = append(l.page.Items, holdfast.Item{Name: l.arena.Join(path, name), Entry: &rec.Entry, Latest: latest})
	return nil
}

// olderBefore lists the names that have no visible current version, up to the next entry.
func (l *lister) olderBefore(d holdfast.DirID, path, prefix string) error {
	var last []byte
	for l.versions.it != nil && l.versions.ok {
		name, v, ok := schema.ParseOlder(l.versions.rest())
		if !ok {
			return corrupt("version", l.versions.it.Key(), nil)
		}
		if l.entries.paused && (last == nil || !bytes.Equal(last, name)) {
			l.key = append(append(schema.EntryKey(l.key[:0], d, ""), name...), 0)
			l.entries.upTo(l.key)
		}
		if l.entries.ok && bytes.Compare(name, l.entries.rest()) >= 0 {
			return nil
		}
		if !hasPrefix(name, prefix) {
			if string(name) > prefix {
				l.versions.ok = false
				return nil
			}
			l.versions.next()
			continue
		}
		latest := !l.inside && (last == nil || !bytes.Equal(last, name))
		l.inside = false
		last = append(last[:0], name...)
		if err := l.older(d, path, name, v, latest); err != nil {
			return err
		}
		if last == nil {
			last = []byte{}
		}
	}
	l.entries.upTo(nil)
	return nil
}

// sameName lists the older versions of a name whose current version was listed.
func (l *lister) sameName(d holdfast.DirID, path string, name []byte) error {
	l.inside = false
	for l.versions.ok {
		n, v, ok := schema.ParseOlder(l.versions.rest())
		if !ok {
			return corrupt("version", l.versions.it.Key(), nil)
		}
		if !bytes.Equal(n, name) {
			return nil
		}
		if err := l.older(d, path, n, v, false); err != nil {
			return err
		}
	}
	return nil
}

// older lists one older version and moves on.
func (l *lister) older(d holdfast.DirID, path string, name []byte, v holdfast.VersionID, latest bool) error {
	if !l.skip(path, name, v) {
		value, err := l.versions.value()
		if err != nil {
			return err
		}
		rec, err := l.record(d, value)
		if err != nil {
			return err
		}
		if err := l.add(path, name, rec, latest); err != nil {
			return err
		}
	}
	l.versions.next()
	return nil
}

// uploads lists unfinished uploads: the index of a bucket at its root, else those of the directory.
func (l *lister) uploads(root bool) (err error) {
	kind := schema.KindUpload
	if root {
		kind = schema.KindIndex
	}
	var c cursor
	if err := c.open(l.v, kind); err != nil {
		return err
	}
	defer c.close(&err)
	l.key = schema.NamePrefix(nil, kind, l.req.Dir, max(l.req.Prefix, l.req.From))
	for c.seek(l.key[:len(l.key)-2]); c.ok; c.next() {
		name, id, ok := schema.ParseUpload(c.rest())
		if !ok {
			return corrupt("upload", c.it.Key(), nil)
		}
		if !hasPrefix(name, l.req.Prefix) {
			return nil
		}
		if string(name) == l.req.From && l.req.After &&
			(l.req.FromUpload == holdfast.UploadID{} || bytes.Compare(id[:], l.req.FromUpload[:]) <= 0) {
			continue
		}
		if len(l.page.Items) == l.req.Limit {
			return errFull
		}
		value, err := c.value()
		if err != nil {
			return err
		}
		u := &holdfast.Upload{}
		if err := schema.DecodeUpload(u, id, value, l.req.Dir.Slot(), &l.arena); err != nil {
			return corrupt("upload", c.it.Key(), err)
		}
		l.page.Items = append(l.page.Items, holdfast.Item{Name: l.arena.String(name), Upload: u})
	}
	return nil
}
