package namerpc

import (
	"holdfast/namesrv/namerpc/namepb"
	"holdfast/wire"
)

// errorToWire returns nil for nil; package wire says what survives.
func errorToWire(err error) *namepb.Error {
	if err == nil {
		return nil
	}
	e := wire.Flatten(err)
	return &namepb.Error{Kind: e.Kind, Op: e.Op, Id: e.ID, Text: e.Text, CauseKind: e.CauseKind}
}

// errorFromWire is the inverse of errorToWire.
func errorFromWire(e *namepb.Error) error {
	if e == nil {
		return nil
	}
	return wire.Error{Kind: e.Kind, Op: e.Op, ID: e.Id, Text: e.Text, CauseKind: e.CauseKind}.Restore()
}
