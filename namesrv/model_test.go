package namesrv_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/namesrv/nametest"
	"holdfast/storage/storagetest"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the model test; 0 picks one")

// model runs the same random operations on the engine and on the memory implementation, and compares all they tell.
type model struct {
	*testing.T
	rng    *rand.Rand
	now    time.Time
	disk   *storagetest.CrashFS
	engine *namesrv.Engine
	memory *nametest.Memory

	toMemory map[holdfast.VersionID]holdfast.VersionID // versions of the engine to those of the memory
	versions [][2]holdfast.VersionID                   // engine, memory
	buckets  []holdfast.DirID
	dirs     []holdfast.DirID // all ever made
	links    []usedLink
	last     [][2]holdfast.Op
	n        uint64
}

type usedLink struct {
	dir  holdfast.DirID
	name string
	link holdfast.Link
}

func TestModel(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for i := range rounds {
		t.Run(fmt.Sprintf("seed=%d", seed+uint64(i)), func(t *testing.T) { runModel(t, seed+uint64(i)) })
	}
}

func runModel(t *testing.T, seed uint64) {
	m := &model{
		T: t, rng: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		toMemory: map[holdfast.VersionID]holdfast.VersionID{{}: {}}, disk: newDisk(t),
	}
	m.memory = nametest.New(m.clock, someSlots()...)
	m.reopen(true)
	defer func() { shut(t, m.engine) }()
	for step := 0; step < 1500 && !t.Failed(); step++ {
		m.now = m.now.Add(time.Second)
		m.step()
		switch m.rng.IntN(120) {
		case 0:
			m.compareAll()
			shut(t, m.engine)
			m.reopen(false)
		case 1:
			crashed := m.disk.Crash(m.rng.Uint64())
			shut(t, m.engine)
			m.disk = crashed
			m.reopen(false)
			m.compareAll()
		}
	}
	m.compareAll()
	check(t, m.engine)
}

// check runs the engine's own verifier.
func check(t testing.TB, e *namesrv.Engine) {
	t.Helper()
	err := e.Check(context.Background(), func(p namesrv.Problem) { t.Errorf("check: %s: %s", p.Key, p.What) }, nil)
	if err != nil {
		t.Errorf("check: %v", err)
	}
}

func (m *model) clock() time.Time { return m.now }

func (m *model) reopen(create bool) {
	opt := options(m.disk, create)
	opt.Clock = m.clock
	opt.Limits.CachedDirs = 4
	e, err := namesrv.Open(context.Background(), opt)
	if err != nil {
		m.Fatal(err)
	}
	m.engine = e
}

func pick[T any](r *rand.Rand, from []T) (v T) {
	if len(from) > 0 {
		v = from[r.IntN(len(from))]
	}
	return v
}

// step applies one call of a few transactions to both.
func (m *model) step() {
	var txs [2][]holdfast.Tx
	for range 1 + m.rng.IntN(3) {
		var ops [2][]holdfast.Op
		for range 1 + m.rng.IntN(2)*m.rng.IntN(3) {
			both := m.op()
			if len(m.last) > 0 && m.rng.IntN(8) == 0 {
				both = pick(m.rng, m.last)
			}
			if m.last = append(m.last, both); len(m.last) > 20 {
				m.last = m.last[1:]
			}
			for i := range ops {
				ops[i] = append(ops[i], both[i])
			}
		}
		for i := range txs {
			txs[i] = append(txs[i], holdfast.Tx{Ops: ops[i]})
		}
	}
	got, err := m.engine.Apply(context.Background(), txs[0])
	want, err2 := m.memory.Apply(context.Background(), txs[1])
	if err != nil || err2 != nil {
		m.Fatalf("apply: %v, %v", err, err2)
	}
	for i := range got {
		m.compareResults(txs[0][i], got[i], want[i])
	}
	if m.rng.IntN(10) == 0 {
		m.settle()
	}
	m.randomReads()
}

