package events

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"holdfast"
)

// Bounds of delivery.
const (
	lanes       = 8 // messages on their way to a target at once; those of one key go one by one
	listBatches = 100
	lookEvery   = time.Second // at a queue that was empty
	measureFor  = 5 * time.Second
	dropWithin  = 5 * time.Second // removing a batch that was delivered
	firstRetry  = 100 * time.Millisecond
	lastRetry   = 30 * time.Second
)

// outlet delivers what is in the queue of one target.
type outlet struct {
	s      *Service
	target *Target
	to     sender
	queue  *queue
	wake   chan struct{} // of capacity 1

	mu       sync.Mutex
	full     bool      // when it was measured last
	measured time.Time // when that was
}

// nudge has the queue looked at soon.
func (o *outlet) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// isFull reports whether the queue was at its bound a short while ago.
func (o *outlet) isFull(ctx context.Context) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.measured) < measureFor {
		return o.full, nil
	}
	batches, size, err := o.queue.length(ctx)
	if err != nil {
		return false, err
	}
	o.full, o.measured = batches >= maxBatches || size >= maxBytes, time.Now()
	o.s.metrics.batches.WithLabelValues(o.target.ID).Set(float64(batches))
	o.s.metrics.bytes.WithLabelValues(o.target.ID).Set(float64(size))
	return o.full, nil
}

// run delivers until ctx ends. It goes through the queue in the order of keys, name server by name server, and then from the beginning:
// the batches of one name server are in order, and all have their turn.
func (o *outlet) run(ctx context.Context) {
	after := ""
	for ctx.Err() == nil {
		_, _ = o.isFull(ctx) // for the metrics; listing fails for the same reason
		keys, _, more, err := o.queue.list(ctx, after, listBatches)
		if err != nil || len(keys) == 0 {
			after = ""
			o.wait(ctx, lookEvery)
			continue
		}
		for _, key := range keys {
			if !o.deliverBatch(ctx, key) {
				return
			}
		}
		if after = ""; more {
			after = keys[len(keys)-1]
		}
	}
}

func (o *outlet) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-o.wake:
	}
}

// pause waits before another attempt, which a wake-up does not shorten.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// delivery is a batch on its way.
type delivery struct {
	key   string
	tag   holdfast.ETag
	batch []queued // nil: not read yet
	sent  []bool
}

func (d *delivery) delivered() (n int) {
	for _, done := range d.sent {
		if done {
			n++
		}
	}
	return n
}

// deliverBatch delivers a batch and removes it from the queue, trying until that is done; false if ctx ended first.
func (o *outlet) deliverBatch(ctx context.Context, key string) bool {
	d := delivery{key: key}
	for retry := firstRetry; ctx.Err() == nil; retry = min(2*retry, lastRetry) {
		before := d.delivered()
		err := o.attempt(ctx, &d)
		if err == nil || errors.Is(err, errGone) {
			return true
		}
		if ctx.Err() != nil {
			break
		}
		if d.delivered() > before {
			retry = firstRetry // it goes on, if slowly
		}
		o.s.metrics.failures.WithLabelValues(o.target.ID).Inc()
		o.s.opts.Logger.Warn("events not delivered yet", "target", o.target.ID, "left", len(d.batch)-d.delivered(), "error", err, "retry", retry)
		pause(ctx, retry)
	}
	return false
}

// attempt delivers what is left of a batch and removes it.
func (o *outlet) attempt(ctx context.Context, d *delivery) (err error) {
	if d.batch == nil {
		if d.batch, d.tag, err = o.queue.get(ctx, d.key); err != nil {
			return err
		}
		d.sent = make([]bool, len(d.batch))
	}
	if err := o.deliver(ctx, d); err != nil {
		return err
	}
	// Also when ctx ended meanwhile, so that the next process does not deliver it all again.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropWithin)
	defer cancel()
	err = o.queue.drop(ending, d.key, d.tag)
	if holdfast.Is(err, holdfast.Precondition) {
		d.batch, d.sent = nil, nil // it reaches further now: once more, from the beginning
	}
	return err
}

// deliver sends what was not sent yet, on several lanes, each in order. A lane stops at its first failure.
func (o *outlet) deliver(ctx context.Context, d *delivery) error {
	errs := make([]error, lanes)
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			for i := range d.batch {
				if laneOf(d.batch[i].Key) != lane || d.sent[i] { // what other lanes sent is theirs to know
					continue
				}
				if errs[lane] = o.send(ctx, &d.batch[i]); errs[lane] != nil {
					return
				}
				d.sent[i] = true
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (o *outlet) send(ctx context.Context, m *queued) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	err := o.to.send(ctx, m.Key, m.Message)
	if err == nil {
		o.s.metrics.delivered.WithLabelValues(o.target.ID).Inc()
	}
	return err
}

func laneOf(key string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum32() % lanes)
}
