package namesrv

import (
	"math"

	"holdfast"
	"holdfast/namesrv/schema"
)

// putEntry makes a new current version.
func (g *group) putEntry(op *holdfast.PutEntry) (holdfast.Reply, error) {
	d, err := g.entryDir(op.Dir, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if op.Entry.Marker {
		return holdfast.Reply{}, invalid("delete markers are made by DeleteEntry")
	}
	if err := checkContent(&op.Entry); err != nil {
		return holdfast.Reply{}, err
	}
	owner := schema.OwnerOfName(op.Dir, op.Name)
	cur, err := g.current(d, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	done, fate, err := g.claimable(op.Entry.Content, owner)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if done {
		return g.donePut(d, op, fate, cur)
	}
	if err := g.checkBucket(op.Bucket); err != nil {
		return holdfast.Reply{}, err
	}
	if err := checkConditions(&op.If, entryOf(cur), op.Name); err != nil {
		return holdfast.Reply{}, err
	}
	e, err := g.putVersion(d, op.Name, cur, op.Entry, op.Versioning)
	if err != nil {
		return holdfast.Reply{}, err
	}
	g.claim(op.Entry.Content, &schema.Fate{Owner: owner, Version: e.Version, Created: cur == nil})
	return holdfast.Reply{Entry: e, Created: cur == nil}, nil
}

func entryOf(s *stored) *holdfast.Entry {
	if s == nil {
		return nil
	}
	return &s.Entry
}

// entryDir returns the open directory of an operation on an entry.
func (g *group) entryDir(id holdfast.DirID, name string) (*dirState, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	return g.openDir(id)
}

// donePut answers a commit that came before with what it was told then.
func (g *group) donePut(d *dirState, op *holdfast.PutEntry, f *schema.Fate, cur *stored) (holdfast.Reply, error) {
	if f.Settled { // who committed it is forgotten, so the name has to tell
		v, err := g.holder(d, op.Name, cur, firstLink(op.Entry.Content))
		if err != nil {
			return holdfast.Reply{}, err
		}
		if v == nil {
			return holdfast.Reply{}, invalid("the link is committed by another name")
		}
		f.Version = v.Version
	}
	s, err := g.version(d, op.Name, f.Version)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if s == nil { // removed since, so the request has to tell
		e := op.Entry
		detach(&e)
		e.Version, e.Null = f.Version, op.Versioning != holdfast.VersioningEnabled
		g.setModified(&e)
		return holdfast.Reply{Entry: e}, nil
	}
	if err := g.loadTable(d, s); err != nil {
		return holdfast.Reply{}, err
	}
	return holdfast.Reply{Entry: s.Entry, Created: f.Created}, nil
}

// holder returns the version of a name that is made of the link, nil if none is.
func (g *group) holder(d *dirState, name string, cur *stored, l holdfast.Link) (*stored, error) {
	if cur != nil && sameLink(&cur.Entry, l) {
		return cur, nil
	}
	if d.Older == 0 {
		return nil, nil
	}
	g.key2 = schema.NamePrefix(g.key2[:0], schema.KindOlder, d.id, name)
	rows, err := g.scan(g.key2, math.MaxInt)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		s, err := g.decode(d, r.value, true)
		if err != nil || sameLink(&s.Entry, l) {
			return s, err
		}
	}
	return nil, nil
}

// putVersion puts a new current version over cur, the visible one before (nil if none), and returns it as stored.
func (g *group) putVersion(d *dirState, name string, cur *stored, e holdfast.Entry, v holdfast.Versioning) (holdfast.Entry, error) {
	if v != holdfast.VersioningEnabled {
		if err := g.removeNull(d, name, cur); err != nil {
			return e, err
		}
	}
	switch {
	case cur == nil || cur.Null && v != holdfast.VersioningEnabled: // none, or removed already
	case v == holdfast.VersioningOff:
		if g.locked(&cur.Entry, false) {
			return e, fail(holdfast.Locked, name)
		}
		if err := g.remove(d, name, cur); err != nil {
			return e, err
		}
	default:
		g.retire(d, name, cur)
	}
	detach(&e)
	e.Version = g.newVersion()
	e.Null = v != holdfast.VersioningEnabled
	g.setModified(&e)
	s := &stored{Record: schema.Record{Entry: e}}
	g.split(d, &s.Record)
	g.store(d, name, s)
	g.change(holdfast.ChangePut, d, name, &e)
	return e, nil
}

func (g *group) setModified(e *holdfast.Entry) {
	if e.Modified.IsZero() {
		e.Modified = schema.ClockTime(e.Version)
	} else {
		e.Modified = e.Modified.UTC().Round(0)
	}
}

// removeNull removes the null version of a name, wherever it lies.
func (g *group) removeNull(d *dirState, name string, cur *stored) error {
	old, err := g.null(d, name, cur)
	if err != nil || old == nil {
		return err
	}
	if g.locked(&old.Entry, false) {
		return fail(holdfast.Locked, name)
	}
	return g.remove(d, name, old)
}

// deleteEntry removes a version or a name, or hides the name behind a marker.
func (g *group) deleteEntry(op *holdfast.DeleteEntry) (holdfast.Reply, error) {
	d, err := g.entryDir(op.Dir, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if op.Null && !op.Version.IsZero() {
		return holdfast.Reply{}, invalid("both a version and the null version")
	}
	if err := g.checkBucket(op.Bucket); err != nil {
		return holdfast.Reply{}, err
	}
	cur, err := g.current(d, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	victim, named := cur, true
	switch {
	case !op.Version.IsZero():
		victim, err = g.version(d, op.Name, op.Version)
	case op.Null:
		victim, err = g.null(d, op.Name, cur)
	default:
		named = false
	}
	if err == nil {
		err = checkConditions(&op.If, entryOf(victim), op.Name)
	}
	switch {
	case err != nil:
		return holdfast.Reply{}, err
	case !named && op.Versioning != holdfast.VersioningOff:
		return g.hide(d, op, cur)
	case victim == nil:
		return holdfast.Reply{}, nil
	}
	return g.removeVersion(d, op, cur, victim)
}

// removeVersion removes one version for good.
func (g *group) removeVersion(d *dirState, op *holdfast.DeleteEntry, cur, victim *stored) (holdfast.Reply, error) {
	if g.locked(&victim.Entry, op.Bypass) {
		return holdfast.Reply{}, fail(holdfast.Locked, op.Name)
	}
	if err := g.remove(d, op.Name, victim); err != nil {
		return holdfast.Reply{}, err
	}
	g.change(holdfast.ChangeDelete, d, op.Name, &victim.Entry)
	if cur == nil || cur.Version == victim.Version {
		if err := g.promote(d, op.Name); err != nil {
			return holdfast.Reply{}, err
		}
	}
	return holdfast.Reply{Found: true, Entry: brief(&victim.Entry)}, nil
}

// brief is what a delete tells of what it added or removed.
func brief(e *holdfast.Entry) holdfast.Entry {
	return holdfast.Entry{Version: e.Version, Null: e.Null, Marker: e.Marker}
}

// hide puts a delete marker on a name.
func (g *group) hide(d *dirState, op *holdfast.DeleteEntry, cur *stored) (holdfast.Reply, error) {
	suspended := op.Versioning == holdfast.VersioningSuspended
	if suspended {
		if err := g.removeNull(d, op.Name, cur); err != nil {
			return holdfast.Reply{}, err
		}
	}
	if cur != nil && !(suspended && cur.Null) {
		g.retire(d, op.Name, cur)
	}
	e := holdfast.Entry{Version: g.newVersion(), Null: suspended, Marker: true, Owner: op.Owner}
	g.setModified(&e)
	g.store(d, op.Name, &stored{Record: schema.Record{Entry: e}, older: true})
	g.change(holdfast.ChangeMarker, d, op.Name, &e)
	return holdfast.Reply{Found: cur != nil, Entry: brief(&e)}, nil
}

// setEntry replaces aspects of a version.
func (g *group) setEntry(op *holdfast.SetEntry) (holdfast.Reply, error) {
	d, err := g.entryDir(op.Dir, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if op.Null && !op.Version.IsZero() {
		return holdfast.Reply{}, invalid("both a version and the null version")
	}
	cur, err := g.current(d, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if err := checkConditions(&op.If, entryOf(cur), op.Name); err != nil {
		return holdfast.Reply{}, err
	}
	s := cur
	switch {
	case !op.Version.IsZero():
		s, err = g.version(d, op.Name, op.Version)
	case op.Null:
		s, err = g.null(d, op.Name, cur)
	}
	if err != nil {
		return holdfast.Reply{}, err
	}
	if s == nil || s.Marker {
		return holdfast.Reply{}, fail(holdfast.NotFound, op.Name)
	}
	if op.Mask&holdfast.AspectRetention != 0 && !s.Lock.AllowsRetention(op.Entry.Lock, g.now, op.Bypass) {
		return holdfast.Reply{}, fail(holdfast.Locked, op.Name)
	}
	setAspects(&s.Entry, &op.Entry, op.Mask)
	g.unstore(d, op.Name, s)
	g.store(d, op.Name, s)
	g.change(holdfast.ChangeAttr, d, op.Name, &s.Entry)
	if err := g.loadTable(d, s); err != nil {
		return holdfast.Reply{}, err
	}
	return holdfast.Reply{Entry: s.Entry}, nil
}

// setAspects copies the aspects in the mask.
func setAspects(to, from *holdfast.Entry, mask holdfast.Aspect) {
	e := *from
	detach(&e)
	if mask&holdfast.AspectHeaders != 0 {
		to.Headers = e.Headers
	}
	if mask&holdfast.AspectACL != 0 {
		to.ACL = e.ACL
	}
	if mask&holdfast.AspectTags != 0 {
		to.Tags = e.Tags
	}
	if mask&holdfast.AspectRetention != 0 {
		to.Lock.Mode, to.Lock.Until = e.Lock.Mode, e.Lock.Until
	}
	if mask&holdfast.AspectLegalHold != 0 {
		to.Lock.LegalHold, to.Lock.HoldOff = e.Lock.LegalHold, e.Lock.HoldOff
	}
	if mask&holdfast.AspectPOSIX != 0 {
		to.POSIX = e.POSIX
	}
	if mask&holdfast.AspectStorageClass != 0 {
		to.StorageClass = e.StorageClass
	}
}
