package password

import (
	"fmt"
	"sync"
	"time"

	"holdfast"
)

// How many wrong passwords may be tried: so many at once, then one every so often, for each source and for all together. The
// latter bounds what many machines can try, and lets them keep others from joining while they do: a new host is not urgent.
const (
	sourceBurst = 5
	sourceEvery = 12 * time.Second
	totalBurst  = 20
	totalEvery  = 3 * time.Second

	// maxSources bounds how many sources are remembered. Those that have all their tries again are forgotten first; while
	// there are too many others, newcomers have only what all together have.
	maxSources = 1024
)

// Limiter counts tries. Safe for concurrent use.
type Limiter struct {
	now func() time.Time

	mu      sync.Mutex
	total   bucket
	sources map[string]*bucket
}

// NewLimiter returns a limiter by the given clock; nil means time.Now.
func NewLimiter(now func() time.Time) *Limiter {
	if now == nil {
		now = time.Now
	}
	return &Limiter{now: now, total: bucket{burst: totalBurst, every: totalEvery}, sources: map[string]*bucket{}}
}

// Try spends a try of a source; the refund gives it back, once. Overload, with how long to wait, if there is none.
func (l *Limiter) Try(source string) (refund func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	of := l.source(source, now)
	wait := l.total.wait(now)
	if of != nil {
		wait = max(wait, of.wait(now))
	}
	if wait > 0 {
		return nil, holdfast.E("try password", holdfast.Overload, fmt.Errorf("too many tries: wait %v", wait.Round(time.Second)+time.Second))
	}
	l.total.spend(now)
	if of != nil {
		of.spend(now)
	}
	var once sync.Once
	return func() { once.Do(func() { l.refund(of) }) }, nil
}

func (l *Limiter) refund(of *bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total.refund()
	if of != nil {
		of.refund()
	}
}

// source returns the bucket of a source, nil if there are too many.
func (l *Limiter) source(name string, now time.Time) *bucket {
	if b, known := l.sources[name]; known {
		return b
	}
	if len(l.sources) >= maxSources {
		for other, b := range l.sources {
			if b.full(now) {
				delete(l.sources, other)
			}
		}
		if len(l.sources) >= maxSources {
			return nil
		}
	}
	b := &bucket{burst: sourceBurst, every: sourceEvery}
	l.sources[name] = b
	return b
}

// bucket lets burst things happen at once, and one more each time every passes. A try adds to the debt, and time pays it.
type bucket struct {
	burst int
	every time.Duration
	debt  time.Time // when all is paid; the past means full
}

// wait returns how long until the next try; 0 if one is there.
func (b *bucket) wait(now time.Time) time.Duration {
	owed := max(0, b.debt.Sub(now)) // the first debt is the zero time, farther back than a Duration reaches
	return max(0, owed-time.Duration(b.burst-1)*b.every)
}

func (b *bucket) spend(now time.Time) {
	if b.debt.Before(now) {
		b.debt = now
	}
	b.debt = b.debt.Add(b.every)
}

func (b *bucket) refund() { b.debt = b.debt.Add(-b.every) }

func (b *bucket) full(now time.Time) bool { return !b.debt.After(now) }
