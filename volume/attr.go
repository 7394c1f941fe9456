package volume

import (
	"context"
	"time"

	"holdfast"
	"holdfast/volume/path"
)

// AttrChange says which aspects of a version are replaced, and by what.
type AttrChange struct {
	Version Version
	Mask    holdfast.Aspect
	Entry   holdfast.Entry // the aspects in Mask are taken from here
	If      holdfast.Conditions
	Bypass  bool // of governance mode
}

// SetAttributes replaces aspects of a version and returns the entry as stored. Kinds: NotFound, Precondition, Locked.
func (b *Bucket) SetAttributes(ctx context.Context, key string, change AttrChange) (_ holdfast.Entry, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opSetAttributes, start, err) }()
	return b.setAttributes(ctx, key, change)
}

func (b *Bucket) setAttributes(ctx context.Context, key string, ch AttrChange) (holdfast.Entry, error) {
	if err := checkKey(opSetAttributes.String(), key); err != nil {
		return holdfast.Entry{}, err
	}
	name := key[len(path.Dir(key)):]
	c := change{op: opSetAttributes.String(), key: key, absent: holdfast.NotFound}
	c.ops = func(_ context.Context, at place) ([]holdfast.Op, error) {
		set := holdfast.SetEntry{
			Dir: at.dir, Name: name, Version: ch.Version.ID, Null: ch.Version.Null,
			Mask: ch.Mask, Entry: ch.Entry, If: ch.If, Bypass: ch.Bypass,
		}
		return []holdfast.Op{set}, nil
	}
	replies, err := b.apply(ctx, &c)
	if err != nil {
		return holdfast.Entry{}, wrap(c.op, key, err)
	}
	return replies[0].Entry, nil
}
