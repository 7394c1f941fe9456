package objtest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"holdfast"
)

func testFree(t *testing.T, os holdfast.ObjectService) {
	var links []holdfast.Link
	for i := range 20 {
		links = append(links, MustCreate(t, os, Content(uint64(i), 1000*i*i+1)))
	}
	var ids []holdfast.ObjectID
	for _, l := range links[5:15] {
		ids = append(ids, l.Object)
	}
	if err := os.Free(t.Context(), ids); err != nil {
		t.Fatalf("Free: %v", err)
	}
	for i, l := range links {
		if i >= 5 && i < 15 {
			_, err := ReadAll(t.Context(), os, l)
			wantKind(t, "Read after Free", err, holdfast.NotFound)
			continue
		}
		MustRead(t, os, l, Content(uint64(i), 1000*i*i+1))
	}
}

func testFreeTwice(t *testing.T, os holdfast.ObjectService) {
	keep := MustCreate(t, os, []byte("keep"))
	link := MustCreate(t, os, []byte("drop"))
	for range 2 {
		ids := []holdfast.ObjectID{link.Object, {Epoch: 9, Counter: 9}, {}, link.Object}
		if err := os.Free(t.Context(), ids); err != nil {
			t.Fatalf("Free: %v", err)
		}
	}
	if err := os.Free(t.Context(), nil); err != nil {
		t.Fatalf("Free of nothing: %v", err)
	}
	MustRead(t, os, keep, []byte("keep"))
	st, err := os.Status(t.Context())
	if err != nil || st.Objects != 1 || st.Bytes != 4 {
		t.Errorf("Status = %+v, %v, want one object of 4 bytes", st, err)
	}
}

func testPin(t *testing.T, os holdfast.ObjectService) {
	data := Content(1, 9<<20)
	link := MustCreate(t, os, data)
	if err := os.Pin(t.Context(), []holdfast.ObjectID{link.Object}, holdfast.MaxPin); err != nil {
		t.Fatalf("Pin: %v", err)
	}
	if err := os.Free(t.Context(), []holdfast.ObjectID{link.Object}); err != nil {
		t.Fatalf("Free: %v", err)
	}
	for i := range 5 { // what could use the space again
		MustCreate(t, os, Content(uint64(i+2), 9<<20))
	}
	MustRead(t, os, link, data)
	if err := os.Pin(t.Context(), []holdfast.ObjectID{link.Object}, time.Second); err != nil {
		t.Errorf("Pin again: %v", err)
	}
	infos, err := os.Stat(t.Context(), []holdfast.ObjectID{link.Object})
	if err != nil || infos[0].Size != -1 {
		t.Errorf("Stat of a freed, pinned object = %+v, %v, want Size -1", infos, err)
	}
}

func testPinMissing(t *testing.T, os holdfast.ObjectService) {
	link := MustCreate(t, os, []byte("here"))
	missing := holdfast.ObjectID{Epoch: 1, Counter: 1 << 50}
	wantKind(t, "Pin", os.Pin(t.Context(), []holdfast.ObjectID{missing, link.Object}, holdfast.MaxPin), holdfast.NotFound)
	if err := os.Free(t.Context(), []holdfast.ObjectID{link.Object}); err != nil {
		t.Fatal(err)
	}
	MustRead(t, os, link, []byte("here")) // it was pinned all the same
}

func testStat(t *testing.T, os holdfast.ObjectService) {
	before := time.Now().Add(-time.Minute)
	a, b := MustCreate(t, os, Content(1, 30<<10)), MustCreate(t, os, Content(2, 10<<20))
	missing := holdfast.ObjectID{Epoch: 3, Counter: 1 << 50}
	infos, err := os.Stat(t.Context(), []holdfast.ObjectID{b.Object, missing, a.Object})
	if err != nil || len(infos) != 3 {
		t.Fatalf("Stat = %v, %v", infos, err)
	}
	for i, l := range []holdfast.Link{b, {Object: missing, Size: -1}, a} {
		got := infos[i]
		if got.Object != l.Object || got.Size != l.Size {
			t.Errorf("Stat[%d] = %+v, want object %v of %d bytes", i, got, l.Object, l.Size)
		}
		if l.Size < 0 {
			continue
		}
		if got.CRC != l.CRC || got.Home != l.Home || got.Settled || got.Stored < got.Size || got.Created.Before(before) {
			t.Errorf("Stat[%d] = %+v, want what %+v says, not settled", i, got, l)
		}
	}
}

func testObjects(t *testing.T, os holdfast.ObjectService) {
	var want []holdfast.ObjectID
	for i := range 25 {
		want = append(want, MustCreate(t, os, Content(uint64(i), i+1)).Object)
	}
	slices.SortFunc(want, func(a, b holdfast.ObjectID) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
	var got []holdfast.ObjectID
	for after := (holdfast.ObjectID{}); ; {
		infos, err := os.Objects(t.Context(), after, 10)
		if err != nil {
			t.Fatalf("Objects: %v", err)
		}
		if len(infos) > 10 {
			t.Fatalf("Objects gave %d records, want at most 10", len(infos))
		}
		for _, in := range infos {
			got = append(got, in.Object)
			after = in.Object
		}
		if len(infos) == 0 {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("Objects in pages = %v, want %v", got, want)
	}
	if infos, err := os.Objects(t.Context(), holdfast.ObjectID{}, 0); err != nil || len(infos) != 0 {
		t.Errorf("Objects with limit 0 = %v, %v", infos, err)
	}
}

func testStatus(t *testing.T, os holdfast.ObjectService) {
	MustCreate(t, os, Content(1, 4096))
	link := MustCreate(t, os, Content(2, 100_000))
	st, err := os.Status(t.Context())
	if err != nil || st.Objects != 2 || st.Bytes != 104_096 || st.Allocated < st.Bytes {
		t.Errorf("Status = %+v, %v, want 2 objects of 104096 bytes", st, err)
	}
	if err := os.Free(t.Context(), []holdfast.ObjectID{link.Object}); err != nil {
		t.Fatal(err)
	}
	st, err = os.Status(t.Context())
	if err != nil || st.Objects != 1 || st.Bytes != 4096 {
		t.Errorf("Status after Free = %+v, %v, want 1 object of 4096 bytes", st, err)
	}
}

func testConcurrent(t *testing.T, os holdfast.ObjectService) {
	const workers, rounds = 8, 30
	seed := rand.Uint64()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			if err := churn(t.Context(), os, rng, rounds); err != nil {
				t.Errorf("worker %d, seed %d: %v", w, seed, err)
			}
		}()
	}
	wg.Wait()
}

// churn creates, reads and frees objects of its own.
func churn(ctx context.Context, os holdfast.ObjectService, rng *rand.Rand, rounds int) error {
	type object struct {
		link holdfast.Link
		data []byte
	}
	var mine []object
	for range rounds {
		data := Content(rng.Uint64(), 1+rng.IntN(1<<rng.IntN(21)))
		link, err := os.Create(ctx, holdfast.CreateRequest{Home: 5, Size: int64(len(data))}, bytes.NewReader(data))
		if err != nil {
			return err
		}
		mine = append(mine, object{link, data})
		i := rng.IntN(len(mine))
		got, err := ReadAll(ctx, os, mine[i].link)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, mine[i].data) {
			return errors.New("an object reads back as another")
		}
		if rng.IntN(3) == 0 {
			if err := os.Free(ctx, []holdfast.ObjectID{mine[i].link.Object}); err != nil {
				return err
			}
			mine = slices.Delete(mine, i, i+1)
		}
	}
	return nil
}
