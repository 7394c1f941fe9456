package limit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/volume"
)

const (
	pollEvery   = time.Second     // how often a gateway looks whether another changed a rule
	rereadEvery = 5 * time.Minute // how often it reads the rules all the same: who changed one may have died before telling
)

// Options configure a [Limiter]. Volume is required.
type Options struct {
	Volume     *volume.Volume
	Registerer prometheus.Registerer // nil: metrics are kept and not shown
	Logger     *slog.Logger          // nil: nothing is logged
	Now        func() time.Time      // nil: time.Now
}

// Limiter holds one gateway to the rules. Close it. Safe for concurrent use.
type Limiter struct {
	volume *volume.Volume
	log    *slog.Logger
	now    func() time.Time
	table  atomic.Pointer[table] // nil until the rules were read
	ledger ledgers

	mu    sync.Mutex // of reading the rules; table is stored with it held
	epoch uint64     // of the service bucket, as of the table
	read  time.Time  // when they were read

	held     heldBytes
	subjects prometheus.Gauge

	stop    context.CancelFunc
	polling sync.WaitGroup
}

// Open starts a limiter. It does no I/O: the rules are read in the background, or by the first who asks.
func Open(o Options) *Limiter {
	l := &Limiter{volume: o.Volume, log: o.Logger, now: o.Now, subjects: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "holdfast_gw_limit_subjects", Help: "Users and buckets that have limits or quotas, defaults included, as this gateway knows them."})}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.ledger = newLedgers(o.Volume, l.log)
	if o.Registerer != nil {
		o.Registerer.MustRegister(l.subjects, l.ledger.taken, l.ledger.resets)
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.polling.Go(func() { l.poll(ctx) })
	return l
}

// Close ends the background work and waits for it.
func (l *Limiter) Close() {
	l.stop()
	l.polling.Wait()
}

func (l *Limiter) poll(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing := false
	for {
		err := l.refresh(ctx)
		if bad := err != nil && ctx.Err() == nil; bad != failing {
			if failing = bad; bad {
				l.log.LogAttrs(ctx, slog.LevelWarn, "limits cannot be read, those known stay in force", slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// refresh reads the rules if the service bucket changed.
func (l *Limiter) refresh(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refreshLocked(ctx)
}

func (l *Limiter) refreshLocked(ctx context.Context) error {
	before := l.table.Load()
	b, err := l.volume.Bucket(ctx, volume.ServiceBucketName)
	if holdfast.Is(err, holdfast.NotFound) { // nothing was ever set
		if before == nil {
			l.table.Store(&table{})
		}
		return nil
	}
	if err != nil || before != nil && b.Info().Epoch == l.epoch && time.Since(l.read) < rereadEvery {
		return err
	}
	t, err := load(ctx, l.volume, before)
	if err != nil {
		return err
	}
	l.epoch, l.read = b.Info().Epoch, time.Now()
	l.table.Store(t)
	l.subjects.Set(float64(len(t.rules)))
	l.log.LogAttrs(ctx, slog.LevelDebug, "limits read", slog.Int("subjects", len(t.rules)))
	return nil
}

// current returns the rules in force; the first caller reads them, so that none is overlooked after a start.
func (l *Limiter) current(ctx context.Context) (*table, error) {
	if t := l.table.Load(); t != nil {
		return t, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.table.Load(); t != nil {
		return t, nil
	}
	if err := l.refreshLocked(ctx); err != nil {
		return nil, err
	}
	return l.table.Load(), nil
}

// Rules returns what is set for a subject, as it is stored.
func (l *Limiter) Rules(ctx context.Context, s Subject) (Rules, error) {
	r, err := l.volume.ReadRecord(ctx, s.key())
	if err != nil || r.Tag.IsZero() {
		return Rules{}, err
	}
	rules, err := decode(r.Value)
	if err != nil {
		return Rules{}, &holdfast.Error{Op: "limit.rules", Kind: holdfast.Corrupt, ID: s.key(), Err: err}
	}
	return rules, nil
}

// Change sets what edit makes of a subject's rules. When it returns, this gateway goes by them; others do a second later. Kinds:
// Invalid, TooLarge when there are MaxSubjects subjects, Conflict when others change them all the time.
func (l *Limiter) Change(ctx context.Context, s Subject, edit func(*Rules)) error {
	for range maxTries {
		r, err := l.volume.ReadRecord(ctx, s.key())
		if err != nil {
			return err
		}
		var rules Rules
		if !r.Tag.IsZero() {
			if rules, err = decode(r.Value); err != nil {
				rules = Rules{} // replaced
			}
		}
		edit(&rules)
		if err := rules.Validate(); err != nil {
			return holdfast.E("limit.change", holdfast.Invalid, err)
		}
		err = l.write(ctx, s, rules, r.Tag)
		if !holdfast.Is(err, holdfast.Precondition) {
			return err
		}
	}
	return holdfast.E("limit.change", holdfast.Conflict, nil)
}

func (l *Limiter) write(ctx context.Context, s Subject, rules Rules, was holdfast.ETag) error {
	var err error
	switch t := l.table.Load(); {
	case rules.IsZero() && was.IsZero():
		return nil
	case rules.IsZero():
		err = l.volume.DropRecord(ctx, s.key(), was)
	case was.IsZero() && t != nil && len(t.rules) >= MaxSubjects:
		err = holdfast.E("limit.change", holdfast.TooLarge, nil)
	default:
		_, err = l.volume.WriteRecord(ctx, s.key(), rules.encode(), was)
	}
	if err != nil {
		return err
	}
	if rules.IsZero() {
		l.ledger.forget(ctx, s)
	}
	// The new epoch tells the others.
	if _, err := l.volume.UpdateBucket(ctx, volume.ServiceBucketName, volume.BucketChange{}); err != nil {
		return err
	}
	return l.refresh(ctx)
}

// Quota returns the quota of a user: the user's own or the default; 0 if there is none. Kinds: those of the name servers.
func (l *Limiter) Quota(ctx context.Context, user string) (int64, error) {
	t, err := l.current(ctx)
	if err != nil {
		return 0, err
	}
	if q := t.quota(User(user)); q != 0 {
		return q, nil
	}
	return t.quota(DefaultUser()), nil
}

// NewBucketQuota returns the quota that a new bucket gets; 0 for none. Kinds: those of the name servers.
func (l *Limiter) NewBucketQuota(ctx context.Context) (int64, error) {
	t, err := l.current(ctx)
	if err != nil {
		return 0, err
	}
	return t.quota(DefaultBucket()), nil
}

// Allow counts one operation of a user ("" for nobody) on a bucket ("" for none) and tells whether it may go on. One that the bucket's
// limit refuses does not count for the user. Kinds: those of the name servers, if what is left could not be asked for.
func (l *Limiter) Allow(ctx context.Context, user, bucket string, c Class) (bool, error) {
	t, err := l.current(ctx)
	if err != nil || len(t.rules) == 0 {
		return err == nil, err
	}
	of, on := t.account(User(user), c), t.account(Bucket(bucket), c)
	if of == nil && on == nil {
		return true, nil
	}
	now := l.now()
	if of != nil {
		if ok, err := of.spend(ctx, &l.ledger, now, opCost); !ok || err != nil {
			return false, err
		}
	}
	if on == nil {
		return true, nil
	}
	ok, err := on.spend(ctx, &l.ledger, now, opCost)
	if of != nil && (!ok || err != nil) {
		of.giveBack(now, opCost)
	}
	return ok && err == nil, err
}
