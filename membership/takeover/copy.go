package takeover

import (
	"context"
	"errors"
	"hash/crc64"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/storage"
)

// maxCopies bounds how often a copy starts over because a fenced process that does not know it yet changed the store.
const maxCopies = 50

const (
	defaultParallel = 4
	copyBuffer      = 256 << 10
)

// errChanged means that the store changed while it was copied.
var errChanged = errors.New("the store changes while it is copied")

// copyStore fills the empty directory to with the store in from, whose epoch is fenced. The process that owned it may still
// run and change it; nothing it does now will be acknowledged, but the copy must be of one moment. So it is accepted only if
// afterwards all names and sizes are the same and what was copied byte by byte reads the same again. Files that are linked
// never change: Pebble writes tables once.
func (c *Claimant) copyStore(ctx context.Context, from, to string) error {
	for range maxCopies {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := c.copyOnce(from, to)
		if err == nil {
			return storage.SyncDir(c.FS, to)
		}
		if !errors.Is(err, errChanged) {
			return err
		}
		if err := c.wipe(to); err != nil {
			return err
		}
	}
	return holdfast.E("copy store", holdfast.Unavailable, errChanged)
}

func (c *Claimant) wipe(dir string) error {
	names, err := c.FS.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.FS.Remove(c.FS.PathJoin(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Claimant) copyOnce(from, to string) error {
	before, err := c.freshListing(from)
	if err != nil {
		return err
	}
	var logs, rest, tables []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		switch path.Ext(name) {
		case ".log":
			logs = append(logs, name)
		case ".sst", ".blob":
			tables = append(tables, name)
		default:
			rest = append(rest, name)
		}
	}
	sums := make(map[string]uint64)
	var mu sync.Mutex
	copyOne := func(name string) error {
		sum, err := c.copyFile(c.FS.PathJoin(from, name), c.FS.PathJoin(to, name))
		mu.Lock()
		defer mu.Unlock()
		sums[name] = sum
		return err
	}
	// Logs first: a log that is flushed and dropped while we copy is then in the copy twice rather than not at all.
	for _, step := range []struct {
		names []string
		do    func(string) error
	}{
		{logs, copyOne},
		{rest, copyOne},
		{tables, func(name string) error { return c.linkFile(c.FS.PathJoin(from, name), c.FS.PathJoin(to, name)) }},
		{slices.Concat(logs, rest), func(name string) error { return c.unchanged(c.FS.PathJoin(from, name), sums[name]) }},
	} {
		if err := c.each(step.names, step.do); err != nil {
			return vanished(err)
		}
	}
	after, err := c.freshListing(from)
	if err != nil {
		return err
	}
	if !maps.Equal(before, after) {
		return errChanged
	}
	return nil
}

// vanished turns the absence of a file that was listed into errChanged.
func vanished(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errChanged, err)
	}
	return err
}

// freshListing returns the files of a store with their sizes. It makes a file first, so that no client answers from a listing
// it remembers.
func (c *Claimant) freshListing(dir string) (map[string]int64, error) {
	probe := c.FS.PathJoin(dir, ".probe."+storage.NewNonce().String()+".tmp")
	if err := storage.WriteFile(c.FS, probe, nil); err != nil {
		return nil, err
	}
	names, err := c.FS.List(dir)
	err = errors.Join(err, c.FS.Remove(probe))
	if err != nil {
		return nil, err
	}
	files := map[string]int64{}
	for _, name := range names {
		if !isStoreFile(name) {
			continue
		}
		info, err := c.FS.Stat(c.FS.PathJoin(dir, name))
		if err != nil {
			return nil, vanished(err)
		}
		files[name] = info.Size()
	}
	return files, nil
}

// isStoreFile reports whether a name in a store directory is Pebble's and to be copied.
func isStoreFile(name string) bool {
	switch name {
	case layout.FenceFile, layout.DrainedFile, "LOCK":
		return false
	}
	return !storage.IsTemp(name) && !strings.HasSuffix(name, ".dbtmp") && !strings.HasPrefix(name, "temporary.")
}

func ecma() *crc64.Table { return crc64.MakeTable(crc64.ECMA) }

// copyFile copies and syncs a file and returns the checksum of what it read.
func (c *Claimant) copyFile(from, to string) (uint64, error) {
	src, err := storage.OpenFresh(c.FS, from)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	dst, err := c.FS.Create(to, vfs.WriteCategoryUnspecified)
	if err != nil {
		return 0, err
	}
	sum := crc64.New(ecma())
	// Write may scribble over its argument, so the sum is taken on the way in.
	_, err = io.CopyBuffer(onlyWrite{dst}, onlyRead{io.TeeReader(src, sum)}, make([]byte, copyBuffer))
	if err == nil {
		err = dst.Sync()
	}
	return sum.Sum64(), errors.Join(err, dst.Close())
}

// onlyRead and onlyWrite hide methods by which io.Copy would go around the buffer.
type onlyRead struct{ io.Reader }
type onlyWrite struct{ io.Writer }

// unchanged reads a file again and compares.
func (c *Claimant) unchanged(name string, want uint64) error {
	f, err := storage.OpenFresh(c.FS, name)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := crc64.New(ecma())
	if _, err := io.CopyBuffer(sum, onlyRead{f}, make([]byte, copyBuffer)); err != nil {
		return err
	}
	if sum.Sum64() != want {
		return errChanged
	}
	return nil
}

// linkFile links a table into the new store, or copies it where the mount cannot link.
func (c *Claimant) linkFile(from, to string) error {
	err := c.FS.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = c.copyFile(from, to)
	return err
}

// each runs do for every name, several at a time, and returns the errors.
func (c *Claimant) each(names []string, do func(string) error) error {
	workers := c.Parallel
	if workers <= 0 {
		workers = defaultParallel
	}
	slots := make(chan struct{}, workers)
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(name)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// syncFile makes what was written to a file through this mount durable, by whatever process.
func (c *Claimant) syncFile(name string) error {
	f, err := c.FS.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
