package namesrv

import (
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/namesrv/schema"
)

// Shares of quotas. A share and what the bucket holds here are in the committer's memory, so that a bucket without a quota costs a
// transaction nothing and one with a quota a look into a map. The record on disk has the share only; what the bucket holds is the sum of
// its usage records, read once when the share is set or the store is opened. Both are only looked at and changed by the committer, in the
// order of commits, so no two transactions can pass the same bytes.

// share is the share of a bucket's quota that this server may fill.
type share struct {
	schema.Share
	used int64 // Bytes + UploadBytes of the bucket on this server, as of the last transaction that was kept
}

// savedShare is a share as it was before the transaction; nil: there was none.
type savedShare struct {
	root holdfast.DirID
	old  *share
}

// loadShares reads the shares and what their buckets hold.
func (c *committer) loadShares() error {
	return scanRange(c.e.store, schema.KindShare, func(key, value []byte) error {
		_, root, _, ok := schema.ParseDir(key)
		s, err := schema.DecodeShare(value)
		if !ok || err != nil {
			return corrupt("share", key, err)
		}
		u, err := usageOf(c.e.store, root)
		if err != nil {
			return err
		}
		c.shares[root] = &share{Share: s, used: u.Bytes + u.UploadBytes}
		return nil
	})
}

// usageOf sums up the usage records of a bucket.
func usageOf(r pebble.Reader, root holdfast.DirID) (total holdfast.Usage, err error) {
	lower := schema.UsageKey(nil, root, 0)
	upper := schema.UsageKey(nil, root, math.MaxUint16)
	err = scanBetween(r, lower, upper, func(key, value []byte) error {
		u, err := schema.DecodeUsage(value)
		if err != nil {
			return corrupt("usage", key, err)
		}
		total.Add(u)
		return nil
	})
	return total, err
}

// usageNow is usageOf with what the group changed so far.
func (g *group) usageNow(root holdfast.DirID) (holdfast.Usage, error) {
	total, err := usageOf(g.c.e.store, root)
	for k, u := range g.usage {
		if k.root == root {
			total.Add(u)
		}
	}
	for i := range g.txUsage {
		if g.txUsage[i].root == root {
			total.Add(g.txUsage[i].Usage)
		}
	}
	return total, err
}

// setShare sets, lowers or tells the share of a bucket.
func (g *group) setShare(op *holdfast.SetShare) (holdfast.Reply, error) {
	if op.Root.IsZero() {
		return holdfast.Reply{}, invalid("a share of no bucket")
	}
	use, err := g.usageNow(op.Root)
	if err != nil {
		return holdfast.Reply{}, err
	}
	have := g.c.shares[op.Root]
	if op.Epoch == 0 || have != nil && op.Epoch < have.Epoch {
		return shareReply(have, use), nil
	}
	want := &share{Share: schema.Share{Bytes: op.Share, Epoch: op.Epoch}, used: use.Bytes + use.UploadBytes}
	switch {
	case op.Lower:
		want.Bytes = max(op.Share, want.used, 0)
		if have != nil {
			want.Bytes = min(want.Bytes, have.Bytes)
		}
	case op.Share < 0:
		want = nil
	}
	g.replaceShare(op.Root, want)
	return shareReply(want, use), nil
}

func shareReply(s *share, use holdfast.Usage) holdfast.Reply {
	if s == nil {
		return holdfast.Reply{Share: holdfast.NoShare, Usage: use}
	}
	return holdfast.Reply{Share: s.Bytes, Epoch: s.Epoch, Usage: use}
}

// replaceShare puts a share in place, nil for none. What the transaction itself adds is counted when it is kept.
func (g *group) replaceShare(root holdfast.DirID, s *share) {
	g.savedShares = append(g.savedShares, savedShare{root, g.c.shares[root]})
	g.key = schema.ShareKey(g.key[:0], root)
	if s == nil {
		delete(g.c.shares, root)
		g.set(g.key, nil)
		return
	}
	s.used -= g.pending(root)
	g.c.shares[root] = s
	g.set(g.key, g.owned(schema.AppendShare(g.own(), &s.Share)))
}

// pending returns what the transaction adds to a bucket so far.
func (g *group) pending(root holdfast.DirID) (grown int64) {
	for i := range g.txUsage {
		if u := &g.txUsage[i]; u.root == root {
			grown += u.Bytes + u.UploadBytes
		}
	}
	return grown
}

// dropShare forgets the share of a bucket that is gone.
func (g *group) dropShare(root holdfast.DirID) {
	if g.c.shares[root] != nil {
		g.replaceShare(root, nil)
	}
}

// restoreShares takes the changes of a transaction back.
func (g *group) restoreShares() {
	for i := len(g.savedShares) - 1; i >= 0; i-- {
		if s := g.savedShares[i]; s.old == nil {
			delete(g.c.shares, s.root)
		} else {
			g.c.shares[s.root] = s.old
		}
	}
	g.savedShares = g.savedShares[:0]
}

// countShares counts what a transaction that is kept changed.
func (g *group) countShares() {
	if len(g.c.shares) == 0 {
		return
	}
	for i := range g.txUsage {
		if s := g.c.shares[g.txUsage[i].root]; s != nil {
			s.used += g.txUsage[i].Bytes + g.txUsage[i].UploadBytes
		}
	}
}

// checkShares refuses a transaction that makes a bucket larger than the server's share of its quota.
func (g *group) checkShares() error {
	if len(g.c.shares) == 0 && len(g.quotas) == 0 {
		return nil
	}
	for i := range g.txUsage {
		root := g.txUsage[i].root
		if i > 0 && root == g.txUsage[i-1].root {
			continue // of one bucket nearly always
		}
		grown := g.pending(root)
		if grown <= 0 {
			continue
		}
		s := g.c.shares[root]
		if s == nil && !g.saidQuota(root) || s != nil && grown <= s.Bytes-s.used {
			continue
		}
		return &holdfast.Error{Op: "namesrv.apply", Kind: holdfast.QuotaExceeded, ID: root.String()}
	}
	return nil
}

// saidQuota reports whether an operation of the transaction knows of a quota of the bucket.
func (g *group) saidQuota(root holdfast.DirID) bool {
	return slices.Contains(g.quotas, root)
}
