package limit

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Quotas of users are looked at before a body is read. What the user's buckets hold is added up at most every heldFor; what this gateway
// lets in counts from then on, while it is under way and after.
//
// The bound: a user may come to hold more than the quota by what other gateways let in within heldFor or have under way, and by bodies
// whose length is not known. Quotas of buckets have no such slack.
const (
	heldFor  = 2 * time.Second
	maxUsers = 10_000 // that are kept, beside those with bodies under way; beyond it any one goes
)

// heldBytes keeps what users hold.
type heldBytes struct {
	mu    sync.Mutex
	users map[string]*userBytes
}

// userBytes is what one user holds. Its turn is held while it is looked at or changed.
type userBytes struct {
	turn     chan struct{} // holds a token while nobody does
	underWay atomic.Int64  // bodies

	// With the turn:
	asked  time.Time
	bytes  int64 // stored when it was asked
	stored int64 // by this gateway since
	coming int64 // of the bodies under way
}

// Place is the room that a body was given. The nil Place is that of a body without a quota.
type Place struct {
	user  *userBytes
	bytes int64
}

// Reserve gives room to n bytes of a user; false if the quota does not have it. End the place with the request. Kinds: those of the
// name servers.
func (l *Limiter) Reserve(ctx context.Context, user string, n int64) (*Place, bool, error) {
	quota, err := l.Quota(ctx, user)
	if err != nil || quota == 0 || n <= 0 {
		return nil, err == nil, err
	}
	u := l.held.user(user)
	defer u.underWay.Add(-1)
	select {
	case <-u.turn:
	case <-ctx.Done():
		return nil, false, holdfast.E("limit.reserve", holdfast.Aborted, ctx.Err())
	}
	defer u.pass()
	if now := l.now(); now.Sub(u.asked) >= heldFor || u.asked.After(now) {
		bytes, err := heldBy(ctx, l.volume, user)
		if err != nil {
			return nil, false, err
		}
		u.asked, u.bytes, u.stored = now, bytes, 0
	}
	if n > quota-u.bytes-u.stored-u.coming {
		return nil, false, nil
	}
	u.coming += n
	u.underWay.Add(1)
	return &Place{u, n}, true, nil
}

func (u *userBytes) pass() { u.turn <- struct{}{} }

// End gives the room back, or tells that the body was stored in it.
func (p *Place) End(stored bool) {
	if p == nil {
		return
	}
	<-p.user.turn // for as long as a sum takes
	defer p.user.pass()
	p.user.coming -= p.bytes
	if stored {
		p.user.stored += p.bytes
	}
	p.user.underWay.Add(-1)
}

// user returns what is kept of a user, as one that has something under way.
func (h *heldBytes) user(id string) *userBytes {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[id]
	if u == nil {
		if h.users == nil {
			h.users = make(map[string]*userBytes)
		}
		if len(h.users) >= maxUsers {
			h.dropIdleLocked()
		}
		u = &userBytes{turn: make(chan struct{}, 1)}
		u.pass()
		h.users[id] = u
	}
	u.underWay.Add(1)
	return u
}

// dropIdleLocked forgets a user that has nothing under way, if there is one.
func (h *heldBytes) dropIdleLocked() {
	for id, u := range h.users {
		if u.underWay.Load() == 0 {
			delete(h.users, id)
			return
		}
	}
}

// heldBy adds up what the buckets of a user hold.
func heldBy(ctx context.Context, v *volume.Volume, user string) (total int64, err error) {
	opts := volume.BucketsOptions{Owner: user, Limit: 1000}
	for {
		page, err := v.Buckets(ctx, opts)
		if err != nil {
			return 0, err
		}
		for _, b := range page.Buckets {
			u, err := v.Usage(ctx, b.Name)
			if holdfast.Is(err, holdfast.NotFound) {
				continue
			}
			if err != nil {
				return 0, err
			}
			total += u.Bytes + u.UploadBytes
			opts.After = b.Name
		}
		if !page.More || len(page.Buckets) == 0 {
			return total, nil
		}
	}
}
