package wire

import "holdfast"

// Error is an error as it travels inside a reply. Each service's messages have a field for each field of it; Op and Text
// are nil when they are absent, which is another thing than empty.
type Error struct {
	Kind      uint32 // number of the holdfast.Kind
	Op        []byte // nil: the error is no holdfast.Error
	ID        []byte
	Text      []byte // of the cause; nil: there is none
	CauseKind uint32
}

// Flatten turns err, which is not nil, into what travels. Kind, Op, ID and the text of the cause survive; of the
// cause's own chain its kind does.
func Flatten(err error) Error {
	e, ok := err.(*holdfast.Error) // not errors.As: the outermost error is what the text begins with
	if !ok {
		return Error{Kind: uint32(holdfast.KindOf(err)), Text: []byte(err.Error())}
	}
	// []byte("") is not nil: an empty Op and an empty text are still there on the wire.
	flat := Error{Kind: uint32(e.Kind), Op: []byte(e.Op), ID: []byte(e.ID)}
	if e.Err != nil {
		flat.Text, flat.CauseKind = []byte(e.Err.Error()), uint32(holdfast.KindOf(e.Err))
	}
	return flat
}

// Restore is the inverse of [Flatten]. A kind that this version does not know becomes holdfast.Other.
func (e Error) Restore() error {
	kind := knownKind(e.Kind)
	if e.Op == nil {
		return &RemoteError{Text: string(e.Text), Kind: kind}
	}
	restored := &holdfast.Error{Op: string(e.Op), Kind: kind, ID: string(e.ID)}
	if e.Text != nil {
		restored.Err = &RemoteError{Text: string(e.Text), Kind: knownKind(e.CauseKind)}
	}
	return restored
}

func knownKind(n uint32) holdfast.Kind {
	if n >= uint32(holdfast.Kinds) {
		return holdfast.Other
	}
	return holdfast.Kind(n)
}

// RemoteError is the cause of an error, or an error that is not a holdfast.Error, as it came over the wire.
type RemoteError struct {
	Text string
	Kind holdfast.Kind // holdfast.KindOf finds it by Unwrap
}

// Error returns the text.
func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns an error of the kind, nil for holdfast.Other.
func (e *RemoteError) Unwrap() error {
	if e.Kind == holdfast.Other {
		return nil
	}
	return &holdfast.Error{Kind: e.Kind}
}
