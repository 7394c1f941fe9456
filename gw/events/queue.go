package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"holdfast"
	"holdfast/volume"
)

// queued is one message in a queue. Key orders it: messages of the same key are delivered one after the other.
type queued struct {
	Key     string          `json:"key"`
	Message json.RawMessage `json:"message"`
}

// Bounds of queues.
const (
	maxBatches = 10_000  // objects in the queue of one target; each holds the messages of up to 1000 changes
	maxBatch   = 8 << 20 // bytes of one object, as read
)

// queue is the durable queue of a target: objects n/<target>.<source>.<sequence> of the service bucket, each with the messages of a
// batch of changes, a line each. source is the name server they come from, and within it they are ordered.
type queue struct {
	vol    *volume.Volume
	prefix string
}

func newQueue(v *volume.Volume, target string) *queue { return &queue{v, "n/" + target + "."} }

// put adds a batch. Adding it again replaces it.
func (q *queue) put(ctx context.Context, source string, seq uint64, batch []queued) error {
	b, err := q.vol.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	for i := range batch {
		if err := encoder.Encode(&batch[i]); err != nil {
			return err
		}
	}
	_, err = b.Put(ctx, fmt.Sprintf("%s%s.%016x", q.prefix, source, seq), volume.PutRequest{Body: &body, Size: int64(body.Len())})
	return err
}

// list returns the keys of up to limit batches, in order, and whether there are more.
func (q *queue) list(ctx context.Context, limit int) ([]string, bool, error) {
	b, err := q.vol.ServiceBucket(ctx)
	if err != nil {
		return nil, false, err
	}
	page, err := b.List(ctx, volume.ListOptions{Prefix: q.prefix, Limit: limit})
	if err != nil {
		return nil, false, err
	}
	keys := make([]string, len(page.Items))
	for i := range page.Items {
		keys[i] = page.Items[i].Key
	}
	return keys, page.More, nil
}

// full reports whether the queue is at its bound.
func (q *queue) full(ctx context.Context) (bool, error) {
	keys, _, err := q.list(ctx, maxBatches)
	return len(keys) >= maxBatches, err
}

// errGone tells that a batch is not there any more: another process delivered it.
var errGone = errors.New("events: the batch is gone")

// get reads a batch.
func (q *queue) get(ctx context.Context, key string) (batch []queued, err error) {
	b, err := q.vol.ServiceBucket(ctx)
	if err != nil {
		return nil, err
	}
	err = b.Read(ctx, key, volume.Version{}, func(o *volume.Object) error {
		body := o.Reader(ctx, 0, o.Entry().Size)
		defer body.Close()
		batch, err = decode(io.LimitReader(body, maxBatch))
		return err
	})
	if holdfast.Is(err, holdfast.NotFound) {
		err = errGone
	}
	return batch, err
}

// decode reads the messages of a batch.
func decode(r io.Reader) (batch []queued, err error) {
	decoder := json.NewDecoder(r)
	for {
		var m queued
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return batch, nil
		case err != nil:
			return nil, err
		}
		batch = append(batch, m)
	}
}

// drop removes a batch.
func (q *queue) drop(ctx context.Context, key string) error {
	b, err := q.vol.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	return b.Delete(ctx, []volume.DeleteRequest{{Key: key}})[0].Err
}
