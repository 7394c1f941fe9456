package volume

import (
	"context"
	"fmt"
	"sync"
	"time"

	"holdfast"
)

// router carries questions to the name servers that hold the directories they are about: it groups a batch by server, asks
// the servers in parallel, and asks again what could not be answered, until its time is over.
type router struct {
	services Services
	retryFor time.Duration
	metrics  *metrics
}

// exchange is how one kind of question travels: what it is about, how it is asked, and how an answer shows failure.
type exchange[Q, A any] struct {
	name string
	max  int // questions in one call
	dir  func(*Q) holdfast.DirID
	call func(context.Context, holdfast.NameService, []Q) ([]A, error)
	err  func(*A) error // a failure of this one answer that may be transient
	fail func(*A, error)

	commits bool // the questions change something, so that a lost answer leaves open whether they did
}

var (
	lookups = exchange[holdfast.Lookup, holdfast.Answer]{
		name: "lookup",
		max:  holdfast.MaxLookups,
		dir:  func(q *holdfast.Lookup) holdfast.DirID { return q.Dir },
		call: func(ctx context.Context, s holdfast.NameService, qs []holdfast.Lookup) ([]holdfast.Answer, error) {
			return s.Lookup(ctx, qs)
		},
		err: func(a *holdfast.Answer) error {
			if len(a.Dirs) > 0 && holdfast.Is(a.Err, holdfast.NotOwner) {
				return nil // progress: the walk goes on at another server
			}
			return a.Err
		},
		fail: func(a *holdfast.Answer, err error) { *a = holdfast.Answer{Err: err} },
	}
	listings = exchange[holdfast.ListRequest, holdfast.Page]{
		name: "list",
		max:  maxListRequests,
		dir:  func(q *holdfast.ListRequest) holdfast.DirID { return q.Dir },
		call: func(ctx context.Context, s holdfast.NameService, qs []holdfast.ListRequest) ([]holdfast.Page, error) {
			return s.List(ctx, qs)
		},
		err:  func(p *holdfast.Page) error { return p.Err },
		fail: func(p *holdfast.Page, err error) { *p = holdfast.Page{Err: err} },
	}
	transactions = exchange[holdfast.Tx, holdfast.Result]{
		name: "apply",
		max:  holdfast.MaxTxs,
		dir:  func(tx *holdfast.Tx) holdfast.DirID { return tx.Ops[0].Target() },
		call: func(ctx context.Context, s holdfast.NameService, txs []holdfast.Tx) ([]holdfast.Result, error) {
			return s.Apply(ctx, txs)
		},
		err:  func(r *holdfast.Result) error { return r.Err },
		fail: func(r *holdfast.Result, err error) { *r = holdfast.Result{Err: err, Failed: -1} },

		commits: true,
	}
)

// maxListRequests is how many directories are scanned in one call.
const maxListRequests = 256

// lookup asks the questions of a batch, each where its Dir lives. The answers are in order; a failed one has its Err.
func (r *router) lookup(ctx context.Context, qs []holdfast.Lookup) []holdfast.Answer {
	return scatter(ctx, r, &lookups, qs)
}

// list scans directories, each where it lives.
func (r *router) list(ctx context.Context, qs []holdfast.ListRequest) []holdfast.Page {
	return scatter(ctx, r, &listings, qs)
}

// apply runs independent transactions, each where its first operation's directory lives, and again those whose outcome is
// transient or unknown: they must be safe to apply twice.
func (r *router) apply(ctx context.Context, txs []holdfast.Tx) []holdfast.Result {
	return scatter(ctx, r, &transactions, txs)
}

// applyOnce makes one attempt to run transactions that belong on the server of dir, in order. Every result has its error set
// if the call failed as a whole.
func (r *router) applyOnce(ctx context.Context, dir holdfast.DirID, txs []holdfast.Tx) []holdfast.Result {
	out := make([]holdfast.Result, len(txs))
	part := make([]int, len(txs))
	for i := range part {
		part[i] = i
	}
	askServer(ctx, r, &transactions, r.owner(dir), txs, part, out)
	return out
}

// owner returns the name server that holds dir, by the newest slot map.
func (r *router) owner(dir holdfast.DirID) holdfast.ServiceID { return r.services.SlotMap().Owner(dir) }

