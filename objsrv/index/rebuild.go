package index

import (
	"encoding/binary"

	"holdfast"
	"holdfast/objsrv/pool"
	"time"
)

// rowFound is the kind of rows that a rebuild sorts headers with; it removes them at its end.
const rowFound = 'z' // object id, offset, address → header fields

// Found is a header of a block as a rebuild keeps it.
type Found struct {
	Addr   pool.Addr
	Header pool.Header
}

// AddFound keeps a header for [Store.EachFound].
func (b *Batch) AddFound(f *Found) {
	h := &f.Header
	b.key = appendID(append(b.key[:0], rowFound), h.Object)
	b.key = binary.BigEndian.AppendUint64(b.key, uint64(h.Offset))
	b.key = append(b.key, byte(f.Addr.Class))
	b.key = binary.BigEndian.AppendUint64(b.key, uint64(f.Addr.File))
	b.key = binary.BigEndian.AppendUint32(b.key, f.Addr.Block)
	b.val = binary.AppendUvarint(b.val[:0], uint64(h.Home))
	b.val = binary.AppendUvarint(b.val, uint64(h.Size))
	b.val = binary.AppendUvarint(b.val, uint64(h.Length))
	b.val = binary.AppendUvarint(b.val, uint64(h.Created.UnixMilli()))
	b.val = binary.AppendUvarint(b.val, uint64(h.Writer))
	b.val = appendSums(b.val, h.Sums)
	b.set(b.key, b.val)
}

const foundKeyLen = 1 + 16 + 8 + 1 + 8 + 4

func decodeFound(key, value []byte) (f Found, err error) {
	if len(key) != foundKeyLen || key[25] >= pool.Classes {
		return f, corrupt("key of a found header")
	}
	f.Header.Object, _ = parseID(key[1:17])
	f.Header.Offset = int64(binary.BigEndian.Uint64(key[17:]))
	f.Addr.Class = pool.Class(key[25])
	f.Addr.File = holdfast.Epoch(binary.BigEndian.Uint64(key[26:]))
	f.Addr.Block = binary.BigEndian.Uint32(key[34:])
	d := decoder{b: value}
	f.Header.Home = holdfast.Slot(d.uvarint(holdfast.Slots - 1))
	f.Header.Size = int64(d.uvarint(holdfast.MaxObjectSize))
	f.Header.Length = int64(d.uvarint(pool.MaxBlock))
	f.Header.Created = time.UnixMilli(int64(d.uvarint(1 << 48)))
	f.Header.Writer = holdfast.Epoch(d.uvarint(1 << 48))
	f.Header.Sums = d.uint32s(pool.Subs(f.Header.Length))
	if d.bad || len(d.b) != 0 {
		return f, corrupt("found header")
	}
	return f, nil
}

// EachFound calls f with all headers kept for one object after the other, ordered by offset.
func (s *Store) EachFound(f func(id holdfast.ObjectID, blocks []Found) error) error {
	var blocks []Found
	err := scan(s.kv, rowFound, []byte{rowFound}, func(key, value []byte) error {
		found, err := decodeFound(key, value)
		if err != nil {
			return err
		}
		if len(blocks) > 0 && blocks[0].Header.Object != found.Header.Object {
			if err := f(blocks[0].Header.Object, blocks); err != nil {
				return err
			}
			blocks = blocks[:0]
		}
		blocks = append(blocks, found)
		return nil
	})
	if err == nil && len(blocks) > 0 {
		err = f(blocks[0].Header.Object, blocks)
	}
	return err
}

// DropFound removes what AddFound kept.
func (b *Batch) DropFound() {
	if err := b.b.DeleteRange([]byte{rowFound}, []byte{rowFound + 1}, nil); err != nil && b.err == nil {
		b.err = err
	}
}

// Commit applies the batch, waits until it is durable, and empties it. Unlike Apply and Wait it returns after a fault too.
func (s *Store) Commit(b *Batch) error {
	if b.err != nil {
		return b.err
	}
	if err := s.commit(b.b); err != nil {
		return err
	}
	b.b.Reset()
	return nil
}

// Len returns the bytes of the batch.
func (b *Batch) Len() int { return b.b.Len() }
