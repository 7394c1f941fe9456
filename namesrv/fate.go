package namesrv

import (
	"context"
	"fmt"

	"holdfast"
	"holdfast/namesrv/schema"
)

// fate returns the fate record of an object; Fate is FatePending if there is none.
func (g *group) fate(home holdfast.Slot, os holdfast.ServiceID, o holdfast.ObjectID) (f schema.Fate, err error) {
	g.key = schema.FateKey(g.key[:0], home, os, o)
	v, ok, err := g.get(g.key)
	if err != nil || !ok {
		return f, err
	}
	if err := schema.DecodeFate(&f, v); err != nil {
		return f, corrupt("fate", g.key, err)
	}
	return f, nil
}

func (g *group) setFate(home holdfast.Slot, os holdfast.ServiceID, o holdfast.ObjectID, f *schema.Fate) {
	g.key = schema.FateKey(g.key[:0], home, os, o)
	g.set(g.key, g.owned(schema.AppendFate(g.own(), f)))
}

// claimable checks that the links of a content may be committed. If the first was committed by this owner before, done is
// true, and fate tells whether the version of then was removed since.
func (g *group) claimable(c holdfast.Content, owner uint64) (done bool, fate *schema.Fate, err error) {
	first := true
	for l := range c.Links {
		if l.Home >= holdfast.Slots || !g.c.e.slots[l.Home] {
			return false, nil, &holdfast.Error{Op: "namesrv.apply", Kind: holdfast.NotOwner, ID: fmt.Sprintf("home slot %d", l.Home)}
		}
		f, err := g.fate(l.Home, l.OS, l.Object)
		switch {
		case err != nil:
			return false, nil, err
		case f.Fate == holdfast.FateDoomed && first && f.Owner == owner:
			return true, &f, nil
		case f.Fate == holdfast.FateDoomed:
			return false, nil, fail(holdfast.Doomed, l.Object.String())
		case f.Fate == holdfast.FateCommitted && first && (f.Settled || f.Owner == owner):
			return true, &f, nil
		case f.Fate == holdfast.FateCommitted:
			return false, nil, invalid("a link is committed by another name")
		}
		first = false
	}
	return false, nil, nil
}

// claim records the links of a content as committed.
func (g *group) claim(c holdfast.Content, f *schema.Fate) {
	f.Fate = holdfast.FateCommitted
	for l := range c.Links {
		g.setFate(l.Home, l.OS, l.Object, f)
	}
}

// discard dooms the links of a content and queues their objects to be freed: the durable fate of rule R5. Rows of one table
// may share an object. Owner and version are remembered with the fate, for a commit that comes a second time.
func (g *group) discard(c holdfast.Content, owner uint64, v holdfast.VersionID) {
	var seen map[holdfast.Link]bool
	if len(c.Parts) > 1 {
		seen = make(map[holdfast.Link]bool, len(c.Parts))
	}
	f := schema.Fate{Fate: holdfast.FateDoomed, At: g.now, Owner: owner, Version: v}
	for l := range c.Links {
		if seen != nil {
			id := holdfast.Link{OS: l.OS, Object: l.Object}
			if seen[id] {
				continue
			}
			seen[id] = true
		}
		g.setFate(l.Home, l.OS, l.Object, &f)
		g.garbage = append(g.garbage, garbage{l.OS, l.Home, l.Object, g.tick()})
		g.state.Garbage++
	}
}

// Settle implements [holdfast.NameService]. A committed fate is kept in a short form after it was told: if the reply is
// lost, the object server asks again, and must not be told that nobody committed. It also lets an index of objects be rebuilt.
func (e *Engine) Settle(ctx context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	if len(objects) > holdfast.MaxObjectIDs {
		return nil, holdfast.E("namesrv.settle", holdfast.TooLarge, fmt.Errorf("%d objects", len(objects)))
	}
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	fates := make([]holdfast.Fate, len(objects))
	j := &job{ops: len(objects), change: func(g *group) error { return g.settle(os, objects, fates) }}
	if err := e.submit(ctx, j); err != nil {
		return nil, err
	}
	return fates, nil
}

func (g *group) settle(os holdfast.ServiceID, objects []holdfast.GuardedObject, fates []holdfast.Fate) error {
	for i, o := range objects {
		if o.Home >= holdfast.Slots || !g.c.e.slots[o.Home] {
			return &holdfast.Error{Op: "namesrv.settle", Kind: holdfast.NotOwner, ID: fmt.Sprintf("home slot %d", o.Home)}
		}
		f, err := g.fate(o.Home, os, o.Object)
		if err != nil {
			return err
		}
		switch {
		case f.Fate == holdfast.FatePending:
			f = schema.Fate{Fate: holdfast.FateDoomed, At: g.now}
			g.setFate(o.Home, os, o.Object, &f)
		case f.Fate == holdfast.FateCommitted && !f.Settled:
			g.setFate(o.Home, os, o.Object, &schema.Fate{Fate: holdfast.FateCommitted, Settled: true})
		}
		fates[i] = f.Fate
	}
	return nil
}
