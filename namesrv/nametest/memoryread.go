package nametest

import (
	"bytes"
	"context"
	"slices"
	"sort"
	"strings"

	"holdfast"
)

// Lookup implements [holdfast.NameService].
func (m *Memory) Lookup(ctx context.Context, questions []holdfast.Lookup) ([]holdfast.Answer, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	if len(questions) > holdfast.MaxLookups {
		return nil, fail(holdfast.TooLarge)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	answers := make([]holdfast.Answer, len(questions))
	for i, q := range questions {
		answers[i].Err = m.answer(q, &answers[i])
	}
	return answers, nil
}

func (m *Memory) answer(q holdfast.Lookup, a *holdfast.Answer) error {
	if len(q.Name) > holdfast.MaxName {
		return fail(holdfast.TooLarge)
	}
	at := q.Dir
	if !m.slots[at.Slot()] {
		return fail(holdfast.NotOwner)
	}
	for _, name := range q.Path {
		if len(name) > holdfast.MaxName {
			return fail(holdfast.TooLarge)
		}
		d, err := m.open(at)
		if err != nil {
			return err
		}
		child, ok := d.subs[name]
		if !ok {
			return fail(holdfast.NotFound)
		}
		a.Dirs = append(a.Dirs, child)
		if at = child; !m.slots[at.Slot()] {
			return fail(holdfast.NotOwner)
		}
	}
	d, err := m.open(at)
	if sealed := m.dirs[at]; err != nil && sealed != nil && q.Want == holdfast.WantDir {
		d = sealed
	} else if err != nil {
		return err
	}
	switch q.Want {
	case holdfast.WantEntry:
		return d.answerEntry(q, a)
	case holdfast.WantDir:
		a.State = holdfast.DirState{
			Parent: d.parent, Name: d.name, Bucket: d.root, Entries: d.entries(), Visible: d.visible(), Sealed: d.sealed,
		}
		return err
	case holdfast.WantBucket:
		if d.bucket == nil {
			return fail(holdfast.NotFound)
		}
		a.Bucket = copyBucket(d.bucket)
		return nil
	case holdfast.WantUpload, holdfast.WantParts:
		return d.answerUpload(q, a)
	}
	return fail(holdfast.Invalid)
}

func (d *dir) answerEntry(q holdfast.Lookup, a *holdfast.Answer) error {
	e := d.current(q.Name)
	switch {
	case q.Null && !q.Version.IsZero():
		return fail(holdfast.Invalid)
	case q.Null:
		e = d.null(q.Name)
	case !q.Version.IsZero():
		e = d.version(q.Name, q.Version)
	case e == nil:
		if vs := d.names[q.Name]; len(vs) > 0 {
			a.Entry = copyEntry(vs[0])
		}
	}
	if e == nil {
		return fail(holdfast.NotFound)
	}
	a.Entry = copyEntry(e)
	return nil
}

func (d *dir) answerUpload(q holdfast.Lookup, a *holdfast.Answer) error {
	u := d.uploads[nameUpload{q.Name, q.Upload}]
	if u == nil {
		return fail(holdfast.NoSuchUpload)
	}
	a.Upload = u.Upload
	a.Upload.Entry = copyEntry(&u.Entry)
	if q.Want == holdfast.WantUpload {
		return nil
	}
	for _, p := range u.parts {
		if p.Part.Number > q.After {
			a.Parts = append(a.Parts, p)
		}
	}
	slices.SortFunc(a.Parts, func(x, y holdfast.UploadedPart) int { return x.Part.Number - y.Part.Number })
	if limit := q.Limit; limit > 0 && len(a.Parts) > limit {
		a.Parts, a.More = a.Parts[:limit], true
	}
	return nil
}

// List implements [holdfast.NameService]: it makes all items there are, sorts them, and drops those the page does not want.
func (m *Memory) List(ctx context.Context, requests []holdfast.ListRequest) ([]holdfast.Page, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	if len(requests) > holdfast.MaxLookups {
		return nil, fail(holdfast.TooLarge)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	pages := make([]holdfast.Page, len(requests))
	for i, r := range requests {
		pages[i] = m.list(r)
	}
	return pages, nil
}

func (m *Memory) list(r holdfast.ListRequest) (p holdfast.Page) {
	if !m.slots[r.Dir.Slot()] {
		return holdfast.Page{Err: fail(holdfast.NotOwner)}
	}
	if r.Limit < 1 || r.Limit > holdfast.MaxList || r.What > holdfast.ListUploads {
		return holdfast.Page{Err: fail(holdfast.Invalid)}
	}
	d, err := m.open(r.Dir)
	if err != nil {
		return holdfast.Page{Err: err}
	}
	items := d.uploadItems()
	if r.What != holdfast.ListUploads {
		items = m.items(d, "", r)
	}
	for _, it := range items {
		switch {
		case !wanted(it, r):
		case len(p.Items) == r.Limit:
			p.More = true
		default:
			p.Items = append(p.Items, it)
		}
	}
	return p
}

// wanted reports whether an item is on the page, if there is room. An unexpanded item of a recursive listing stands for all
// that begins with its name.
func wanted(it holdfast.Item, r holdfast.ListRequest) bool {
	tree := r.Recursive && !it.Dir.IsZero()
	if !strings.HasPrefix(it.Name, r.Prefix) && !(tree && strings.HasPrefix(r.Prefix, it.Name)) {
		return false
	}
	if it.Name != r.From {
		return it.Name > r.From || tree && strings.HasPrefix(r.From, it.Name)
	}
	switch {
	case !r.After:
		return true
	case it.Upload != nil:
		return r.FromUpload != holdfast.UploadID{} && bytes.Compare(it.Upload.ID[:], r.FromUpload[:]) > 0
	case it.Entry != nil && !r.FromVersion.IsZero():
		return bytes.Compare(it.Entry.Version[:], r.FromVersion[:]) < 0
	}
	return false
}

// items returns all items of a directory in order, their names behind path.
func (m *Memory) items(d *dir, path string, r holdfast.ListRequest) (items []holdfast.Item) {
	for name, vs := range d.names {
		for i, e := range vs {
			if r.What == holdfast.ListObjects && (i > 0 || e.Marker) {
				continue
			}
			c := copyEntry(e)
			if c.Headers, c.ACL, c.Tags, c.POSIX, c.Sealed = nil, nil, nil, nil, nil; !r.WithContent {
				c.Content = holdfast.Content{}
			}
			items = append(items, holdfast.Item{Name: path + name, Entry: &c, Latest: i == 0})
		}
	}
	for name, id := range d.subs {
		if r.Recursive && m.slots[id.Slot()] {
			if child := m.dirs[id]; child != nil {
				items = append(items, m.items(child, path+name, r)...)
			}
			continue
		}
		items = append(items, holdfast.Item{Name: path + name, Dir: id, Visible: m.visibility(id, r.What)})
	}
	sort.SliceStable(items, func(i, j int) bool { return items[i].Name < items[j].Name })
	return items
}

func (m *Memory) visibility(id holdfast.DirID, what holdfast.Listing) holdfast.Visibility {
	if !m.slots[id.Slot()] {
		return holdfast.VisibleUnknown
	}
	d, err := m.open(id)
	if err != nil {
		return holdfast.VisibleNo
	}
	if d.visible() > 0 || what == holdfast.ListVersions && len(d.names) > 0 {
		return holdfast.VisibleYes
	}
	v := holdfast.VisibleNo
	for _, sub := range d.subs {
		switch m.visibility(sub, what) {
		case holdfast.VisibleYes:
			return holdfast.VisibleYes
		case holdfast.VisibleUnknown:
			v = holdfast.VisibleUnknown
		}
	}
	return v
}

// uploadItems returns the uploads in order: the index if the directory is a bucket's root.
func (d *dir) uploadItems() (items []holdfast.Item) {
	if d.bucket != nil {
		for k, u := range d.index {
			items = append(items, holdfast.Item{Name: k.name, Upload: &u})
		}
	} else {
		for k, u := range d.uploads {
			c := u.Upload
			items = append(items, holdfast.Item{Name: k.name, Upload: &c})
		}
	}
	slices.SortFunc(items, func(a, b holdfast.Item) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return bytes.Compare(a.Upload.ID[:], b.Upload.ID[:])
	})
	return items
}
