package namesrv

import (
	"context"
	"fmt"

	"holdfast"
	"holdfast/namesrv/schema"
)

// Problem is something [Engine.Check] found wrong.
type Problem struct {
	Key  string // the record, in hex
	What string
}

// Check reads the whole store and compares everything that is kept twice: the counters of directories, usage and the server
// with a recount, links with fates, part tables, null versions, uploads and intents with what refers to them. It
// calls report for each problem; the error is about the check itself. It works on the view of its beginning, beside
// other calls, and needs memory for the counters of all directories. With links set it is called for each link
// that a name or an upload holds, so that fsck can compare names with bytes.
func (e *Engine) Check(ctx context.Context, report func(Problem), links func(holdfast.Link)) error {
	return e.read(ctx, func(v *view) error {
		c := &checker{
			ctx: ctx, v: v, report: report, links: links, slots: &e.slots,
			dirs: map[holdfast.DirID]*checkedDir{}, usage: map[usageKey]holdfast.Usage{},
			committed: map[fateKey]int{}, intents: map[holdfast.IntentID]holdfast.DirID{},
		}
		return c.run()
	})
}

type checkedDir struct {
	rec, counted schema.Dir
}

type fateKey struct {
	os holdfast.ServiceID
	id holdfast.ObjectID
}

type checker struct {
	ctx    context.Context
	v      *view
	report func(Problem)
	links  func(holdfast.Link)
	slots  *[holdfast.Slots]bool
	state  schema.State // recounted

	dirs      map[holdfast.DirID]*checkedDir
	usage     map[usageKey]holdfast.Usage
	committed map[fateKey]int // links seen
	intents   map[holdfast.IntentID]holdfast.DirID
	tables    int64 // large tables referred to
	nulls     int64
}

func (c *checker) problem(key []byte, format string, args ...any) {
	c.report(Problem{fmt.Sprintf("%x", key), fmt.Sprintf(format, args...)})
}

func (c *checker) run() error {
	for _, step := range []struct {
		kind schema.Kind
		f    func(key, value []byte) error
	}{
		{schema.KindDir, c.dir}, {schema.KindEntry, c.entry}, {schema.KindOlder, c.older}, {schema.KindNull, c.null},
		{schema.KindTable, c.table}, {schema.KindUpload, c.upload}, {schema.KindPart, c.part}, {schema.KindBucket, c.bucket},
		{schema.KindIntent, c.intent}, {schema.KindFate, c.fate}, {schema.KindGarbage, c.garbage},
		{schema.KindChange, c.change}, {schema.KindUsage, c.usageRow},
		{schema.KindShare, c.share},
	} {
		if err := scanRange(c.v.snap, step.kind, func(key, value []byte) error {
			if err := step.f(key, value); err != nil {
				c.problem(key, "does not decode: %v", err)
			}
			return c.ctx.Err()
		}); err != nil {
			return err
		}
	}
	c.compare()
	return nil
}

// compare looks at what is left after everything was read.
func (c *checker) compare() {
	for id, d := range c.dirs {
		r, n := &d.rec, &d.counted
		if r.Entries != n.Entries || r.Visible != n.Visible || r.Older != n.Older || r.SubDirs != n.SubDirs || r.Uploads != n.Uploads {
			c.problem(schema.DirKey(nil, id), "counts: recorded %d/%d/%d/%d/%d, found %d/%d/%d/%d/%d (entries, visible, older, sub-directories, uploads)",
				r.Entries, r.Visible, r.Older, r.SubDirs, r.Uploads, n.Entries, n.Visible, n.Older, n.SubDirs, n.Uploads)
		}
		if r.Sealed && n.Entries > 0 {
			c.problem(schema.DirKey(nil, id), "sealed, with %d entries", n.Entries)
		}
		if in := (holdfast.IntentID{Slot: id.Slot(), Seq: r.Intent}); r.Intent != 0 && c.intents[in] != id {
			c.problem(schema.DirKey(nil, id), "its intent %v is not there", in)
		}
		if r.Epoch > 0 && n.Epoch == 0 {
			c.problem(schema.DirKey(nil, id), "its bucket record is not there")
		}
	}
	for k, u := range c.usage {
		if u != (holdfast.Usage{}) {
			c.problem(schema.UsageKey(nil, k.root, k.slot), "usage: found %+v more than recorded", u)
		}
	}
	for k, n := range c.committed {
		if n != 0 {
			c.problem(nil, "link to %v of %v has no committed fate", k.id, k.os)
		}
	}
	if c.nulls != 0 || c.tables != 0 {
		c.problem(nil, "%d null versions and %d part tables are referred to and not there", c.nulls, c.tables)
	}
	s, n := c.v.state, c.state
	if s.Names != n.Names || s.Garbage != n.Garbage || s.Intents != n.Intents {
		c.problem(schema.StateKey(), "counters: recorded %+v, found %+v", s, n)
	}
	if s.Seq+1-s.First != n.Seq {
		c.problem(schema.StateKey(), "change log: %d records from %d to %d", n.Seq, s.First, s.Seq)
	}
}

