package limit

import (
	"context"
	"sync"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Quotas of users are looked at before a body is read. What the user's buckets hold is added up at most every heldFor, and what
// this gateway let in since is added to it.
//
// The bound: a user may come to hold more than the quota by what other gateways let in within heldFor, and by bodies whose length is not
// known. Quotas of buckets have no such slack.
const (
	heldFor  = 2 * time.Second
	maxUsers = 10_000 // that are kept; beyond it any one goes
)

// heldBytes keeps what users hold.
type heldBytes struct {
	mu    sync.Mutex
	users map[string]*userBytes
}

type userBytes struct {
	mu    sync.Mutex
	asked time.Time
	bytes int64
}

// MayHold tells whether a user may have n bytes more, and counts them if so.
func (l *Limiter) MayHold(ctx context.Context, user string, n int64) (bool, error) {
	quota := l.Quota(user)
	if quota == 0 || n <= 0 {
		return true, nil
	}
	u := l.held.user(user)
	u.mu.Lock()
	defer u.mu.Unlock()
	if now := l.now(); now.Sub(u.asked) >= heldFor || u.asked.After(now) {
		bytes, err := heldBy(ctx, l.volume, user)
		if err != nil {
			return false, err
		}
		u.asked, u.bytes = now, bytes
	}
	if n > quota-u.bytes {
		return false, nil
	}
	u.bytes += n
	return true, nil
}

func (h *heldBytes) user(id string) *userBytes {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[id]
	if u == nil {
		if h.users == nil {
			h.users = map[string]*userBytes{}
		}
		if len(h.users) >= maxUsers {
			for other := range h.users {
				delete(h.users, other)
				break
			}
		}
		u = &userBytes{}
		h.users[id] = u
	}
	return u
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
