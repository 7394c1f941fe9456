package namesrv

import (
	"math"

	"holdfast"
	"holdfast/namesrv/schema"
)

// A name's versions lie in two places: the current one under KindEntry if it is visible, all others under KindOlder, newest
// first, delete markers always there. So plain listings cross nothing but what they show. The invariant that
// the functions below keep: if there is a row under KindEntry it is the newest version, else the newest version is a marker
// or there is none.

// stored is a version with the place it lies in.
type stored struct {
	schema.Record
	older bool
}

// current returns the visible current version of a name, nil if there is none. A sub-directory is none: its name ends in "/".
func (g *group) current(d *dirState, name string) (*stored, error) {
	g.key = schema.EntryKey(g.key[:0], d.id, name)
	v, ok, err := g.get(g.key)
	if err != nil || !ok {
		return nil, err
	}
	return g.decode(d, v, false)
}

func (g *group) decode(d *dirState, value []byte, older bool) (*stored, error) {
	s := &stored{older: older}
	if err := schema.DecodeEntry(&s.Record, value, d.id.Slot(), schema.All, &g.arena); err != nil {
		return nil, corrupt("entry", g.key, err)
	}
	return s, nil
}

// version returns a version of a name wherever it lies, nil if there is none.
func (g *group) version(d *dirState, name string, v holdfast.VersionID) (*stored, error) {
	cur, err := g.current(d, name)
	if err != nil || cur != nil && cur.Version == v {
		return cur, err
	}
	if d.Older == 0 {
		return nil, nil
	}
	g.key = schema.OlderKey(g.key[:0], d.id, name, v)
	value, ok, err := g.get(g.key)
	if err != nil || !ok {
		return nil, err
	}
	return g.decode(d, value, true)
}

// null returns the null version of a name, nil if there is none; cur is its current version.
func (g *group) null(d *dirState, name string, cur *stored) (*stored, error) {
	if cur != nil && cur.Null {
		return cur, nil
	}
	if d.Older == 0 {
		return nil, nil
	}
	g.key = schema.NullKey(g.key[:0], d.id, name)
	value, ok, err := g.get(g.key)
	if err != nil || !ok {
		return nil, err
	}
	v, err := schema.DecodeNull(value)
	if err != nil {
		return nil, corrupt("null version", g.key, err)
	}
	return g.version(d, name, v)
}

// newestOlder returns the newest version under KindOlder, nil if there is none.
func (g *group) newestOlder(d *dirState, name string) (*stored, error) {
	if d.Older == 0 {
		return nil, nil
	}
	g.key2 = schema.NamePrefix(g.key2[:0], schema.KindOlder, d.id, name)
	rows, err := g.scan(g.key2, 1)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return g.decode(d, rows[0].value, true)
}

// store writes a version into its place and counts it.
func (g *group) store(d *dirState, name string, s *stored) {
	value := g.owned(schema.AppendEntry(g.own(), &s.Record, d.id.Slot()))
	g.edit(d)
	d.Entries++
	g.state.Names++
	use := holdfast.Usage{Versions: 1, Bytes: s.Size}
	if !s.older {
		g.key = schema.EntryKey(g.key[:0], d.id, name)
		g.set(g.key, value)
		d.Visible++
		use.Objects = 1
		g.count(d, use)
		return
	}
	g.setOlder(d, name, s.Version, value)
	d.Older++
	if s.Null {
		g.key = schema.NullKey(g.key[:0], d.id, name)
		g.set(g.key, g.owned(schema.AppendNull(g.own(), s.Version)))
	}
	g.count(d, use)
}

// unstore removes a version from its place and uncounts it; its content stays.
func (g *group) unstore(d *dirState, name string, s *stored) {
	g.edit(d)
	d.Entries--
	g.state.Names--
	use := holdfast.Usage{Versions: -1, Bytes: -s.Size}
	if !s.older {
		g.key = schema.EntryKey(g.key[:0], d.id, name)
		g.set(g.key, nil)
		d.Visible--
		use.Objects = -1
		g.count(d, use)
		return
	}
	g.setOlder(d, name, s.Version, nil)
	d.Older--
	if s.Null {
		g.key = schema.NullKey(g.key[:0], d.id, name)
		g.set(g.key, nil)
	}
	g.count(d, use)
}

func (g *group) setOlder(d *dirState, name string, v holdfast.VersionID, value []byte) {
	g.key = schema.OlderKey(g.key[:0], d.id, name, v)
	g.setScanned(g.key, value, len(g.key)-len(v))
}

