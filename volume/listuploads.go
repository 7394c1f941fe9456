package volume

import (
	"context"

	"holdfast"
)

// uploadScan yields the unfinished uploads of a bucket in order of their keys. It reads the bucket's upload index and
// passes over rows whose upload is no more, asking for many at once.
type uploadScan struct {
	b      *Bucket
	prefix string
	from   start

	page   holdfast.Page
	i      int
	loaded bool
}

// next implements source.
func (u *uploadScan) next(ctx context.Context, about int) (ListItem, bool, error) {
	for u.i == len(u.page.Items) {
		if u.loaded && !u.page.More {
			return ListItem{}, false, nil
		}
		if err := u.load(ctx, about); err != nil {
			return ListItem{}, false, err
		}
	}
	item := &u.page.Items[u.i]
	u.i++
	return ListItem{Key: item.Name, Upload: item.Upload}, true, nil
}

// skip implements source.
func (u *uploadScan) skip(to string) {
	if to > u.from.key {
		u.from = start{key: to}
	}
	for u.i < len(u.page.Items) && u.page.Items[u.i].Name < to {
		u.i++
	}
}

// load reads the next page of the index and keeps the rows whose upload is there.
func (u *uploadScan) load(ctx context.Context, about int) error {
	req := holdfast.ListRequest{
		Dir: u.b.info.Root, What: holdfast.ListUploads, Prefix: u.prefix,
		From: u.from.key, After: u.from.after, FromUpload: u.from.upload,
		Limit: min(max(about, leastPage), holdfast.MaxList),
	}
	page := u.b.vol.router.list(ctx, []holdfast.ListRequest{req})[0]
	switch {
	case holdfast.Is(page.Err, holdfast.DirGone):
		return wrap(opList.String(), u.b.info.Name, ErrNoBucket)
	case page.Err != nil:
		return page.Err
	}
	u.page, u.i, u.loaded = page, 0, true
	if n := len(page.Items); n == 0 {
		u.page.More = false // there is no place to go on from
	} else {
		last := page.Items[n-1]
		u.from = start{key: last.Name, after: true, upload: last.Upload.ID}
	}
	return u.verify(ctx)
}

// verify drops the rows of the page whose upload does not exist.
func (u *uploadScan) verify(ctx context.Context) error {
	qs := make([]question, len(u.page.Items))
	for i := range u.page.Items {
		it := &u.page.Items[i]
		qs[i] = newQuestion(it.Name, holdfast.Lookup{Want: holdfast.WantUpload, Upload: it.Upload.ID})
	}
	u.b.ask(ctx, qs)
	kept := u.page.Items[:0]
	for i := range qs {
		switch err := qs[i].answer.Err; {
		case err == nil:
			kept = append(kept, u.page.Items[i])
		case holdfast.Is(err, holdfast.NotFound) || holdfast.Is(err, holdfast.NoSuchUpload):
		default:
			return err
		}
	}
	u.page.Items = kept
	return nil
}
