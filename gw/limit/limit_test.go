package limit

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// newServices makes two name servers and an object server, in memory.
func newServices() *volume.Direct {
	ids := []holdfast.ServiceID{holdfast.NewServiceID(holdfast.TypeNameServer, 1), holdfast.NewServiceID(holdfast.TypeNameServer, 2)}
	slots := volume.NewSlotMap(ids...)
	direct := volume.NewDirect(slots)
	for _, id := range ids {
		direct.SetName(id, nametest.New(nil, slots.Held(id)...))
	}
	object := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	direct.SetObject(object, objtest.NewMemory(object, nil))
	return direct
}

func openVolume(t testing.TB, s volume.Services) *volume.Volume {
	t.Helper()
	v, err := volume.Open(volume.Options{Services: s, RetryFor: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v
}

// openVolumes opens volumes on the same services, as several gateways do.
func openVolumes(t testing.TB, n int) []*volume.Volume {
	t.Helper()
	services := newServices()
	vs := make([]*volume.Volume, n)
	for i := range vs {
		vs[i] = openVolume(t, services)
	}
	return vs
}

// clock is a clock that tests set.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }
func newClock() *clock {
	c := &clock{}
	c.ns.Store(1_700_000_040 * int64(time.Second)) // a whole minute
	return c
}

func openLimiters(t testing.TB, n int, c *clock) []*Limiter {
	t.Helper()
	ls := make([]*Limiter, n)
	for i, v := range openVolumes(t, n) {
		ls[i] = Open(Options{Volume: v, Now: c.now})
		t.Cleanup(ls[i].Close)
	}
	return ls
}

func change(t testing.TB, l *Limiter, s Subject, edit func(*Rules)) {
	t.Helper()
	if err := l.Change(t.Context(), s, edit); err != nil {
		t.Fatal(err)
	}
}

func allow(t testing.TB, l *Limiter, user, bucket string, c Class) bool {
	t.Helper()
	ok, err := l.Allow(t.Context(), user, bucket, c)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestBudgets(t *testing.T) {
	for _, tt := range []struct{ perMinute, seconds int64 }{{1, 60}, {59, 60}, {60, 10}, {599, 10}, {600, 1}, {MaxPerMinute, 1}} {
		b := opBudget(tt.perMinute)
		if b.seconds != tt.seconds || b.perWindow*60/b.seconds != tt.perMinute*opCost {
			t.Errorf("%d a minute: got %+v", tt.perMinute, b)
		}
	}
}

// TestLedger takes from a ledger window by window: never more than the budget, in the long run exactly the limit.
func TestLedger(t *testing.T) {
	for _, perMinute := range []int64{1, 7, 60, 65, 601, 6007} {
		b := opBudget(perMinute)
		var l ledger
		var ops int64
		windows := 600 / b.seconds // ten minutes
		for w := range windows {
			before := ops
			for {
				got := l.take(b, w+1000, opCost)
				if got == 0 {
					break
				}
				if got%opCost != 0 {
					t.Fatalf("%d a minute: took %d, a part of an operation", perMinute, got)
				}
				ops += got / opCost
			}
			if most := b.perWindow/opCost + 1; ops-before > most {
				t.Errorf("%d a minute: %d operations in a window, want %d at most", perMinute, ops-before, most)
			}
		}
		if want := perMinute * 10; ops > want || ops < want-1 {
			t.Errorf("%d a minute: %d operations in ten minutes, want %d", perMinute, ops, want)
		}
	}
}

func TestLedgerOfAnotherClock(t *testing.T) {
	b := opBudget(60)
	l := ledger{window: 9, spent: b.perWindow - opCost}
	if got := l.take(b, 7, opCost); got != opCost || l.window != 9 {
		t.Errorf("behind: took %d of window %d", got, l.window)
	}
	if got := l.take(b, 7, opCost); got != 0 {
		t.Errorf("behind: took %d of an empty window", got)
	}
}

func TestRules(t *testing.T) {
	c := newClock()
	l := openLimiters(t, 1, c)[0]
	if !allow(t, l, "u", "b", Get) {
		t.Error("refused without any rule")
	}
	change(t, l, User("u"), func(r *Rules) { r.PerMinute[Get] = 2 })
	change(t, l, Bucket("b"), func(r *Rules) { r.PerMinute[Put] = 1 })
	got, err := l.Rules(t.Context(), User("u"))
	if want := (Rules{PerMinute: [Classes]int64{Get: 2}}); err != nil || got != want {
		t.Errorf("rules: got %+v, %v", got, err)
	}
	steps := []struct {
		user, bucket string
		class        Class
		want         bool
	}{
		{"u", "b", Get, true}, {"u", "", Get, true}, {"u", "b", Get, false}, {"u", "b", List, true}, {"other", "b", Get, true},
		{"other", "b", Put, true}, {"u", "b", Put, false}, {"", "b", Put, false}, {"", "x", Put, true}, {"b", "u", Get, true},
	}
	for i, s := range steps {
		if got := allow(t, l, s.user, s.bucket, s.class); got != s.want {
			t.Errorf("step %d, %+v: got %v", i, s, got)
		}
	}
	c.advance(time.Minute)
	if !allow(t, l, "u", "b", Get) {
		t.Error("refused in the next minute")
	}
	change(t, l, User("u"), func(r *Rules) { *r = Rules{} })
	for range 10 {
		if !allow(t, l, "u", "", Get) {
			t.Fatal("refused after the rule was removed")
		}
	}
	if err := l.Change(t.Context(), User("u"), func(r *Rules) { r.Out = -1 }); !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("a negative limit: got %v", err)
	}
}

// TestShared lets several gateways use one limit as hard as they can: together they let through no more than it says.
func TestShared(t *testing.T) {
	c := newClock()
	ls := openLimiters(t, 4, c)
	const perSecond = 40
	change(t, ls[0], User("u"), func(r *Rules) { r.PerMinute[Put] = 60 * perSecond })
	for _, l := range ls {
		if err := l.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var total atomic.Int64
	const seconds = 5
	for second := range seconds {
		before := total.Load()
		var wg sync.WaitGroup
		for _, l := range ls {
			for range 3 {
				wg.Go(func() {
					for range perSecond {
						if ok, err := l.Allow(t.Context(), "u", "b", Put); err != nil {
							t.Error(err)
						} else if ok {
							total.Add(1)
						}
					}
				})
			}
		}
		wg.Wait()
		if got := total.Load() - before; got > perSecond || got < perSecond*3/4 {
			t.Errorf("second %d: %d operations, want %d and not much less", second, got, perSecond)
		}
		c.advance(time.Second)
	}
	// One gateway alone may use all of it.
	alone := 0
	for range 2 * perSecond {
		if allow(t, ls[2], "u", "", Put) {
			alone++
		}
	}
	if alone != perSecond {
		t.Errorf("alone: %d operations, want %d", alone, perSecond)
	}
}

func quotaOf(t testing.TB, l *Limiter, user string) int64 {
	t.Helper()
	q, err := l.Quota(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestStart asks a gateway that has just begun: the rules that are there count for the first request.
func TestStart(t *testing.T) {
	c := newClock()
	vs := openVolumes(t, 2)
	first := Open(Options{Volume: vs[0], Now: c.now})
	defer first.Close()
	change(t, first, Bucket("b"), func(r *Rules) { r.PerMinute[Get] = 1 })
	if !allow(t, first, "u", "b", Get) {
		t.Error("refused within the limit")
	}
	second := Open(Options{Volume: vs[1], Now: c.now})
	defer second.Close()
	if allow(t, second, "u", "b", Get) {
		t.Error("the first request after a start is not held to the limit")
	}
}

// TestGiveBack uses up the limit of a bucket: what it refuses costs the user nothing.
func TestGiveBack(t *testing.T) {
	c := newClock()
	l := openLimiters(t, 1, c)[0]
	change(t, l, User("u"), func(r *Rules) { r.PerMinute[Get] = 3 })
	change(t, l, Bucket("b"), func(r *Rules) { r.PerMinute[Get] = 1 })
	for i, want := range []bool{true, false, false, false} {
		if got := allow(t, l, "u", "b", Get); got != want {
			t.Errorf("request %d on the bucket: got %v", i, got)
		}
	}
	for i, want := range []bool{true, true, false} {
		if got := allow(t, l, "u", "other", Get); got != want {
			t.Errorf("request %d elsewhere: got %v", i, got)
		}
	}
}

// TestWrongClock lets a gateway whose clock was set a year ahead use a limit: the others are not refused until then, and each keeps to the
// limit by itself although the ledger is begun anew all the time.
func TestWrongClock(t *testing.T) {
	vs := openVolumes(t, 2)
	right, wrong := newClock(), newClock()
	wrong.advance(365 * 24 * time.Hour)
	a := Open(Options{Volume: vs[0], Now: right.now})
	defer a.Close()
	change(t, a, User("u"), func(r *Rules) { r.PerMinute[Get] = 1200 })
	b := Open(Options{Volume: vs[1], Now: wrong.now}) // after the change, so that it knows it
	defer b.Close()
	let := map[*Limiter]int{}
	for range 100 {
		for _, l := range []*Limiter{a, b} {
			if allow(t, l, "u", "", Get) {
				let[l]++
			}
		}
	}
	if let[a] != 20 || let[b] != 20 {
		t.Errorf("in one second: got %d and %d operations, want 20 of each", let[a], let[b])
	}
}

// TestForget removes limits: nothing of them stays in the service bucket.
func TestForget(t *testing.T) {
	l := openLimiters(t, 1, newClock())[0]
	change(t, l, User("u"), func(r *Rules) { r.PerMinute[Get], r.Out = 5, 5 })
	if !allow(t, l, "u", "", Get) {
		t.Error("refused within the limit")
	}
	o, _ := l.Out("u", "")
	if err := o.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	change(t, l, User("u"), func(r *Rules) { *r = Rules{} })
	b, err := l.volume.ServiceBucket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page, err := b.List(t.Context(), volume.ListOptions{Limit: 10})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("left over: %+v, %v", page.Items, err)
	}
}

// TestFaults makes calls to the ledger fail in each way, from each call on for a while: whatever happens, two gateways together let through no
// more than the limit, and all of what is left when the faults end.
func TestFaults(t *testing.T) {
	const perWindow = 10 // 60 a minute, in windows of 10 seconds
	for _, fault := range volumetest.AllFaults() {
		for at := 0; ; at++ {
			c := newClock()
			faults := &volumetest.Faults{Services: newServices()}
			ls := make([]*Limiter, 2)
			for i := range ls {
				ls[i] = Open(Options{Volume: openVolume(t, faults), Now: c.now})
				t.Cleanup(ls[i].Close)
			}
			change(t, ls[0], User("u"), func(r *Rules) { r.PerMinute[Put] = 6 * perWindow })
			if err := ls[1].refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			calls := 0
			faults.Decide(func(call string) volumetest.Fault {
				if call == "epoch" { // of who looks for changed rules, too
					return volumetest.NoFault
				}
				if calls++; calls > at && calls <= at+4 {
					return fault
				}
				return volumetest.NoFault
			})
			let, failed := 0, 0
			for i := range 4 * perWindow {
				ok, err := ls[i%2].Allow(t.Context(), "u", "b", Put)
				if ok {
					let++
				}
				if err != nil {
					failed++
				}
			}
			faults.Decide(nil)
			if let > perWindow || let < perWindow/2 {
				t.Errorf("fault %d at call %d: %d operations were let through, want %d", fault, at, let, perWindow)
			}
			if calls <= at {
				if failed > 0 || let != perWindow {
					t.Errorf("without a fault: %d let through, %d failed", let, failed)
				}
				break
			}
		}
	}
}

// eventually polls until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !so(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestOthersSeeChanges(t *testing.T) {
	ls := openLimiters(t, 2, newClock())
	change(t, ls[0], DefaultUser(), func(r *Rules) { r.Quota = 7 })
	eventually(t, "another gateway learns of a rule", func() bool { return quotaOf(t, ls[1], "u") == 7 })
}

func TestOut(t *testing.T) {
	c := newClock()
	l := openLimiters(t, 1, c)[0]
	if o, ok := l.Out("u", "b"); o != nil || !ok {
		t.Errorf("without a rule: got %v, %v", o, ok)
	}
	change(t, l, Bucket("b"), func(r *Rules) { r.Out = 100 })
	o, ok := l.Out("u", "b")
	if o == nil || !ok || o.Piece() != 25<<10 {
		t.Fatalf("got %+v, %v", o, ok)
	}
	for range 4 {
		if err := o.Wait(t.Context(), o.Piece()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error)
	go func() { waited <- o.Wait(ctx, 1) }()
	a := o.accounts[0]
	eventually(t, "the goroutine waits", func() bool { return a.waiting.Load() > 0 })
	cancel()
	if err := <-waited; !holdfast.Is(err, holdfast.Aborted) {
		t.Errorf("over the limit: got %v", err)
	}
	a.waiting.Store(maxQueue)
	if _, ok := l.Out("u", "b"); ok {
		t.Error("one more answer is let in although too many wait")
	}
}

func TestUserQuota(t *testing.T) {
	c := newClock()
	l := openLimiters(t, 1, c)[0]
	v := l.volume
	for _, name := range []string{"b1", "b2"} {
		if _, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{Name: name, Owner: "u"}); err != nil {
			t.Fatal(err)
		}
	}
	reserve := func(n int64) (*Place, bool) {
		t.Helper()
		p, ok, err := l.Reserve(t.Context(), "u", n)
		if err != nil {
			t.Fatal(err)
		}
		return p, ok
	}
	may := func(n int64) bool {
		t.Helper()
		p, ok := reserve(n)
		p.End(false)
		return ok
	}
	if !may(1 << 40) {
		t.Error("refused without a quota")
	}
	change(t, l, DefaultUser(), func(r *Rules) { r.Quota = 10 })
	change(t, l, User("u"), func(r *Rules) { r.Quota = 100 })
	slow, ok := reserve(60)
	if !ok || may(41) || !may(40) || !may(40) || !may(0) {
		t.Error("what is under way is not counted, or what failed is")
	}
	c.advance(10 * heldFor)
	if may(41) {
		t.Error("what is under way for long is not counted any more")
	}
	slow.End(true)
	if may(41) || !may(40) {
		t.Error("what was stored since the sum was made is not counted")
	}
	c.advance(heldFor) // nothing was stored in truth
	if !may(100) || may(101) {
		t.Error("what is stored is not counted anew")
	}
	for i := range maxUsers + 5 {
		l.held.user(strconv.Itoa(i)).underWay.Add(-1)
	}
	if got := len(l.held.users); got > maxUsers {
		t.Errorf("%d users are kept", got)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add("5 -3", "l/u-0123", `{"ops_per_minute":{"get":5},"quota_bytes":7}`)
	f.Fuzz(func(t *testing.T, state, key, value string) {
		if l := parseLedger(state); parseLedger(l.String()) != l {
			t.Errorf("ledger %q", state)
		}
		if s, err := parseKey(key); err == nil && s.key() != key {
			t.Errorf("key %q", key)
		}
		if r, err := decode(value); err == nil {
			if again, err := decode(r.encode()); err != nil || again != r {
				t.Errorf("rules %q: %v", value, err)
			}
		}
	})
}

// BenchmarkAllow is what a request pays: without any limit, with limits of others, and with limits of its user and bucket.
func BenchmarkAllow(b *testing.B) {
	for _, bb := range []struct {
		name   string
		limits []Subject
	}{{"none", nil}, {"of others", []Subject{User("x")}}, {"of the user", []Subject{User("u")}}, {"of user and bucket", []Subject{User("u"), Bucket("b")}}} {
		b.Run(bb.name, func(b *testing.B) {
			l := openLimiters(b, 1, newClock())[0]
			l.now = time.Now
			for _, s := range bb.limits {
				change(b, l, s, func(r *Rules) { r.PerMinute[Get] = MaxPerMinute })
			}
			b.ReportAllocs()
			for b.Loop() { // a million a second are let through; the others are refused, which takes as long
				if _, err := l.Allow(context.Background(), "u", "b", Get); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAllowParallel is the same with as many requests at once as there are processors.
func BenchmarkAllowParallel(b *testing.B) {
	l := openLimiters(b, 1, newClock())[0]
	l.now = time.Now
	change(b, l, User("u"), func(r *Rules) { r.PerMinute[Get] = MaxPerMinute })
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.Allow(context.Background(), "u", "b", Get); err != nil {
				b.Error(err)
			}
		}
	})
}
