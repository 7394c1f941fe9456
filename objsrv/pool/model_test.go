package pool

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/storage/storagetest"
)

// model is what an allocator is, plainly: which blocks are live (a durable record refers to them) and which are lent.
type model struct {
	live, lent map[Addr]bool
	rows       map[RegionKey][]byte
}

func modelOptions(disk *storagetest.CrashFS, epoch holdfast.Epoch, now func() time.Time) Options {
	return Options{
		FS: disk, Dir: "/pools", Self: 1, Own: epoch, Now: now, Hold: time.Minute,
		RegionBlocks: func(Class) uint32 { return 16 }, Granule: func(Class) uint32 { return 4 },
	}
}

// TestAllocatorAgainstModel does random allocations, commits, frees and releases, and opens the pools anew under the next
// epoch in between. No block may be handed out twice, and the rows must say what is live.
func TestAllocatorAgainstModel(t *testing.T) {
	seed := rand.Uint64()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 0))
	disk, now := storagetest.NewCrash(), time.Unix(1_000_000, 0)
	var clock atomic.Pointer[time.Time] // what the background of the set sees
	start := now
	clock.Store(&start)
	m := model{live: map[Addr]bool{}, lent: map[Addr]bool{}, rows: map[RegionKey][]byte{}}
	for epoch := holdfast.Epoch(1); epoch <= 6; epoch++ {
		opt := modelOptions(disk, epoch, func() time.Time { return *clock.Load() })
		if epoch > 2 && rng.IntN(2) == 0 {
			opt.Undrained = []holdfast.Epoch{epoch - 1}
		}
		s, err := Open(opt)
		if err != nil {
			t.Fatal(err)
		}
		for key, bits := range m.rows {
			if err := s.Restore(key, bits); err != nil {
				t.Fatal(err)
			}
		}
		s.Ready()
		opened := now
		for range 600 {
			m.step(t, s, rng, opt, opened, now)
			if rng.IntN(100) == 0 {
				later := now.Add(20 * time.Second)
				now = later
				clock.Store(&later)
			}
		}
		m.compare(t, s)
		s.Close()
		clear(m.lent) // what no record refers to is free again
	}
}

func (m *model) step(t *testing.T, s *Set, rng *rand.Rand, opt Options, opened, now time.Time) {
	t.Helper()
	class := Class(rng.IntN(4))
	switch rng.IntN(5) {
	case 0, 1:
		n := 1 + rng.IntN(10)
		runs, err := s.Alloc(class, n, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			for i := range r.N {
				m.lend(t, r.At(i), opt, opened, now)
				n--
			}
		}
		if n != 0 {
			t.Fatalf("Alloc gave %d blocks too few", n)
		}
	case 2: // commit what is lent
		ch := s.NewChange()
		for a := range m.lent {
			if !m.live[a] && rng.IntN(2) == 0 {
				ch.Use(a)
				m.live[a] = true
			}
		}
		ch.Rows(m.put)
	case 3: // free and release some of what is live
		ch := s.NewChange()
		var freed []Addr
		for a := range m.live {
			if m.lent[a] && rng.IntN(4) == 0 {
				ch.Drop(a)
				delete(m.live, a)
				freed = append(freed, a)
			}
		}
		ch.Rows(m.put)
		s.Release(freed...)
		for _, a := range freed {
			delete(m.lent, a)
		}
	case 4: // give up some of what was never committed
		for a := range m.lent {
			if !m.live[a] && rng.IntN(8) == 0 {
				s.Release(a)
				delete(m.lent, a)
			}
		}
	}
}

// lend checks that a block may be handed out.
func (m *model) lend(t *testing.T, a Addr, opt Options, opened, now time.Time) {
	t.Helper()
	if m.lent[a] || m.live[a] {
		t.Fatalf("block %+v was handed out twice", a)
	}
	for _, e := range opt.Undrained {
		if a.File <= e {
			t.Fatalf("R4: block %+v was handed out, to which epoch %d may still write", a, e)
		}
	}
	if a.File != opt.Own && now.Before(opened.Add(opt.Hold)) {
		t.Fatalf("block %+v was handed out before the hold was over", a)
	}
	m.lent[a] = true
}

func (m *model) put(key RegionKey, bits []byte) {
	if len(bits) == 0 {
		delete(m.rows, key)
		return
	}
	m.rows[key] = append([]byte(nil), bits...)
}

// compare holds the rows against the live blocks.
func (m *model) compare(t *testing.T, s *Set) {
	t.Helper()
	bits := 0
	for _, row := range m.rows {
		words := newBitmap(16)
		if !ParseBits(words, row) {
			t.Fatalf("row %x", row)
		}
		bits += words.count()
	}
	if bits != len(m.live) {
		t.Errorf("the rows have %d bits, %d blocks are live", bits, len(m.live))
	}
	for a := range m.live {
		key, bit, ok := s.Locate(a)
		words := newBitmap(16)
		if !ok || !ParseBits(words, m.rows[key]) || !words.get(bit) {
			t.Errorf("live block %+v has no bit", a)
		}
	}
}

func TestRunsAreLong(t *testing.T) {
	s, err := Open(modelOptions(storagetest.NewCrash(), 1, time.Now))
	if err != nil {
		t.Fatal(err)
	}
	s.Ready()
	defer s.Close()
	runs, err := s.Alloc(0, 12, nil)
	if err != nil || len(runs) != 1 {
		t.Errorf("Alloc of 12 blocks = %v, %v, want one run", runs, err)
	}
}

// TestFailedWritesStayPoisoned: blocks that are not released are never handed out.
func TestFailedWritesStayPoisoned(t *testing.T) {
	s, err := Open(modelOptions(storagetest.NewCrash(), 1, time.Now))
	if err != nil {
		t.Fatal(err)
	}
	s.Ready()
	defer s.Close()
	seen := map[Addr]bool{}
	for range 100 {
		runs, err := s.Alloc(0, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if seen[runs[0].Addr] {
			t.Fatalf("block %+v was handed out twice", runs[0].Addr)
		}
		seen[runs[0].Addr] = true
	}
}
