package namesrv

import (
	"crypto/md5"
	"math"

	"holdfast"
	"holdfast/namesrv/schema"
)

// uploadRecord returns an unfinished upload, nil if there is none.
func (g *group) uploadRecord(d *dirState, name string, id holdfast.UploadID) (*holdfast.Upload, error) {
	g.key = schema.UploadKey(g.key[:0], schema.KindUpload, d.id, name, id)
	v, ok, err := g.get(g.key)
	if err != nil || !ok {
		return nil, err
	}
	u := &holdfast.Upload{}
	if err := schema.DecodeUpload(u, id, v, d.id.Slot(), &g.arena); err != nil {
		return nil, corrupt("upload", g.key, err)
	}
	return u, nil
}

// openUpload is uploadRecord for one that must be there.
func (g *group) openUpload(dir holdfast.DirID, name string, id holdfast.UploadID) (*dirState, *holdfast.Upload, error) {
	d, err := g.entryDir(dir, name)
	if err != nil {
		return nil, nil, err
	}
	u, err := g.uploadRecord(d, name, id)
	if err == nil && u == nil {
		err = fail(holdfast.NoSuchUpload, id.String())
	}
	return d, u, err
}

// createUpload records an upload. One that is there already stays as it is.
func (g *group) createUpload(op *holdfast.CreateUpload) error {
	d, err := g.entryDir(op.Dir, op.Name)
	if err != nil {
		return err
	}
	if u, err := g.uploadRecord(d, op.Name, op.Upload.ID); err != nil || u != nil {
		return err
	}
	u := op.Upload
	if u.Initiated.IsZero() {
		u.Initiated = g.now
	}
	u.Entry.Content = holdfast.Content{}
	u.Entry.Size = 0
	g.key = schema.UploadKey(g.key[:0], schema.KindUpload, d.id, op.Name, u.ID)
	g.setScanned(g.key, g.owned(schema.AppendUpload(g.own(), &u, d.id.Slot())), 1+len(d.id))
	g.edit(d)
	d.Entries++
	d.Uploads++
	return nil
}

// parts returns the parts of an upload, in order of numbers.
func (g *group) parts(d *dirState, id holdfast.UploadID) ([]holdfast.UploadedPart, error) {
	g.key2 = schema.PartPrefix(g.key2[:0], d.id, id)
	rows, err := g.scan(g.key2, math.MaxInt)
	if err != nil {
		return nil, err
	}
	ps := make([]holdfast.UploadedPart, len(rows))
	for i, r := range rows {
		if err := schema.DecodeUploadedPart(&ps[i], r.value, d.id.Slot(), &g.arena); err != nil {
			return nil, corrupt("part", r.key, err)
		}
	}
	return ps, nil
}

func (g *group) setPart(d *dirState, id holdfast.UploadID, number int, value []byte) {
	g.key = schema.PartKey(g.key[:0], d.id, id, number)
	g.setScanned(g.key, value, len(g.key)-2)
}

// putPart records a part, in place of an earlier one of its number.
func (g *group) putPart(op *holdfast.PutPart) error {
	d, u, err := g.openUpload(op.Dir, op.Name, op.Upload)
	if err != nil {
		return err
	}
	p := op.Part
	longer := p.Link.Size > p.Size && len(u.Entry.Sealed) > 0
	if p.Number < 1 || p.Number > holdfast.MaxParts || p.From != 0 || p.Offset != 0 || p.Size < 0 || p.Link.Size != p.Size && !longer {
		return invalid("a part with a wrong number, or not of one whole object")
	}
	owner := schema.OwnerOfPart(op.Dir, op.Upload, p.Number)
	done, fate, err := g.claimable(holdfast.Content{Link: p.Link}, owner)
	if err != nil {
		return err
	}
	old, err := g.part(d, op.Upload, p.Number)
	if err != nil {
		return err
	}
	if done {
		if fate.Settled && (old == nil || old.Part.Link.Object != p.Link.Object || old.Part.Link.OS != p.Link.OS) {
			return invalid("the link is committed by another name")
		}
		return nil
	}
	if err := g.checkBucket(op.Bucket); err != nil {
		return err
	}
	if old != nil {
		g.count(d, holdfast.Usage{UploadBytes: -old.Part.Size})
		g.discard(holdfast.Content{Link: old.Part.Link}, owner, holdfast.VersionID(op.Upload))
	}
	up := holdfast.UploadedPart{Part: p, Modified: g.now}
	g.setPart(d, op.Upload, p.Number, g.owned(schema.AppendUploadedPart(g.own(), &up, d.id.Slot())))
	g.count(d, holdfast.Usage{UploadBytes: p.Size})
	g.claim(holdfast.Content{Link: p.Link}, &schema.Fate{Owner: owner, Version: holdfast.VersionID(op.Upload)})
	return nil
}

