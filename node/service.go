package node

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/membership/takeover"
)

// Bounds of coming back after a service was lost.
const (
	firstRetake = 50 * time.Millisecond
	maxRetake   = 5 * time.Second
	// closeWithin bounds how long a lost engine may take to close; what is parked on a dead mount never returns.
	closeWithin = 10 * time.Second
)

// engine is an open name server or object server.
type engine interface {
	Close(ctx context.Context) error
}

// service is one service of this host: it takes the ownership, opens the engine under that epoch, publishes it, and closes and
// releases it in the end. When it is lost (R6, or a successor fenced it) it is taken again.
type service struct {
	id   holdfast.ServiceID
	log  *slog.Logger
	take func(context.Context, holdfast.ServiceID) (*takeover.Ownership, error)
	// open opens the engine; publish makes it known to the rosters, or with nil takes it away.
	open    func(context.Context, *takeover.Ownership) (engine, error)
	publish func(engine)

	ready  atomic.Bool              // the engine is open and published
	active atomic.Pointer[activity] // what it is at; nil: not begun
	done   chan struct{}            // closed when it is closed and released, or lost
}

// activity is what a service is at.
type activity struct {
	epoch holdfast.Epoch // 0: it is being taken
	since time.Time
}

// start opens the service for the first time and keeps it open in the background until ctx ends.
func (s *service) start(ctx context.Context) error {
	own, e, err := s.acquire(ctx)
	if err != nil {
		return fmt.Errorf("service %s: %w", s.id, err)
	}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		for e != nil && s.serve(ctx, own, e) {
			own, e = s.retake(ctx)
		}
	}()
	return nil
}

// wait returns when the service is closed and released, or with ctx.
func (s *service) wait(ctx context.Context) error {
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("service %s does not close: %w", s.id, ctx.Err())
	}
}

// serve has the engine open until ctx ends, and then releases the service, or until the service is lost. It reports whether it
// was lost.
func (s *service) serve(ctx context.Context, own *takeover.Ownership, e engine) (lost bool) {
	select {
	case <-ctx.Done():
		s.release(own, e)
		return false
	case <-own.Fence.Lost():
	}
	s.log.Error("service lost", "service", s.id.String(), "epoch", uint64(own.Epoch), "reason", own.Fence.Reason())
	s.withdraw()
	s.shut(e)
	own.Abandon()
	return true
}

// retake takes the service again, with growing pauses; nil when ctx ended first.
func (s *service) retake(ctx context.Context) (*takeover.Ownership, engine) {
	for pause := firstRetake; ; pause = min(2*pause, maxRetake) {
		own, e, err := s.acquire(ctx)
		if err == nil {
			return own, e
		}
		s.log.Warn("service not taken yet", "service", s.id.String(), "error", err, "pause", pause)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, nil
		case <-timer.C:
		}
	}
}

// acquire takes the ownership, opens the engine and publishes it.
func (s *service) acquire(ctx context.Context) (*takeover.Ownership, engine, error) {
	begun := time.Now()
	s.active.Store(&activity{since: begun})
	own, err := s.take(ctx, s.id)
	if err != nil {
		return nil, nil, err
	}
	e, err := s.open(ctx, own)
	if err != nil {
		own.Abandon()
		return nil, nil, err
	}
	s.publish(e)
	s.active.Store(&activity{epoch: own.Epoch, since: time.Now()})
	s.ready.Store(true)
	s.log.Info("service open", "service", s.id.String(), "epoch", uint64(own.Epoch), "took", time.Since(begun))
	return own, e, nil
}

// release closes the engine cleanly and gives the epoch up, so that the next owner need not wait.
func (s *service) release(own *takeover.Ownership, e engine) {
	s.withdraw()
	if !s.shut(e) {
		own.Abandon() // its I/O may still be under way: the epoch must not be called drained
		return
	}
	if err := own.Release(); err != nil {
		s.log.Warn("service not released", "service", s.id.String(), "error", err)
	}
}

// withdraw takes the engine away from the volume.
func (s *service) withdraw() {
	s.ready.Store(false)
	s.publish(nil)
}

// shut closes an engine within the bound and reports whether it closed cleanly.
func (s *service) shut(e engine) bool {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if err := e.Close(ctx); err != nil {
		s.log.Warn("engine not closed cleanly", "service", s.id.String(), "error", err)
		return false
	}
	return true
}
