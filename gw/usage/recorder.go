package usage

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/volume"
)

// Bounds of a recorder.
const (
	DefaultPeriod = 30 * time.Minute
	MinPeriod     = time.Second
	MaxPeriod     = 24 * time.Hour

	MaxItems   = 10_000      // counters of one object
	maxWaiting = 8           // ended periods that could not be written yet; with more, the oldest is given up
	writeEvery = time.Minute // between two writings of the running period
	closeFor   = 10 * time.Second
)

// Options configure a [Recorder]. Service and Volume are required.
type Options struct {
	Service    holdfast.ServiceID // of the gateway; no two that run have the same
	Volume     *volume.Volume
	Period     time.Duration         // see SetPeriod
	WriteEvery time.Duration         // 0: a minute
	Registerer prometheus.Registerer // nil: metrics are kept and not shown
	Logger     *slog.Logger          // nil: nothing is logged
	Now        func() time.Time      // nil: time.Now
}

// Recorder counts at one gateway. Close it. Safe for concurrent use.
type Recorder struct {
	opts    Options
	metrics metrics
	stop    context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{} // a period began or ended

	writing sync.Mutex // held while objects are written; before mu

	mu      sync.Mutex
	length  time.Duration // of the next period
	current *period       // nil: nothing was counted since the last one ended
	ended   []*period     // oldest first
}

type metrics struct{ written, failed, dropped, recovered prometheus.Counter }

func newMetrics(r prometheus.Registerer) metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "holdfast_gw_usage_" + name + "_total", Help: help})
	}
	m := metrics{
		written:   counter("written", "Writings of usage objects, rewrites of running ones included."),
		failed:    counter("failed", "Writings of usage objects that failed and will be tried again."),
		dropped:   counter("dropped", "Usage objects that were given up, with some or all of what was counted."),
		recovered: counter("recovered", "Usage objects that a gateway left unfinished and this one finished."),
	}
	if r != nil {
		r.MustRegister(m.written, m.failed, m.dropped, m.recovered)
	}
	return m
}

// Open starts a recorder.
func Open(o Options) *Recorder {
	if o.WriteEvery <= 0 {
		o.WriteEvery = writeEvery
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Recorder{opts: o, metrics: newMetrics(o.Registerer), wake: make(chan struct{}, 1)}
	r.SetPeriod(o.Period)
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.running.Go(func() { r.run(ctx) })
	return r
}

// SetPeriod changes how long periods are, from the next one on. With 0 nothing is counted any more; what was counted is kept.
func (r *Recorder) SetPeriod(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d > 0 {
		d = min(max(d, MinPeriod), MaxPeriod)
	}
	r.length = max(d, 0)
}

// Add counts one operation.
func (r *Recorder) Add(key Key, kind Kind, up, down int64) {
	now := r.opts.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.length == 0 {
		return
	}
	r.turnLocked(now)
	if p := r.current; p != nil && len(p.items) >= MaxItems && p.items[key] == nil {
		r.endLocked()
	}
	if r.current == nil {
		r.beginLocked(now)
	}
	c := r.current.items[key]
	if c == nil {
		c = &counters{}
		r.current.items[key] = c
	}
	c.add(kind, up, down)
	r.current.dirty = true
}

// beginLocked begins a period, later than the one before even if that ended in the same millisecond.
func (r *Recorder) beginLocked(now time.Time) {
	n := newName(r.opts.Service, now, r.length)
	if len(r.ended) > 0 {
		if last := r.ended[len(r.ended)-1]; !n.begin.After(last.begin) {
			n.begin = last.begin.Add(time.Millisecond)
		}
	}
	r.current = &period{name: n, items: make(map[Key]*counters)}
	r.wakeWriter()
}

// turnLocked ends the running period if its time is over.
func (r *Recorder) turnLocked(now time.Time) {
	if p := r.current; p != nil && (!now.Before(p.end()) || now.Before(p.begin.Add(-maxBackwards))) {
		r.endLocked()
	}
}

// maxBackwards is how far the clock may be set back before a period ends for it.
const maxBackwards = time.Minute

func (r *Recorder) endLocked() {
	r.ended = append(r.ended, r.current)
	r.current = nil
	if len(r.ended) > maxWaiting {
		r.drop(r.ended[0], errors.New("too many objects wait to be written"))
		r.ended = r.ended[1:]
	}
	r.wakeWriter()
}

// drop tells that an object is given up.
func (r *Recorder) drop(p *period, err error) {
	r.metrics.dropped.Inc()
	r.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "usage given up", slog.String("object", p.String()), slog.Any("error", err))
}

