package volume

import (
	"context"
	"crypto/rand"

	"holdfast"
	"holdfast/volume/path"
)

// Where new directories go. The first levels under a bucket's root are spread over all slots, so that a bucket uses all name
// servers; deeper directories stay with their parent, so that making them joins the transaction of the
// put they are made for, except a few that go elsewhere, lest one top-level directory stays on one server for ever.
// The slot is a function of the bucket's root, the parent's slot and the name, and so of the path: creators that race choose the same, and
// a directory that vanished and is made again comes back to where it was. So a key stays on one server, and the change log of that has
// all that happened to it in order.
const (
	spreadDepth = 2  // levels that are always spread
	strayDepth  = 8  // levels of which some are spread
	strayOneIn  = 16 // how many of those
	dirTxOps    = 62 // operations for directories in one transaction; leaves room for those of the change
)

// plan is a path to a change's directory: the part that exists and the directories to be made.
type plan struct {
	parent holdfast.DirID   // the deepest directory that exists
	names  []string         // the missing directories below it
	dirs   []holdfast.DirID // their new ids
	target holdfast.DirID   // the directory the path ends in
}

// planPath gives new ids to the directories that a resolved question lacks.
func (b *Bucket) planPath(q *question) (plan, error) {
	parent := q.last(b.info.Root)
	p := plan{parent: parent, target: parent}
	if q.located() {
		return p, nil
	}
	p.names = q.names[len(q.dirs):]
	p.dirs = make([]holdfast.DirID, len(p.names))
	for i, name := range p.names {
		var random [16]byte
		if _, err := rand.Read(random[:]); err != nil {
			return plan{}, wrap("make directory", name, err)
		}
		p.dirs[i] = holdfast.NewDirID(childSlot(b.info.Root, p.target.Slot(), name, len(q.dirs)+i), random)
		p.target = p.dirs[i]
	}
	return p, nil
}

// childSlot chooses the slot of a new directory that is depth levels below the bucket's root.
func childSlot(root holdfast.DirID, parent holdfast.Slot, name string, depth int) holdfast.Slot {
	h := uint64(14695981039346656037) // FNV-1a: the same in every process and release
	add := func(c byte) { h = (h ^ uint64(c)) * 1099511628211 }
	for _, c := range root {
		add(c)
	}
	add(byte(parent))
	add(byte(parent >> 8))
	for i := range len(name) {
		add(name[i])
	}
	h ^= h >> 29
	spread := holdfast.Slot(h >> 16 % holdfast.Slots)
	if depth < spreadDepth || depth < strayDepth && h>>32%strayOneIn == 0 {
		return spread
	}
	return parent
}

// step is a run of transactions for one name server.
type step struct {
	dir holdfast.DirID // a directory there
	txs []holdfast.Tx
}

// steps cuts a plan and the change's operations into transactions, from the top down, so that each depends on the ones before:
// if one fails, the later ones find no directory to work in and fail too. heads are the new directories whose parent is on
// another server; they are made before they are linked.
func (b *Bucket) steps(p plan, ops []holdfast.Op) (heads []holdfast.Tx, steps []step) {
	r := b.vol.router
	cur := step{dir: p.parent, txs: []holdfast.Tx{{}}}
	add := func(ops ...holdfast.Op) {
		tx := &cur.txs[len(cur.txs)-1]
		if len(tx.Ops)+len(ops) > dirTxOps {
			cur.txs = append(cur.txs, holdfast.Tx{})
			tx = &cur.txs[len(cur.txs)-1]
		}
		tx.Ops = append(tx.Ops, ops...)
	}
	parent := p.parent
	for i, dir := range p.dirs {
		mk := holdfast.MakeDir{Dir: dir, Parent: parent, Name: p.names[i], Root: b.info.Root}
		link := holdfast.LinkDir{Parent: parent, Name: p.names[i], Child: dir, Exclusive: true}
		if r.together(parent, dir) {
			add(mk, link)
		} else {
			heads = append(heads, holdfast.Tx{Ops: []holdfast.Op{mk}})
			add(link)
			steps = append(steps, cur)
			cur = step{dir: dir, txs: []holdfast.Tx{{}}}
		}
		parent = dir
	}
	last := &cur.txs[len(cur.txs)-1]
	if len(last.Ops) == 0 {
		last.Ops = ops
	} else {
		last.Ops = append(last.Ops, ops...)
	}
	return heads, append(steps, cur)
}

// run applies a plan and the change's operations once and returns the replies to these. Kinds that mean the tree
// changed: Exists (another creator was first), DirGone, Conflict.
func (b *Bucket) run(ctx context.Context, p plan, ops []holdfast.Op, note string) ([]holdfast.Reply, error) {
	leave, err := b.enter(ctx, p.target)
	if err != nil {
		return nil, err
	}
	defer leave()
	if len(p.dirs) == 0 {
		results := b.vol.router.applyOnce(ctx, p.target, []holdfast.Tx{{Ops: ops, Note: note}})
		return results[0].Replies, results[0].Err
	}
	heads, steps := b.steps(p, ops)
	last := steps[len(steps)-1].txs
	last[len(last)-1].Note = note
	for _, result := range b.vol.router.apply(ctx, heads) {
		if result.Err != nil {
			return nil, result.Err
		}
	}
	var result holdfast.Result
	for _, s := range steps {
		for _, result = range b.vol.router.applyOnce(ctx, s.dir, s.txs) {
			if result.Err != nil {
				return nil, result.Err
			}
		}
	}
	return result.Replies[len(result.Replies)-len(ops):], nil
}

// remember puts the directories that a plan made into the cache.
func (b *Bucket) remember(p plan) {
	parent := p.parent
	for i, dir := range p.dirs {
		b.vol.paths.Put(path.Edge{Epoch: b.info.Epoch, Parent: parent, Name: p.names[i]}, dir)
		parent = dir
	}
}

// repair makes the way free after a change met a sealed directory: it walks the path of the key afresh and removes the sealed
// directories from it. If the bucket itself is gone, it says so.
func (b *Bucket) repair(ctx context.Context, key string) error {
	qs := [1]question{newQuestion(key, holdfast.Lookup{Want: holdfast.WantDir})}
	q := &qs[0]
	b.recall(q)
	b.forget(q)
	q.walked = true
	b.walk(ctx, qs[:], false)

	dirs := append([]holdfast.DirID{b.info.Root}, q.dirs...)
	asks := make([]holdfast.Lookup, len(dirs))
	for i, dir := range dirs {
		asks[i] = holdfast.Lookup{Dir: dir, Want: holdfast.WantDir}
	}
	for i, a := range b.vol.router.lookup(ctx, asks) {
		if !holdfast.Is(a.Err, holdfast.DirGone) && !a.State.Sealed {
			continue
		}
		if i == 0 {
			return wrap("resolve", b.info.Name, ErrNoBucket)
		}
		b.vol.metrics.helped.Inc()
		b.forget(q)
		return b.vol.removeSealed(ctx, dirs[i-1], q.names[i-1], dirs[i])
	}
	return nil
}

// removeSealed unlinks a sealed directory and drops its record. All of it may be done any number of times, by anyone.
func (v *Volume) removeSealed(ctx context.Context, parent holdfast.DirID, name string, dir holdfast.DirID) error {
	unlink := holdfast.UnlinkDir{Parent: parent, Name: name, Child: dir}
	err := v.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{unlink}}})[0].Err
	if err != nil && !holdfast.Is(err, holdfast.DirGone) { // a parent that is gone links to nothing
		return err
	}
	return v.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{holdfast.DropDir{Dir: dir}}}})[0].Err
}
