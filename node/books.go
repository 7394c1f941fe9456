package node

import (
	"context"
	"fmt"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/objsrv"
)

// CheckBooks has every engine of this node prove its own invariants, counters against a recount and bitmaps against
// records, and calls report for each contradiction. The error is about the check itself. It needs memory for every
// name. Run it before anything is done through [Node.Services] that should not count.
func (n *Node) CheckBooks(ctx context.Context, report func(id holdfast.ServiceID, what string)) error {
	for _, s := range n.store.list() {
		if err := n.checkBooks(ctx, s.id, func(what string) { report(s.id, what) }); err != nil {
			return fmt.Errorf("service %s: %w", s.id, err)
		}
	}
	return nil
}

func (n *Node) checkBooks(ctx context.Context, id holdfast.ServiceID, report func(string)) error {
	if id.Type() == holdfast.TypeNameServer {
		s, err := n.direct.NameServer(ctx, id)
		if err != nil {
			return err
		}
		if e, ok := s.(*namesrv.Engine); ok {
			return e.Check(ctx, func(p namesrv.Problem) { report(p.What + ", key " + p.Key) }, nil)
		}
		return nil
	}
	s, err := n.direct.ObjectServer(ctx, id)
	if err != nil {
		return err
	}
	e, ok := s.(*objsrv.Engine)
	if !ok {
		return nil
	}
	found, err := e.Check(ctx, false)
	for _, what := range found.Problems {
		report(what)
	}
	return err
}
