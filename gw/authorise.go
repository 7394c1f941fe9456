package gw

import (
	"holdfast"
	"holdfast/gw/acl"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// errDenied is what a caller is told who may not.
var errDenied = s3api.E(s3api.AccessDenied)

// giver says what gives a right, beside a bucket policy.
type giver uint8

const (
	byOwner  giver = iota // owning the bucket
	byBucket              // the bucket's access control list
	byUpload              // the bucket's list, if the caller began the upload or owns the bucket
	byObject              // the object's list
)

// rule says what an operation needs.
type rule struct {
	giver
	right acl.Right
}

// ruleOf is the table of S3 that maps rights of access control lists to operations
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions). What it does not name is for the bucket's owner.
func ruleOf(op s3api.Op, versioned bool) rule {
	switch op {
	case s3api.OpHeadBucket, s3api.OpListObjects, s3api.OpListObjectsV2, s3api.OpListObjectVersions, s3api.OpListMultipartUploads:
		return rule{byBucket, acl.Read}
	case s3api.OpPutObject, s3api.OpCopyObject, s3api.OpPostObject, s3api.OpCreateMultipartUpload, s3api.OpUploadPart,
		s3api.OpUploadPartCopy, s3api.OpCompleteMultipartUpload:
		return rule{byBucket, acl.Write}
	case s3api.OpDeleteObject, s3api.OpDeleteObjects:
		if !versioned { // versions are for the bucket's owner to remove
			return rule{byBucket, acl.Write}
		}
	case s3api.OpListParts, s3api.OpAbortMultipartUpload:
		return rule{byUpload, acl.Write}
	case s3api.OpGetBucketAcl:
		return rule{byBucket, acl.ReadACP}
	case s3api.OpPutBucketAcl:
		return rule{byBucket, acl.WriteACP}
	case s3api.OpGetObject, s3api.OpHeadObject, s3api.OpGetObjectAttributes, s3api.OpGetObjectTorrent, s3api.OpSelectObjectContent:
		return rule{byObject, acl.Read}
	case s3api.OpGetObjectAcl:
		return rule{byObject, acl.ReadACP}
	case s3api.OpPutObjectAcl:
		return rule{byObject, acl.WriteACP}
	}
	return rule{giver: byOwner}
}

// ask is a question to the access rules of a bucket: may the caller of this request do that?
type ask struct {
	q       *request
	name    string         // of the bucket; "": the service
	bucket  *volume.Bucket // nil for what is on no bucket that is there
	access  *access
	action  string // of policies
	key     string // "": the bucket itself
	version volume.Version
	rule
	entry  *holdfast.Entry // of the key and version, once it is known
	prefix string          // of a list that nobody asked for; see allowAbsence
	source bool            // about the source of a copy: headers of the request are about its target

	tagged *holdfast.Entry // what a condition on existing tags looked up
	err    error           // why that failed
}

// verdict is an answer.
type verdict uint8

const (
	silent  verdict = iota // nothing gives the right
	granted                // something does
	denied                 // something forbids it, whatever gives it
)

