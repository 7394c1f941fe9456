package gw

import (
	"net/http"

	"holdfast"
	"holdfast/gw/acl"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// getBucketACL serves GetBucketAcl (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html).
func getBucketACL(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return err
	}
	list := a.list
	if a.enforced() {
		list = acl.Private(a.owner)
	}
	return q.sendXML(list.Document(a.owner, q.owner).Append)
}

// getObjectACL serves GetObjectAcl (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html).
func getObjectACL(q *request) error {
	v, err := q.version()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	e, err := q.head(b, v)
	if err != nil {
		return err
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return err
	}
	who := a.objectOwner(&e)
	list := acl.Private(who)
	if !a.enforced() {
		if list, err = acl.Decode(e.ACL, who); err != nil {
			return err
		}
	}
	setVersion(q.w.Header(), b.Info(), e.Version, e.Null)
	return q.sendXML(list.Document(who, q.owner).Append)
}

// putBucketACL serves PutBucketAcl (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html).
func putBucketACL(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return err
	}
	asked, err := q.askedACL(s3api.OpPutBucketAcl, a, a.owner)
	if err != nil {
		return err
	}
	list, err := q.resolve(&asked, a, a.owner, false)
	if err != nil {
		return err
	}
	change := volume.BucketChange{Settings: map[string][]byte{aclSetting: list.Encode(a.owner)}}
	if err := q.updateBucket(change); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// maxACLRaces bounds how often PutObjectAcl starts over because the object was replaced meanwhile.
const maxACLRaces = 8

// putObjectACL serves PutObjectAcl (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html). What is set belongs to the
// version that was looked at: an object that replaces it meanwhile has a list of its own, perhaps another owner's.
func putObjectACL(q *request) error {
	v, err := q.version()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return err
	}
	var body []byte
	for range maxACLRaces {
		e, err := q.head(b, v)
		if holdfast.Is(err, holdfast.NotFound) && e.Marker { // the current one is refused as one that is named is
			return s3api.MethodRefused(q.r.Method, "DeleteMarker").WithCause(err)
		}
		if err != nil {
			return err
		}
		if body, err = q.aclBody(s3api.OpPutObjectAcl, body); err != nil {
			return err
		}
		if err = q.setObjectACL(b, a, &e, body); holdfast.Is(err, holdfast.NotFound) && v.IsCurrent() {
			continue
		}
		if err != nil {
			return err
		}
		setVersion(q.w.Header(), b.Info(), e.Version, e.Null)
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	return s3api.E(s3api.OperationAborted)
}

func (q *request) setObjectACL(b *volume.Bucket, a *access, e *holdfast.Entry, body []byte) error {
	who := a.objectOwner(e)
	asked, err := q.parseACL(a, who, body)
	if err != nil {
		return err
	}
	list, err := q.resolve(&asked, a, who, true)
	if err != nil {
		return err
	}
	_, err = b.SetAttributes(q.ctx, q.target.Key, volume.AttrChange{
		Version: volume.Version{ID: e.Version}, Mask: holdfast.AspectACL, Entry: holdfast.Entry{ACL: list.Encode(who)},
	})
	return err
}

// askedACL reads the list that a request sets on what belongs to owner, from its headers or its body.
func (q *request) askedACL(op s3api.Op, a *access, owner string) (acl.Request, error) {
	body, err := q.aclBody(op, nil)
	if err != nil {
		return acl.Request{}, err
	}
	return q.parseACL(a, owner, body)
}

// aclBody returns the body of the request, or read if that was read before.
func (q *request) aclBody(op s3api.Op, read []byte) ([]byte, error) {
	if read != nil || q.body.size() == 0 {
		return read, nil
	}
	return q.document(op)
}

func (q *request) parseACL(a *access, owner string, body []byte) (acl.Request, error) {
	if a.enforced() {
		return acl.Request{}, s3api.E(s3api.AccessControlListNotSupported)
	}
	asked, err := acl.FromHeader(q.r.Header)
	switch {
	case err != nil:
		return acl.Request{}, err
	case asked.IsZero() && len(body) == 0:
		return acl.Request{}, s3api.E(s3api.MissingSecurityHeader).With("MissingHeaderName", "x-amz-acl")
	case asked.IsZero():
		return acl.FromDocument(body, owner)
	case len(body) > 0:
		return acl.Request{}, s3api.E(s3api.UnexpectedContent)
	}
	return asked, nil
}
