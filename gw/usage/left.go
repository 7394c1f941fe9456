package usage

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"holdfast"
	"holdfast/volume"
)

// What gateways leave unfinished.
const (
	leftEvery = time.Hour // between two looks
	leftFor   = time.Hour // after the end of its period, what another gateway did not finish is taken for left
)

// finishLeft completes the objects that gateways left running: those of this gateway's earlier lives, and old ones of others.
func (r *Recorder) finishLeft(ctx context.Context) error {
	b, err := r.opts.Volume.Bucket(ctx, volume.ServiceBucketName)
	if holdfast.Is(err, holdfast.NotFound) {
		return nil // nothing was ever written
	}
	if err != nil {
		return err
	}
	opts := volume.ListOptions{Prefix: keyPrefix + namePrefix, Limit: MaxPage}
	for {
		page, err := b.List(ctx, opts)
		if err != nil {
			return err
		}
		for _, i := range page.Items {
			n, err := parseName(i.Key[len(keyPrefix):])
			if err != nil || i.Entry.StorageClass != running || !r.isLeft(n) {
				continue
			}
			if err := r.finish(ctx, b, i.Key); err != nil {
				return err
			}
		}
		if !page.More {
			return nil
		}
		opts.After = page.Next
	}
}

// isLeft tells whether nobody will finish a running object.
func (r *Recorder) isLeft(n name) bool {
	if n.service == r.opts.Service {
		return !r.holds(n)
	}
	return r.opts.Now().Sub(n.end()) >= leftFor
}

// finish completes an object as it was last written, unless somebody else did.
func (r *Recorder) finish(ctx context.Context, b *volume.Bucket, key string) error {
	var doc bytes.Buffer
	var was holdfast.Entry
	err := b.Read(ctx, key, volume.Version{}, func(o *volume.Object) error {
		doc.Reset()
		was = *o.Entry()
		_, err := o.WriteRange(ctx, &doc, 0, was.Size)
		return err
	})
	if err == nil && was.StorageClass == running {
		w := newWriting(doc.Bytes(), true)
		err = w.store(ctx, b, key, was.ETag)
	}
	switch {
	case holdfast.Is(err, holdfast.Precondition) || holdfast.Is(err, holdfast.NotFound):
		return nil
	case err == nil:
		r.metrics.recovered.Inc()
		r.opts.Logger.LogAttrs(ctx, slog.LevelInfo, "usage of a gateway that ended finished", slog.String("object", key[len(keyPrefix):]))
	}
	return err
}
