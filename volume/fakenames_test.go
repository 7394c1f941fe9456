package volume_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast"
	"holdfast/volume"
)

// fakeNames is a name server in memory, as plain as the contract allows: one lock, maps, an undo log. It is what the volume is
// tried against where the engine would be in the way of the proof, as when every call can fail.
type fakeNames struct {
	id    holdfast.ServiceID
	slots *volume.SlotMap

	mu      sync.Mutex
	dirs    map[holdfast.DirID]*fakeDir
	fates   map[fateKey]fateRow
	clock   uint64
	intents map[holdfast.IntentID]holdfast.Intent
	undo    []func()
}

type fateKey struct {
	os     holdfast.ServiceID
	object holdfast.ObjectID
}

type fateRow struct {
	fate holdfast.Fate
	at   string // where it was committed
	as   holdfast.Entry
}

type fakeDir struct {
	state   holdfast.DirState
	bucket  *holdfast.BucketInfo
	names   map[string][]holdfast.Entry // newest first
	subs    map[string]holdfast.DirID
	uploads map[string]map[holdfast.UploadID]*fakeUpload
	index   map[string]map[holdfast.UploadID]holdfast.Upload
	done    map[holdfast.UploadID]holdfast.Reply
}

type fakeUpload struct {
	up    holdfast.Upload
	parts map[int]holdfast.UploadedPart
}

var _ holdfast.NameService = (*fakeNames)(nil)

func newFakeNames(id holdfast.ServiceID, slots *volume.SlotMap) *fakeNames {
	n := &fakeNames{
		id: id, slots: slots,
		dirs:    make(map[holdfast.DirID]*fakeDir),
		fates:   make(map[fateKey]fateRow),
		intents: make(map[holdfast.IntentID]holdfast.Intent),
	}
	if slots.Owner(holdfast.VolumeRoot) == id {
		n.dirs[holdfast.VolumeRoot] = newFakeDir(holdfast.DirState{})
	}
	return n
}

func newFakeDir(state holdfast.DirState) *fakeDir {
	return &fakeDir{
		state: state, names: make(map[string][]holdfast.Entry), subs: make(map[string]holdfast.DirID),
		uploads: make(map[string]map[holdfast.UploadID]*fakeUpload),
		index:   make(map[string]map[holdfast.UploadID]holdfast.Upload),
		done:    make(map[holdfast.UploadID]holdfast.Reply),
	}
}

func kind(k holdfast.Kind) error { return holdfast.E("fake", k, nil) }

// dir returns a directory that operations may work in.
func (n *fakeNames) dir(id holdfast.DirID) (*fakeDir, error) {
	if n.slots.Owner(id) != n.id {
		return nil, kind(holdfast.NotOwner)
	}
	d := n.dirs[id]
	if d == nil || d.state.Sealed {
		return nil, kind(holdfast.DirGone)
	}
	return d, nil
}

func (d *fakeDir) entries() (all, visible int64) {
	all = int64(len(d.subs))
	for _, versions := range d.names {
		all += int64(len(versions))
		if !versions[0].Marker {
			visible++
		}
	}
	for _, ups := range d.uploads {
		all += int64(len(ups))
	}
	return all, visible
}

func (n *fakeNames) Lookup(_ context.Context, questions []holdfast.Lookup) ([]holdfast.Answer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answers := make([]holdfast.Answer, len(questions))
	for i := range questions {
		n.lookup(&questions[i], &answers[i])
	}
	return answers, nil
}

