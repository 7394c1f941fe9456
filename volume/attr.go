package volume

import (
	"context"

	"holdfast"
)

// AttrChange says which aspects of a version are replaced, and by what.
type AttrChange struct {
	Version Version
	Mask    holdfast.Aspect
	Entry   holdfast.Entry // the aspects in Mask are taken from here
	If      holdfast.Conditions
}

// SetAttributes replaces aspects of a version and returns the entry as stored. Kinds: NotFound, Precondition, Locked.
func (b *Bucket) SetAttributes(ctx context.Context, key string, change AttrChange) (holdfast.Entry, error) {
	return holdfast.Entry{}, unsupported("volume.set attributes")
}
