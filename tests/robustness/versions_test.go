package robustness

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
)

// version is a version of a key, or a delete marker, that a user was told of, or asked for without learning how it ended: then its id is
// zero.
type version struct {
	id           holdfast.VersionID
	null, marker bool
	want         content
	locks        []holdfast.Lock // what its lock may be; see attempt
	doubtful     bool            // it may have been removed
}

// history is what may be found of a key in a bucket with versions: what was acknowledged, newest first, and what may be there besides.
type history struct {
	told []version
	open []version
}

func (h *history) clone() *history {
	c := &history{told: slices.Clone(h.told), open: slices.Clone(h.open)}
	for i := range c.told {
		c.told[i].locks = slices.Clone(c.told[i].locks)
	}
	return c
}

func cloneHistories(m map[string]*history) map[string]*history {
	n := make(map[string]*history, len(m))
	for k, h := range m {
		n[k] = h.clone()
	}
	return n
}

func (l *ledger) history(key string) *history {
	if l.versions[key] == nil {
		l.versions[key] = &history{}
	}
	return l.versions[key]
}

// mayReplaceNull reports whether a write may be that of a null version, which takes the place of an older one.
func (l *ledger) mayReplaceNull() bool {
	return slices.ContainsFunc(l.states, func(v holdfast.Versioning) bool { return v != holdfast.VersioningEnabled })
}

// wrote notes how the write of a version or marker ended.
func (l *ledger) wrote(key string, v version, err error) {
	h := l.history(key)
	switch {
	case err == nil:
		if v.null {
			h.told = slices.DeleteFunc(h.told, func(old version) bool { return old.null })
		}
		h.told = slices.Insert(h.told, 0, v)
		if l.repeats && len(v.want.bytes()) == 0 && !v.null {
			// An answer that was lost below is asked for again, and what has no bytes has nothing by which a name server knows it.
			v.id = holdfast.VersionID{}
			h.open = append(h.open, v)
		}
	case unknown(err):
		h.open = append(h.open, v)
		for i := range h.told {
			h.told[i].doubtful = h.told[i].doubtful || h.told[i].null && l.mayReplaceNull()
		}
	}
}

// setState switches versioning, and object lock on.
func setState(v holdfast.Versioning, lock bool) step {
	return func(c *client) error {
		states := map[string][]holdfast.Versioning{"": c.ledger.states}
		end := attempt(states, "", v, unfinished)
		err := call(func(ctx context.Context) error {
			_, err := c.store.volume.UpdateBucket(ctx, bucketName, volume.BucketChange{Versioning: &v, ObjectLock: &lock})
			return err
		})
		end(err)
		c.ledger.states = states[""]
		return err
	}
}

// putVersion stores a version with a lock.
func putVersion(key string, seed uint64, size int, lock holdfast.Lock) step {
	return func(c *client) error {
		v := version{want: content{seed: seed, sizes: [4]int{size}, there: true}, locks: []holdfast.Lock{lock}}
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			req := volume.PutRequest{Entry: holdfast.Entry{Lock: lock, Owner: "owner"}, Body: bytes.NewReader(v.want.bytes()), Size: int64(size)}
			put, err := b.Put(ctx, key, req)
			v.id, v.null = put.Entry.Version, put.Entry.Null
			return err
		})
		c.ledger.wrote(key, v, err)
		return err
	}
}

// hide puts a delete marker on a key.
func hide(key string) step {
	return func(c *client) error {
		v := version{marker: true}
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			done := b.Delete(ctx, []volume.DeleteRequest{{Key: key, Owner: "owner"}})[0]
			v.id, v.null = done.Version, done.Null
			return done.Err
		})
		c.ledger.wrote(key, v, err)
		return err
	}
}

// nth returns the n-th newest version that is certain to be there.
func (h *history) nth(n int) *version {
	for i := range h.told {
		if v := &h.told[i]; !v.doubtful {
			if n--; n < 0 {
				return v
			}
		}
	}
	return nil
}

// dropVersion removes the n-th newest version of a key, with the right to bypass governance mode.
func dropVersion(key string, n int) step {
	return func(c *client) error {
		h := c.ledger.history(key)
		v := h.nth(n)
		if v == nil {
			return errSkipped
		}
		id := v.id
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			return b.Delete(ctx, []volume.DeleteRequest{{Key: key, Version: volume.Version{ID: id}, Bypass: true}})[0].Err
		})
		switch {
		case err == nil:
			h.told = slices.DeleteFunc(h.told, func(v version) bool { return v.id == id })
		case unknown(err):
			v.doubtful = true
		}
		return err
	}
}

