package node

import (
	"context"
	"errors"
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
	// closeWithin bounds how long an engine may take to close, and closeGrace how much later it may notice; what is parked on a
	// dead mount never returns.
	closeWithin = 10 * time.Second
	closeGrace  = 2 * time.Second
)

// engine is an open name server or object server.
type engine interface {
	Close(ctx context.Context) error
}

// service is one service of this host: it takes the ownership, opens the engine under that epoch, publishes it, and closes and
// releases it in the end. Either it is kept: taken again whenever it is lost (R6, or a successor fenced it); or it is run once,
// and whoever runs it decides what comes next.
type service struct {
	id   holdfast.ServiceID
	log  *slog.Logger
	take func(context.Context, holdfast.ServiceID) (*takeover.Ownership, error)
	// open opens the engine; publish makes it known to the rosters, or with nil takes it away.
	open    func(context.Context, *takeover.Ownership) (engine, error)
	publish func(engine)

	ready  atomic.Bool              // the engine is open and published
	active atomic.Pointer[activity] // what it is at; nil: not begun
	cancel context.CancelFunc       // of run
	done   chan struct{}            // closed when it is closed and released, or lost
	err    error                    // of run; valid once done is closed
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
		for e != nil {
			if _ = s.serve(ctx, own, e); ctx.Err() != nil { // it was logged
				return
			}
			own, e = s.retake(ctx)
		}
	}()
	return nil
}

// run takes the service in the background and has it open until ctx ends, stop is called or it is lost. opened is called once it
// serves; ended when it is over, with nil if it was released in good order or else why not.
func (s *service) run(ctx context.Context, opened func(holdfast.Epoch), ended func(error)) {
	ctx, s.cancel = context.WithCancel(ctx)
	s.done = make(chan struct{})
	go func() {
		defer s.cancel()
		own, e, err := s.acquire(ctx)
		if err == nil {
			opened(own.Epoch)
			err = s.serve(ctx, own, e)
		}
		s.err = err
		close(s.done)
		ended(err)
	}()
}

// stop has a service that was run closed and released, and waits for that or for ctx. The error is nil if it was released in
// good order.
func (s *service) stop(ctx context.Context) error {
	s.cancel()
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.err
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

// serve has the engine open until ctx ends, and then releases the service, or until the service is lost. The error is nil if it
// was released in good order.
func (s *service) serve(ctx context.Context, own *takeover.Ownership, e engine) error {
	select {
	case <-ctx.Done():
		return s.release(own, e)
	case <-own.Fence.Lost():
	}
	reason := own.Fence.Reason()
	s.log.Error("service lost", "service", s.id.String(), "epoch", uint64(own.Epoch), "reason", reason)
	s.withdraw()
	s.shut(e)
	own.Abandon()
	return holdfast.E("node.serve", holdfast.NotOwner, reason)
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
func (s *service) release(own *takeover.Ownership, e engine) error {
	s.withdraw()
	if !s.shut(e) {
		own.Abandon() // its I/O may still be under way: the epoch must not be called drained
		return &holdfast.Error{Op: "node.release", Kind: holdfast.Unavailable, ID: s.id.String(), Err: errUnclean}
	}
	err := own.Release()
	if err != nil {
		s.log.Warn("service not released", "service", s.id.String(), "error", err)
	}
	return err
}

var (
	errUnclean = errors.New("the engine did not close cleanly")
	errHangs   = errors.New("the engine hangs in closing and is left behind")
)

// withdraw takes the engine away from the volume.
func (s *service) withdraw() {
	s.ready.Store(false)
	s.publish(nil)
}

// shut closes an engine within the bound and reports whether it closed cleanly. One that does not return is left behind: a
// successor, here or elsewhere, must not wait for what hangs in a call to the mount, and the fence keeps it harmless.
func (s *service) shut(e engine) bool {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- e.Close(ctx) }()
	late := time.NewTimer(closeWithin + closeGrace)
	defer late.Stop()
	var err error
	select {
	case err = <-closed:
	case <-late.C:
		err = errHangs
	}
	if err != nil {
		s.log.Warn("engine not closed cleanly", "service", s.id.String(), "error", err)
	}
	return err == nil
}
