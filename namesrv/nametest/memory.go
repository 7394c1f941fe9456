package nametest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"holdfast"
)

// Memory is a name server in memory. Make it with [New].
type Memory struct {
	mu      sync.Mutex
	now     func() time.Time
	slots   map[holdfast.Slot]bool
	clock   uint64
	dirs    map[holdfast.DirID]*dir
	fates   map[object]fate
	intents map[holdfast.IntentID]holdfast.Intent
	changes []holdfast.Change
	note    string // of the transaction that is run
	garbage []holdfast.Link
	done    map[upKey]holdfast.Reply // completed uploads
	shares  map[holdfast.DirID]share
}

// dir is a directory with all it holds. Versions of a name are newest first; a name without versions is not there.
type dir struct {
	id      holdfast.DirID
	root    holdfast.DirID
	parent  holdfast.DirID
	name    string
	sealed  bool
	intent  holdfast.IntentID
	bucket  *holdfast.BucketInfo
	names   map[string][]*holdfast.Entry
	subs    map[string]holdfast.DirID
	uploads map[nameUpload]*upload
	index   map[nameUpload]holdfast.Upload
}

type nameUpload struct {
	name string
	id   holdfast.UploadID
}

type upKey struct {
	dir holdfast.DirID
	nameUpload
}

type upload struct {
	holdfast.Upload
	parts map[int]holdfast.UploadedPart
}

type object struct {
	os holdfast.ServiceID
	id holdfast.ObjectID
}

// fate says who committed an object (a name or a part), and what it was told.
type fate struct {
	fate  holdfast.Fate
	owner string
	reply holdfast.Reply
}

var _ holdfast.NameService = (*Memory)(nil)

// New makes a name server that holds the slots, all of them if none is named. Now is its clock; nil means time.Now.
func New(now func() time.Time, slots ...holdfast.Slot) *Memory {
	m := &Memory{
		now: now, slots: map[holdfast.Slot]bool{}, dirs: map[holdfast.DirID]*dir{}, fates: map[object]fate{},
		intents: map[holdfast.IntentID]holdfast.Intent{}, done: map[upKey]holdfast.Reply{},
		shares: map[holdfast.DirID]share{},
	}
	if now == nil {
		m.now = time.Now
	}
	for _, s := range slots {
		m.slots[s] = true
	}
	for s := holdfast.Slot(0); len(slots) == 0 && s < holdfast.Slots; s++ {
		m.slots[s] = true
	}
	if m.slots[holdfast.VolumeRoot.Slot()] {
		m.dirs[holdfast.VolumeRoot] = newDir(holdfast.VolumeRoot)
	}
	return m
}

func newDir(id holdfast.DirID) *dir {
	return &dir{
		id: id, names: map[string][]*holdfast.Entry{}, subs: map[string]holdfast.DirID{},
		uploads: map[nameUpload]*upload{}, index: map[nameUpload]holdfast.Upload{},
	}
}

// clone copies a directory as deep as changes reach: entries and parts are replaced, never changed.
func (d *dir) clone() *dir {
	c := *d
	c.names, c.subs, c.index = maps.Clone(d.names), maps.Clone(d.subs), maps.Clone(d.index)
	for n, vs := range c.names {
		c.names[n] = slices.Clone(vs)
	}
	c.uploads = make(map[nameUpload]*upload, len(d.uploads))
	for k, u := range d.uploads {
		c.uploads[k] = &upload{u.Upload, maps.Clone(u.parts)}
	}
	return &c
}

// Garbage returns the links given up so far, in order.
func (m *Memory) Garbage() []holdfast.Link {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.garbage)
}

func fail(kind holdfast.Kind) error { return holdfast.E("nametest", kind, nil) }

func (m *Memory) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return holdfast.E("nametest", holdfast.Aborted, err)
	}
	return nil
}

// tick advances the clock that orders versions and intents.
func (m *Memory) tick() uint64 {
	m.clock = max(m.clock+1, uint64(m.now().UnixNano()))
	return m.clock
}

func (m *Memory) newVersion() (v holdfast.VersionID) {
	binary.BigEndian.PutUint64(v[:8], m.tick())
	binary.BigEndian.PutUint64(v[8:], rand.Uint64())
	return v
}

// open returns a directory that is there and not sealed.
func (m *Memory) open(id holdfast.DirID) (*dir, error) {
	if !m.slots[id.Slot()] {
		return nil, fail(holdfast.NotOwner)
	}
	d := m.dirs[id]
	if d == nil || d.sealed {
		return nil, fail(holdfast.DirGone)
	}
	return d, nil
}

// current returns the visible current version of a name, or nil.
func (d *dir) current(name string) *holdfast.Entry {
	if vs := d.names[name]; len(vs) > 0 && !vs[0].Marker {
		return vs[0]
	}
	return nil
}

