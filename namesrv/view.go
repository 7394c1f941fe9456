package namesrv

import (
	"errors"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"holdfast/namesrv/schema"
)

// view is the state of the store that is durable and fenced: what readers see. Pebble shows a batch before its sync, so
// readers never look at the store itself. The engine holds one reference to the newest view, each reader one while it reads.
type view struct {
	snap  *pebble.Snapshot
	state schema.State
	refs  atomic.Int64
}

// publish makes the present state of the store the view. Only the committer (and Open) may call it, with nothing
// applied that is not durable and confirmed.
func (e *Engine) publish(s schema.State) {
	v := &view{snap: e.store.NewSnapshot(), state: s}
	v.refs.Store(1)
	if old := e.view.Swap(v); old != nil {
		old.release()
	}
}

// acquire returns the newest view; release it.
func (e *Engine) acquire() *view {
	for {
		v := e.view.Load()
		n := v.refs.Load()
		if n > 0 && v.refs.CompareAndSwap(n, n+1) {
			return v
		}
	}
}

func (v *view) release() {
	if v.refs.Add(-1) == 0 {
		_ = v.snap.Close() // never fails
	}
}

// get calls f with the value of the key, which f must not keep, and reports whether there is one.
func (v *view) get(key []byte, f func(value []byte) error) (bool, error) {
	value, closer, err := v.snap.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, readFailed(err)
	}
	err = f(value)
	_ = closer.Close() // only releases the block
	return true, err
}
