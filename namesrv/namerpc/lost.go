package namerpc

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"holdfast"
	"holdfast/wire"
)

var (
	errCount   = errors.New("reply has another number of answers than were asked for")
	errRequest = fmt.Errorf("request is over %d bytes", wire.MaxMessage)
)

// fits refuses a request that would not go over the wire, before anything is sent. So it is the reply that was too large
// when a call is lost with [wire.ErrMessage].
func (c *Client) fits(op string, r proto.Message) error {
	if proto.Size(r) > wire.MaxMessage {
		return &holdfast.Error{Op: op, Kind: holdfast.TooLarge, ID: c.id.String(), Err: errRequest}
	}
	return nil
}

// lost builds the error of a call that brought no reply; see [wire.Lost].
func (c *Client) lost(ctx context.Context, op string, err error, mayHaveRun bool) error {
	return wire.Lost(ctx, op, c.id, err, mayHaveRun)
}

// garbled builds the error of a reply that breaks the protocol.
func (c *Client) garbled(op string, kind holdfast.Kind, err error) error {
	return &holdfast.Error{Op: op, Kind: kind, ID: c.id.String(), Err: err}
}
