package namerpc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
)

// carried sends a message through its bytes.
func carried[M proto.Message](t *testing.T, in, out M) M {
	t.Helper()
	b, err := proto.Marshal(in)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	if err := proto.Unmarshal(b, out); err != nil {
		t.Fatalf("unmarshal: %v", err)
	}
	return out
}

// roundTrip checks that random values of T survive: to(v), through bytes, from(...) gives v again.
func roundTrip[T any, W any, M interface {
	*W
	proto.Message
}](t *testing.T, to func(*T) M, from func(*decoder, M) T) {
	t.Helper()
	t.Run(reflect.TypeFor[T]().Name(), func(t *testing.T) {
		for seed := range uint64(500) {
			want := random[T](newFiller(seed))
			var d decoder
			got := from(&d, carried(t, to(&want), new(W)))
			if d.err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: got %+v\nwant %+v\nerror %v", seed, got, want, d.err)
			}
		}
	})
}

func TestConversionLosesNothing(t *testing.T) {
	roundTrip(t, entryToWire, (*decoder).entry)
	roundTrip(t, partToWire, (*decoder).part)
	roundTrip(t, bucketToWire, (*decoder).bucket)
	roundTrip(t, uploadToWire, (*decoder).upload)
	roundTrip(t, uploadedPartToWire, (*decoder).uploadedPart)
	roundTrip(t, lookupToWire, (*decoder).lookup)
	roundTrip(t, answerToWire, (*decoder).answer)
	roundTrip(t, listToWire, (*decoder).list)
	roundTrip(t, pageToWire, (*decoder).page)
	roundTrip(t, itemToWire, (*decoder).item)
	roundTrip(t, resultToWire, (*decoder).result)
	roundTrip(t, replyToWire, (*decoder).reply)
	roundTrip(t, changeToWire, (*decoder).change)
	roundTrip(t, intentToWire, (*decoder).intent)
	roundTrip(t, func(u *holdfast.Usage) *namepb.UsageReply { return usageToWire(*u) },
		func(_ *decoder, w *namepb.UsageReply) holdfast.Usage { return usageFromWire(w) })
	roundTrip(t, func(s *holdfast.NameStatus) *namepb.StatusReply { return statusToWire(*s) },
		func(_ *decoder, w *namepb.StatusReply) holdfast.NameStatus { return statusFromWire(w) })
	roundTrip(t, func(g *holdfast.GuardedObject) *namepb.SettleRequest {
		return &namepb.SettleRequest{Objects: guardedToWire([]holdfast.GuardedObject{*g})}
	}, func(d *decoder, w *namepb.SettleRequest) holdfast.GuardedObject { return d.guarded(w.Objects)[0] })
	roundTrip(t, func(tx *holdfast.Tx) *namepb.Tx {
		w, err := txToWire(tx)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}, (*decoder).tx)
}

func TestEachOpSurvives(t *testing.T) {
	for _, op := range opTypes {
		for seed := range uint64(200) {
			v := reflect.New(op).Elem()
			newFiller(seed).fill(v)
			want := holdfast.Tx{Ops: []holdfast.Op{v.Interface().(holdfast.Op)}}
			w, err := txToWire(&want)
			if err != nil {
				t.Fatal(err)
			}
			var d decoder
			got := d.tx(carried(t, w, new(namepb.Tx)))
			if d.err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%v, seed %d: got %+v\nwant %+v\nerror %v", op, seed, got, want, d.err)
			}
		}
	}
}

// TestEveryOpIsTested reads the contract, so that a new operation is not forgotten here.
func TestEveryOpIsTested(t *testing.T) {
	source, err := os.ReadFile("../../name.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, op := range opTypes {
		listed[op.Name()] = true
	}
	found := regexp.MustCompile(`(?m)^func \(o (\w+)\) Target\(\) DirID`).FindAllSubmatch(source, -1)
	for _, m := range found {
		if !listed[string(m[1])] {
			t.Errorf("operation %s is not in opTypes", m[1])
		}
	}
	if len(found) != len(opTypes) {
		t.Errorf("%d operations in name.go, %d in opTypes", len(found), len(opTypes))
	}
}

func TestNilAndEmptyStayApart(t *testing.T) {
	owner := ""
	off := holdfast.VersioningOff
	no := false
	size := int64(0)
	txs := []holdfast.Op{
		holdfast.SetBucket{Settings: map[string][]byte{"acl": nil, "policy": {}, "": []byte("x")}},
		holdfast.SetBucket{Owner: &owner, Versioning: &off, ObjectLock: &no},
		holdfast.SetBucket{},
		holdfast.PutEntry{If: holdfast.Conditions{IfMatch: &holdfast.ETag{}, IfSize: &size, IfModified: &time.Time{}}},
		holdfast.PutEntry{Entry: holdfast.Entry{ACL: []byte{}, POSIX: &holdfast.POSIX{}}},
		holdfast.MakeDir{Bucket: &holdfast.BucketInfo{}},
		holdfast.MakeDir{},
	}
	want := holdfast.Tx{Ops: txs}
	w, err := txToWire(&want)
	if err != nil {
		t.Fatal(err)
	}
	var d decoder
	got := d.tx(carried(t, w, new(namepb.Tx)))
	for i := range got.Ops {
		if !reflect.DeepEqual(got.Ops[i], want.Ops[i]) {
			t.Errorf("op %d: got %+v, want %+v", i, got.Ops[i], want.Ops[i])
		}
	}
}