func (d *dir) version(name string, v holdfast.VersionID) *holdfast.Entry {
	for _, e := range d.names[name] {
		if e.Version == v {
			return e
		}
	}
	return nil
}

func (d *dir) null(name string) *holdfast.Entry {
	for _, e := range d.names[name] {
		if e.Null {
			return e
		}
	}
	return nil
}

// entries counts everything the directory holds.
func (d *dir) entries() (n int64) {
	for _, vs := range d.names {
		n += int64(len(vs))
	}
	return n + int64(len(d.subs)+len(d.uploads))
}

func (d *dir) visible() (n int64) {
	for name := range d.names {
		if d.current(name) != nil {
			n++
		}
	}
	return n
}

// Apply implements [holdfast.NameService].
func (m *Memory) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	if len(txs) > holdfast.MaxTxs {
		return nil, fail(holdfast.TooLarge)
	}
	for i := range txs {
		if len(txs[i].Ops) > holdfast.MaxTxOps {
			return nil, fail(holdfast.TooLarge)
		}
		if len(txs[i].Note) > holdfast.MaxNote {
			return nil, fail(holdfast.TooLarge)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	results := make([]holdfast.Result, len(txs))
	for i := range txs {
		m.note = txs[i].Note
		results[i] = m.apply(txs[i].Ops)
	}
	m.note = ""
	return results, nil
}

// apply runs a transaction. Each operation checks everything before it changes anything, so only those of several need a way back.
func (m *Memory) apply(ops []holdfast.Op) holdfast.Result {
	undo := func() {}
	quotas := m.quotasOf(ops)
	if len(ops) > 1 || len(quotas) > 0 {
		undo = m.save(ops)
	}
	replies := make([]holdfast.Reply, len(ops))
	for i, op := range ops {
		r, err := m.run(op)
		if err != nil {
			undo()
			return holdfast.Result{Err: err, Failed: i}
		}
		replies[i] = r
	}
	for _, q := range quotas {
		if !m.fits(q) {
			undo()
			return holdfast.Result{Err: fail(holdfast.QuotaExceeded), Failed: -1}
		}
	}
	return holdfast.Result{Failed: -1, Replies: replies}
}

// save copies what the operations may change and returns what puts it back.
func (m *Memory) save(ops []holdfast.Op) func() {
	old := map[holdfast.DirID]*dir{}
	keep := func(id holdfast.DirID) {
		if old[id] = nil; m.dirs[id] != nil {
			old[id] = m.dirs[id].clone()
		}
	}
	for _, op := range ops {
		if op == nil {
			continue
		}
		keep(op.Target())
		switch op := op.(type) {
		case holdfast.LinkDir:
			keep(op.Child)
		case holdfast.DropIntent:
			if in, ok := m.intents[op.ID]; ok {
				keep(in.Dir)
			}
		}
	}
	fates, intents, done, shares := maps.Clone(m.fates), maps.Clone(m.intents), maps.Clone(m.done), maps.Clone(m.shares)
	changes, garbage := len(m.changes), len(m.garbage)
	return func() {
		for id, d := range old {
			if m.dirs[id] = d; d == nil {
				delete(m.dirs, id)
			}
		}
		m.fates, m.intents, m.done, m.shares = fates, intents, done, shares
		m.changes, m.garbage = m.changes[:changes], m.garbage[:garbage]
	}
}

func (m *Memory) run(op holdfast.Op) (holdfast.Reply, error) {
	if op == nil {
		return holdfast.Reply{}, fail(holdfast.Invalid)
	}
	if !m.slots[op.Target().Slot()] {
		return holdfast.Reply{}, fail(holdfast.NotOwner)
	}
	switch op := op.(type) {
	case holdfast.PutEntry:
		return m.putEntry(op)
	case holdfast.DeleteEntry:
		return m.deleteEntry(op)
	case holdfast.SetEntry:
		return m.setEntry(op)
	case holdfast.MakeDir:
		return holdfast.Reply{}, m.makeDir(op)
	case holdfast.LinkDir:
		return m.linkDir(op)
	case holdfast.UnlinkDir:
		return holdfast.Reply{}, m.unlinkDir(op)
	case holdfast.SealDir:
		return holdfast.Reply{}, m.sealDir(op)
	case holdfast.DropDir:
		return holdfast.Reply{}, m.dropDir(op)
	case holdfast.SetBucket:
		return m.setBucket(op)
	case holdfast.CreateUpload:
		return holdfast.Reply{}, m.createUpload(op)
	case holdfast.PutPart:
		return holdfast.Reply{}, m.putPart(op)
	case holdfast.CompleteUpload:
		return m.completeUpload(op)
	case holdfast.AbortUpload:
		return holdfast.Reply{}, m.abortUpload(op)
	case holdfast.IndexUpload:
		return holdfast.Reply{}, m.indexUpload(op)
	case holdfast.UnindexUpload:
		return holdfast.Reply{}, m.unindexUpload(op)
	case holdfast.DropIntent:
		return holdfast.Reply{}, m.dropIntent(op)
	case holdfast.SetShare:
		return m.setShare(op)
	}
	return holdfast.Reply{}, holdfast.E("nametest", holdfast.Unsupported, fmt.Errorf("operation %T", op))
}

func (m *Memory) change(kind holdfast.ChangeKind, d *dir, name string, e *holdfast.Entry) {
	c := holdfast.Change{
		Seq: uint64(len(m.changes)) + 1, At: m.now().UTC().Round(0), Kind: kind, Bucket: d.root, Dir: d.id, Name: name,
	}
	if e != nil {
		c.Version, c.Null, c.Size, c.ETag, c.Note = e.Version, e.Null, e.Size, e.ETag, m.note
	}
	m.changes = append(m.changes, c)
}

// BucketEpoch implements [holdfast.NameService].
func (m *Memory) BucketEpoch(ctx context.Context, root holdfast.DirID) (uint64, error) {
	if err := m.begin(ctx); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	d, err := m.open(root)
	if err != nil {
		return 0, err
	}
	if d.bucket == nil {
		return 0, fail(holdfast.DirGone)
	}
	return d.bucket.Epoch, nil
}

// Usage implements [holdfast.NameService].
func (m *Memory) Usage(ctx context.Context, root holdfast.DirID) (u holdfast.Usage, err error) {
	if err := m.begin(ctx); err != nil {
		return u, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.usage(root), nil
}

func (m *Memory) usage(root holdfast.DirID) (u holdfast.Usage) {
	for _, d := range m.dirs {
		if d.root != root || root.IsZero() {
			continue
		}
		u.Objects += d.visible()
		for _, vs := range d.names {
			for _, e := range vs {
				u.Versions++
				u.Bytes += e.Size
			}
		}
		for _, up := range d.uploads {
			for _, p := range up.parts {
				u.UploadBytes += p.Part.Size
			}
		}
	}
	return u
}

// Settle implements [holdfast.NameService].
func (m *Memory) Settle(ctx context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	if len(objects) > holdfast.MaxObjectIDs {
		return nil, fail(holdfast.TooLarge)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range objects {
		if !m.slots[o.Home] {
			return nil, fail(holdfast.NotOwner)
		}
	}
	fates := make([]holdfast.Fate, len(objects))
	for i, o := range objects {
		key := object{os, o.Object}
		f := m.fates[key]
		if f.fate == holdfast.FatePending {
			f.fate = holdfast.FateDoomed
			m.fates[key] = f
		}
		if f.reply.Created { // an implementation may forget as much once it has told
			f.reply.Created = false
			m.fates[key] = f
		}
		fates[i] = f.fate
	}
	return fates, nil
}

// Changes implements [holdfast.NameService].
func (m *Memory) Changes(ctx context.Context, after uint64, limit int) ([]holdfast.Change, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	if limit < 1 {
		return nil, fail(holdfast.Invalid)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if after >= uint64(len(m.changes)) {
		return nil, nil
	}
	rest := m.changes[after:]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

// Intents implements [holdfast.NameService].
func (m *Memory) Intents(ctx context.Context, after holdfast.IntentID, olderThan time.Duration, limit int) ([]holdfast.Intent, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	if limit < 1 {
		return nil, fail(holdfast.Invalid)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.now().Add(-olderThan)
	var out []holdfast.Intent
	for _, in := range m.intents {
		if compareIntents(in.ID, after) > 0 && !in.At.After(before) {
			out = append(out, in)
		}
	}
	slices.SortFunc(out, func(a, b holdfast.Intent) int { return compareIntents(a.ID, b.ID) })
	return out[:min(limit, len(out))], nil
}

func compareIntents(a, b holdfast.IntentID) int {
	switch {
	case a == b:
		return 0
	case a.Slot < b.Slot || a.Slot == b.Slot && a.Seq < b.Seq:
		return -1
	}
	return 1
}

// Status implements [holdfast.NameService].
func (m *Memory) Status(ctx context.Context) (s holdfast.NameStatus, err error) {
	if err := m.begin(ctx); err != nil {
		return s, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s = holdfast.NameStatus{
		Slots: len(m.slots), Seq: uint64(len(m.changes)), First: 1, Intents: int64(len(m.intents)), Garbage: int64(len(m.garbage)),
	}
	for _, d := range m.dirs {
		for _, vs := range d.names {
			s.Names += int64(len(vs))
		}
	}
	return s, nil
}

var errContent = errors.New("content does not cover the entry")
