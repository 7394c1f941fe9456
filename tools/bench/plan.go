package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
)

// task is one operation to do.
type task struct {
	op    op
	index uint64
	count uint64 // objects from index on, for deletes
}

// plan says what one worker does next.
type plan interface {
	// next is false when there is nothing left.
	next(rng *rand.Rand) (task, bool)
	// settle is told how a task of this plan went; more says that a listing
	// has another page.
	settle(t task, more bool, err error)
}

// sequence hands out indices in order, shared by all workers, once or for
// ever.
type sequence struct {
	op      op
	counter *atomic.Uint64
	objects uint64
	step    uint64
	cycle   bool
}

func (p *sequence) next(*rand.Rand) (task, bool) {
	n := p.counter.Add(p.step) - p.step
	if n >= p.objects && !p.cycle {
		return task{}, false
	}
	return task{p.op, n % p.objects, min(p.step, p.objects-n%p.objects)}, true
}

func (*sequence) settle(task, bool, error) {}

// random picks objects independently, as many times as there are objects or
// for ever.
type random struct {
	op      op
	counter *atomic.Uint64
	objects uint64
	forever bool
}

func (p *random) next(rng *rand.Rand) (task, bool) {
	if !p.forever && p.counter.Add(1) > p.objects {
		return task{}, false
	}
	return task{p.op, rng.Uint64N(p.objects), 1}, true
}

func (*random) settle(task, bool, error) {}

// listing reads page after page of one complete listing, once or for ever.
type listing struct {
	forever bool
	ended   bool
}

func (p *listing) next(*rand.Rand) (task, bool) { return task{op: opList}, p.forever || !p.ended }

func (p *listing) settle(_ task, more bool, _ error) { p.ended = !more }

// mix is the weights of the mixed workload.
type mix struct {
	weights [numOps]float64
	total   float64
}

func parseMix(text string) (mix, error) {
	var m mix
	for item := range strings.SplitSeq(text, ",") {
		name, weight, _ := strings.Cut(item, ":")
		w, err := strconv.ParseFloat(weight, 64)
		if err != nil || !(w >= 0) || w > 1e9 {
			return m, fmt.Errorf("%q is not of the form get:45", item)
		}
		known := false
		for _, o := range []op{opPut, opGet, opStat, opList, opDelete} {
			if o.String() == name {
				m.weights[o], known = w, true
			}
		}
		if !known {
			return m, fmt.Errorf("%q is none of get, stat, put, delete, list", name)
		}
	}
	for _, w := range m.weights {
		m.total += w
	}
	if m.total == 0 {
		return m, fmt.Errorf("%q has no weight above 0", text)
	}
	return m, nil
}

func (m *mix) pick(rng *rand.Rand) op {
	x := rng.Float64() * m.total
	for o, w := range m.weights {
		if x < w {
			return op(o)
		}
		x -= w
	}
	return opGet // only by rounding
}

// mixture draws from a mix over objects that belong to this worker alone, so
// that it knows which exist and no answer is a surprise.
type mixture struct {
	mix     *mix
	alive   []uint64
	dead    []uint64
	counter *atomic.Uint64
	limit   uint64 // operations of all workers; 0: no limit
}

// newMixture owns the indices worker, worker+workers, … below objects, all of
// which exist.
func newMixture(m *mix, worker, workers int, objects uint64, counter *atomic.Uint64, limit uint64) *mixture {
	p := &mixture{mix: m, counter: counter, limit: limit}
	for i := uint64(worker); i < objects; i += uint64(workers) {
		p.alive = append(p.alive, i)
	}
	return p
}

func (p *mixture) next(rng *rand.Rand) (task, bool) {
	if p.counter.Add(1) > p.limit && p.limit > 0 {
		return task{}, false
	}
	o := p.mix.pick(rng)
	if o == opList {
		return task{op: opList}, true
	}
	// A put brings a deleted object back if there is one; without objects
	// there is nothing else to do.
	if len(p.alive) == 0 || o == opPut && len(p.dead) > 0 {
		swapToEnd(p.dead, rng)
		return task{opPut, p.dead[len(p.dead)-1], 1}, true
	}
	swapToEnd(p.alive, rng)
	return task{o, p.alive[len(p.alive)-1], 1}, true
}

// settle moves the object last chosen, which stands at the end of its list.
func (p *mixture) settle(t task, _ bool, err error) {
	if err != nil {
		return
	}
	n, d := len(p.alive), len(p.dead)
	switch {
	case t.op == opDelete:
		p.alive, p.dead = p.alive[:n-1], append(p.dead, t.index)
	case t.op == opPut && d > 0 && p.dead[d-1] == t.index:
		p.dead, p.alive = p.dead[:d-1], append(p.alive, t.index)
	}
}

// swapToEnd brings a random element to the end.
func swapToEnd(s []uint64, rng *rand.Rand) {
	i, last := rng.IntN(len(s)), len(s)-1
	s[i], s[last] = s[last], s[i]
}
