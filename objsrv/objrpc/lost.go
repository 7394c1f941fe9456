package objrpc

import (
	"context"
	"errors"

	"holdfast"
	"holdfast/wire"
)

var (
	errCount    = errors.New("reply has another number of records than were asked for")
	errNoEnd    = errors.New("stream ended before its last frame")
	errMiscount = errors.New("another number of bytes arrived than were sent or asked for")
	errDigest   = errors.New("size or checksum of the stored object is not that of the bytes sent")
)

// lost builds the error of a call that brought no reply; see [wire.Lost].
func (c *Client) lost(ctx context.Context, op string, err error, mayHaveRun bool) error {
	return wire.Lost(ctx, op, c.id, err, mayHaveRun)
}

// garbled builds the error of a reply that breaks the protocol.
func (c *Client) garbled(op string, err error) error {
	return &holdfast.Error{Op: op, Kind: holdfast.Other, ID: c.id.String(), Err: err}
}
