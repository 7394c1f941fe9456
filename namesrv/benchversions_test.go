package namesrv_test

import (
	"context"
	"fmt"
	"testing"

	"holdfast"
	"holdfast/namesrv"
)

// noncurrent is how many versions that no plain listing shows the listings of this file have among them.
const noncurrent = 100_000

// layouts are the ways to have that many noncurrent versions: on one key, spread over keys that are there, and under delete markers.
var layouts = []struct {
	name    string
	keys    int
	hidden  bool // delete markers on top
	objects int  // what a plain listing shows
}{
	{"one-key", 1, false, 1},
	{"ten-per-key", noncurrent / 10, false, noncurrent / 10},
	{"deleted", noncurrent, true, 0},
}

// versionedServer returns a server with one directory of a layout.
func versionedServer(b *testing.B, keys int, hidden bool) (*namesrv.Engine, holdfast.DirID) {
	b.Helper()
	e, root := benchServer(b, 0)
	var txs []holdfast.Tx
	add := func(op holdfast.Op) {
		if txs = append(txs, holdfast.Tx{Ops: []holdfast.Op{op}}); len(txs) < holdfast.MaxTxs {
			return
		}
		if _, err := e.Apply(context.Background(), txs); err != nil {
			b.Fatal(err)
		}
		txs = txs[:0]
	}
	for i := range noncurrent + keys {
		put := benchPut(root, uint64(i)).(holdfast.PutEntry)
		put.Name, put.Versioning = benchName(uint64(i%keys)), holdfast.VersioningEnabled
		if hidden && i >= noncurrent {
			add(holdfast.DeleteEntry{Dir: root, Name: put.Name, Versioning: holdfast.VersioningEnabled})
			continue
		}
		add(put)
	}
	if len(txs) > 0 {
		if _, err := e.Apply(context.Background(), txs); err != nil {
			b.Fatal(err)
		}
	}
	return e, root
}

// listAll reads a listing to its end by pages of 1,000 and returns how many items it has.
func listAll(b *testing.B, e *namesrv.Engine, r holdfast.ListRequest) int {
	b.Helper()
	r.Limit = 1000
	for items := 0; ; r.After = true {
		ps, err := e.List(context.Background(), []holdfast.ListRequest{r})
		if err != nil || ps[0].Err != nil {
			b.Fatal(err, ps)
		}
		items += len(ps[0].Items)
		if !ps[0].More {
			return items
		}
		last := &ps[0].Items[len(ps[0].Items)-1]
		r.From, r.FromVersion = last.Name, last.Entry.Version
	}
}

// BenchmarkListVersions lists all versions of each layout; compare its items/s with that of BenchmarkList.
func BenchmarkListVersions(b *testing.B) {
	for _, l := range layouts {
		e, root := versionedServer(b, l.keys, l.hidden)
		b.Run(l.name, func(b *testing.B) {
			items := 0
			for b.Loop() {
				items += listAll(b, e, holdfast.ListRequest{Dir: root, What: holdfast.ListVersions})
			}
			if want := (noncurrent + l.keys) * b.N; items != want {
				b.Fatalf("%d items, want %d", items, want)
			}
			b.ReportMetric(float64(items)/b.Elapsed().Seconds(), "items/s")
		})
	}
}

// BenchmarkListAmongVersions lists current objects where there are as many noncurrent versions.
func BenchmarkListAmongVersions(b *testing.B) {
	for _, l := range layouts {
		e, root := versionedServer(b, l.keys, l.hidden)
		b.Run(l.name, func(b *testing.B) {
			for b.Loop() {
				if got := listAll(b, e, holdfast.ListRequest{Dir: root}); got != l.objects {
					b.Fatal(fmt.Sprint(got, " items"))
				}
			}
			b.ReportMetric(float64(l.objects*b.N)/b.Elapsed().Seconds(), "items/s")
		})
	}
}
