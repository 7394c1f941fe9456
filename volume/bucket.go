package volume

import (
	"context"

	"holdfast"
)

// Bucket is a bucket as of the moment [Volume.Bucket] returned; one is made per request and not kept.
type Bucket struct {
	vol  *Volume
	info *holdfast.BucketInfo
}

// Info returns the bucket's record. It is shared: do not change it.
func (b *Bucket) Info() *holdfast.BucketInfo { return b.info }

// Bucket returns the bucket with this name. Its record is cached and its epoch checked with its name server in each
// call, so it is never older than the call. Kinds: NotFound.
func (v *Volume) Bucket(ctx context.Context, name string) (*Bucket, error) {
	return nil, unsupported("volume.bucket")
}

// CreateBucket makes a bucket from Name, Owner, Versioning, ObjectLock and Settings of info; the other fields are filled in.
// Kinds: Exists, and then the record that comes back is that of the bucket which is there, so that the caller
// can tell its owner; Invalid for a name that is empty or has a slash (what else makes a name valid is the caller's).
func (v *Volume) CreateBucket(ctx context.Context, info holdfast.BucketInfo) (holdfast.BucketInfo, error) {
	return holdfast.BucketInfo{}, unsupported("volume.create bucket")
}

// DeleteBucket removes an empty bucket; unfinished uploads in it are aborted. Kinds: NotFound, NotEmpty (a version or a delete
// marker is left).
func (v *Volume) DeleteBucket(ctx context.Context, name string) error {
	return unsupported("volume.delete bucket")
}

// BucketChange says what [Volume.UpdateBucket] changes; nil fields stay, settings with a nil value are removed.
type BucketChange struct {
	Epoch      uint64 // if not 0: fail with Conflict unless the record still has this epoch
	Owner      *string
	Versioning *holdfast.Versioning
	ObjectLock *bool
	Settings   map[string][]byte
}

// UpdateBucket changes the record of a bucket and returns the new one. When it returns, no request anywhere commits under the
// old record any more. Kinds: NotFound, Conflict (with Epoch set only).
func (v *Volume) UpdateBucket(ctx context.Context, name string, change BucketChange) (*holdfast.BucketInfo, error) {
	return nil, unsupported("volume.update bucket")
}

// BucketsOptions ask for a page of buckets, in byte order of their names.
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

// Buckets lists buckets.
func (v *Volume) Buckets(ctx context.Context, opts BucketsOptions) (BucketPage, error) {
	return BucketPage{}, unsupported("volume.buckets")
}

// Usage sums up what a bucket holds on all name servers. Kinds: NotFound.
func (v *Volume) Usage(ctx context.Context, name string) (holdfast.Usage, error) {
	return holdfast.Usage{}, unsupported("volume.usage")
}
