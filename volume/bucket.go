package volume

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"holdfast"
)

// Bucket is a bucket as of the moment [Volume.Bucket] returned; one is made per request and not kept.
type Bucket struct {
	vol  *Volume
	info *holdfast.BucketInfo
}

// Info returns the bucket's record. It is shared: do not change it.
func (b *Bucket) Info() *holdfast.BucketInfo { return b.info }

// maxCachedBuckets bounds how many records are kept; beyond it any one goes.
const maxCachedBuckets = 10_000

// records caches the records of buckets. A record is only used after its epoch was found to be the present one.
type records struct {
	mu     sync.RWMutex
	byName map[string]*holdfast.BucketInfo
}

func (r *records) get(name string) *holdfast.BucketInfo {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byName[name]
}

func (r *records) put(info *holdfast.BucketInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName == nil {
		r.byName = make(map[string]*holdfast.BucketInfo)
	}
	if len(r.byName) >= maxCachedBuckets {
		for name := range r.byName {
			delete(r.byName, name)
			break
		}
	}
	r.byName[info.Name] = info
}

func (r *records) drop(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byName, name)
}

// Bucket returns the bucket with this name. Its record is cached and its epoch checked with its name server in each
// call, so it is never older than the call. Kinds: NotFound.
func (v *Volume) Bucket(ctx context.Context, name string) (_ *Bucket, err error) {
	if info := v.records.get(name); info != nil {
		epoch, err := v.epoch(ctx, info.Root)
		if err == nil && epoch == info.Epoch {
			return &Bucket{vol: v, info: info}, nil
		}
		if err != nil && !holdfast.Is(err, holdfast.NotFound) {
			return nil, wrap(opBucket.String(), name, err)
		}
	}
	return v.loadBucket(ctx, name)
}

// loadBucket reads a bucket's record. A record that is not there is not remembered.
func (v *Volume) loadBucket(ctx context.Context, name string) (*Bucket, error) {
	if !validBucketName(name) {
		return nil, wrap(opBucket.String(), name, ErrNoBucket)
	}
	ask := holdfast.Lookup{Dir: holdfast.VolumeRoot, Path: []string{name + "/"}, Want: holdfast.WantBucket}
	a := v.router.lookup(ctx, []holdfast.Lookup{ask})[0]
	if holdfast.Is(a.Err, holdfast.NotOwner) && len(a.Dirs) == 1 {
		ask.Dir, ask.Path = a.Dirs[0], nil
		a = v.router.lookup(ctx, []holdfast.Lookup{ask})[0]
	}
	switch holdfast.KindOf(a.Err) {
	case holdfast.Other:
		if a.Err != nil {
			return nil, wrap(opBucket.String(), name, a.Err)
		}
	case holdfast.NotFound, holdfast.DirGone:
		v.records.drop(name)
		return nil, wrap(opBucket.String(), name, ErrNoBucket)
	default:
		return nil, wrap(opBucket.String(), name, a.Err)
	}
	info := a.Bucket
	v.records.put(&info)
	return &Bucket{vol: v, info: &info}, nil
}

// reload reads the record again after an operation met a newer epoch. A bucket that was made anew under the name is another one.
func (b *Bucket) reload(ctx context.Context) (*Bucket, error) {
	now, err := b.vol.loadBucket(ctx, b.info.Name)
	if err != nil {
		return nil, err
	}
	if now.info.Root != b.info.Root {
		return nil, wrap(opBucket.String(), b.info.Name, ErrNoBucket)
	}
	return now, nil
}

func validBucketName(name string) bool {
	return name != "" && len(name) < holdfast.MaxName && !strings.Contains(name, "/")
}

