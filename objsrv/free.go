package objsrv

import (
	"context"
	"fmt"
	"time"

	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// Free implements [holdfast.ObjectService]. The caller's fate for the ids is durable (R5).
func (e *Engine) Free(ctx context.Context, ids []holdfast.ObjectID) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	if len(ids) > holdfast.MaxObjectIDs {
		return holdfast.E("objsrv.free", holdfast.TooLarge, fmt.Errorf("%d ids", len(ids)))
	}
	if err := e.held(); err != nil { // R2
		return err
	}
	if ctx.Err() != nil {
		return holdfast.E("objsrv.free", holdfast.Aborted, ctx.Err())
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	return e.freeLocked(ids, nil)
}

// victim is an object about to be freed.
type victim struct {
	id     holdfast.ObjectID
	record *index.Record
	doubt  bool
}

// freeLocked frees objects and adds to the same batch what also says. Even if nothing is left to free it confirms
// the fence: an earlier try may have freed all of them without having been able to say so.
func (e *Engine) freeLocked(ids []holdfast.ObjectID, also func(b *index.Batch)) error {
	victims, err := e.victims(ids)
	if err != nil {
		return err
	}
	applied := false
	err = e.commits.submit(&change{apply: func(b *index.Batch, bits *pool.Change, c *index.Counters) error {
		for _, v := range victims {
			b.Delete(v.id, v.record, v.doubt)
			for _, a := range v.record.Blocks {
				bits.Drop(a)
			}
			c.Objects--
			c.Bytes -= v.record.Size
		}
		if also != nil {
			also(b)
		}
		applied = true
		return nil
	}})
	if holdfast.Is(err, holdfast.Unknown) { // the group may still be at it; the blocks stay taken
		return err
	}
	e.metrics.free(len(victims), err)
	for _, v := range victims {
		if applied {
			e.unconfirmed = append(e.unconfirmed, e.pins.gone(v.id, v.record, v.record.Blocks)...)
		}
	}
	if err != nil {
		return err
	}
	e.set.Release(e.unconfirmed...) // R3: the free is durable, and it was ours
	e.unconfirmed = nil
	return nil
}

// victims looks the ids up; those that do not exist, and repetitions, are left out. Nobody else takes records away
// meanwhile, since changing is held.
func (e *Engine) victims(ids []holdfast.ObjectID) ([]victim, error) {
	victims := make([]victim, 0, len(ids))
	seen := make(map[holdfast.ObjectID]struct{}, len(ids))
	for _, id := range ids {
		if _, ok := seen[id]; ok {
			continue
		}
		seen[id] = struct{}{}
		v := victim{id: id, record: new(index.Record)}
		err := e.index.Get(id, v.record)
		if holdfast.Is(err, holdfast.NotFound) {
			continue
		}
		if err == nil {
			err = e.index.LoadSums(id, v.record) // pinned readers need them after the rows are gone
		}
		if err == nil {
			v.doubt, err = e.index.Doubt(id)
		}
		if err != nil {
			return nil, err
		}
		victims = append(victims, v)
	}
	return victims, nil
}

// Pin implements [holdfast.ObjectService].
func (e *Engine) Pin(ctx context.Context, ids []holdfast.ObjectID, ttl time.Duration) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	if len(ids) > holdfast.MaxObjectIDs || ttl < 0 {
		return holdfast.E("objsrv.pin", holdfast.Invalid, fmt.Errorf("%d ids for %v", len(ids), ttl))
	}
	if err := e.held(); err != nil { // R2
		return err
	}
	if ctx.Err() != nil {
		return holdfast.E("objsrv.pin", holdfast.Aborted, ctx.Err())
	}
	until := e.opt.Now().Add(min(ttl, holdfast.MaxPin))
	var missing error
	for _, id := range ids {
		// The look-up comes after the reader is counted, so that the object cannot be freed and used again in between.
		_, err := e.open(id)
		if err == nil {
			err = e.pins.pin(id, until)
		}
		e.letGo(id)
		switch {
		case holdfast.Is(err, holdfast.NotFound):
			missing = err
		case err != nil:
			return err
		}
	}
	return missing
}
