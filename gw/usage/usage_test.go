package usage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
)

const gateway = holdfast.ServiceID(0x8000000000000065)

type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(int64(1485966714) * int64(time.Second))
	return c
}

// openVolume opens a volume in memory; lost takes its object server away, so that nothing can be written.
func openVolume(t testing.TB) (v *volume.Volume, lost func(bool)) {
	t.Helper()
	id := holdfast.NewServiceID(holdfast.TypeNameServer, 1)
	direct := volume.NewDirect(volume.NewSlotMap(id))
	direct.SetName(id, nametest.New(nil))
	object := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	objects := objtest.NewMemory(object, nil)
	direct.SetObject(object, objects)
	v, err := volume.Open(volume.Options{Services: direct, RetryFor: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v, func(gone bool) {
		if gone {
			direct.SetObject(object, nil)
		} else {
			direct.SetObject(object, objects)
		}
	}
}

func open(t testing.TB, v *volume.Volume, c *clock) *Recorder {
	r := Open(Options{Service: gateway, Volume: v, Period: DefaultPeriod, Now: c.now, WriteEvery: time.Hour})
	t.Cleanup(r.Close)
	return r
}

type object struct {
	Format  int    `json:"fmt_version"`
	Service string `json:"service_id"`
	Start   int64  `json:"start_ts"`
	Period  int64  `json:"period"`
	Items   int    `json:"nr_items"`
	List    []item `json:"items"`
}

func names(t testing.TB, v *volume.Volume) []string {
	t.Helper()
	all, more, err := Objects{v}.List(t.Context(), "", MaxPage)
	if err != nil || more {
		t.Fatalf("list: %v, more %v", err, more)
	}
	return all
}

func read(t testing.TB, v *volume.Volume, name string) object {
	t.Helper()
	var doc bytes.Buffer
	if err := (Objects{v}).Write(t.Context(), name, &doc); err != nil {
		t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(doc.Bytes(), &o); err != nil {
		t.Fatalf("%s: %v", doc.Bytes(), err)
	}
	if o.Items != len(o.List) {
		t.Errorf("%s: nr_items %d of %d", name, o.Items, len(o.List))
	}
	return o
}

func TestPeriods(t *testing.T) {
	v, _ := openVolume(t)
	c := newClock()
	r := open(t, v, c)
	client := Key{Bucket: "client", Epoch: 98309, User: "b81d6c5f895a8c86"}
	r.Add(client, Put, 41258, 0)
	r.Add(client, Get, 0, 40)
	r.write(t.Context(), true)
	r.Add(client, Get, 0, 2)
	r.Add(Key{User: "b81d6c5f895a8c86"}, List, 0, 7)
	r.Add(client, Other, 0, 0)
	r.write(t.Context(), true)
	first := "s3-usage-8000000000000065-2017-02-01T16:31:54.000Z-1800"
	if got := names(t, v); len(got) != 0 {
		t.Errorf("shown while its period runs: %v", got)
	}
	if err := (Objects{v}).Write(t.Context(), first, &bytes.Buffer{}); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("read while its period runs: got %v", err)
	}
	if err := (Objects{v}).Delete(t.Context(), first); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("deleted while its period runs: got %v", err)
	}
	r.SetPeriod(time.Minute) // the running period stays as it is
	c.advance(29 * time.Minute)
	r.Add(client, Put, 1, 0)
	c.advance(time.Minute)
	r.Add(client, Put, 1, 0)
	r.write(t.Context(), false)
	if got := names(t, v); len(got) != 1 || got[0] != first {
		t.Fatalf("objects: got %v", got)
	}
	o := read(t, v, first)
	if o.Format != 1 || o.Service != gateway.String() || o.Start != 1485966714 || o.Period != 1800 || o.Items != 2 {
		t.Errorf("got %+v", o)
	}
	if got := fmt.Sprintf("%+v", o.List); got != "[{Key:{Bucket: Epoch:0 User:b81d6c5f895a8c86 Tag:} Counters:{Ops:{Put:0 Get:0 List:1 Other:0} Net:{Uploaded:0 Downloaded:7}}} "+
		"{Key:{Bucket:client Epoch:98309 User:b81d6c5f895a8c86 Tag:} Counters:{Ops:{Put:2 Get:2 List:0 Other:1} Net:{Uploaded:41259 Downloaded:42}}}]" {
		t.Errorf("items: got %s", got)
	}
	c.advance(time.Hour)
	r.SetPeriod(0)
	r.Add(client, Put, 1, 0) // not counted
	r.write(t.Context(), true)
	if got := names(t, v); len(got) != 2 || !strings.HasSuffix(got[1], "-60") || read(t, v, got[1]).List[0].Counters.Ops.Put != 1 {
		t.Errorf("objects after counting was turned off: got %v", got)
	}
	if len(r.ended) != 0 || r.current != nil {
		t.Error("periods that were written are kept in memory")
	}
}

// TestClose ends periods with the gateway.
func TestClose(t *testing.T) {
	v, _ := openVolume(t)
	c := newClock()
	for i := range 3 {
		r := Open(Options{Service: gateway, Volume: v, Period: DefaultPeriod, Now: c.now})
		r.Add(Key{Bucket: "b"}, Put, int64(i), 0)
		r.Close()
		c.advance(time.Second)
	}
	if got := newCollector(t, v).collect(); got != 3 {
		t.Errorf("uploaded: got %d, want 3", got)
	}
}

// TestTurn ends a period by the clock alone.
func TestTurn(t *testing.T) {
	v, _ := openVolume(t)
	r := Open(Options{Service: gateway, Volume: v, Period: MinPeriod})
	defer r.Close()
	r.Add(Key{Bucket: "b"}, Put, 1, 0)
	for deadline := time.Now().Add(20 * time.Second); len(names(t, v)) == 0; time.Sleep(10 * time.Millisecond) { // between two polls
		if time.Now().After(deadline) {
			t.Fatal("a period that is over is not written")
		}
	}
}

// collector does what billing does: it lists, reads and deletes objects, and adds up. None may come twice.
type collector struct {
	t    testing.TB
	v    *volume.Volume
	seen map[string]bool
	sum  int64
}

func newCollector(t testing.TB, v *volume.Volume) *collector {
	return &collector{t: t, v: v, seen: make(map[string]bool)}
}

// collect returns how many bytes were uploaded, by all objects there were.
func (c *collector) collect() int64 {
	c.t.Helper()
	for _, name := range names(c.t, c.v) {
		if c.seen[name] {
			c.t.Errorf("%s came back after it was deleted", name)
		}
		c.seen[name] = true
		for _, i := range read(c.t, c.v, name).List {
			c.sum += i.Counters.Net.Uploaded
		}
		if err := (Objects{c.v}).Delete(c.t.Context(), name); err != nil {
			c.t.Error(err)
		}
	}
	return c.sum
}

// TestLeft crashes a gateway in the middle of a period: its next start finishes what it left as it was last written, and so does another
// gateway, later.
func TestLeft(t *testing.T) {
	const other = gateway + 1
	for _, by := range []holdfast.ServiceID{gateway, other} {
		v, _ := openVolume(t)
		c := newClock()
		crashed := open(t, v, c)
		crashed.Add(Key{Bucket: "b"}, Put, 5, 0)
		crashed.write(t.Context(), true)
		crashed.Add(Key{Bucket: "b"}, Put, 7, 0) // lost
		crashed.stop()
		crashed.running.Wait()
		c.advance(time.Second)
		next := Open(Options{Service: by, Volume: v, Period: DefaultPeriod, Now: c.now, WriteEvery: time.Hour})
		defer next.Close()
		if err := next.finishLeft(t.Context()); err != nil {
			t.Fatal(err)
		}
		billing := newCollector(t, v)
		if got := billing.collect(); by == other && got != 0 {
			t.Errorf("another gateway took what was just written: %d bytes", got)
		}
		c.advance(DefaultPeriod + leftFor)
		if err := next.finishLeft(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := billing.collect(); got != 5 {
			t.Errorf("by %v: collected %d, want 5", by, got)
		}
		// The gateway was only slow. What it has in memory must not be counted twice.
		crashed.write(t.Context(), true)
		if got := billing.collect(); got != 5 || len(crashed.ended) != 0 {
			t.Errorf("by %v: collected %d after the gateway came back, want 5", by, got)
		}
	}
}

// TestManyItems counts more than an object may have: nothing is lost, and each object is JSON.
func TestManyItems(t *testing.T) {
	v, _ := openVolume(t)
	c := newClock()
	r := open(t, v, c)
	const n = 2*MaxItems + 5
	for i := range n {
		r.Add(Key{Bucket: fmt.Sprint("bucket-\"<", i)}, Get, 0, 1)
	}
	r.Close()
	var items, down int64
	all := names(t, v)
	for _, name := range all {
		for _, i := range read(t, v, name).List {
			items++
			down += i.Counters.Net.Downloaded
		}
	}
	if len(all) != 3 || items != n || down != n {
		t.Errorf("got %d objects, %d items, %d bytes", len(all), items, down)
	}
}

func TestStoreAway(t *testing.T) {
	v, lost := openVolume(t)
	c := newClock()
	r := open(t, v, c)
	r.Add(Key{Bucket: "b"}, Put, 1, 0)
	r.write(t.Context(), true)
	lost(true)
	for range maxWaiting + 3 {
		c.advance(time.Hour)
		r.Add(Key{Bucket: "b"}, Put, 1, 0)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		r.write(ctx, true)
		cancel()
	}
	if len(r.ended) > maxWaiting {
		t.Errorf("%d periods wait", len(r.ended))
	}
	lost(false)
	r.Close()
	if got := len(names(t, v)); got != maxWaiting { // those that waited and the last, while the oldest were given up
		t.Errorf("%d objects after the store came back", got)
	}
}

func TestObjects(t *testing.T) {
	v, _ := openVolume(t)
	c := newClock()
	r := open(t, v, c)
	const n = MaxPage + 205
	for range n {
		r.Add(Key{Bucket: "b"}, Put, 1, 0)
		c.advance(DefaultPeriod)
		r.write(t.Context(), true)
	}
	var all []string
	after := ""
	for more := true; more; {
		page, m, err := Objects{v}.List(t.Context(), after, MaxPage)
		if err != nil || len(page) == 0 || len(page) > MaxPage {
			t.Fatalf("page: %v, %v", page, err)
		}
		all, more, after = append(all, page...), m, page[len(page)-1]
	}
	if len(all) != n {
		t.Errorf("%d objects in pages, want %d", len(all), n)
	}
	o := Objects{v}
	if err := o.Delete(t.Context(), all[3]); err != nil {
		t.Error(err)
	}
	for _, name := range []string{all[3], "s3-usage-none", "../l/u-x", "", "x"} {
		if err := o.Delete(t.Context(), name); !holdfast.Is(err, holdfast.NotFound) {
			t.Errorf("delete %q: got %v", name, err)
		}
		if err := o.Write(t.Context(), name, &bytes.Buffer{}); !holdfast.Is(err, holdfast.NotFound) {
			t.Errorf("read %q: got %v", name, err)
		}
	}
	if page, more, err := o.List(t.Context(), all[n-5], 10); err != nil || more || len(page) != 4 {
		t.Errorf("after %s: got %v, %v, %v", all[n-5], page, more, err)
	}
}

func FuzzName(f *testing.F) {
	f.Add("s3-usage-8000000000000065-2017-02-01T16:31:54.000Z-1800")
	f.Add("s3-usage-8000000000000065-2017-02-30T16:31:54.000Z-01")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseName(text)
		if err == nil && (n.String() != text || n.end().Before(n.begin)) {
			t.Errorf("%q: got %q", text, n)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	v, _ := openVolume(b)
	r := open(b, v, newClock())
	key := Key{Bucket: "bucket", Epoch: 5, User: "0123456789abcdef"}
	b.ReportAllocs()
	for b.Loop() {
		r.Add(key, Get, 0, 100)
	}
}
