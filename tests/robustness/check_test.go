package robustness

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv"
	"holdfast/objsrv"
	"holdfast/tools/fsck"
	"holdfast/volume"
)

// check holds the store against the ledger: reads, listings, uploads and buckets. What is found is certain from then on.
func (c *client) check(t testing.TB) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(c.ledger.keys)) {
		c.checkKey(t, key)
	}
	c.checkVersions(t)
	c.checkLists(t)
	for _, name := range slices.Sorted(maps.Keys(c.ledger.uploads)) {
		c.checkUpload(t, name)
	}
	c.checkUploadList(t)
	c.checkBuckets(t)
}

func (c *client) checkKey(t testing.TB, key string) {
	t.Helper()
	got, err := c.read(key)
	if err != nil {
		t.Errorf("read %q: %v", key, err)
		return
	}
	for _, want := range c.ledger.keys[key] {
		if want.there == (got != nil) && (!want.there || bytes.Equal(got, want.bytes())) {
			c.ledger.keys[key] = []content{want}
			return
		}
	}
	t.Errorf("%q: read %d bytes (there: %v), which is none of %+v", key, len(got), got != nil, c.ledger.keys[key])
}

// present returns the keys that are certain to be there, in order.
func (l *ledger) present() (keys []string) {
	for key, possible := range l.keys {
		if possible[0].there {
			keys = append(keys, key)
		}
	}
	keys = append(keys, l.current()...)
	slices.Sort(keys)
	return keys
}

// checkLists compares the listings, flat and by level, with the keys that were read.
func (c *client) checkLists(t testing.TB) {
	t.Helper()
	want := c.ledger.present()
	flat := c.list(t, volume.ListOptions{Limit: 1000})
	if !slices.Equal(flat, want) {
		t.Errorf("listing: got %q, want %q", flat, want)
	}
	var level []string
	for _, key := range want {
		if i := strings.IndexByte(key, '/'); i >= 0 {
			key = key[:i+1]
		}
		level = append(level, key)
	}
	level = slices.Compact(level)
	if got := c.list(t, volume.ListOptions{Delimiter: "/", Limit: 1000}); !slices.Equal(got, level) {
		t.Errorf("listing of the top level: got %q, want %q", got, level)
	}
}

