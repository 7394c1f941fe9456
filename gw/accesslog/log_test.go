package accesslog

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
)

// open opens a volume in memory with a bucket for logs.
func open(t *testing.T) *volume.Volume {
	t.Helper()
	id, os := holdfast.NewServiceID(holdfast.TypeNameServer, 1), holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	slots := volume.NewSlotMap(id)
	services := volume.NewDirect(slots)
	services.SetName(id, nametest.New(nil, slots.Held(id)...))
	services.SetObject(os, objtest.NewMemory(os, nil))
	v, err := volume.Open(volume.Options{Services: services, RetryFor: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{Name: "logs", Owner: "o"}); err != nil {
		t.Fatal(err)
	}
	return v
}

// contents returns the log objects by key.
func contents(t *testing.T, v *volume.Volume) map[string]string {
	t.Helper()
	b, err := v.Bucket(t.Context(), "logs")
	if err != nil {
		t.Fatal(err)
	}
	page, err := b.List(t.Context(), volume.ListOptions{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, it := range page.Items {
		err := b.Read(t.Context(), it.Key, volume.Version{}, func(o *volume.Object) error {
			var body bytes.Buffer
			_, err := o.WriteRange(t.Context(), &body, 0, o.Entry().Size)
			got[it.Key] = body.String()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// value reads a counter.
func value(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "holdfast_accesslog_"+name+"_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no counter %s", name)
	return 0
}

func line(owner, bucket, request string) *Record {
	return &Record{Owner: owner, Bucket: bucket, Request: request, Time: time.Date(2024, 3, 4, 5, 6, 7, 0, time.UTC)}
}

// TestDelivery gathers lines of several buckets and delivers them when the log is closed, in objects by target.
func TestDelivery(t *testing.T) {
	v := open(t)
	reg := prometheus.NewRegistry()
	l := Start(Options{Volume: v, Region: "eu", Every: time.Hour, Reg: reg})
	simple := s3api.LoggingConfig{TargetBucket: "logs", TargetPrefix: "simple/"}
	events := s3api.LoggingConfig{TargetBucket: "logs", TargetPrefix: "by/", Partitioned: s3api.LogEventTime}
	delivery := s3api.LoggingConfig{TargetBucket: "logs", TargetPrefix: "at/", Partitioned: s3api.LogDeliveryTime}
	l.Add(line("o", "a", "1"), simple)
	l.Add(line("o", "a", "2"), simple)
	l.Add(line("o", "b", "3"), events)
	l.Add(line("o", "b", "4"), delivery)
	l.Add(line("another", "c", "5"), simple)
	l.Add(line("o", "d", "6"), s3api.LoggingConfig{TargetBucket: "gone"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	got := contents(t, v)
	for form, requests := range map[string]string{
		`^simple/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}$`:                    "12",
		`^by/o/eu/b/2024/03/04/2024-03-04-00-00-00-[0-9A-F]{16}$`:                 "3",
		`^at/o/eu/b/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}$`: "4",
	} {
		found := false
		for key, text := range got {
			if !regexp.MustCompile(form).MatchString(key) {
				continue
			}
			found = true
			var seen strings.Builder
			for one := range strings.Lines(text) {
				seen.WriteString(fields(one)[5])
			}
			if seen.String() != requests {
				t.Errorf("%s: got the requests %q, want %q", key, seen.String(), requests)
			}
		}
		if !found {
			t.Errorf("nothing like %s in %v", form, got)
		}
	}
	if len(got) != 3 || value(t, reg, "delivered") != 4 || value(t, reg, "dropped") != 2 {
		t.Errorf("%d objects, %v delivered, %v dropped", len(got), value(t, reg, "delivered"), value(t, reg, "dropped"))
	}
}

// TestInTime delivers without being closed.
func TestInTime(t *testing.T) {
	v := open(t)
	l := Start(Options{Volume: v, Every: 10 * time.Millisecond})
	defer l.Close()
	l.Add(line("o", "a", "1"), s3api.LoggingConfig{TargetBucket: "logs"})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); len(contents(t, v)) == 0; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("nothing was delivered")
		}
	}
}

// TestBounds fills the memory: what does not fit is counted, and what fits is delivered at once when it is large.
func TestBounds(t *testing.T) {
	reg := prometheus.NewRegistry()
	dropped := prometheus.NewCounter(prometheus.CounterOpts{Name: "holdfast_accesslog_dropped_total"})
	reg.MustRegister(dropped)
	l := &Log{batches: make(map[batchKey]*batch), urgent: make(chan struct{}, 1), dropped: dropped}
	r := line("o", "a", strings.Repeat("x", maxObject/4))
	for range 8 {
		l.Add(r, s3api.LoggingConfig{TargetBucket: "logs"})
	}
	select {
	case <-l.urgent:
	default:
		t.Error("a large batch is not urgent")
	}
	l.bytes = maxMemory
	l.Add(r, s3api.LoggingConfig{TargetBucket: "logs"})
	if got := value(t, reg, "dropped"); got != 1 {
		t.Errorf("%v dropped", got)
	}
}
