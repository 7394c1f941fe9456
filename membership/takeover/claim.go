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

// claim takes the next epoch by exclusive creation. Above the epoch permitted it asks for permission again.
func (c *Claimant) claim(ctx context.Context, dir layout.Service, permitted holdfast.Epoch, force bool) (layout.Claim, error) {
	for range maxClaimTries {
		top, err := c.top(dir)
		if err != nil {
			return layout.Claim{}, err
		}
		if !force && top != permitted {
			if err := c.permit(ctx, dir, top); err != nil {
				return layout.Claim{}, err
			}
		}
		mine := layout.Claim{
			Epoch: top + 1, Host: c.Host, Number: c.Incarnation.Number, Incarnation: c.Incarnation.ID,
			Nonce: storage.NewNonce(),
		}
		won, found, err := storage.CreateExclusive(c.FS, dir.Claims(), layout.ClaimName(mine.Epoch), mine.Encode())
		switch won {
		case storage.Won:
			return mine, nil
		case storage.Unsure: // should it land later, the next takeover voids it
			return layout.Claim{}, err
		}
		theirs, err := layout.ParseClaim(found)
		if err != nil {
			return layout.Claim{}, err
		}
		if theirs.Incarnation != c.Incarnation.ID && !c.provenGone(theirs) {
			return layout.Claim{}, holdfast.E("claim", holdfast.Conflict,
				fmt.Errorf("epoch %d was claimed by host %s", theirs.Epoch, theirs.Host))
		}
	}
	return layout.Claim{}, holdfast.E("claim", holdfast.Unavailable, fmt.Errorf("the listing of %s is stale", dir.Claims()))
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
// be gone, or its lease must have ended. It returns Unavailable if that one is alive. This is about not disturbing a
// healthy owner; nothing of what follows relies on it.
func (c *Claimant) permit(ctx context.Context, dir layout.Service, top holdfast.Epoch) error {
	holder, found, err := c.holder(dir, top)
	if err != nil || !found {
		return err
	}
	if c.provenGone(holder) || holder.Incarnation == c.Incarnation.ID {
		return nil
	}
	if holder.Host == c.Host {
		// An earlier process of this host, perhaps in another container. Our heartbeat has replaced its own, and tells it to
		// stop the next time it wants to beat.
		return c.waitT(ctx)
	}
	verdict, beat, err := c.watch(ctx, holder.Host)
	if err != nil || verdict != lease.Alive || beat.Number > holder.Number {
		return err
	}
	return holdfast.E("claim", holdfast.Unavailable,
		fmt.Errorf("host %s is alive and has epoch %d", holder.Host, holder.Epoch))
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

func (c *Claimant) waitT(ctx context.Context) error {
	clock := c.Clock
	if clock == nil {
		clock = heartbeat.SystemClock()
	}
	fired, stop := clock.Timer(c.T * 6 / 5)
	defer stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-fired:
		return nil
	}
}
