package nametest

import (
	"crypto/md5"
	"fmt"

	"holdfast"
)

func (m *Memory) openUpload(id holdfast.DirID, name string, up holdfast.UploadID) (*dir, *upload, error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	d, err := m.open(id)
	if err != nil {
		return nil, nil, err
	}
	u := d.uploads[nameUpload{name, up}]
	if u == nil {
		return d, nil, fail(holdfast.NoSuchUpload)
	}
	return d, u, nil
}

func (m *Memory) createUpload(op holdfast.CreateUpload) error {
	d, u, err := m.openUpload(op.Dir, op.Name, op.Upload.ID)
	if u != nil || err != nil && !holdfast.Is(err, holdfast.NoSuchUpload) {
		return err
	}
	d.uploads[nameUpload{op.Name, op.Upload.ID}] = &upload{m.newUpload(op.Upload), map[int]holdfast.UploadedPart{}}
	return nil
}

func (m *Memory) newUpload(u holdfast.Upload) holdfast.Upload {
	u.Entry = copyEntry(&u.Entry)
	u.Entry.Content, u.Entry.Size = holdfast.Content{}, 0
	if u.Initiated.IsZero() {
		u.Initiated = m.now().UTC().Round(0)
	}
	return u
}

func ownerPart(d holdfast.DirID, id holdfast.UploadID, number int) string {
	return fmt.Sprintf("p%s%s%d", d, id, number)
}

func (m *Memory) putPart(op holdfast.PutPart) error {
	d, u, err := m.openUpload(op.Dir, op.Name, op.Upload)
	if err != nil {
		return err
	}
	p := op.Part
	longer := p.Link.Size > p.Size && len(u.Entry.Sealed) > 0
	if p.Number < 1 || p.Number > holdfast.MaxParts || p.From != 0 || p.Offset != 0 || p.Size < 0 || p.Link.Size != p.Size && !longer {
		return fail(holdfast.Invalid)
	}
	owner := ownerPart(op.Dir, op.Upload, p.Number)
	done, err := m.claimable(holdfast.Content{Link: p.Link}, owner)
	if err != nil || done != nil {
		return err
	}
	if err := m.checkBucket(op.Bucket); err != nil {
		return err
	}
	if old, ok := u.parts[p.Number]; ok {
		m.discard(holdfast.Content{Link: old.Part.Link}, ownerPart(d.id, op.Upload, p.Number))
	}
	u.parts[p.Number] = holdfast.UploadedPart{Part: p, Modified: m.now().UTC().Round(0)}
	m.claim(holdfast.Content{Link: p.Link}, owner, holdfast.Reply{})
	return nil
}

func (m *Memory) dropUpload(d *dir, k nameUpload, keep map[int]bool) {
	for n := 1; n <= holdfast.MaxParts; n++ {
		if p, ok := d.uploads[k].parts[n]; ok && !keep[n] {
			m.discard(holdfast.Content{Link: p.Part.Link}, ownerPart(d.id, k.id, n))
		}
	}
	delete(d.uploads, k)
}

func (m *Memory) abortUpload(op holdfast.AbortUpload) error {
	d, _, err := m.openUpload(op.Dir, op.Name, op.Upload)
	if err == nil {
		m.dropUpload(d, nameUpload{op.Name, op.Upload}, nil)
	}
	return err
}

func (m *Memory) completeUpload(op holdfast.CompleteUpload) (holdfast.Reply, error) {
	d, u, err := m.openUpload(op.Dir, op.Name, op.Upload)
	key := upKey{op.Dir, nameUpload{op.Name, op.Upload}}
	if holdfast.Is(err, holdfast.NoSuchUpload) {
		if r, ok := m.done[key]; ok {
			e := copyEntry(&r.Entry)
			if v := d.version(op.Name, e.Version); v == nil {
				e.Content = holdfast.Content{}
			}
			return holdfast.Reply{Entry: e, Created: r.Created}, nil
		}
	}
	if err != nil {
		return holdfast.Reply{}, err
	}
	if err := m.checkBucket(op.Bucket); err != nil {
		return holdfast.Reply{}, err
	}
	if err := checkConditions(op.If, d.current(op.Name)); err != nil {
		return holdfast.Reply{}, err
	}
	e, listed, err := assemble(u, op)
	if err != nil {
		return holdfast.Reply{}, err
	}
	r, err := m.putVersion(d, op.Name, e, op.Versioning)
	if err != nil {
		return holdfast.Reply{}, err
	}
	m.dropUpload(d, key.nameUpload, listed)
	m.done[key] = r
	return r, nil
}

func assemble(u *upload, op holdfast.CompleteUpload) (e holdfast.Entry, listed map[int]bool, err error) {
	if len(op.Parts) == 0 || len(op.Parts) > holdfast.MaxParts {
		return e, nil, fail(holdfast.Invalid)
	}
	e = copyEntry(&u.Entry)
	e.Checksum = op.Checksum
	listed = map[int]bool{}
	digest := md5.New()
	for i, want := range op.Parts {
		if want.Number < 1 || i > 0 && want.Number <= op.Parts[i-1].Number {
			return e, nil, fail(holdfast.Invalid)
		}
		up, ok := u.parts[want.Number]
		p := up.Part
		if !ok || p.ETag != want.ETag || !want.Checksum.IsZero() && want.Checksum != p.Checksum {
			return e, nil, fail(holdfast.InvalidPart)
		}
		if p.Size < op.MinPart && i < len(op.Parts)-1 {
			return e, nil, fail(holdfast.PartTooSmall)
		}
		p.Offset = e.Size
		e.Size += p.Size
		e.Content.Parts = append(e.Content.Parts, p)
		digest.Write(p.ETag.Digest[:])
		listed[p.Number] = true
	}
	e.ETag = holdfast.ETag{Digest: [16]byte(digest.Sum(nil)), Parts: uint16(len(op.Parts))}
	return e, listed, nil
}

func (m *Memory) bucketRoot(id holdfast.DirID) (*dir, error) {
	d, err := m.open(id)
	if err == nil && d.bucket == nil {
		err = fail(holdfast.Invalid)
	}
	return d, err
}

func (m *Memory) indexUpload(op holdfast.IndexUpload) error {
	if len(op.Key) > holdfast.MaxName {
		return fail(holdfast.TooLarge)
	}
	d, err := m.bucketRoot(op.Root)
	if err == nil {
		d.index[nameUpload{op.Key, op.Upload.ID}] = m.newUpload(op.Upload)
	}
	return err
}

func (m *Memory) unindexUpload(op holdfast.UnindexUpload) error {
	d, err := m.bucketRoot(op.Root)
	if err == nil {
		delete(d.index, nameUpload{op.Key, op.Upload})
	}
	return err
}
