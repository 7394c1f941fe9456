package objsrv

import (
	"context"
	"time"

	"holdfast"
)

// How often the background jobs look for work.
const (
	expireEvery = time.Second
	sweepEvery  = time.Minute
	scrubEvery  = 24 * time.Hour // between the end of a round and the next
	defragEvery = 10 * time.Minute
	retryAfter  = time.Minute
)

// startJobs starts the background goroutines; Close waits for them.
func (e *Engine) startJobs(ctx context.Context) {
	e.jobs.Add(1)
	go func() {
		defer e.jobs.Done()
		select {
		case <-e.index.Lost():
			_ = e.lose(e.index.Reason()) // tells; who waits for a change is answered by the same channel
		case <-ctx.Done():
		}
	}()
	e.job(ctx, "expire pins", expireEvery, func(context.Context) error {
		e.set.Release(e.pins.expire()...)
		return nil
	})
	if e.opt.NoBackground {
		return
	}
	if e.opt.Names != nil {
		e.job(ctx, "sweep", sweepEvery, func(ctx context.Context) error {
			_, err := e.Sweep(ctx)
			return err
		})
	}
	if e.opt.ScrubRate > 0 {
		e.job(ctx, "scrub", scrubEvery, func(ctx context.Context) error {
			_, err := e.Scrub(ctx, e.opt.ScrubRate)
			return err
		})
	}
	if e.opt.DefragRate > 0 {
		e.job(ctx, "defragment", defragEvery, func(ctx context.Context) error {
			_, err := e.Defragment(ctx, e.opt.DefragRate)
			return err
		})
	}
}

// job runs f every so often until ctx ends; after an error it comes back sooner.
func (e *Engine) job(ctx context.Context, name string, every time.Duration, f func(context.Context) error) {
	e.jobs.Add(1)
	go func() {
		defer e.jobs.Done()
		timer := time.NewTimer(min(every, retryAfter))
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			next := every
			if err := e.runJob(ctx, f); err != nil && ctx.Err() == nil {
				next = min(every, retryAfter)
				if tell := e.opt.Events.BackgroundFailed; tell != nil {
					tell(name, err)
				}
			}
			timer.Reset(next)
		}
	}()
}

// runJob runs f if the service is ours (R2).
func (e *Engine) runJob(ctx context.Context, f func(context.Context) error) error {
	if e.opt.Fence.Held() != nil || e.index.Reason() != nil {
		return nil // the node knows
	}
	return f(ctx)
}

// pace waits as long as n bytes take at rate bytes per second.
func pace(ctx context.Context, n, rate int64) error {
	if rate > 0 {
		timer := time.NewTimer(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return holdfast.E("objsrv.job", holdfast.Aborted, ctx.Err())
	}
	return nil
}
