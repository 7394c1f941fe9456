package namesrv

import (
	"context"
	"errors"
	"fmt"

	"holdfast"
	"holdfast/namesrv/schema"
)

// Lookup implements [holdfast.NameService].
func (e *Engine) Lookup(ctx context.Context, questions []holdfast.Lookup) ([]holdfast.Answer, error) {
	if len(questions) > holdfast.MaxLookups {
		return nil, holdfast.E("namesrv.lookup", holdfast.TooLarge, fmt.Errorf("%d questions", len(questions)))
	}
	answers := make([]holdfast.Answer, len(questions))
	err := e.read(ctx, func(v *view) error {
		for i := range questions {
			r := reader{e: e, v: v, op: "namesrv.lookup"}
			answers[i].Err = r.answer(&questions[i], &answers[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	e.m.lookups(len(questions))
	return answers, nil
}

// reader answers from one view. It is for one goroutine and one question or page.
type reader struct {
	e   *Engine
	v   *view
	op  string
	key []byte
	buf [64]byte // where short keys are built
}

func (r *reader) fail(kind holdfast.Kind, name string) error {
	return &holdfast.Error{Op: r.op, Kind: kind, ID: name}
}

// answer walks and answers one question.
func (r *reader) answer(q *holdfast.Lookup, a *holdfast.Answer) error {
	r.key = r.buf[:0]
	if len(q.Name) > holdfast.MaxName {
		return r.fail(holdfast.TooLarge, "name")
	}
	d := q.Dir
	if !r.e.holds(d) {
		return notOwner(d)
	}
	if len(q.Path) > 0 {
		a.Dirs = make([]holdfast.DirID, 0, len(q.Path))
	}
	for _, name := range q.Path {
		if len(name) > holdfast.MaxName {
			return r.fail(holdfast.TooLarge, "name")
		}
		child, ok, err := r.child(d, name)
		if err != nil {
			return err
		}
		if !ok {
			return r.missing(d, name)
		}
		a.Dirs = append(a.Dirs, child)
		if d = child; !r.e.holds(d) {
			return notOwner(d)
		}
	}
	switch q.Want {
	case holdfast.WantEntry:
		return r.entry(d, q, a)
	case holdfast.WantDir:
		return r.state(d, a)
	case holdfast.WantBucket:
		return r.bucket(d, a)
	case holdfast.WantUpload, holdfast.WantParts:
		return r.upload(d, q, a)
	}
	return r.fail(holdfast.Invalid, "want")
}

// child returns the sub-directory of a name.
func (r *reader) child(d holdfast.DirID, name string) (c holdfast.DirID, ok bool, err error) {
	r.key = schema.EntryKey(r.key[:0], d, name)
	_, err = r.v.get(r.key, func(v []byte) error {
		c, ok = schema.IsDir(v)
		return nil
	})
	return c, ok, err
}

// missing is the error for a name that is not in a directory: DirGone if there is no such directory either.
func (r *reader) missing(d holdfast.DirID, name string) error {
	if _, err := r.dir(d); err != nil {
		return err
	}
	return r.fail(holdfast.NotFound, name)
}

// dir returns the record of a directory; with DirGone too, if it is sealed.
func (r *reader) dir(d holdfast.DirID) (rec schema.Dir, err error) {
	r.key = schema.DirKey(r.key[:0], d)
	ok, err := r.v.get(r.key, func(v []byte) error {
		if err := schema.DecodeDir(&rec, v); err != nil {
			return corrupt("directory", r.key, err)
		}
		return nil
	})
	if err == nil && (!ok || rec.Sealed) {
		err = dirGone(d)
	}
	return rec, err
}

func (r *reader) state(d holdfast.DirID, a *holdfast.Answer) error {
	rec, err := r.dir(d)
	a.State = holdfast.DirState{
		Parent: rec.Parent, Name: rec.Name, Bucket: rec.Root,
		Entries: rec.Entries, Visible: rec.Visible, Sealed: rec.Sealed,
	}
	return err
}

func (r *reader) bucket(d holdfast.DirID, a *holdfast.Answer) error {
	if _, err := r.dir(d); err != nil {
		return err
	}
	r.key = schema.BucketKey(r.key[:0], d)
	ok, err := r.v.get(r.key, func(v []byte) error {
		if err := schema.DecodeBucket(&a.Bucket, d, v); err != nil {
			return corrupt("bucket", r.key, err)
		}
		return nil
	})
	if err == nil && !ok {
		err = r.fail(holdfast.NotFound, d.String())
	}
	return err
}

// entry answers WantEntry. A hit on the current version is one read; a miss needs the directory's record to tell why.
func (r *reader) entry(d holdfast.DirID, q *holdfast.Lookup, a *holdfast.Answer) error {
	if q.Null && !q.Version.IsZero() {
		return r.fail(holdfast.Invalid, "both a version and the null version")
	}
	r.key = schema.EntryKey(r.key[:0], d, q.Name)
	ok, err := r.decode(d, &a.Entry)
	if err != nil {
		return err
	}
	switch {
	case q.Null:
		ok = ok && a.Entry.Null
	case !q.Version.IsZero():
		ok = ok && a.Entry.Version == q.Version
	}
	if ok {
		return nil
	}
	a.Entry = holdfast.Entry{}
	rec, err := r.dir(d)
	if err != nil {
		return err
	}
	if rec.Older == 0 {
		return r.fail(holdfast.NotFound, q.Name)
	}
	return r.older(d, q, a)
}

// older answers WantEntry from the noncurrent versions and markers.
func (r *reader) older(d holdfast.DirID, q *holdfast.Lookup, a *holdfast.Answer) error {
	version := q.Version
	switch {
	case q.Null:
		r.key = schema.NullKey(r.key[:0], d, q.Name)
		ok, err := r.v.get(r.key, func(v []byte) (err error) {
			version, err = schema.DecodeNull(v)
			return err
		})
		if err != nil {
			return corrupt("null version", r.key, err)
		}
		if !ok {
			return r.fail(holdfast.NotFound, q.Name)
		}
	case version.IsZero():
		if err := r.newest(d, q.Name, &a.Entry); err != nil {
			return err
		}
		return r.fail(holdfast.NotFound, q.Name)
	}
	r.key = schema.OlderKey(r.key[:0], d, q.Name, version)
	ok, err := r.decode(d, &a.Entry)
	if err == nil && !ok {
		err = r.fail(holdfast.NotFound, q.Name)
	}
	return err
}

// newest reads the newest row of KindOlder of a name that has no visible current version: its marker, if there is any.
func (r *reader) newest(d holdfast.DirID, name string, e *holdfast.Entry) error {
	prefix := schema.NamePrefix(nil, schema.KindOlder, d, name)
	err := scanBetween(r.v.snap, prefix, schema.PrefixEnd(nil, prefix), func(key, v []byte) error {
		var rec schema.Record
		if err := schema.DecodeEntry(&rec, v, d.Slot(), schema.All, &schema.Arena{}); err != nil {
			return corrupt("version", key, err)
		}
		*e = rec.Entry
		return errDone
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

var errDone = errors.New("done")

// decode reads the version under r.key with all its content.
func (r *reader) decode(d holdfast.DirID, e *holdfast.Entry) (bool, error) {
	var rec schema.Record
	found := false
	_, err := r.v.get(r.key, func(v []byte) error {
		if _, dir := schema.IsDir(v); dir {
			return nil
		}
		var a schema.Arena
		a.Grow(len(v))
		found = true
		if err := schema.DecodeEntry(&rec, v, d.Slot(), schema.All, &a); err != nil {
			return corrupt("version", r.key, err)
		}
		return nil
	})
	if err != nil || !found {
		return false, err
	}
	if rec.LargeTable > 0 {
		if err := r.table(d, &rec); err != nil {
			return false, err
		}
	}
	*e = rec.Entry
	return true, nil
}

// table reads a part table that lies apart.
func (r *reader) table(d holdfast.DirID, rec *schema.Record) error {
	r.key = schema.TableKey(r.key[:0], d, rec.Version)
	ok, err := r.v.get(r.key, func(v []byte) (err error) {
		rec.Content.Parts, err = schema.DecodeTable(v, d.Slot(), &schema.Arena{})
		return err
	})
	if err != nil || !ok {
		return corrupt("part table", r.key, err)
	}
	return nil
}

// upload answers WantUpload and WantParts.
func (r *reader) upload(d holdfast.DirID, q *holdfast.Lookup, a *holdfast.Answer) error {
	var arena schema.Arena
	r.key = schema.UploadKey(r.key[:0], schema.KindUpload, d, q.Name, q.Upload)
	ok, err := r.v.get(r.key, func(v []byte) error {
		if err := schema.DecodeUpload(&a.Upload, q.Upload, v, d.Slot(), &arena); err != nil {
			return corrupt("upload", r.key, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !ok {
		if _, err := r.dir(d); err != nil {
			return err
		}
		return r.fail(holdfast.NoSuchUpload, q.Upload.String())
	}
	if q.Want == holdfast.WantParts {
		return r.parts(d, q, a, &arena)
	}
	return nil
}

func (r *reader) parts(d holdfast.DirID, q *holdfast.Lookup, a *holdfast.Answer, arena *schema.Arena) error {
	limit := q.Limit
	if limit <= 0 || limit > holdfast.MaxParts {
		limit = holdfast.MaxParts
	}
	if q.After >= holdfast.MaxParts {
		return nil
	}
	lower := schema.PartKey(nil, d, q.Upload, max(q.After, 0)+1)
	upper := schema.PrefixEnd(nil, schema.PartPrefix(nil, d, q.Upload))
	err := scanBetween(r.v.snap, lower, upper, func(key, v []byte) error {
		if len(a.Parts) == limit {
			a.More = true
			return errDone
		}
		var p holdfast.UploadedPart
		if err := schema.DecodeUploadedPart(&p, v, d.Slot(), arena); err != nil {
			return corrupt("part", key, err)
		}
		a.Parts = append(a.Parts, p)
		return nil
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}
