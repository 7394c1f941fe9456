package volume

import (
	"context"
	"maps"
	"slices"
	"sync"

	"holdfast"
)

// flights keeps account of commits that check a bucket's epoch themselves, because the bucket's root is on another name
// server. A change of the record first makes the new epoch known and then waits for those that set out before;
// commits never wait. The zero value is ready.
type flights struct {
	mu     sync.Mutex
	active map[holdfast.DirID]map[chan struct{}]struct{} // by root; each commit has a channel, closed at its end
}

// enter lets a commit take part and returns how it ends.
func (f *flights) enter(root holdfast.DirID) (leave func()) {
	ended := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.active == nil {
		f.active = make(map[holdfast.DirID]map[chan struct{}]struct{})
	}
	if f.active[root] == nil {
		f.active[root] = make(map[chan struct{}]struct{})
	}
	f.active[root][ended] = struct{}{}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.active[root], ended)
		if len(f.active[root]) == 0 {
			delete(f.active, root)
		}
		close(ended)
	}
}

// wait returns when all commits that entered before have left, or with ctx.
func (f *flights) wait(ctx context.Context, root holdfast.DirID) error {
	f.mu.Lock()
	under := slices.Collect(maps.Keys(f.active[root]))
	f.mu.Unlock()
	for _, ended := range under {
		select {
		case <-ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// enter takes part in the bucket's flights if dir is on another name server than the bucket's root, and checks the epoch
// then, which the server of dir cannot do.
//
// BUG(volume): a commit that another gateway process began before the record was changed is not waited for.
func (b *Bucket) enter(ctx context.Context, dir holdfast.DirID) (leave func(), err error) {
	if b.vol.router.together(b.info.Root, dir) {
		return func() {}, nil
	}
	return b.enterAway(ctx)
}

// enterAway is enter for directories that are known to be elsewhere.
func (b *Bucket) enterAway(ctx context.Context) (leave func(), err error) {
	leave = b.vol.flights.enter(b.info.Root)
	epoch, err := b.vol.epoch(ctx, b.info.Root)
	switch {
	case err != nil:
	case epoch != b.info.Epoch:
		err = fail("commit", holdfast.Conflict, b.info.Name)
	default:
		return leave, nil
	}
	leave()
	return nil, err
}

// epoch asks for the present epoch of a bucket. DirGone is told as [ErrNoBucket].
func (v *Volume) epoch(ctx context.Context, root holdfast.DirID) (epoch uint64, err error) {
	err = v.router.call(ctx, root, func(s holdfast.NameService) (err error) {
		epoch, err = s.BucketEpoch(ctx, root)
		return err
	})
	if holdfast.Is(err, holdfast.DirGone) {
		err = wrap("bucket", root.String(), ErrNoBucket)
	}
	return epoch, err
}
