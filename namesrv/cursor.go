package namesrv

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"holdfast/namesrv/schema"
)

// cursor is an iterator over one kind, confined to one directory at a time.
type cursor struct {
	it   *pebble.Iterator
	kind schema.Kind
	dir  [17]byte // kind and directory
	ok   bool

	// A lazy cursor only moves as far as it is told by upTo: between two rows there may be any number of deleted ones to cross, and a page
	// may end before them.
	lazy   bool
	paused bool   // there may be a row further on
	from   []byte // where a seek that was not begun is to
}

func (c *cursor) open(v *view, k schema.Kind) error {
	lower, upper := schema.KindRange(k)
	it, err := v.snap.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return readFailed(err)
	}
	c.it, c.kind = it, k
	return nil
}

func (c *cursor) close(err *error) {
	if cerr := c.it.Close(); cerr != nil && (*err == nil || errors.Is(*err, errFull)) {
		*err = readFailed(cerr)
	}
}

// seek moves to the first row of the directory at or after key, which begins with the directory's prefix.
func (c *cursor) seek(key []byte) {
	copy(c.dir[:], key)
	if c.lazy {
		c.ok, c.paused, c.from = false, true, append(c.from[:0], key...)
		return
	}
	c.ok = c.it.SeekGE(key) && bytes.HasPrefix(c.it.Key(), c.dir[:])
}

func (c *cursor) next() {
	if c.lazy {
		c.ok, c.paused = false, true
		return
	}
	c.ok = c.it.Next() && bytes.HasPrefix(c.it.Key(), c.dir[:])
}

// upTo moves a paused cursor on to its row if that comes before the limit; nil is no limit.
func (c *cursor) upTo(limit []byte) {
	if !c.paused {
		return
	}
	var state pebble.IterValidityState
	if len(c.from) > 0 {
		state = c.it.SeekGEWithLimit(c.from, limit)
		c.from = c.from[:0]
	} else {
		state = c.it.NextWithLimit(limit)
	}
	c.paused = state == pebble.IterAtLimit
	c.ok = state == pebble.IterValid && bytes.HasPrefix(c.it.Key(), c.dir[:])
}

// rest is the key behind the directory.
func (c *cursor) rest() []byte { return c.it.Key()[len(c.dir):] }

func (c *cursor) value() ([]byte, error) {
	v, err := c.it.ValueAndErr()
	if err != nil {
		return nil, readFailed(err)
	}
	return v, nil
}
