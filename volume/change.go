package volume

import (
	"context"
	"errors"

	"holdfast"
)

// change is one commit in the directory of a key: it resolves the path, makes directories that are missing, applies the
// operations, and does so again while others change the tree under it.
type change struct {
	op     string
	key    string
	create bool          // make missing directories; else the change fails without them
	absent holdfast.Kind // how it fails then

	// ops returns the operations to apply at a place, all of them on the name server of its directory. It is called for
	// each attempt, and is where bytes are stored, since their home must be where the directory is.
	ops func(context.Context, place) ([]holdfast.Op, error)
	// doomed is called when the bytes were given up before the commit came; nil lets the change try again.
	doomed func(error) error
	// grows tells by how many bytes the change makes the bucket larger, if it does; it is asked after a share of the bucket's quota was
	// found too small.
	grows func(context.Context) (int64, error)

	dir    holdfast.DirID // of the last attempt
	rooms  int            // how often room was made for it
	unsure bool           // an attempt ended without telling whether it took effect: what it linked may be committed
}

// place is where a change takes effect.
type place struct {
	dir    holdfast.DirID
	bucket *holdfast.BucketInfo
}

// check returns the condition that the bucket's record is still the one of the place.
func (p place) check() holdfast.BucketCheck {
	_, quota := p.bucket.Settings[quotaSetting]
	return holdfast.BucketCheck{Root: p.bucket.Root, Epoch: p.bucket.Epoch, Quota: quota}
}

// maxRaces bounds how often a change starts over because others changed the tree; each time one of them got its change done.
const maxRaces = 64

// apply runs the change to its end and returns the replies to its operations. The error is Unknown if an attempt may have taken
// effect and no later one could tell.
func (b *Bucket) apply(ctx context.Context, c *change) ([]holdfast.Reply, error) {
	replies, err := b.attempts(ctx, c)
	if c.unsure && tellsNothing(err) {
		err = holdfast.E("volume.commit", holdfast.Unknown, err)
	}
	return replies, err
}

func (b *Bucket) attempts(ctx context.Context, c *change) ([]holdfast.Reply, error) {
	var pace pacer
	for races := 0; ; races++ {
		replies, err := b.attempt(ctx, c)
		if err == nil {
			return replies, nil
		}
		if final, ok := errors.AsType[permanent](err); ok {
			return nil, final.err
		}
		if pace.again(ctx, b.vol.router, err) {
			races = -1
			continue
		}
		if races >= maxRaces || ctx.Err() != nil {
			return nil, err
		}
		if b, err = b.settleRace(ctx, c, err); err != nil {
			return nil, err
		}
	}
}

// settleRace does what an attempt's error asks for before the next attempt, and returns the bucket to make it with. It
// returns an error if there shall be none.
func (b *Bucket) settleRace(ctx context.Context, c *change, err error) (*Bucket, error) {
	switch holdfast.KindOf(err) {
	case holdfast.Exists:
		b.vol.metrics.lost.Inc() // another request made the directory: resolving finds it
		return b, nil
	case holdfast.DirGone:
		return b, b.repair(ctx, c.key)
	case holdfast.Conflict:
		return b.reload(ctx)
	case holdfast.QuotaExceeded:
		return b, b.makeRoomFor(ctx, c, err)
	case holdfast.Doomed:
		if c.doomed != nil {
			return b, c.doomed(err)
		}
	}
	return nil, err
}

// attempt resolves the path and applies the change once.
func (b *Bucket) attempt(ctx context.Context, c *change) ([]holdfast.Reply, error) {
	qs := [1]question{newQuestion(c.key, holdfast.Lookup{})}
	b.resolve(ctx, qs[:])
	q := &qs[0]
	if err := q.answer.Err; err != nil && !holdfast.Is(err, holdfast.NotFound) {
		return nil, err
	}
	if !q.located() && !c.create {
		return nil, fail(c.op, c.absent, c.key)
	}
	p, err := b.planPath(q)
	if err != nil {
		return nil, err
	}
	c.dir = p.target
	ops, err := c.ops(ctx, place{dir: p.target, bucket: b.info})
	if err != nil {
		return nil, permanent{err}
	}
	replies, err := b.run(ctx, p, ops, noteOf(ctx, b.info, c.key))
	switch {
	case err == nil:
		b.remember(p)
	case indefinite(err):
		c.unsure = true
	}
	return replies, err
}

// permanent hides the kind of an error from the retry logic of a change: what ops returns was retried already, or is the body's own
// error.
type permanent struct{ err error }

func (p permanent) Error() string { return p.err.Error() }
