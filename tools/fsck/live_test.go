package fsck

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// TestChangeAtEveryCall makes one change to the store at each call of a check in turn. All objects look old, so that
// nothing is passed over for its youth: whatever the moment, the check must not find a thing.
func TestChangeAtEveryCall(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, s *store, up uploaded)
	}{
		{"Delete", func(t *testing.T, s *store, _ uploaded) {
			for _, key := range []string{"a", "d/b", "f/y/z", "d/parts"} {
				s.delete(t, key)
			}
			s.collect(t)
		}},
		{"DeleteUncollected", func(t *testing.T, s *store, _ uploaded) { s.delete(t, "f/x") }},
		{"Replace", func(t *testing.T, s *store, _ uploaded) {
			for _, key := range []string{"a", "d/b", "f/y/z", "d/parts"} {
				volumetest.MustPut(t, s.bucket, key, volumetest.Data(50, 99))
			}
			s.collect(t)
		}},
		{"Create", func(t *testing.T, s *store, _ uploaded) {
			for _, key := range []string{"0", "d/0", "f/y/0", "z/z"} {
				volumetest.MustPut(t, s.bucket, key, volumetest.Data(51, 99))
			}
		}},
		{"CompleteUpload", func(t *testing.T, s *store, up uploaded) { s.complete(t, "f/y/up", up) }},
		{"CompleteUploadInPart", func(t *testing.T, s *store, up uploaded) {
			up.parts = up.parts[1:]
			s.complete(t, "f/y/up", up)
			s.collect(t)
		}},
		{"AbortUpload", func(t *testing.T, s *store, up uploaded) {
			if err := s.bucket.AbortUpload(t.Context(), "f/y/up", up.id); err != nil {
				t.Fatal(err)
			}
			s.collect(t)
		}},
		{"ReplacePart", func(t *testing.T, s *store, up uploaded) {
			volumetest.MustPutPart(t, s.bucket, "f/y/up", up.id, 1, volumetest.Data(52, 77))
			s.collect(t)
		}},
		{"CompleteAndDelete", func(t *testing.T, s *store, up uploaded) {
			s.complete(t, "f/y/up", up)
			s.delete(t, "f/y/up")
			s.collect(t)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for n := 0; ; n++ {
				s := newStore(t, old)
				s.fill(t)
				up := s.upload(t, "f/y/up", 3)
				hook, acted := nth(n, func() { tc.change(t, s, up) })
				s.call = hook
				report, found := s.check(t, Options{Deep: true})
				if len(found) > 0 || !report.Complete {
					t.Fatalf("change at call %d: found %+v, report %+v", n, found, report)
				}
				if !acted.Load() {
					return
				}
			}
		})
	}
}

// TestWriteLoad checks a store again and again while many write to it, with objects of their true age and with objects
// that all look old.
func TestWriteLoad(t *testing.T) {
	for name, created := range map[string]func() time.Time{"Now": nil, "Old": old} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, created)
			s.fill(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var wg sync.WaitGroup
			for w := range 4 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					s.write(ctx, t, w)
				}()
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				for ctx.Err() == nil {
					s.collect(t)
					<-time.After(time.Millisecond)
				}
			}()
			var links int64
			for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
				report, found := s.check(t, Options{Deep: true})
				if len(found) > 0 || !report.Complete {
					t.Errorf("found %+v, report %+v", found, report)
					break
				}
				links = max(links, report.Links)
			}
			cancel()
			wg.Wait()
			if links < 20 {
				t.Errorf("at most %d links at a time: the load was none", links)
			}
		})
	}
}

// write puts, deletes and uploads under names of its own until ctx ends. Its errors are those of a load that was cut off, or
// of bytes that a check gave up because they looked old.
func (s *store) write(ctx context.Context, t *testing.T, w int) {
	seed := uint64(time.Now().UnixNano())
	defer func() {
		if t.Failed() {
			t.Logf("writer %d had seed %d", w, seed)
		}
	}()
	r := rand.New(rand.NewPCG(seed, uint64(w)))
	for ctx.Err() == nil {
		key := fmt.Sprintf("w%d/%d/%d", w, r.IntN(5), r.IntN(20))
		switch r.IntN(5) {
		case 0, 1:
			data := volumetest.Data(r.Uint64(), 1+r.IntN(500))
			_, _ = s.bucket.Put(ctx, key, volume.PutRequest{Entry: holdfast.Entry{Owner: "o"}, Body: bytes.NewReader(data), Size: int64(len(data))})
		case 2:
			_ = s.bucket.Delete(ctx, []volume.DeleteRequest{{Key: key}})
		default:
			s.writeUpload(ctx, r, key)
		}
	}
}

func (s *store) writeUpload(ctx context.Context, r *rand.Rand, key string) {
	up, err := s.bucket.CreateUpload(ctx, key, holdfast.Upload{Initiator: "o", Entry: holdfast.Entry{Owner: "o"}})
	if err != nil {
		return
	}
	var parts []holdfast.CompletedPart
	for n := 1; n <= 1+r.IntN(4); n++ {
		data := volumetest.Data(r.Uint64(), 1+r.IntN(500))
		p, err := s.bucket.PutPart(ctx, key, up.ID, volume.PartRequest{Number: n, ETag: holdfast.ETag{Digest: [16]byte{byte(n)}}, Body: bytes.NewReader(data), Size: int64(len(data))})
		if err == nil {
			parts = append(parts, holdfast.CompletedPart{Number: n, ETag: p.ETag})
		}
	}
	switch r.IntN(6) {
	case 0: // left unfinished
	case 1:
		_ = s.bucket.AbortUpload(ctx, key, up.ID)
	default:
		_, _ = s.bucket.CompleteUpload(ctx, key, up.ID, volume.CompleteRequest{Parts: parts})
	}
}
