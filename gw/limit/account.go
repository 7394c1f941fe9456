package limit

import (
	"context"
	"sync/atomic"
	"time"

	"holdfast"
)

const (
	// maxTries bounds how often a take is tried that other gateways got ahead of.
	maxTries = 16
	// maxAhead is how far a ledger may be ahead of this gateway's clock. One further ahead was written by a clock that was set wrong, and would
	// refuse everything until its time comes; so it is begun anew.
	maxAhead = 2 * time.Minute
)

// account is what this gateway has taken of one limit. Its turn is held while it is looked at or added to.
type account struct {
	turn   chan struct{} // holds a token while nobody does
	key    string        // of the ledger's record
	budget budget

	waiting atomic.Int64 // pieces of answers

	// With the turn:
	window int64 // by this gateway's clock: what was taken counts until it is over
	taken  int64 // in the window, from whatever ledger
	have   int64 // of what was taken
	empty  bool  // the budget of the window is taken
}

func newAccount(key string, b budget) *account {
	a := &account{turn: make(chan struct{}, 1), key: key, budget: b}
	a.turn <- struct{}{}
	return a
}

// spend takes n from the account, and from the shared ledger if need be. False means that nothing is left in this window.
func (a *account) spend(ctx context.Context, l *ledgers, now time.Time, n int64) (bool, error) {
	select {
	case <-a.turn:
	default:
		select {
		case <-a.turn:
		case <-ctx.Done():
			return false, holdfast.E("limit", holdfast.Aborted, ctx.Err())
		}
	}
	defer a.pass()
	if w := a.budget.window(now.Unix()); w != a.window {
		a.window, a.taken, a.have, a.empty = w, 0, 0, false
	}
	for range maxTries {
		if a.have >= n {
			a.have -= n
			return true, nil
		}
		if a.empty {
			return false, nil
		}
		if err := a.refill(ctx, l, n-a.have); err != nil && !holdfast.Is(err, holdfast.Precondition) {
			return false, err
		}
	}
	return false, nil
}

func (a *account) pass() { a.turn <- struct{}{} }

// giveBack undoes a spend, if its window is not over. It need not wait for who is taking from the ledger: then n is lost.
func (a *account) giveBack(now time.Time, n int64) {
	select {
	case <-a.turn:
		defer a.pass()
		if a.budget.window(now.Unix()) == a.window {
			a.have += n
		}
	default:
	}
}

// refill takes from the ledger. Precondition: another gateway did meanwhile.
func (a *account) refill(ctx context.Context, l *ledgers, want int64) error {
	state, tag, err := l.read(ctx, a.key)
	if err != nil {
		return err
	}
	if state.window-a.window > int64(maxAhead/time.Second)/a.budget.seconds {
		l.reset(ctx, a.key, a.window*a.budget.seconds)
		state = ledger{}
	}
	got := state.take(a.budget, a.window, want)
	// Alone, no gateway takes more than the budget of a window, even if ledgers are reset all the time because clocks disagree.
	if got == 0 || a.taken+got > a.budget.perWindow+a.budget.cost {
		a.empty = true
		return nil
	}
	// Not knowing whether it was written is as good as not: at worst a slice is lost.
	if err := l.write(ctx, a.key, state, tag); err != nil {
		return err
	}
	a.have += got
	a.taken += got
	return nil
}

// next is when the window after that of now begins.
func (a *account) next(now time.Time) time.Time {
	return time.Unix((a.budget.window(now.Unix())+1)*a.budget.seconds, 0)
}
