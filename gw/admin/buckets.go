package admin

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// Bounds of lists of buckets.
const (
	bucketPage   = 1000
	maxNames     = 10_000 // in the body of a request for several
	usagesAtOnce = 8
)

// Grant is a line of an access control list, as it is shown.
type Grant struct {
	Grantee    string `json:"grantee"`
	Permission string `json:"permission"`
}

// bucketJSON is a bucket as answers show it. Versioning and ACL are ours.
type bucketJSON struct {
	Name       string  `json:"name"`
	Epoch      uint64  `json:"epoch"`
	Created    string  `json:"creation_date"`
	Owner      string  `json:"owner_id"`
	Size       size    `json:"size"`
	Versioning string  `json:"versioning"`
	ACL        []Grant `json:"acl,omitempty"` // of a bucket that was asked for by name
}

// size is what a bucket holds: all versions, and the parts of unfinished uploads; the most it held in the running hour, the sum over time in
// byte-hours, and the running hour, counted from 1970.
type size struct {
	Current   int64 `json:"current"`
	HMax      int64 `json:"hmax"`
	HIntegral int64 `json:"h_integral"`
	LastTS    int64 `json:"last_ts"`
}

func hours(t time.Time) int64 { return t.Unix() / int64(time.Hour/time.Second) }

// GetBuckets answers GET /?ostor-buckets: all buckets, those of a user, the one that bucket names, or with the flag multi those of the
// list of names in the body, which is a JSON array of strings.
func (a *API) GetBuckets(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id", "bucket", "multi"); err != nil {
		return err
	}
	if !c.has("emailAddress") && !c.has("id") && !c.has("bucket") && !c.has("multi") {
		return a.listBuckets(ctx, c, "")
	}
	by, err := c.one("emailAddress", "id", "bucket", "multi")
	if err != nil {
		return err
	}
	switch by {
	case "bucket":
		name, err := c.value("bucket")
		if err != nil {
			return err
		}
		return a.namedBuckets(ctx, c, []string{name}, true)
	case "multi":
		names, err := c.names()
		if err != nil {
			return err
		}
		return a.namedBuckets(ctx, c, names, false)
	}
	owner, err := a.user(ctx, c)
	if err != nil {
		return err
	}
	if err := a.mustExist(ctx, owner); err != nil {
		return err
	}
	return a.listBuckets(ctx, c, owner)
}

// mustExist fails unless there is a user with the id.
func (a *API) mustExist(ctx context.Context, id string) error {
	ok, err := a.Accounts.UserByID(ctx, id)
	if err == nil && !ok {
		err = noEntity()
	}
	return err
}

// names reads the list of names in the body.
func (c *Call) names() ([]string, error) {
	doc, err := c.Document()
	if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal(doc, &names); err != nil {
		return nil, s3api.E(s3api.InvalidArgument).WithMessage("The body must be a JSON array of bucket names").WithCause(err)
	}
	if len(names) > maxNames {
		return nil, s3api.E(s3api.InvalidArgument).WithMessage("The list of names is too long")
	}
	return names, nil
}

func newBucketList(c *Call) list { return list{w: c.W, begin: `{"Buckets":[`, end: `]}`} }

