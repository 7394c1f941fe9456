package gw

import (
	"sync"
	"time"

	"holdfast"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
)

// policySetting is the name of a bucket's policy in its record.
const policySetting = "policy"

// policyOf returns the parsed policy of a bucket, nil if it has none. It was checked when it was stored: an error is a damaged record, and
// nobody gets in.
func (g *Gateway) policyOf(k *ask) (*policy.Policy, error) {
	name := k.bucket.Info().Name
	p, _, err := parseSetting(&g.parsed, k.bucket, policySetting, func(doc []byte) (*policy.Policy, error) {
		p, err := policy.ParseBucket(doc, name)
		if err != nil {
			return nil, holdfast.E("gw.policy", holdfast.Corrupt, err)
		}
		return p, nil
	})
	return p, err
}

// bucketPolicy holds the bucket's policy against the question.
func (q *request) bucketPolicy(k *ask) (verdict, error) {
	if k.bucket == nil {
		return silent, nil
	}
	p, err := q.g.policyOf(k)
	if err != nil || p == nil {
		return silent, err
	}
	effect, err := q.evaluate(p, k)
	switch {
	case err != nil:
		return silent, err
	case effect == policy.Deny && !q.mends(k):
		return denied, nil
	case effect == policy.Allow && q.mayTakeFrom(p, k):
		return granted, nil
	}
	return silent, nil
}

// mends reports whether the caller asks to see or change the policy of his own bucket. No policy can keep him from it, else a mistake could never
// be mended; his service accounts it can.
func (q *request) mends(k *ask) bool {
	switch q.op {
	case s3api.OpGetBucketPolicy, s3api.OpPutBucketPolicy, s3api.OpDeleteBucketPolicy:
		return q.signed && q.caller.User == k.access.owner && q.caller.Service == ""
	}
	return false
}

// mayTakeFrom reports whether what the policy allows counts: not for others than the bucket's owner if it is public and the bucket is
// restricted, and not for objects that are somebody else's, which are not the bucket's owner's to give.
func (q *request) mayTakeFrom(p *policy.Policy, k *ask) bool {
	if k.access.block.RestrictPublicBuckets && q.user() != k.access.owner && p.IsPublic() {
		return false
	}
	return k.entry == nil || k.giver != byObject || k.access.objectOwner(k.entry) == k.access.owner
}

// limit holds the policy of a service account against the question. It gives nothing: denied, or silent.
func (q *request) limit(k *ask) (verdict, error) {
	if q.caller.Limit == nil {
		return silent, nil
	}
	p, err := q.g.limits.of(q.caller.Limit)
	if err != nil {
		return denied, err
	}
	if effect, err := q.evaluate(p, k); err != nil || effect != policy.Allow {
		return denied, err
	}
	return silent, nil
}

// evaluate decides the question by a policy.
func (q *request) evaluate(p *policy.Policy, k *ask) (policy.Effect, error) {
	now := time.Now()
	c := conditions{
		q: q, now: now, addr: q.set.proxies.clientAddr(q.r), secure: q.set.proxies.secure(q.r),
		bucket: k.bucket, key: k.key, version: k.version, entry: k.entry, prefix: k.prefix, source: k.source,
	}
	r := policy.Request{
		Principal: policy.Principal{Account: q.caller.User, User: q.caller.Service}, Action: k.action, Now: now, Context: &c,
	}
	switch {
	case k.bucket != nil:
		r.Resource, r.Owner = policy.Resource(k.bucket.Info().Name, k.key), k.access.owner
	case q.target.HasBucket(): // that is to be made
		r.Resource = q.target.Bucket
	}
	effect := p.Evaluate(&r).Effect
	return effect, c.err
}

// maxLimits bounds how many parsed policies of service accounts a gateway keeps; beyond it any one goes.
const maxLimits = 1000

// parsedLimits keeps parsed policies of service accounts by their documents. The zero value is ready.
type parsedLimits struct {
	mu     sync.RWMutex
	values map[string]*policy.Policy
}

// of parses a policy, once.
func (l *parsedLimits) of(doc []byte) (*policy.Policy, error) {
	l.mu.RLock()
	p, ok := l.values[string(doc)]
	l.mu.RUnlock()
	if ok {
		return p, nil
	}
	p, err := policy.ParseIdentity(doc)
	if err != nil {
		return nil, holdfast.E("gw.policy", holdfast.Corrupt, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.values == nil {
		l.values = make(map[string]*policy.Policy)
	}
	if len(l.values) >= maxLimits {
		for other := range l.values {
			delete(l.values, other)
			break
		}
	}
	l.values[string(doc)] = p
	return p, nil
}
