package usage

import (
	"context"
	"io"
	"strings"

	"holdfast"
	"holdfast/volume"
)

// Objects are the complete objects that all gateways of a volume wrote.
type Objects struct{ Volume *volume.Volume }

// MaxPage bounds a page of names.
const MaxPage = 1000

// List returns up to limit names after the given one, in order, and whether there are more. Names sort by gateway, then by time.
func (o Objects) List(ctx context.Context, after string, limit int) (names []string, more bool, err error) {
	b, err := o.Volume.ServiceBucket(ctx)
	if err != nil {
		return nil, false, err
	}
	limit = min(max(limit, 1), MaxPage)
	opts := volume.ListOptions{Prefix: keyPrefix + namePrefix, Limit: limit + 1}
	if after != "" {
		opts.After.Key = keyPrefix + after
	}
	for {
		page, err := b.List(ctx, opts)
		if err != nil {
			return nil, false, err
		}
		for _, i := range page.Items {
			if i.Entry.StorageClass == running {
				continue
			}
			if len(names) == limit {
				return names, true, nil
			}
			names = append(names, strings.TrimPrefix(i.Key, keyPrefix))
		}
		if !page.More {
			return names, false, nil
		}
		opts.After = page.Next
	}
}

// Write writes the object with a name, a JSON document, to w. Kinds: NotFound, before anything is written.
func (o Objects) Write(ctx context.Context, name string, w io.Writer) error {
	b, err := o.named(ctx, name)
	if err != nil {
		return err
	}
	return b.Read(ctx, keyPrefix+name, volume.Version{}, func(obj *volume.Object) error {
		if obj.Entry().StorageClass == running {
			return missing(name)
		}
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
	e, err := b.Head(ctx, keyPrefix+name, volume.Version{})
	if err == nil && e.StorageClass == running {
		return missing(name)
	}
	if err != nil {
		return err
	}
	res := b.Delete(ctx, []volume.DeleteRequest{{Key: keyPrefix + name}})[0] // complete: it does not change any more
	if res.Err == nil && !res.Found {
		return missing(name)
	}
	return res.Err
}

func (o Objects) named(ctx context.Context, name string) (*volume.Bucket, error) {
	if _, err := parseName(name); err != nil {
		return nil, missing(name)
	}
	return o.Volume.ServiceBucket(ctx)
}

func missing(name string) error {
	return &holdfast.Error{Op: "usage", Kind: holdfast.NotFound, ID: name}
}
