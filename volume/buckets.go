package volume

import (
	"context"
	"slices"
	"strings"
	"time"

	"holdfast"
)

// BucketsOptions ask for a page of buckets, in byte order of their names with a "/" behind, as the volume's root keeps them
// ("a-b" comes before "a"). A list that fits one page is in byte order of the names.
type BucketsOptions struct {
	After  string // names after this one
	Prefix string // names that begin with this
	Owner  string // buckets of this user only; "" for all
	Limit  int    // 1 … holdfast.MaxList
}

// BucketPage is a page of buckets.
type BucketPage struct {
	Buckets []*holdfast.BucketInfo
	More    bool // there may be buckets after the last one
}

// Buckets lists buckets, the service bucket not among them.
func (v *Volume) Buckets(ctx context.Context, opts BucketsOptions) (_ BucketPage, err error) {
	start := time.Now()
	defer func() { v.metrics.done(opListBuckets, start, err) }()
	if opts.Limit < 1 || opts.Limit > holdfast.MaxList {
		return BucketPage{}, fail(opListBuckets.String(), holdfast.Invalid, "limit")
	}
	var page BucketPage
	req := holdfast.ListRequest{Dir: holdfast.VolumeRoot, Prefix: opts.Prefix, Limit: min(opts.Limit+1, holdfast.MaxLookups)}
	if opts.After != "" {
		req.From, req.After = opts.After+"/", true
	}
	for {
		p := v.router.list(ctx, []holdfast.ListRequest{req})[0]
		if p.Err != nil {
			return BucketPage{}, wrap(opListBuckets.String(), "", p.Err)
		}
		infos, err := v.bucketRecords(ctx, p.Items)
		if err != nil {
			return BucketPage{}, wrap(opListBuckets.String(), "", err)
		}
		for _, info := range withoutService(infos) {
			if opts.Owner != "" && info.Owner != opts.Owner {
				continue
			}
			if len(page.Buckets) == opts.Limit {
				page.More = true
				return page, nil
			}
			page.Buckets = append(page.Buckets, info)
		}
		if !p.More || len(p.Items) == 0 {
			if opts.After == "" {
				slices.SortFunc(page.Buckets, func(a, b *holdfast.BucketInfo) int { return strings.Compare(a.Name, b.Name) })
			}
			return page, nil
		}
		req.From, req.After = p.Items[len(p.Items)-1].Name, true
	}
}

// bucketRecords reads the records of the buckets in a page of the volume's root. Buckets that are going away are left out.
func (v *Volume) bucketRecords(ctx context.Context, items []holdfast.Item) ([]*holdfast.BucketInfo, error) {
	asks := make([]holdfast.Lookup, 0, len(items))
	for i := range items {
		if !items[i].Dir.IsZero() && strings.HasSuffix(items[i].Name, "/") {
			asks = append(asks, holdfast.Lookup{Dir: items[i].Dir, Want: holdfast.WantBucket})
		}
	}
	infos := make([]*holdfast.BucketInfo, 0, len(asks))
	for _, a := range v.router.lookup(ctx, asks) {
		switch {
		case a.Err == nil:
			infos = append(infos, &a.Bucket)
		case holdfast.Is(a.Err, holdfast.DirGone) || holdfast.Is(a.Err, holdfast.NotFound):
		default:
			return nil, a.Err
		}
	}
	return infos, nil
}
