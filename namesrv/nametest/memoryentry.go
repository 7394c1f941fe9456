package nametest

import (
	"slices"
	"strings"
	"time"

	"holdfast"
)

func checkName(name string) error {
	if len(name) > holdfast.MaxName {
		return fail(holdfast.TooLarge)
	}
	if strings.Contains(name, "/") {
		return fail(holdfast.Invalid)
	}
	return nil
}

func (m *Memory) checkBucket(c holdfast.BucketCheck) error {
	if c.Epoch == 0 || !m.slots[c.Root.Slot()] {
		return nil
	}
	d, err := m.open(c.Root)
	if err == nil && (d.bucket == nil || d.bucket.Epoch != c.Epoch) {
		err = fail(holdfast.Conflict)
	}
	return err
}

func checkConditions(c holdfast.Conditions, cur *holdfast.Entry) error {
	if cur == nil {
		switch {
		case c.IfMatch != nil || c.IfMatchAny:
			return fail(holdfast.NotFound)
		case c.IfSize != nil || c.IfModified != nil:
			return fail(holdfast.Precondition)
		}
		return nil
	}
	if c.IfNoneMatch || c.IfMatch != nil && *c.IfMatch != cur.ETag || c.IfSize != nil && *c.IfSize != cur.Size ||
		c.IfModified != nil && c.IfModified.Unix() != cur.Modified.Unix() {
		return fail(holdfast.Precondition)
	}
	return nil
}

func checkContent(e *holdfast.Entry) error {
	size := e.Content.Link.Size
	if len(e.Sealed) > 0 && size > e.Size {
		size = e.Size
	}
	if len(e.Content.Parts) > holdfast.MaxParts {
		return fail(holdfast.TooLarge)
	}
	for i, p := range e.Content.Parts {
		if i == 0 {
			size = 0
		}
		if p.Offset != size || p.Size < 0 || p.From < 0 || p.Number < 0 || p.Number > holdfast.MaxParts {
			return holdfast.E("nametest", holdfast.Invalid, errContent)
		}
		size += p.Size
	}
	if size != e.Size || e.Size < 0 || len(e.Content.Parts) > 0 && !e.Content.Link.IsZero() {
		return holdfast.E("nametest", holdfast.Invalid, errContent)
	}
	return nil
}

// copyEntry returns an entry that shares no memory with e.
func copyEntry(e *holdfast.Entry) holdfast.Entry {
	c := *e
	c.Headers = slices.Clone(e.Headers)
	c.Tags = slices.Clone(e.Tags)
	c.ACL = slices.Clone(e.ACL)
	c.Sealed = slices.Clone(e.Sealed)
	c.Content.Parts = slices.Clone(e.Content.Parts)
	if e.POSIX != nil {
		p := *e.POSIX
		c.POSIX = &p
	}
	return c
}

// claimable checks the links; done is the fate of the first if the owner committed it before.
func (m *Memory) claimable(c holdfast.Content, owner string) (done *fate, err error) {
	first := true
	for l := range c.Links {
		if !m.slots[l.Home] {
			return nil, fail(holdfast.NotOwner)
		}
		f := m.fates[object{l.OS, l.Object}]
		switch {
		case f.fate != holdfast.FatePending && first && f.owner == owner:
			return &f, nil
		case f.fate == holdfast.FateDoomed:
			return nil, fail(holdfast.Doomed)
		case f.fate == holdfast.FateCommitted:
			return nil, fail(holdfast.Invalid)
		}
		first = false
	}
	return nil, nil
}

func (m *Memory) claim(c holdfast.Content, owner string, reply holdfast.Reply) {
	for l := range c.Links {
		m.fates[object{l.OS, l.Object}] = fate{holdfast.FateCommitted, owner, reply}
	}
}

// discard gives up the links of a content.
func (m *Memory) discard(c holdfast.Content, owner string) {
	seen := map[object]bool{}
	for l := range c.Links {
		key := object{l.OS, l.Object}
		if seen[key] {
			continue
		}
		seen[key] = true
		f := m.fates[key]
		f.fate, f.owner = holdfast.FateDoomed, owner
		m.fates[key] = f
		m.garbage = append(m.garbage, l)
	}
}

