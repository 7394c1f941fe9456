package limit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"holdfast"
	"holdfast/volume"
)

// pollEvery is how often a gateway looks whether another changed a rule.
const pollEvery = time.Second

// Options configure a [Limiter]. Volume is required.
type Options struct {
	Volume *volume.Volume
	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: time.Now
}

// Limiter holds one gateway to the rules. Close it. Safe for concurrent use.
type Limiter struct {
	volume *volume.Volume
	log    *slog.Logger
	now    func() time.Time
	table  atomic.Pointer[table] // nil while there are no rules: the fast path

	mu    sync.Mutex // of loading
	last  *table
	epoch uint64 // of the service bucket, as of last

	held heldBytes

	stop    context.CancelFunc
	polling sync.WaitGroup
}

// Open starts a limiter. It does no I/O: until the rules were read for the first time, which is tried at once in the background, there
// are none.
func Open(o Options) *Limiter {
	l := &Limiter{volume: o.Volume, log: o.Logger, now: o.Now}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.now == nil {
		l.now = time.Now
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
	b, err := l.volume.Bucket(ctx, volume.ServiceBucketName)
	if holdfast.Is(err, holdfast.NotFound) {
		return nil // nothing was ever set
	}
	if err != nil || b.Info().Epoch == l.epoch {
		return err
	}
	t, err := load(ctx, l.volume, l.last, l.log)
	if err != nil {
		return err
	}
	l.last, l.epoch = t, b.Info().Epoch
	if len(t.rules) == 0 {
		t = nil
	}
	l.table.Store(t)
	return nil
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
	// The new epoch tells the others.
	if _, err := l.volume.UpdateBucket(ctx, volume.ServiceBucketName, volume.BucketChange{}); err != nil {
		return err
	}
	return l.refresh(ctx)
}

// Quota returns the quota of a user: the user's own or the default; 0 if there is none.
func (l *Limiter) Quota(user string) int64 {
	t := l.table.Load()
	if t == nil {
		return 0
	}
	if q := t.rules[User(user)].Quota; q != 0 {
		return q
	}
	return t.rules[DefaultUser()].Quota
}

// NewBucketQuota returns the quota that a new bucket gets; 0 for none.
func (l *Limiter) NewBucketQuota() int64 {
	t := l.table.Load()
	if t == nil {
		return 0
	}
	return t.rules[DefaultBucket()].Quota
}

// Allow counts one operation of a user ("" for nobody) on a bucket ("" for none) and tells whether it may go on. Kinds: those of the name
// servers, if what is left could not be asked for.
func (l *Limiter) Allow(ctx context.Context, user, bucket string, c Class) (bool, error) {
	t := l.table.Load()
	if t == nil {
		return true, nil
	}
	for _, s := range [...]Subject{User(user), Bucket(bucket)} {
		if s.name == "" {
			continue
		}
		a := t.account(accountKey{s, c})
		if a == nil {
			continue
		}
		if ok, err := a.spend(ctx, volumeRecords{l.volume}, l.now(), opCost); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// volumeRecords are the records of a volume.
type volumeRecords struct{ *volume.Volume }

// ReadRecord implements records.
func (v volumeRecords) ReadRecord(ctx context.Context, key string) (string, holdfast.ETag, error) {
	r, err := v.Volume.ReadRecord(ctx, key)
	return r.Value, r.Tag, err
}

// WriteRecord implements records.
func (v volumeRecords) WriteRecord(ctx context.Context, key, value string, was holdfast.ETag) error {
	_, err := v.Volume.WriteRecord(ctx, key, value, was)
	return err
}
