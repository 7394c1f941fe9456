package namerpc

import (
	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

// txToWire fails on an operation that is not one of the contract's types, by value.
func txToWire(tx *holdfast.Tx) (*namepb.Tx, error) {
	w := &namepb.Tx{Ops: make([]*namepb.Op, len(tx.Ops)), Note: []byte(tx.Note)}
	for i, op := range tx.Ops {
		if w.Ops[i] = opToWire(op); w.Ops[i] == nil {
			return nil, errOp
		}
	}
	return w, nil
}

func (d *decoder) tx(w *namepb.Tx) holdfast.Tx {
	return holdfast.Tx{Ops: manyFromWire(w.GetOps(), d.op), Note: string(w.GetNote())}
}

func resultToWire(r *holdfast.Result) *namepb.Result {
	return &namepb.Result{
		Error:   errorToWire(r.Err),
		Failed:  int64(r.Failed),
		Replies: manyToWire(r.Replies, replyToWire),
	}
}

func (d *decoder) result(w *namepb.Result) holdfast.Result {
	return holdfast.Result{
		Err:     errorFromWire(w.GetError()),
		Failed:  int(w.GetFailed()),
		Replies: manyFromWire(w.GetReplies(), d.reply),
	}
}

func replyToWire(r *holdfast.Reply) *namepb.Reply {
	return &namepb.Reply{
		Entry:   someEntryToWire(&r.Entry),
		Created: r.Created,
		Found:   r.Found,
		Dir:     idToWire(r.Dir),
		Epoch:   r.Epoch,
		Share:   r.Share,
		Usage:   someUsageToWire(r.Usage),
	}
}

func (d *decoder) reply(w *namepb.Reply) holdfast.Reply {
	return holdfast.Reply{
		Entry:   d.entry(w.GetEntry()),
		Created: w.GetCreated(),
		Found:   w.GetFound(),
		Dir:     d.id(w.GetDir()),
		Epoch:   w.GetEpoch(),
		Share:   w.GetShare(),
		Usage:   usageFromWire(w.GetUsage()),
	}
}

func conditionsToWire(c *holdfast.Conditions) *namepb.Conditions {
	if *c == (holdfast.Conditions{}) {
		return nil
	}
	w := &namepb.Conditions{IfMatchAny: c.IfMatchAny, IfNoneMatch: c.IfNoneMatch, IfSize: c.IfSize}
	if c.IfMatch != nil {
		// Not etagToWire: a condition on the zero tag is a condition.
		w.IfMatch = &namepb.ETag{Digest: idToWire(c.IfMatch.Digest), Parts: uint32(c.IfMatch.Parts)}
	}
	if c.IfModified != nil {
		w.IfModified = new(namepb.Time)
		w.IfModified.S, w.IfModified.Ns = timeToWire(*c.IfModified)
	}
	return w
}

func (d *decoder) conditions(w *namepb.Conditions) holdfast.Conditions {
	if w == nil {
		return holdfast.Conditions{}
	}
	c := holdfast.Conditions{IfMatchAny: w.IfMatchAny, IfNoneMatch: w.IfNoneMatch, IfSize: w.IfSize}
	if w.IfMatch != nil {
		tag := d.etag(w.IfMatch)
		c.IfMatch = &tag
	}
	if w.IfModified != nil {
		t := d.time(w.IfModified.S, w.IfModified.Ns)
		c.IfModified = &t
	}
	return c
}

func checkToWire(c holdfast.BucketCheck) *namepb.BucketCheck {
	if c == (holdfast.BucketCheck{}) {
		return nil
	}
	return &namepb.BucketCheck{Root: idToWire(c.Root), Epoch: c.Epoch, Quota: c.Quota}
}

func (d *decoder) check(w *namepb.BucketCheck) holdfast.BucketCheck {
	return holdfast.BucketCheck{Root: d.id(w.GetRoot()), Epoch: w.GetEpoch(), Quota: w.GetQuota()}
}