// relock replaces one side of the lock of the n-th newest version.
func relock(key string, n int, side holdfast.Aspect, lock holdfast.Lock) step {
	return func(c *client) error {
		v := c.ledger.history(key).nth(n)
		if v == nil {
			return errSkipped
		}
		next := v.locks[0]
		if side == holdfast.AspectRetention {
			next.Mode, next.Until = lock.Mode, lock.Until
		} else {
			next.LegalHold, next.HoldOff = lock.LegalHold, lock.HoldOff
		}
		locks := map[string][]holdfast.Lock{"": v.locks}
		end := attempt(locks, "", next, unknown)
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			_, err := b.SetAttributes(ctx, key, volume.AttrChange{
				Version: volume.Version{ID: v.id}, Mask: side, Entry: holdfast.Entry{Lock: lock}, Bypass: true,
			})
			return err
		})
		end(err)
		v.locks = locks[""]
		return err
	}
}

// listVersions returns all versions of the bucket, by key.
func (c *client) listVersions(t testing.TB) map[string][]volume.ListItem {
	t.Helper()
	found := map[string][]volume.ListItem{}
	err := c.on(func(ctx context.Context, b *volume.Bucket) error {
		page, err := b.List(ctx, volume.ListOptions{What: holdfast.ListVersions, Limit: 1000})
		for _, it := range page.Items {
			found[it.Key] = append(found[it.Key], it)
		}
		return err
	})
	if err != nil {
		t.Errorf("list of versions: %v", err)
	}
	return found
}

// checkVersions holds the versions of each key against what users were told. What is found is certain from then on.
func (c *client) checkVersions(t testing.TB) {
	t.Helper()
	if len(c.ledger.versions) == 0 {
		return
	}
	found := c.listVersions(t)
	for _, key := range slices.Sorted(maps.Keys(c.ledger.versions)) {
		c.checkHistory(t, key, found[key])
	}
}

func (c *client) checkHistory(t testing.TB, key string, found []volume.ListItem) {
	t.Helper()
	h := c.ledger.versions[key]
	var now []version
	for i, it := range found {
		if i > 0 && bytes.Compare(it.Entry.Version[:], found[i-1].Entry.Version[:]) >= 0 || it.Latest != (i == 0) {
			t.Errorf("%q: version %d of %d is out of order or wrongly the latest", key, i, len(found))
		}
		v, ok := h.take(it.Entry, c.readVersion(t, key, it.Entry))
		if !ok {
			t.Errorf("%q: version %v (null %v, marker %v, %d bytes) is none of %+v", key, it.Entry.Version, it.Entry.Null, it.Entry.Marker, it.Entry.Size, h)
			continue
		}
		c.checkLock(t, key, &v)
		now = append(now, v)
	}
	for _, v := range h.told {
		if !v.doubtful {
			t.Errorf("%q: the acknowledged version %v is not there", key, v.id)
		}
	}
	h.told, h.open = now, nil
}

// take takes the version that was found out of a history.
func (h *history) take(e *holdfast.Entry, data []byte) (version, bool) {
	fits := func(v version) bool {
		return v.marker == e.Marker && (v.id == e.Version && v.null == e.Null || v.id == holdfast.VersionID{}) && bytes.Equal(data, v.want.bytes())
	}
	for _, list := range []*[]version{&h.told, &h.open} {
		if i := slices.IndexFunc(*list, fits); i >= 0 {
			v := (*list)[i]
			*list = slices.Delete(*list, i, i+1)
			v.id, v.null, v.doubtful = e.Version, e.Null, false
			return v, true
		}
	}
	return version{}, false
}

// readVersion returns the bytes of a version, none of a marker.
func (c *client) readVersion(t testing.TB, key string, e *holdfast.Entry) []byte {
	t.Helper()
	if e.Marker {
		return nil
	}
	var buf bytes.Buffer
	err := c.on(func(ctx context.Context, b *volume.Bucket) error {
		return b.Read(ctx, key, volume.Version{ID: e.Version}, func(o *volume.Object) error {
			_, err := o.WriteRange(ctx, &buf, 0, o.Entry().Size)
			return err
		})
	})
	if err != nil {
		t.Errorf("read version %v of %q: %v", e.Version, key, err)
	}
	return buf.Bytes()
}

