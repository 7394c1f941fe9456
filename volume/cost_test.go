package volume_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// calls counts the calls that f makes.
func calls(faults *volumetest.Faults, f func()) map[string]int {
	n := make(map[string]int)
	faults.Decide(func(call string) volumetest.Fault { n[call]++; return volumetest.NoFault })
	f()
	faults.Decide(nil)
	return n
}

// TestCalls bounds how many calls operations make, whatever the depth or the number of keys.
func TestCalls(t *testing.T) {
	_, faults, v := openFaulty(t, 4)
	b := volumetest.MakeBucket(t, v, "bucket")
	deep := strings.Repeat("/", 1024)
	shallow := []volume.DeleteRequest{}
	for i := range 1000 {
		key := fmt.Sprintf("%d/%d/%d", i%10, i%50, i)
		volumetest.MustPut(t, b, key, nil)
		shallow = append(shallow, volume.DeleteRequest{Key: key})
	}
	cold := func() *volume.Bucket { return volumetest.GetBucket(t, volumetest.Start(t, faults, quiet), "bucket") }
	for _, tc := range []struct {
		name string
		do   func(*volume.Bucket)
		on   *volume.Bucket
		max  int
	}{
		{"put into 1024 new directories", func(b *volume.Bucket) { volumetest.MustPut(t, b, deep, nil) }, b, 40},
		{"put again", func(b *volume.Bucket) { volumetest.MustPut(t, b, deep, []byte("x")) }, b, 3}, // epoch, create, apply
		{"get 1024 deep, cold", func(b *volume.Bucket) { volumetest.WantGet(t, b, deep, volume.Version{}, []byte("x")) }, cold(), 10},
		{"get 1024 deep", func(b *volume.Bucket) { volumetest.WantGet(t, b, deep, volume.Version{}, []byte("x")) }, b, 2},
		{"list 1000 keys in 60 directories", func(b *volume.Bucket) {
			if _, err := b.List(t.Context(), volume.ListOptions{Limit: 1000}); err != nil {
				t.Error(err)
			}
		}, cold(), 100},
		{"list by prefixes", func(b *volume.Bucket) {
			if _, err := b.List(t.Context(), volume.ListOptions{Limit: 1000, Delimiter: "/"}); err != nil {
				t.Error(err)
			}
		}, cold(), 20},
		{"delete 1000 keys, cold", func(b *volume.Bucket) {
			for _, res := range b.Delete(t.Context(), shallow) {
				if !res.Found {
					t.Errorf("delete: %+v", res)
				}
			}
		}, cold(), 20 + 400}, // and what the cleaner does in the meantime
	} {
		sum := 0
		n := calls(faults, func() { tc.do(tc.on) })
		for _, c := range n {
			sum += c
		}
		t.Logf("%s: %v", tc.name, n)
		if sum > tc.max {
			t.Errorf("%s: %d calls, %v; want at most %d", tc.name, sum, n, tc.max)
		}
	}
}

func TestOptions(t *testing.T) {
	if _, err := volume.Open(volume.Options{}); !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("open without services: %v", err)
	}
	reg := prometheus.NewPedanticRegistry()
	v := volumetest.Start(t, newCluster(1, 1), func(o *volume.Options) { o.Registerer = reg })
	b := volumetest.MakeBucket(t, v, "bucket")
	volumetest.MustPut(t, b, "a/b", []byte("x"))
	if _, err := b.Head(t.Context(), "no", volume.Version{}); err == nil {
		t.Error("a key that is not there was found")
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "holdfast_volume_") {
			t.Errorf("metric %s", f.GetName())
		}
		got[f.GetName()] = true
	}
	for _, want := range []string{"holdfast_volume_operation_seconds", "holdfast_volume_errors_total", "holdfast_volume_path_cache_hits_total"} {
		if !got[want] {
			t.Errorf("no metric %s", want)
		}
	}
	if _, err := volume.Open(volume.Options{Services: newCluster(1, 1), Registerer: reg}); err == nil {
		t.Error("metrics were registered twice")
	}
}
