package events

import (
	"bytes"
	"context"
	"crypto/md5"
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

// Bounds of the queue of one target. A message has a few KiB at most, since keys have 1 KiB.
const (
	maxBatches = 10_000  // objects
	maxBytes   = 1 << 30 // of them all; what was looked at a while ago may go beyond it a little
	maxBatch   = 4 << 20 // bytes of one object
)

// queue is the durable queue of a target: objects n/<target>.<source>.<sequence>.<part> of the service bucket, each with messages, a
// line each. source is the name server they come from, and within it they are ordered: a batch of changes has the sequence of its first
// one, and as many parts as it needs.
type queue struct {
	vol    *volume.Volume
	prefix string
}

func newQueue(v *volume.Volume, target string) *queue { return &queue{v, "n/" + target + "."} }

// put adds a batch. Adding one of the same sequence again, which may reach further by then, replaces it.
func (q *queue) put(ctx context.Context, source string, seq uint64, batch []queued) error {
	b, err := q.vol.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	for part := 0; len(batch) > 0; part++ {
		var body []byte
		if body, batch, err = cut(batch); err != nil {
			return err
		}
		key := fmt.Sprintf("%s%s.%016x.%04x", q.prefix, source, seq, part)
		entry := holdfast.Entry{ETag: holdfast.ETag{Digest: md5.Sum(body)}}
		if _, err := b.Put(ctx, key, volume.PutRequest{Entry: entry, Body: bytes.NewReader(body), Size: int64(len(body))}); err != nil {
			return err
		}
	}
	return nil
}

// cut encodes as many messages as one object may hold, one at least, and returns the rest.
func cut(batch []queued) (body []byte, rest []queued, err error) {
	for i := range batch {
		line, err := json.Marshal(&batch[i])
		if err != nil {
			return nil, nil, err
		}
		if i > 0 && len(body)+len(line) >= maxBatch {
			return body, batch[i:], nil
		}
		body = append(append(body, line...), '\n')
	}
	return body, nil, nil
}

// list returns the keys of up to limit batches after a key, in order, their bytes, and whether there are more.
func (q *queue) list(ctx context.Context, after string, limit int) (keys []string, size int64, more bool, err error) {
	b, err := q.vol.ServiceBucket(ctx)
	if err != nil {
		return nil, 0, false, err
	}
	page, err := b.List(ctx, volume.ListOptions{Prefix: q.prefix, Limit: limit, After: volume.Position{Key: after}})
	if err != nil {
		return nil, 0, false, err
	}
	keys = make([]string, len(page.Items))
	for i := range page.Items {
		keys[i] = page.Items[i].Key
		size += page.Items[i].Entry.Size
	}
	return keys, size, page.More, nil
}

// length returns how many batches wait, up to the bound, and their bytes.
func (q *queue) length(ctx context.Context) (batches int, size int64, err error) {
	keys, size, _, err := q.list(ctx, "", maxBatches)
	return len(keys), size, err
}

// errGone tells that a batch is not there any more: another process delivered it.
var errGone = errors.New("events: the batch is gone")

// get reads a batch, and the tag that names this content of it.
func (q *queue) get(ctx context.Context, key string) (batch []queued, tag holdfast.ETag, err error) {
	b, err := q.vol.ServiceBucket(ctx)
	if err != nil {
		return nil, tag, err
	}
	err = b.Read(ctx, key, volume.Version{}, func(o *volume.Object) error {
		tag = o.Entry().ETag
		body := o.Reader(ctx, 0, o.Entry().Size)
		defer body.Close()
		batch, err = decode(body)
		return err
	})
	if holdfast.Is(err, holdfast.NotFound) {
		err = errGone
	}
	return batch, tag, err
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

// drop removes a batch that was delivered. One that was replaced meanwhile, by a follower that began again and got further, has messages
// nobody delivered and stays: the error is Precondition.
func (q *queue) drop(ctx context.Context, key string, tag holdfast.ETag) error {
	b, err := q.vol.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	err = b.Delete(ctx, []volume.DeleteRequest{{Key: key, If: holdfast.Conditions{IfMatch: &tag}}})[0].Err
	if holdfast.Is(err, holdfast.NotFound) {
		return nil
	}
	return err
}
