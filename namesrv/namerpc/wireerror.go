package namerpc

import (
	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

// remoteError is the cause of an error, or an error that is not a holdfast.Error, as it came over the wire: its text,
// and its kind, which holdfast.KindOf finds by Unwrap.
type remoteError struct {
	text string
	kind holdfast.Kind
}

func (e *remoteError) Error() string { return e.text }

func (e *remoteError) Unwrap() error {
	if e.kind == holdfast.Other {
		return nil
	}
	return &holdfast.Error{Kind: e.kind}
}

// errorToWire returns nil for nil. Kind, Op, ID and the text of the cause survive; of the cause's own chain its kind does.
func errorToWire(err error) *namepb.Error {
	if err == nil {
		return nil
	}
	e, ok := err.(*holdfast.Error) // not errors.As: the outermost error is what the text begins with
	if !ok {
		return &namepb.Error{Kind: uint32(holdfast.KindOf(err)), Text: []byte(err.Error())}
	}
	// []byte("") is not nil: an empty Op and an empty text are still there on the wire.
	wire := &namepb.Error{Kind: uint32(e.Kind), Op: []byte(e.Op), Id: []byte(e.ID)}
	if e.Err != nil {
		wire.Text, wire.CauseKind = []byte(e.Err.Error()), uint32(holdfast.KindOf(e.Err))
	}
	return wire
}

// errorFromWire is the inverse of errorToWire. A kind that this version does not know becomes holdfast.Other.
func errorFromWire(wire *namepb.Error) error {
	if wire == nil {
		return nil
	}
	kind := kindFromWire(wire.Kind)
	if wire.Op == nil {
		return &remoteError{text: string(wire.Text), kind: kind}
	}
	e := &holdfast.Error{Op: string(wire.Op), Kind: kind, ID: string(wire.Id)}
	if wire.Text != nil {
		e.Err = &remoteError{text: string(wire.Text), kind: kindFromWire(wire.CauseKind)}
	}
	return e
}

func kindFromWire(n uint32) holdfast.Kind {
	if n >= uint32(holdfast.Kinds) {
		return holdfast.Other
	}
	return holdfast.Kind(n)
}
