package gw

import (
	"time"

	"holdfast"
	"holdfast/gw/acl"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// giver says what gives a right, beside a bucket policy.
type giver uint8

const (
	ownerGives  giver = iota // owning the bucket
	bucketGives              // the bucket's access control list
	uploadGives              // the bucket's list, if the caller began the upload or owns the bucket
	objectGives              // the object's list
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
		return rule{bucketGives, acl.Read}
	case s3api.OpPutObject, s3api.OpCopyObject, s3api.OpPostObject, s3api.OpCreateMultipartUpload, s3api.OpUploadPart,
		s3api.OpUploadPartCopy, s3api.OpCompleteMultipartUpload:
		return rule{bucketGives, acl.Write}
	case s3api.OpDeleteObject, s3api.OpDeleteObjects:
		if !versioned { // versions are for the bucket's owner to remove
			return rule{bucketGives, acl.Write}
		}
	case s3api.OpListParts, s3api.OpAbortMultipartUpload:
		return rule{uploadGives, acl.Write}
	case s3api.OpGetBucketAcl:
		return rule{bucketGives, acl.ReadACP}
	case s3api.OpPutBucketAcl:
		return rule{bucketGives, acl.WriteACP}
	case s3api.OpGetObject, s3api.OpHeadObject, s3api.OpGetObjectAttributes, s3api.OpGetObjectTorrent, s3api.OpSelectObjectContent:
		return rule{objectGives, acl.Read}
	case s3api.OpGetObjectAcl:
		return rule{objectGives, acl.ReadACP}
	case s3api.OpPutObjectAcl:
		return rule{objectGives, acl.WriteACP}
	}
	return rule{giver: ownerGives}
}

// ask is a question to the access rules of a bucket: may the caller of this request do that?
type ask struct {
	q       *request
	name    string         // of the bucket; "": the service
	bucket  *volume.Bucket // nil for what is on no bucket that is there
	access  *access        // nil if bucket is, or free is set
	free    bool           // no rule holds for the caller, see mayAll
	action  string         // of policies
	key     string         // "": the bucket itself
	version volume.Version
	rule
	entry  *holdfast.Entry // of the key and version, once it is known
	prefix string          // of a list that nobody asked for; see allowAbsence
	source bool            // about the source of a copy: headers of the request are about its target

	tagged *holdfast.Entry // what a condition on existing tags looked up
	err    error           // why that failed
}

// about is the question whether the caller may do an operation on a bucket, or on a version of one of its keys.
func (q *request) about(b *volume.Bucket, op s3api.Op, key string, v volume.Version) (ask, error) {
	versioned := !v.IsCurrent()
	k := ask{
		q: q, name: b.Info().Name, bucket: b, action: op.Action(versioned), key: key, version: v, rule: ruleOf(op, versioned),
	}
	if k.free = q.mayAll(b); k.free {
		return k, nil
	}
	var err error
	k.access, err = q.g.accessOf(b)
	return k, err
}

// verdict is an answer.
type verdict uint8

const (
	silent  verdict = iota // nothing gives the right
	granted                // something does
	denied                 // something forbids it, whatever gives it
)

// reason is the rule that a verdict stands on, or of a silent one what came closest to giving the right.
type reason uint8

const (
	noReason        reason = iota
	systemUser             // may do everything
	accountPolicy          // the policy of the service account, which gives nothing
	damagedPolicy          // that policy cannot be read: nothing is allowed by it
	bucketsPolicy          // the policy of the bucket
	policyIsPublic         // it allows, and the public access block lets public policies give nothing
	objectOfAnother        // it allows, and the object is not the bucket owner's to give
	ownerMends             // the bucket's owner can always mend a policy that denies it, as in S3
	bucketOwner
	objectOwner
	ownersAlone // the right goes with owning the bucket
	aList       // an access control list
	listLacks   // no grant in it
	listIgnored // a grant to everybody, which the public access block makes count for nothing
	uploadOfAnother
	objectUnknown // whose own list could
)

// ruling is a verdict with what it stands on.
type ruling struct {
	verdict
	reason
	by policy.Decision // the statement, if the reason is a policy
}

// err is what the caller of a request is told.
func (r ruling) err() error {
	if r.verdict == granted {
		return nil
	}
	return errDenied
}

// judge answers a question: a denial anywhere wins, then a grant anywhere. An error means that there is no answer, and the request fails.
func (q *request) judge(k *ask) (ruling, error) {
	byPolicies, err := q.judgePolicies(k)
	if err != nil || byPolicies.verdict != silent {
		return byPolicies, err
	}
	r, err := q.judgeLists(k)
	if r.verdict == silent && byPolicies.reason != noReason {
		return byPolicies, err
	}
	q.byList = q.byList || r.verdict == granted && q.user() != k.access.owner
	return r, err
}

// judgePolicies looks at the policies: denied if one denies, granted if the bucket's allows or nothing else counts for the caller.
func (q *request) judgePolicies(k *ask) (ruling, error) {
	if k.free {
		return ruling{verdict: granted, reason: systemUser}, nil
	}
	r, err := q.judgeAccount(k)
	if err != nil || r.verdict == denied {
		return r, err
	}
	if k.policyCounts() {
		if r, err = q.judgePolicy(k); err != nil || r.verdict != silent {
			return r, err
		}
	}
	if q.caller.System {
		return ruling{verdict: granted, reason: systemUser}, nil
	}
	return r, nil
}