// authorise decides whether the caller may do what the request asks for, once, before the handler runs. What depends on an object's
// own list or on several objects is left to the handler, who knows them: operations by an object's list end in allowEntry or
// allowMissing, DeleteObjects asks for each key, and copies ask for their source.
func (q *request) authorise() error {
	switch {
	case q.mayAll():
		return nil
	case q.op.Management():
		return errDenied
	case !q.target.HasBucket() || q.op == s3api.OpCreateBucket:
		return q.authoriseService()
	case q.op.Action(false) == "": // a preflight asks for no right
		return nil
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	k, err := q.ask(b)
	if err != nil {
		return err
	}
	if k.giver == byObject || q.op == s3api.OpDeleteObjects {
		return nil
	}
	if err := q.require(&k); err != nil {
		return err
	}
	return q.requireExtras(&k)
}

// authoriseService decides about requests that are on no bucket that is there. Anonymous callers have no buckets.
func (q *request) authoriseService() error {
	if q.op.Action(false) == "" {
		return nil
	}
	if !q.signed {
		return errDenied
	}
	k := ask{q: q, name: q.target.Bucket, action: q.op.Action(false)}
	actions := []string{k.action}
	if q.op == s3api.OpCreateBucket {
		actions = append(actions, q.createActions()...)
	}
	for _, k.action = range actions {
		if v, err := q.limit(&k); err != nil || v == denied {
			return refusal(err)
		}
	}
	return nil
}

// ask is the question about the request's own operation and target.
func (q *request) ask(b *volume.Bucket) (ask, error) {
	a, err := q.g.accessOf(b)
	if err != nil {
		return ask{}, err
	}
	v, err := parseVersion(q.query.Get("versionId"))
	if err != nil {
		return ask{}, err
	}
	versioned := !v.IsCurrent()
	return ask{
		q: q, name: q.target.Bucket, bucket: b, access: a, action: q.op.Action(versioned), key: q.target.Key, version: v,
		rule: ruleOf(q.op, versioned),
	}, nil
}

// require fails unless the answer is granted.
func (q *request) require(k *ask) error {
	v, err := q.judge(k)
	if err != nil || v != granted {
		return refusal(err)
	}
	return nil
}

// refusal is why a question was not granted: what went wrong while it was decided, or that it may not be.
func refusal(err error) error {
	if err != nil {
		return err
	}
	return errDenied
}

// judge answers a question: a denial anywhere wins, then a grant anywhere.
func (q *request) judge(k *ask) (verdict, error) {
	if q.mayAll() {
		return granted, nil
	}
	v, err := q.forbidden(k)
	if err != nil || v != silent {
		return v, err
	}
	ok, err := q.given(k)
	if err != nil || !ok {
		return silent, err
	}
	return granted, nil
}

// forbidden looks at the policies: denied if one denies, granted if the bucket's allows.
func (q *request) forbidden(k *ask) (verdict, error) {
	v, err := q.limit(k)
	switch {
	case err != nil || v == denied:
		return v, err
	case q.caller.System:
		return granted, nil
	}
	return q.bucketPolicy(k)
}

// mayAll reports whether the caller may do everything: a system user, unless it is a service account of his with a policy.
func (q *request) mayAll() bool { return q.caller.System && q.caller.Limit == nil }

// user is the caller as access control lists know it.
func (q *request) user() string {
	if !q.signed {
		return anonymousUser
	}
	return q.caller.User
}

// given reports whether ownership or an access control list gives the right.
func (q *request) given(k *ask) (bool, error) {
	a, user := k.access, q.user()
	owns := user == a.owner
	switch {
	case k.giver == byOwner || a.enforced():
		return owns, nil
	case k.giver == byObject:
		return q.givenByObject(k)
	case owns && k.right&(acl.Read|acl.Write) == 0: // so that the owner can always mend the list
		return true, nil
	case !a.list.Allows(user, q.signed, k.right, a.block.IgnorePublicACLs):
		return false, nil
	case k.giver == byUpload && !owns:
		return q.began(k)
	}
	return true, nil
}

// givenByObject is given by the list of an object; one that is not known gives nothing.
func (q *request) givenByObject(k *ask) (bool, error) {
	if k.entry == nil {
		return false, nil
	}
	user, owner := q.user(), k.access.objectOwner(k.entry)
	if user == owner && (len(k.entry.ACL) == 0 || k.right&(acl.Read|acl.Write) == 0) {
		return true, nil
	}
	list, err := acl.Decode(k.entry.ACL, owner)
	return err == nil && list.Allows(user, q.signed, k.right, k.access.block.IgnorePublicACLs), err
}

// began reports whether the caller began the upload of the request. Of one that is not there the handler tells.
func (q *request) began(k *ask) (bool, error) {
	id, err := q.uploadID()
	if err != nil {
		return false, err
	}
	up, err := k.bucket.Upload(q.ctx, k.key, id)
	if err != nil {
		return false, err
	}
	return q.signed && up.Initiator == q.caller.User, nil
}

// head returns the entry of the request's key and answers for the caller's right to see it.
func (q *request) head(b *volume.Bucket, v volume.Version) (holdfast.Entry, error) {
	e, err := b.Head(q.ctx, q.target.Key, v)
	if err != nil {
		return e, q.missing(b, v, &e, err)
	}
	return e, q.allowEntry(b, &e)
}

// allowEntry decides about an operation by the object's list, and is a success for others, which were decided about before.
func (q *request) allowEntry(b *volume.Bucket, e *holdfast.Entry) error {
	if q.mayAll() {
		return nil
	}
	k, err := q.ask(b)
	if err != nil || k.giver != byObject {
		return err
	}
	k.entry = e
	if err := q.require(&k); err != nil {
		return err
	}
	return q.requireExtras(&k)
}

// allowMissing decides whether the caller may learn that a key is not there: who could list the bucket may.
func (q *request) allowMissing(b *volume.Bucket) error {
	if q.mayAll() {
		return nil
	}
	k, err := q.ask(b)
	if err != nil {
		return err
	}
	return q.allowAbsence(&k)
}

// allowAbsence is allowMissing for a question about an object that is not there.
func (q *request) allowAbsence(k *ask) error {
	if v, err := q.forbidden(k); err != nil || v == denied {
		return refusal(err)
	}
	return q.require(&ask{
		q: q, name: k.name, bucket: k.bucket, access: k.access, action: "s3:ListBucket", rule: rule{byBucket, acl.Read},
		prefix: k.key, source: k.source,
	})
}

// allowSource decides whether the caller may read the source of a copy; e is nil if it is not there.
func (q *request) allowSource(b *volume.Bucket, key string, v volume.Version, e *holdfast.Entry) error {
	if q.mayAll() {
		return nil
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return err
	}
	k := ask{
		q: q, name: b.Info().Name, bucket: b, access: a, action: s3api.OpGetObject.Action(!v.IsCurrent()), key: key, version: v,
		rule: rule{byObject, acl.Read}, entry: e, source: true,
	}
	if e == nil {
		return q.allowAbsence(&k)
	}
	if err := q.require(&k); err != nil || len(e.Tags) == 0 || q.op != s3api.OpCopyObject {
		return err
	}
	k.action, k.rule = s3api.OpGetObjectTagging.Action(!v.IsCurrent()), rule{giver: byOwner} // for the tags that are copied along
	if v, err := q.judge(&k); err != nil || v == denied {
		return refusal(err)
	}
	return nil
}

// allowDelete decides about one key of DeleteObjects.
func (q *request) allowDelete(b *volume.Bucket, key string, v volume.Version) error {
	if q.mayAll() {
		return nil
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return err
	}
	versioned := !v.IsCurrent()
	k := ask{
		q: q, name: b.Info().Name, bucket: b, access: a, action: s3api.OpDeleteObject.Action(versioned), key: key, version: v,
		rule: ruleOf(s3api.OpDeleteObject, versioned),
	}
	if err := q.require(&k); err != nil {
		return err
	}
	return q.requireExtras(&k)
}
