package objrpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
	"holdfast/wire"
)

var _ holdfast.ObjectService = (*Client)(nil)

// Client is an object service in another process. It holds no connection of its own and starts no goroutines that
// outlive a call; many clients may share one connection. Safe for concurrent use.
//
// Errors of the service arrive as [*holdfast.Error] with Kind, Op and ID, and with the text of the cause; a kind this
// process does not know is holdfast.Other. The wire adds its own, with the id of the service as ID:
//
//	the context ended                                  Aborted
//	no connection, or it broke before an answer        Unavailable
//	the same, once all of a Create or a Free was sent  Unknown: it may have been carried out, also if the context ended
//	the service is not in the process asked            NotOwner
//	a method the other side does not have yet          Unsupported
//	a message over wire.MaxMessage                     TooLarge
//	no right to connect                                Denied
//	an answer that makes no sense                      Other
//
// Deadlines and cancellation of the context reach the service.
type Client struct {
	conn   grpc.ClientConnInterface
	remote objectpb.ObjectServiceClient
	id     holdfast.ServiceID
	pool   *framePool
	framed []grpc.CallOption // of calls with frames
}

// NewClient returns the service id as it is reached over conn, a connection made with [wire.DialOptions]. The connection
// stays the caller's, to be closed when no call runs any more.
func NewClient(conn grpc.ClientConnInterface, id holdfast.ServiceID) *Client {
	return &Client{
		conn:   conn,
		remote: objectpb.NewObjectServiceClient(conn),
		id:     id,
		pool:   new(framePool),
		framed: []grpc.CallOption{grpc.ForceCodecV2(newFrameCodec())},
	}
}

// Pin implements holdfast.ObjectService.
func (c *Client) Pin(ctx context.Context, ids []holdfast.ObjectID, ttl time.Duration) error {
	const op = "objrpc.pin"
	if err := c.check(op, ids); err != nil {
		return err
	}
	r, err := c.remote.Pin(ctx, &objectpb.PinRequest{Service: uint64(c.id), Objects: idsToWire(ids), TtlNs: int64(ttl)})
	if err != nil {
		return c.lost(ctx, op, err, false)
	}
	return errorFromWire(r.GetError())
}

// Free implements holdfast.ObjectService.
func (c *Client) Free(ctx context.Context, ids []holdfast.ObjectID) error {
	const op = "objrpc.free"
	if err := c.check(op, ids); err != nil {
		return err
	}
	var asked peer.Peer
	r, err := c.remote.Free(ctx, &objectpb.FreeRequest{Service: uint64(c.id), Objects: idsToWire(ids)}, grpc.Peer(&asked))
	if err != nil {
		return c.lost(ctx, op, err, wire.Reached(&asked))
	}
	return errorFromWire(r.GetError())
}

// Stat implements holdfast.ObjectService.
func (c *Client) Stat(ctx context.Context, ids []holdfast.ObjectID) ([]holdfast.ObjectInfo, error) {
	const op = "objrpc.stat"
	if err := c.check(op, ids); err != nil {
		return nil, err
	}
	r, err := c.remote.Stat(ctx, &objectpb.StatRequest{Service: uint64(c.id), Objects: idsToWire(ids)})
	if err != nil {
		return nil, c.lost(ctx, op, err, false)
	}
	if r.GetError() == nil && len(r.GetInfos()) != len(ids) {
		return nil, c.garbled(op, errCount)
	}
	return c.infos(op, r.GetInfos(), r.GetError())
}

// Objects implements holdfast.ObjectService.
func (c *Client) Objects(ctx context.Context, after holdfast.ObjectID, limit int) ([]holdfast.ObjectInfo, error) {
	const op = "objrpc.objects"
	r, err := c.remote.Objects(ctx, &objectpb.ObjectsRequest{
		Service:      uint64(c.id),
		AfterEpoch:   uint64(after.Epoch),
		AfterCounter: after.Counter,
		Limit:        int64(limit),
	})
	if err != nil {
		return nil, c.lost(ctx, op, err, false)
	}
	return c.infos(op, r.GetInfos(), r.GetError())
}

// infos brings home a reply of records.
func (c *Client) infos(op string, wire []*objectpb.ObjectInfo, failed *objectpb.Error) ([]holdfast.ObjectInfo, error) {
	infos, err := infosFromWire(wire)
	if err != nil {
		return nil, c.garbled(op, err)
	}
	if len(infos) == 0 {
		infos = nil
	}
	return infos, errorFromWire(failed)
}

// Status implements holdfast.ObjectService.
func (c *Client) Status(ctx context.Context) (holdfast.ObjectStatus, error) {
	r, err := c.remote.Status(ctx, &objectpb.StatusRequest{Service: uint64(c.id)})
	if err != nil {
		return holdfast.ObjectStatus{}, c.lost(ctx, "objrpc.status", err, false)
	}
	return statusFromWire(r), errorFromWire(r.GetError())
}

// check refuses what the contract refuses, before it costs a message.
func (c *Client) check(op string, ids []holdfast.ObjectID) error {
	if len(ids) > holdfast.MaxObjectIDs {
		return &holdfast.Error{Op: op, Kind: holdfast.TooLarge, ID: c.id.String()}
	}
	return nil
}
