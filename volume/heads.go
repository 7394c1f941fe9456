package volume

import (
	"context"

	"holdfast"
)

// HeadRequest names a version of a key.
type HeadRequest struct {
	Key     string
	Version Version
}

// HeadResult is the answer to a [HeadRequest]. Kinds of Err: NotFound.
type HeadResult struct {
	Entry holdfast.Entry
	Err   error
}

// Heads is [Bucket.Head] for many versions in few calls; the results are in the order of the requests. The entry of a delete marker comes
// without an error.
func (b *Bucket) Heads(ctx context.Context, requests []HeadRequest) []HeadResult {
	qs := make([]question, len(requests))
	for i, r := range requests {
		qs[i] = newQuestion(r.Key, holdfast.Lookup{Want: holdfast.WantEntry, Version: r.Version.ID, Null: r.Version.Null})
	}
	b.ask(ctx, qs)
	results := make([]HeadResult, len(requests))
	for i := range qs {
		results[i] = HeadResult{qs[i].answer.Entry, wrap(opHead.String(), requests[i].Key, qs[i].answer.Err)}
	}
	return results
}
