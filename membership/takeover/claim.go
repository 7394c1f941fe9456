package takeover

import (
	"context"
	"fmt"

	"holdfast"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/lease"
	"holdfast/storage"
)

// maxClaimTries bounds how often a stale listing of the claims may send the claimant to a number that is taken.
const maxClaimTries = 10

// claim takes the next epoch by exclusive creation. Above the epoch permitted it asks for permission again. dead is the heartbeat by
// which the holder was found dead, if it was; so is what is returned.
func (c *Claimant) claim(ctx context.Context, dir layout.Service, permitted holdfast.Epoch, dead layout.Heartbeat, force bool) (layout.Claim, layout.Heartbeat, error) {
	for range maxClaimTries {
		top, err := c.top(dir)
		if err != nil {
			return layout.Claim{}, dead, err
		}
		if !force && top != permitted {
			if dead, err = c.permit(ctx, dir, top); err != nil {
				return layout.Claim{}, dead, err
			}
		}
		mine := layout.Claim{
			Epoch: top + 1, Host: c.Host, Number: c.Incarnation.Number, Incarnation: c.Incarnation.ID,
			Nonce: storage.NewNonce(),
		}
		won, found, err := storage.CreateExclusive(c.FS, dir.Claims(), layout.ClaimName(mine.Epoch), mine.Encode())
		switch won {
		case storage.Won:
			return mine, dead, nil
		case storage.Unsure: // should it land later, the next takeover voids it
			return layout.Claim{}, dead, err
		}
		theirs, err := layout.ParseClaim(found)
		if err != nil {
			return layout.Claim{}, dead, err
		}
		if theirs.Incarnation != c.Incarnation.ID && !c.provenGone(theirs) {
			return layout.Claim{}, dead, holdfast.E("claim", holdfast.Conflict,
				fmt.Errorf("epoch %d was claimed by host %s", theirs.Epoch, theirs.Host))
		}
	}
	return layout.Claim{}, dead, holdfast.E("claim", holdfast.Unavailable, fmt.Errorf("the listing of %s is stale", dir.Claims()))
}

// top returns the highest claimed epoch that a listing shows; 0 for none.
func (c *Claimant) top(dir layout.Service) (holdfast.Epoch, error) {
	claims, err := layout.ListClaims(c.FS, dir)
	if err != nil || len(claims) == 0 {
		return 0, err
	}
	return claims[len(claims)-1], nil
}

// permit waits until it makes sense to claim: the one who holds the service, or is taking it, must have released it or
// be gone, or its lease must have ended; then its last heartbeat is returned. It returns Unavailable if that one is alive. This is
// about not disturbing a healthy owner; nothing of what follows relies on it.
func (c *Claimant) permit(ctx context.Context, dir layout.Service, top holdfast.Epoch) (dead layout.Heartbeat, err error) {
	holder, found, err := c.holder(dir, top)
	if err != nil || !found || holder.Host == c.Host { // an earlier process of this host is to stop, wherever it is
		return layout.Heartbeat{}, err
	}
	verdict, beat, err := c.watch(ctx, holder.Host)
	switch {
	case err != nil:
		return layout.Heartbeat{}, err
	case verdict == lease.Dead:
		return beat, nil
	case verdict != lease.Alive || beat.Number > holder.Number:
		return layout.Heartbeat{}, nil
	}
	return layout.Heartbeat{}, holdfast.E("claim", holdfast.Unavailable,
		fmt.Errorf("host %s is alive and has epoch %d", holder.Host, holder.Epoch))
}

// outlast waits until the owner of the epoch past, which is fenced, does not answer reads from it any more: until then a write that
// the new epoch acknowledges could be missing from an answer of the old one (rule R2).
func (c *Claimant) outlast(ctx context.Context, dir layout.Service, past holdfast.Epoch, dead layout.Heartbeat) error {
	owner, err := c.readClaim(dir, past)
	if err != nil {
		return err
	}
	// In this very process it was given up before it is taken again.
	if owner.Incarnation == c.Incarnation.ID || c.provenGone(owner) || c.isDrained(dir, past) {
		return nil
	}
	return heartbeat.Outlast(ctx, c.FS, c.Root, owner.Host, owner.Number, dead, c.T, c.Clock)
}

func (c *Claimant) watch(ctx context.Context, host holdfast.HostID) (lease.Verdict, layout.Heartbeat, error) {
	if c.Watch != nil {
		return c.Watch(ctx, host)
	}
	return heartbeat.Watch(ctx, c.FS, c.Root, host, c.T, c.Clock)
}

// holder returns the claim of the epoch that is open, or about to be, and not released: the highest that is not void.
func (c *Claimant) holder(dir layout.Service, top holdfast.Epoch) (claim layout.Claim, found bool, err error) {
	for e := top; e > 0; e-- {
		outcome, decided, err := c.outcome(dir, e)
		if err != nil {
			return layout.Claim{}, false, err
		}
		if decided && !outcome.Open {
			continue
		}
		if decided && c.isDrained(dir, e) {
			return layout.Claim{}, false, nil
		}
		claim, err := c.readClaim(dir, e)
		return claim, err == nil, err
	}
	return layout.Claim{}, false, nil
}

func (c *Claimant) readClaim(dir layout.Service, e holdfast.Epoch) (layout.Claim, error) {
	b, err := storage.ReadFile(c.FS, c.FS.PathJoin(dir.Claims(), layout.ClaimName(e)), layout.MaxFile)
	if err != nil {
		return layout.Claim{}, err
	}
	return layout.ParseClaim(b)
}

// provenGone reports whether the process that made a claim cannot issue a call any more: it held the machine-wide lock that
// this process holds now, on this boot; or it ran on another boot of a machine whose own disk the storage is.
func (c *Claimant) provenGone(claim layout.Claim) bool {
	me := c.Incarnation
	if claim.Host != c.Host || claim.Incarnation == me.ID {
		return false
	}
	path := c.FS.PathJoin(c.Root.Host(claim.Host), layout.IncarnationName(claim.Number))
	b, err := storage.ReadFile(c.FS, path, layout.MaxFile)
	if err != nil {
		return false
	}
	theirs, err := layout.ParseIncarnation(b)
	if err != nil || theirs.ID != claim.Incarnation || me.Boot == "" || theirs.Boot == "" {
		return false
	}
	if theirs.Boot != me.Boot {
		return c.LocalDisk
	}
	return me.Lock != "" && theirs.Lock == me.Lock
}
