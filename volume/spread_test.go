package volume

import (
	"math/rand/v2"
	"testing"

	"holdfast"
)

func TestSpreadFollowsFreeSpace(t *testing.T) {
	var s spread
	ids := []holdfast.ServiceID{1, 2, 3, 4}
	free := map[holdfast.ServiceID]float64{1: 100 << 30, 2: 300 << 30, 3: 0} // 4 was not heard of yet
	s.free.Store(&free)
	rng := rand.New(rand.NewPCG(1, 2))
	first := make(map[holdfast.ServiceID]int)
	const draws = 40_000
	for range draws {
		order := s.order(ids, rng.Uint64())
		if len(order) != len(ids) {
			t.Fatalf("order is %v; want all of %v", order, ids)
		}
		first[order[0]]++
	}
	for id, want := range map[holdfast.ServiceID]float64{1: .25, 2: .75, 3: 0, 4: 0} {
		if got := float64(first[id]) / draws; got < want-.02 || got > want+.02 {
			t.Errorf("server %d takes %.3f of the objects; want %.2f", id, got, want)
		}
	}
}

func TestSpreadWithoutNewsIsEven(t *testing.T) {
	var s spread
	rng := rand.New(rand.NewPCG(1, 2))
	first := make(map[holdfast.ServiceID]int)
	for range 30_000 {
		first[s.order([]holdfast.ServiceID{1, 2, 3}, rng.Uint64())[0]]++
	}
	for id, n := range first {
		if n < 9_500 || n > 10_500 {
			t.Errorf("server %d takes %d of 30000", id, n)
		}
	}
}

func TestChildSlotIsTheSameForRacingCreators(t *testing.T) {
	a := holdfast.NewDirID(7, [16]byte{3: 1})
	seen := make(map[holdfast.Slot]bool)
	for i := range 1000 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26)) + "/"
		slot := childSlot(a, a.Slot(), name, 0)
		if slot != childSlot(a, a.Slot(), name, 0) || slot >= holdfast.Slots {
			t.Fatalf("slot of %q is %d, then %d", name, slot, childSlot(a, a.Slot(), name, 0))
		}
		seen[slot] = true
		if got := childSlot(a, a.Slot(), name, strayDepth); got != a.Slot() {
			t.Errorf("a deep directory is in slot %d; want its parent's, %d", got, a.Slot())
		}
	}
	if len(seen) < 800 {
		t.Errorf("1000 top-level directories are in %d slots", len(seen))
	}
	clear(seen)
	for parent := range holdfast.Slot(1000) { // the same name in many directories
		seen[childSlot(a, parent, "photos/", 1)] = true
	}
	if len(seen) < 800 {
		t.Errorf("1000 second-level directories of one name are in %d slots", len(seen))
	}
}