func TestErrorsKeepKindAndText(t *testing.T) {
	inner := &holdfast.Error{Op: "pool.read", Kind: holdfast.Corrupt, ID: "1-2", Err: errors.New("bad checksum")}
	for _, err := range []error{
		inner,
		fmt.Errorf("reading: %w", inner),
		&holdfast.Error{Op: "name.get", Err: inner},
		&holdfast.Error{Op: "name.get", Kind: holdfast.NotFound, ID: "a/\xff"},
		&holdfast.Error{},
		&holdfast.Error{Op: "x", Err: errors.New("")},
		errors.New("plain"),
		fmt.Errorf("late: %w", os.ErrDeadlineExceeded),
	} {
		got := errorFromWire(carried(t, errorToWire(err), new(namepb.Error)))
		if got.Error() != err.Error() || holdfast.KindOf(got) != holdfast.KindOf(err) {
			t.Errorf("got %q of kind %v, want %q of kind %v", got, holdfast.KindOf(got), err, holdfast.KindOf(err))
		}
	}
	if errorFromWire(errorToWire(nil)) != nil {
		t.Error("no error became one")
	}
}

func TestKindsOfNewerPeersAreOther(t *testing.T) {
	for _, n := range []uint32{uint32(holdfast.Kinds), 1 << 16, 1<<16 + 2, 1<<32 - 1} {
		err := errorFromWire(&namepb.Error{Kind: n, Op: []byte("x"), Text: []byte("y"), CauseKind: n})
		if got := holdfast.KindOf(err); got != holdfast.Other {
			t.Errorf("kind %d became %v, want other", n, got)
		}
	}
}

func TestOpsThatAreNoneOfTheContract(t *testing.T) {
	for _, op := range []holdfast.Op{nil, &holdfast.DropDir{}} {
		if _, err := txToWire(&holdfast.Tx{Ops: []holdfast.Op{op}}); err == nil {
			t.Errorf("%T was accepted", op)
		}
	}
	var d decoder
	if d.tx(&namepb.Tx{Ops: []*namepb.Op{{}}}); d.err != errOp {
		t.Errorf("an op of a newer peer: %v, want %v", d.err, errOp)
	}
}

