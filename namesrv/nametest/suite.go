package nametest

import (
	"context"
	"fmt"
	"testing"

	"holdfast"
)

// Foreign is the slot that servers under [Suite] do not hold.
const Foreign holdfast.Slot = holdfast.Slots - 1

// Slots returns the slots that servers under [Suite] hold: all but [Foreign].
func Slots() []holdfast.Slot {
	s := make([]holdfast.Slot, 0, holdfast.Slots-1)
	for i := range Foreign {
		s = append(s, i)
	}
	return s
}

// Suite runs the conformance tests. Make returns a new, empty server that holds [Slots] and cleans up after itself by t.Cleanup.
func Suite(t *testing.T, make func(t *testing.T) holdfast.NameService) {
	tests := []struct {
		name string
		run  func(*world)
	}{
		{"put, lookup, delete", putLookupDelete},
		{"entries come back whole", wholeEntries},
		{"sealed entries", sealedEntries},
		{"part tables come back whole", wholePartTables},
		{"names", names},
		{"retried put is answered as done", retriedPut},
		{"retried put after an overwrite does not come back", retriedOldPut},
		{"a link has one owner", oneOwner},
		{"conditions", conditions},
		{"bucket epoch", bucketEpoch},
		{"transactions are atomic", atomicity},
		{"limits", limits},
		{"versions enabled", versionsEnabled},
		{"versions suspended", versionsSuspended},
		{"deleting versions promotes", promotion},
		{"object lock", objectLock},
		{"retention", retention},
		{"conditions on a named version", namedConditions},
		{"set entry", setEntry},
		{"directories", directories},
		{"implicit directory life", directoryLife},
		{"sealed directories", sealed},
		{"other servers' slots", foreignSlots},
		{"buckets", buckets},
		{"list", list},
		{"list pages", listPages},
		{"list recursive", listRecursive},
		{"list versions", listVersions},
		{"visibility", visibility},
		{"multipart", multipart},
		{"multipart errors", multipartErrors},
		{"multipart retried", multipartRetried},
		{"upload index", uploadIndex},
		{"settle", settle},
		{"usage", usage},
		{"shares of quotas", shares},
		{"shares and uploads", sharesOfUploads},
		{"shares that a server lacks", sharesOfOthers},
		{"changes", changes},
		{"intents", intents},
		{"cancelled", cancelled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := &world{T: t, s: make(t), slot: 7}
			w.root = w.bucket("bucket/")
			test.run(w)
		})
	}
}

// world is one server with one bucket, and what makes tests short.
type world struct {
	*testing.T
	s    holdfast.NameService
	root holdfast.DirID
	slot holdfast.Slot // of the next directory
	n    uint64        // last object and directory
}

var ctx = context.Background()

const testOS = holdfast.ServiceID(holdfast.TypeObjectStore)<<56 | 1

// newDir returns a directory id that was not used yet.
func (w *world) newDir(slot holdfast.Slot) holdfast.DirID {
	w.n++
	return holdfast.NewDirID(slot, [16]byte{7: byte(w.n >> 8), 8: byte(w.n)})
}

// bucket makes a bucket and returns its root.
func (w *world) bucket(name string) holdfast.DirID {
	w.Helper()
	root := w.newDir(w.slot)
	w.do(holdfast.MakeDir{Dir: root, Parent: holdfast.VolumeRoot, Name: name, Root: root, Bucket: &holdfast.BucketInfo{Name: name[:len(name)-1], Owner: "o"}},
		holdfast.LinkDir{Parent: holdfast.VolumeRoot, Name: name, Child: root})
	return root
}

// mkdir makes and links a directory.
func (w *world) mkdir(parent holdfast.DirID, name string) holdfast.DirID {
	w.Helper()
	w.slot = (w.slot + 13) % Foreign
	d := w.newDir(w.slot)
	w.do(holdfast.MakeDir{Dir: d, Parent: parent, Name: name, Root: w.root}, holdfast.LinkDir{Parent: parent, Name: name, Child: d})
	return d
}

// link returns a link to a new object.
func (w *world) link(d holdfast.DirID, size int64) holdfast.Link {
	w.n++
	return holdfast.Link{OS: testOS, Object: holdfast.ObjectID{Epoch: 1, Counter: w.n}, Home: d.Slot(), Size: size, CRC: uint32(w.n)}
}

