package usage

import (
	"context"
	"io"
	"strings"

	"holdfast"
	"holdfast/volume"
)

// Objects are the objects of usage that all gateways of a volume wrote.
type Objects struct{ Volume *volume.Volume }

// MaxPage bounds a page of names.
const MaxPage = 1000

// List returns up to limit names after the given one, in order, and whether there are more. Names sort by gateway, then by time.
func (o Objects) List(ctx context.Context, after string, limit int) (names []string, more bool, err error) {
	b, err := o.Volume.ServiceBucket(ctx)
	if err != nil {
		return nil, false, err
	}
	opts := volume.ListOptions{Prefix: keyPrefix + namePrefix, Limit: min(max(limit, 1), MaxPage)}
	if after != "" {
		opts.After.Key = keyPrefix + after
	}
	page, err := b.List(ctx, opts)
	for i := range page.Items {
		names = append(names, strings.TrimPrefix(page.Items[i].Key, keyPrefix))
	}
	return names, page.More, err
}

// Write writes the object with a name, a JSON document, to w. Kinds: NotFound, before anything is written.
func (o Objects) Write(ctx context.Context, name string, w io.Writer) error {
	b, err := o.named(ctx, name)
	if err != nil {
		return err
	}
	return b.Read(ctx, keyPrefix+name, volume.Version{}, func(obj *volume.Object) error {
		_, err := obj.WriteRange(ctx, w, 0, obj.Entry().Size)
		return err
	})
}

// Delete removes the object with a name. Kinds: NotFound.
func (o Objects) Delete(ctx context.Context, name string) error {
	b, err := o.named(ctx, name)
	if err != nil {
		return err
	}
	res := b.Delete(ctx, []volume.DeleteRequest{{Key: keyPrefix + name}})[0]
	if res.Err == nil && !res.Found {
		return &holdfast.Error{Op: "usage.delete", Kind: holdfast.NotFound, ID: name}
	}
	return res.Err
}

func (o Objects) named(ctx context.Context, name string) (*volume.Bucket, error) {
	if !validName(name) {
		return nil, &holdfast.Error{Op: "usage", Kind: holdfast.NotFound, ID: name}
	}
	return o.Volume.ServiceBucket(ctx)
}
