package gw

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"holdfast/gw/policy"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// bucketPolicy is the sub-resource of the policy (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html). The document is
// kept as it came.
var bucketPolicy = setting{
	name: policySetting, put: s3api.OpPutBucketPolicy, absent: s3api.NoSuchBucketPolicy,
	check: checkPolicy, contentType: "application/json", stored: http.StatusNoContent,
}

func checkPolicy(q *request, b *volume.Bucket, doc []byte) ([]byte, error) {
	info := b.Info()
	p, err := policy.ParseBucket(doc, info.Name)
	if err != nil {
		return nil, malformedPolicy(err)
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return nil, err
	}
	for _, who := range p.Named() {
		if err := q.knownPrincipal(who, a.owner); err != nil {
			return nil, err
		}
	}
	if a.block.BlockPublicPolicy && p.IsPublic() {
		return nil, errDenied
	}
	after := *a
	after.policy, after.restrict = p, a.block.RestrictPublicBuckets && p.IsPublic()
	return doc, q.keepsAccess(b, &after)
}

// malformedPolicy is what a client is told of a policy that cannot be read.
func malformedPolicy(err error) error {
	var refused *policy.Error
	if !errors.As(err, &refused) {
		return err
	}
	return s3api.E(s3api.MalformedPolicy).WithMessage(refused.Message).WithCause(err)
}

// knownPrincipal refuses a policy that names a user who is not there.
func (q *request) knownPrincipal(who policy.Principal, owner string) error {
	if who.Account == "" || who.Account == owner || who.Account == q.caller.User {
		return nil
	}
	ok, err := q.g.users.UserByID(q.ctx, who.Account)
	if err == nil && !ok {
		err = malformedPolicy(policy.InvalidPrincipal())
	}
	return err
}

// keepsAccess refuses a policy by which the caller could not change it again, unless he says that he means it. The bucket's owner always can.
func (q *request) keepsAccess(b *volume.Bucket, after *access) error {
	if strings.EqualFold(q.r.Header.Get("X-Amz-Confirm-Remove-Self-Bucket-Access"), "true") {
		return nil
	}
	k, err := q.ask(b)
	if err != nil {
		return err
	}
	k.access = after
	v, err := q.judge(&k)
	if err == nil && v != granted {
		err = s3api.E(s3api.AccessDenied).WithMessage("The policy would not let you change it in the future. To confirm that this is what " +
			"you want, send x-amz-confirm-remove-self-bucket-access.")
	}
	return err
}

// getPolicyStatus serves GetBucketPolicyStatus (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html). A bucket
// without a policy is answered, too, and public if its list is.
func getPolicyStatus(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	a, err := q.g.accessOf(b)
	if err != nil {
		return err
	}
	public := a.policy != nil && a.policy.IsPublic() || !a.enforced() && !a.block.IgnorePublicACLs && a.list.Public()
	return q.sendXML(func(dst []byte) []byte { return s3api.AppendPolicyStatus(dst, public) })
}

// bucketPolicy holds the bucket's policy against the question.
func (q *request) bucketPolicy(k *ask) (verdict, error) {
	a := k.access
	if a.policy == nil {
		return silent, nil
	}
	owns := q.user() == a.owner
	effect := a.policy.Evaluate(k.policyRequest()).Effect
	switch {
	case k.err != nil:
		return denied, k.err
	case effect == policy.Deny:
		if owns && q.caller.Service == "" && aboutPolicy(k.action) {
			return silent, nil // so that the owner can always mend the policy, as in S3
		}
		return denied, nil
	case effect == policy.Allow:
		othersObject := k.giver == byObject && k.entry != nil && a.objectOwner(k.entry) != a.owner
		if a.restrict && !owns || othersObject { // the bucket's owner cannot give away what others own
			return silent, nil
		}
		return granted, nil
	}
	return silent, nil
}

func aboutPolicy(action string) bool {
	return action == "s3:GetBucketPolicy" || action == "s3:PutBucketPolicy" || action == "s3:DeleteBucketPolicy"
}

// limit holds the policy of a service account against the question. It gives nothing: denied, or silent.
func (q *request) limit(k *ask) (verdict, error) {
	if q.caller.Limit == nil {
		return silent, nil
	}
	p, err := q.g.limits.parse(q.caller.Limit)
	if err != nil {
		return denied, err
	}
	if p.Evaluate(k.policyRequest()).Effect != policy.Allow || k.err != nil {
		return denied, k.err
	}
	return silent, nil
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

// maxLimits bounds how many parsed policies of service accounts are kept; beyond it any one goes.
const maxLimits = 1000

// limits keeps the policies of service accounts, parsed, by their text. The zero value is ready.
type limits struct {
	mu     sync.RWMutex
	parsed map[string]*policy.Policy
}

// parse returns a policy that was checked when it was stored; an error is a damaged record.
func (l *limits) parse(doc []byte) (*policy.Policy, error) {
	l.mu.RLock()
	p := l.parsed[string(doc)]
	l.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	p, err := policy.ParseIdentity(doc)
	if err != nil {
		return nil, errDenied
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parsed == nil {
		l.parsed = make(map[string]*policy.Policy)
	}
	if len(l.parsed) >= maxLimits {
		for other := range l.parsed {
			delete(l.parsed, other)
			break
		}
	}
	l.parsed[string(doc)] = p
	return p, nil
}
