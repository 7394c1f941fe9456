package space

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// clock is a clock that tests set.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

const start = 500_000 * hour // a whole hour

func newClock() *clock {
	c := &clock{}
	c.ns.Store(start * int64(time.Second))
	return c
}

func openVolume(t *testing.T) (*volumetest.Faults, *volume.Volume) {
	t.Helper()
	id := holdfast.NewServiceID(holdfast.TypeNameServer, 1)
	direct := volume.NewDirect(volume.NewSlotMap(id))
	direct.SetName(id, nametest.New(nil))
	object := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	direct.SetObject(object, objtest.NewMemory(object, nil))
	faults := &volumetest.Faults{Services: direct}
	v, err := volume.Open(volume.Options{Services: faults, RetryFor: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return faults, v
}

func open(t *testing.T, v *volume.Volume, c *clock, every time.Duration) *Meter {
	m := Start(Options{Volume: v, Every: every, Now: c.now})
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func makeBucket(t *testing.T, v *volume.Volume, name string) *volume.Bucket {
	t.Helper()
	if _, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{Name: name, Owner: "u"}); err != nil {
		t.Fatal(err)
	}
	b, err := v.Bucket(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, b *volume.Bucket, n int) {
	t.Helper()
	if _, err := b.Put(t.Context(), "k", volume.PutRequest{Body: bytes.NewReader(make([]byte, n)), Size: int64(n)}); err != nil {
		t.Fatal(err)
	}
}

func look(t *testing.T, m *Meter) {
	t.Helper()
	if err := m.look(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestHeld follows a bucket over hours: by looks, and without a look while nothing changes.
func TestHeld(t *testing.T) {
	_, v := openVolume(t)
	c := newClock()
	m := open(t, v, c, time.Hour)
	b := makeBucket(t, v, "bucket")
	want := func(bytes, most, byteHours int64) {
		t.Helper()
		got, err := m.Of(t.Context(), b.Info(), bytes)
		if want := (Held{most, byteHours}); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	want(0, 0, 0)
	want(100, 100, 0) // not looked at yet
	put(t, b, 100)
	look(t, m)
	want(100, 100, 0)
	c.advance(90 * time.Minute)
	want(100, 100, 150)
	put(t, b, 1000)
	look(t, m)
	put(t, b, 10)
	c.advance(6 * time.Minute)
	look(t, m)
	want(10, 1000, 250) // a tenth of an hour
	c.advance(24 * time.Minute)
	want(10, 10, 254) // in the next hour
	c.advance(10 * time.Hour)
	look(t, m) // nothing changed, so nothing is written
	want(10, 10, 354)
	c.advance(-20 * time.Hour) // a clock that was set back
	want(10, 1000, 250)
	c.advance(20 * time.Hour)

	if err := v.DeleteBucket(t.Context(), "bucket"); !holdfast.Is(err, holdfast.NotEmpty) {
		t.Fatalf("got %v", err)
	}
	if res := b.Delete(t.Context(), []volume.DeleteRequest{{Key: "k"}}); res[0].Err != nil {
		t.Fatal(res[0].Err)
	}
	if err := v.DeleteBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	b = makeBucket(t, v, "bucket") // another one
	want(0, 0, 0)
	put(t, b, 7)
	look(t, m)
	c.advance(time.Hour)
	want(7, 7, 7)
	makeBucket(t, v, "empty")
	if res := b.Delete(t.Context(), []volume.DeleteRequest{{Key: "k"}}); res[0].Err != nil {
		t.Fatal(res[0].Err)
	}
	if err := v.DeleteBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	look(t, m)
	if r, err := v.ReadRecord(t.Context(), keyPrefix+"bucket"); err != nil || !r.Tag.IsZero() {
		t.Errorf("the record of a bucket that is gone stays: %+v, %v", r, err)
	}
}

// TestFaults makes each call of a look fail in each way. What was noted before stays, and the next look makes it good.
func TestFaults(t *testing.T) {
	for _, fault := range volumetest.AllFaults() {
		for at := 0; ; at++ {
			faults, v := openVolume(t)
			c := newClock()
			m := open(t, v, c, time.Hour)
			b := makeBucket(t, v, "bucket")
			put(t, b, 100)
			look(t, m)
			c.advance(time.Hour)
			put(t, b, 200)
			calls := 0
			faults.Decide(func(string) volumetest.Fault {
				if calls++; calls > at {
					return fault
				}
				return volumetest.NoFault
			})
			_ = m.look(t.Context()) // may fail
			faults.Decide(nil)
			look(t, m)
			c.advance(time.Hour)
			if got, err := m.Of(t.Context(), b.Info(), 200); err != nil || got != (Held{200, 300}) {
				t.Errorf("fault %d from call %d on: got %+v, %v", fault, at, got, err)
			}
			if calls <= at {
				break
			}
		}
	}
}

// TestRuns waits for a look that nobody asked for.
func TestRuns(t *testing.T) {
	_, v := openVolume(t)
	b := makeBucket(t, v, "bucket")
	put(t, b, 5)
	open(t, v, newClock(), time.Millisecond)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) { // between two polls
		r, err := v.ReadRecord(t.Context(), keyPrefix+"bucket")
		if err != nil {
			t.Fatal(err)
		}
		if !r.Tag.IsZero() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no look was had")
		}
	}
}

// TestSum compares the sum of many steps with one that is made otherwise, up to sizes and times that no int64 holds.
func TestSum(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	r := begun("x", time.Unix(start, 0))
	want := new(big.Int)
	now, size := int64(start), int64(0)
	for range 1000 {
		dt := rng.Int64N(1 << 30)
		want.Add(want, new(big.Int).Mul(big.NewInt(size), big.NewInt(dt)))
		now, size = now+dt, rng.Int64N(1<<60)
		next := r.seen(now, size)
		again, err := decode(next.encode())
		if err != nil || again.Sum.Cmp(want) != 0 || again.Bytes != size || again.Most < size {
			t.Fatalf("got %+v, %v, want the sum %v", again, err, want)
		}
		r = again
	}
	if r.byteHours() != math.MaxInt64 {
		t.Errorf("too much for an int64: got %d", r.byteHours())
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(`{"root":"x","at":1,"bytes":2,"most":3,"sum":4}`, int64(5), int64(6))
	f.Add(`{"sum":-1}`, int64(0), int64(0))
	f.Fuzz(func(t *testing.T, value string, now, bytes int64) {
		r, err := decode(value)
		if err != nil {
			return
		}
		next := r.seen(now, max(bytes, 0))
		if again, err := decode(next.encode()); err != nil || again.Sum.Cmp(next.Sum) != 0 || next.Sum.Cmp(r.Sum) < 0 || next.byteHours() < 0 {
			t.Errorf("%q: got %+v, %v", value, next, err)
		}
	})
}
