package namesrv

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/namesrv/schema"
)

// group is the evaluation of one commit group: the store, and over it what the group's transactions changed so far. A
// transaction that fails is rolled back to its mark. Directory records, usage and the server's counters, which many
// transactions of a group change, are written once, when the group is.
type group struct {
	c   *committer
	now time.Time

	overlay map[string][]byte   // nil: deleted
	touched map[string][]string // keys of the overlay by the prefix they are scanned with
	undo    []undoRecord

	tx        uint64      // number of the transaction, to save each directory once
	saved     []savedDir  // of this transaction
	dirty     []*dirState // of the group
	dirtyTx   []*dirState // of this transaction, in addition
	txUsage   []usageDelta
	usage     map[usageKey]holdfast.Usage
	changes   []holdfast.Change
	note      string // of the transaction that is run
	garbage   []garbage
	epochs    []epochChange
	cutBefore uint64 // change records below it are removed

	quotas      []holdfast.DirID // buckets that operations of this transaction said have a quota
	savedShares []savedShare     // of this transaction

	state schema.State

	key, key2, buf []byte // scratch
	mem            []byte // values of the overlay are cut from it
	arena          schema.Arena
}

type undoRecord struct {
	key  string
	old  []byte
	have bool
}

// dirState is a directory record in the committer's cache; exists is false for one that is known not to be there.
type dirState struct {
	schema.Dir
	id      holdfast.DirID
	exists  bool
	isDirty bool
	savedTx uint64
}

type savedDir struct {
	d      *dirState
	old    schema.Dir
	exists bool
}

type usageKey struct {
	root holdfast.DirID
	slot holdfast.Slot
}

type usageDelta struct {
	usageKey
	holdfast.Usage
}

type garbage struct {
	os   holdfast.ServiceID
	home holdfast.Slot
	id   holdfast.ObjectID
	n    uint64
}

type epochChange struct {
	root  holdfast.DirID
	epoch uint64
	gone  bool
}

func newGroup(c *committer) *group {
	return &group{c: c, overlay: map[string][]byte{}, touched: map[string][]string{}, usage: map[usageKey]holdfast.Usage{}}
}

// begin starts a new group.
func (g *group) begin(now time.Time) {
	clear(g.overlay)
	clear(g.touched)
	clear(g.usage)
	for _, d := range g.dirty {
		d.isDirty = false
	}
	g.dirty, g.changes, g.garbage, g.epochs = g.dirty[:0], g.changes[:0], g.garbage[:0], g.epochs[:0]
	g.cutBefore = 0
	g.state = g.c.state
	g.mem, g.arena = nil, schema.Arena{}
	g.now = now.UTC().Round(0)
	g.keep()
}

// empty reports whether the group changes nothing.
func (g *group) empty() bool {
	return len(g.overlay) == 0 && len(g.dirty) == 0 && len(g.changes) == 0 && len(g.garbage) == 0 && g.cutBefore == 0
}

// mark is where a transaction began.
type mark struct {
	changes, garbage, epochs int
	state                    schema.State
}

func (g *group) mark() mark {
	return mark{len(g.changes), len(g.garbage), len(g.epochs), g.state}
}

// keep ends a transaction that succeeded.
func (g *group) keep() {
	g.tx++
	g.undo, g.saved = g.undo[:0], g.saved[:0]
	g.dirty = append(g.dirty, g.dirtyTx...)
	g.dirtyTx = g.dirtyTx[:0]
	for i := range g.txUsage {
		u := g.usage[g.txUsage[i].usageKey]
		u.Add(g.txUsage[i].Usage)
		g.usage[g.txUsage[i].usageKey] = u
	}
	g.countShares()
	g.txUsage = g.txUsage[:0]
	g.quotas, g.savedShares = g.quotas[:0], g.savedShares[:0]
}

