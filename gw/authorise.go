package gw

import (
	"holdfast"
	"holdfast/gw/acl"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// errDenied is what a caller is told who may not.
var errDenied = s3api.E(s3api.AccessDenied)

// authorise decides whether the caller may do what the request asks for, once, before the handler runs. What depends on an object's
// own list or on several objects is left to the handler, who knows them: operations by an object's list end in allowEntry or
// allowMissing, DeleteObjects asks for each key, and copies ask for their source.
func (q *request) authorise() error {
	switch {
	case q.op.Management() && !q.mayAll(nil):
		return errDenied
	case q.op.Action(false) == "": // a preflight and management ask for no right of policies
		return nil
	case !q.target.HasBucket() || q.op == s3api.OpCreateBucket:
		return q.authoriseService()
	case q.g.volume == nil && q.mayAll(nil): // the null gateway has no buckets, whose rules could hold
		return nil
	case ruleOf(q.op, false).giver == objectGives, q.op == s3api.OpDeleteObjects:
		return nil // the handler asks
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	k, err := q.ask(b)
	if err != nil {
		return err
	}
	return q.require(&k)
}

// authoriseService decides about requests that are on no bucket that is there. Anonymous callers have no buckets.
func (q *request) authoriseService() error {
	switch {
	case q.mayAll(nil):
		return nil
	case !q.signed:
		return errDenied
	}
	actions := []string{q.op.Action(false)}
	if q.op == s3api.OpCreateBucket {
		actions = append(actions, q.createActions()...)
	}
	for _, action := range actions {
		r, err := q.judgeAccount(&ask{q: q, name: q.target.Bucket, action: action})
		if err != nil {
			return err
		}
		if r.verdict == denied {
			return errDenied
		}
	}
	return nil
}

// mayAll reports whether no rule holds for the caller in a bucket, or with nil outside of buckets: for a system user, unless it is a service
// account of his with a policy. The policy of his own bucket binds him as it binds every owner.
func (q *request) mayAll(b *volume.Bucket) bool {
	if !q.caller.System || q.caller.Limit != nil {
		return false
	}
	return b == nil || b.Info().Owner != q.caller.User || b.Info().Settings[policySetting] == nil
}

// user is the caller as access control lists know it.
func (q *request) user() string {
	if !q.signed {
		return anonymousUser
	}
	return q.caller.User
}

// ask is the question about the request's own operation and target.
func (q *request) ask(b *volume.Bucket) (ask, error) {
	v, err := parseVersion(q.query.Get("versionId"))
	if err != nil {
		return ask{}, err
	}
	return q.about(b, q.op, q.target.Key, v)
}

// require fails unless the answer is granted, also for what headers of the request add to the question.
func (q *request) require(k *ask) error {
	r, err := q.judge(k)
	if err != nil {
		return err
	}
	if err := r.err(); err != nil || k.free {
		return err
	}
	return q.requireExtras(k)
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
	k, err := q.ask(b)
	if err != nil || k.giver != objectGives {
		return err
	}
	k.entry = e
	return q.require(&k)
}

// allowMissing decides whether the caller may learn that a key is not there: who could list the bucket may.
func (q *request) allowMissing(b *volume.Bucket) error {
	k, err := q.ask(b)
	if err != nil {
		return err
	}
	return q.allowAbsence(&k)
}

// allowAbsence is allowMissing for a question about an object that is not there.
func (q *request) allowAbsence(k *ask) error {
	r, err := q.judgePolicies(k)
	if err != nil {
		return err
	}
	if r.verdict == denied {
		return errDenied
	}
	list := *k
	list.action, list.key, list.version, list.prefix = "s3:ListBucket", "", volume.Version{}, k.key
	list.rule, list.tagged = rule{bucketGives, acl.Read}, nil
	if r, err = q.judge(&list); err != nil {
		return err
	}
	return r.err()
}

// allowSource decides whether the caller may read the source of a copy; e is nil if it is not there.
func (q *request) allowSource(b *volume.Bucket, key string, v volume.Version, e *holdfast.Entry) error {
	k, err := q.about(b, s3api.OpGetObject, key, v)
	if err != nil {
		return err
	}
	k.entry, k.source = e, true
	if e == nil {
		return q.allowAbsence(&k)
	}
	r, err := q.judge(&k)
	if err != nil {
		return err
	}
	if err := r.err(); err != nil || len(e.Tags) == 0 || q.op != s3api.OpCopyObject {
		return err
	}
	k.action, k.rule = s3api.OpGetObjectTagging.Action(!v.IsCurrent()), rule{giver: ownerGives} // for the tags that are copied along
	if r, err = q.judge(&k); err == nil && r.verdict == denied {
		err = errDenied
	}
	return err
}

// allowDelete decides about one key of DeleteObjects.
func (q *request) allowDelete(b *volume.Bucket, key string, v volume.Version) error {
	k, err := q.about(b, s3api.OpDeleteObject, key, v)
	if err != nil {
		return err
	}
	return q.require(&k)
}
