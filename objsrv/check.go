package objsrv

import (
	"context"

	"holdfast"
	"holdfast/objsrv/index"
)

// CheckReport is what [Engine.Check] found; Problems is empty if all is well.
type CheckReport = index.Report

// Check proves the engine's invariants on the index of one moment: no two objects share a block, the bitmaps say exactly
// what the records say, and so do the counters. With data set it also reads every object, settled or not, and its
// headers. It may run beside everything else.
func (e *Engine) Check(ctx context.Context, data bool) (CheckReport, error) {
	if err := e.enter(); err != nil {
		return CheckReport{}, err
	}
	defer e.leave()
	report, err := e.index.Check(e.set.Locate)
	if err != nil || !data {
		return report, err
	}
	var ids []holdfast.ObjectID
	for after := (holdfast.ObjectID{}); ; after = ids[len(ids)-1] {
		ids = ids[:0]
		err := e.index.Objects(after, func(id holdfast.ObjectID, _ *index.Record) error {
			if ids = append(ids, id); len(ids) == scrubBatch {
				return index.ErrStop
			}
			return nil
		})
		if err != nil || len(ids) == 0 {
			return report, err
		}
		for _, id := range ids {
			switch _, err := e.scrubObject(ctx, id); {
			case holdfast.Is(err, holdfast.NotFound): // freed since
			case holdfast.Is(err, holdfast.Corrupt):
				report.Problem("%v", err)
			case err != nil:
				return report, err
			}
		}
	}
}