// CreateBucket makes a bucket from Name, Owner, Versioning, ObjectLock and Settings of info; the other fields are filled in.
// Kinds: Exists, and then the record that comes back is that of the bucket which is there, so that the caller
// can tell its owner; Invalid for a name that is empty or has a slash (what else makes a name valid is the caller's).
func (v *Volume) CreateBucket(ctx context.Context, info holdfast.BucketInfo) (_ holdfast.BucketInfo, err error) {
	start := time.Now()
	defer func() { v.metrics.done(opCreateBucket, start, err) }()
	if !validBucketName(info.Name) {
		return holdfast.BucketInfo{}, fail(opCreateBucket.String(), holdfast.Invalid, info.Name)
	}
	for range maxRaces {
		if there, err := v.loadBucket(ctx, info.Name); err == nil {
			return *there.info, fail(opCreateBucket.String(), holdfast.Exists, info.Name)
		} else if !holdfast.Is(err, holdfast.NotFound) {
			return holdfast.BucketInfo{}, err
		}
		made, err := v.makeBucket(ctx, info)
		if err == nil {
			return made, nil
		}
		// Exists: something is linked there. NotFound: the root was taken for abandoned and sealed before it was linked.
		if !holdfast.Is(err, holdfast.Exists) && !holdfast.Is(err, holdfast.NotFound) {
			return holdfast.BucketInfo{}, wrap(opCreateBucket.String(), info.Name, err)
		}
		if err := v.unlinkSealedBucket(ctx, info.Name); err != nil {
			return holdfast.BucketInfo{}, wrap(opCreateBucket.String(), info.Name, err)
		}
	}
	return holdfast.BucketInfo{}, fail(opCreateBucket.String(), holdfast.Conflict, info.Name)
}

// makeBucket makes a root directory and links it, in one transaction if the volume's root is on the same server.
func (v *Volume) makeBucket(ctx context.Context, info holdfast.BucketInfo) (holdfast.BucketInfo, error) {
	var random [18]byte
	if _, err := rand.Read(random[:]); err != nil {
		return info, err
	}
	slot := holdfast.Slot(binary.BigEndian.Uint16(random[16:]) % holdfast.Slots)
	info.Root = holdfast.NewDirID(slot, [16]byte(random[:16]))
	if info.Created.IsZero() {
		info.Created = time.Now().UTC()
	}
	mk := holdfast.MakeDir{Dir: info.Root, Parent: holdfast.VolumeRoot, Name: info.Name + "/", Root: info.Root, Bucket: &info}
	link := holdfast.LinkDir{Parent: holdfast.VolumeRoot, Name: mk.Name, Child: info.Root, Exclusive: true}
	txs := []holdfast.Tx{{Ops: []holdfast.Op{mk, link}}}
	if !v.router.together(info.Root, holdfast.VolumeRoot) {
		txs = []holdfast.Tx{{Ops: []holdfast.Op{mk}}, {Ops: []holdfast.Op{link}}}
	}
	for i := range txs { // the link comes after the directory
		if err := v.router.apply(ctx, txs[i:i+1])[0].Err; err != nil {
			return info, err
		}
	}
	made, err := v.loadBucket(ctx, info.Name)
	if err != nil {
		return info, err
	}
	return *made.info, nil
}

// unlinkSealedBucket removes the link of a bucket whose root is sealed, if there is one under this name.
func (v *Volume) unlinkSealedBucket(ctx context.Context, name string) error {
	ask := holdfast.Lookup{Dir: holdfast.VolumeRoot, Path: []string{name + "/"}, Want: holdfast.WantDir}
	a := v.router.lookup(ctx, []holdfast.Lookup{ask})[0]
	if len(a.Dirs) == 0 {
		return nil
	}
	root := a.Dirs[0]
	a = v.router.lookup(ctx, []holdfast.Lookup{{Dir: root, Want: holdfast.WantDir}})[0]
	if !holdfast.Is(a.Err, holdfast.DirGone) && !a.State.Sealed {
		return nil
	}
	return v.removeSealed(ctx, holdfast.VolumeRoot, name+"/", root)
}

