package namesrv

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast"
)

// Apply implements [holdfast.NameService].
func (e *Engine) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	j := &job{txs: txs, results: make([]holdfast.Result, len(txs))}
	if len(txs) > holdfast.MaxTxs {
		return nil, holdfast.E("namesrv.apply", holdfast.TooLarge, fmt.Errorf("%d transactions", len(txs)))
	}
	for i := range txs {
		if n := len(txs[i].Ops); n > holdfast.MaxTxOps {
			return nil, holdfast.E("namesrv.apply", holdfast.TooLarge, fmt.Errorf("%d operations", n))
		}
		if n := len(txs[i].Note); n > holdfast.MaxNote {
			return nil, holdfast.E("namesrv.apply", holdfast.TooLarge, fmt.Errorf("a note of %d bytes", n))
		}
		j.ops += len(txs[i].Ops)
	}
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	if err := e.submit(ctx, j); err != nil {
		return nil, err
	}
	e.m.applied(j.results)
	return j.results, nil
}

// apply runs one transaction.
func (g *group) apply(tx *holdfast.Tx) holdfast.Result {
	m := g.mark()
	g.note = tx.Note
	defer func() { g.note = "" }()
	replies := make([]holdfast.Reply, len(tx.Ops))
	for i, op := range tx.Ops {
		r, err := g.run(op)
		if err != nil {
			g.rollback(m)
			return holdfast.Result{Err: err, Failed: i}
		}
		replies[i] = r
	}
	if err := g.checkShares(); err != nil {
		g.rollback(m)
		return holdfast.Result{Err: err, Failed: -1}
	}
	g.keep()
	return holdfast.Result{Failed: -1, Replies: replies}
}

// run runs one operation.
func (g *group) run(op holdfast.Op) (holdfast.Reply, error) {
	if op == nil {
		return holdfast.Reply{}, invalid("no operation")
	}
	if !g.c.e.holds(op.Target()) {
		return holdfast.Reply{}, notOwner(op.Target())
	}
	if grows(op) && g.c.e.full.Load() {
		return holdfast.Reply{}, fail(holdfast.NoSpace, "")
	}
	switch op := op.(type) {
	case holdfast.PutEntry:
		return g.putEntry(&op)
	case holdfast.DeleteEntry:
		return g.deleteEntry(&op)
	case holdfast.SetEntry:
		return g.setEntry(&op)
	case holdfast.MakeDir:
		return holdfast.Reply{}, g.makeDir(&op)
	case holdfast.LinkDir:
		return g.linkDir(&op)
	case holdfast.UnlinkDir:
		return holdfast.Reply{}, g.unlinkDir(&op)
	case holdfast.SealDir:
		return holdfast.Reply{}, g.sealDir(&op)
	case holdfast.DropDir:
		return holdfast.Reply{}, g.dropDir(&op)
	case holdfast.SetBucket:
		return g.setBucket(&op)
	case holdfast.CreateUpload:
		return holdfast.Reply{}, g.createUpload(&op)
	case holdfast.PutPart:
		return holdfast.Reply{}, g.putPart(&op)
	case holdfast.CompleteUpload:
		return g.completeUpload(&op)
	case holdfast.AbortUpload:
		return holdfast.Reply{}, g.abortUpload(&op)
	case holdfast.IndexUpload:
		return holdfast.Reply{}, g.indexUpload(&op)
	case holdfast.UnindexUpload:
		return holdfast.Reply{}, g.unindexUpload(&op)
	case holdfast.DropIntent:
		return holdfast.Reply{}, g.dropIntent(op.ID)
	case holdfast.SetShare:
		return g.setShare(&op)
	}
	return holdfast.Reply{}, holdfast.E("namesrv.apply", holdfast.Unsupported, fmt.Errorf("operation %T", op))
}

func fail(kind holdfast.Kind, name string) error {
	return &holdfast.Error{Op: "namesrv.apply", Kind: kind, ID: name}
}

func invalid(why string) error {
	return holdfast.E("namesrv.apply", holdfast.Invalid, errors.New(why))
}

// checkName checks the name of an entry: keys are split at "/", so it has none.
func checkName(name string) error {
	if len(name) > holdfast.MaxName {
		return fail(holdfast.TooLarge, "name")
	}
	if strings.IndexByte(name, '/') >= 0 {
		return invalid("the name of an entry has a slash")
	}
	return nil
}

// checkDirName checks the name of a sub-directory: one "/", at its end.
func checkDirName(name string) error {
	if len(name) > holdfast.MaxName {
		return fail(holdfast.TooLarge, "name")
	}
	if strings.IndexByte(name, '/') != len(name)-1 || name == "" {
		return invalid("the name of a sub-directory ends in its only slash")
	}
	return nil
}

// checkBucket makes sure that a bucket has not changed since the caller looked; if its root is here, that is.
func (g *group) checkBucket(c holdfast.BucketCheck) error {
	if c.Quota {
		g.quotas = append(g.quotas, c.Root)
	}
	if c.Epoch == 0 || !g.c.e.holds(c.Root) {
		return nil
	}
	root, err := g.openDir(c.Root)
	if err != nil {
		return err
	}
	if root.Epoch != c.Epoch {
		return &holdfast.Error{Op: "namesrv.apply", Kind: holdfast.Conflict, ID: c.Root.String(), Err: errors.New("the bucket changed")}
	}
	return nil
}

// checkConditions checks what a write demands of the current visible version, which is nil if there is none.
func checkConditions(c *holdfast.Conditions, cur *holdfast.Entry, name string) error {
	if cur == nil {
		switch {
		case c.IfMatch != nil || c.IfMatchAny:
			return fail(holdfast.NotFound, name)
		case c.IfSize != nil || c.IfModified != nil:
			return fail(holdfast.Precondition, name)
		}
		return nil
	}
	switch {
	case c.IfNoneMatch,
		c.IfMatch != nil && *c.IfMatch != cur.ETag,
		c.IfSize != nil && *c.IfSize != cur.Size,
		c.IfModified != nil && c.IfModified.Unix() != cur.Modified.Unix():
		return fail(holdfast.Precondition, name)
	}
	return nil
}
