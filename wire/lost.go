package wire

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"holdfast"
)

// ErrMessage is the cause of a [Lost] error of kind holdfast.TooLarge.
var ErrMessage = fmt.Errorf("message is over %d bytes", MaxMessage)

// Reached reports whether a call may have left this process: gRPC fills in the peer (grpc.Peer) once it has a
// connection for the call.
func Reached(asked *peer.Peer) bool { return asked.Addr != nil }

// Lost builds the error of a call to a service that ended with err, a status of gRPC, and brought no reply. mayHaveRun is
// set when the call changes something and may have been carried out all the same: the kind is holdfast.Unknown then.
func Lost(ctx context.Context, op string, id holdfast.ServiceID, err error, mayHaveRun bool) error {
	kind := lostKind(ctx, status.Code(err))
	if kind == holdfast.TooLarge {
		err = ErrMessage
	}
	if mayHaveRun && kind != holdfast.Unsupported {
		kind = holdfast.Unknown
	}
	if ended := ctx.Err(); ended != nil {
		err = ended // so that errors.Is finds context.Canceled, which a gRPC status hides
	}
	return &holdfast.Error{Op: op, Kind: kind, ID: id.String(), Err: err}
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
