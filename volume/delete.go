package volume

import (
	"context"
	"errors"
	"sync"
	"time"

	"holdfast"
	"holdfast/volume/path"
)

// MaxDelete is how many keys one Delete may name.
const MaxDelete = 1000

// DeleteRequest names what to delete: a version of a key, or with the zero Version the key as such, which in a bucket with
// versioning adds a delete marker.
type DeleteRequest struct {
	Key     string
	Version Version
	If      holdfast.Conditions
	Owner   string // of a delete marker
	Bypass  bool   // of governance mode
}

// DeleteResult is the outcome for one key.
type DeleteResult struct {
	// Err is nil also for a key or version that was not there. Kinds: Precondition, NotFound (see [holdfast.Conditions]), Locked.
	Err   error
	Found bool // something was removed

	// Version, Null and Marker describe what was removed, or the delete marker that was added.
	Version holdfast.VersionID
	Null    bool
	Marker  bool
}

// Delete removes up to [MaxDelete] keys, each on its own; the results are in the order of the requests. Requests for the same key are
// done in their order. The bytes are freed later, in the background.
func (b *Bucket) Delete(ctx context.Context, requests []DeleteRequest) []DeleteResult {
	start := time.Now()
	d := deletion{b: b, requests: requests, results: make([]DeleteResult, len(requests))}
	d.run(ctx)
	b.vol.metrics.done(opDelete, start, nil)
	for i := range d.results {
		if err := d.results[i].Err; err != nil {
			b.vol.metrics.errors.WithLabelValues(opDelete.String(), holdfast.KindOf(err).String()).Inc()
		}
	}
	return d.results
}

// deletion is one multi-delete.
type deletion struct {
	b        *Bucket
	requests []DeleteRequest
	results  []DeleteResult
	dirs     []question // one per directory
	dirOf    []int      // index in dirs, by request; -1 for a request that is done
	alone    []int      // requests that the batch could not settle
}

func (d *deletion) run(ctx context.Context) {
	if len(d.requests) > MaxDelete {
		for i := range d.results {
			d.results[i].Err = fail(opDelete.String(), holdfast.TooLarge, d.requests[i].Key)
		}
		return
	}
	d.locate(ctx)
	d.applyBatch(ctx)
	d.applyAlone(ctx)
	emptied := make([]bool, len(d.dirs))
	for i := range d.results {
		if n := d.dirOf[i]; n >= 0 && d.results[i].Found && !emptied[n] {
			emptied[n] = true
			d.b.tidy(&d.dirs[n])
		}
	}
}

// locate resolves the directories of all keys, each once.
func (d *deletion) locate(ctx context.Context) {
	d.dirOf = make([]int, len(d.requests))
	seen := make(map[string]int)
	for i := range d.requests {
		key := d.requests[i].Key
		if d.results[i].Err = checkKey(opDelete.String(), key); d.results[i].Err != nil {
			d.dirOf[i] = -1
			continue
		}
		dir := path.Dir(key)
		n, ok := seen[dir]
		if !ok {
			n = len(d.dirs)
			seen[dir] = n
			d.dirs = append(d.dirs, newQuestion(dir, holdfast.Lookup{}))
		}
		d.dirOf[i] = n
	}
	d.b.resolve(ctx, d.dirs)
}

// applyBatch deletes the keys whose directories exist, in one call per name server, and leaves what needs more to be done alone.
func (d *deletion) applyBatch(ctx context.Context) {
	var txs []holdfast.Tx
	var part []int
	away := false // some directory is not with the bucket's root
	ops := make([]holdfast.Op, 0, len(d.requests))
	special := d.conditional()
	for i := range d.requests {
		if d.dirOf[i] < 0 {
			continue
		}
		q := &d.dirs[d.dirOf[i]]
		if !q.located() || q.answer.Err != nil || special[d.requests[i].Key] {
			d.alone = append(d.alone, i)
			continue
		}
		dir := q.last(d.b.info.Root)
		away = away || !d.b.vol.router.together(dir, d.b.info.Root)
		ops = append(ops, d.requests[i].op(place{dir: dir, bucket: d.b.info}))
		note := noteOf(ctx, d.b.info, d.requests[i].Key)
		txs, part = append(txs, holdfast.Tx{Ops: ops[len(ops)-1 : len(ops) : len(ops)], Note: note}), append(part, i)
	}
	if len(txs) == 0 {
		return
	}
	if away {
		leave, err := d.b.enterAway(ctx)
		if err != nil {
			d.alone = append(d.alone, part...)
			return
		}
		defer leave()
	}
	for j, result := range d.b.vol.router.apply(ctx, txs) {
		switch i := part[j]; holdfast.KindOf(result.Err) {
		case holdfast.DirGone, holdfast.Conflict:
			d.alone = append(d.alone, i)
		default:
			d.results[i] = deleteResult(d.requests[i].Key, result.Replies, result.Err)
		}
	}
}

