package namerpc

import (
	"context"
	"time"

	"holdfast"
)

// spyNames is a name service that remembers what it was asked, by deep values, and answers what the test put there.
// The fields are set and read between calls only.
type spyNames struct {
	asked any // the arguments of the last call, as a struct of the call's name below
	ctx   context.Context

	answers []holdfast.Answer
	pages   []holdfast.Page
	results []holdfast.Result
	epoch   uint64
	usage   holdfast.Usage
	fates   []holdfast.Fate
	changes []holdfast.Change
	intents []holdfast.Intent
	status  holdfast.NameStatus
	err     error

	applyFunc func(context.Context, []holdfast.Tx) ([]holdfast.Result, error) // in place of results, if set
	listFunc  func([]holdfast.ListRequest) ([]holdfast.Page, error)           // in place of pages, if set
}

var _ holdfast.NameService = (*spyNames)(nil)

type settleArgs struct {
	OS      holdfast.ServiceID
	Objects []holdfast.GuardedObject
}

type changesArgs struct {
	After uint64
	Limit int
}

type intentsArgs struct {
	After     holdfast.IntentID
	OlderThan time.Duration
	Limit     int
}

func (s *spyNames) Lookup(ctx context.Context, q []holdfast.Lookup) ([]holdfast.Answer, error) {
	s.ctx, s.asked = ctx, q
	return s.answers, s.err
}

func (s *spyNames) List(ctx context.Context, r []holdfast.ListRequest) ([]holdfast.Page, error) {
	s.ctx, s.asked = ctx, r
	if s.listFunc != nil {
		return s.listFunc(r)
	}
	return s.pages, s.err
}

func (s *spyNames) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	if s.applyFunc != nil {
		return s.applyFunc(ctx, txs)
	}
	s.ctx, s.asked = ctx, txs
	return s.results, s.err
}

func (s *spyNames) BucketEpoch(ctx context.Context, root holdfast.DirID) (uint64, error) {
	s.ctx, s.asked = ctx, root
	return s.epoch, s.err
}

func (s *spyNames) Usage(ctx context.Context, root holdfast.DirID) (holdfast.Usage, error) {
	s.ctx, s.asked = ctx, root
	return s.usage, s.err
}

func (s *spyNames) Settle(ctx context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	s.ctx, s.asked = ctx, settleArgs{os, objects}
	return s.fates, s.err
}

func (s *spyNames) Changes(ctx context.Context, after uint64, limit int) ([]holdfast.Change, error) {
	s.ctx, s.asked = ctx, changesArgs{after, limit}
	return s.changes, s.err
}

func (s *spyNames) Intents(ctx context.Context, after holdfast.IntentID, olderThan time.Duration, limit int) ([]holdfast.Intent, error) {
	s.ctx, s.asked = ctx, intentsArgs{after, olderThan, limit}
	return s.intents, s.err
}

func (s *spyNames) Status(ctx context.Context) (holdfast.NameStatus, error) {
	s.ctx, s.asked = ctx, nil
	return s.status, s.err
}
