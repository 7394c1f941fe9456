package fsck

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"holdfast"
)

// suspect is an object that may be a finding, until the second look has shown who holds it.
type suspect struct {
	lost   bool                // no name was seen to link to it
	shared bool                // it was seen twice
	rotten string              // why, if its bytes do not verify
	info   holdfast.ObjectInfo // of a lost one

	holders []holder // of different names, found by the second walk; at most enough for the finding
}

// enough is how many holders decide about the suspect.
func (s *suspect) enough() int {
	if s.shared {
		return 2
	}
	return 1
}

// suspect takes in a suspicion, as long as there is room.
func (c *checker) suspect(key objectKey, set func(*suspect)) {
	s := c.suspects[key]
	if s == nil {
		if len(c.suspects) >= c.opts.MaxSuspects {
			c.report.Unchecked++
			return
		}
		s = new(suspect)
		c.suspects[key] = s
	}
	set(s)
}

var errEnough = errors.New("nothing is left to look for")

// secondLook walks over all names once more, if there are suspects, to see who holds them, and decides.
func (c *checker) secondLook(ctx context.Context) error {
	if len(c.suspects) == 0 {
		return nil
	}
	undecided := len(c.suspects)
	w := &walk{c: c, count: new(Report), see: func(_ context.Context, h *holder, content *holdfast.Content) error {
		for l := range content.Links {
			s := c.suspects[objectKey{l.OS, l.Object}]
			if s == nil || len(s.holders) == s.enough() || slices.ContainsFunc(s.holders, func(o holder) bool { return o.sameName(h) }) {
				continue
			}
			s.holders = append(s.holders, *h)
			if len(s.holders) == s.enough() {
				undecided--
			}
		}
		if undecided == 0 {
			return errEnough
		}
		return nil
	}}
	if err := w.run(ctx); err != nil && err != errEnough {
		return err
	}
	return c.decide(ctx)
}

// decide goes through the suspects in their order and forgets them one by one.
func (c *checker) decide(ctx context.Context) error {
	keys := slices.SortedFunc(maps.Keys(c.suspects), func(a, b objectKey) int {
		return cmp.Or(cmp.Compare(a.os, b.os), compareIDs(a.id, b.id))
	})
	for _, key := range keys {
		s := c.suspects[key]
		holders, err := c.stillHolding(ctx, key, s.holders)
		if err != nil {
			return err
		}
		if s.lost && len(s.holders) == 0 {
			if err := c.decideLost(ctx, key, s); err != nil {
				return err
			}
		}
		if s.rotten != "" && len(holders) > 0 {
			c.problem(key.problem(RottenBytes, holders[0].String(), "%s", s.rotten))
		}
		if s.shared && len(holders) > 1 {
			c.problem(key.problem(SharedBytes, holders[0].String(), "%s links to the same object", holders[1].String()))
		}
		delete(c.suspects, key)
		c.step()
	}
	return nil
}

// stillHolding returns those of the holders that link to the object still.
func (c *checker) stillHolding(ctx context.Context, key objectKey, holders []holder) (still []holder, err error) {
	for i := range holders {
		ok, err := c.holds(ctx, &holders[i], key)
		if err != nil {
			return nil, err
		}
		if ok {
			still = append(still, holders[i])
		}
	}
	return still, nil
}

// decideLost reports an object that the second walk did not meet either, unless it was given up meanwhile.
func (c *checker) decideLost(ctx context.Context, key objectKey, s *suspect) error {
	infos, err := onObjects(ctx, c, key.os, func(o holdfast.ObjectService) ([]holdfast.ObjectInfo, error) {
		return o.Stat(ctx, []holdfast.ObjectID{key.id})
	})
	if err != nil || infos[0].Size < 0 {
		return err
	}
	fates, err := c.fates(ctx, key.os, []holdfast.ObjectInfo{s.info})
	if err != nil || fates[0] == holdfast.FateDoomed {
		return err
	}
	c.problem(key.problem(LostBytes, "", "%d bytes are committed and no name links to them", s.info.Size))
	return nil
}
