package volumetest

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
)

// bytesIn returns what a bucket holds, as quotas count it.
func bytesIn(t testing.TB, v *volume.Volume) int64 {
	t.Helper()
	u, err := v.Usage(t.Context(), "bucket")
	if err != nil {
		t.Fatal(err)
	}
	return u.Bytes + u.UploadBytes
}

func setQuota(t testing.TB, v *volume.Volume, size int64) *volume.Bucket {
	t.Helper()
	if err := v.SetQuota(t.Context(), "bucket", size); err != nil {
		t.Fatalf("set quota %d: %v", size, err)
	}
	b := GetBucket(t, v, "bucket")
	if b.Quota() != size {
		t.Fatalf("quota: got %d, want %d", b.Quota(), size)
	}
	return b
}

func testQuota(t *testing.T, open Open) {
	for _, names := range shapes {
		t.Run(fmt.Sprint(names), func(t *testing.T) {
			v := Start(t, open(t, names, 2))
			stale := MakeBucket(t, v, "bucket") // its record knows no quota
			refused := func(b *volume.Bucket, key string, size int) {
				t.Helper()
				if _, err := put(t.Context(), b, key, make([]byte, size)); !holdfast.Is(err, holdfast.QuotaExceeded) {
					t.Errorf("put %s of %d bytes: got %v, want a full quota", key, size, err)
				}
			}
			if err := v.SetQuota(t.Context(), "none", 1); !holdfast.Is(err, holdfast.NotFound) {
				t.Errorf("no bucket: got %v", err)
			}
			if err := v.SetQuota(t.Context(), "bucket", -1); !holdfast.Is(err, holdfast.Invalid) {
				t.Errorf("negative: got %v", err)
			}
			b := setQuota(t, v, 1000)
			for i := range 10 { // every byte of the quota can be used, wherever the names lie
				MustPut(t, b, fmt.Sprintf("d%d/k", i), make([]byte, 100))
			}
			refused(b, "d1/more", 1)
			refused(stale, "d2/more", 1)
			refused(b, "whole", 1001)
			MustPut(t, b, "d1/empty", nil)
			MustPut(t, b, "d1/k", make([]byte, 100))
			if err := drop(t, b, "d3/k"); err != nil {
				t.Fatal(err)
			}
			MustPut(t, b, "d7/k", make([]byte, 200))
			refused(b, "d7/k", 201)
			b = setQuota(t, v, 150)                  // less than it holds
			MustPut(t, b, "d7/k", make([]byte, 200)) // in place of as much
			refused(b, "d7/k", 201)
			b = setQuota(t, v, 500)
			refused(b, "d9/k2", 1)
			for i := range 7 {
				if err := drop(t, b, fmt.Sprintf("d%d/k", i)); err != nil {
					t.Fatal(err)
				}
			}
			MustPut(t, b, "d0/k", make([]byte, 100))
			refused(b, "d0/k", 101)
			if got := bytesIn(t, v); got != 500 {
				t.Errorf("holds %d bytes, want 500", got)
			}
			b = setQuota(t, v, 0)
			MustPut(t, b, "d9/k2", make([]byte, 5000))
		})
	}
}

// testQuotaModel does random things to a bucket with a small quota and looks after each of them.
func testQuotaModel(t *testing.T, open Open) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	v := Start(t, open(t, 2, 2))
	MakeBucket(t, v, "bucket")
	const size = 2000
	b := setQuota(t, v, size)
	key := func() string { return fmt.Sprintf("d%d/%d", rng.IntN(6), rng.IntN(4)) }
	uploads := map[holdfast.UploadID]string{}
	refusals, stored := 0, 0
	for range 600 {
		before := bytesIn(t, v)
		n := 1 + rng.IntN(300)
		var err error
		grown := int64(-1) // at most
		switch p := rng.IntN(20); {
		case p < 9:
			grown = int64(n)
			_, err = put(t.Context(), b, key(), make([]byte, n))
		case p < 14:
			err = drop(t, b, key())
		case p < 15 && len(uploads) < 3:
			var up holdfast.Upload
			k := key()
			if up, err = b.CreateUpload(t.Context(), k, holdfast.Upload{}); err == nil {
				uploads[up.ID] = k
			}
		case p < 19:
			for id, k := range uploads {
				grown = int64(n)
				err = modelPart(t, b, k, id, 1+rng.IntN(2), n)
				break
			}
		default:
			for id, k := range uploads {
				if rng.IntN(2) == 0 {
					err = modelComplete(t, b, k, id)
				} else {
					err = b.AbortUpload(t.Context(), k, id)
				}
				delete(uploads, id)
				break
			}
		}
		after := bytesIn(t, v)
		switch {
		case after > size:
			t.Fatalf("holds %d bytes of %d", after, size)
		case holdfast.Is(err, holdfast.QuotaExceeded):
			if refusals++; grown < 0 || before+grown <= size || after != before {
				t.Fatalf("%d bytes more refused over %d of %d (%d after)", grown, before, size, after)
			}
		case err != nil && !holdfast.Is(err, holdfast.NotFound):
			t.Fatal(err)
		case grown > 0:
			stored++
		}
	}
	if refusals < 10 || stored < 50 {
		t.Errorf("%d refusals and %d writes do not test much", refusals, stored)
	}
}