func (c *client) list(t testing.TB, o volume.ListOptions) (keys []string) {
	t.Helper()
	err := c.on(func(ctx context.Context, b *volume.Bucket) error {
		page, err := b.List(ctx, o)
		for _, it := range page.Items {
			keys = append(keys, it.Key)
			if it.Entry != nil && len(c.ledger.keys[it.Key]) > 0 {
				if want := len(c.ledger.keys[it.Key][0].bytes()); it.Entry.Size != int64(want) {
					t.Errorf("listing: %q has %d bytes, want %d", it.Key, it.Entry.Size, want)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Errorf("list: %v", err)
	}
	return keys
}

func (c *client) checkUpload(t testing.TB, name string) {
	t.Helper()
	up, ok := c.uploads[name]
	if !ok {
		return // its id was never learned
	}
	var page volume.PartPage
	err := c.on(func(ctx context.Context, b *volume.Bucket) (err error) {
		page, err = b.ListParts(ctx, up.key, up.id, 0, 100)
		return err
	})
	there := err == nil
	if err != nil && !holdfast.Is(err, holdfast.NoSuchUpload) {
		t.Errorf("upload %s: %v", name, err)
		return
	}
	if !slices.Contains(c.ledger.uploads[name], there) {
		t.Errorf("upload %s: there: %v, want %v", name, there, c.ledger.uploads[name])
		return
	}
	c.ledger.uploads[name] = []bool{there}
	if !there {
		return
	}
	sizes := map[string]int64{}
	for _, p := range page.Parts {
		sizes[partName(name, p.Part.Number)] = p.Part.Size
	}
	for part, possible := range c.ledger.parts {
		if !strings.HasPrefix(part, name+"#") {
			continue
		}
		size, there := sizes[part]
		if !slices.ContainsFunc(possible, func(want content) bool {
			return want.there == there && (!there || int64(len(want.bytes())) == size)
		}) {
			t.Errorf("part %s: there: %v, %d bytes, which is none of %+v", part, there, size, possible)
		}
	}
}

// checkUploadList checks that the uploads that are listed are those that are there. One whose id was never learned may be.
func (c *client) checkUploadList(t testing.TB) {
	t.Helper()
	var page volume.ListPage
	err := c.on(func(ctx context.Context, b *volume.Bucket) (err error) {
		page, err = b.List(ctx, volume.ListOptions{What: holdfast.ListUploads, Limit: 1000})
		return err
	})
	if err != nil {
		t.Errorf("list of uploads: %v", err)
	}
	listed := map[holdfast.UploadID]bool{}
	for _, it := range page.Items {
		listed[it.Upload.ID] = true
	}
	for name, up := range c.uploads {
		if there := c.ledger.uploads[name][0]; listed[up.id] != there {
			t.Errorf("upload %s: listed: %v, there: %v", name, listed[up.id], there)
		}
	}
}

func (c *client) checkBuckets(t testing.TB) {
	t.Helper()
	var page volume.BucketPage
	err := call(func(ctx context.Context) (err error) {
		page, err = c.store.volume.Buckets(ctx, volume.BucketsOptions{Limit: 100})
		return err
	})
	if err != nil {
		t.Errorf("list of buckets: %v", err)
		return
	}
	listed := map[string]bool{}
	for _, b := range page.Buckets {
		listed[b.Name] = true
		if len(c.ledger.buckets[b.Name]) == 0 {
			t.Errorf("bucket %s is listed and was never made", b.Name)
		}
	}
	for name, possible := range c.ledger.buckets {
		if !slices.Contains(possible, listed[name]) {
			t.Errorf("bucket %s: listed: %v, want %v", name, listed[name], possible)
		}
		c.ledger.buckets[name] = []bool{listed[name]}
	}
}

// settle lets everything happen that happens in time: intents are finished, guards expire, garbage is freed. Then the
// engines' books must be in order, fsck must find nothing, and nothing may be left that no name links to.
func (s *store) settle(t testing.TB) fsck.Report {
	t.Helper()
	eventually(t, "unfinished operations to be finished", func() error {
		return s.eachName(t, func(id holdfast.ServiceID, n holdfast.NameStatus) error {
			if n.Intents > 0 {
				return errorf("%v has %d intents", id, n.Intents)
			}
			return nil
		})
	})
	s.clock.Forward(holdfast.GuardPeriod + holdfast.MaxPin + time.Second)
	for id, o := range s.objectServers(t) {
		if result, err := o.(*objsrv.Engine).Sweep(t.Context()); err != nil || result.Doubtful > 0 {
			t.Errorf("sweep of %v: %+v, %v", id, result, err)
		}
	}
	eventually(t, "garbage to be freed", func() error {
		return s.eachName(t, func(id holdfast.ServiceID, n holdfast.NameStatus) error {
			if n.Garbage > 0 {
				return errorf("%v has %d objects of garbage", id, n.Garbage)
			}
			return nil
		})
	})
	s.checkBooks(t)
	report, err := fsck.Check(t.Context(), s.node.Services(), fsck.Options{
		Deep: true, Now: s.clock.Now, Problem: func(p fsck.Problem) { t.Errorf("fsck: %+v", p) },
	})
	if err != nil {
		t.Errorf("fsck: %v", err)
	}
	if report.Waiting > 0 || report.Objects != report.Links {
		t.Errorf("fsck: %d objects for %d links, %d waiting", report.Objects, report.Links, report.Waiting)
	}
	return report
}

func (s *store) eachName(t testing.TB, f func(holdfast.ServiceID, holdfast.NameStatus) error) error {
	for id, n := range s.nameServers(t) {
		status, err := n.Status(t.Context())
		if err != nil {
			return err
		}
		if err := f(id, status); err != nil {
			return err
		}
	}
	return nil
}

// checkBooks runs the engines' own checks.
func (s *store) checkBooks(t testing.TB) {
	t.Helper()
	for id, n := range s.nameServers(t) {
		err := n.(*namesrv.Engine).Check(t.Context(), func(p namesrv.Problem) { t.Errorf("%v: %s: %s", id, p.Key, p.What) }, nil)
		if err != nil {
			t.Errorf("check of %v: %v", id, err)
		}
	}
	for id, o := range s.objectServers(t) {
		report, err := o.(*objsrv.Engine).Check(t.Context(), true)
		if err != nil {
			t.Errorf("check of %v: %v", id, err)
		}
		for _, p := range report.Problems {
			t.Errorf("%v: %s", id, p)
		}
	}
}

// empty deletes everything and checks that nothing at all is left.
func (c *client) empty(t testing.TB) {
	t.Helper()
	if len(c.ledger.versions) > 0 {
		c.emptyVersions(t)
	} else if keys := c.ledger.present(); len(keys) > 0 {
		if err := remove(keys...)(c); err != nil {
			t.Errorf("delete of everything: %v", err)
		}
	}
	for name, there := range c.ledger.buckets {
		if !there[0] {
			continue
		}
		if err := dropBucket(name)(c); err != nil {
			t.Errorf("delete of bucket %s: %v", name, err)
		}
	}
	report := c.store.settle(t)
	if report.Objects > 0 || report.Directories != 1 || report.Buckets > 0 || report.Uploads > 0 {
		t.Errorf("after everything was deleted: %+v", report)
	}
	_ = c.store.eachName(t, func(id holdfast.ServiceID, n holdfast.NameStatus) error {
		if n.Names > 0 {
			t.Errorf("%v has %d names left", id, n.Names)
		}
		return nil
	})
}
