package namerpc

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"holdfast"
)

var (
	errCount   = errors.New("reply has another number of answers than were asked for")
	errRequest = fmt.Errorf("request is over %d bytes", MaxMessage)
	errReply   = fmt.Errorf("reply is over %d bytes", MaxMessage)
)

// reached reports whether a call may have left this process: gRPC fills in the peer once it has a connection for it.
func reached(asked *peer.Peer) bool { return asked.Addr != nil }

// fits refuses a request that would not go over the wire, before anything is sent.
func (c *Client) fits(op string, r proto.Message) error {
	if proto.Size(r) > MaxMessage {
		return &holdfast.Error{Op: op, Kind: holdfast.TooLarge, ID: c.id.String(), Err: errRequest}
	}
	return nil
}

// lost builds the error of a call that brought no reply. mayHaveRun is set when the call changes something and may
// have been carried out all the same.
func (c *Client) lost(ctx context.Context, op string, err error, mayHaveRun bool) error {
	kind := lostKind(ctx, status.Code(err))
	if kind == holdfast.TooLarge {
		err = errReply // requests are measured before they are sent
	}
	if mayHaveRun && kind != holdfast.Unsupported {
		kind = holdfast.Unknown
	}
	if ended := ctx.Err(); ended != nil {
		err = ended // so that errors.Is finds context.Canceled, which a gRPC status hides
	}
	return &holdfast.Error{Op: op, Kind: kind, ID: c.id.String(), Err: err}
}

func lostKind(ctx context.Context, code codes.Code) holdfast.Kind {
	if ctx.Err() != nil {
		return holdfast.Aborted
	}
	switch code {
	case codes.DeadlineExceeded: // seen by the server a moment before our own clock
		return holdfast.Aborted
	case codes.Unavailable, codes.Canceled: // Canceled: by the server, when it stops
		return holdfast.Unavailable
	case codes.ResourceExhausted: // a message over the limit
		return holdfast.TooLarge
	case codes.Unimplemented:
		return holdfast.Unsupported
	case codes.Unauthenticated, codes.PermissionDenied:
		return holdfast.Denied
	}
	return holdfast.Other
}

// garbled builds the error of a reply that breaks the protocol.
func (c *Client) garbled(op string, kind holdfast.Kind, err error) error {
	return &holdfast.Error{Op: op, Kind: kind, ID: c.id.String(), Err: err}
}
