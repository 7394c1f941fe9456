package limit

import (
	"context"
	"errors"
	"time"

	"holdfast"
)

const (
	// maxPiece is the most that is sent at a time of an answer whose bandwidth is limited.
	maxPiece = 64 << 10
	// maxQueue is how many pieces may wait for one limit: with more, new answers are refused.
	maxQueue = 64
	// maxStall bounds how long one piece waits. Then the answer is given up: too many share the limit.
	maxStall = 30 * time.Second
)

// Out paces one answer. The nil Out does not.
type Out struct {
	limiter  *Limiter
	accounts []*account
	piece    int
}

// Out returns what paces an answer to a user ("" for nobody) from a bucket ("" for none), nil if nothing limits it; false if so many
// answers wait already that one more would only slow down the others.
func (l *Limiter) Out(user, bucket string) (*Out, bool) {
	t := l.table.Load()
	if t == nil || len(t.rules) == 0 { // nil: who asks has not called Allow
		return nil, true
	}
	var o *Out
	for _, a := range [...]*account{t.account(User(user), out), t.account(Bucket(bucket), out)} {
		if a == nil {
			continue
		}
		if a.waiting.Load() >= maxQueue {
			return nil, false
		}
		if o == nil {
			o = &Out{limiter: l, piece: maxPiece}
		}
		o.accounts = append(o.accounts, a)
		o.piece = min(o.piece, max(1, int(a.budget.perWindow/slices)))
	}
	return o, true
}

// Piece is how much may be sent between two calls of Wait.
func (o *Out) Piece() int { return o.piece }

var errStalled = errors.New("too many answers share the bandwidth")

// Wait returns when n bytes, at most Piece, may be sent. Kinds: Overload after maxStall, Aborted with ctx.
func (o *Out) Wait(ctx context.Context, n int) error {
	deadline := time.Now().Add(maxStall)
	for _, a := range o.accounts {
		if err := o.wait(ctx, a, int64(n), deadline); err != nil {
			return err
		}
	}
	return nil
}

func (o *Out) wait(ctx context.Context, a *account, n int64, deadline time.Time) error {
	a.waiting.Add(1)
	defer a.waiting.Add(-1)
	for {
		now := o.limiter.now()
		ok, err := a.spend(ctx, &o.limiter.ledger, now, n)
		if ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return holdfast.E("limit.out", holdfast.Overload, errStalled)
		}
		timer := time.NewTimer(a.next(now).Sub(now))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return holdfast.E("limit.out", holdfast.Aborted, ctx.Err())
		}
	}
}
