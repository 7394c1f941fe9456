package gw

import (
	"context"

	"holdfast"
	"holdfast/gw/acl"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// Names of the settings that decide who may do what. "acl" is in the encoding of package acl, the others are documents.
const (
	aclSetting       = "acl"
	blockSetting     = "publicAccessBlock"
	ownershipSetting = "ownershipControls"
	policySetting    = "policy"
)

// anonymousUser owns what anonymous callers create, as in S3.
const anonymousUser = "65a011a29cdf8ec533ec3d1ccaae921c"

// nobody is an [acl.Directory] without users.
type nobody struct{}

// UserByID implements [acl.Directory].
func (nobody) UserByID(context.Context, string) (bool, error) { return false, nil }

// UserByEmail implements [acl.Directory].
func (nobody) UserByEmail(context.Context, string) (string, bool, error) { return "", false, nil }

// access is what the record of a bucket says about who may do what. It is shared between requests and not changed.
type access struct {
	owner     string
	list      acl.List
	block     s3api.PublicAccessBlock
	ownership s3api.ObjectOwnership
	policy    *policy.Policy // nil: none
	restrict  bool           // the policy is public, and the public access block lets it give nothing to others
}

// defaultOwnership is that of a bucket for which none was set. S3 itself sets BucketOwnerEnforced on new buckets; here lists work unless
// they are switched off, as they did in S3 for its first seventeen years and as its clients and suites of tests expect.
const defaultOwnership = s3api.ObjectWriter

// enforced reports whether access control lists are switched off.
func (a *access) enforced() bool { return a.ownership == s3api.BucketOwnerEnforced }

// accessOf returns the parsed access rules of a bucket.
func (g *Gateway) accessOf(b *volume.Bucket) (*access, error) {
	return parseRecord(&g.parsed, b.Info(), "access", newAccess)
}

// newAccess parses the access rules of a bucket. They were checked when they were stored: an error is a damaged record, and nobody
// gets in.
func newAccess(info *holdfast.BucketInfo) (*access, error) {
	a := &access{owner: info.Owner, ownership: defaultOwnership}
	var err error
	if a.list, err = acl.Decode(info.Settings[aclSetting], info.Owner); err != nil {
		return nil, err
	}
	if doc, ok := info.Settings[blockSetting]; ok {
		if a.block, err = s3api.DecodePublicAccessBlock(doc); err != nil {
			return nil, holdfast.E("gw.access", holdfast.Corrupt, err)
		}
	}
	if doc, ok := info.Settings[ownershipSetting]; ok {
		if a.ownership, err = s3api.DecodeOwnershipControls(doc); err != nil {
			return nil, holdfast.E("gw.access", holdfast.Corrupt, err)
		}
	}
	if doc, ok := info.Settings[policySetting]; ok {
		if a.policy, err = policy.ParseBucket(doc, info.Name); err != nil {
			return nil, holdfast.E("gw.access", holdfast.Corrupt, err)
		}
		a.restrict = a.block.RestrictPublicBuckets && a.policy.IsPublic()
	}
	return a, nil
}

// objectOwner returns whom an object belongs to: its writer, or the bucket's owner if lists are switched off or nobody signed for it,
// as with files of the mount.
func (a *access) objectOwner(e *holdfast.Entry) string {
	if a.enforced() || e.Owner == "" {
		return a.owner
	}
	return e.Owner
}

// giveOwner sets the owner and the access control list of a new object, as the headers of the request and the bucket's ownership
// controls say.
func (q *request) giveOwner(e *holdfast.Entry) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return err
	}
	asked, err := acl.FromHeader(q.r.Header)
	if err != nil {
		return err
	}
	e.Owner = q.user()
	switch {
	case a.enforced() && !asked.IsZero() && asked.Canned != acl.BucketOwnerFullControl:
		return s3api.E(s3api.AccessControlListNotSupported)
	case a.enforced(), a.ownership == s3api.BucketOwnerPreferred && asked.Canned == acl.BucketOwnerFullControl:
		e.Owner = a.owner
		return nil
	case asked.IsZero():
		return nil
	}
	list, err := q.resolve(&asked, a, e.Owner, true)
	if err != nil {
		return err
	}
	e.ACL = list.Encode(e.Owner)
	return nil
}

// resolve turns what a request asks for into a list for what belongs to owner, unless the bucket's public access block forbids it.
func (q *request) resolve(asked *acl.Request, a *access, owner string, object bool) (acl.List, error) {
	list, err := asked.Resolve(q.ctx, q.g.users, acl.Place{Owner: owner, BucketOwner: a.owner, Object: object})
	if err != nil {
		return nil, err
	}
	if a.block.BlockPublicACLs && list.Public() {
		return nil, errDenied
	}
	return list, nil
}