// conditional returns the keys of requests with conditions. They are not done in a batch, which cannot tell whether a condition
// failed because of its own first attempt.
func (d *deletion) conditional() map[string]bool {
	var keys map[string]bool
	for i := range d.requests {
		if hasConditions(d.requests[i].If) {
			if keys == nil {
				keys = make(map[string]bool)
			}
			keys[d.requests[i].Key] = true
		}
	}
	return keys
}

// deletesAtOnce is how many keys are deleted in parallel when they are deleted one by one.
const deletesAtOnce = 16

// applyAlone deletes the keys the batch left, each by itself, several at once, those of the same key in order.
func (d *deletion) applyAlone(ctx context.Context) {
	byKey := make(map[string][]int, len(d.alone))
	for _, i := range d.alone {
		byKey[d.requests[i].Key] = append(byKey[d.requests[i].Key], i)
	}
	var wg sync.WaitGroup
	free := make(chan struct{}, deletesAtOnce)
	for _, part := range byKey {
		free <- struct{}{}
		wg.Go(func() {
			for _, i := range part {
				d.results[i] = d.b.deleteOne(ctx, &d.requests[i])
			}
			<-free
		})
	}
	wg.Wait()
}

// op returns the operation of a request at a place.
func (r *DeleteRequest) op(at place) holdfast.Op {
	return holdfast.DeleteEntry{
		Dir: at.dir, Name: r.Key[len(path.Dir(r.Key)):], Version: r.Version.ID, Null: r.Version.Null,
		Versioning: at.bucket.Versioning, Owner: r.Owner, If: r.If, Bypass: r.Bypass, Bucket: at.check(),
	}
}

// deleteOne deletes one key by itself: one whose directory is missing, was just removed, or whose bucket changed.
func (b *Bucket) deleteOne(ctx context.Context, r *DeleteRequest) DeleteResult {
	c := change{op: opDelete.String(), key: r.Key, absent: absence(r.If)}
	// A delete marker is added also where there is nothing, so its directory may have to be made.
	c.create = r.Version.IsCurrent() && b.info.Versioning != holdfast.VersioningOff && !needsExisting(r.If)
	c.ops = func(_ context.Context, at place) ([]holdfast.Op, error) { return []holdfast.Op{r.op(at)}, nil }
	replies, err := b.apply(ctx, &c)
	if holdfast.Is(err, holdfast.NotFound) && !hasConditions(r.If) && !errors.Is(err, ErrNoBucket) {
		return DeleteResult{}
	}
	if c.unsure && hasConditions(r.If) && (holdfast.Is(err, holdfast.Precondition) || holdfast.Is(err, holdfast.NotFound)) {
		err = holdfast.E("volume.commit", holdfast.Unknown, err) // it may have been our own first attempt
	}
	return deleteResult(r.Key, replies, err)
}

func hasConditions(c holdfast.Conditions) bool { return c.IfNoneMatch || needsExisting(c) }

func deleteResult(key string, replies []holdfast.Reply, err error) DeleteResult {
	if err != nil {
		return DeleteResult{Err: wrap(opDelete.String(), key, err)}
	}
	r := &replies[len(replies)-1]
	return DeleteResult{Found: r.Found, Version: r.Entry.Version, Null: r.Entry.Null, Marker: r.Entry.Marker}
}

// tidy has the directory of a key removed if it is empty now.
func (b *Bucket) tidy(q *question) {
	if len(q.dirs) > 0 && q.located() {
		b.vol.cleaner.add(emptied{root: b.info.Root, names: q.names, dirs: q.dirs})
	}
}
