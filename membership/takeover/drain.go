package takeover

import (
	"errors"
	"maps"
	"slices"
	"time"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/storage"
)

// Rule R4: an epoch is drained when no write of it can land any more, because its process is gone or all its calls have
// returned, and the files it wrote to were synced through the mount they were written through: its own, and all older ones,
// whose holes it may have used. The mark is e<e>/drained. The list of epochs that are not drained is handed from outcome to
// outcome, so that marks may go with their stores.

// isDrained reports whether the mark of an epoch is seen.
func (c *Claimant) isDrained(dir layout.Service, e holdfast.Epoch) bool {
	b, err := storage.ReadFile(c.FS, dir.Drained(e), layout.MaxFile)
	if err != nil {
		return false
	}
	got, _, err := layout.ParseDrained(b)
	return err == nil && got == e
}

// drain returns the epochs below a new one that are not drained, given the outcome of the open one, and marks those
// that this process can prove drained. Epochs that never opened wrote to no pool.
func (c *Claimant) drain(dir layout.Service, past layout.Outcome) ([]holdfast.Epoch, error) {
	if past.Epoch == 0 {
		return nil, nil
	}
	var undrained []holdfast.Epoch
	for _, e := range append(slices.Clone(past.Undrained), past.Epoch) {
		if c.isDrained(dir, e) {
			continue
		}
		claim, err := c.readClaim(dir, e)
		if err != nil {
			return nil, err
		}
		if !c.provenGone(claim) {
			undrained = append(undrained, e)
			continue
		}
		if err := c.markDrained(dir, e, layout.Gone); err != nil {
			return nil, err
		}
	}
	slices.Sort(undrained)
	return undrained, nil
}

// markDrained syncs the pool files that an epoch may have written to and marks it. The caller knows that its process does not write
// any more.
func (c *Claimant) markDrained(dir layout.Service, e holdfast.Epoch, how string) error {
	pools, err := layout.ListPools(c.FS, dir)
	if err != nil {
		return err
	}
	for _, of := range slices.Sorted(maps.Keys(pools)) {
		if of > e {
			break
		}
		for _, name := range pools[of] {
			if err := c.syncFile(c.FS.PathJoin(dir.Pools(), name)); err != nil {
				return err
			}
		}
	}
	if len(pools[e]) > 0 {
		if err := storage.SyncDir(c.FS, dir.Pools()); err != nil {
			return err
		}
	}
	return storage.ReplaceFile(c.FS, dir.Store(e), layout.DrainedFile, layout.EncodeDrained(e, how))
}

// oldTemp is the age at which a temporary file has no owner any more.
const oldTemp = 24 * time.Hour

// removeOld removes the stores of older epochs that are drained or never opened, and what broken-off creations left behind.
// Claims and outcomes stay.
func (o *Ownership) removeOld() error {
	c := o.claimant
	stores, err := layout.ListStores(c.FS, o.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range stores {
		if e < o.Epoch && !slices.Contains(o.Undrained, e) {
			errs = append(errs, c.FS.RemoveAll(o.dir.Store(e)))
		}
	}
	errs = append(errs,
		storage.CleanTemps(c.FS, o.dir.Claims(), oldTemp),
		storage.CleanTemps(c.FS, string(o.dir), oldTemp))
	return errors.Join(errs...)
}

// Release gives the service up in good order, after the engine was closed and all its calls returned: the next owner
// need not wait, and may write the pool files of this epoch in place. A service that was lost is not marked: what of its
// calls did not return may still land. The Ownership is of no use afterwards.
func (o *Ownership) Release() error {
	err := o.Fence.Confirm()
	o.Fence.Lose(holdfast.E("release", holdfast.NotOwner, errors.New("the service was released")))
	o.Fence.close()
	if err != nil {
		return err
	}
	return o.claimant.markDrained(o.dir, o.Epoch, layout.Released)
}

// Abandon gives the service up without a word, as after a loss.
func (o *Ownership) Abandon() {
	o.Fence.Lose(holdfast.E("abandon", holdfast.NotOwner, errors.New("the service was given up")))
	o.Fence.close()
}
