package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

// messages makes n messages of about size bytes.
func messages(n, size int) []queued {
	batch := make([]queued, n)
	for i := range batch {
		text, _ := json.Marshal(fmt.Sprint(i, strings.Repeat("x", size))) // a string always can be
		batch[i] = queued{Key: fmt.Sprint("key ", i), Message: text}
	}
	return batch
}

// TestQueueParts puts more into a queue than one object holds: it comes back whole and in order.
func TestQueueParts(t *testing.T) {
	w := newWorld(t)
	q := newQueue(w.v, "target")
	want := messages(10, maxBatch/4)
	if err := q.put(t.Context(), "source", 7, want); err != nil {
		t.Fatal(err)
	}
	keys, size, more, err := q.list(t.Context(), "", 100)
	if err != nil || more || len(keys) != 4 || size < 10*maxBatch/4 {
		t.Fatalf("got %q, %d bytes, %v, %v", keys, size, more, err)
	}
	var got []queued
	for _, key := range keys {
		batch, _, err := q.get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, batch...)
	}
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].Key != want[i].Key || string(got[i].Message) != string(want[i].Message) {
			t.Errorf("message %d is another one", i)
		}
	}
	if later, _, _, err := q.list(t.Context(), keys[2], 100); err != nil || len(later) != 1 || later[0] != keys[3] {
		t.Errorf("after %s: got %q, %v", keys[2], later, err)
	}
}

// TestQueueReplaced has a follower that began again put a batch that reaches further, while the first one is delivered: it is not
// removed with it.
func TestQueueReplaced(t *testing.T) {
	w := newWorld(t)
	q := newQueue(w.v, "target")
	if err := q.put(t.Context(), "source", 7, messages(3, 1)); err != nil {
		t.Fatal(err)
	}
	keys, _, _, err := q.list(t.Context(), "", 100)
	if err != nil || len(keys) != 1 {
		t.Fatalf("got %q, %v", keys, err)
	}
	_, tag, err := q.get(t.Context(), keys[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := q.put(t.Context(), "source", 7, messages(5, 1)); err != nil {
		t.Fatal(err)
	}
	if err := q.drop(t.Context(), keys[0], tag); !holdfast.Is(err, holdfast.Precondition) {
		t.Errorf("dropped what nobody delivered: %v", err)
	}
	batch, tag, err := q.get(t.Context(), keys[0])
	if err != nil || len(batch) != 5 {
		t.Fatalf("%d messages, %v", len(batch), err)
	}
	for range 2 { // the second time it is gone
		if err := q.drop(t.Context(), keys[0], tag); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := q.get(t.Context(), keys[0]); !errors.Is(err, errGone) {
		t.Errorf("got %v, want errGone", err)
	}
}

// counted returns the sum of a counter over all targets.
func counted(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "holdfast_events_"+name+"_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}

// TestFullQueue drops events beyond the bound, and counts them; events of other targets are not touched.
func TestFullQueue(t *testing.T) {
	full, _ := webhookTarget(t, "full")
	other, _ := webhookTarget(t, "other")
	w := newWorld(t, full, other)
	reg := prometheus.NewRegistry()
	s := &Service{
		opts:    Options{Volume: w.v, Targets: []Target{full, other}, Logger: slog.New(slog.DiscardHandler)},
		metrics: newMetrics(reg),
	}
	for _, target := range s.opts.Targets {
		s.outlets = append(s.outlets, &outlet{s: s, target: &target, queue: newQueue(w.v, target.ID), wake: make(chan struct{}, 1)})
	}
	s.outlets[0].full, s.outlets[0].measured = true, time.Now().Add(time.Hour)
	w.put("full/k")
	w.put("other/k")
	for _, id := range w.services.SlotMap().Servers() {
		server, err := w.services.NameServer(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := server.Changes(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.handle(t.Context(), id, changes); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]float64{"dropped": 1, "queued": 1} {
		if got := counted(t, reg, name); got != want {
			t.Errorf("%v %s, want %v", got, name, want)
		}
	}
	for i, want := range []int{0, 1} {
		if n, size, err := s.outlets[i].queue.length(t.Context()); err != nil || n != want || (size > 0) != (n > 0) {
			t.Errorf("queue %d: %d batches, %d bytes, %v", i, n, size, err)
		}
	}
	s.outlets[0].measured = time.Time{}
	if full, err := s.outlets[0].isFull(t.Context()); full || err != nil {
		t.Errorf("an empty queue: got %v, %v", full, err)
	}
}

// TestBucketRemoved has changes handled after their bucket went: the configuration that is still known counts.
func TestBucketRemoved(t *testing.T) {
	target, _ := webhookTarget(t, "hook")
	w := newWorld(t, target)
	var c configs
	root := w.b.Info().Root
	if config, err := c.of(t.Context(), w.v, "bucket", root); err != nil || config == nil {
		t.Fatalf("got %v, %v", config, err)
	}
	if err := w.v.DeleteBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	if config, err := c.of(t.Context(), w.v, "bucket", root); err != nil || config == nil || len(config.rules.Rules) != 1 {
		t.Errorf("got %v, %v", config, err)
	}
	if config, err := new(configs).of(t.Context(), w.v, "bucket", root); err != nil || config != nil {
		t.Errorf("one that was never seen: got %v, %v", config, err)
	}
}
