package index

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/objsrv/pool"
)

// ErrStop, returned by a callback, ends a scan without an error.
var ErrStop = errors.New("stop")

// scan calls f for each row of a kind at or after from, in order; key and value are valid during the call only.
func scan(r pebble.Reader, row byte, from []byte, f func(key, value []byte) error) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: []byte{row + 1}})
	if err != nil {
		return readError(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = f(it.Key(), value)
		}
		if err != nil {
			closeErr := it.Close()
			if err == ErrStop {
				return closeErr
			}
			return err
		}
	}
	err = it.Error()
	if closeErr := it.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return readError(err)
	}
	return nil
}

// Objects calls f for the records of objects with ids after the given one, in order; sums that are External are not
// loaded. f must not keep the record.
func (s *Store) Objects(after holdfast.ObjectID, f func(id holdfast.ObjectID, r *Record) error) error {
	return objects(s.kv, after, f)
}

func objects(r pebble.Reader, after holdfast.ObjectID, f func(id holdfast.ObjectID, r *Record) error) error {
	from := append(AppendObjectKey(nil, after), 0)
	var rec Record
	return scan(r, rowObject, from, func(key, value []byte) error {
		id, err := parseObjectKey(key)
		if err != nil {
			return err
		}
		if err := rec.Decode(value); err != nil {
			return &holdfast.Error{Op: "index.scan", Kind: holdfast.Corrupt, ID: id.String(), Err: err}
		}
		return f(id, &rec)
	})
}

// Bitmaps calls f for each region with a block in use; bits are valid during the call only.
func (s *Store) Bitmaps(f func(key pool.RegionKey, bits []byte) error) error {
	return bitmaps(s.kv, f)
}

func bitmaps(r pebble.Reader, f func(key pool.RegionKey, bits []byte) error) error {
	return scan(r, rowBitmap, []byte{rowBitmap}, func(key, value []byte) error {
		k, err := parseBitmapKey(key)
		if err != nil {
			return err
		}
		return f(k, value)
	})
}

// Doubts calls f for each object below the settled mark that is not settled, in order of ids after the given one.
func (s *Store) Doubts(after holdfast.ObjectID, f func(id holdfast.ObjectID) error) error {
	return scan(s.kv, rowDoubt, append(appendDoubtKey(nil, after), 0), func(key, _ []byte) error {
		id, err := parseObjectKey(key)
		if err != nil {
			return err
		}
		return f(id)
	})
}

// Last returns the greatest id of an object, zero if there is none.
func (s *Store) Last() (holdfast.ObjectID, error) {
	it, err := s.kv.NewIter(&pebble.IterOptions{LowerBound: []byte{rowObject}, UpperBound: []byte{rowObject + 1}})
	if err != nil {
		return holdfast.ObjectID{}, readError(err)
	}
	var id holdfast.ObjectID
	if it.Last() {
		id, err = parseObjectKey(it.Key())
	} else if err = it.Error(); err != nil {
		err = readError(err)
	}
	return id, errors.Join(err, it.Close())
}
