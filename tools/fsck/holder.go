package fsck

import (
	"context"
	"fmt"
	"strings"

	"holdfast"
)

// holder is where a link was seen: a version of a name, or a part of an unfinished upload.
type holder struct {
	dir     directory // of the name; for an upload the bucket's root
	name    string    // in dir; for an upload the whole key
	version holdfast.VersionID
	upload  holdfast.UploadID // zero: a version
	number  int               // of the upload's part
}

// held is a link with its holder.
type held struct {
	link   holdfast.Link
	holder holder
}

// String tells the operator where that is, the bucket first.
func (h *holder) String() string {
	key := h.dir.path + h.name
	if h.upload != (holdfast.UploadID{}) {
		return fmt.Sprintf("%s (part %d of upload %x)", key, h.number, h.upload[:])
	}
	return key
}

// sameName reports whether both are of one name or one upload, which may share parts.
func (h *holder) sameName(o *holder) bool {
	return h.dir.id == o.dir.id && h.name == o.name && h.upload == o.upload
}

// holds asks whether the holder still links to the object.
func (c *checker) holds(ctx context.Context, h *holder, key objectKey) (bool, error) {
	q := holdfast.Lookup{Dir: h.dir.id, Want: holdfast.WantEntry, Name: h.name, Version: h.version}
	if h.upload != (holdfast.UploadID{}) {
		q = holdfast.Lookup{Dir: h.dir.id, Want: holdfast.WantParts, Upload: h.upload, After: h.number - 1, Limit: 1}
		q.Path, q.Name = split(h.name)
	}
	a, err := c.lookup(ctx, &q)
	switch {
	case err != nil:
		return false, err
	case gone(a.Err):
		return false, nil
	case a.Err != nil:
		return false, a.Err
	}
	for l := range a.Entry.Content.Links {
		if l.OS == key.os && l.Object == key.id {
			return true, nil
		}
	}
	for i := range a.Parts {
		if l := a.Parts[i].Part.Link; l.OS == key.os && l.Object == key.id {
			return true, nil
		}
	}
	return false, nil
}

// split cuts a key into the directories it is in and its name there.
func split(key string) (path []string, name string) {
	for {
		i := strings.IndexByte(key, '/')
		if i < 0 {
			return path, key
		}
		path = append(path, key[:i+1])
		key = key[i+1:]
	}
}
