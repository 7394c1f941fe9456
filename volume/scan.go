package volume

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"holdfast"
	"holdfast/volume/path"
)

// treeScan yields the entries of a tree of directories in byte order of their full keys. A name server expands the directories it
// holds itself; those it does not are scanned where they are, several at once. With level set, only one directory is
// scanned and its sub-directories come as common prefixes, if there is anything in them to show.
//
// It is a stack of directories, of which the topmost is being read. What is read of each follows from its path, the prefix and
// the place the scan goes on from, so skipping is dropping what lies before the new place.
type treeScan struct {
	b      *Bucket
	what   holdfast.Listing
	prefix string
	from   start
	level  bool

	begun bool
	stack []*scanned
}

// scanned is a directory on the stack.
type scanned struct {
	dir    holdfast.DirID
	path   string // its full key
	items  []holdfast.Item
	i      int
	loaded bool                // a page was read
	more   bool                // there are more after it
	next   start               // where they begin
	ahead  map[string]*scanned // sub-directories that were read ahead, by name
	batch  int                 // how many were, the last time
}

// trim drops the items before a place inside the directory. A sub-directory that the place lies in stays.
func (s *scanned) trim(rest string) {
	for s.i < len(s.items) {
		name := s.items[s.i].Name
		if name >= rest || strings.HasSuffix(name, "/") && strings.HasPrefix(rest, name) {
			return
		}
		s.i++
	}
}

// Limits of what is read at once.
const (
	leastPage  = 32  // items of a page, however few are wanted
	leastAhead = 4   // directories read in one go, the first time
	growAhead  = 4   // factor by which that grows when they were used up
	maxAhead   = 128 // where it ends
)

// next implements source.
func (t *treeScan) next(ctx context.Context, about int) (ListItem, bool, error) {
	if !t.begun {
		if err := t.begin(ctx); err != nil {
			return ListItem{}, false, err
		}
	}
	for len(t.stack) > 0 {
		top := t.stack[len(t.stack)-1]
		if top.i == len(top.items) {
			if top.loaded && !top.more {
				t.stack = t.stack[:len(t.stack)-1]
				continue
			}
			if err := t.load(ctx, top, about); err != nil {
				return ListItem{}, false, err
			}
			continue
		}
		item := &top.items[top.i]
		top.i++
		if item.Dir.IsZero() {
			if t.passed(top, item) {
				continue
			}
			return ListItem{Key: top.path + item.Name, Entry: item.Entry, Latest: item.Latest}, true, nil
		}
		if t.level {
			return ListItem{Key: top.path + item.Name, CommonPrefix: true}, true, nil
		}
		if err := t.descend(ctx, top, about); err != nil {
			return ListItem{}, false, err
		}
	}
	return ListItem{}, false, nil
}

// passed reports whether an entry lies before the place the scan begins at, though its request did not say so: versions of a
// key that ends in "/".
func (t *treeScan) passed(s *scanned, it *holdfast.Item) bool {
	if !t.from.after || len(t.from.key) != len(s.path)+len(it.Name) || t.from.key != s.path+it.Name {
		return false
	}
	return t.from.version.IsZero() || bytes.Compare(it.Entry.Version[:], t.from.version[:]) >= 0
}

// skip implements source. It goes to the end of a common prefix that the present key has, so the new place is never in the
// middle of a directory that was read ahead: that directory would have the prefix too.
func (t *treeScan) skip(to string) {
	t.from = start{key: to}
	for len(t.stack) > 0 {
		top := t.stack[len(t.stack)-1]
		rest, inside := strings.CutPrefix(to, top.path)
		if inside {
			top.trim(rest)
			return
		}
		if top.path > to {
			return
		}
		t.stack = t.stack[:len(t.stack)-1]
	}
}

// begin finds the directory that the prefix leads to. Without it there is nothing to list.
func (t *treeScan) begin(ctx context.Context) error {
	t.begun = true
	qs := [1]question{newQuestion(t.prefix, holdfast.Lookup{Want: holdfast.WantDir})}
	t.b.ask(ctx, qs[:])
	switch err := qs[0].answer.Err; {
	case holdfast.Is(err, holdfast.NotFound):
		if len(qs[0].names) == 0 {
			return wrap(opList.String(), t.b.info.Name, ErrNoBucket)
		}
		return nil
	case err != nil:
		return err
	}
	t.stack = append(t.stack, &scanned{dir: qs[0].last(t.b.info.Root), path: path.Dir(t.prefix)})
	return nil
}