func ownerName(d holdfast.DirID, name string) string { return "n" + string(d[:]) + name }

func (m *Memory) putEntry(op holdfast.PutEntry) (holdfast.Reply, error) {
	if err := checkName(op.Name); err != nil {
		return holdfast.Reply{}, err
	}
	d, err := m.open(op.Dir)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if op.Entry.Marker {
		return holdfast.Reply{}, fail(holdfast.Invalid)
	}
	if err := checkContent(&op.Entry); err != nil {
		return holdfast.Reply{}, err
	}
	owner := ownerName(op.Dir, op.Name)
	done, err := m.claimable(op.Entry.Content, owner)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if done != nil {
		return d.told(op.Name, done.reply), nil
	}
	if err := m.checkBucket(op.Bucket); err != nil {
		return holdfast.Reply{}, err
	}
	if err := checkConditions(op.If, d.current(op.Name)); err != nil {
		return holdfast.Reply{}, err
	}
	r, err := m.putVersion(d, op.Name, op.Entry, op.Versioning)
	if err != nil {
		return holdfast.Reply{}, err
	}
	m.claim(op.Entry.Content, owner, r)
	return r, nil
}

// told is the reply to something that was done before: the version as it is now, or as it was if it is gone.
func (d *dir) told(name string, r holdfast.Reply) holdfast.Reply {
	if e := d.version(name, r.Entry.Version); e != nil {
		return holdfast.Reply{Entry: copyEntry(e), Created: r.Created}
	}
	return holdfast.Reply{Entry: copyEntry(&r.Entry)}
}

func (m *Memory) locked(e *holdfast.Entry, bypass bool) bool { return e.Lock.Forbids(m.now(), bypass) }

// putVersion puts a new version in front of the others.
func (m *Memory) putVersion(d *dir, name string, e holdfast.Entry, v holdfast.Versioning) (holdfast.Reply, error) {
	cur := d.current(name)
	var gone []*holdfast.Entry
	if null := d.null(name); null != nil && v != holdfast.VersioningEnabled {
		gone = append(gone, null)
	}
	if cur != nil && !cur.Null && v == holdfast.VersioningOff {
		gone = append(gone, cur)
	}
	for _, old := range gone {
		if m.locked(old, false) {
			return holdfast.Reply{}, fail(holdfast.Locked)
		}
	}
	for _, old := range gone {
		m.remove(d, name, old)
	}
	e = copyEntry(&e)
	e.Version = m.newVersion()
	e.Null = v != holdfast.VersioningEnabled
	setModified(&e)
	d.names[name] = slices.Insert(d.names[name], 0, &e)
	m.change(holdfast.ChangePut, d, name, &e)
	return holdfast.Reply{Entry: copyEntry(&e), Created: cur == nil}, nil
}

func setModified(e *holdfast.Entry) {
	if e.Modified.IsZero() {
		e.Modified = time.Unix(0, int64(e.Version.Clock()))
	}
	e.Modified = e.Modified.UTC().Round(0)
}

// remove removes a version for good.
func (m *Memory) remove(d *dir, name string, e *holdfast.Entry) {
	m.discard(e.Content, ownerName(d.id, name))
	vs := slices.DeleteFunc(slices.Clone(d.names[name]), func(v *holdfast.Entry) bool { return v == e })
	if d.names[name] = vs; len(vs) == 0 {
		delete(d.names, name)
	}
}

