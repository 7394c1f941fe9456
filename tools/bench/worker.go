package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"holdfast/tools/bench/hist"
)

const (
	// maxSamples bounds the failures that a worker keeps word for word.
	maxSamples = 5
	// firstPause and lastPause bound the wait after failing to connect,
	// doubled each time: refusals come faster than any server restarts.
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
	// maxCodes bounds the codes told apart, should a server invent them.
	maxCodes = 64
)

// tally is what a worker counts per kind of operation.
type tally struct {
	latency hist.Histogram // of successes
	errors  int64
	outcome
}

func (t *tally) merge(o *tally) {
	t.latency.Merge(&o.latency)
	t.errors += o.errors
	t.bytes += o.bytes
	t.keys += o.keys
}

// counts is everything measured in a phase, by one worker or by all.
type counts struct {
	ops     [numOps]*tally // nil: never tried
	codes   map[string]int64
	samples []string
	retries int64
}

func (c *counts) merge(o *counts) {
	for i, t := range o.ops {
		if t == nil {
			continue
		}
		if c.ops[i] == nil {
			c.ops[i] = new(tally)
		}
		c.ops[i].merge(t)
	}
	for code, n := range o.codes {
		c.addCode(code, n)
	}
	for _, s := range o.samples {
		c.addSample(s)
	}
	c.retries += o.retries
}

func (c *counts) addCode(code string, n int64) {
	if c.codes == nil {
		c.codes = make(map[string]int64)
	}
	if _, ok := c.codes[code]; !ok && len(c.codes) >= maxCodes {
		code = "other codes"
	}
	c.codes[code] += n
}

func (c *counts) addSample(s string) {
	if len(c.samples) < maxSamples {
		c.samples = append(c.samples, s)
	}
}

// live is read by the progress display while the worker runs.
type live struct {
	ops, bytes, errors atomic.Int64
	_                  [64]byte // keep neighbours off the cache line
}

// worker is one closed loop over one connection. It is used by one goroutine
// at a time; only live may be read beside it.
type worker struct {
	client *client
	rng    *rand.Rand
	live   live

	// Per phase.
	plan   plan
	from   time.Time // operations begun before it are not counted
	until  time.Time // none begins after it; zero: no end
	counts counts
	pause  time.Duration
	cursor cursor

	body []byte // of requests that carry a document
}

// run works until the plan is done, the time is up or ctx is.
func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		start := time.Now()
		if !w.until.IsZero() && !start.Before(w.until) {
			return
		}
		t, ok := w.plan.next(w.rng)
		if !ok {
			return
		}
		out, more, err := w.persist(ctx, t)
		if err != nil && ctx.Err() != nil {
			return // the interrupt's doing
		}
		w.record(t.op, start, out, err)
		w.live.ops.Add(1)
		w.live.bytes.Add(out.bytes)
		w.plan.settle(t, more, err)
		w.rest(ctx)
	}
}

// persist does the task, again after a failure as often as --retries says.
func (w *worker) persist(ctx context.Context, t task) (out outcome, more bool, err error) {
	for try := 0; ; try++ {
		out, more, err = w.do(ctx, t)
		if err == nil || try >= w.client.o.retries || !retryable(err) || ctx.Err() != nil {
			return out, more, err
		}
		w.counts.retries++
		w.rest(ctx)
	}
}

func (w *worker) do(ctx context.Context, t task) (out outcome, more bool, err error) {
	switch t.op {
	case opPut:
		out, err = w.put(ctx, t.index)
	case opGet:
		out, err = w.get(ctx, t.index)
	case opStat:
		out, err = w.stat(ctx, t.index)
	case opDelete:
		out, err = w.remove(ctx, t.index, t.count)
	case opMultipart:
		out, err = w.multipart(ctx, t.index)
	case opList:
		return w.list(ctx, w.pageSize())
	default:
		err = fmt.Errorf("no such operation: %v", t.op)
	}
	return out, false, err
}

// pageSize is --batch where listing is what the run is about.
func (w *worker) pageSize() int {
	if o := w.client.o; o.workload == "list" && o.batch > 1 {
		return o.batch
	}
	return maxBatch
}

// record counts one operation that began at start and has just ended.
func (w *worker) record(o op, start time.Time, out outcome, err error) {
	if err != nil {
		w.live.errors.Add(1)
	}
	if start.Before(w.from) {
		return
	}
	t := w.counts.ops[o]
	if t == nil {
		t = new(tally)
		w.counts.ops[o] = t
	}
	if err != nil {
		t.errors++
		if o != opMultipart { // its failing step was counted already
			w.counts.addCode(codeOf(err), 1)
			w.counts.addSample(o.String() + ": " + err.Error())
		}
		return
	}
	t.latency.Record(time.Since(start))
	t.bytes += out.bytes
	t.keys += out.keys
}

// rest waits a little after a failure to connect.
func (w *worker) rest(ctx context.Context) {
	if !w.client.down {
		w.pause = 0
		return
	}
	w.pause = min(max(2*w.pause, firstPause), lastPause)
	timer := time.NewTimer(w.pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// errNothing is the verdict on a run in which no operation succeeded.
var errNothing = errors.New("no operation succeeded")