// testQuotaRaces fills a bucket through two volumes at once, as two gateways do, while the quota changes. What the bucket holds is
// looked at between rounds, since a sum over servers that change meanwhile is of no one moment.
func testQuotaRaces(t *testing.T, open Open) {
	services := open(t, 2, 2)
	volumes := []*volume.Volume{Start(t, services), Start(t, services)}
	MakeBucket(t, volumes[0], "bucket")
	const size = 3000
	setQuota(t, volumes[0], size)
	for round := range 12 {
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() { fill(t, volumes[w%2], round, w) })
		}
		if round%4 == 3 {
			setQuota(t, volumes[0], size-int64(round))
		}
		wg.Wait()
		if got := bytesIn(t, volumes[0]); got > size {
			t.Fatalf("round %d: holds %d bytes of %d", round, got, size)
		}
	}
	b := GetBucket(t, volumes[1], "bucket") // all that is free can be used
	for range 20 {
		left := b.Quota() - bytesIn(t, volumes[0])
		if left <= 0 {
			break
		}
		MustPut(t, b, fmt.Sprintf("last-%d/k", left), make([]byte, (left+1)/2))
	}
}

// fill puts and deletes in a bucket that gets full.
func fill(t *testing.T, v *volume.Volume, round, worker int) {
	b, err := v.Bucket(t.Context(), "bucket")
	if err != nil {
		t.Error(err)
		return
	}
	rng := rand.New(rand.NewPCG(uint64(worker), uint64(round)))
	for i := range 6 {
		k := fmt.Sprintf("w%d-%d/k", worker, (round+i)%7)
		if i%3 == 0 {
			err = drop(t, b, k)
		} else {
			_, err = put(t.Context(), b, k, make([]byte, 50+rng.IntN(300)))
		}
		if err != nil && !holdfast.Is(err, holdfast.QuotaExceeded) {
			t.Errorf("worker %d: %v", worker, err)
		}
	}
}

func modelPart(t *testing.T, b *volume.Bucket, key string, id holdfast.UploadID, number, size int) error {
	data := make([]byte, size)
	_, err := b.PutPart(t.Context(), key, id, volume.PartRequest{
		Number: number, ETag: holdfast.ETag{Digest: md5.Sum(data)}, Body: bytes.NewReader(data), Size: int64(size),
	})
	return err
}

// modelComplete completes an upload with the parts it has, or gives it up if it has none.
func modelComplete(t *testing.T, b *volume.Bucket, key string, id holdfast.UploadID) error {
	page, err := b.ListParts(t.Context(), key, id, 0, 10)
	if err != nil {
		return err
	}
	if len(page.Parts) == 0 {
		return b.AbortUpload(t.Context(), key, id)
	}
	var req volume.CompleteRequest
	for _, p := range page.Parts {
		req.Parts = append(req.Parts, holdfast.CompletedPart{Number: p.Part.Number, ETag: p.Part.ETag})
	}
	_, err = b.CompleteUpload(t.Context(), key, id, req)
	return err
}

func drop(t *testing.T, b *volume.Bucket, key string) error {
	return b.Delete(t.Context(), []volume.DeleteRequest{{Key: key}})[0].Err
}
