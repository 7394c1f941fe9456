package usage

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"

	"holdfast"
	"holdfast/volume"
)

// period is what was counted since a moment.
type period struct {
	name
	items map[Key]*counters
	dirty bool // not all of it is written

	// Of the goroutine that writes:
	tag   holdfast.ETag // of the last writing that is known to have been done; zero for none
	tried []writing     // those since whose outcome is not known; each is conditional on tag, so one of them at most was done
}

// running is the storage class of an object whose period is not over, or was never ended.
const running = "RUNNING"

// maxTried bounds the writings that are remembered; with more, the oldest is forgotten.
const maxTried = 64

// writing is one state of an object.
type writing struct {
	doc      []byte
	complete bool
	tag      holdfast.ETag
}

// newWriting names a state by its content and by whether it is complete.
func newWriting(doc []byte, complete bool) writing {
	w := writing{doc: doc, complete: complete}
	sum := md5.New()
	sum.Write([]byte(w.class() + "\n"))
	sum.Write(doc)
	sum.Sum(w.tag.Digest[:0])
	return w
}

func (w *writing) class() string {
	if w.complete {
		return ""
	}
	return running
}

// store writes an object in the place of the writing with the tag, the zero tag meaning that there is none.
func (w *writing) store(ctx context.Context, b *volume.Bucket, key string, was holdfast.ETag) error {
	cond := holdfast.Conditions{IfMatch: &was}
	if was.IsZero() {
		cond = holdfast.Conditions{IfNoneMatch: true}
	}
	_, err := b.Put(ctx, key, volume.PutRequest{
		Entry: holdfast.Entry{ETag: w.tag, StorageClass: w.class()}, If: cond, Body: bytes.NewReader(w.doc), Size: int64(len(w.doc)),
	})
	if holdfast.Is(err, holdfast.NotFound) && !errors.Is(err, volume.ErrNoBucket) { // the one before is gone
		err = &holdfast.Error{Op: "usage.store", Kind: holdfast.Precondition, ID: key, Err: err}
	}
	return err
}

// errTaken says that another gateway finished the object, or that it was removed.
var errTaken = errors.New("the object was finished by another gateway")

// store writes the object as it is now. Errors: errTaken, and those after which it is to be tried again.
func (p *period) store(ctx context.Context, b *volume.Bucket, w writing) error {
	err := w.store(ctx, b, p.key(), p.tag)
	if holdfast.Is(err, holdfast.Precondition) {
		done, serr := p.settle(ctx, b, w)
		if done || serr != nil {
			return serr
		}
		err = w.store(ctx, b, p.key(), p.tag)
	}
	if err == nil {
		p.tag, p.tried = w.tag, nil
		return nil
	}
	w.doc = nil
	if p.tried = append(p.tried, w); len(p.tried) > maxTried {
		p.tried = p.tried[1:]
	}
	return err
}

// settle finds out, after a writing was refused, which one was done; true if it was this one, or one that completed the object.
func (p *period) settle(ctx context.Context, b *volume.Bucket, w writing) (bool, error) {
	e, err := b.Head(ctx, p.key(), volume.Version{})
	gone := holdfast.Is(err, holdfast.NotFound)
	if err != nil && !gone {
		return false, err
	}
	if !gone && e.ETag == w.tag {
		p.tag, p.tried = w.tag, nil
		return true, nil
	}
	for _, before := range p.tried {
		switch {
		case before.complete && (gone || e.ETag == before.tag): // perhaps it was collected since
			return true, nil
		case !gone && e.ETag == before.tag:
			p.tag, p.tried = before.tag, nil
			return false, nil
		}
	}
	return false, errTaken
}

func (p *period) key() string { return keyPrefix + p.String() }
