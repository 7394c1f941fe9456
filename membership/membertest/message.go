package membertest

import (
	"errors"
	"sync"
	"time"

	"holdfast"
)

// message is a request from a client or a node to the owner of a service.
type message struct {
	service holdfast.ServiceID
	op      op
	id      string // in the trace, and for the order of what comes at once
	key     string
	seq     uint64
	object  string
}

type op uint8

const (
	opPut    op = iota // names: bind a key to an object
	opGet              // names: which object a key is bound to
	opSettle           // names: the fate of an object
	opCreate           // objects: store bytes
	opRead             // objects: read them
	opFree             // objects: free them
)

type answer struct {
	err    error
	key    string
	seq    uint64
	object string
	fate   string
	// suspect says that the answer rests on clocks that both had stopped: see clocks.suspect.
	suspect bool
}

// routes is what a process believes about who owns what.
type routes struct {
	mu sync.Mutex
	to map[holdfast.ServiceID]holdfast.HostID
}

func newRoutes() *routes { return &routes{to: map[holdfast.ServiceID]holdfast.HostID{}} }

// The network between processes, and how long anybody waits for an answer: seldom long enough to get one from a process that was
// paused.
const (
	minHop, maxHop        = 100 * time.Microsecond, 2 * time.Millisecond
	minPatience, patience = leaseT / 50, leaseT / 5
	maxPatience           = 2 * leaseT
)

// send asks the owner of a service, as the published hints have it. After an error the hints are read anew.
func (p *process) send(r *routes, m message) answer {
	r.mu.Lock()
	to := r.to[m.service]
	r.mu.Unlock()
	if to == 0 {
		to, _ = p.owner(m.service) // without a hint, anybody is asked
		r.mu.Lock()
		r.to[m.service] = to
		r.mu.Unlock()
	}
	a := p.deliver(to, m)
	switch holdfast.KindOf(a.err) {
	case holdfast.NotOwner, holdfast.Unavailable, holdfast.Unknown, holdfast.Aborted:
		r.mu.Lock()
		delete(r.to, m.service)
		r.mu.Unlock()
	}
	return a
}

// deliver sends a message to the process of a host and waits for the answer.
func (p *process) deliver(to holdfast.HostID, m message) (a answer) {
	w := p.w
	err := p.wait("ask "+m.id, func(c *call) {
		over := false
		finish := func(got answer) {
			if !over {
				over, a = true, got
				w.wake(c, nil)
			}
		}
		longest := patience
		if w.chance(100) {
			longest = maxPatience
		}
		w.after(w.between(minPatience, longest), func() { finish(answer{err: holdfast.E("ask", holdfast.Unknown, errTimeout)}) })
		w.after(w.between(minHop, maxHop), func() { w.receive(p, to, m, finish) })
	})
	if err != nil {
		return answer{err: err}
	}
	return a
}

var errTimeout = errors.New("no answer in time")

// receive is when a message reaches a host. As long as not all is calm, whoever has no hint asks anybody, and so do
// some who have one: theirs may be old.
func (w *world) receive(from *process, to holdfast.HostID, m message, reply func(answer)) {
	var at *machine
	if !w.calm && (to == 0 || w.chance(250)) {
		to = holdfast.HostID(1 + w.rng.IntN(w.opt.Hosts))
	}
	for _, c := range w.machines {
		if c.proc != nil && c.proc.node != nil && c.host == to {
			at = c
		}
	}
	if from.m.isolated || at != nil && at.isolated {
		return
	}
	if at == nil {
		w.after(maxHop, func() { reply(answer{err: holdfast.E("ask", holdfast.Unavailable, nil)}) })
		return
	}
	n := at.proc.node
	w.run(n.p, func() {
		go n.serve(m, func(a answer) {
			a.suspect = n.p.m.clocks.suspect(leaseT)
			if from.m.isolated || at.isolated {
				return
			}
			w.after(w.between(minHop, maxHop), func() { reply(a) })
		})
	})
}
