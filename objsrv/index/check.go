package index

import (
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/objsrv/pool"
)

// Report is what [Store.Check] found. Problems are in plain words, at most maxProblems of them.
type Report struct {
	Objects  int64
	Bytes    int64
	Blocks   int64
	Problems []string
}

const maxProblems = 100

// Problem adds to the report.
func (r *Report) Problem(format string, args ...any) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Locate tells in which region a block is and which bit stands for it; ok is false if there is no such pool file.
type Locate func(a pool.Addr) (key pool.RegionKey, bit uint32, ok bool)

// Check compares records, bitmaps, checksum rows and counters of one moment: no two blocks of records are the same, a bit
// is set exactly for each of them, the counters are right. It needs memory for one bit per block and may run beside everything
// else.
func (s *Store) Check(locate Locate) (Report, error) {
	snap := s.kv.NewSnapshot()
	defer snap.Close()
	c := checker{locate: locate, stored: map[pool.RegionKey][]byte{}, found: map[pool.RegionKey][]byte{}}
	err := bitmaps(snap, func(key pool.RegionKey, bits []byte) error {
		c.stored[key] = slices.Clone(bits)
		return nil
	})
	if err == nil {
		err = c.records(snap)
	}
	if err == nil {
		err = c.counters(snap)
	}
	c.compare()
	return c.Report, err
}

type checker struct {
	Report
	locate        Locate
	stored, found map[pool.RegionKey][]byte
}

func (c *checker) records(snap pebble.Reader) error {
	return objects(snap, holdfast.ObjectID{}, func(id holdfast.ObjectID, r *Record) error {
		c.Objects++
		c.Bytes += r.Size
		for _, a := range r.Blocks {
			c.block(id, a)
		}
		if !r.External() {
			if !r.Verify() {
				c.Problem("object %v: checksums of the sub-blocks do not join to that of the whole", id)
			}
			return nil
		}
		return c.sumRows(snap, id, r)
	})
}

func (c *checker) block(id holdfast.ObjectID, a pool.Addr) {
	c.Blocks++
	key, bit, ok := c.locate(a)
	if !ok {
		c.Problem("object %v: the pool file of block %+v is missing", id, a)
		return
	}
	bits := c.found[key]
	for len(bits) <= int(bit/8) {
		bits = append(bits, 0)
	}
	if bits[bit/8]&(1<<(bit%8)) != 0 {
		c.Problem("object %v: block %+v belongs to another object too", id, a)
	}
	bits[bit/8] |= 1 << (bit % 8)
	c.found[key] = bits
}

// sumRows checks that each block of a big object has its row of checksums.
func (c *checker) sumRows(snap pebble.Reader, id holdfast.ObjectID, r *Record) error {
	for i := range r.Blocks {
		v, closer, err := snap.Get(appendSumsKey(nil, id, i))
		if err == pebble.ErrNotFound {
			c.Problem("object %v: the checksums of block %d are missing", id, i)
			continue
		}
		if err != nil {
			return readError(err)
		}
		if len(v) != 4*pool.Subs(r.BlockLength(i)) {
			c.Problem("object %v: %d bytes of checksums for block %d", id, len(v), i)
		}
		if err := closer.Close(); err != nil {
			return readError(err)
		}
	}
	return nil
}

func (c *checker) counters(snap pebble.Reader) error {
	var got Counters
	v, closer, err := snap.Get([]byte{rowCounter})
	switch {
	case err == nil:
		if got, err = parseCounters(v); err != nil {
			c.Problem("counters: %v", err)
		}
		if err := closer.Close(); err != nil {
			return readError(err)
		}
	case err != pebble.ErrNotFound:
		return readError(err)
	}
	if want := (Counters{Objects: c.Objects, Bytes: c.Bytes}); got != want {
		c.Problem("counters say %+v, the records %+v", got, want)
	}
	return nil
}

func (c *checker) compare() {
	for key, bits := range c.found {
		if got := c.stored[key]; !slices.Equal(got, bits) {
			c.Problem("bitmap of region %v is %x, the records say %x", key, got, bits)
		}
	}
	for key, bits := range c.stored {
		if c.found[key] == nil {
			c.Problem("bitmap of region %v is %x, no record has a block there", key, bits)
		}
	}
}