// in returns the directory of a record.
func (c *checker) in(key []byte) (d *checkedDir, id holdfast.DirID, rest []byte) {
	_, id, rest, ok := schema.ParseDir(key)
	if !ok {
		c.problem(key, "key too short")
		return &checkedDir{}, id, nil
	}
	if d = c.dirs[id]; d == nil {
		c.problem(key, "its directory is not there")
		d = &checkedDir{}
		c.dirs[id] = d
	}
	return d, id, rest
}

func (c *checker) dir(key, value []byte) error {
	_, id, _, ok := schema.ParseDir(key)
	d := &checkedDir{}
	c.dirs[id] = d
	if !ok || !c.slots[id.Slot()] {
		c.problem(key, "a directory in a slot that is not held")
	}
	return schema.DecodeDir(&d.rec, value)
}

func (c *checker) entry(key, value []byte) error {
	d, id, name := c.in(key)
	d.counted.Entries++
	if _, ok := schema.IsDir(value); ok {
		d.counted.SubDirs++
		if checkDirName(string(name)) != nil {
			c.problem(key, "a sub-directory under a name that is none")
		}
		return nil
	}
	d.counted.Visible++
	if checkName(string(name)) != nil {
		c.problem(key, "an entry under a name that is none")
	}
	return c.version(key, value, d, id, false)
}

// version takes in a version of a name.
func (c *checker) version(key, value []byte, d *checkedDir, id holdfast.DirID, older bool) error {
	var r schema.Record
	if err := schema.DecodeEntry(&r, value, id.Slot(), schema.All, &schema.Arena{}); err != nil {
		return err
	}
	if r.LargeTable > 0 {
		rd := reader{v: c.v}
		if err := rd.table(id, &r); err != nil {
			c.problem(key, "part table: %v", err)
		} else if c.tables++; len(r.Content.Parts) != r.LargeTable {
			c.problem(key, "part table of %d rows, recorded %d", len(r.Content.Parts), r.LargeTable)
		}
	}
	switch {
	case r.Marker && !older:
		c.problem(key, "a delete marker among the visible versions")
	case !r.Marker && checkContent(&r.Entry) != nil:
		c.problem(key, "content of another size than the entry")
	case r.Version.Clock() > c.v.state.Clock:
		c.problem(key, "a version from the future")
	}
	u := holdfast.Usage{Versions: 1, Bytes: r.Size}
	if !older {
		u.Objects = 1
	}
	c.count(d, id, u)
	c.state.Names++
	c.hold(r.Content)
	if older && r.Null {
		c.nulls++
	}
	return nil
}

func (c *checker) count(d *checkedDir, id holdfast.DirID, u holdfast.Usage) {
	if d.rec.Root.IsZero() {
		return
	}
	k := usageKey{d.rec.Root, id.Slot()}
	u.Add(c.usage[k])
	c.usage[k] = u
}

// hold notes the links of a content. Rows of one table may share an object.
func (c *checker) hold(content holdfast.Content) {
	for l := range content.Links {
		c.committed[fateKey{l.OS, l.Object}] = 1
		if c.links != nil {
			c.links(l)
		}
	}
}

func (c *checker) older(key, value []byte) error {
	d, id, rest := c.in(key)
	d.counted.Entries++
	d.counted.Older++
	if _, _, ok := schema.ParseOlder(rest); !ok {
		c.problem(key, "malformed key")
		return nil
	}
	return c.version(key, value, d, id, true)
}

func (c *checker) null(key, value []byte) error {
	_, id, name := c.in(key)
	version, err := schema.DecodeNull(value)
	if err != nil {
		return err
	}
	ok, err := c.v.get(schema.OlderKey(nil, id, string(name), version), func([]byte) error { return nil })
	if err == nil && !ok {
		c.problem(key, "names a null version that is not there")
	}
	c.nulls--
	return err
}

