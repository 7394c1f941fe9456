package fsck

import (
	"context"
	"errors"
	"time"

	"holdfast"
)

// The waits between attempts grow from firstWait to longestWait, by doubling.
const (
	firstWait   = 10 * time.Millisecond
	longestWait = time.Second
)

// onNames calls a name server until it answers or patience ends. All calls of a check are safe to repeat.
func onNames[T any](ctx context.Context, c *checker, id holdfast.ServiceID, call func(holdfast.NameService) (T, error)) (T, error) {
	return repeat(ctx, c.opts.Patience, func() (reply T, err error) {
		s, err := c.services.NameServer(ctx, id)
		if err != nil {
			return reply, err
		}
		return call(s)
	})
}

// onObjects calls an object server until it answers or patience ends.
func onObjects[T any](ctx context.Context, c *checker, id holdfast.ServiceID, call func(holdfast.ObjectService) (T, error)) (T, error) {
	return repeat(ctx, c.opts.Patience, func() (reply T, err error) {
		s, err := c.services.ObjectServer(ctx, id)
		if err != nil {
			return reply, err
		}
		return call(s)
	})
}

func repeat[T any](ctx context.Context, patience time.Duration, call func() (T, error)) (T, error) {
	var deadline time.Time
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		reply, err := call()
		if err == nil || ctx.Err() != nil || !transient(err) {
			return reply, err
		}
		now := time.Now()
		if deadline.IsZero() {
			deadline = now.Add(patience)
		}
		if now.After(deadline) {
			return reply, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return reply, err
		case <-timer.C:
		}
	}
}

func transient(err error) bool {
	switch holdfast.KindOf(err) {
	case holdfast.NotOwner, holdfast.Unavailable, holdfast.Overload, holdfast.Unknown, holdfast.Aborted:
		return true
	}
	return false
}

// lookup asks one question, going on at another name server where the path leads there; q is left where it ended.
func (c *checker) lookup(ctx context.Context, q *holdfast.Lookup) (*holdfast.Answer, error) {
	for {
		a, err := onNames(ctx, c, c.services.SlotMap().Owner(q.Dir), func(s holdfast.NameService) (*holdfast.Answer, error) {
			answers, err := s.Lookup(ctx, []holdfast.Lookup{*q})
			if err != nil {
				return nil, err
			}
			a := &answers[0]
			if further := len(a.Dirs) > 0 && holdfast.Is(a.Err, holdfast.NotOwner); transient(a.Err) && !further {
				return nil, a.Err
			}
			return a, nil
		})
		if err != nil || !holdfast.Is(a.Err, holdfast.NotOwner) {
			return a, err
		}
		if len(a.Dirs) > len(q.Path) {
			return nil, holdfast.E("fsck.lookup", holdfast.Other, errors.New("more directories than were asked for"))
		}
		q.Dir, q.Path = a.Dirs[len(a.Dirs)-1], q.Path[len(a.Dirs):]
	}
}

// gone reports whether an answer says that what was asked for is not there (any more).
func gone(err error) bool {
	switch holdfast.KindOf(err) {
	case holdfast.NotFound, holdfast.DirGone, holdfast.NoSuchUpload:
		return true
	}
	return false
}