func (n *fakeNames) lookup(q *holdfast.Lookup, a *holdfast.Answer) {
	d, err := n.dir(q.Dir)
	for _, name := range q.Path {
		if err != nil {
			break
		}
		id, ok := d.subs[name]
		if !ok {
			a.Err = kind(holdfast.NotFound)
			return
		}
		a.Dirs = append(a.Dirs, id)
		d, err = n.dir(id)
	}
	if a.Err = err; err != nil {
		return
	}
	switch q.Want {
	case holdfast.WantDir:
		a.State = d.state
		a.State.Entries, a.State.Visible = d.entries()
	case holdfast.WantBucket:
		if d.bucket == nil {
			a.Err = kind(holdfast.NotFound)
			return
		}
		a.Bucket = *d.bucket
	case holdfast.WantEntry:
		i := find(d.names[q.Name], q.Version, q.Null)
		if i < 0 {
			a.Err = kind(holdfast.NotFound)
			return
		}
		a.Entry = d.names[q.Name][i]
		if a.Entry.Marker {
			a.Err = kind(holdfast.NotFound)
		}
	case holdfast.WantUpload, holdfast.WantParts:
		up := d.uploads[q.Name][q.Upload]
		if up == nil {
			a.Err = kind(holdfast.NoSuchUpload)
			return
		}
		a.Upload = up.up
		if q.Want == holdfast.WantParts {
			for _, number := range slices.Sorted(maps.Keys(up.parts)) {
				if number <= q.After {
					continue
				}
				if len(a.Parts) == cmp.Or(q.Limit, holdfast.MaxParts) {
					a.More = true
					break
				}
				a.Parts = append(a.Parts, up.parts[number])
			}
		}
	}
}

func find(versions []holdfast.Entry, v holdfast.VersionID, null bool) int {
	for i := range versions {
		if null && versions[i].Null || !null && (v.IsZero() || versions[i].Version == v) {
			return i
		}
	}
	return -1
}

func (n *fakeNames) List(_ context.Context, requests []holdfast.ListRequest) ([]holdfast.Page, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	pages := make([]holdfast.Page, len(requests))
	for i := range requests {
		pages[i] = n.list(&requests[i])
	}
	return pages, nil
}

func (n *fakeNames) list(r *holdfast.ListRequest) (page holdfast.Page) {
	d, err := n.dir(r.Dir)
	if err != nil {
		return holdfast.Page{Err: err}
	}
	if r.Limit < 1 || r.Limit > holdfast.MaxList || len(r.From) > holdfast.MaxName {
		return holdfast.Page{Err: kind(holdfast.Invalid)}
	}
	var items []holdfast.Item
	if r.What == holdfast.ListUploads {
		for key, ups := range d.index {
			for _, up := range ups {
				items = append(items, holdfast.Item{Name: key, Upload: &up})
			}
		}
	} else {
		items = n.expand(d, "", r)
	}
	slices.SortFunc(items, func(a, b holdfast.Item) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		if a.Upload != nil {
			return bytes.Compare(a.Upload.ID[:], b.Upload.ID[:])
		}
		if a.Entry == nil || b.Entry == nil { // the empty name of a directory and the directory
			return 0
		}
		return bytes.Compare(b.Entry.Version[:], a.Entry.Version[:])
	})
	for _, it := range items {
		if !strings.HasPrefix(it.Name, r.Prefix) || before(&it, r) {
			continue
		}
		if len(page.Items) == r.Limit {
			page.More = true
			break
		}
		page.Items = append(page.Items, it)
	}
	return page
}

// before reports whether an item comes before the place where a page begins.
func before(it *holdfast.Item, r *holdfast.ListRequest) bool {
	if !it.Dir.IsZero() && len(r.From) > len(it.Name) && strings.HasPrefix(r.From, it.Name) && r.Recursive {
		return false
	}
	if it.Name != r.From || !r.After {
		return it.Name < r.From
	}
	switch {
	case it.Entry != nil && r.What == holdfast.ListVersions && !r.FromVersion.IsZero():
		return bytes.Compare(it.Entry.Version[:], r.FromVersion[:]) >= 0
	case it.Upload != nil && r.FromUpload != holdfast.UploadID{}:
		return bytes.Compare(it.Upload.ID[:], r.FromUpload[:]) <= 0
	}
	return true
}

func (n *fakeNames) expand(d *fakeDir, rel string, r *holdfast.ListRequest) (items []holdfast.Item) {
	for name, versions := range d.names {
		for i := range versions {
			e := versions[i]
			e.Content = holdfast.Content{}
			if r.What == holdfast.ListVersions || i == 0 && !e.Marker {
				items = append(items, holdfast.Item{Name: rel + name, Entry: &e, Latest: i == 0})
			}
		}
	}
	for name, id := range d.subs {
		if sub := n.dirs[id]; r.Recursive && sub != nil {
			if !sub.state.Sealed {
				items = append(items, n.expand(sub, rel+name, r)...)
			}
			continue
		}
		items = append(items, holdfast.Item{Name: rel + name, Dir: id, Visible: n.visible(id)})
	}
	return items
}