// checkLock compares a lock with what it may be, and tries to remove what it keeps.
func (c *client) checkLock(t testing.TB, key string, v *version) {
	t.Helper()
	if v.marker {
		return
	}
	var e holdfast.Entry
	err := c.on(func(ctx context.Context, b *volume.Bucket) (err error) {
		e, err = b.Head(ctx, key, volume.Version{ID: v.id})
		return err
	})
	if err != nil || !slices.Contains(v.locks, e.Lock) {
		t.Errorf("version %v of %q has the lock %+v (%v), which is none of %+v", v.id, key, e.Lock, err, v.locks)
	}
	v.locks = []holdfast.Lock{e.Lock}
	if !e.Lock.Forbids(time.Now(), false) {
		return
	}
	err = c.on(func(ctx context.Context, b *volume.Bucket) error {
		return b.Delete(ctx, []volume.DeleteRequest{{Key: key, Version: volume.Version{ID: v.id}}})[0].Err
	})
	if !holdfast.Is(err, holdfast.Locked) {
		t.Errorf("delete of the locked version %v of %q: %v", v.id, key, err)
	}
}

// current returns the keys whose newest version is not a marker.
func (l *ledger) current() (keys []string) {
	for key, h := range l.versions {
		if len(h.told) > 0 && !h.told[0].marker {
			keys = append(keys, key)
		}
	}
	return keys
}

// emptyVersions removes all versions, after their legal holds.
func (c *client) emptyVersions(t testing.TB) {
	t.Helper()
	for key, items := range c.listVersions(t) {
		for _, it := range items {
			id := volume.Version{ID: it.Entry.Version}
			err := c.on(func(ctx context.Context, b *volume.Bucket) error {
				off := volume.AttrChange{Version: id, Mask: holdfast.AspectLegalHold, Entry: holdfast.Entry{Lock: holdfast.Lock{HoldOff: true}}}
				_, err := b.SetAttributes(ctx, key, off)
				if it.Entry.Marker && holdfast.Is(err, holdfast.NotFound) {
					err = nil
				}
				return errors.Join(err, b.Delete(ctx, []volume.DeleteRequest{{Key: key, Version: id, Bypass: true}})[0].Err)
			})
			if err != nil {
				t.Errorf("delete of version %v of %q: %v", id.ID, key, err)
			}
		}
	}
}

// versionScripts write, hide and remove versions in all states of a bucket, and change locks.
func versionScripts() []script {
	on, off := holdfast.VersioningEnabled, holdfast.VersioningSuspended
	none := holdfast.Lock{}
	kept := func(year int) holdfast.Lock {
		return holdfast.Lock{Mode: holdfast.LockGovernance, Until: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	return []script{
		{"versions", []step{setState(on, false), putVersion("v/k", 1, 5000, none), putVersion("v/k", 2, 40<<10, none)}, []step{
			putVersion("v/k", 3, 300, none), hide("v/k"), putVersion("v/k", 4, 70_000, none), dropVersion("v/k", 1), dropVersion("v/k", 0),
			putVersion("v/new/k", 5, 0, none), hide("v/never"), dropVersion("v/never", 0), dropVersion("v/new/k", 0),
		}},
		{"suspended", []step{setState(on, false), putVersion("s/k", 1, 5000, none)}, []step{
			setState(off, false), putVersion("s/k", 2, 6000, none), putVersion("s/k", 3, 7, none), hide("s/k"), putVersion("s/k", 4, 8000, none),
			setState(on, false), putVersion("s/k", 5, 9, none), setState(off, false), putVersion("s/k", 6, 10, none), dropVersion("s/k", 0),
		}},
		{"locks", []step{setState(on, true), putVersion("l/k", 1, 5000, kept(2100))}, []step{
			putVersion("l/k", 2, 600, none), relock("l/k", 0, holdfast.AspectLegalHold, holdfast.Lock{LegalHold: true}),
			relock("l/k", 1, holdfast.AspectRetention, kept(2200)), relock("l/k", 0, holdfast.AspectRetention, kept(2100)),
			relock("l/k", 0, holdfast.AspectLegalHold, holdfast.Lock{HoldOff: true}), relock("l/k", 1, holdfast.AspectRetention, none),
			hide("l/k"), dropVersion("l/k", 2),
		}},
	}
}
