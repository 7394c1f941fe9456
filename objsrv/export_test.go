package objsrv

import (
	"holdfast"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// ExpirePins does what the background does every second.
func (e *Engine) ExpirePins() { e.set.Release(e.pins.expire()...) }

// Blocks tells where an object lies.
func (e *Engine) Blocks(id holdfast.ObjectID) ([]pool.Addr, error) {
	var r index.Record
	err := e.index.Get(id, &r)
	return r.Blocks, err
}