func (n *fakeNames) visible(id holdfast.DirID) holdfast.Visibility {
	d := n.dirs[id]
	if d == nil {
		return holdfast.VisibleUnknown
	}
	if _, visible := d.entries(); visible > 0 {
		return holdfast.VisibleYes
	}
	v := holdfast.VisibleNo
	for _, sub := range d.subs {
		switch n.visible(sub) {
		case holdfast.VisibleYes:
			return holdfast.VisibleYes
		case holdfast.VisibleUnknown:
			v = holdfast.VisibleUnknown
		}
	}
	return v
}

func (n *fakeNames) Apply(_ context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	results := make([]holdfast.Result, len(txs))
	for i, tx := range txs {
		results[i] = n.applyTx(tx)
	}
	return results, nil
}

func (n *fakeNames) applyTx(tx holdfast.Tx) (result holdfast.Result) {
	n.undo = n.undo[:0]
	if len(tx.Ops) > holdfast.MaxTxOps {
		return holdfast.Result{Err: kind(holdfast.TooLarge), Failed: -1}
	}
	for i, op := range tx.Ops {
		reply, err := n.do(op)
		if err != nil {
			for _, undo := range slices.Backward(n.undo) {
				undo()
			}
			return holdfast.Result{Err: err, Failed: i}
		}
		result.Replies = append(result.Replies, reply)
	}
	result.Failed = -1
	return result
}

