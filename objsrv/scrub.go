package objsrv

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// ScrubResult tells what a scrub found.
type ScrubResult struct {
	Objects int64
	Bytes   int64
	Corrupt []holdfast.ObjectID // at most maxCorrupt of them; all are told as events
}

const maxCorrupt = 1000

// scrubBatch is how many objects are read between two saves of the scrub's place.
const scrubBatch = 256

// Scrub reads every settled object from where the last scrub stopped to the end, checks its bytes against the index and
// its headers too, and begins anew next time. It reads at most rate bytes per second; 0 means no limit. Its
// place is durable every few hundred objects. Objects not settled yet are left out: their data may never have landed, and
// that is no rot.
func (e *Engine) Scrub(ctx context.Context, rate int64) (ScrubResult, error) {
	var result ScrubResult
	if err := e.enter(); err != nil {
		return result, err
	}
	defer e.leave()
	at, err := e.index.Scrubbed()
	if err != nil {
		return result, err
	}
	for {
		last, more, err := e.scrubSome(ctx, at, rate, &result)
		if err != nil {
			return result, err
		}
		if !more {
			last = holdfast.ObjectID{}
		}
		if err := e.saveScrub(last); err != nil {
			return result, err
		}
		if at = last; !more {
			e.metrics.scrubRounds.Inc()
			tell(e.opt.Events.ScrubDone, result)
			return result, nil
		}
	}
}

// saveScrub makes the scrub's place durable.
func (e *Engine) saveScrub(at holdfast.ObjectID) error {
	return e.commits.submit(&change{apply: func(b *index.Batch, _ *pool.Change, _ *index.Counters) error {
		b.Scrubbed(at)
		return nil
	}})
}

// scrubSome reads the next batch of objects.
func (e *Engine) scrubSome(ctx context.Context, after holdfast.ObjectID, rate int64, result *ScrubResult) (last holdfast.ObjectID, more bool, err error) {
	settled, err := e.index.Settled()
	if err != nil {
		return after, false, err
	}
	var ids []holdfast.ObjectID
	err = e.index.Objects(after, func(id holdfast.ObjectID, _ *index.Record) error {
		if settled.Less(id) || len(ids) == scrubBatch {
			return index.ErrStop
		}
		ids = append(ids, id)
		return nil
	})
	if err != nil || len(ids) == 0 {
		return after, false, err
	}
	for _, id := range ids {
		if doubt, err := e.index.Doubt(id); err != nil {
			return after, false, err
		} else if doubt {
			continue
		}
		n, err := e.scrubObject(ctx, id)
		switch {
		case holdfast.Is(err, holdfast.Corrupt):
			if len(result.Corrupt) < maxCorrupt {
				result.Corrupt = append(result.Corrupt, id)
			}
		case holdfast.Is(err, holdfast.NotFound): // freed since
		case err != nil:
			return after, false, err
		}
		result.Objects++
		result.Bytes += n
		e.metrics.scrubbed.Add(float64(n))
		if err := pace(ctx, n, rate); err != nil {
			return after, false, err
		}
	}
	return ids[len(ids)-1], len(ids) == scrubBatch, nil
}

// scrubObject reads one object and its headers.
func (e *Engine) scrubObject(ctx context.Context, id holdfast.ObjectID) (int64, error) {
	r, err := e.open(id)
	defer e.letGo(id)
	if err != nil {
		return 0, err
	}
	rd := reader{e: e, ctx: ctx, id: id, record: r, w: discard{}}
	if n, err := rd.run(0, r.Size); err != nil {
		return n, err
	}
	return r.Size, e.scrubHeaders(id, r)
}

// discard takes everything. (io.Discard would do, but has its own buffers.)
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

var errHeader = errors.New("header differs from the index")

// scrubHeaders compares the headers of an object's blocks with the index: they are what the index would be built from.
func (e *Engine) scrubHeaders(id holdfast.ObjectID, r *index.Record) error {
	for i, a := range r.Blocks {
		sums := []uint32(nil)
		var err error
		if r.Sums != nil {
			sums = r.BlockSums(i)
		} else if sums, err = e.index.Sums(id, r, i); err != nil {
			return err
		}
		h, found, err := e.set.ReadHeader(a)
		if err != nil && !holdfast.Is(err, holdfast.Corrupt) {
			return err
		}
		off := r.BlockOffset(i)
		if err == nil && (!found || h.Object != id || h.Offset != off || h.Size != r.Size || h.Home != r.Home || !slices.Equal(h.Sums, sums)) {
			err = errHeader
		}
		if err != nil {
			e.metrics.corrupt.Inc()
			err = &holdfast.Error{Op: "objsrv.scrub", Kind: holdfast.Corrupt, ID: id.String(), Err: fmt.Errorf("block %d: %w", i, err)}
			tell(e.opt.Events.Corrupt, CorruptInfo{Object: id, Block: a, Offset: off, Err: err})
			return err
		}
	}
	return nil
}