func (m *Memory) deleteEntry(op holdfast.DeleteEntry) (holdfast.Reply, error) {
	if err := checkName(op.Name); err != nil {
		return holdfast.Reply{}, err
	}
	d, err := m.open(op.Dir)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if op.Null && !op.Version.IsZero() {
		return holdfast.Reply{}, fail(holdfast.Invalid)
	}
	if err := m.checkBucket(op.Bucket); err != nil {
		return holdfast.Reply{}, err
	}
	cur := d.current(op.Name)
	victim, named := cur, true
	switch {
	case !op.Version.IsZero():
		victim = d.version(op.Name, op.Version)
	case op.Null:
		victim = d.null(op.Name)
	default:
		named = false
	}
	if err := checkConditions(op.If, victim); err != nil {
		return holdfast.Reply{}, err
	}
	if !named && op.Versioning != holdfast.VersioningOff {
		return m.hide(d, op, cur)
	}
	if victim == nil {
		return holdfast.Reply{}, nil
	}
	if m.locked(victim, op.Bypass) {
		return holdfast.Reply{}, fail(holdfast.Locked)
	}
	m.remove(d, op.Name, victim)
	m.change(holdfast.ChangeDelete, d, op.Name, victim)
	return holdfast.Reply{Found: true, Entry: brief(victim)}, nil
}

func brief(e *holdfast.Entry) holdfast.Entry {
	return holdfast.Entry{Version: e.Version, Null: e.Null, Marker: e.Marker}
}

// hide puts a delete marker in front.
func (m *Memory) hide(d *dir, op holdfast.DeleteEntry, cur *holdfast.Entry) (holdfast.Reply, error) {
	suspended := op.Versioning == holdfast.VersioningSuspended
	if null := d.null(op.Name); null != nil && suspended {
		if m.locked(null, false) {
			return holdfast.Reply{}, fail(holdfast.Locked)
		}
		m.remove(d, op.Name, null)
	}
	e := &holdfast.Entry{Version: m.newVersion(), Null: suspended, Marker: true, Owner: op.Owner}
	setModified(e)
	d.names[op.Name] = slices.Insert(d.names[op.Name], 0, e)
	m.change(holdfast.ChangeMarker, d, op.Name, e)
	return holdfast.Reply{Found: cur != nil, Entry: brief(e)}, nil
}

func (m *Memory) setEntry(op holdfast.SetEntry) (holdfast.Reply, error) {
	if err := checkName(op.Name); err != nil {
		return holdfast.Reply{}, err
	}
	d, err := m.open(op.Dir)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if op.Null && !op.Version.IsZero() {
		return holdfast.Reply{}, fail(holdfast.Invalid)
	}
	old := d.current(op.Name)
	if err := checkConditions(op.If, old); err != nil {
		return holdfast.Reply{}, err
	}
	switch {
	case !op.Version.IsZero():
		old = d.version(op.Name, op.Version)
	case op.Null:
		old = d.null(op.Name)
	}
	if old == nil || old.Marker {
		return holdfast.Reply{}, fail(holdfast.NotFound)
	}
	if op.Mask&holdfast.AspectRetention != 0 && !old.Lock.AllowsRetention(op.Entry.Lock, m.now(), op.Bypass) {
		return holdfast.Reply{}, fail(holdfast.Locked)
	}
	e := copyEntry(old)
	setAspects(&e, copyEntry(&op.Entry), op.Mask)
	vs := d.names[op.Name]
	vs[slices.Index(vs, old)] = &e
	m.change(holdfast.ChangeAttr, d, op.Name, &e)
	return holdfast.Reply{Entry: copyEntry(&e)}, nil
}

func setAspects(to *holdfast.Entry, from holdfast.Entry, mask holdfast.Aspect) {
	if mask&holdfast.AspectHeaders != 0 {
		to.Headers = from.Headers
	}
	if mask&holdfast.AspectACL != 0 {
		to.ACL = from.ACL
	}
	if mask&holdfast.AspectTags != 0 {
		to.Tags = from.Tags
	}
	if mask&holdfast.AspectRetention != 0 {
		to.Lock.Mode, to.Lock.Until = from.Lock.Mode, from.Lock.Until
	}
	if mask&holdfast.AspectLegalHold != 0 {
		to.Lock.LegalHold, to.Lock.HoldOff = from.Lock.LegalHold, from.Lock.HoldOff
	}
	if mask&holdfast.AspectPOSIX != 0 {
		to.POSIX = from.POSIX
	}
	if mask&holdfast.AspectStorageClass != 0 {
		to.StorageClass = from.StorageClass
	}
}
