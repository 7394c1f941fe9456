package namesrv

import (
	"errors"

	"holdfast"
	"holdfast/namesrv/schema"
)

// visibility tells whether a sub-directory holds a key that the listing would show, from directory records alone. Most are
// answered by one; a directory that only has sub-directories is walked, up to a bound.
func (l *lister) visibility(d holdfast.DirID) (holdfast.Visibility, error) {
	budget := visibleWalk
	return l.visible(d, &budget)
}

func (l *lister) visible(d holdfast.DirID, budget *int) (holdfast.Visibility, error) {
	if !l.e.holds(d) || *budget == 0 {
		return holdfast.VisibleUnknown, nil
	}
	*budget--
	rec, err := l.dir(d)
	if holdfast.Is(err, holdfast.DirGone) {
		return holdfast.VisibleNo, nil
	}
	if err != nil {
		return holdfast.VisibleUnknown, err
	}
	shown := rec.Visible
	if l.req.What == holdfast.ListVersions {
		shown += rec.Older
	}
	switch {
	case shown > 0:
		return holdfast.VisibleYes, nil
	case rec.SubDirs == 0:
		return holdfast.VisibleNo, nil
	}
	return l.visibleChildren(d, budget)
}

// visibleChildren looks for one visible sub-directory; one that is not known makes the answer so.
func (l *lister) visibleChildren(d holdfast.DirID, budget *int) (holdfast.Visibility, error) {
	found := holdfast.VisibleNo
	prefix := schema.EntryKey(nil, d, "")
	err := scanBetween(l.v.snap, prefix, schema.PrefixEnd(nil, prefix), func(_, value []byte) error {
		child, ok := schema.IsDir(value)
		if !ok {
			return nil
		}
		v, err := l.visible(child, budget)
		if err != nil {
			return err
		}
		switch v {
		case holdfast.VisibleYes:
			found = v
			return errDone
		case holdfast.VisibleUnknown:
			found = v
			if *budget == 0 {
				return errDone
			}
		}
		return nil
	})
	if errors.Is(err, errDone) {
		err = nil
	}
	return found, err
}
