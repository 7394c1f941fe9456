package volume_test

import (
	"crypto/md5"
	"fmt"
	"slices"
	"time"

	"holdfast"
)

// commit notes that links are committed at a place. It returns the entry of an earlier commit if this one was done before.
func (n *fakeNames) commit(c holdfast.Content, at string, e *holdfast.Entry) (*holdfast.Entry, error) {
	for l := range c.Links {
		k := fateKey{l.OS, l.Object}
		switch row := n.fates[k]; row.fate {
		case holdfast.FateDoomed:
			return nil, kind(holdfast.Doomed)
		case holdfast.FateCommitted:
			if row.at != at {
				return nil, kind(holdfast.Invalid)
			}
			return &row.as, nil
		}
	}
	for l := range c.Links {
		row := fateRow{fate: holdfast.FateCommitted, at: at}
		if e != nil {
			row.as = *e
		}
		set(n, n.fates, fateKey{l.OS, l.Object}, &row)
	}
	return nil, nil
}

func (n *fakeNames) doom(c holdfast.Content) {
	for l := range c.Links {
		set(n, n.fates, fateKey{l.OS, l.Object}, &fateRow{fate: holdfast.FateDoomed})
	}
}

func (n *fakeNames) check(b holdfast.BucketCheck) error {
	root := n.dirs[b.Root]
	if b.Epoch != 0 && root != nil && (root.state.Sealed || root.bucket.Epoch != b.Epoch) {
		return kind(holdfast.Conflict)
	}
	return nil
}

func checkConditions(versions []holdfast.Entry, c holdfast.Conditions) error {
	var cur *holdfast.Entry
	if len(versions) > 0 && !versions[0].Marker {
		cur = &versions[0]
	}
	switch {
	case c.IfNoneMatch && cur != nil:
		return kind(holdfast.Precondition)
	case c.IfMatch != nil && cur == nil:
		return kind(holdfast.NotFound)
	case c.IfMatchAny && cur == nil, c.IfSize != nil && cur == nil, c.IfModified != nil && cur == nil:
		return kind(holdfast.Precondition)
	case c.IfMatch != nil && cur.ETag != *c.IfMatch, c.IfSize != nil && cur.Size != *c.IfSize:
		return kind(holdfast.Precondition)
	}
	return nil
}

// add makes an entry the current version of a name.
func (n *fakeNames) add(d *fakeDir, name string, e holdfast.Entry, v holdfast.Versioning) holdfast.Entry {
	versions := slices.Clone(d.names[name])
	e.Null = v != holdfast.VersioningEnabled
	if e.Null {
		if i := find(versions, holdfast.VersionID{}, true); i >= 0 {
			n.doom(versions[i].Content)
			versions = slices.Delete(versions, i, i+1)
		}
	}
	e.Version = n.version()
	if e.Modified.IsZero() {
		e.Modified = time.Now().UTC()
	}
	versions = slices.Insert(versions, 0, e)
	set(n, d.names, name, &versions)
	return e
}

func (n *fakeNames) putEntry(d *fakeDir, op holdfast.PutEntry) (reply holdfast.Reply, err error) {
	at := fmt.Sprint(op.Dir, op.Name)
	for l := range op.Entry.Content.Links {
		if row := n.fates[fateKey{l.OS, l.Object}]; row.fate == holdfast.FateCommitted && row.at == at {
			return holdfast.Reply{Entry: row.as}, nil
		}
	}
	if err := n.check(op.Bucket); err != nil {
		return reply, err
	}
	versions := d.names[op.Name]
	if err := checkConditions(versions, op.If); err != nil {
		return reply, err
	}
	reply.Created = len(versions) == 0 || versions[0].Marker
	if _, err := n.commit(op.Entry.Content, at, nil); err != nil {
		return reply, err
	}
	reply.Entry = n.add(d, op.Name, op.Entry, op.Versioning)
	for l := range op.Entry.Content.Links {
		set(n, n.fates, fateKey{l.OS, l.Object}, &fateRow{fate: holdfast.FateCommitted, at: at, as: reply.Entry})
	}
	return reply, nil
}

func (n *fakeNames) deleteEntry(d *fakeDir, op holdfast.DeleteEntry) (reply holdfast.Reply, err error) {
	if err := n.check(op.Bucket); err != nil {
		return reply, err
	}
	versions := slices.Clone(d.names[op.Name])
	if err := checkConditions(versions, op.If); err != nil {
		return reply, err
	}
	if op.Version.IsZero() && !op.Null && op.Versioning != holdfast.VersioningOff {
		reply.Found = len(versions) > 0
		reply.Entry = n.add(d, op.Name, holdfast.Entry{Marker: true, Owner: op.Owner}, op.Versioning)
		return reply, nil
	}
	i := find(versions, op.Version, op.Null)
	if i < 0 {
		return reply, nil
	}
	reply.Found, reply.Entry = true, holdfast.Entry{Version: versions[i].Version, Null: versions[i].Null, Marker: versions[i].Marker}
	n.doom(versions[i].Content)
	versions = slices.Delete(versions, i, i+1)
	if len(versions) == 0 {
		set(n, d.names, op.Name, nil)
	} else {
		set(n, d.names, op.Name, &versions)
	}
	return reply, nil
}

