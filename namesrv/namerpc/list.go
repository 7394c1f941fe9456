package namerpc

import (
	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

func listToWire(r *holdfast.ListRequest) *namepb.ListRequest {
	return &namepb.ListRequest{
		Dir:         idToWire(r.Dir),
		What:        uint32(r.What),
		Prefix:      []byte(r.Prefix),
		From:        []byte(r.From),
		After:       r.After,
		FromVersion: idToWire(r.FromVersion),
		FromUpload:  idToWire(r.FromUpload),
		Recursive:   r.Recursive,
		WithContent: r.WithContent,
		Limit:       int64(r.Limit),
	}
}

func (d *decoder) list(w *namepb.ListRequest) holdfast.ListRequest {
	return holdfast.ListRequest{
		Dir:         d.id(w.GetDir()),
		What:        holdfast.Listing(d.u8(w.GetWhat())),
		Prefix:      string(w.GetPrefix()),
		From:        string(w.GetFrom()),
		After:       w.GetAfter(),
		FromVersion: d.id(w.GetFromVersion()),
		FromUpload:  d.id(w.GetFromUpload()),
		Recursive:   w.GetRecursive(),
		WithContent: w.GetWithContent(),
		Limit:       int(w.GetLimit()),
	}
}

func pageToWire(p *holdfast.Page) *namepb.Page {
	return &namepb.Page{Error: errorToWire(p.Err), Items: manyToWire(p.Items, itemToWire), More: p.More}
}

func (d *decoder) page(w *namepb.Page) holdfast.Page {
	return holdfast.Page{
		Err:   errorFromWire(w.GetError()),
		Items: manyFromWire(w.GetItems(), d.item),
		More:  w.GetMore(),
	}
}

func itemToWire(it *holdfast.Item) *namepb.Item {
	w := &namepb.Item{Name: []byte(it.Name), Latest: it.Latest, Dir: idToWire(it.Dir), Visible: uint32(it.Visible)}
	if it.Entry != nil {
		w.Entry = entryToWire(it.Entry)
	}
	if it.Upload != nil {
		w.Upload = uploadToWire(it.Upload)
	}
	return w
}

func (d *decoder) item(w *namepb.Item) holdfast.Item {
	it := holdfast.Item{
		Name:    string(w.GetName()),
		Latest:  w.GetLatest(),
		Dir:     d.id(w.GetDir()),
		Visible: holdfast.Visibility(d.u8(w.GetVisible())),
	}
	if w.GetEntry() != nil {
		e := d.entry(w.Entry)
		it.Entry = &e
	}
	if w.GetUpload() != nil {
		u := d.upload(w.Upload)
		it.Upload = &u
	}
	return it
}