// judgeAccount holds the policy of a service account against the question. It gives nothing: denied, or silent.
func (q *request) judgeAccount(k *ask) (ruling, error) {
	if q.caller.Limit == nil {
		return ruling{}, nil
	}
	p, err := q.g.policies.parse(q.caller.Limit)
	if err != nil { // explain tells; nothing can be told to who signs with it
		return ruling{verdict: denied, reason: damagedPolicy}, nil
	}
	d := p.Evaluate(k.policyRequest())
	if k.err == nil && d.Effect != policy.Allow {
		return ruling{denied, accountPolicy, d}, nil
	}
	return ruling{}, k.err
}

// policyCounts reports whether there is a policy of the bucket that holds for the caller: of a system user only that of his own bucket does.
func (k *ask) policyCounts() bool {
	return k.access != nil && k.access.policy != nil && (!k.q.caller.System || k.access.owner == k.q.caller.User)
}

// judgePolicy holds the bucket's policy against the question.
func (q *request) judgePolicy(k *ask) (ruling, error) {
	a := k.access
	owns := q.user() == a.owner
	d := a.policy.Evaluate(k.policyRequest())
	switch {
	case k.err != nil:
		return ruling{}, k.err
	case d.Effect == policy.Deny:
		if owns && q.caller.Service == "" && aboutPolicy(k.action) {
			return ruling{granted, ownerMends, d}, nil
		}
		return ruling{denied, bucketsPolicy, d}, nil
	case d.Effect != policy.Allow:
		return ruling{}, nil
	case a.restrict && !owns:
		return ruling{silent, policyIsPublic, d}, nil
	case k.giver == objectGives && k.entry != nil && a.objectOwner(k.entry) != a.owner:
		return ruling{silent, objectOfAnother, d}, nil
	}
	return ruling{granted, bucketsPolicy, d}, nil
}

func aboutPolicy(action string) bool {
	return action == "s3:GetBucketPolicy" || action == "s3:PutBucketPolicy" || action == "s3:DeleteBucketPolicy"
}

// judgeLists looks at ownership and the access control lists.
func (q *request) judgeLists(k *ask) (ruling, error) {
	a, user := k.access, q.user()
	owns := user == a.owner
	switch {
	case k.giver == ownerGives || a.enforced():
		if owns {
			return ruling{verdict: granted, reason: bucketOwner}, nil
		}
		return ruling{reason: ownersAlone}, nil
	case k.giver == objectGives:
		return q.judgeObject(k)
	case owns && k.right&(acl.Read|acl.Write) == 0: // so that the owner can always mend the list
		return ruling{verdict: granted, reason: bucketOwner}, nil
	}
	r := q.judgeList(a.list, k)
	if r.verdict == granted && k.giver == uploadGives && !owns {
		return q.judgeUpload(k)
	}
	return r, nil
}

// judgeObject goes by the owner and the list of an object; one that is not known gives nothing.
func (q *request) judgeObject(k *ask) (ruling, error) {
	if k.entry == nil {
		return ruling{reason: objectUnknown}, nil
	}
	user, owner := q.user(), k.access.objectOwner(k.entry)
	if user == owner && (len(k.entry.ACL) == 0 || k.right&(acl.Read|acl.Write) == 0) {
		return ruling{verdict: granted, reason: objectOwner}, nil
	}
	list, err := acl.Decode(k.entry.ACL, owner)
	if err != nil {
		return ruling{}, err
	}
	return q.judgeList(list, k), nil
}

// judgeList goes by one list.
func (q *request) judgeList(list acl.List, k *ask) ruling {
	user, ignore := q.user(), k.access.block.IgnorePublicACLs
	switch {
	case list.Allows(user, q.signed, k.right, ignore):
		return ruling{verdict: granted, reason: aList}
	case ignore && list.Allows(user, q.signed, k.right, false):
		return ruling{reason: listIgnored}
	}
	return ruling{reason: listLacks}
}

// judgeUpload goes by who began the upload of the request. Of one that is not there the handler tells.
func (q *request) judgeUpload(k *ask) (ruling, error) {
	id, err := q.uploadID()
	if err != nil {
		return ruling{}, err
	}
	up, err := k.bucket.Upload(q.ctx, k.key, id)
	if err != nil {
		return ruling{}, err
	}
	if q.signed && up.Initiator == q.caller.User {
		return ruling{verdict: granted, reason: aList}, nil
	}
	return ruling{reason: uploadOfAnother}, nil
}

// policyRequest is the question as policies know it.
func (k *ask) policyRequest() *policy.Request {
	r := &policy.Request{Action: k.action, Now: time.Now(), Context: k}
	if k.name != "" {
		r.Resource = policy.Resource(k.name, k.key)
	}
	if k.access != nil {
		r.Owner = k.access.owner
	}
	if q := k.q; q.signed {
		r.Principal = policy.Principal{Account: q.caller.User, User: q.caller.Service}
	}
	return r
}
