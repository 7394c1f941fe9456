package namesrv

import (
	"context"
	"errors"
	"time"

	"holdfast"
	"holdfast/namesrv/schema"
)

// Bounds of what one call returns, whatever limit it asks for.
const (
	maxChanges = 10_000
	maxIntents = 10_000
)

// Changes implements [holdfast.NameService].
func (e *Engine) Changes(ctx context.Context, after uint64, limit int) (out []holdfast.Change, err error) {
	if limit < 1 {
		return nil, holdfast.E("namesrv.changes", holdfast.Invalid, errors.New("limit"))
	}
	limit = min(limit, maxChanges)
	err = e.read(ctx, func(v *view) error {
		if after >= v.state.Seq {
			return nil
		}
		if after+1 < v.state.First {
			return holdfast.E("namesrv.changes", holdfast.NotFound, errors.New("records that old were cut off"))
		}
		_, upper := schema.KindRange(schema.KindChange)
		return stopAtDone(scanBetween(v.snap, schema.ChangeKey(nil, after+1), upper, func(key, value []byte) error {
			if len(out) == limit {
				return errDone
			}
			seq, ok := schema.ParseChange(key)
			var c holdfast.Change
			if err := schema.DecodeChange(&c, seq, value); !ok || err != nil {
				return corrupt("change", key, err)
			}
			out = append(out, c)
			return nil
		}))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func stopAtDone(err error) error {
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

// Intents implements [holdfast.NameService].
func (e *Engine) Intents(ctx context.Context, after holdfast.IntentID, olderThan time.Duration, limit int) (out []holdfast.Intent, err error) {
	if limit < 1 {
		return nil, holdfast.E("namesrv.intents", holdfast.Invalid, errors.New("limit"))
	}
	limit = min(limit, maxIntents)
	before := e.opt.Clock().Add(-olderThan)
	err = e.read(ctx, func(v *view) error {
		lower, upper := schema.KindRange(schema.KindIntent)
		if after != (holdfast.IntentID{}) {
			lower = append(schema.IntentKey(nil, after), 0)
		}
		return stopAtDone(scanBetween(v.snap, lower, upper, func(key, value []byte) error {
			if len(out) == limit {
				return errDone
			}
			id, ok := schema.ParseIntent(key)
			var in holdfast.Intent
			if err := schema.DecodeIntent(&in, id, value); !ok || err != nil {
				return corrupt("intent", key, err)
			}
			if !in.At.After(before) {
				out = append(out, in)
			}
			return nil
		}))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// BucketEpoch implements [holdfast.NameService].
func (e *Engine) BucketEpoch(ctx context.Context, root holdfast.DirID) (uint64, error) {
	if err := e.enter(ctx); err != nil {
		return 0, err
	}
	defer e.leave()
	if !e.holds(root) {
		return 0, notOwner(root)
	}
	epoch, ok := e.epochs.Load(root)
	if !ok {
		return 0, dirGone(root)
	}
	return epoch.(uint64), nil
}

// Usage implements [holdfast.NameService]. A bucket this server holds nothing of has none.
func (e *Engine) Usage(ctx context.Context, root holdfast.DirID) (total holdfast.Usage, err error) {
	err = e.read(ctx, func(v *view) (err error) {
		total, err = usageOf(v.snap, root)
		return err
	})
	return total, err
}

// Status implements [holdfast.NameService]. Names are versions and delete markers.
func (e *Engine) Status(ctx context.Context) (s holdfast.NameStatus, err error) {
	err = e.read(ctx, func(v *view) error {
		for _, held := range e.slots {
			if held {
				s.Slots++
			}
		}
		s.Names, s.Seq, s.First, s.Garbage, s.Intents = v.state.Names, v.state.Seq, v.state.First, v.state.Garbage, v.state.Intents
		s.InFlight = e.inFlight.Load()
		return nil
	})
	return s, err
}

// DiskUsage returns the bytes that the store takes on the mount, logs included.
func (e *Engine) DiskUsage() uint64 { return e.store.Metrics().DiskSpaceUsage() }