// set changes a map so that it can be undone; a nil value removes.
func set[K comparable, V any](n *fakeNames, m map[K]V, k K, v *V) {
	old, had := m[k]
	n.undo = append(n.undo, func() {
		if had {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
	if v == nil {
		delete(m, k)
	} else {
		m[k] = *v
	}
}

func (n *fakeNames) tick() uint64 {
	n.clock = max(n.clock+1, uint64(time.Now().UnixNano()))
	return n.clock
}

func (n *fakeNames) version() (v holdfast.VersionID) {
	binary.BigEndian.PutUint64(v[:], n.tick())
	return v
}

func (n *fakeNames) addIntent(k holdfast.IntentKind, dir, parent holdfast.DirID, name string) {
	id := holdfast.IntentID{Slot: dir.Slot(), Seq: n.tick()}
	in := holdfast.Intent{ID: id, Kind: k, Dir: dir, Parent: parent, Name: name, At: time.Now()}
	set(n, n.intents, id, &in)
}

func (n *fakeNames) do(op holdfast.Op) (reply holdfast.Reply, err error) {
	if mk, ok := op.(holdfast.MakeDir); ok {
		return reply, n.makeDir(mk)
	}
	if drop, ok := op.(holdfast.DropDir); ok {
		return reply, n.dropDir(drop)
	}
	if drop, ok := op.(holdfast.DropIntent); ok {
		set(n, n.intents, drop.ID, nil)
		return reply, nil
	}
	d, err := n.dir(op.Target())
	if err != nil {
		return reply, err
	}
	switch op := op.(type) {
	case holdfast.PutEntry:
		return n.putEntry(d, op)
	case holdfast.DeleteEntry:
		return n.deleteEntry(d, op)
	case holdfast.SetEntry:
		return n.setEntry(d, op)
	case holdfast.LinkDir:
		if was, ok := d.subs[op.Name]; ok {
			if was != op.Child && op.Exclusive {
				return reply, kind(holdfast.Exists)
			}
			return holdfast.Reply{Dir: was}, nil
		}
		set(n, d.subs, op.Name, &op.Child)
		return holdfast.Reply{Dir: op.Child}, nil
	case holdfast.UnlinkDir:
		if d.subs[op.Name] == op.Child {
			set(n, d.subs, op.Name, nil)
		}
	case holdfast.SealDir:
		return reply, n.sealDir(d, op)
	case holdfast.SetBucket:
		return n.setBucket(d, op)
	default:
		return n.doUpload(d, op)
	}
	return reply, nil
}

func (n *fakeNames) makeDir(op holdfast.MakeDir) error {
	if n.slots.Owner(op.Dir) != n.id {
		return kind(holdfast.NotOwner)
	}
	if n.dirs[op.Dir] != nil {
		return nil
	}
	d := newFakeDir(holdfast.DirState{Parent: op.Parent, Name: op.Name, Bucket: op.Root})
	if op.Bucket != nil {
		info := *op.Bucket
		info.Epoch = n.tick()
		d.bucket = &info
	}
	set(n, n.dirs, op.Dir, &d)
	n.addIntent(holdfast.IntentLinkDir, op.Dir, op.Parent, op.Name)
	return nil
}

func (n *fakeNames) dropDir(op holdfast.DropDir) error {
	if n.slots.Owner(op.Dir) != n.id {
		return kind(holdfast.NotOwner)
	}
	if d := n.dirs[op.Dir]; d != nil && !d.state.Sealed {
		return kind(holdfast.Invalid)
	}
	set(n, n.dirs, op.Dir, nil)
	for id, in := range n.intents {
		if in.Dir == op.Dir {
			set(n, n.intents, id, nil)
		}
	}
	return nil
}

func (n *fakeNames) sealDir(d *fakeDir, op holdfast.SealDir) error {
	if len(d.subs) > 0 || len(d.names) > 0 || len(d.uploads) > 0 && !op.Doom {
		return kind(holdfast.NotEmpty)
	}
	for name, ups := range d.uploads {
		for id, up := range ups {
			n.endUpload(d, name, id)
			for _, p := range up.parts {
				n.doom(holdfast.Content{Link: p.Part.Link})
			}
		}
	}
	d.state.Sealed = true
	n.undo = append(n.undo, func() { d.state.Sealed = false })
	n.addIntent(holdfast.IntentUnlinkDir, op.Dir, d.state.Parent, d.state.Name)
	return nil
}

func (n *fakeNames) setBucket(d *fakeDir, op holdfast.SetBucket) (holdfast.Reply, error) {
	if op.Epoch != 0 && op.Epoch != d.bucket.Epoch {
		return holdfast.Reply{}, kind(holdfast.Conflict)
	}
	info := *d.bucket
	info.Settings = maps.Clone(info.Settings)
	if op.Owner != nil {
		info.Owner = *op.Owner
	}
	if op.Versioning != nil {
		info.Versioning = *op.Versioning
	}
	for k, v := range op.Settings {
		if info.Settings == nil {
			info.Settings = make(map[string][]byte)
		}
		info.Settings[k] = v
	}
	info.Epoch++
	old := d.bucket
	n.undo = append(n.undo, func() { d.bucket = old })
	d.bucket = &info
	return holdfast.Reply{Epoch: info.Epoch}, nil
}

func (n *fakeNames) BucketEpoch(_ context.Context, root holdfast.DirID) (uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d, err := n.dir(root)
	if err != nil {
		return 0, err
	}
	return d.bucket.Epoch, nil
}

func (n *fakeNames) Usage(_ context.Context, root holdfast.DirID) (u holdfast.Usage, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, d := range n.dirs {
		if d.state.Bucket != root || d.state.Sealed {
			continue
		}
		_, visible := d.entries()
		u.Objects += visible
		for _, versions := range d.names {
			u.Versions += int64(len(versions))
			for i := range versions {
				u.Bytes += versions[i].Size
			}
		}
	}
	return u, nil
}

func (n *fakeNames) Settle(_ context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fates := make([]holdfast.Fate, len(objects))
	for i, o := range objects {
		k := fateKey{os, o.Object}
		row := n.fates[k]
		if row.fate == holdfast.FatePending {
			row.fate = holdfast.FateDoomed
			n.fates[k] = row
		}
		fates[i] = row.fate
	}
	return fates, nil
}

func (n *fakeNames) Changes(context.Context, uint64, int) ([]holdfast.Change, error) {
	return nil, kind(holdfast.Unsupported)
}

func (n *fakeNames) Intents(_ context.Context, after holdfast.IntentID, olderThan time.Duration, limit int) ([]holdfast.Intent, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var intents []holdfast.Intent
	for _, in := range n.intents {
		if in.ID.Seq > after.Seq && time.Since(in.At) >= olderThan && len(intents) < limit {
			intents = append(intents, in)
		}
	}
	slices.SortFunc(intents, func(a, b holdfast.Intent) int { return cmp.Compare(a.ID.Seq, b.ID.Seq) })
	return intents, nil
}

func (n *fakeNames) Status(context.Context) (holdfast.NameStatus, error) {
	return holdfast.NameStatus{}, nil
}
