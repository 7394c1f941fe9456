package membertest

import (
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/membership/takeover"
)

// keeper wants to own one service: it takes it when it can, serves it until it is lost or to be given up, and does so again. It
// does what package node's does, without placement: every host wants every service.
type keeper struct {
	n    *node
	id   holdfast.ServiceID
	name string
	move chan struct{} // asks it to give the service up

	serving atomic.Pointer[engine]
	force   atomic.Bool // take the service from whoever has it, once
}

type engine interface {
	handle(m message) answer
	// close ends the engine after the group under way; the committer's done is closed then.
	close() *committer
}

func (k *keeper) run() {
	for low := time.Duration(0); k.pause(low); low = leaseT / 10 {
		own, err := k.n.take(k.n.p.ctx, k.id, k.force.Swap(false))
		if err != nil {
			continue
		}
		k.n.p.post("owns "+k.name, func() { k.n.w.owned(k.n.p, k.id, own.Epoch) })
		e, err := k.n.openEngine(k.id, own)
		if err != nil {
			own.Abandon()
			continue
		}
		k.serve(own, e)
	}
}

// pause waits before the next attempt; false if the process is to end.
func (k *keeper) pause(low time.Duration) bool {
	if !k.n.p.sleep("take "+k.name, low, low+leaseT/2) {
		return false
	}
	select {
	case <-k.n.stop:
		return false
	default:
		return true
	}
}

// serve lets requests in until the service is lost, to be moved, or to be released.
func (k *keeper) serve(own *takeover.Ownership, e engine) {
	k.serving.Store(&e)
	select {
	case <-own.Fence.Lost():
	case <-k.move:
	case <-k.n.stop:
	case <-k.n.p.quit:
	}
	k.serving.Store(nil)
	k.n.p.yield("close " + k.name) // what made it stop is a step of its own
	c := e.close()
	closed := k.closed(c)
	if own.Fence.Reason() != nil || !closed {
		own.Abandon() // its I/O may still be under way
		return
	}
	k.n.p.post("releases "+k.name, func() { k.n.w.counts["release"]++ })
	_ = own.Release()       // if it fails, the others wait for the lease
	k.pause(leaseT * 3 / 2) // somebody else's turn
}

// closed waits for the engine's end, within a bound.
func (k *keeper) closed(c *committer) bool {
	timer, _ := clock{k.n.p}.Timer(leaseT / 2)
	select {
	case <-c.done:
		return true
	case <-timer:
	case <-k.n.p.quit:
	}
	return false
}