// request returns what to ask for a directory's next page.
func (t *treeScan) request(s *scanned, limit int) holdfast.ListRequest {
	req := holdfast.ListRequest{
		Dir: s.dir, What: t.what, Recursive: !t.level,
		Limit: min(max(limit, leastPage), holdfast.MaxList),
	}
	if rest, ok := strings.CutPrefix(t.prefix, s.path); ok {
		req.Prefix = rest
	}
	if rest, ok := strings.CutPrefix(t.from.key, s.path); ok {
		req.From, req.After, req.FromVersion = rest, t.from.after, t.from.version
		if t.from.after && strings.HasSuffix(t.from.key, "/") {
			req.After, req.FromVersion = false, holdfast.VersionID{} // "after a/" may mean after all of it: see passed
		}
	}
	if s.loaded && s.next.key >= req.From { // unless the scan skipped ahead of it
		req.From, req.After, req.FromVersion = s.next.key, s.next.after, s.next.version
	}
	return req
}

// load reads a directory's next page.
func (t *treeScan) load(ctx context.Context, s *scanned, about int) error {
	page := t.b.vol.router.list(ctx, []holdfast.ListRequest{t.request(s, about)})[0]
	if err := t.take(s, page); err != nil {
		return err
	}
	if !t.level {
		return nil
	}
	var err error
	s.items, err = t.visible(ctx, s.items)
	return err
}

// take puts a page in place. A directory that was removed meanwhile is empty.
func (t *treeScan) take(s *scanned, page holdfast.Page) error {
	s.loaded, s.i = true, 0
	if holdfast.Is(page.Err, holdfast.DirGone) {
		page = holdfast.Page{}
		if s.dir == t.b.info.Root {
			return wrap(opList.String(), t.b.info.Name, ErrNoBucket)
		}
	}
	if page.Err != nil {
		return page.Err
	}
	s.items, s.more, s.ahead = page.Items, page.More, nil
	if n := len(s.items); n > 0 {
		s.next = t.behind(&s.items[n-1])
	} else {
		s.more = false // there is no place to go on from
	}
	return nil
}

// behind returns the place right after an item.
func (t *treeScan) behind(it *holdfast.Item) start {
	switch {
	case !it.Dir.IsZero():
		if next, ok := path.After(it.Name); ok {
			return start{key: next}
		}
	case t.what == holdfast.ListVersions:
		return start{key: it.Name, after: true, version: it.Entry.Version}
	}
	return beyond(it.Name)
}

// descend puts the sub-directory that the scan has come to on the stack, and reads it along with the next ones of the page, more
// of them each time.
func (t *treeScan) descend(ctx context.Context, top *scanned, about int) error {
	item := &top.items[top.i-1]
	if sub := top.ahead[item.Name]; sub != nil {
		delete(top.ahead, item.Name)
		t.stack = append(t.stack, sub)
		return nil
	}
	top.batch = min(max(leastAhead, top.batch*growAhead), maxAhead, about)
	top.ahead = make(map[string]*scanned)
	var subs []*scanned
	var reqs []holdfast.ListRequest
	for i := top.i - 1; i < len(top.items) && len(subs) < top.batch; i++ {
		it := &top.items[i]
		if it.Dir.IsZero() {
			continue
		}
		sub, limit := &scanned{dir: it.Dir, path: top.path + it.Name}, about
		if len(subs) > 0 {
			limit = about / top.batch
			top.ahead[it.Name] = sub
		}
		subs, reqs = append(subs, sub), append(reqs, t.request(sub, limit))
	}
	for i, page := range t.b.vol.router.list(ctx, reqs) {
		if err := t.take(subs[i], page); err != nil {
			return err
		}
	}
	t.stack = append(t.stack, subs[0])
	return nil
}

// visible drops the sub-directories that have nothing to show from a page.
func (t *treeScan) visible(ctx context.Context, items []holdfast.Item) ([]holdfast.Item, error) {
	var unsure []int
	for i := range items {
		it := &items[i]
		if it.Dir.IsZero() || it.Visible == holdfast.VisibleYes {
			continue
		}
		// No is said of current versions; there may be others.
		if it.Visible == holdfast.VisibleUnknown || t.what == holdfast.ListVersions {
			unsure = append(unsure, i)
		}
	}
	p := prober{b: t.b, what: t.what, shown: make(map[int]bool)}
	for _, i := range unsure {
		p.add(i, items[i].Dir)
	}
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	kept := make([]holdfast.Item, 0, len(items))
	for i := range items {
		it := &items[i]
		if it.Dir.IsZero() || it.Visible == holdfast.VisibleYes || p.shown[i] {
			kept = append(kept, *it)
		}
	}
	return slices.Clip(kept), nil
}
