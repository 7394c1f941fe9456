package usage

import (
	"bytes"
	"context"
	"crypto/md5"
	"log/slog"
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
	Service    holdfast.ServiceID
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
	stop    context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	length  time.Duration // of the next period
	current *period       // nil: nothing was counted since the last one ended
	ended   []*period     // oldest first

	written prometheus.Counter
	failed  prometheus.Counter
	dropped prometheus.Counter
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
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	r := &Recorder{
		opts:    o,
		written: counter("holdfast_gw_usage_written_total", "Objects of usage written, rewrites included."),
		failed:  counter("holdfast_gw_usage_failed_total", "Writes of usage that failed and will be tried again."),
		dropped: counter("holdfast_gw_usage_dropped_total", "Periods of usage that were given up because they could not be written."),
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(r.written, r.failed, r.dropped)
	}
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
	r.turn(now)
	if r.current == nil {
		r.current = newPeriod(r.opts.Service, now, r.length)
	}
	c := r.current.items[key]
	if c == nil {
		if len(r.current.items) >= MaxItems {
			r.endLocked()
			r.current = newPeriod(r.opts.Service, now, r.length)
			r.unlike()
		}
		c = &counters{}
		r.current.items[key] = c
	}
	c.add(kind, up, down)
	r.current.dirty = true
}

// turn ends the running period if its time is over.
func (r *Recorder) turn(now time.Time) {
	if p := r.current; p != nil && now.Sub(p.begin) >= p.length {
		r.endLocked()
	}
}

func (r *Recorder) endLocked() {
	r.ended = append(r.ended, r.current)
	r.current = nil
	if len(r.ended) > maxWaiting {
		r.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "usage given up", slog.String("object", r.ended[0].name))
		r.dropped.Inc()
		r.ended = r.ended[1:]
	}
}

// unlike gives a period that begins in the same millisecond as the one before another name.
func (r *Recorder) unlike() {
	for len(r.ended) > 0 && r.ended[len(r.ended)-1].name >= r.current.name {
		last := r.ended[len(r.ended)-1]
		r.current = newPeriod(r.opts.Service, last.begin.Add(time.Millisecond), last.length)
	}
}

func (r *Recorder) run(ctx context.Context) {
	tick := time.NewTicker(r.opts.WriteEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.write(ctx)
		}
	}
}

// Close writes what was counted, for a bounded time, and ends the background work. Nothing may be counted any more.
func (r *Recorder) Close() {
	r.stop()
	r.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeFor)
	defer cancel()
	r.write(ctx)
}

// write writes all periods that are not, and forgets those that ended. It is called by one goroutine at a time.
func (r *Recorder) write(ctx context.Context) {
	for _, p := range r.due() {
		r.mu.Lock()
		doc, err := p.encode(r.opts.Service)
		p.dirty = false
		r.mu.Unlock()
		if err == nil {
			err = r.put(ctx, p.name, doc)
		}
		r.mu.Lock()
		p.dirty = p.dirty || err != nil
		if err == nil && len(r.ended) > 0 && r.ended[0] == p {
			r.ended = r.ended[1:]
		}
		r.mu.Unlock()
		if err != nil {
			r.failed.Inc()
			r.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "usage not written, will be tried again", slog.String("object", p.name), slog.Any("error", err))
			return
		}
		r.written.Inc()
	}
}

// due returns the periods to be written, oldest first.
func (r *Recorder) due() []*period {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(r.opts.Now())
	due := append([]*period(nil), r.ended...)
	if r.current != nil && r.current.dirty {
		due = append(due, r.current)
	}
	return due
}

func (r *Recorder) put(ctx context.Context, name string, doc []byte) error {
	b, err := r.opts.Volume.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	_, err = b.Put(ctx, keyPrefix+name, volume.PutRequest{
		Entry: holdfast.Entry{ETag: holdfast.ETag{Digest: md5.Sum(doc)}}, Body: bytes.NewReader(doc), Size: int64(len(doc)),
	})
	return err
}