func (n *fakeNames) setEntry(d *fakeDir, op holdfast.SetEntry) (reply holdfast.Reply, err error) {
	versions := slices.Clone(d.names[op.Name])
	if err := checkConditions(versions, op.If); err != nil {
		return reply, err
	}
	i := find(versions, op.Version, op.Null)
	if i < 0 {
		return reply, kind(holdfast.NotFound)
	}
	e := &versions[i]
	if op.Mask&holdfast.AspectHeaders != 0 {
		e.Headers = op.Entry.Headers
	}
	if op.Mask&holdfast.AspectTags != 0 {
		e.Tags = op.Entry.Tags
	}
	if op.Mask&holdfast.AspectACL != 0 {
		e.ACL = op.Entry.ACL
	}
	set(n, d.names, op.Name, &versions)
	return holdfast.Reply{Entry: *e}, nil
}

func (n *fakeNames) endUpload(d *fakeDir, name string, id holdfast.UploadID) {
	ups := make(map[holdfast.UploadID]*fakeUpload)
	for k, v := range d.uploads[name] {
		if k != id {
			ups[k] = v
		}
	}
	if len(ups) == 0 {
		set(n, d.uploads, name, nil)
	} else {
		set(n, d.uploads, name, &ups)
	}
}

func (n *fakeNames) doUpload(d *fakeDir, op holdfast.Op) (reply holdfast.Reply, err error) {
	switch op := op.(type) {
	case holdfast.IndexUpload:
		if d.index[op.Key] == nil {
			d.index[op.Key] = make(map[holdfast.UploadID]holdfast.Upload)
		}
		set(n, d.index[op.Key], op.Upload.ID, &op.Upload)
	case holdfast.UnindexUpload:
		if d.index[op.Key] != nil {
			set(n, d.index[op.Key], op.Upload, nil)
		}
	case holdfast.CreateUpload:
		ups := make(map[holdfast.UploadID]*fakeUpload)
		for k, v := range d.uploads[op.Name] {
			ups[k] = v
		}
		ups[op.Upload.ID] = &fakeUpload{up: op.Upload, parts: make(map[int]holdfast.UploadedPart)}
		set(n, d.uploads, op.Name, &ups)
	case holdfast.PutPart:
		up := d.uploads[op.Name][op.Upload]
		if up == nil {
			return reply, kind(holdfast.NoSuchUpload)
		}
		at := fmt.Sprint("part", op.Dir, op.Name, op.Upload, op.Part.Number)
		done, err := n.commit(holdfast.Content{Link: op.Part.Link}, at, &holdfast.Entry{})
		if err != nil || done != nil {
			return reply, err
		}
		n.doom(holdfast.Content{Link: up.parts[op.Part.Number].Part.Link})
		set(n, up.parts, op.Part.Number, &holdfast.UploadedPart{Part: op.Part, Modified: time.Now().UTC()})
	case holdfast.AbortUpload:
		up := d.uploads[op.Name][op.Upload]
		if up == nil {
			return reply, kind(holdfast.NoSuchUpload)
		}
		n.endUpload(d, op.Name, op.Upload)
		for _, p := range up.parts {
			n.doom(holdfast.Content{Link: p.Part.Link})
		}
	case holdfast.CompleteUpload:
		return n.complete(d, op)
	default:
		return reply, kind(holdfast.Invalid)
	}
	return reply, nil
}

func (n *fakeNames) complete(d *fakeDir, op holdfast.CompleteUpload) (reply holdfast.Reply, err error) {
	if done, ok := d.done[op.Upload]; ok {
		return done, nil
	}
	if err := n.check(op.Bucket); err != nil {
		return reply, err
	}
	up := d.uploads[op.Name][op.Upload]
	if up == nil {
		return reply, kind(holdfast.NoSuchUpload)
	}
	if err := checkConditions(d.names[op.Name], op.If); err != nil {
		return reply, err
	}
	entry := up.up.Entry
	h := md5.New()
	used := make(map[int]bool)
	for i, row := range op.Parts {
		p, ok := up.parts[row.Number]
		if !ok || p.Part.ETag != row.ETag {
			return reply, kind(holdfast.InvalidPart)
		}
		if i < len(op.Parts)-1 && p.Part.Size < op.MinPart {
			return reply, kind(holdfast.PartTooSmall)
		}
		used[row.Number] = true
		p.Part.Offset = entry.Size
		entry.Size += p.Part.Size
		entry.Content.Parts = append(entry.Content.Parts, p.Part)
		h.Write(row.ETag.Digest[:])
	}
	h.Sum(entry.ETag.Digest[:0])
	entry.ETag.Parts = uint16(len(op.Parts))
	entry.Checksum = op.Checksum
	for number, p := range up.parts {
		if !used[number] {
			n.doom(holdfast.Content{Link: p.Part.Link})
		}
	}
	n.endUpload(d, op.Name, op.Upload)
	versions := d.names[op.Name]
	reply.Created = len(versions) == 0 || versions[0].Marker
	reply.Entry = n.add(d, op.Name, entry, op.Versioning)
	set(n, d.done, op.Upload, &reply)
	return reply, nil
}