func (m *model) compareResults(tx holdfast.Tx, got, want holdfast.Result) {
	if (got.Err == nil) != (want.Err == nil) || holdfast.KindOf(got.Err) != holdfast.KindOf(want.Err) || got.Failed != want.Failed {
		m.Fatalf("%+v:\ngot  %v (%d)\nwant %v (%d)", tx.Ops, got.Err, got.Failed, want.Err, want.Failed)
	}
	for i := range got.Replies {
		g, w := got.Replies[i], want.Replies[i]
		if v := g.Entry.Version; !v.IsZero() && m.toMemory[v].IsZero() {
			m.toMemory[v] = w.Entry.Version
			m.versions = append(m.versions, [2]holdfast.VersionID{v, w.Entry.Version})
		}
		g.Entry, w.Entry = m.entry(g.Entry, true), m.entry(w.Entry, false)
		m.same(fmt.Sprintf("reply to %+v", tx.Ops[i]), g, w)
	}
}

// entry makes an entry comparable: times that come from clocks count in seconds.
func (m *model) entry(e holdfast.Entry, engine bool) holdfast.Entry {
	if engine {
		e.Version = m.toMemory[e.Version]
	}
	e.Modified = e.Modified.Truncate(time.Second)
	if len(e.Content.Parts) == 0 {
		e.Content.Parts = nil
	}
	return e
}

