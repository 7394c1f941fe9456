package volumetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Census is a [volume.Services] that remembers every directory that was ever made, so that it can tell afterwards whether something
// was left behind: a directory that nothing links to, an object that no name links to and nobody will free.
type Census struct {
	volume.Services

	mu   sync.Mutex
	dirs map[holdfast.DirID]bool
}

// NewCensus watches services from now on.
func NewCensus(s volume.Services) *Census {
	return &Census{Services: s, dirs: make(map[holdfast.DirID]bool)}
}

// NameServer implements [volume.Services].
func (c *Census) NameServer(ctx context.Context, id holdfast.ServiceID) (holdfast.NameService, error) {
	s, err := c.Services.NameServer(ctx, id)
	return countedNames{s, c}, err
}

type countedNames struct {
	holdfast.NameService
	c *Census
}

func (n countedNames) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	n.c.mu.Lock()
	for _, tx := range txs {
		for _, op := range tx.Ops {
			if mk, ok := op.(holdfast.MakeDir); ok {
				n.c.dirs[mk.Dir] = true
			}
		}
	}
	n.c.mu.Unlock()
	return n.NameService.Apply(ctx, txs)
}

// lookup asks one question.
func (c *Census) lookup(t testing.TB, q holdfast.Lookup) holdfast.Answer {
	t.Helper()
	s, err := c.Services.NameServer(t.Context(), c.SlotMap().Owner(q.Dir))
	if err != nil {
		t.Fatal(err)
	}
	as, err := s.Lookup(t.Context(), []holdfast.Lookup{q})
	if err != nil {
		t.Fatal(err)
	}
	return as[0]
}

// Dirs returns the directories that exist now, and how many of those are linked nowhere.
func (c *Census) Dirs(t testing.TB) (live []holdfast.DirID, stray int) {
	t.Helper()
	c.mu.Lock()
	made := make([]holdfast.DirID, 0, len(c.dirs))
	for dir := range c.dirs {
		made = append(made, dir)
	}
	c.mu.Unlock()
	for _, dir := range made {
		a := c.lookup(t, holdfast.Lookup{Dir: dir, Want: holdfast.WantDir})
		if holdfast.Is(a.Err, holdfast.DirGone) {
			continue
		}
		if a.Err != nil {
			t.Fatal(a.Err)
		}
		live = append(live, dir)
		link := c.lookup(t, holdfast.Lookup{Dir: a.State.Parent, Path: []string{a.State.Name}, Want: holdfast.WantDir})
		if len(link.Dirs) == 0 || link.Dirs[0] != dir {
			stray++
		}
	}
	return live, stray
}

// intents counts the unfinished operations.
func (c *Census) intents(t testing.TB) (n int) {
	t.Helper()
	for _, id := range c.SlotMap().Servers() {
		s, err := c.Services.NameServer(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.Intents(t.Context(), holdfast.IntentID{}, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		n += len(in)
	}
	return n
}

// WantSettled waits until no unfinished operation is left, and then no directory that is linked nowhere. A volume with a quick
// janitor must be open.
func (c *Census) WantSettled(t testing.TB) {
	t.Helper()
	Eventually(t, "unfinished operations to be finished", func() bool { return c.intents(t) == 0 })
	if _, stray := c.Dirs(t); stray > 0 {
		t.Fatalf("%d directories are linked nowhere", stray)
	}
}

// Eventually polls until a condition holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// WantLinks checks bytes against names: what names and the uploads of a bucket link to is stored, and what is stored and not linked
// was never committed, or is given up. It must be the last use of the object servers: it settles the rest.
func (c *Census) WantLinks(t testing.TB, b *volume.Bucket) {
	t.Helper()
	linked := c.uploadLinks(t, b)
	live, _ := c.Dirs(t)
	for _, dir := range live {
		for l := range c.links(t, dir) {
			linked[l] = true
		}
	}
	stored := make(map[objectKey]bool)
	for _, id := range c.ObjectServers() {
		s, err := c.Services.ObjectServer(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		infos, err := s.Objects(t.Context(), holdfast.ObjectID{}, holdfast.MaxObjectIDs)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range infos {
			k := objectKey{id, in.Object}
			stored[k] = true
			if !linked[k] && c.fate(t, id, in) != holdfast.FateDoomed {
				t.Errorf("object %v is stored and committed, and nothing links to it", in.Object)
			}
		}
	}
	for k := range linked {
		if !stored[k] {
			t.Errorf("a name links to object %v, which is not stored", k.object)
		}
	}
}

type objectKey struct {
	os     holdfast.ServiceID
	object holdfast.ObjectID
}

// links returns what the entries of a directory link to.
func (c *Census) links(t testing.TB, dir holdfast.DirID) map[objectKey]bool {
	t.Helper()
	s, err := c.Services.NameServer(t.Context(), c.SlotMap().Owner(dir))
	if err != nil {
		t.Fatal(err)
	}
	req := holdfast.ListRequest{Dir: dir, What: holdfast.ListVersions, WithContent: true, Limit: holdfast.MaxList}
	pages, err := s.List(t.Context(), []holdfast.ListRequest{req})
	if err != nil {
		t.Fatal(err)
	}
	links := make(map[objectKey]bool)
	for _, it := range pages[0].Items {
		if it.Entry != nil {
			for l := range it.Entry.Content.Links {
				links[objectKey{l.OS, l.Object}] = true
			}
		}
	}
	return links
}

// uploadLinks returns what the parts of a bucket's unfinished uploads link to.
func (c *Census) uploadLinks(t testing.TB, b *volume.Bucket) map[objectKey]bool {
	t.Helper()
	links := make(map[objectKey]bool)
	page, err := b.List(t.Context(), volume.ListOptions{What: holdfast.ListUploads, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range page.Items {
		parts, err := b.ListParts(t.Context(), it.Key, it.Upload.ID, 0, holdfast.MaxParts)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts.Parts {
			if l := p.Part.Link; !l.IsZero() {
				links[objectKey{l.OS, l.Object}] = true
			}
		}
	}
	return links
}

// fate settles one object.
func (c *Census) fate(t testing.TB, os holdfast.ServiceID, in holdfast.ObjectInfo) holdfast.Fate {
	t.Helper()
	s, err := c.Services.NameServer(t.Context(), c.SlotMap()[in.Home])
	if err != nil {
		t.Fatal(err)
	}
	fates, err := s.Settle(t.Context(), os, []holdfast.GuardedObject{{Object: in.Object, Home: in.Home}})
	if err != nil || !slices.Contains([]holdfast.Fate{holdfast.FateCommitted, holdfast.FateDoomed}, fates[0]) {
		t.Fatal(fates, err)
	}
	return fates[0]
}