func TestMalformedFieldsAreRefused(t *testing.T) {
	id17, id1, id32 := make([]byte, 17), make([]byte, 1), make([]byte, 32)
	for name, decode := range map[string]func(*decoder){
		"short id":       func(d *decoder) { d.lookup(&namepb.Lookup{Dir: id1}) },
		"long id":        func(d *decoder) { d.lookup(&namepb.Lookup{Version: id17}) },
		"double id":      func(d *decoder) { d.lookup(&namepb.Lookup{Upload: id32}) },
		"big enum":       func(d *decoder) { d.lookup(&namepb.Lookup{Want: 256}) },
		"big slot":       func(d *decoder) { d.link(&namepb.Link{Home: 1 << 16}) },
		"big part count": func(d *decoder) { d.etag(&namepb.ETag{Parts: 1 << 16}) },
		"nanoseconds":    func(d *decoder) { d.entry(&namepb.Entry{ModifiedNs: 1e9}) },
		"not a triple":   func(d *decoder) { d.guarded([]uint64{1, 2}) },
		"settle slot":    func(d *decoder) { d.guarded([]uint64{1, 2, 1<<32 + 5}) },
	} {
		var d decoder
		if decode(&d); d.err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// FuzzRequests decodes arbitrary bytes as each request; what decodes must encode to something that decodes to the same.
func FuzzRequests(f *testing.F) {
	for seed := range uint64(8) {
		rnd := newFiller(seed)
		tx := random[holdfast.Tx](rnd)
		w, _ := txToWire(&tx)
		b, _ := proto.Marshal(&namepb.ApplyRequest{Service: 1, Txs: []*namepb.Tx{w}})
		f.Add(b)
		q := random[holdfast.Lookup](rnd)
		b, _ = proto.Marshal(&namepb.LookupRequest{Service: 1, Questions: []*namepb.Lookup{lookupToWire(&q)}})
		f.Add(b)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzOne(t, b, new(namepb.ApplyRequest), func(d *decoder, m *namepb.ApplyRequest) []holdfast.Tx {
			return manyFromWire(m.Txs, d.tx)
		}, func(txs []holdfast.Tx) *namepb.ApplyRequest {
			return &namepb.ApplyRequest{Txs: manyToWire(txs, func(tx *holdfast.Tx) *namepb.Tx {
				w, err := txToWire(tx)
				if err != nil {
					t.Fatal(err)
				}
				return w
			})}
		})
		fuzzOne(t, b, new(namepb.LookupRequest), func(d *decoder, m *namepb.LookupRequest) []holdfast.Lookup {
			return manyFromWire(m.Questions, d.lookup)
		}, func(v []holdfast.Lookup) *namepb.LookupRequest {
			return &namepb.LookupRequest{Questions: manyToWire(v, lookupToWire)}
		})
		fuzzOne(t, b, new(namepb.ListRequests), func(d *decoder, m *namepb.ListRequests) []holdfast.ListRequest {
			return manyFromWire(m.Requests, d.list)
		}, func(v []holdfast.ListRequest) *namepb.ListRequests {
			return &namepb.ListRequests{Requests: manyToWire(v, listToWire)}
		})
		fuzzOne(t, b, new(namepb.SettleRequest), func(d *decoder, m *namepb.SettleRequest) []holdfast.GuardedObject {
			return d.guarded(m.Objects)
		}, func(v []holdfast.GuardedObject) *namepb.SettleRequest {
			return &namepb.SettleRequest{Objects: guardedToWire(v)}
		})
	})
}

// FuzzReplies does the same for the replies.
func FuzzReplies(f *testing.F) {
	for seed := range uint64(8) {
		rnd := newFiller(seed)
		a, p, r := random[holdfast.Answer](rnd), random[holdfast.Page](rnd), random[holdfast.Result](rnd)
		b, _ := proto.Marshal(&namepb.LookupReply{Answers: []*namepb.Answer{answerToWire(&a)}})
		f.Add(b)
		b, _ = proto.Marshal(&namepb.ListReply{Pages: []*namepb.Page{pageToWire(&p)}})
		f.Add(b)
		b, _ = proto.Marshal(&namepb.ApplyReply{Results: []*namepb.Result{resultToWire(&r)}})
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzOne(t, b, new(namepb.LookupReply), func(d *decoder, m *namepb.LookupReply) []holdfast.Answer {
			return manyFromWire(m.Answers, d.answer)
		}, func(v []holdfast.Answer) *namepb.LookupReply {
			return &namepb.LookupReply{Answers: manyToWire(v, answerToWire)}
		})
		fuzzOne(t, b, new(namepb.ListReply), func(d *decoder, m *namepb.ListReply) []holdfast.Page {
			return manyFromWire(m.Pages, d.page)
		}, func(v []holdfast.Page) *namepb.ListReply {
			return &namepb.ListReply{Pages: manyToWire(v, pageToWire)}
		})
		fuzzOne(t, b, new(namepb.ApplyReply), func(d *decoder, m *namepb.ApplyReply) []holdfast.Result {
			return manyFromWire(m.Results, d.result)
		}, func(v []holdfast.Result) *namepb.ApplyReply {
			return &namepb.ApplyReply{Results: manyToWire(v, resultToWire)}
		})
		fuzzOne(t, b, new(namepb.ChangesReply), func(d *decoder, m *namepb.ChangesReply) []holdfast.Change {
			return manyFromWire(m.Changes, d.change)
		}, func(v []holdfast.Change) *namepb.ChangesReply {
			return &namepb.ChangesReply{Changes: manyToWire(v, changeToWire)}
		})
		fuzzOne(t, b, new(namepb.IntentsReply), func(d *decoder, m *namepb.IntentsReply) []holdfast.Intent {
			return manyFromWire(m.Intents, d.intent)
		}, func(v []holdfast.Intent) *namepb.IntentsReply {
			return &namepb.IntentsReply{Intents: manyToWire(v, intentToWire)}
		})
	})
}

func fuzzOne[T any, M proto.Message](t *testing.T, b []byte, m M, from func(*decoder, M) []T, to func([]T) M) {
	if proto.Unmarshal(b, m) != nil {
		return
	}
	var d decoder
	v := from(&d, m)
	if d.err != nil {
		return
	}
	again := from(&d, carried(t, to(v), m.ProtoReflect().New().Interface().(M)))
	if d.err != nil || !reflect.DeepEqual(v, again) {
		t.Errorf("%T: %+v became %+v (%v)", m, v, again, d.err)
	}
}

func TestSettingsAreSorted(t *testing.T) {
	settings := make(map[string][]byte)
	for _, name := range strings.Split("gfedcba", "") {
		settings[name] = []byte(name)
	}
	var got bytes.Buffer
	for _, s := range settingsToWire(settings) {
		got.Write(s.Name)
	}
	if got.String() != "abcdefg" {
		t.Errorf("settings are in the order %s, want abcdefg", &got)
	}
}