// BucketChange says what [Volume.UpdateBucket] changes; nil fields stay, settings with a nil value are removed.
type BucketChange struct {
	Epoch      uint64 // if not 0: fail with Conflict unless the record still has this epoch
	Owner      *string
	Versioning *holdfast.Versioning
	ObjectLock *bool
	Settings   map[string][]byte
}

// UpdateBucket changes the record of a bucket and returns the new one. When it returns, no request of this process commits
// under the old record any more. Kinds: NotFound, Conflict (with Epoch set only).
func (v *Volume) UpdateBucket(ctx context.Context, name string, change BucketChange) (_ *holdfast.BucketInfo, err error) {
	start := time.Now()
	defer func() { v.metrics.done(opUpdateBucket, start, err) }()
	b, err := v.loadBucket(ctx, name)
	if err != nil {
		return nil, err
	}
	set := holdfast.SetBucket{
		Root: b.info.Root, Epoch: change.Epoch, Owner: change.Owner, Versioning: change.Versioning,
		ObjectLock: change.ObjectLock, Settings: change.Settings,
	}
	if err := v.setBucket(ctx, set); err != nil {
		if holdfast.Is(err, holdfast.DirGone) {
			err = ErrNoBucket
		}
		return nil, wrap(opUpdateBucket.String(), name, err)
	}
	now, err := b.reload(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.flights.wait(ctx, b.info.Root); err != nil {
		return nil, wrap(opUpdateBucket.String(), name, holdfast.E("volume.wait for commits", holdfast.Unknown, err))
	}
	return now.info, nil
}

// setBucket applies a change of a record. With an epoch, a second application of a change that took effect is a conflict with
// itself, so after an unknown outcome the conflict is unknown too.
func (v *Volume) setBucket(ctx context.Context, set holdfast.SetBucket) error {
	var pace pacer
	unsure := false
	for {
		err := v.router.applyOnce(ctx, set.Root, []holdfast.Tx{{Ops: []holdfast.Op{set}}})[0].Err
		if err == nil || !pace.again(ctx, v.router, err) {
			if unsure && holdfast.Is(err, holdfast.Conflict) {
				err = holdfast.E("volume.set bucket", holdfast.Unknown, err)
			}
			return err
		}
		unsure = unsure || indefinite(err)
	}
}

// Usage sums up what a bucket holds on all name servers. Kinds: NotFound.
func (v *Volume) Usage(ctx context.Context, name string) (_ holdfast.Usage, err error) {
	start := time.Now()
	defer func() { v.metrics.done(opUsage, start, err) }()
	b, err := v.Bucket(ctx, name)
	if err != nil {
		return holdfast.Usage{}, err
	}
	servers := v.router.services.SlotMap().Servers()
	parts, errs := make([]holdfast.Usage, len(servers)), make([]error, len(servers))
	var wg sync.WaitGroup
	for i, id := range servers {
		wg.Go(func() { parts[i], errs[i] = v.usageOn(ctx, id, b.info.Root) })
	}
	wg.Wait()
	var sum holdfast.Usage
	for i := range parts {
		if errs[i] != nil {
			return holdfast.Usage{}, wrap(opUsage.String(), name, errs[i])
		}
		sum.Add(parts[i])
	}
	return sum, nil
}

// usageOn asks one name server; one that has nothing of the bucket says so with an empty answer or DirGone.
func (v *Volume) usageOn(ctx context.Context, id holdfast.ServiceID, root holdfast.DirID) (holdfast.Usage, error) {
	var pace pacer
	for {
		var usage holdfast.Usage
		s, err := v.router.services.NameServer(ctx, id)
		if err == nil {
			usage, err = s.Usage(ctx, root)
		}
		if holdfast.Is(err, holdfast.DirGone) || holdfast.Is(err, holdfast.NotFound) {
			return holdfast.Usage{}, nil
		}
		if err == nil || !pace.again(ctx, v.router, err) {
			return usage, err
		}
	}
}
