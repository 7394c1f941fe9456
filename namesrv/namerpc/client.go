package namerpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
	"holdfast/wire"
)

var _ holdfast.NameService = (*Client)(nil)

// Client is a name service in another process. It holds no connection of its own and starts no goroutines that
// outlive a call; many clients may share one connection. Safe for concurrent use.
//
// Errors of the service arrive as [*holdfast.Error] with Kind, Op and ID, and with the text of the cause; a kind this
// process does not know is holdfast.Other. The wire adds its own, with the id of the service as ID:
//
//	the context ended                             Aborted
//	no connection, or it broke before an answer   Unavailable
//	the same, once an Apply was sent              Unknown: it may have been carried out, also if the context ended
//	the service is not in the process asked       NotOwner
//	a method or operation that the other side     Unsupported
//	  does not have yet
//	a request over wire.MaxMessage                TooLarge
//	no right to connect                           Denied
//	an answer that makes no sense                 Other; Unknown from Apply
//
// Deadlines and cancellation of the context reach the service.
type Client struct {
	remote namepb.NameServiceClient
	id     holdfast.ServiceID
}

// NewClient returns the service id as it is reached over conn, a connection made with [wire.DialOptions]. The connection
// stays the caller's, to be closed when no call runs any more.
func NewClient(conn grpc.ClientConnInterface, id holdfast.ServiceID) *Client {
	return &Client{remote: namepb.NewNameServiceClient(conn), id: id}
}

// Apply implements holdfast.NameService.
func (c *Client) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	const op = "namerpc.apply"
	if err := ctx.Err(); err != nil {
		return nil, c.lost(ctx, op, err, false)
	}
	r := &namepb.ApplyRequest{Service: uint64(c.id), Txs: make([]*namepb.Tx, len(txs))}
	for i := range txs {
		tx, err := txToWire(&txs[i])
		if err != nil {
			return nil, c.garbled(op, holdfast.Invalid, err)
		}
		r.Txs[i] = tx
	}
	if err := c.fits(op, r); err != nil {
		return nil, err
	}
	var asked peer.Peer
	reply, err := c.remote.Apply(ctx, r, grpc.Peer(&asked))
	if err != nil {
		return nil, c.lost(ctx, op, err, wire.Reached(&asked))
	}
	if reply.GetError() != nil {
		return nil, errorFromWire(reply.GetError())
	}
	var d decoder
	results := manyFromWire(reply.GetResults(), d.result)
	if len(results) != len(txs) {
		d.fail(errCount)
	}
	if d.err != nil {
		return nil, c.garbled(op, holdfast.Unknown, d.err)
	}
	return results, nil
}

// BucketEpoch implements holdfast.NameService.
func (c *Client) BucketEpoch(ctx context.Context, root holdfast.DirID) (uint64, error) {
	r, err := c.remote.BucketEpoch(ctx, &namepb.BucketEpochRequest{Service: uint64(c.id), Root: idToWire(root)})
	if err != nil {
		return 0, c.lost(ctx, "namerpc.bucketepoch", err, false)
	}
	return r.GetEpoch(), errorFromWire(r.GetError())
}

// Usage implements holdfast.NameService.
func (c *Client) Usage(ctx context.Context, root holdfast.DirID) (holdfast.Usage, error) {
	r, err := c.remote.Usage(ctx, &namepb.UsageRequest{Service: uint64(c.id), Root: idToWire(root)})
	if err != nil {
		return holdfast.Usage{}, c.lost(ctx, "namerpc.usage", err, false)
	}
	return usageFromWire(r), errorFromWire(r.GetError())
}

// Settle implements holdfast.NameService. A lost reply is Unavailable: settling again is safe, and the object server
// has forgotten nothing.
func (c *Client) Settle(ctx context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	const op = "namerpc.settle"
	req := &namepb.SettleRequest{Service: uint64(c.id), Os: uint64(os), Objects: guardedToWire(objects)}
	if err := c.fits(op, req); err != nil {
		return nil, err
	}
	r, err := c.remote.Settle(ctx, req)
	if err != nil {
		return nil, c.lost(ctx, op, err, false)
	}
	if r.GetError() != nil {
		return nil, errorFromWire(r.GetError())
	}
	if len(r.GetFates()) != len(objects) {
		return nil, c.garbled(op, holdfast.Other, errCount)
	}
	return fatesFromWire(r.GetFates()), nil
}

// Changes implements holdfast.NameService.
func (c *Client) Changes(ctx context.Context, after uint64, limit int) ([]holdfast.Change, error) {
	const op = "namerpc.changes"
	r, err := c.remote.Changes(ctx, &namepb.ChangesRequest{Service: uint64(c.id), After: after, Limit: int64(limit)})
	if err != nil {
		return nil, c.lost(ctx, op, err, false)
	}
	var d decoder
	changes := manyFromWire(r.GetChanges(), d.change)
	if d.err != nil {
		return nil, c.garbled(op, holdfast.Other, d.err)
	}
	return changes, errorFromWire(r.GetError())
}

// Intents implements holdfast.NameService.
func (c *Client) Intents(ctx context.Context, after holdfast.IntentID, olderThan time.Duration, limit int) ([]holdfast.Intent, error) {
	const op = "namerpc.intents"
	r, err := c.remote.Intents(ctx, &namepb.IntentsRequest{
		Service:     uint64(c.id),
		AfterSlot:   uint32(after.Slot),
		AfterSeq:    after.Seq,
		OlderThanNs: int64(olderThan),
		Limit:       int64(limit),
	})
	if err != nil {
		return nil, c.lost(ctx, op, err, false)
	}
	var d decoder
	intents := manyFromWire(r.GetIntents(), d.intent)
	if d.err != nil {
		return nil, c.garbled(op, holdfast.Other, d.err)
	}
	return intents, errorFromWire(r.GetError())
}

// Status implements holdfast.NameService.
func (c *Client) Status(ctx context.Context) (holdfast.NameStatus, error) {
	r, err := c.remote.Status(ctx, &namepb.StatusRequest{Service: uint64(c.id)})
	if err != nil {
		return holdfast.NameStatus{}, c.lost(ctx, "namerpc.status", err, false)
	}
	return statusFromWire(r), errorFromWire(r.GetError())
}
