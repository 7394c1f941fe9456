package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/objsrv/pool"
	"holdfast/storage"
	"holdfast/storage/kv"
)

// storeFormat is the number in the format row; a store with another one is not opened.
const storeFormat = 1

// Options of [Open].
type Options struct {
	FS         storage.FS
	Dir        string
	Self       holdfast.ServiceID
	Create     bool
	Fence      holdfast.Fence
	CacheBytes int64 // of Pebble's block cache
	Log        *slog.Logger
}

// Store is the open index. Safe for concurrent use; batches are applied in the order of the calls of [Batch.Apply].
type Store struct{ kv *kv.Store }

// Open opens the store in a directory, or makes a new one. Errors are those of kv.Open, and Corrupt if the store is not
// that of the service.
func Open(opt Options) (*Store, error) {
	if opt.Create {
		if err := makeDir(opt.FS, opt.Dir); err != nil {
			return nil, holdfast.E("index.open", holdfast.Unavailable, err)
		}
	}
	db, err := kv.Open(opt.FS, opt.Dir, kv.Options{
		Create: opt.Create, CacheBytes: opt.CacheBytes, Fence: opt.Fence, Log: opt.Log,
	})
	if err != nil {
		return nil, err
	}
	s := &Store{db}
	if err := s.checkFormat(opt.Self, opt.Create); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// makeDir makes the directory of a new store and its name durable. The directory above exists and is the caller's.
func makeDir(fs storage.FS, dir string) error {
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	parent, err := fs.OpenDir(fs.PathDir(dir))
	if err != nil {
		return err
	}
	err = parent.Sync()
	return errors.Join(err, parent.Close())
}

// checkFormat writes the format row of a new store, or compares that of an old one. A store whose making was interrupted
// has none; the new epoch it was for never served, so Create again in another directory is the way out.
func (s *Store) checkFormat(self holdfast.ServiceID, create bool) error {
	want := binary.BigEndian.AppendUint64([]byte{storeFormat}, uint64(self))
	if create {
		b := s.kv.NewBatch()
		if err := b.Set([]byte{rowFormat}, want, nil); err != nil {
			return err
		}
		return s.commit(b)
	}
	got, err := s.value(rowFormat)
	switch {
	case err != nil:
		return err
	case len(got) != len(want) || got[0] != storeFormat:
		return corrupt(fmt.Sprintf("format row %x, want %x", got, want))
	case string(got) != string(want):
		return corrupt(fmt.Sprintf("the store is that of service %x", got[1:]))
	}
	return nil
}

// commit applies and waits on a goroutine of its own, since after a fault Pebble never returns.
func (s *Store) commit(b *pebble.Batch) error {
	done := make(chan error, 1)
	go func() { done <- s.kv.Apply(b, pebble.Sync) }()
	select {
	case err := <-done:
		return err
	case <-s.kv.Lost():
		return holdfast.E("index.commit", holdfast.Unknown, s.kv.Reason())
	}
}

// Lost is closed after a fault (R6): batches under way may never return then.
func (s *Store) Lost() <-chan struct{} { return s.kv.Lost() }

// Reason returns why the store is lost, or nil.
func (s *Store) Reason() error { return s.kv.Reason() }

// Lose marks the store lost, as a fault of its own would.
func (s *Store) Lose(reason error) { s.kv.Lose(reason) }

// Close closes the store; after a fault it gives it up.
func (s *Store) Close() error { return s.kv.Close() }

// value returns a copy of the row with a one-byte key, nil if there is none.
func (s *Store) value(row byte) ([]byte, error) {
	v, closer, err := s.kv.Get([]byte{row})
	if err == pebble.ErrNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, readError(err)
	}
	v = append([]byte(nil), v...)
	return v, closer.Close()
}

// Get reads the record of an object into r; without its sums if they are External. NotFound if there is none.
func (s *Store) Get(id holdfast.ObjectID, r *Record) error {
	var key [objectKeyLen]byte
	v, closer, err := s.kv.Get(AppendObjectKey(key[:0], id))
	if err == pebble.ErrNotFound {
		return &holdfast.Error{Op: "index.get", Kind: holdfast.NotFound, ID: id.String()}
	}
	if err != nil {
		return readError(err)
	}
	defer closer.Close()
	return r.Decode(v)
}

// Sums returns the checksums of block i of an object whose sums are External.
func (s *Store) Sums(id holdfast.ObjectID, r *Record, i int) ([]uint32, error) {
	v, closer, err := s.kv.Get(appendSumsKey(nil, id, i))
	if err == pebble.ErrNotFound {
		return nil, corrupt("checksums of a block are missing")
	}
	if err != nil {
		return nil, readError(err)
	}
	defer closer.Close()
	d := decoder{b: v}
	sums := d.uint32s(pool.Subs(r.BlockLength(i)))
	if d.bad || len(d.b) != 0 {
		return nil, corrupt("checksums of a block")
	}
	return sums, nil
}

// LoadSums completes a record whose sums are External.
func (s *Store) LoadSums(id holdfast.ObjectID, r *Record) error {
	if r.Sums != nil {
		return nil
	}
	sums := make([]uint32, 0, r.subs())
	for i := range r.Blocks {
		part, err := s.Sums(id, r, i)
		if err != nil {
			return err
		}
		sums = append(sums, part...)
	}
	r.Sums = sums
	return nil
}

// Settled returns the id up to which objects are settled, doubts excepted.
func (s *Store) Settled() (holdfast.ObjectID, error) { return s.mark(rowSettled) }

// Scrubbed returns the id up to which scrub has come in its present round.
func (s *Store) Scrubbed() (holdfast.ObjectID, error) { return s.mark(rowScrub) }

func (s *Store) mark(row byte) (holdfast.ObjectID, error) {
	v, err := s.value(row)
	if err != nil || v == nil {
		return holdfast.ObjectID{}, err
	}
	id, ok := parseID(v)
	if !ok {
		return id, corrupt("mark")
	}
	return id, nil
}

// Counters are sums over all records.
type Counters struct {
	Objects int64
	Bytes   int64
}

// Counters returns the stored sums.
func (s *Store) Counters() (Counters, error) {
	v, err := s.value(rowCounter)
	if err != nil || v == nil {
		return Counters{}, err
	}
	return parseCounters(v)
}

func parseCounters(v []byte) (Counters, error) {
	d := decoder{b: v}
	c := Counters{Objects: int64(d.uvarint(1 << 62)), Bytes: int64(d.uvarint(1 << 62))}
	if d.bad || len(d.b) != 0 {
		return Counters{}, corrupt("counters")
	}
	return c, nil
}

// Doubt reports whether an object below the settled mark is not settled.
func (s *Store) Doubt(id holdfast.ObjectID) (bool, error) {
	_, closer, err := s.kv.Get(appendDoubtKey(nil, id))
	if err == pebble.ErrNotFound {
		return false, nil
	}
	if err != nil {
		return false, readError(err)
	}
	return true, closer.Close()
}

func readError(err error) error {
	if pebble.IsCorruptionError(err) {
		return holdfast.E("index.read", holdfast.Corrupt, err)
	}
	return holdfast.E("index.read", holdfast.Unavailable, err)
}