func (r *Recorder) wakeWriter() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Recorder) run(ctx context.Context) {
	var looked time.Time // for what gateways left behind
	all := false
	for {
		if now := time.Now(); now.Sub(looked) >= leftEvery && r.finishLeft(ctx) == nil {
			looked = now
		}
		r.write(ctx, all)
		timer := time.NewTimer(r.untilDue())
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			all = true
		case <-r.wake:
			timer.Stop()
			all = false
		}
	}
}

// untilDue returns how long nothing needs to be written.
func (r *Recorder) untilDue() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil {
		return r.opts.WriteEvery
	}
	return min(r.opts.WriteEvery, max(r.current.end().Sub(r.opts.Now()), time.Millisecond))
}

// Close writes what was counted, for a bounded time, and ends the background work. Nothing may be counted any more.
func (r *Recorder) Close() {
	r.stop()
	r.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeFor)
	defer cancel()
	r.mu.Lock()
	if r.current != nil {
		r.endLocked()
	}
	r.mu.Unlock()
	r.write(ctx, false)
}

// write writes the periods that ended, oldest first, and forgets them; with all the running one, too. It ends at the first error.
func (r *Recorder) write(ctx context.Context, all bool) {
	r.writing.Lock()
	defer r.writing.Unlock()
	for _, p := range r.due(all) {
		items, complete := r.snapshot(p)
		err := r.writeOne(ctx, p, items, complete)
		switch {
		case err == nil:
			r.metrics.written.Inc()
			if complete {
				r.forget(p)
			}
		case errors.Is(err, errTaken):
			r.drop(p, err)
			r.forget(p)
		default:
			r.mu.Lock()
			p.dirty = true
			r.mu.Unlock()
			r.metrics.failed.Inc()
			r.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "usage not written, will be tried again", slog.String("object", p.String()), slog.Any("error", err))
			return
		}
	}
}

// due returns the periods to be written, oldest first.
func (r *Recorder) due(all bool) []*period {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turnLocked(r.opts.Now())
	due := slices.Clone(r.ended)
	if all && r.current != nil && r.current.dirty {
		due = append(due, r.current)
	}
	return due
}

// snapshot copies what was counted, so that requests need not wait while it is written; complete tells that nothing will be added.
func (r *Recorder) snapshot(p *period) (items []item, complete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.dirty = false
	items = make([]item, 0, len(p.items))
	for k, c := range p.items {
		items = append(items, item{k, *c})
	}
	return items, p != r.current
}

func (r *Recorder) writeOne(ctx context.Context, p *period, items []item, complete bool) error {
	doc, err := encode(p.name, items)
	if err != nil {
		return err
	}
	b, err := r.opts.Volume.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	return p.store(ctx, b, newWriting(doc, complete))
}

// forget drops a period from memory.
func (r *Recorder) forget(p *period) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = slices.DeleteFunc(r.ended, func(q *period) bool { return q == p })
	if r.current == p {
		r.current = nil
	}
}

// holds tells whether this recorder still writes an object.
func (r *Recorder) holds(n name) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := func(p *period) bool { return p.name.String() == n.String() }
	return r.current != nil && same(r.current) || slices.ContainsFunc(r.ended, same)
}
