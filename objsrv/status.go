package objsrv

import (
	"context"
	"fmt"

	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// Stat implements [holdfast.ObjectService].
func (e *Engine) Stat(ctx context.Context, ids []holdfast.ObjectID) ([]holdfast.ObjectInfo, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	if len(ids) > holdfast.MaxObjectIDs {
		return nil, holdfast.E("objsrv.stat", holdfast.TooLarge, fmt.Errorf("%d ids", len(ids)))
	}
	if err := e.held(); err != nil { // R2
		return nil, err
	}
	settled, err := e.index.Settled()
	if err != nil {
		return nil, err
	}
	infos := make([]holdfast.ObjectInfo, len(ids))
	for i, id := range ids {
		var r index.Record
		err := e.index.Get(id, &r)
		if holdfast.Is(err, holdfast.NotFound) {
			infos[i] = holdfast.ObjectInfo{Object: id, Size: -1}
			continue
		}
		if err == nil {
			infos[i], err = e.info(id, &r, settled)
		}
		if err != nil {
			return nil, err
		}
	}
	return infos, e.answer(ctx, "objsrv.stat")
}

// info makes the public record of an object.
func (e *Engine) info(id holdfast.ObjectID, r *index.Record, settled holdfast.ObjectID) (holdfast.ObjectInfo, error) {
	info := holdfast.ObjectInfo{
		Object: id, Home: r.Home, Size: r.Size, CRC: r.CRC, Created: r.Created, Stored: r.Stored(),
	}
	if !settled.Less(id) {
		doubt, err := e.index.Doubt(id)
		if err != nil {
			return info, err
		}
		info.Settled = !doubt
	}
	return info, nil
}

// answer is rule R2 before a reply.
func (e *Engine) answer(ctx context.Context, op string) error {
	if ctx.Err() != nil {
		return holdfast.E(op, holdfast.Aborted, ctx.Err())
	}
	return e.held()
}

// maxObjects bounds one call of Objects.
const maxObjects = holdfast.MaxObjectIDs

// Objects implements [holdfast.ObjectService].
func (e *Engine) Objects(ctx context.Context, after holdfast.ObjectID, limit int) ([]holdfast.ObjectInfo, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	if err := e.held(); err != nil { // R2
		return nil, err
	}
	limit = min(limit, maxObjects)
	if limit <= 0 {
		return nil, nil
	}
	settled, err := e.index.Settled()
	if err != nil {
		return nil, err
	}
	var infos []holdfast.ObjectInfo
	err = e.index.Objects(after, func(id holdfast.ObjectID, r *index.Record) error {
		info, err := e.info(id, r, settled)
		if err != nil {
			return err
		}
		if infos = append(infos, info); len(infos) == limit {
			return index.ErrStop
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return infos, e.answer(ctx, "objsrv.objects")
}

// Status implements [holdfast.ObjectService].
func (e *Engine) Status(ctx context.Context) (holdfast.ObjectStatus, error) {
	if err := e.enter(); err != nil {
		return holdfast.ObjectStatus{}, err
	}
	defer e.leave()
	if err := e.held(); err != nil { // R2
		return holdfast.ObjectStatus{}, err
	}
	c := e.commits.sums()
	st := holdfast.ObjectStatus{Objects: c.Objects, Bytes: c.Bytes, InFlight: e.inFlight.Load()}
	for class := range pool.Class(pool.Classes) {
		st.Allocated += e.set.Usage(class).Live * class.Size()
	}
	var err error
	if st.Reserved, st.Free, err = e.set.Reserved(); err != nil {
		return st, err
	}
	return st, e.answer(ctx, "objsrv.status")
}

// sums returns the counters as of the batch last applied.
func (c *committer) sums() index.Counters {
	c.order.Lock()
	defer c.order.Unlock()
	return c.counters
}
