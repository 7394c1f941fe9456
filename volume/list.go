package volume

import (
	"context"
	"strings"
	"time"

	"holdfast"
	"holdfast/volume/path"
)

// ListOptions ask for a page of a bucket's keys in byte order.
type ListOptions struct {
	What holdfast.Listing // objects, versions or uploads

	Prefix    string // only keys that begin with this
	Delimiter string // any string: keys that have it after the prefix are rolled up into common prefixes; "" for none

	// After is where the page begins: what comes after this position. After.Key alone excludes that key with all its versions or
	// uploads; with Version or Upload set, the later ones of that key are included. A position inside a
	// common prefix excludes that common prefix.
	After Position

	Limit int // items and common prefixes together, 0 … holdfast.MaxList
}

// Position is a place in a listing.
type Position struct {
	Key     string // a key or a common prefix; "" is the beginning
	Version holdfast.VersionID
	Upload  holdfast.UploadID
}

// ListItem is one line of a page: a common prefix, an entry or an upload.
type ListItem struct {
	Key          string // the full key, or the common prefix with the delimiter at its end
	CommonPrefix bool
	Entry        *holdfast.Entry  // objects and versions; may lack ACL, Tags, POSIX and Headers, has no Content
	Latest       bool             // the newest version of its key
	Upload       *holdfast.Upload // uploads
}

// position returns the place of an item, for the next page to begin after.
func (it *ListItem) position() Position {
	p := Position{Key: it.Key}
	if it.Entry != nil {
		p.Version = it.Entry.Version
	}
	if it.Upload != nil {
		p.Upload = it.Upload.ID
	}
	return p
}

// ListPage is a page of a listing.
type ListPage struct {
	Items []ListItem // entries and common prefixes, in byte order of Key
	More  bool       // there are items after the last one
	Next  Position   // if More: the After of the next page
}

// List returns a page of keys. It is strongly consistent: it shows every key that was there all the time and none that
// was not there at any time of the call. Nothing in it is read from a cache. Kinds: Invalid (Limit), NotFound (the
// bucket is gone).
func (b *Bucket) List(ctx context.Context, opts ListOptions) (_ ListPage, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opList, start, err) }()
	if opts.Limit < 0 || opts.Limit > holdfast.MaxList || opts.What > holdfast.ListUploads {
		return ListPage{}, fail(opList.String(), holdfast.Invalid, "limit")
	}
	if opts.Limit == 0 {
		return ListPage{}, nil
	}
	page, err := b.list(ctx, opts)
	return page, wrap(opList.String(), b.info.Name, err)
}

// source yields the items of a listing in order.
type source interface {
	// next returns the next item; false at the end. about tells how many more will be asked for.
	next(ctx context.Context, about int) (ListItem, bool, error)
	// skip makes the source go on at the first item whose key is not less than this.
	skip(to string)
}

// list fills a page from a source, rolling up what has the delimiter.
func (b *Bucket) list(ctx context.Context, opts ListOptions) (ListPage, error) {
	begin, ok := opts.begin()
	if !ok {
		return ListPage{}, nil
	}
	src := b.source(opts, begin)
	page := ListPage{Items: make([]ListItem, 0, min(opts.Limit, firstPage))}
	for {
		item, ok, err := src.next(ctx, opts.Limit+1-len(page.Items))
		if err != nil || !ok {
			return page, err
		}
		if cp, ok := opts.commonPrefix(item.Key); ok && !item.CommonPrefix {
			item = ListItem{Key: cp, CommonPrefix: true}
		}
		if len(page.Items) == opts.Limit {
			page.More, page.Next = true, page.Items[len(page.Items)-1].position()
			return page, nil
		}
		page.Items = append(page.Items, item)
		if item.CommonPrefix {
			next, ok := path.After(item.Key)
			if !ok {
				return page, nil
			}
			src.skip(next)
		}
	}
}

// firstPage is what a page is made ready to hold at first.
const firstPage = 1001

// commonPrefix returns the common prefix that a key is rolled up into.
func (o *ListOptions) commonPrefix(key string) (string, bool) {
	if o.Delimiter == "" || !strings.HasPrefix(key, o.Prefix) {
		return "", false
	}
	i := strings.Index(key[len(o.Prefix):], o.Delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(o.Prefix)+i+len(o.Delimiter)], true
}

// start is where a scan begins: at a key, or after it, or within its versions or uploads.
type start struct {
	key     string
	after   bool
	version holdfast.VersionID
	upload  holdfast.UploadID
}

// begin returns where the page begins; false if nothing can come after it.
func (o *ListOptions) begin() (start, bool) {
	if o.After.Key == "" || o.After.Key < o.Prefix {
		return start{key: o.Prefix}, true
	}
	if end, ok := path.After(o.Prefix); ok && o.After.Key >= end {
		return start{}, false
	}
	if cp, ok := o.commonPrefix(o.After.Key); ok {
		next, ok := path.After(cp)
		return start{key: next}, ok
	}
	s := start{key: o.After.Key, after: true}
	switch {
	case o.What == holdfast.ListUploads:
		s.upload = o.After.Upload
	case o.What == holdfast.ListVersions && !o.After.Version.IsZero():
		s.version = o.After.Version
	default:
		s = beyond(o.After.Key)
	}
	return s, true
}

// beyond returns the place right after a key. It is told as the next possible key where that fits, since "after a/" could
// also mean after everything in the directory.
func beyond(key string) start {
	if len(key) < holdfast.MaxName {
		return start{key: key + "\x00"}
	}
	return start{key: key, after: true}
}

// source returns the source for a listing.
func (b *Bucket) source(opts ListOptions, begin start) source {
	if opts.What == holdfast.ListUploads {
		return &uploadScan{b: b, prefix: opts.Prefix, from: begin}
	}
	return &treeScan{b: b, what: opts.What, prefix: opts.Prefix, from: begin, level: opts.Delimiter == "/"}
}
