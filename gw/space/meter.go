package space

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/volume"
)

const (
	// DefaultEvery is how long lies between two looks at all buckets.
	DefaultEvery = 10 * time.Minute

	task        = "space" // what one process of a volume does
	keyPrefix   = "b/"    // of the records in the service bucket
	bucketsPage = 1000
)

// Options configure a [Meter]. Volume is required.
type Options struct {
	Volume *volume.Volume
	Every  time.Duration         // 0: DefaultEvery
	Reg    prometheus.Registerer // nil: metrics are kept and not shown
	Logger *slog.Logger          // nil: nothing is logged
	Now    func() time.Time      // nil: time.Now
}

// Meter looks at buckets, if no other process does, and tells what was seen. Close it. Safe for concurrent use.
type Meter struct {
	opts    Options
	looks   prometheus.Counter
	failed  prometheus.Counter
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Start starts a meter.
func Start(opts Options) *Meter {
	if opts.Every <= 0 {
		opts.Every = DefaultEvery
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "holdfast_gw_space_" + name + "_total", Help: help})
	}
	m := &Meter{
		opts:   opts,
		looks:  counter("looks", "Looks at how much all buckets hold."),
		failed: counter("failed", "Looks at how much all buckets hold that ended early."),
	}
	if opts.Reg != nil {
		opts.Reg.MustRegister(m.looks, m.failed)
	}
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	m.running.Go(func() { m.run(ctx) })
	return m
}

// Close ends the background work and waits for it.
func (m *Meter) Close() error {
	m.stop()
	m.running.Wait()
	return nil
}

// run waits before the first look: a cluster that was just started has better things to do.
func (m *Meter) run(ctx context.Context) {
	m.opts.Volume.Exclusive(ctx, task, volume.DefaultTurn, func(ctx context.Context) {
		tick := time.NewTicker(m.opts.Every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := m.look(ctx)
			if ctx.Err() != nil {
				return
			}
			m.looks.Inc()
			if err != nil {
				m.failed.Inc()
				m.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "space of buckets not looked at", slog.Any("error", err))
			}
		}
	})
}

// look looks at all buckets once, and forgets those that are gone.
func (m *Meter) look(ctx context.Context) error {
	here := make(map[string]bool)
	opts := volume.BucketsOptions{Limit: bucketsPage}
	for {
		page, err := m.opts.Volume.Buckets(ctx, opts)
		if err != nil {
			return err
		}
		for _, info := range page.Buckets {
			here[info.Name] = true
			opts.After = info.Name
			if err := m.lookAt(ctx, info); err != nil {
				return err
			}
		}
		if !page.More || len(page.Buckets) == 0 {
			return m.forget(ctx, here)
		}
	}
}

// lookAt writes down what a bucket holds, if that has changed.
func (m *Meter) lookAt(ctx context.Context, info *holdfast.BucketInfo) error {
	u, err := m.opts.Volume.Usage(ctx, info.Name)
	if holdfast.Is(err, holdfast.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r, tag, err := m.read(ctx, info)
	if err != nil {
		return err
	}
	next := r.seen(m.opts.Now().Unix(), u.Bytes+u.UploadBytes)
	if next.Bytes == r.Bytes {
		return nil
	}
	_, err = m.opts.Volume.WriteRecord(ctx, keyPrefix+info.Name, next.encode(), tag)
	if holdfast.Is(err, holdfast.Precondition) {
		return nil // another process looked
	}
	return err
}

// read returns the record of a bucket, a new one if there is none; the tag is that of what is there.
func (m *Meter) read(ctx context.Context, info *holdfast.BucketInfo) (record, holdfast.ETag, error) {
	life := info.Root.String()
	stored, err := m.opts.Volume.ReadRecord(ctx, keyPrefix+info.Name)
	if err != nil {
		return record{}, holdfast.ETag{}, err
	}
	r, err := decode(stored.Value)
	if err != nil || r.Life != life { // none, one of an earlier bucket, or one that cannot be read
		r = begun(life, m.opts.Now())
	}
	return r, stored.Tag, nil
}

// forget drops the records of buckets that are not here. One of a bucket that is being made meanwhile begins anew.
func (m *Meter) forget(ctx context.Context, here map[string]bool) error {
	b, err := m.opts.Volume.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	opts := volume.ListOptions{Prefix: keyPrefix, Limit: bucketsPage}
	for {
		page, err := b.List(ctx, opts)
		if err != nil {
			return err
		}
		for _, i := range page.Items {
			if here[i.Key[len(keyPrefix):]] {
				continue
			}
			if err := m.opts.Volume.DropRecord(ctx, i.Key, i.Entry.ETag); err != nil && !holdfast.Is(err, holdfast.Precondition) {
				return err
			}
		}
		if !page.More {
			return nil
		}
		opts.After = page.Next
	}
}

// Held is what a bucket held.
type Held struct {
	HourMost  int64 // bytes, the most in the running hour
	ByteHours int64 // since it was first looked at
}

// Of tells what a bucket held up to now, when it holds so many bytes.
func (m *Meter) Of(ctx context.Context, info *holdfast.BucketInfo, bytes int64) (Held, error) {
	r, _, err := m.read(ctx, info)
	if err != nil {
		return Held{}, err
	}
	r = r.seen(m.opts.Now().Unix(), bytes)
	return Held{HourMost: r.Most, ByteHours: r.byteHours()}, nil
}
