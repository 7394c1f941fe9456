package volume

import (
	"context"

	"holdfast"
)

// ErrNoBucket is in the chain of an error when the bucket itself is gone, or was made anew, so that callers can tell this
// NotFound from that of a key.
var ErrNoBucket error = &holdfast.Error{Op: "volume.bucket", Kind: holdfast.NotFound}

// wrap adds the operation and the key to an error on its way out. The kind is that of the cause.
func wrap(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return &holdfast.Error{Op: "volume." + op, ID: id, Err: err}
}

// fail makes an error of our own.
func fail(op string, kind holdfast.Kind, id string) error {
	return &holdfast.Error{Op: "volume." + op, Kind: kind, ID: id}
}

// checkKey refuses keys that no name server would take.
func checkKey(op, key string) error {
	switch {
	case key == "":
		return fail(op, holdfast.Invalid, key)
	case len(key) > holdfast.MaxName:
		return fail(op, holdfast.TooLarge, "")
	}
	return nil
}

// transient reports whether a call that ended in err may be made again: the server is away, busy, or its reply was lost.
// Calls that were given up because the request itself ended are not.
func transient(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	switch holdfast.KindOf(err) {
	case holdfast.NotOwner, holdfast.Unavailable, holdfast.Overload, holdfast.Unknown, holdfast.Aborted:
		return true
	}
	return false
}

// indefinite reports whether a commit that ended in err may have happened, or may still happen.
func indefinite(err error) bool {
	switch holdfast.KindOf(err) {
	case holdfast.Unknown, holdfast.Aborted, holdfast.Other:
		return true
	}
	return false
}

// tellsNothing reports whether an error says nothing about what an earlier attempt of the same commit did.
func tellsNothing(err error) bool {
	if err == nil {
		return false
	}
	switch holdfast.KindOf(err) {
	case holdfast.NotOwner, holdfast.Unavailable, holdfast.Overload, holdfast.NoSpace, holdfast.Aborted, holdfast.Other:
		return true
	}
	return false
}