func (c *checker) table(key, value []byte) error {
	_, id, _ := c.in(key)
	c.tables--
	_, err := schema.DecodeTable(value, id.Slot(), &schema.Arena{})
	return err
}

func (c *checker) upload(key, value []byte) error {
	d, id, rest := c.in(key)
	d.counted.Entries++
	d.counted.Uploads++
	_, up, ok := schema.ParseUpload(rest)
	if !ok {
		c.problem(key, "malformed key")
	}
	var u holdfast.Upload
	return schema.DecodeUpload(&u, up, value, id.Slot(), &schema.Arena{})
}

func (c *checker) part(key, value []byte) error {
	d, id, _ := c.in(key)
	var p holdfast.UploadedPart
	if err := schema.DecodeUploadedPart(&p, value, id.Slot(), &schema.Arena{}); err != nil {
		return err
	}
	c.count(d, id, holdfast.Usage{UploadBytes: p.Part.Size})
	c.hold(holdfast.Content{Link: p.Part.Link})
	return nil
}

func (c *checker) bucket(key, value []byte) error {
	d, id, _ := c.in(key)
	var info holdfast.BucketInfo
	if err := schema.DecodeBucket(&info, id, value); err != nil {
		return err
	}
	if d.counted.Epoch = info.Epoch; info.Epoch != d.rec.Epoch {
		c.problem(key, "epoch %d, in the directory's record %d", info.Epoch, d.rec.Epoch)
	}
	return nil
}

func (c *checker) intent(key, value []byte) error {
	id, ok := schema.ParseIntent(key)
	if !ok {
		c.problem(key, "malformed key")
	}
	var in holdfast.Intent
	if err := schema.DecodeIntent(&in, id, value); err != nil {
		return err
	}
	c.state.Intents++
	c.intents[id] = in.Dir
	return nil
}

func (c *checker) fate(key, value []byte) error {
	_, os, id, ok := schema.ParseFate(key)
	if !ok {
		c.problem(key, "malformed key")
	}
	var f schema.Fate
	if err := schema.DecodeFate(&f, value); err != nil {
		return err
	}
	k := fateKey{os, id}
	held := c.committed[k] > 0
	switch {
	case held && f.Fate == holdfast.FateCommitted:
		c.committed[k] = 0
	case held:
		c.problem(key, "doomed, and a name links to it")
		c.committed[k] = 0
	case f.Fate == holdfast.FateCommitted:
		c.problem(key, "committed, and no name links to it")
	}
	return nil
}

func (c *checker) garbage(key, value []byte) error {
	os, _, ok := schema.ParseGarbage(key)
	home, id, err := schema.DecodeGarbage(value)
	if !ok || err != nil {
		return err
	}
	c.state.Garbage++
	var f schema.Fate
	_, err = c.v.get(schema.FateKey(nil, home, os, id), func(v []byte) error { return schema.DecodeFate(&f, v) })
	if err == nil && f.Fate == holdfast.FateCommitted {
		c.problem(key, "garbage without a doomed fate")
	}
	return err
}

func (c *checker) change(key, value []byte) error {
	seq, ok := schema.ParseChange(key)
	if !ok || seq < c.v.state.First || seq > c.v.state.Seq {
		c.problem(key, "a change outside the log")
	}
	c.state.Seq++
	var ch holdfast.Change
	return schema.DecodeChange(&ch, seq, value)
}

func (c *checker) usageRow(key, value []byte) error {
	u, err := schema.DecodeUsage(value)
	_, root, rest, ok := schema.ParseDir(key)
	if err != nil || !ok || len(rest) != 2 {
		return err
	}
	k := usageKey{root, holdfast.Slot(rest[0])<<8 | holdfast.Slot(rest[1])}
	have := c.usage[k]
	have.Add(holdfast.Usage{Objects: -u.Objects, Versions: -u.Versions, Bytes: -u.Bytes, UploadBytes: -u.UploadBytes})
	c.usage[k] = have
	return nil
}

func (c *checker) share(key, value []byte) error {
	if _, _, rest, ok := schema.ParseDir(key); !ok || len(rest) != 0 {
		c.problem(key, "a share of no bucket")
	}
	_, err := schema.DecodeShare(value)
	return err
}