func (g *group) part(d *dirState, id holdfast.UploadID, number int) (*holdfast.UploadedPart, error) {
	g.key = schema.PartKey(g.key[:0], d.id, id, number)
	v, ok, err := g.get(g.key)
	if err != nil || !ok {
		return nil, err
	}
	p := &holdfast.UploadedPart{}
	if err := schema.DecodeUploadedPart(p, v, d.id.Slot(), &g.arena); err != nil {
		return nil, corrupt("part", g.key, err)
	}
	return p, nil
}

// dropUpload removes an upload and its parts; the objects of those parts that keep does not take become garbage.
func (g *group) dropUpload(d *dirState, name string, id holdfast.UploadID, parts []holdfast.UploadedPart, keep map[int]bool) {
	for i := range parts {
		p := &parts[i].Part
		g.setPart(d, id, p.Number, nil)
		g.count(d, holdfast.Usage{UploadBytes: -p.Size})
		if !keep[p.Number] {
			g.discard(holdfast.Content{Link: p.Link}, schema.OwnerOfPart(d.id, id, p.Number), holdfast.VersionID(id))
		}
	}
	g.key = schema.UploadKey(g.key[:0], schema.KindUpload, d.id, name, id)
	g.setScanned(g.key, nil, 1+len(d.id))
	g.edit(d)
	d.Entries--
	d.Uploads--
}

func (g *group) abortUpload(op *holdfast.AbortUpload) error {
	d, _, err := g.openUpload(op.Dir, op.Name, op.Upload)
	if err != nil {
		return err
	}
	parts, err := g.parts(d, op.Upload)
	if err != nil {
		return err
	}
	g.dropUpload(d, op.Name, op.Upload, parts, nil)
	return nil
}

// abortAll aborts all uploads of a directory.
func (g *group) abortAll(d *dirState) error {
	if d.Uploads == 0 {
		return nil
	}
	prefix := append([]byte{byte(schema.KindUpload)}, d.id[:]...)
	rows, err := g.scan(prefix, math.MaxInt)
	if err != nil {
		return err
	}
	for _, r := range rows {
		name, id, ok := schema.ParseUpload(r.key[len(prefix):])
		if !ok {
			return corrupt("upload", r.key, nil)
		}
		parts, err := g.parts(d, id)
		if err != nil {
			return err
		}
		g.dropUpload(d, string(name), id, parts, nil)
	}
	return nil
}

