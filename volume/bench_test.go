package volume_test

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

func benchBucket(b *testing.B) *volume.Bucket {
	return volumetest.MakeBucket(b, volumetest.Start(b, openDisk(b, 2, 2)), "bucket")
}

func BenchmarkPut4K(b *testing.B) {
	bucket := benchBucket(b)
	data := volumetest.Data(1, 4096)
	var n atomic.Int64
	b.SetParallelism(8) // 16 on two cores
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := putErr(b.Context(), bucket, fmt.Sprintf("d/%09d", n.Add(1)), data); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkGet4K(b *testing.B) {
	bucket := benchBucket(b)
	volumetest.MustPut(b, bucket, "d/key", volumetest.Data(1, 4096))
	b.ReportAllocs()
	for b.Loop() {
		err := bucket.Read(b.Context(), "d/key", volume.Version{}, func(o *volume.Object) error {
			_, err := o.WriteRange(b.Context(), io.Discard, 0, 4096)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHead(b *testing.B) {
	bucket := benchBucket(b)
	volumetest.MustPut(b, bucket, "d/key", nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bucket.Head(b.Context(), "d/key", volume.Version{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList measures a page of 1,000 keys: flat, and below 100 directories that lie on both name servers. The volume's own share
// is what a page costs with the cheapest name server there is.
func BenchmarkList(b *testing.B) {
	for _, shape := range []struct{ name, key, delimiter string }{
		{"flat", "%05d", ""}, {"directories", "%[2]d/%05[1]d", ""}, {"prefixes", "%05d/x", "/"},
	} {
		b.Run(shape.name, func(b *testing.B) {
			bucket := volumetest.MakeBucket(b, volumetest.Start(b, openEngines(b, 2, 1)), "bucket")
			for i := range 2000 {
				volumetest.MustPut(b, bucket, fmt.Sprintf(shape.key, i, i%100), nil)
			}
			b.ReportAllocs()
			for b.Loop() {
				page, err := bucket.List(b.Context(), volume.ListOptions{Limit: 1000, Delimiter: shape.delimiter})
				if err != nil || len(page.Items) != 1000 {
					b.Fatal(len(page.Items), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/key")
		})
	}
	b.Run("own share", func(b *testing.B) {
		d := volume.NewDirect(volume.NewSlotMap(1))
		d.SetName(1, newPageNames(1001))
		v := volumetest.Start(b, d)
		bucket := volumetest.GetBucket(b, v, "bucket")
		b.ReportAllocs()
		for b.Loop() {
			page, err := bucket.List(b.Context(), volume.ListOptions{Limit: 1000})
			if err != nil || len(page.Items) != 1000 {
				b.Fatal(len(page.Items), err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/key")
	})
}

func BenchmarkDelete1000(b *testing.B) {
	bucket := volumetest.MakeBucket(b, volumetest.Start(b, openDisk(b, 2, 1)), "bucket")
	for b.Loop() {
		b.StopTimer()
		reqs := make([]volume.DeleteRequest, 1000)
		for i := range reqs {
			reqs[i].Key = fmt.Sprintf("%d/%d", i%10, i)
			if err := putErr(b.Context(), bucket, reqs[i].Key, nil); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		for _, res := range bucket.Delete(b.Context(), reqs) {
			if res.Err != nil {
				b.Fatal(res.Err)
			}
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "keys/s")
}

// pageNames is a name server that answers every listing with the same page, at no cost.
type pageNames struct {
	holdfast.NameService
	page holdfast.Page
}

func newPageNames(n int) *pageNames {
	p := &pageNames{page: holdfast.Page{More: true}}
	for i := range n {
		p.page.Items = append(p.page.Items, holdfast.Item{Name: fmt.Sprintf("%05d", i), Entry: &holdfast.Entry{}})
	}
	return p
}

func (p *pageNames) Lookup(_ context.Context, qs []holdfast.Lookup) ([]holdfast.Answer, error) {
	return []holdfast.Answer{{Dirs: make([]holdfast.DirID, len(qs[0].Path)), Bucket: holdfast.BucketInfo{Name: "bucket", Epoch: 1}}}, nil
}

func (p *pageNames) BucketEpoch(context.Context, holdfast.DirID) (uint64, error) { return 1, nil }

func (p *pageNames) List(context.Context, []holdfast.ListRequest) ([]holdfast.Page, error) {
	return []holdfast.Page{p.page}, nil
}

func (p *pageNames) Intents(context.Context, holdfast.IntentID, time.Duration, int) ([]holdfast.Intent, error) {
	return nil, nil
}
