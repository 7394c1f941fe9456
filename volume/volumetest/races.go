package volumetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"holdfast"
	"holdfast/volume"
)

// testStaleCache has one gateway remember directories that another one removes and makes anew.
func testStaleCache(t *testing.T, open Open) {
	for _, names := range shapes {
		s := open(t, names, 1)
		first := Start(t, s)
		b := MakeBucket(t, first, "bucket")
		for round := range 5 {
			key := fmt.Sprintf("x/y/z/%d", round)
			MustPut(t, b, key, []byte("first"))
			WantGet(t, b, key, volume.Version{}, []byte("first"))

			second, err := volume.Open(volume.Options{Services: s})
			if err != nil {
				t.Fatal(err)
			}
			if res := GetBucket(t, second, "bucket").Delete(t.Context(), []volume.DeleteRequest{{Key: key}})[0]; !res.Found {
				t.Fatalf("delete: %+v", res)
			}
			if err := second.Close(); err != nil { // the empty directories are gone now
				t.Fatal(err)
			}
			third := Start(t, s)
			there := GetBucket(t, third, "bucket")
			if round%2 == 0 {
				MustPut(t, there, "x/y/z/new", []byte("second"))
				WantGet(t, b, "x/y/z/new", volume.Version{}, []byte("second"))
			}
			_, err = b.Head(t.Context(), key, volume.Version{})
			WantKind(t, "head of what was deleted", err, holdfast.NotFound)
			switch round {
			case 0:
				WantList(t, b, volume.ListOptions{Prefix: "x/y/z/n", Delimiter: "x", Limit: 9}, []Line{lineOf(t, there, "x/y/z/new")}, false)
			case 1:
				MustPut(t, b, "x/y/z/new", []byte("first again"))
				WantGet(t, there, "x/y/z/new", volume.Version{}, []byte("first again"))
			}
			if res := b.Delete(t.Context(), []volume.DeleteRequest{{Key: "x/y/z/new"}})[0]; res.Err != nil || res.Found != (round%2 == 0 || round == 1) {
				t.Fatalf("round %d: delete: %+v", round, res)
			}
		}
	}
}

// lineOf is the line of a key in a listing of objects.
func lineOf(t testing.TB, b *volume.Bucket, key string) Line {
	t.Helper()
	e, err := b.Head(t.Context(), key, volume.Version{})
	if err != nil {
		t.Fatal(err)
	}
	return Line{Key: key, Version: e.Version, Size: e.Size}
}

// testRaces has many writers make and remove the same directories. Each key belongs to one writer, who knows what it holds at any
// moment.
func testRaces(t *testing.T, open Open) {
	for _, names := range shapes {
		t.Run(fmt.Sprint(names), func(t *testing.T) {
			s := NewCensus(open(t, names, 2))
			v := Start(t, s)
			other := Start(t, s) // another gateway with a cache of its own
			MakeBucket(t, v, "bucket")
			var wg sync.WaitGroup
			for w := range 8 {
				rng := random(t, uint64(w))
				on := v
				if w%2 == 1 {
					on = other
				}
				wg.Go(func() {
					key := ""
					for i := range 60 {
						key = fmt.Sprintf("%s/key%d", []string{"x", "x/y", "x/y/z", "y", "x/y/z/w/v"}[rng.IntN(5)], w)
						data := Data(uint64(i), 1+rng.IntN(100))
						if err := raceOnce(t.Context(), on, key, data); err != nil {
							t.Errorf("writer %d, round %d, %q: %v", w, i, key, err)
							return
						}
					}
				})
			}
			wg.Wait()
			b := GetBucket(t, v, "bucket")
			WantList(t, b, volume.ListOptions{Limit: 100}, nil, false)
			WantList(t, b, volume.ListOptions{Delimiter: "/", Limit: 100}, nil, false)
			s.WantLinks(t, b)
			if err := v.DeleteBucket(t.Context(), "bucket"); err != nil {
				t.Fatal(err)
			}
			s.WantSettled(t)
		})
	}
}

// raceOnce puts, reads, lists and deletes a key.
func raceOnce(ctx context.Context, v *volume.Volume, key string, data []byte) error {
	b, err := v.Bucket(ctx, "bucket")
	if err != nil {
		return err
	}
	if _, err := put(ctx, b, key, data); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	got, err := get(ctx, b, key, volume.Version{})
	if err != nil || !bytes.Equal(got, data) {
		return fmt.Errorf("get: %d bytes of %d, %w", len(got), len(data), err)
	}
	for _, delimiter := range []string{"", "/"} {
		page, err := b.List(ctx, volume.ListOptions{Limit: 1000, Delimiter: delimiter})
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		if !slices.ContainsFunc(page.Items, func(it volume.ListItem) bool {
			return it.Key == key || it.CommonPrefix && it.Key == key[:2]
		}) {
			return fmt.Errorf("listing with delimiter %q does not show the key", delimiter)
		}
	}
	if res := b.Delete(ctx, []volume.DeleteRequest{{Key: key}})[0]; res.Err != nil || !res.Found {
		return fmt.Errorf("delete: found %v, %w", res.Found, res.Err)
	}
	if _, err := b.Head(ctx, key, volume.Version{}); !holdfast.Is(err, holdfast.NotFound) {
		return fmt.Errorf("head after delete: %w", err)
	}
	return nil
}

// testListWhileWriting lists in pages while keys come and go: keys that stay must be in each listing exactly once, in order.
func testListWhileWriting(t *testing.T, open Open) {
	b := start(t, open, 2)
	stay := make(map[string]bool)
	for i := range 100 {
		key := fmt.Sprintf("%d/%d/stay%d", i%3, i%10, i)
		stay[key] = true
		MustPut(t, b, key, nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key := fmt.Sprintf("%d/%d/come%d", i%5, i%13, w)
				if _, err := put(ctx, b, key, nil); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				b.Delete(ctx, []volume.DeleteRequest{{Key: key}})
			}
		})
	}
	for range 20 {
		for _, delimiter := range []string{"", "stay", "/s"} {
			o := volume.ListOptions{Limit: 7, Delimiter: delimiter}
			var keys []string
			for more := true; more; {
				page, err := b.List(ctx, o)
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range page.Items {
					keys = append(keys, it.Key)
				}
				o.After, more = page.Next, page.More
			}
			if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
				t.Fatalf("delimiter %q: the keys are not in order", delimiter)
			}
			n := 0
			for _, key := range keys {
				if stay[key] {
					n++
				}
			}
			if delimiter == "" && n != len(stay) {
				t.Fatalf("%d of %d keys that stay are listed", n, len(stay))
			}
		}
	}
	cancel()
	wg.Wait()
}
