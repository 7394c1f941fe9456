package objsrv

import (
	"context"
	"slices"

	"holdfast"
	"holdfast/objsrv/index"
)

// SweepResult tells what a sweep did.
type SweepResult struct {
	Asked    int // objects whose fate was asked for
	Freed    int // of those, doomed ones
	Doubtful int // objects whose home did not answer; asked again by the next sweep
}

// sweepBatch is how many objects are asked for at a time.
const sweepBatch = 1000

// Sweep asks for the fates of objects created longer than the guard period ago and not known to be settled: committed
// ones are settled, doomed ones are freed (R5: the name server made the fate durable before it told).
//
// That an object is settled costs no write of its own: objects are asked for in the order of ids, and a mark says how far
// the sweep has come. Those whose home did not answer get a row of doubt so that they do not hold the others up.
func (e *Engine) Sweep(ctx context.Context) (SweepResult, error) {
	var result SweepResult
	if err := e.enter(); err != nil {
		return result, err
	}
	defer e.leave()
	if e.opt.Names == nil {
		return result, holdfast.E("objsrv.sweep", holdfast.Unsupported, nil)
	}
	if err := e.sweepDoubts(ctx, &result); err != nil {
		return result, err
	}
	for {
		more, err := e.sweepNext(ctx, &result)
		if err != nil {
			return result, err
		}
		if !more {
			if result.Asked > 0 {
				tell(e.opt.Events.SweepDone, result)
			}
			return result, nil
		}
	}
}

// sweepNext asks for the next batch behind the mark.
func (e *Engine) sweepNext(ctx context.Context, result *SweepResult) (more bool, err error) {
	below := e.commits.settledBelow() // before the scan: ids under it can no longer appear
	mark, err := e.index.Settled()
	if err != nil {
		return false, err
	}
	due := e.opt.Now().Add(-e.opt.GuardPeriod)
	var batch []holdfast.GuardedObject
	err = e.index.Objects(mark, func(id holdfast.ObjectID, r *index.Record) error {
		if !id.Less(below) || r.Created.After(due) || len(batch) == sweepBatch {
			return index.ErrStop
		}
		batch = append(batch, holdfast.GuardedObject{Object: id, Home: r.Home})
		return nil
	})
	if err != nil || len(batch) == 0 {
		return false, err
	}
	doomed, doubtful, err := e.ask(ctx, batch)
	if err != nil {
		return false, err
	}
	result.add(batch, doomed, doubtful)
	last := batch[len(batch)-1].Object
	e.changing.Lock()
	defer e.changing.Unlock()
	// One may have been freed since the scan; a row of doubt without an object is dropped when it is asked for.
	err = e.freeLocked(doomed, func(b *index.Batch) {
		b.Settled(last)
		for _, id := range doubtful {
			b.Doubt(id)
		}
	})
	return err == nil && len(batch) == sweepBatch, err
}

func (r *SweepResult) add(batch []holdfast.GuardedObject, doomed, doubtful []holdfast.ObjectID) {
	r.Asked += len(batch)
	r.Freed += len(doomed)
	r.Doubtful += len(doubtful)
}

// sweepDoubts asks again for the objects whose home did not answer.
func (e *Engine) sweepDoubts(ctx context.Context, result *SweepResult) error {
	var after holdfast.ObjectID
	for {
		var batch []holdfast.GuardedObject
		var orphaned []holdfast.ObjectID
		seen := 0
		err := e.index.Doubts(after, func(id holdfast.ObjectID) error {
			var r index.Record
			switch err := e.index.Get(id, &r); {
			case err == nil:
				batch = append(batch, holdfast.GuardedObject{Object: id, Home: r.Home})
			case holdfast.Is(err, holdfast.NotFound):
				orphaned = append(orphaned, id)
			default:
				return err
			}
			after = id
			if seen++; seen == sweepBatch {
				return index.ErrStop
			}
			return nil
		})
		if err != nil || seen == 0 {
			return err
		}
		doomed, doubtful, err := e.ask(ctx, batch)
		if err != nil {
			return err
		}
		result.add(batch, doomed, doubtful)
		if err := e.trust(batch, doomed, doubtful, orphaned); err != nil || seen < sweepBatch {
			return err
		}
	}
}

// trust removes the rows of doubt of those that were answered for and frees the doomed.
func (e *Engine) trust(batch []holdfast.GuardedObject, doomed, doubtful, orphaned []holdfast.ObjectID) error {
	still := make(map[holdfast.ObjectID]bool, len(doubtful))
	for _, id := range doubtful {
		still[id] = true
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	return e.freeLocked(doomed, func(b *index.Batch) {
		for _, o := range batch {
			if !still[o.Object] {
				b.Trust(o.Object)
			}
		}
		for _, id := range orphaned {
			b.Trust(id)
		}
	})
}

// ask asks for fates: all at once, and if that fails home by home, so that one name server that does not answer
// leaves only its own objects in doubt.
func (e *Engine) ask(ctx context.Context, batch []holdfast.GuardedObject) (doomed, doubtful []holdfast.ObjectID, err error) {
	if doomed, ok := e.askSome(ctx, batch, &doubtful); ok {
		return doomed, doubtful, nil
	}
	doubtful = nil
	byHome := slices.Clone(batch)
	slices.SortStableFunc(byHome, func(a, b holdfast.GuardedObject) int { return int(a.Home) - int(b.Home) })
	for len(byHome) > 0 {
		n := 1
		for n < len(byHome) && byHome[n].Home == byHome[0].Home {
			n++
		}
		some, _ := e.askSome(ctx, byHome[:n], &doubtful)
		doomed = append(doomed, some...)
		byHome = byHome[n:]
		if ctx.Err() != nil {
			return nil, nil, holdfast.E("objsrv.sweep", holdfast.Aborted, ctx.Err())
		}
	}
	return doomed, doubtful, nil
}

// askSome is one call. An object that is pending, or told of in a fate not known here, stays in doubt.
func (e *Engine) askSome(ctx context.Context, batch []holdfast.GuardedObject, doubtful *[]holdfast.ObjectID) ([]holdfast.ObjectID, bool) {
	if len(batch) == 0 {
		return nil, true
	}
	fates, err := e.opt.Names.Settle(ctx, e.opt.Self, batch)
	ok := err == nil && len(fates) == len(batch)
	var doomed []holdfast.ObjectID
	for i, o := range batch {
		switch {
		case ok && fates[i] == holdfast.FateDoomed:
			doomed = append(doomed, o.Object)
			e.metrics.swept.WithLabelValues("doomed").Inc()
		case ok && fates[i] == holdfast.FateCommitted:
			e.metrics.swept.WithLabelValues("committed").Inc()
		default:
			*doubtful = append(*doubtful, o.Object)
			e.metrics.swept.WithLabelValues("unknown").Inc()
		}
	}
	return doomed, ok
}
