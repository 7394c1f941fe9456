package volume

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"holdfast"
)

// The bounds of a turn at one name server: so many unfinished operations in a page, and so many pages.
const (
	intentsOnce = 256
	intentPages = 16
)

// watchIntents completes or undoes what requests left unfinished, on all name servers, until ctx ends. Several
// processes may do so at once: every step is conditional on ids.
func (v *Volume) watchIntents(ctx context.Context) {
	ticker := time.NewTicker(v.opts.IntentEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, id := range v.router.services.SlotMap().Servers() {
			v.finishIntents(ctx, id)
		}
	}
}

// finishIntents takes one turn at a name server. A server that does not answer has its next turn.
func (v *Volume) finishIntents(ctx context.Context, id holdfast.ServiceID) {
	s, err := v.router.services.NameServer(ctx, id)
	if err != nil {
		return
	}
	var after holdfast.IntentID
	for range intentPages {
		intents, err := s.Intents(ctx, after, v.opts.IntentAge, intentsOnce)
		if err != nil {
			return
		}
		for _, in := range intents {
			outcome, err := v.finishIntent(ctx, in)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				outcome = "postponed"
				v.opts.Logger.Warn("unfinished operation postponed", "service", id.String(), "dir", in.Dir.String(), "err", err)
			}
			v.metrics.intents.WithLabelValues(outcome).Inc()
			after = in.ID
		}
		if len(intents) < intentsOnce {
			return
		}
	}
}

// finishIntent completes or undoes one operation and says which.
func (v *Volume) finishIntent(ctx context.Context, in holdfast.Intent) (outcome string, err error) {
	switch in.Kind {
	case holdfast.IntentLinkDir:
		linked, err := v.isLinked(ctx, in)
		if err != nil {
			return "", err
		}
		if !linked && in.Parent == holdfast.VolumeRoot {
			linked, err = v.bar(ctx, in)
			if err != nil {
				return "", err
			}
		}
		if linked {
			return "linked", v.dropIntent(ctx, in)
		}
		err = v.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{holdfast.SealDir{Dir: in.Dir}}}})[0].Err
		switch {
		case holdfast.Is(err, holdfast.NotEmpty): // it was linked just now, or elsewhere, and is in use
			return "linked", v.dropIntent(ctx, in)
		case err != nil && !holdfast.Is(err, holdfast.DirGone):
			return "", err
		}
	case holdfast.IntentUnlinkDir:
	default:
		return "unknown", nil // of a newer release, which sees to it
	}
	// A link that comes late still leads to the sealed directory: whoever meets it removes it.
	if err := v.removeSealed(ctx, in.Parent, in.Name, in.Dir); err != nil {
		return "", err
	}
	return "removed", v.dropIntent(ctx, in)
}

// bar keeps a bucket's root from being linked while it is sealed, or reports that it was linked by now. A directory in a bucket
// needs no such thing: a put that finds it sealed after linking it starts over, but a bucket is acknowledged once it is linked,
// and an empty root can be sealed.
//
// The bar is a link under the bucket's name to a directory that never was. The creator that meets it takes it for what a deleted
// bucket left, removes it and makes another root; so does the next turn, if this one breaks off.
func (v *Volume) bar(ctx context.Context, in holdfast.Intent) (linked bool, err error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return false, wrap("bar", in.Name, err)
	}
	never := holdfast.NewDirID(in.Dir.Slot(), random)
	link := holdfast.LinkDir{Parent: in.Parent, Name: in.Name, Child: never, Exclusive: true}
	for range maxRaces {
		err = v.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{link}}})[0].Err
		if err == nil {
			return false, v.sealBarred(ctx, in, never)
		}
		if holdfast.Is(err, holdfast.DirGone) { // root and link are on one server by now, which links nothing sealed
			return false, nil
		}
		if !holdfast.Is(err, holdfast.Exists) {
			return false, err
		}
		linked, err := v.isLinked(ctx, in)
		if linked || err != nil {
			return linked, err
		}
		if _, err := v.loadBucket(ctx, strings.TrimSuffix(in.Name, "/")); err == nil {
			return false, nil // another bucket has the name, and is as good a bar
		} else if !holdfast.Is(err, holdfast.NotFound) {
			return false, err
		}
		if err := v.unlinkSealedBucket(ctx, strings.TrimSuffix(in.Name, "/")); err != nil {
			return false, err
		}
	}
	return false, fail("bar", holdfast.Conflict, in.Name)
}

// sealBarred seals the root behind a bar and takes the bar away.
func (v *Volume) sealBarred(ctx context.Context, in holdfast.Intent, bar holdfast.DirID) error {
	err := v.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{holdfast.SealDir{Dir: in.Dir}}}})[0].Err
	if err != nil && !holdfast.Is(err, holdfast.DirGone) && !holdfast.Is(err, holdfast.NotEmpty) {
		return err
	}
	return v.removeSealed(ctx, in.Parent, in.Name, bar)
}

// isLinked reports whether the directory of an intent is where it was to be linked.
func (v *Volume) isLinked(ctx context.Context, in holdfast.Intent) (bool, error) {
	ask := holdfast.Lookup{Dir: in.Parent, Path: []string{in.Name}, Want: holdfast.WantDir}
	a := v.router.lookup(ctx, []holdfast.Lookup{ask})[0]
	if len(a.Dirs) > 0 {
		return a.Dirs[0] == in.Dir, nil
	}
	if holdfast.Is(a.Err, holdfast.NotFound) || holdfast.Is(a.Err, holdfast.DirGone) {
		return false, nil
	}
	return false, a.Err
}

func (v *Volume) dropIntent(ctx context.Context, in holdfast.Intent) error {
	drop := holdfast.DropIntent{Dir: in.Dir, ID: in.ID}
	return v.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{drop}}})[0].Err
}