// rollback ends a transaction that failed.
func (g *group) rollback(m mark) {
	for i := len(g.undo) - 1; i >= 0; i-- {
		if u := g.undo[i]; u.have {
			g.overlay[u.key] = u.old
		} else {
			delete(g.overlay, u.key)
		}
	}
	for _, s := range g.saved {
		s.d.Dir, s.d.exists = s.old, s.exists
	}
	for _, d := range g.dirtyTx {
		d.isDirty = false
	}
	g.restoreShares()
	g.dirtyTx, g.txUsage = g.dirtyTx[:0], g.txUsage[:0]
	g.changes, g.garbage, g.epochs = g.changes[:m.changes], g.garbage[:m.garbage], g.epochs[:m.epochs]
	g.state = m.state
	g.keep()
}

// get returns the value of a key. It is valid until the next get; key may be scratch.
func (g *group) get(key []byte) (value []byte, ok bool, err error) {
	if v, have := g.overlay[string(key)]; have {
		return v, v != nil, nil
	}
	v, closer, err := g.c.e.store.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, readFailed(err)
	}
	g.buf = append(g.buf[:0], v...)
	_ = closer.Close() // only releases the block
	return g.buf, true, nil
}

// set writes a value; nil deletes. The value must be the group's own (see own).
func (g *group) set(key, value []byte) {
	old, have := g.overlay[string(key)]
	k := string(key)
	g.undo = append(g.undo, undoRecord{k, old, have})
	g.overlay[k] = value
}

// setScanned is set for keys that scan finds: prefix is the one it is given.
func (g *group) setScanned(key, value []byte, prefix int) {
	g.set(key, value)
	p := string(key[:prefix])
	g.touched[p] = append(g.touched[p], string(key))
}

// own returns room for a value of the overlay: append to it, then call owned.
func (g *group) own() []byte {
	if cap(g.mem)-len(g.mem) < 512 {
		g.mem = make([]byte, 0, 16<<10)
	}
	return g.mem[len(g.mem):len(g.mem)]
}

func (g *group) owned(v []byte) []byte {
	if n := len(g.mem) + len(v); n <= cap(g.mem) && len(v) > 0 && &v[0] == &g.mem[:n][len(g.mem)] {
		g.mem = g.mem[:n]
	}
	return v[:len(v):len(v)]
}

// pair is a record that scan found.
type pair struct{ key, value []byte }

// scan returns up to limit records with the prefix, in order, the group's own changes included; they are copies.
func (g *group) scan(prefix []byte, limit int) ([]pair, error) {
	fresh := slices.Clone(g.touched[string(prefix)])
	slices.SortFunc(fresh, strings.Compare)
	fresh = slices.Compact(fresh)
	var out []pair
	// flush adds the group's own records before the key, or all with nil.
	flush := func(before []byte) {
		for len(fresh) > 0 && len(out) < limit && (before == nil || fresh[0] < string(before)) {
			if v := g.overlay[fresh[0]]; v != nil {
				out = append(out, pair{[]byte(fresh[0]), v})
			}
			fresh = fresh[1:]
		}
	}
	errFull := errors.New("full")
	err := scanBetween(g.c.e.store, prefix, schema.PrefixEnd(nil, prefix), func(key, value []byte) error {
		if flush(key); len(out) >= limit {
			return errFull
		}
		if _, changed := g.overlay[string(key)]; !changed {
			out = append(out, pair{slices.Clone(key), slices.Clone(value)})
		}
		return nil
	})
	if err != nil && err != errFull {
		return nil, err
	}
	flush(nil)
	return out[:min(len(out), limit)], nil
}

// tick advances the hybrid clock: growing, and not behind the wall clock.
func (g *group) tick() uint64 {
	g.state.Clock = max(g.state.Clock+1, uint64(g.now.UnixNano()))
	return g.state.Clock
}

// newVersion makes a version id later than all before.
func (g *group) newVersion() (v holdfast.VersionID) {
	binary.BigEndian.PutUint64(v[:8], g.tick())
	binary.BigEndian.PutUint64(v[8:], g.c.rand.Uint64())
	return v
}

// change appends to the change log.
func (g *group) change(kind holdfast.ChangeKind, d *dirState, name string, e *holdfast.Entry) {
	g.state.Seq++
	c := holdfast.Change{Seq: g.state.Seq, At: g.now, Kind: kind, Bucket: d.Root, Dir: d.id, Name: name}
	if e != nil {
		c.Version, c.Null, c.Size, c.ETag, c.Note = e.Version, e.Null, e.Size, e.ETag, g.note
	}
	g.changes = append(g.changes, c)
}

