package events

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// Bounds of delivery.
const (
	lanes       = 8 // messages on their way to a target at once; those of one key go one by one
	listBatches = 100
	lookEvery   = time.Second // at a queue that was empty
	lookFull    = 5 * time.Second
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

	mu      sync.Mutex
	full    bool
	checked time.Time
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
	if time.Since(o.checked) < lookFull {
		return o.full, nil
	}
	full, err := o.queue.full(ctx)
	if err == nil {
		o.full, o.checked = full, time.Now()
	}
	return full, err
}

// run delivers until ctx ends.
func (o *outlet) run(ctx context.Context) {
	for ctx.Err() == nil {
		keys, _, err := o.queue.list(ctx, listBatches)
		if err != nil || len(keys) == 0 {
			o.wait(ctx, lookEvery)
			continue
		}
		// In the order of keys, name server by name server: batches of one are in order, and there is no order between two.
		for _, key := range keys {
			if !o.deliverBatch(ctx, key) {
				return
			}
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

// deliverBatch delivers a batch and removes it from the queue, trying until that is done; false if ctx ended first.
func (o *outlet) deliverBatch(ctx context.Context, key string) bool {
	var batch []queued
	var sent []bool
	removed := false
	for retry := firstRetry; ctx.Err() == nil; retry = min(2*retry, lastRetry) {
		var err error
		if batch == nil {
			if batch, err = o.queue.get(ctx, key); errors.Is(err, errGone) {
				return true
			}
			sent = make([]bool, len(batch))
		}
		before := count(sent)
		if err == nil {
			err = o.deliver(ctx, batch, sent)
		}
		if err == nil {
			if err = o.queue.drop(ctx, key); err == nil {
				removed = true
				break
			}
		}
		if ctx.Err() != nil {
			break
		}
		o.s.metrics.failures.WithLabelValues(o.target.ID).Inc()
		if count(sent) > before {
			retry = firstRetry // it goes on, if slowly
		}
		o.s.opts.Logger.Warn("events not delivered yet", "target", o.target.ID, "left", len(batch)-count(sent), "error", err, "retry", retry)
		pause(ctx, retry)
	}
	return removed
}

func count(sent []bool) (n int) {
	for _, done := range sent {
		if done {
			n++
		}
	}
	return n
}

// deliver sends what was not sent yet, on several lanes, each in order. A lane stops at its first failure.
func (o *outlet) deliver(ctx context.Context, batch []queued, sent []bool) error {
	errs := make([]error, lanes)
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			for i := range batch {
				if sent[i] || laneOf(batch[i].Key) != lane {
					continue
				}
				if errs[lane] = o.send(ctx, &batch[i]); errs[lane] != nil {
					return
				}
				sent[i] = true
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
