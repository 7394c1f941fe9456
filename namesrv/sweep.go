package namesrv

import (
	"time"

	"holdfast"
	"holdfast/namesrv/schema"
)

// sweepBatch bounds how many records one commit of the sweeper removes.
const sweepBatch = 1000

// sweepLoop forgets what has served its time: doomed fates, memories of completed uploads, old change records. Fates and memories
// are gone through four times per retention, the change log at every tick.
func (e *Engine) sweepLoop() {
	tick := time.NewTicker(e.lim.Background)
	defer tick.Stop()
	next := time.Now().Add(e.lim.FateRetention / 4)
	for {
		select {
		case <-e.background.Done():
			return
		case <-e.store.Lost():
			return
		case <-tick.C:
		}
		s := Swept{}
		err := e.cutChanges(&s)
		if err == nil && !time.Now().Before(next) {
			next = time.Now().Add(e.lim.FateRetention / 4)
			err = e.sweep(&s)
		}
		if err != nil {
			e.failed(err)
		}
		if f := e.opt.Events.Swept; f != nil && s != (Swept{}) {
			f(s)
		}
	}
}

// cutChanges keeps the change log in its bound, an eighth at a time.
func (e *Engine) cutChanges(s *Swept) error {
	v := e.acquire()
	state := v.state
	v.release()
	keep := e.lim.ChangeRecords
	if state.Seq < state.First+keep+keep/8 {
		return nil
	}
	first := state.Seq - keep + 1
	err := e.submitBackground(func(g *group) error {
		g.cutBefore = first
		g.state.First = first
		return nil
	}, 1)
	if err == nil {
		s.Changes = first - state.First
	}
	return err
}

// sweep goes through all fates and memories once.
func (e *Engine) sweep(s *Swept) error {
	before := e.opt.Clock().Add(-e.lim.FateRetention)
	n, err := e.forget(schema.KindFate, func(key, value []byte) (bool, error) {
		var f schema.Fate
		if err := schema.DecodeFate(&f, value); err != nil {
			return false, corrupt("fate", key, err)
		}
		return f.Fate == holdfast.FateDoomed && f.At.Before(before), nil
	})
	s.Fates = n
	if err != nil {
		return err
	}
	s.Uploads, err = e.forget(schema.KindDone, func(key, value []byte) (bool, error) {
		_, d, _, ok := schema.ParseDir(key)
		var done schema.Done
		if err := schema.DecodeDone(&done, value, d.Slot(), &schema.Arena{}); !ok || err != nil {
			return false, corrupt("completed upload", key, err)
		}
		return schema.ClockTime(done.Record.Version).Before(before), nil
	})
	return err
}

// forget removes the records of a kind that are old. It asks again when it removes: a record may have changed since.
func (e *Engine) forget(k schema.Kind, old func(key, value []byte) (bool, error)) (int, error) {
	removed := 0
	var keys [][]byte
	flush := func() error {
		if len(keys) == 0 {
			return nil
		}
		err := e.submitBackground(func(g *group) error {
			for _, key := range keys {
				v, ok, err := g.get(key)
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
				if yes, err := old(key, v); err != nil || !yes {
					continue
				}
				g.set(key, nil)
				removed++
			}
			return nil
		}, len(keys))
		keys = keys[:0]
		return err
	}
	v := e.acquire()
	defer v.release()
	err := scanRange(v.snap, k, func(key, value []byte) error {
		yes, err := old(key, value)
		if err != nil || !yes {
			return err
		}
		if keys = append(keys, append([]byte(nil), key...)); len(keys) == sweepBatch {
			return flush()
		}
		return nil
	})
	if err != nil {
		return removed, err
	}
	return removed, flush()
}