// dir returns the record of a directory, in a slot that is held.
func (g *group) dir(id holdfast.DirID) (*dirState, error) {
	if d, ok := g.c.dirs[id]; ok {
		return d, nil
	}
	if !g.c.e.holds(id) {
		return nil, notOwner(id)
	}
	d := &dirState{id: id}
	g.key = schema.DirKey(g.key[:0], id)
	v, ok, err := g.get(g.key)
	if err != nil {
		return nil, err
	}
	if ok {
		if err := schema.DecodeDir(&d.Dir, v); err != nil {
			return nil, corrupt("directory", g.key, err)
		}
		d.exists = true
	}
	g.c.dirs[id] = d
	return d, nil
}

// openDir is dir for one that must be there and not be sealed.
func (g *group) openDir(id holdfast.DirID) (*dirState, error) {
	d, err := g.dir(id)
	if err == nil && (!d.exists || d.Sealed) {
		return nil, dirGone(id)
	}
	return d, err
}

func dirGone(id holdfast.DirID) error {
	return &holdfast.Error{Op: "namesrv", Kind: holdfast.DirGone, ID: id.String()}
}

// edit must be called before a directory record is changed.
func (g *group) edit(d *dirState) {
	if d.savedTx != g.tx {
		d.savedTx = g.tx
		g.saved = append(g.saved, savedDir{d, d.Dir, d.exists})
	}
	if !d.isDirty {
		d.isDirty = true
		g.dirtyTx = append(g.dirtyTx, d)
	}
}

// count changes what a bucket holds in the slot of a directory.
func (g *group) count(d *dirState, u holdfast.Usage) {
	if !d.Root.IsZero() {
		g.txUsage = append(g.txUsage, usageDelta{usageKey{d.Root, d.id.Slot()}, u})
	}
}

// fill writes the group into a batch.
func (g *group) fill(b *pebble.Batch) error {
	for k, v := range g.overlay {
		g.key = append(g.key[:0], k...)
		if v == nil {
			_ = b.Delete(g.key, nil) // a batch only fails when closed; so below
		} else {
			_ = b.Set(g.key, v, nil)
		}
	}
	for _, d := range g.dirty {
		g.key = schema.DirKey(g.key[:0], d.id)
		if !d.exists {
			_ = b.Delete(g.key, nil)
			continue
		}
		g.buf = schema.AppendDir(g.buf[:0], &d.Dir)
		_ = b.Set(g.key, g.buf, nil)
	}
	for i := range g.changes {
		g.key = schema.ChangeKey(g.key[:0], g.changes[i].Seq)
		g.buf = schema.AppendChange(g.buf[:0], &g.changes[i])
		_ = b.Set(g.key, g.buf, nil)
	}
	for i := range g.garbage {
		o := &g.garbage[i]
		g.key = schema.GarbageKey(g.key[:0], o.os, o.n)
		g.buf = schema.AppendGarbage(g.buf[:0], o.home, o.id)
		_ = b.Set(g.key, g.buf, nil)
	}
	if g.cutBefore > 0 {
		lower, _ := schema.KindRange(schema.KindChange)
		_ = b.DeleteRange(lower, schema.ChangeKey(nil, g.cutBefore), nil)
	}
	if err := g.fillUsage(b); err != nil {
		return err
	}
	return b.Set(schema.StateKey(), schema.AppendState(nil, &g.state), nil)
}

func (g *group) fillUsage(b *pebble.Batch) error {
	for k, delta := range g.usage {
		g.key = schema.UsageKey(g.key[:0], k.root, k.slot)
		v, ok, err := g.get(g.key)
		if err != nil {
			return err
		}
		if ok {
			old, err := schema.DecodeUsage(v)
			if err != nil {
				return corrupt("usage", g.key, err)
			}
			delta.Add(old)
		}
		if delta == (holdfast.Usage{}) {
			_ = b.Delete(g.key, nil)
			continue
		}
		_ = b.Set(g.key, schema.AppendUsage(nil, delta), nil)
	}
	return nil
}
