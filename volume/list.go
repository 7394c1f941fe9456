package volume

import (
	"context"

	"holdfast"
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

// ListPage is a page of a listing.
type ListPage struct {
	Items []ListItem // entries and common prefixes, in byte order of Key
	More  bool       // there are items after the last one
	Next  Position   // if More: the After of the next page
}

// List returns a page of keys. It is strongly consistent: it shows every key that was there all the time and none that
// was not there at any time of the call. Nothing in it is read from a cache. Kinds: Invalid (Limit), NotFound (the
// bucket is gone).
func (b *Bucket) List(ctx context.Context, opts ListOptions) (ListPage, error) {
	return ListPage{}, unsupported("volume.list")
}