// together reports whether two directories are on one name server.
func (r *router) together(a, b holdfast.DirID) bool { return r.sameServer(a.Slot(), b.Slot()) }

// sameServer reports whether two slots are held by one name server.
func (r *router) sameServer(a, b holdfast.Slot) bool {
	if a == b {
		return true
	}
	m := r.services.SlotMap()
	return m[a] == m[b]
}

// call makes an idempotent call to the name server of dir, and again while that fails for the moment.
func (r *router) call(ctx context.Context, dir holdfast.DirID, f func(holdfast.NameService) error) error {
	var pace pacer
	for {
		s, err := r.services.NameServer(ctx, r.owner(dir))
		if err == nil {
			err = f(s)
		}
		if err == nil || !pace.again(ctx, r, err) {
			return err
		}
	}
}

// scatter runs a batch of questions to its end: rounds of calls, with waits between them, until each has an answer that
// stands or the time is over.
func scatter[Q, A any](ctx context.Context, r *router, x *exchange[Q, A], qs []Q) []A {
	out := make([]A, len(qs))
	pending := make([]int, len(qs))
	for i := range pending {
		pending[i] = i
	}
	var pace pacer
	var unsure map[int]bool // what may have happened although its last answer does not tell
	for {
		round(ctx, r, x, qs, pending, out)
		again := pending[:0]
		var last error
		for _, i := range pending {
			err := x.err(&out[i])
			if err == nil {
				continue
			}
			if unsure[i] && tellsNothing(err) {
				x.fail(&out[i], holdfast.E("volume."+x.name, holdfast.Unknown, err))
			}
			if x.commits && indefinite(err) {
				if unsure == nil {
					unsure = make(map[int]bool)
				}
				unsure[i] = true
			}
			if transient(ctx, err) {
				again, last = append(again, i), err
			}
		}
		pending = again
		if len(pending) == 0 || !pace.again(ctx, r, last) {
			return out
		}
	}
}

// round asks the pending questions once, each server on its own goroutine if there are several.
func round[Q, A any](ctx context.Context, r *router, x *exchange[Q, A], qs []Q, pending []int, out []A) {
	if len(pending) == 0 {
		return
	}
	slots := r.services.SlotMap()
	first := slots.Owner(x.dir(&qs[pending[0]]))
	alone := true
	for _, i := range pending[1:] {
		if slots.Owner(x.dir(&qs[i])) != first {
			alone = false
			break
		}
	}
	if alone {
		askServer(ctx, r, x, first, qs, pending, out)
		return
	}
	groups := make(map[holdfast.ServiceID][]int)
	for _, i := range pending {
		id := slots.Owner(x.dir(&qs[i]))
		groups[id] = append(groups[id], i)
	}
	var wg sync.WaitGroup
	for id, part := range groups {
		wg.Go(func() { askServer(ctx, r, x, id, qs, part, out) })
	}
	wg.Wait()
}

// askServer puts the questions with the given indices to one server, in calls of at most x.max.
func askServer[Q, A any](ctx context.Context, r *router, x *exchange[Q, A], id holdfast.ServiceID, qs []Q, part []int, out []A) {
	s, err := r.services.NameServer(ctx, id)
	for len(part) > 0 {
		n := min(len(part), x.max)
		var answers []A
		if err == nil {
			answers, err = x.call(ctx, s, pick(qs, part[:n]))
		}
		if err == nil && len(answers) != n {
			err = holdfast.E("volume."+x.name, holdfast.Other, fmt.Errorf("%d answers to %d questions", len(answers), n))
		}
		for j, i := range part[:n] {
			if err != nil {
				x.fail(&out[i], err)
			} else {
				out[i] = answers[j]
			}
		}
		part = part[n:]
	}
}

// pick returns the questions with these ascending indices, without copying if they are all of them.
func pick[Q any](qs []Q, part []int) []Q {
	if part[len(part)-1]-part[0] == len(part)-1 {
		return qs[part[0] : part[len(part)-1]+1]
	}
	picked := make([]Q, len(part))
	for j, i := range part {
		picked[j] = qs[i]
	}
	return picked
}
