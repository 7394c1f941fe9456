package gw

import (
	"holdfast/gw/acl"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// publicAccessBlock is the sub-resource of the public access block
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html).
var publicAccessBlock = setting{
	name: blockSetting, put: s3api.OpPutPublicAccessBlock, absent: s3api.NoSuchPublicAccessBlockConfiguration,
	check: func(_ *request, _ *volume.Bucket, doc []byte) ([]byte, error) {
		block, err := s3api.DecodePublicAccessBlock(doc)
		return block.Append(nil), err
	},
}

// ownershipControls is the sub-resource of the ownership controls
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html). Lists can be switched off only when the bucket's
// gives nothing to others, so that nobody loses access by surprise.
var ownershipControls = setting{
	name: ownershipSetting, put: s3api.OpPutBucketOwnershipControls, absent: s3api.OwnershipControlsNotFoundError,
	check: func(q *request, b *volume.Bucket, doc []byte) ([]byte, error) {
		ownership, err := s3api.DecodeOwnershipControls(doc)
		if err != nil {
			return nil, err
		}
		a, err := q.g.accessOf(b)
		if err != nil {
			return nil, err
		}
		if ownership == s3api.BucketOwnerEnforced && !a.list.IsPrivate(a.owner) {
			return nil, s3api.E(s3api.InvalidBucketAclWithObjectOwnership)
		}
		return ownership.Append(nil), nil
	},
}

// newAccessSettings returns the settings of a new bucket that the headers of CreateBucket ask for: its list and its ownership.
func (q *request) newAccessSettings() (map[string][]byte, error) {
	asked, err := acl.FromHeader(q.r.Header)
	if err != nil {
		return nil, err
	}
	a := &access{owner: q.caller.User, ownership: defaultOwnership}
	settings := make(map[string][]byte)
	if values, ok := q.r.Header["X-Amz-Object-Ownership"]; ok {
		text := values[0]
		if a.ownership = s3api.ObjectOwnership(text); !a.ownership.Known() {
			return nil, s3api.BadArgument("x-amz-object-ownership", text, "Invalid x-amz-object-ownership header: "+text)
		}
		settings[ownershipSetting] = a.ownership.Append(nil)
	}
	list, err := q.resolve(&asked, a, a.owner, false)
	if err != nil {
		return nil, err
	}
	if a.enforced() && !list.IsPrivate(a.owner) {
		return nil, s3api.E(s3api.InvalidBucketAclWithObjectOwnership)
	}
	if data := list.Encode(a.owner); data != nil {
		settings[aclSetting] = data
	}
	return settings, nil
}