// entry returns an entry of a new object.
func (w *world) entry(d holdfast.DirID, size int64) holdfast.Entry {
	l := w.link(d, size)
	return holdfast.Entry{Size: size, ETag: etag(l.Object.Counter), Owner: "o", Content: holdfast.Content{Link: l}}
}

func etag(n uint64) holdfast.ETag { return holdfast.ETag{Digest: [16]byte{byte(n), byte(n >> 8), 1}} }

func (w *world) put(d holdfast.DirID, name string) holdfast.Entry {
	w.Helper()
	return w.do(holdfast.PutEntry{Dir: d, Name: name, Entry: w.entry(d, 10)})[0].Entry
}

// do runs one transaction that must succeed.
func (w *world) do(ops ...holdfast.Op) []holdfast.Reply {
	w.Helper()
	r := w.try(ops...)
	if r.Err != nil {
		w.Fatalf("operation %d: %v", r.Failed, r.Err)
	}
	if len(r.Replies) != len(ops) || r.Failed != -1 {
		w.Fatalf("%d operations: got %d replies, failed %d", len(ops), len(r.Replies), r.Failed)
	}
	return r.Replies
}

// try runs one transaction.
func (w *world) try(ops ...holdfast.Op) holdfast.Result {
	w.Helper()
	rs, err := w.s.Apply(ctx, []holdfast.Tx{{Ops: ops}})
	if err != nil {
		w.Fatalf("apply: %v", err)
	}
	if len(rs) != 1 {
		w.Fatalf("apply of one transaction: got %d results", len(rs))
	}
	return rs[0]
}

// refuse runs one transaction that must fail.
func (w *world) refuse(kind holdfast.Kind, ops ...holdfast.Op) {
	w.Helper()
	r := w.try(ops...)
	if !holdfast.Is(r.Err, kind) {
		w.Fatalf("%T: got %v, want kind %v", ops[len(ops)-1], r.Err, kind)
	}
	if r.Failed != len(ops)-1 {
		w.Errorf("failed operation: got %d, want %d", r.Failed, len(ops)-1)
	}
}

func (w *world) lookup(q holdfast.Lookup) holdfast.Answer {
	w.Helper()
	as, err := w.s.Lookup(ctx, []holdfast.Lookup{q})
	if err != nil || len(as) != 1 {
		w.Fatalf("lookup: %d answers, %v", len(as), err)
	}
	return as[0]
}

// find looks up an entry that must be there.
func (w *world) find(d holdfast.DirID, name string) holdfast.Entry {
	w.Helper()
	a := w.lookup(holdfast.Lookup{Dir: d, Name: name})
	if a.Err != nil {
		w.Fatalf("lookup %q: %v", name, a.Err)
	}
	return a.Entry
}

// missing looks for what must not be there.
func (w *world) missing(kind holdfast.Kind, q holdfast.Lookup) holdfast.Answer {
	w.Helper()
	a := w.lookup(q)
	if !holdfast.Is(a.Err, kind) {
		w.Fatalf("lookup %q: got %v, want kind %v", q.Name, a.Err, kind)
	}
	return a
}

func (w *world) state(d holdfast.DirID) holdfast.DirState {
	w.Helper()
	a := w.lookup(holdfast.Lookup{Dir: d, Want: holdfast.WantDir})
	if a.Err != nil {
		w.Fatalf("state of %v: %v", d, a.Err)
	}
	return a.State
}

func (w *world) page(r holdfast.ListRequest) holdfast.Page {
	w.Helper()
	if r.Limit == 0 {
		r.Limit = 1000
	}
	ps, err := w.s.List(ctx, []holdfast.ListRequest{r})
	if err != nil || len(ps) != 1 {
		w.Fatalf("list: %d pages, %v", len(ps), err)
	}
	if ps[0].Err != nil {
		w.Fatalf("list: %v", ps[0].Err)
	}
	return ps[0]
}

// listed returns the names on a page, "+" behind them if there are more.
func (w *world) listed(r holdfast.ListRequest) string {
	w.Helper()
	p := w.page(r)
	names := ""
	for _, it := range p.Items {
		names += it.Name + " "
	}
	if p.More {
		names += "+"
	}
	return names
}

func (w *world) want(what string, got, want any) {
	w.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.Errorf("%s: got %v, want %v", what, got, want)
	}
}