// retire makes the current version a noncurrent one.
func (g *group) retire(d *dirState, name string, s *stored) {
	g.unstore(d, name, s)
	s.older = true
	g.store(d, name, s)
}

// remove removes a version for good: its objects become garbage.
func (g *group) remove(d *dirState, name string, s *stored) error {
	if err := g.loadTable(d, s); err != nil {
		return err
	}
	g.unstore(d, name, s)
	g.discard(s.Content, schema.OwnerOfName(d.id, name), s.Version)
	if s.LargeTable > 0 {
		g.key = schema.TableKey(g.key[:0], d.id, s.Version)
		g.set(g.key, nil)
	}
	return nil
}

// promote makes the newest version visible again after the one above it was removed.
func (g *group) promote(d *dirState, name string) error {
	next, err := g.newestOlder(d, name)
	if err != nil || next == nil || next.Marker {
		return err
	}
	g.unstore(d, name, next)
	next.older = false
	g.store(d, name, next)
	return nil
}

// loadTable reads a part table that lies apart.
func (g *group) loadTable(d *dirState, s *stored) error {
	if s.LargeTable == 0 || len(s.Content.Parts) > 0 {
		return nil
	}
	g.key = schema.TableKey(g.key[:0], d.id, s.Version)
	v, ok, err := g.get(g.key)
	if err != nil {
		return err
	}
	if !ok {
		return corrupt("part table", g.key, nil)
	}
	s.Content.Parts, err = schema.DecodeTable(v, d.id.Slot(), &g.arena)
	if err != nil {
		return corrupt("part table", g.key, err)
	}
	return nil
}

// inlineParts is how many rows a part table may have to lie in its entry: listings read past it.
const inlineParts = 8

// split puts a part table that is too large for the entry under a key of its own, and leaves the entry without.
func (g *group) split(d *dirState, r *schema.Record) {
	if len(r.Content.Parts) <= inlineParts {
		return
	}
	g.key = schema.TableKey(g.key[:0], d.id, r.Version)
	g.set(g.key, schema.AppendTable(nil, r.Content.Parts, d.id.Slot()))
	r.LargeTable = len(r.Content.Parts)
	r.Content.Parts = nil
}

// checkContent checks that the content covers the entry's size exactly.
func checkContent(e *holdfast.Entry) error {
	c := &e.Content
	size := c.Link.Size
	switch {
	case len(c.Parts) > 0:
		size = 0
	case len(e.Sealed) > 0 && size > e.Size: // what is stored is longer than what it holds
		size = e.Size
	}
	if e.Size < 0 || len(c.Parts) > 0 && !c.Link.IsZero() {
		return invalid("content with both a link and parts, or a negative size")
	}
	if len(c.Parts) > holdfast.MaxParts {
		return fail(holdfast.TooLarge, "part table")
	}
	for i := range c.Parts {
		p := &c.Parts[i]
		if p.Offset != size || p.Size < 0 || p.Size > math.MaxInt64-size || p.From < 0 || p.Number < 0 || p.Number > holdfast.MaxParts {
			return invalid("a part table with a gap, an overlap or a wrong number")
		}
		size += p.Size
	}
	if size != e.Size {
		return invalid("content of another size than the entry")
	}
	return nil
}

// locked reports whether object lock forbids to remove a version now.
func (g *group) locked(e *holdfast.Entry, bypass bool) bool { return e.Lock.Forbids(g.now, bypass) }

// detach gives an entry memory of its own, so that a reply shares none with the request.
func detach(e *holdfast.Entry) {
	e.Headers = append([]holdfast.Header(nil), e.Headers...)
	e.Tags = append([]holdfast.Header(nil), e.Tags...)
	e.ACL = append([]byte(nil), e.ACL...)
	e.Sealed = append([]byte(nil), e.Sealed...)
	e.Content.Parts = append(holdfast.PartTable(nil), e.Content.Parts...)
	if e.POSIX != nil {
		p := *e.POSIX
		e.POSIX = &p
	}
}

// firstLink returns the first link of a content, zero if it has none.
func firstLink(c holdfast.Content) (first holdfast.Link) {
	for first = range c.Links {
		break
	}
	return first
}

// sameLink reports whether the content of a version begins with the link.
func sameLink(e *holdfast.Entry, l holdfast.Link) bool {
	have := firstLink(e.Content)
	return have.OS == l.OS && have.Object == l.Object
}