// listBuckets writes all buckets, or those of an owner, a page at a time.
func (a *API) listBuckets(ctx context.Context, c *Call, owner string) error {
	l := newBucketList(c)
	err := a.eachPage(ctx, owner, func(infos []*holdfast.BucketInfo) error {
		sizes, err := a.sizes(ctx, infos)
		if err != nil {
			return err
		}
		for i, info := range infos {
			if sizes[i] == nil { // deleted meanwhile
				continue
			}
			if err := l.add(bucketOf(info, *sizes[i])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.close()
}

// eachPage calls do with all buckets of an owner, or of all with "".
func (a *API) eachPage(ctx context.Context, owner string, do func([]*holdfast.BucketInfo) error) error {
	opts := volume.BucketsOptions{Owner: owner, Limit: bucketPage}
	for {
		page, err := a.Volume.Buckets(ctx, opts)
		if err != nil {
			return err
		}
		if err := do(page.Buckets); err != nil {
			return err
		}
		n := len(page.Buckets)
		if !page.More || n == 0 {
			return nil
		}
		opts.After = page.Buckets[n-1].Name
	}
}

// sizes asks what buckets hold; nil for one that is gone.
func (a *API) sizes(ctx context.Context, infos []*holdfast.BucketInfo) ([]*size, error) {
	sizes, errs := make([]*size, len(infos)), make([]error, len(infos))
	free := make(chan struct{}, usagesAtOnce)
	var wg sync.WaitGroup
	for i, info := range infos {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			s, err := a.sizeOf(ctx, info)
			if err == nil {
				sizes[i] = &s
			} else if !holdfast.Is(err, holdfast.NotFound) {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return sizes, nil
}

func (a *API) sizeOf(ctx context.Context, info *holdfast.BucketInfo) (size, error) {
	u, err := a.Volume.Usage(ctx, info.Name)
	if err != nil {
		return size{}, err
	}
	s := size{Current: u.Bytes + u.UploadBytes, LastTS: hours(time.Now())}
	s.HMax = s.Current
	if a.Space != nil {
		held, err := a.Space.Of(ctx, info, s.Current)
		if err != nil {
			return size{}, err
		}
		s.HMax, s.HIntegral = held.HourMost, held.ByteHours
	}
	return s, nil
}

// spaceOf sums up what the buckets of a user hold.
func (a *API) spaceOf(ctx context.Context, user string) (*spaceStat, error) {
	s := spaceStat{LastTs: hours(time.Now())}
	err := a.eachPage(ctx, user, func(infos []*holdfast.BucketInfo) error {
		sizes, err := a.sizes(ctx, infos)
		for _, n := range sizes {
			if n != nil {
				s.SizeCurr += n.Current
				s.SizeHMax += n.HMax
				s.SizeHInt += n.HIntegral
			}
		}
		return err
	})
	return &s, err
}

// LifeOf returns what answers and usage records call the epoch of a bucket: it tells the buckets apart that had a name one after the other,
// and is the moment the bucket was made, in milliseconds since 1970. The epoch of its record would change with every setting.
func LifeOf(info *holdfast.BucketInfo) uint64 { return uint64(info.Created.UnixMilli()) }

func bucketOf(info *holdfast.BucketInfo, held size) bucketJSON {
	return bucketJSON{
		Name: info.Name, Epoch: LifeOf(info), Created: string(s3api.AppendTime(nil, info.Created)), Owner: info.Owner,
		Size:       held,
		Versioning: [...]string{"none", "enabled", "suspended"}[min(info.Versioning, holdfast.VersioningSuspended)],
	}
}

// namedBuckets writes the buckets with these names. One that is not there is an error if all must be, and is left out else.
func (a *API) namedBuckets(ctx context.Context, c *Call, names []string, all bool) error {
	l := newBucketList(c)
	for _, name := range names {
		b, err := a.bucket(ctx, name)
		var shown bucketJSON
		if err == nil {
			shown, err = a.show(ctx, b)
		}
		if holdfast.Is(err, holdfast.NotFound) {
			if all {
				return s3api.NoBucket(name).WithCause(err)
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := l.add(shown); err != nil {
			return err
		}
	}
	return l.close()
}

// bucket returns a bucket of users: the store's own is not there.
func (a *API) bucket(ctx context.Context, name string) (*volume.Bucket, error) {
	if name == volume.ServiceBucketName {
		return nil, volume.ErrNoBucket
	}
	return a.Volume.Bucket(ctx, name)
}

// show is all there is to show of a bucket.
func (a *API) show(ctx context.Context, b *volume.Bucket) (bucketJSON, error) {
	info := b.Info()
	held, err := a.sizeOf(ctx, info)
	if err != nil {
		return bucketJSON{}, err
	}
	shown := bucketOf(info, held)
	shown.ACL = []Grant{{info.Owner, "FULL_CONTROL"}}
	if a.Grants != nil {
		shown.ACL, err = a.Grants(b)
	}
	return shown, err
}

// PostBuckets answers POST /?ostor-buckets, which is ours: it gives the bucket to the user newOwner, by force. What the old owner put
// into the bucket stays the old owner's, as in S3; the access control list of the bucket goes, since it may give the old owner every right.
func (a *API) PostBuckets(ctx context.Context, c *Call) error {
	if err := c.only("bucket", "newOwner"); err != nil {
		return err
	}
	name, err := c.value("bucket")
	if err != nil {
		return err
	}
	owner, err := c.value("newOwner")
	if err != nil {
		return err
	}
	if err := a.mustExist(ctx, owner); err != nil {
		return err
	}
	if _, err = a.bucket(ctx, name); err == nil {
		change := volume.BucketChange{Owner: &owner, Settings: map[string][]byte{"acl": nil}}
		_, err = a.Volume.UpdateBucket(ctx, name, change)
	}
	if err != nil {
		return missing(name, err)
	}
	b, err := a.bucket(ctx, name)
	var shown bucketJSON
	if err == nil {
		shown, err = a.show(ctx, b)
	}
	if err != nil {
		return missing(name, err)
	}
	return c.json(shown)
}

// missing turns the NotFound of a bucket into NoSuchBucket.
func missing(name string, err error) error {
	if holdfast.Is(err, holdfast.NotFound) {
		return s3api.NoBucket(name).WithCause(err)
	}
	return err
}