// completeUpload makes an upload the current version of its name.
func (g *group) completeUpload(op *holdfast.CompleteUpload) (holdfast.Reply, error) {
	d, err := g.entryDir(op.Dir, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	u, err := g.uploadRecord(d, op.Name, op.Upload)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if u == nil {
		return g.doneUpload(d, op)
	}
	if err := g.checkBucket(op.Bucket); err != nil {
		return holdfast.Reply{}, err
	}
	cur, err := g.current(d, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if err := checkConditions(&op.If, entryOf(cur), op.Name); err != nil {
		return holdfast.Reply{}, err
	}
	parts, err := g.parts(d, op.Upload)
	if err != nil {
		return holdfast.Reply{}, err
	}
	e := u.Entry
	listed, err := assemble(&e, parts, op)
	if err != nil {
		return holdfast.Reply{}, err
	}
	g.dropUpload(d, op.Name, op.Upload, parts, listed)
	if e, err = g.putVersion(d, op.Name, cur, e, op.Versioning); err != nil {
		return holdfast.Reply{}, err
	}
	g.rememberUpload(d, op, &e, cur == nil)
	return holdfast.Reply{Entry: e, Created: cur == nil}, nil
}

// assemble fills in what the parts make of an entry, and returns the numbers of those it used.
func assemble(e *holdfast.Entry, have []holdfast.UploadedPart, op *holdfast.CompleteUpload) (map[int]bool, error) {
	if len(op.Parts) == 0 || len(op.Parts) > holdfast.MaxParts {
		return nil, invalid("no parts, or too many")
	}
	e.Size, e.Checksum = 0, op.Checksum
	e.Content = holdfast.Content{Parts: make(holdfast.PartTable, 0, len(op.Parts))}
	listed := make(map[int]bool, len(op.Parts))
	digest := md5.New()
	last := 0
	for i, want := range op.Parts {
		if want.Number <= last {
			return nil, invalid("parts out of order")
		}
		last = want.Number
		for len(have) > 0 && have[0].Part.Number < want.Number {
			have = have[1:]
		}
		if len(have) == 0 || have[0].Part.Number != want.Number {
			return nil, fail(holdfast.InvalidPart, op.Name)
		}
		p := have[0].Part
		if p.ETag != want.ETag || !want.Checksum.IsZero() && p.Checksum != want.Checksum {
			return nil, fail(holdfast.InvalidPart, op.Name)
		}
		if i < len(op.Parts)-1 && p.Size < op.MinPart {
			return nil, fail(holdfast.PartTooSmall, op.Name)
		}
		p.Offset = e.Size
		e.Size += p.Size
		e.Content.Parts = append(e.Content.Parts, p)
		digest.Write(p.ETag.Digest[:])
		listed[p.Number] = true
	}
	e.ETag = holdfast.ETag{Digest: [16]byte(digest.Sum(nil)), Parts: uint16(len(op.Parts))}
	return listed, nil
}

// rememberUpload keeps what a complete request was told, for the same request coming again.
func (g *group) rememberUpload(d *dirState, op *holdfast.CompleteUpload, e *holdfast.Entry, created bool) {
	done := schema.Done{Created: created, Record: schema.Record{Entry: *e}}
	done.Record.Content = holdfast.Content{}
	g.key = schema.UploadKey(g.key[:0], schema.KindDone, d.id, op.Name, op.Upload)
	g.set(g.key, g.owned(schema.AppendDone(g.own(), &done, d.id.Slot())))
}

// doneUpload answers a complete request that was done before. If the version is gone since, its content is not told.
func (g *group) doneUpload(d *dirState, op *holdfast.CompleteUpload) (holdfast.Reply, error) {
	g.key = schema.UploadKey(g.key[:0], schema.KindDone, d.id, op.Name, op.Upload)
	v, ok, err := g.get(g.key)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if !ok {
		return holdfast.Reply{}, fail(holdfast.NoSuchUpload, op.Upload.String())
	}
	var done schema.Done
	if err := schema.DecodeDone(&done, v, d.id.Slot(), &g.arena); err != nil {
		return holdfast.Reply{}, corrupt("completed upload", g.key, err)
	}
	e := done.Record.Entry
	s, err := g.version(d, op.Name, e.Version)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if s != nil {
		if err := g.loadTable(d, s); err != nil {
			return holdfast.Reply{}, err
		}
		e.Content = s.Content
	}
	return holdfast.Reply{Entry: e, Created: done.Created}, nil
}

// bucketRoot returns the open root directory of a bucket.
func (g *group) bucketRoot(id holdfast.DirID) (*dirState, error) {
	d, err := g.openDir(id)
	if err == nil && d.Epoch == 0 {
		err = invalid("not the root of a bucket")
	}
	return d, err
}

func (g *group) indexUpload(op *holdfast.IndexUpload) error {
	if len(op.Key) > holdfast.MaxName {
		return fail(holdfast.TooLarge, "key")
	}
	d, err := g.bucketRoot(op.Root)
	if err != nil {
		return err
	}
	u := op.Upload
	u.Entry.Content = holdfast.Content{}
	if u.Initiated.IsZero() {
		u.Initiated = g.now
	}
	g.key = schema.UploadKey(g.key[:0], schema.KindIndex, d.id, op.Key, u.ID)
	g.setScanned(g.key, g.owned(schema.AppendUpload(g.own(), &u, d.id.Slot())), 1+len(d.id))
	return nil
}

func (g *group) unindexUpload(op *holdfast.UnindexUpload) error {
	d, err := g.bucketRoot(op.Root)
	if err != nil {
		return err
	}
	g.key = schema.UploadKey(g.key[:0], schema.KindIndex, d.id, op.Key, op.Upload)
	g.setScanned(g.key, nil, 1+len(d.id))
	return nil
}