func (m *model) same(what string, got, want any) {
	m.Helper()
	if !reflect.DeepEqual(got, want) {
		m.Fatalf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}

var modelNames = []string{"", "a", "a\x00", "ab", "b", "\xff", "z"}
var modelSubs = []string{"/", "a/", "b/", "x\x00/"}

func (m *model) dir() holdfast.DirID {
	if len(m.dirs) == 0 || m.rng.IntN(30) == 0 {
		return holdfast.VolumeRoot
	}
	if m.rng.IntN(3) > 0 { // most work in few directories
		return m.dirs[m.rng.IntN(min(4, len(m.dirs)))]
	}
	return pick(m.rng, m.dirs)
}

func (m *model) newDir() holdfast.DirID {
	m.n++
	d := holdfast.NewDirID(holdfast.Slot(m.rng.IntN(64)), [16]byte{7: byte(m.n >> 8), 8: byte(m.n)})
	m.dirs = append(m.dirs, d)
	return d
}

func (m *model) version() [2]holdfast.VersionID {
	if m.rng.IntN(3) > 0 {
		return [2]holdfast.VersionID{}
	}
	return pick(m.rng, m.versions)
}

func (m *model) content(d holdfast.DirID, name string) (c holdfast.Content, size int64) {
	if m.rng.IntN(8) == 0 {
		return c, 0
	}
	if len(m.links) > 0 && m.rng.IntN(8) == 0 {
		u := pick(m.rng, m.links)
		if u.dir == d && u.name == name { // only whole requests are sent twice, see step
			return c, 0
		}
		return holdfast.Content{Link: u.link}, u.link.Size
	}
	if m.rng.IntN(8) == 0 {
		for i := range 1 + m.rng.IntN(20) {
			l := m.link(d)
			c.Parts = append(c.Parts, holdfast.Part{Number: i + 1, Offset: size, Size: l.Size, Link: l})
			size += l.Size
		}
		return c, size
	}
	l := m.link(d)
	m.links = append(m.links, usedLink{d, name, l})
	return holdfast.Content{Link: l}, l.Size
}

func (m *model) link(d holdfast.DirID) holdfast.Link {
	m.n++
	return holdfast.Link{
		OS: holdfast.NewServiceID(holdfast.TypeObjectStore, uint64(1+m.rng.IntN(2))), Object: holdfast.ObjectID{Epoch: 1, Counter: m.n},
		Home: d.Slot(), Size: int64(1 + m.rng.IntN(100)), CRC: uint32(m.n),
	}
}

func (m *model) conditions() (c holdfast.Conditions) {
	switch m.rng.IntN(12) {
	case 0:
		c.IfNoneMatch = true
	case 1:
		c.IfMatchAny = true
	case 2:
		size := int64(m.rng.IntN(100))
		c.IfSize = &size
	case 3:
		c.IfMatch = &holdfast.ETag{Digest: [16]byte{byte(m.rng.IntN(3) + 1)}}
	}
	return c
}

func same(op holdfast.Op) [2]holdfast.Op { return [2]holdfast.Op{op, op} }

// op makes a random operation, for the engine and for the memory; they differ where versions are named.
func (m *model) op() [2]holdfast.Op {
	d, name := m.dir(), pick(m.rng, modelNames)
	v := holdfast.Versioning(m.rng.IntN(3))
	switch p := m.rng.IntN(100); {
	case p < 30:
		e := holdfast.Entry{ETag: holdfast.ETag{Digest: [16]byte{byte(m.rng.IntN(3) + 1)}}, Owner: "o"}
		e.Content, e.Size = m.content(d, name)
		if m.rng.IntN(20) == 0 {
			e.Lock = holdfast.Lock{Mode: holdfast.LockGovernance, Until: m.now.Add(20 * time.Second)}
		}
		if m.rng.IntN(3) == 0 {
			e.Headers = []holdfast.Header{{Name: "h", Value: "v"}}
		}
		return same(holdfast.PutEntry{Dir: d, Name: name, Entry: e, Versioning: v, If: m.conditions(), Bucket: m.check()})
	case p < 50:
		ver := m.version()
		op := holdfast.DeleteEntry{Dir: d, Name: name, Versioning: v, Null: ver[0].IsZero() && m.rng.IntN(6) == 0, Owner: "o", If: m.conditions(), Bypass: m.rng.IntN(2) == 0}
		other := op
		op.Version, other.Version = ver[0], ver[1]
		return [2]holdfast.Op{op, other}
	case p < 56:
		ver := m.version()
		op := holdfast.SetEntry{Dir: d, Name: name, Mask: holdfast.Aspect(m.rng.IntN(128)), Bypass: m.rng.IntN(2) == 0, Null: ver[0].IsZero() && m.rng.IntN(6) == 0,
			Entry: holdfast.Entry{ACL: []byte("acl"), Tags: []holdfast.Header{{Name: "t", Value: "v"}}}}
		other := op
		op.Version, other.Version = ver[0], ver[1]
		return [2]holdfast.Op{op, other}
	case p < 75:
		return same(m.dirOp(d))
	case p < 78:
		if len(m.buckets) > 0 && m.rng.IntN(2) == 0 {
			return same(m.shareOp(d))
		}
		owner := fmt.Sprint("owner", m.rng.IntN(5))
		return same(holdfast.SetBucket{Root: pick(m.rng, append(m.buckets, d)), Owner: &owner, Settings: map[string][]byte{"s": []byte(owner)}})
	}
	return same(m.uploadOp(d, name))
}

func (m *model) check() holdfast.BucketCheck {
	if m.rng.IntN(5) > 0 {
		return holdfast.BucketCheck{}
	}
	return holdfast.BucketCheck{Root: pick(m.rng, m.buckets), Epoch: uint64(m.rng.IntN(4)), Quota: m.rng.IntN(4) == 0}
}

func (m *model) shareOp(d holdfast.DirID) holdfast.Op {
	return holdfast.SetShare{
		Dir: d, Root: pick(m.rng, m.buckets), Epoch: uint64(m.rng.IntN(4)), Share: int64(m.rng.IntN(200) - 50), Lower: m.rng.IntN(2) == 0,
	}
}

func (m *model) dirOp(d holdfast.DirID) holdfast.Op {
	sub := pick(m.rng, modelSubs)
	switch m.rng.IntN(8) {
	case 0, 1:
		if len(m.buckets) < 3 {
			root := m.newDir()
			m.buckets = append(m.buckets, root)
			return holdfast.MakeDir{Dir: root, Parent: holdfast.VolumeRoot, Name: "b/", Root: root, Bucket: &holdfast.BucketInfo{Name: "b"}}
		}
		return holdfast.MakeDir{Dir: m.newDir(), Parent: d, Name: sub, Root: pick(m.rng, m.buckets)}
	case 2, 3:
		// A child made later than its parent, so that there are no cycles.
		for i, id := range m.dirs {
			if id == d && i+1 < len(m.dirs) {
				return holdfast.LinkDir{Parent: d, Name: sub, Child: pick(m.rng, m.dirs[i+1:]), Exclusive: m.rng.IntN(3) == 0}
			}
		}
		return holdfast.LinkDir{Parent: holdfast.VolumeRoot, Name: sub, Child: pick(m.rng, append(m.dirs, holdfast.DirID{1}))}
	case 4, 5:
		return holdfast.UnlinkDir{Parent: d, Name: sub, Child: pick(m.rng, append(m.dirs, d))}
	case 6:
		return holdfast.SealDir{Dir: pick(m.rng, append(m.dirs, d)), Doom: m.rng.IntN(2) == 0}
	}
	return holdfast.DropDir{Dir: pick(m.rng, append(m.dirs, d))}
}

func (m *model) uploadOp(d holdfast.DirID, name string) holdfast.Op {
	name = name[:min(1, len(name))]
	id := holdfast.UploadID{byte(m.rng.IntN(4))}
	copy(id[1:], name) // ids are unique within a directory
	switch m.rng.IntN(10) {
	case 0, 1:
		return holdfast.CreateUpload{Dir: d, Name: name, Upload: holdfast.Upload{ID: id, Initiator: "i", Entry: holdfast.Entry{Owner: "o"}}}
	case 2, 3, 4:
		l := m.link(d)
		n := 1 + m.rng.IntN(3)
		return holdfast.PutPart{Dir: d, Name: name, Upload: id, Part: holdfast.Part{Number: n, Size: l.Size, Link: l, ETag: holdfast.ETag{Digest: [16]byte{byte(n)}}}, Bucket: m.check()}
	case 5, 6:
		op := holdfast.CompleteUpload{Dir: d, Name: name, Upload: id, Versioning: holdfast.Versioning(m.rng.IntN(3)), If: m.conditions(), MinPart: int64(m.rng.IntN(2) * 10)}
		for n := 1; n <= 3; n++ {
			if m.rng.IntN(2) == 0 {
				op.Parts = append(op.Parts, holdfast.CompletedPart{Number: n, ETag: holdfast.ETag{Digest: [16]byte{byte(n)}}})
			}
		}
		return op
	case 7:
		return holdfast.AbortUpload{Dir: d, Name: name, Upload: id}
	case 8:
		return holdfast.IndexUpload{Root: pick(m.rng, append(m.buckets, d)), Key: "k/" + name, Upload: holdfast.Upload{ID: id}}
	}
	return holdfast.UnindexUpload{Root: pick(m.rng, append(m.buckets, d)), Key: "k/" + name, Upload: id}
}

func (m *model) settle() {
	u := pick(m.rng, m.links)
	ask := []holdfast.GuardedObject{{Object: u.link.Object, Home: u.link.Home}, {Object: holdfast.ObjectID{Epoch: 2, Counter: m.n}, Home: 1}}
	got, err := m.engine.Settle(context.Background(), u.link.OS, ask)
	want, err2 := m.memory.Settle(context.Background(), u.link.OS, ask)
	if holdfast.KindOf(err) != holdfast.KindOf(err2) {
		m.Fatalf("settle: got %v, want %v", err, err2)
	}
	m.same("fates", got, want)
}

// randomReads compares one random lookup and one random page.
func (m *model) randomReads() {
	d := m.dir()
	ver := m.version()
	q := holdfast.Lookup{Dir: d, Want: holdfast.Want(m.rng.IntN(5)), Name: pick(m.rng, modelNames), Upload: holdfast.UploadID{byte(m.rng.IntN(4))},
		After: m.rng.IntN(3), Limit: m.rng.IntN(3), Null: ver[0].IsZero() && m.rng.IntN(4) == 0}
	for range m.rng.IntN(3) {
		q.Path = append(q.Path, pick(m.rng, modelSubs))
	}
	copy(q.Upload[1:], q.Name)
	q2 := q
	q.Version, q2.Version = ver[0], ver[1]
	m.compareLookup(q, q2)
	r := holdfast.ListRequest{Dir: d, What: holdfast.Listing(m.rng.IntN(3)), Limit: 1 + m.rng.IntN(8), Recursive: m.rng.IntN(2) == 0, WithContent: m.rng.IntN(2) == 0}
	path := func() (p string) {
		for range m.rng.IntN(3) {
			p += pick(m.rng, modelSubs)
		}
		return p + pick(m.rng, modelNames)
	}
	if m.rng.IntN(2) == 0 {
		r.Prefix = path()
	}
	if m.rng.IntN(2) == 0 {
		r.From, r.After = path(), m.rng.IntN(2) == 0
	}
	r2 := r
	if r.After && r.What == holdfast.ListVersions {
		ver := m.version()
		r.FromVersion, r2.FromVersion = ver[0], ver[1]
	}
	m.compareList(r, r2)
}

func (m *model) compareLookup(q, q2 holdfast.Lookup) {
	got, err := m.engine.Lookup(context.Background(), []holdfast.Lookup{q})
	want, err2 := m.memory.Lookup(context.Background(), []holdfast.Lookup{q2})
	if err != nil || err2 != nil {
		m.Fatalf("lookup: %v, %v", err, err2)
	}
	g, w := got[0], want[0]
	if (g.Err == nil) != (w.Err == nil) || holdfast.KindOf(g.Err) != holdfast.KindOf(w.Err) {
		m.Fatalf("%+v: got %v, want %v", q, g.Err, w.Err)
	}
	g.Err, w.Err = nil, nil
	g.Entry, w.Entry = m.entry(g.Entry, true), m.entry(w.Entry, false)
	if len(g.Dirs) == 0 {
		g.Dirs, w.Dirs = nil, w.Dirs[:0:0]
		w.Dirs = nil
	}
	if len(g.Bucket.Settings) == 0 {
		g.Bucket.Settings, w.Bucket.Settings = nil, nil
	}
	m.same(fmt.Sprintf("answer to %+v", q), g, w)
}

func (m *model) compareList(r, r2 holdfast.ListRequest) {
	got, err := m.engine.List(context.Background(), []holdfast.ListRequest{r})
	want, err2 := m.memory.List(context.Background(), []holdfast.ListRequest{r2})
	if err != nil || err2 != nil {
		m.Fatalf("list: %v, %v", err, err2)
	}
	g, w := got[0], want[0]
	if (g.Err == nil) != (w.Err == nil) || holdfast.KindOf(g.Err) != holdfast.KindOf(w.Err) || g.More != w.More || len(g.Items) != len(w.Items) {
		m.Fatalf("%+v:\ngot  %v\nwant %v", r, m.page(g), m.page(w))
	}
	for i := range g.Items {
		if g.Items[i].Entry != nil && w.Items[i].Entry != nil {
			*g.Items[i].Entry, *w.Items[i].Entry = m.entry(*g.Items[i].Entry, true), m.entry(*w.Items[i].Entry, false)
		}
		m.same(fmt.Sprintf("item %d of %+v", i, r), g.Items[i], w.Items[i])
	}
}

func (m *model) page(p holdfast.Page) string {
	s := fmt.Sprintf("%v more=%v:", p.Err, p.More)
	for _, it := range p.Items {
		s += fmt.Sprintf(" %q", it.Name)
	}
	return s
}

// compareAll compares everything that can be asked.
func (m *model) compareAll() {
	m.Helper()
	for _, d := range append([]holdfast.DirID{holdfast.VolumeRoot}, m.dirs...) {
		for what := holdfast.ListObjects; what <= holdfast.ListUploads; what++ {
			r := holdfast.ListRequest{Dir: d, What: what, Limit: 10000, WithContent: true}
			m.compareList(r, r)
			r.Recursive = true
			m.compareList(r, r)
		}
		for _, want := range []holdfast.Want{holdfast.WantDir, holdfast.WantBucket} {
			q := holdfast.Lookup{Dir: d, Want: want}
			m.compareLookup(q, q)
		}
	}
	ctx := context.Background()
	for _, b := range m.buckets {
		got, err := m.engine.Usage(ctx, b)
		want, err2 := m.memory.Usage(ctx, b)
		m.same("usage", [2]any{got, err}, [2]any{want, err2})
		epoch, err := m.engine.BucketEpoch(ctx, b)
		epoch2, err2 := m.memory.BucketEpoch(ctx, b)
		m.same("epoch", [2]any{epoch, holdfast.KindOf(err)}, [2]any{epoch2, holdfast.KindOf(err2)})
	}
	got, err := m.engine.Changes(ctx, 0, 10000)
	want, err2 := m.memory.Changes(ctx, 0, 10000)
	if err != nil || err2 != nil || len(got) != len(want) {
		m.Fatalf("changes: got %d, %v; want %d, %v", len(got), err, len(want), err2)
	}
	for i := range got {
		got[i].Version = m.toMemory[got[i].Version]
		m.same("change", got[i], want[i])
	}
	ins, err := m.engine.Intents(ctx, holdfast.IntentID{}, 0, 1000)
	ins2, err2 := m.memory.Intents(ctx, holdfast.IntentID{}, 0, 1000)
	if err != nil || err2 != nil || len(ins) != len(ins2) {
		m.Fatalf("intents: got %+v, %v; want %+v, %v", ins, err, ins2, err2)
	}
	for i := range ins {
		ins[i].ID.Seq, ins2[i].ID.Seq = 0, 0
		m.same("intent", ins[i], ins2[i])
	}
	st, _ := m.engine.Status(ctx)
	st2, _ := m.memory.Status(ctx)
	st.InFlight = 0
	m.same("status", st, st2)
}
