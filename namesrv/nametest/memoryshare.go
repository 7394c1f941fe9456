package nametest

import "holdfast"

// share is the share of a bucket's quota.
type share struct {
	bytes int64
	epoch uint64
}

func (m *Memory) setShare(op holdfast.SetShare) (holdfast.Reply, error) {
	if op.Root.IsZero() {
		return holdfast.Reply{}, fail(holdfast.Invalid)
	}
	use := m.usage(op.Root)
	s, ok := m.shares[op.Root]
	if op.Epoch != 0 && (!ok || op.Epoch >= s.epoch) {
		switch {
		case op.Lower:
			low := max(op.Share, use.Bytes+use.UploadBytes, 0)
			if ok {
				low = min(low, s.bytes)
			}
			m.shares[op.Root] = share{low, op.Epoch}
		case op.Share < 0:
			delete(m.shares, op.Root)
		default:
			m.shares[op.Root] = share{op.Share, op.Epoch}
		}
		s, ok = m.shares[op.Root]
	}
	if !ok {
		return holdfast.Reply{Share: holdfast.NoShare, Usage: use}, nil
	}
	return holdfast.Reply{Share: s.bytes, Epoch: s.epoch, Usage: use}, nil
}

// quota is a bucket that a transaction may not make too large.
type quota struct {
	root   holdfast.DirID
	before int64
	said   bool // by an operation
}

// quotasOf returns the buckets that have to be looked at after a transaction.
func (m *Memory) quotasOf(ops []holdfast.Op) (qs []quota) {
	said := map[holdfast.DirID]bool{}
	for root := range m.shares {
		said[root] = false
	}
	for _, op := range ops {
		if c := checkOf(op); c.Quota {
			said[c.Root] = true
		}
		if s, ok := op.(holdfast.SetShare); ok {
			if _, there := said[s.Root]; !there {
				said[s.Root] = false
			}
		}
	}
	for root, by := range said {
		u := m.usage(root)
		qs = append(qs, quota{root, u.Bytes + u.UploadBytes, by})
	}
	return qs
}

func checkOf(op holdfast.Op) holdfast.BucketCheck {
	switch op := op.(type) {
	case holdfast.PutEntry:
		return op.Bucket
	case holdfast.DeleteEntry:
		return op.Bucket
	case holdfast.PutPart:
		return op.Bucket
	case holdfast.CompleteUpload:
		return op.Bucket
	}
	return holdfast.BucketCheck{}
}

// fits reports whether what the transaction made of a bucket may stand.
func (m *Memory) fits(q quota) bool {
	u := m.usage(q.root)
	now := u.Bytes + u.UploadBytes
	s, ok := m.shares[q.root]
	return now <= q.before || ok && now <= s.bytes || !ok && !q.said
}
