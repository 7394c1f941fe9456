package volume_test

import (
	"context"
	"testing"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// refreshed is a [volume.Services] that tells when somebody asks for news.
type refreshed struct {
	volume.Services
	asked chan struct{} // of capacity 1
}

func (r refreshed) Refresh(ctx context.Context) error {
	select {
	case r.asked <- struct{}{}:
	default:
	}
	return r.Services.Refresh(ctx)
}

// TestRequestsOutliveAFailover takes servers away and brings them back while a request waits.
func TestRequestsOutliveAFailover(t *testing.T) {
	c := newCluster(2, 1)
	s := refreshed{c, make(chan struct{}, 1)}
	v := volumetest.Start(t, s, quiet)
	b := volumetest.MakeBucket(t, v, "bucket")
	volumetest.MustPut(t, b, "a/b", []byte("x"))
	names := func(up bool) {
		for id, n := range c.names {
			if c.SetName(id, nil); up {
				c.SetName(id, n)
			}
		}
	}
	objects := func(up bool) {
		for id, o := range c.objects {
			if c.SetObject(id, nil); up {
				c.SetObject(id, o)
			}
		}
	}
	for _, tc := range []struct {
		name string
		set  func(up bool)
		do   func() error
	}{
		{"put without name servers", names, func() error { return putErr(t.Context(), b, "n/e/w", []byte("x")) }},
		{"put without object servers", objects, func() error { return putErr(t.Context(), b, "n/e/w", []byte("y")) }},
		{"get without object servers", objects, func() error { _, err := readOrNil(t.Context(), b, "a/b"); return err }},
		{"head without name servers", names, func() error { _, err := b.Head(t.Context(), "a/b", volume.Version{}); return err }},
		{"list without name servers", names, func() error { _, err := b.List(t.Context(), volume.ListOptions{Limit: 10}); return err }},
		{"bucket without name servers", names, func() error { _, err := v.Bucket(t.Context(), "bucket"); return err }},
		{"usage without name servers", names, func() error { _, err := v.Usage(t.Context(), "bucket"); return err }},
		{"delete without name servers", names, func() error {
			return b.Delete(t.Context(), []volume.DeleteRequest{{Key: "a/b"}})[0].Err
		}},
	} {
		tc.set(false)
		done := make(chan error, 1)
		select { // what an earlier one asked
		case <-s.asked:
		default:
		}
		go func() { done <- tc.do() }()
		select {
		case <-s.asked:
		case err := <-done:
			t.Fatalf("%s: ended with %v", tc.name, err)
		}
		tc.set(true)
		if err := <-done; err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
	}

	names(false)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-s.asked; cancel() }()
	_, err := b.Head(ctx, "a/b", volume.Version{})
	if err == nil || holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("a cancelled head: %v", err)
	}
	names(true)
}
