package account

import (
	"context"

	"holdfast"
	"holdfast/volume"
)

// records is where accounts are kept. All calls are safe for concurrent use.
type records interface {
	// read returns the zero record if there is none.
	read(ctx context.Context, key string) (volume.Record, error)
	// write replaces the record with the tag, the zero tag meaning that there is none. Kinds: Precondition, Unknown.
	write(ctx context.Context, key, value string, was holdfast.ETag) error
	// drop removes the record with the tag; one that is gone is no error. Kinds: Precondition.
	drop(ctx context.Context, key string, was holdfast.ETag) error
	// keys returns a page of the keys that begin with prefix and come after another key, in order.
	keys(ctx context.Context, prefix, after string, limit int) (page []string, more bool, err error)
	// epoch returns a number that moves with every bump that was acknowledged before the call.
	epoch(ctx context.Context) (uint64, error)
	// bump moves the epoch.
	bump(ctx context.Context) error
	// owns reports whether a user owns a bucket.
	owns(ctx context.Context, user string) (bool, error)
}

// volumeRecords are the records in the service bucket of a volume.
type volumeRecords struct{ *volume.Volume }

func (v volumeRecords) read(ctx context.Context, key string) (volume.Record, error) {
	return v.ReadRecord(ctx, key)
}

func (v volumeRecords) write(ctx context.Context, key, value string, was holdfast.ETag) error {
	_, err := v.WriteRecord(ctx, key, value, was)
	return err
}

func (v volumeRecords) drop(ctx context.Context, key string, was holdfast.ETag) error {
	return v.DropRecord(ctx, key, was)
}

func (v volumeRecords) keys(ctx context.Context, prefix, after string, limit int) ([]string, bool, error) {
	b, err := v.ServiceBucket(ctx)
	if err != nil {
		return nil, false, err
	}
	page, err := b.List(ctx, volume.ListOptions{Prefix: prefix, After: volume.Position{Key: after}, Limit: limit})
	if err != nil {
		return nil, false, err
	}
	keys := make([]string, len(page.Items))
	for i := range page.Items {
		keys[i] = page.Items[i].Key
	}
	return keys, page.More, nil
}

func (v volumeRecords) epoch(ctx context.Context) (uint64, error) {
	b, err := v.ServiceBucket(ctx)
	if err != nil {
		return 0, err
	}
	return b.Info().Epoch, nil
}

func (v volumeRecords) bump(ctx context.Context) error {
	if _, err := v.ServiceBucket(ctx); err != nil {
		return err
	}
	_, err := v.UpdateBucket(ctx, volume.ServiceBucketName, volume.BucketChange{})
	return err
}

func (v volumeRecords) owns(ctx context.Context, user string) (bool, error) {
	page, err := v.Buckets(ctx, volume.BucketsOptions{Owner: user, Limit: 1})
	return len(page.Buckets) > 0, err
}
