package events

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// Options configure a [Service]. Volume and Region are required.
type Options struct {
	Volume  *volume.Volume
	Targets []Target
	Region  string                // that messages and ARNs show
	Reg     prometheus.Registerer // nil: metrics are kept and not shown
	Logger  *slog.Logger          // nil: nothing is logged

	// Turn is how long another process waits before it takes over; 0: volume.DefaultTurn.
	Turn time.Duration
}

// Service queues and delivers events. Close it. Without targets it does nothing, since no bucket can name one.
type Service struct {
	opts    Options
	metrics *metrics
	outlets []*outlet
	configs configs
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Start starts the service. Targets that are away are waited for.
func Start(opts Options) (*Service, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if err := ValidateTargets(opts.Targets); err != nil {
		return nil, holdfast.E("events.start", holdfast.Invalid, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Service{opts: opts, metrics: newMetrics(opts.Reg), stop: stop}
	for i := range opts.Targets {
		t := &opts.Targets[i]
		to, err := t.open()
		if err != nil {
			stop()
			s.closeSenders()
			return nil, holdfast.E("events.start", holdfast.Invalid, err)
		}
		s.outlets = append(s.outlets, &outlet{s: s, target: t, to: to, queue: newQueue(opts.Volume, t.ID), wake: make(chan struct{}, 1)})
	}
	if len(s.outlets) == 0 {
		return s, nil
	}
	for _, o := range s.outlets {
		s.running.Go(func() { opts.Volume.Exclusive(ctx, "events.to/"+o.target.ID, opts.Turn, o.run) })
	}
	s.running.Go(func() {
		opts.Volume.Follow(ctx, volume.FollowOptions{Task: "events", Turn: opts.Turn, Handle: s.handle, Lost: s.lost, Failed: s.failed})
	})
	return s, nil
}

// Close stops the service and waits for it. What is not delivered stays in the queues.
func (s *Service) Close() error {
	s.stop()
	s.running.Wait()
	s.closeSenders()
	return nil
}

func (s *Service) closeSenders() {
	for _, o := range s.outlets {
		o.to.close()
	}
}

// Known reports whether there is a target of this ARN.
func (s *Service) Known(arn string) bool { return s.outlet(arn) != nil }

func (s *Service) outlet(arn string) *outlet {
	for _, o := range s.outlets {
		if o.target.sameARN(arn) {
			return o
		}
	}
	return nil
}

// Test queues the event that tells a target that a bucket will send to it, unless the queue is full. request and host are the ids of the
// request that set it up.
func (s *Service) Test(ctx context.Context, arn, bucket, request, host string) error {
	o := s.outlet(arn)
	if o == nil {
		return nil
	}
	now := time.Now()
	message, err := newTestEvent(bucket, request, host, now)
	if err != nil {
		return err
	}
	return s.enqueue(ctx, o, "test", uint64(now.UnixNano()), []queued{{Key: bucket, Message: message}})
}

// enqueue puts a batch into the queue of a target, or gives it up if that is full.
func (s *Service) enqueue(ctx context.Context, o *outlet, source string, seq uint64, batch []queued) error {
	full, err := o.isFull(ctx)
	if err != nil {
		return err
	}
	if full {
		s.metrics.dropped.WithLabelValues(o.target.ID).Add(float64(len(batch)))
		s.opts.Logger.Error("events dropped: the queue of the target is full", "target", o.target.ID, "events", len(batch))
		return nil
	}
	if err := o.queue.put(ctx, source, seq, batch); err != nil {
		return err
	}
	s.metrics.queued.WithLabelValues(o.target.ID).Add(float64(len(batch)))
	o.nudge()
	return nil
}

func (s *Service) lost(server holdfast.ServiceID, after uint64) {
	s.opts.Logger.Error("events lost: the change log was cut before they were read", "service", server.String(), "after", after)
}

func (s *Service) failed(server holdfast.ServiceID, err error) {
	s.opts.Logger.Warn("events not queued yet", "service", server.String(), "error", err)
}

// handle turns changes into messages and puts those into the queues of their targets. It reports whether there were any.
func (s *Service) handle(ctx context.Context, server holdfast.ServiceID, changes []holdfast.Change) (bool, error) {
	batches := make(map[*outlet][]queued)
	for i := range changes {
		if err := s.route(ctx, &changes[i], batches); err != nil {
			return false, err
		}
	}
	for o, batch := range batches {
		if err := s.enqueue(ctx, o, server.String(), changes[0].Seq, batch); err != nil {
			return false, err
		}
	}
	return len(batches) > 0, nil
}

// route adds the message about a change to the batch of its target, if anybody is to be told.
func (s *Service) route(ctx context.Context, c *holdfast.Change, batches map[*outlet][]queued) error {
	n, ok, err := volume.ParseNote(c.Note)
	if err != nil {
		s.opts.Logger.Error("a note of the change log cannot be read", "sequence", c.Seq, "error", err)
		return nil
	}
	name := nameOf(c, n.Event)
	if !ok || name == "" {
		return nil
	}
	config, err := s.configs.of(ctx, s.opts.Volume, n.Bucket, c.Bucket)
	if err != nil || config == nil {
		return err
	}
	for i := range config.rules.Rules {
		r := &config.rules.Rules[i]
		o := s.outlet(r.ARN)
		if o == nil || !r.Match(name, n.Key) {
			continue
		}
		message, err := messageOf(c, &n, name, r.ID, bucketInfo{config.owner, s.opts.Region})
		if err != nil {
			return err
		}
		batches[o] = append(batches[o], queued{Key: n.Bucket + "/" + n.Key, Message: message})
	}
	return nil
}

// configs keeps the parsed configurations of buckets, each for the epoch of its bucket. Only its lock may be waited for.
type configs struct {
	mu   sync.Mutex
	kept map[holdfast.DirID]*config
}

type config struct {
	epoch uint64
	owner string
	rules s3api.NotificationConfig
}

// maxConfigs bounds how many are kept; beyond it any one goes.
const maxConfigs = 10_000

// of returns the present configuration of a bucket, nil if it has none. Of a bucket that was removed, of which some changes may not have
// been handled yet, it returns the last one that is known.
func (c *configs) of(ctx context.Context, v *volume.Volume, name string, root holdfast.DirID) (*config, error) {
	b, err := v.Bucket(ctx, name)
	if err != nil && !holdfast.Is(err, holdfast.NotFound) {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || b.Info().Root != root {
		return c.kept[root], nil
	}
	info := b.Info()
	doc := info.Settings["notification"]
	if len(doc) == 0 {
		return nil, nil
	}
	if kept := c.kept[root]; kept != nil && kept.epoch == info.Epoch {
		return kept, nil
	}
	rules, err := s3api.DecodeNotification(doc)
	if err != nil {
		return nil, nil // it was checked before it was stored
	}
	if c.kept == nil {
		c.kept = make(map[holdfast.DirID]*config)
	}
	if len(c.kept) >= maxConfigs {
		for other := range c.kept {
			delete(c.kept, other)
			break
		}
	}
	now := &config{info.Epoch, info.Owner, rules}
	c.kept[root] = now
	return now, nil
}
