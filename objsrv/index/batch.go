package index

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/objsrv/pool"
)

// Batch collects changes that become durable together. Not safe for concurrent use.
type Batch struct {
	b   *pebble.Batch
	key []byte
	val []byte
	err error // the first; Pebble only fails here by our own misuse
}

// NewBatch returns an empty batch.
func (s *Store) NewBatch() *Batch { return &Batch{b: s.kv.NewBatch()} }

func (b *Batch) set(key, value []byte) {
	if err := b.b.Set(key, value, nil); err != nil && b.err == nil {
		b.err = err
	}
}

func (b *Batch) delete(key []byte) {
	if err := b.b.Delete(key, nil); err != nil && b.err == nil {
		b.err = err
	}
}

// Put writes a record with its sums.
func (b *Batch) Put(id holdfast.ObjectID, r *Record) {
	b.key, b.val = AppendObjectKey(b.key[:0], id), r.Append(b.val[:0])
	b.set(b.key, b.val)
	if !r.External() {
		return
	}
	for i := range r.Blocks {
		b.key, b.val = appendSumsKey(b.key[:0], id, i), appendSums(b.val[:0], r.BlockSums(i))
		b.set(b.key, b.val)
	}
}

// Replace writes a record again whose blocks changed; the rows of its sums stay.
func (b *Batch) Replace(id holdfast.ObjectID, r *Record) {
	b.key, b.val = AppendObjectKey(b.key[:0], id), r.Append(b.val[:0])
	b.set(b.key, b.val)
}

// Delete removes the record r of an object and all that goes with it.
func (b *Batch) Delete(id holdfast.ObjectID, r *Record, doubt bool) {
	b.key = AppendObjectKey(b.key[:0], id)
	b.delete(b.key)
	if doubt {
		b.Trust(id)
	}
	if r.External() {
		from, to := appendSumsKey(nil, id, 0), appendSumsKey(nil, id, len(r.Blocks))
		if err := b.b.DeleteRange(from, to, nil); err != nil && b.err == nil {
			b.err = err
		}
	}
}

// Bitmap writes the bitmap of a region, or removes it if no bit is set.
func (b *Batch) Bitmap(key pool.RegionKey, bits []byte) {
	b.key = appendBitmapKey(b.key[:0], key)
	if len(bits) == 0 {
		b.delete(b.key)
		return
	}
	b.set(b.key, bits)
}

// Counters writes the sums over all records.
func (b *Batch) Counters(c Counters) {
	b.val = binary.AppendUvarint(b.val[:0], uint64(c.Objects))
	b.val = binary.AppendUvarint(b.val, uint64(c.Bytes))
	b.set([]byte{rowCounter}, b.val)
}

// Settled moves the settled mark.
func (b *Batch) Settled(id holdfast.ObjectID) { b.set([]byte{rowSettled}, appendID(nil, id)) }

// Scrubbed moves the scrub mark.
func (b *Batch) Scrubbed(id holdfast.ObjectID) { b.set([]byte{rowScrub}, appendID(nil, id)) }

// Doubt marks an object below the settled mark as not settled; Trust takes that back.
func (b *Batch) Doubt(id holdfast.ObjectID) { b.set(appendDoubtKey(nil, id), nil) }

// Trust marks an object below the settled mark as settled.
func (b *Batch) Trust(id holdfast.ObjectID) { b.delete(appendDoubtKey(nil, id)) }

// Apply makes the batch visible and starts to make it durable; [Batch.Wait] tells when it is. After a fault it never
// returns.
func (s *Store) Apply(b *Batch) error {
	if b.err != nil {
		return b.err
	}
	return s.kv.ApplyNoSyncWait(b.b, pebble.Sync)
}

// Wait returns when an applied batch is durable and closes it. After a fault it never returns.
func (b *Batch) Wait() error {
	err := b.b.SyncWait()
	if closeErr := b.b.Close(); err == nil {
		err = closeErr
	}
	return err
}

// Discard closes a batch that was not applied.
func (b *Batch) Discard() { _ = b.b.Close() } // nothing was written
