package volume

import (
	"context"
	"time"

	"holdfast"
)

// DeleteBucket removes an empty bucket; unfinished uploads in it are aborted. Kinds: NotFound, NotEmpty (a version or a delete
// marker is left).
//
// Directories that deletes emptied and nobody removed yet go first, from the bottom up. Each is sealed empty, so a key put
// meanwhile makes the bucket stay; uploads begun meanwhile may be gone all the same.
func (v *Volume) DeleteBucket(ctx context.Context, name string) (err error) {
	start := time.Now()
	defer func() { v.metrics.done(opDeleteBucket, start, err) }()
	b, err := v.loadBucket(ctx, name)
	if err != nil {
		return err
	}
	for races := 0; ; races++ {
		err := v.sealDir(ctx, b.info.Root)
		if err == nil || holdfast.Is(err, holdfast.DirGone) {
			break
		}
		if races == maxRaces || !holdfast.Is(err, holdfast.NotEmpty) {
			return wrap(opDeleteBucket.String(), name, err)
		}
		if err := b.sweep(ctx); err != nil {
			return wrap(opDeleteBucket.String(), name, err)
		}
	}
	v.records.drop(name)
	b.forgetShares(ctx)
	return wrap(opDeleteBucket.String(), name, v.removeSealed(ctx, holdfast.VolumeRoot, name+"/", b.info.Root))
}

// sealDir seals a directory that holds nothing but uploads.
func (v *Volume) sealDir(ctx context.Context, dir holdfast.DirID) error {
	seal := holdfast.SealDir{Dir: dir, Doom: true}
	return v.router.apply(ctx, []holdfast.Tx{{Ops: []holdfast.Op{seal}}})[0].Err
}

// sweep removes all directories of a bucket without a version in it. Kinds: NotEmpty if it has one.
func (b *Bucket) sweep(ctx context.Context) error {
	page, err := b.list(ctx, ListOptions{What: holdfast.ListVersions, Limit: 1})
	if err != nil {
		return err
	}
	if len(page.Items) > 0 {
		return fail("sweep", holdfast.NotEmpty, b.info.Name)
	}
	stack := []swept{{dir: b.info.Root}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.i < len(top.subs) {
			sub := top.subs[top.i]
			top.i++
			stack = append(stack, swept{dir: sub.Dir, parent: top.dir, name: sub.Name})
			continue
		}
		if top.i == 0 || top.more { // not read yet, or only in part: what was read of it is gone by now
			if err := b.readSwept(ctx, top); err != nil {
				return err
			}
			if len(top.subs) > 0 {
				continue
			}
		}
		if top.dir != b.info.Root {
			if err := b.removeSwept(ctx, top); err != nil {
				return err
			}
		}
		stack = stack[:len(stack)-1]
	}
	return nil
}

// swept is a directory on the way down of a sweep.
type swept struct {
	dir, parent holdfast.DirID
	name        string
	subs        []holdfast.Item
	i           int
	more        bool
}

// readSwept reads the sub-directories of a directory.
func (b *Bucket) readSwept(ctx context.Context, s *swept) error {
	req := holdfast.ListRequest{Dir: s.dir, What: holdfast.ListVersions, Limit: holdfast.MaxLookups}
	page := b.vol.router.list(ctx, []holdfast.ListRequest{req})[0]
	if holdfast.Is(page.Err, holdfast.DirGone) {
		page = holdfast.Page{}
	}
	for i := range page.Items {
		if page.Items[i].Dir.IsZero() {
			return fail("sweep", holdfast.NotEmpty, b.info.Name)
		}
	}
	s.subs, s.i, s.more = page.Items, 0, page.More
	return page.Err
}

// removeSwept removes a directory whose sub-directories were removed.
func (b *Bucket) removeSwept(ctx context.Context, s *swept) error {
	if err := b.vol.sealDir(ctx, s.dir); err != nil && !holdfast.Is(err, holdfast.DirGone) {
		return err
	}
	return b.vol.removeSealed(ctx, s.parent, s.name, s.dir)
}
