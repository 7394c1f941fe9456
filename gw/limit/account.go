package limit

import (
	"context"
	"sync/atomic"
	"time"

	"holdfast"
)

// maxTries bounds how often a take is tried that other gateways got ahead of.
const maxTries = 16

// account is what this gateway has taken of one limit. Its turn is held while it is looked at or added to.
type account struct {
	turn   chan struct{} // holds a token while nobody does
	key    string        // of the ledger's record
	budget budget

	waiting atomic.Int64 // pieces of answers

	// With the turn:
	window int64 // by this gateway's clock: what was taken counts until it is over
	have   int64
	empty  bool // the budget of the window is taken
}

func newAccount(key string, b budget) *account {
	a := &account{turn: make(chan struct{}, 1), key: key, budget: b}
	a.turn <- struct{}{}
	return a
}

// records is what the accounts need of a volume.
type records interface {
	ReadRecord(ctx context.Context, key string) (value string, tag holdfast.ETag, err error)
	WriteRecord(ctx context.Context, key, value string, was holdfast.ETag) error
}

// spend takes n from the account, and from the shared ledger if need be. False means that nothing is left in this window.
func (a *account) spend(ctx context.Context, r records, now time.Time, n int64) (bool, error) {
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		return false, holdfast.E("limit", holdfast.Aborted, ctx.Err())
	}
	if w := a.budget.window(now.Unix()); w != a.window {
		a.window, a.have, a.empty = w, 0, false
	}
	for range maxTries {
		if a.have >= n {
			a.have -= n
			return true, nil
		}
		if a.empty {
			return false, nil
		}
		if err := a.refill(ctx, r, n-a.have); err != nil && !holdfast.Is(err, holdfast.Precondition) {
			return false, err
		}
	}
	return false, nil
}

// refill takes from the ledger. Precondition: another gateway did meanwhile.
func (a *account) refill(ctx context.Context, r records, want int64) error {
	value, tag, err := r.ReadRecord(ctx, a.key)
	if err != nil {
		return err
	}
	l := parseLedger(value)
	got := l.take(a.budget, a.window, want)
	if got == 0 {
		a.empty = true
		return nil
	}
	// Not knowing whether it was written is as good as not: at worst a slice is lost.
	if err := r.WriteRecord(ctx, a.key, l.String(), tag); err != nil {
		return err
	}
	a.have += got
	return nil
}

// next is when the window after that of now begins.
func (a *account) next(now time.Time) time.Time {
	return time.Unix((a.budget.window(now.Unix())+1)*a.budget.seconds, 0)
}
