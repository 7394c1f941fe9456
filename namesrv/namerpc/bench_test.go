package namerpc

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"holdfast"
)

// cpu reports the processor time of the whole process per operation: client, server and kernel together.
func cpu(b *testing.B) func() {
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	return func() {
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
			b.Fatal(err)
		}
		spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(spent)/1e3/float64(b.N), "cpu-µs/op")
	}
}

// benchEntry is the entry of a small object with the usual headers.
func benchEntry() holdfast.Entry {
	return holdfast.Entry{
		Version:  holdfast.VersionID{1, 2, 3},
		Modified: time.Unix(1_800_000_000, 5).UTC(),
		Size:     4096,
		ETag:     holdfast.ETag{Digest: [16]byte{1, 2, 3}},
		Owner:    "0123456789abcdef",
		Headers:  []holdfast.Header{{Name: "content-type", Value: "application/octet-stream"}},
		Content:  holdfast.Content{Link: holdfast.Link{OS: 0x10 << 56, Object: holdfast.ObjectID{Epoch: 3, Counter: 1 << 30}, Home: 77, Size: 4096, CRC: 5}},
	}
}

// benchServices are what the benchmarks compare: a service with ready answers, called directly and over a socket.
func benchServices(b *testing.B, s *spyNames) map[string]holdfast.NameService {
	c, _ := overTCP(b, s)
	return map[string]holdfast.NameService{"direct": s, "tcp": c}
}

func BenchmarkLookup(b *testing.B) {
	answer := holdfast.Answer{Dirs: []holdfast.DirID{{1}, {2}}, Entry: benchEntry()}
	question := []holdfast.Lookup{{Dir: holdfast.DirID{9}, Path: []string{"photos/", "2026/"}, Name: "img_0001.jpg"}}
	for name, svc := range benchServices(b, &spyNames{answers: []holdfast.Answer{answer}}) {
		b.Run(name, func(b *testing.B) {
			defer cpu(b)()
			for range b.N {
				if _, err := svc.Lookup(context.Background(), question); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	put := holdfast.PutEntry{Dir: holdfast.DirID{9}, Name: "img_0001.jpg", Entry: benchEntry(),
		Bucket: holdfast.BucketCheck{Root: holdfast.DirID{8}, Epoch: 5}}
	for _, n := range []int{1, 100} {
		var txs []holdfast.Tx
		s := new(spyNames)
		for range n {
			txs = append(txs, holdfast.Tx{Ops: []holdfast.Op{put}})
			s.results = append(s.results, holdfast.Result{Failed: -1, Replies: []holdfast.Reply{{Entry: benchEntry(), Created: true}}})
		}
		s.applyFunc = func(context.Context, []holdfast.Tx) ([]holdfast.Result, error) { return s.results, nil }
		for name, svc := range benchServices(b, s) {
			b.Run(fmt.Sprintf("%s/%dtxs", name, n), func(b *testing.B) {
				defer cpu(b)()
				for range b.N {
					if _, err := svc.Apply(context.Background(), txs); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkApplyParallel(b *testing.B) {
	put := holdfast.PutEntry{Dir: holdfast.DirID{9}, Name: "img_0001.jpg", Entry: benchEntry()}
	result := []holdfast.Result{{Failed: -1, Replies: []holdfast.Reply{{Entry: benchEntry()}}}}
	s := &spyNames{applyFunc: func(context.Context, []holdfast.Tx) ([]holdfast.Result, error) { return result, nil }}
	for name, svc := range benchServices(b, s) {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(8)
			defer cpu(b)()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := svc.Apply(context.Background(), []holdfast.Tx{{Ops: []holdfast.Op{put}}}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkListPage(b *testing.B) {
	page := holdfast.Page{More: true}
	for i := range 1000 {
		e := benchEntry()
		e.Headers, e.Content = nil, holdfast.Content{}
		page.Items = append(page.Items, holdfast.Item{Name: fmt.Sprintf("img_%06d.jpg", i), Entry: &e, Latest: true})
	}
	for name, svc := range benchServices(b, &spyNames{pages: []holdfast.Page{page}}) {
		b.Run(name+"/1000items", func(b *testing.B) {
			defer cpu(b)()
			for range b.N {
				if _, err := svc.List(context.Background(), []holdfast.ListRequest{{Limit: 1000}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
