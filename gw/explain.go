package gw

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"holdfast"
	"holdfast/gw/admin"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// told are the values that an explanation goes by for the keys of conditions, by their names in lower case: they stand for the headers and
// the origin of a request that nobody has made. What is known of the object is looked up as for any request.
type told map[string][]string

// lookup returns a key that was told.
func (t told) lookup(key policy.Key, name string) (policy.Value, bool) {
	if t == nil {
		return policy.Value{}, false
	}
	switch values := t[strings.ToLower(string(key)+name)]; len(values) {
	case 0:
		return policy.Value{}, false
	case 1:
		return policy.Text(values[0]), true
	default:
		return policy.List(values), true
	}
}

// need is what an action of policies is on, and what gives the right to it beside policies.
type need struct {
	onBucket, onObject bool
	rule
}

// needOf finds the need of an action in the table of operations, false if no operation has it.
func needOf(action string) (need, bool) {
	if action == bypassExtras[0].action {
		return need{onBucket: true, onObject: true}, true
	}
	var found need
	known := false
	for _, op := range s3api.Ops() {
		for _, versioned := range [...]bool{false, true} {
			// An operation on a bucket may do to many objects what another does to one.
			if op.Action(versioned) == action && action != "" && (!known || op.OnObject()) {
				found = need{op.Route().Bucket && op != s3api.OpCreateBucket, op.OnObject(), ruleOf(op, versioned)}
				known = true
				break
			}
		}
	}
	return found, known
}

// explain decides as if a question were a request: it makes one that has nothing but a caller and a target, and has it judged by the same
// functions as all others.
func (g *Gateway) explain(ctx context.Context, question *admin.Question) (*admin.Explanation, error) {
	n, ok := needOf(question.Action)
	if !ok {
		return nil, s3api.BadArgument("action", question.Action, "This is no action that a request needs; it is written as in s3:GetObject")
	}
	q := g.imagine(ctx, question)
	if !n.onBucket {
		return q.explainService(&ask{q: q, name: question.Bucket, action: question.Action})
	}
	if n.onObject != (question.Key != "") {
		return nil, s3api.BadArgument("key", question.Key, "An action on an object needs its key, and one on a bucket has none")
	}
	if question.Bucket == volume.ServiceBucketName {
		return nil, s3api.NoBucket(question.Bucket)
	}
	v, err := parseVersion(question.Version)
	if err != nil {
		return nil, err
	}
	b, err := q.bucket()
	if err != nil {
		return nil, err
	}
	k, err := q.about(b, 0, question.Key, v)
	if err != nil {
		return nil, err
	}
	k.action, k.rule = question.Action, n.rule
	return q.explainBucket(&k)
}

// imagine makes the request that is asked about.
func (g *Gateway) imagine(ctx context.Context, question *admin.Question) *request {
	q := &request{g: g, ctx: ctx, set: g.settings.Load(), r: &http.Request{Header: http.Header{}}, told: question.With}
	q.target = s3api.Target{Bucket: question.Bucket, Key: question.Key}
	if u := question.User; u != nil {
		q.signed, q.caller = true, Identity{User: u.ID, Name: u.Email, System: u.System}
	}
	if s := question.Service; s != nil {
		q.caller.Service, q.caller.Limit = s.Name, s.Policy
	}
	return q
}

// explainService explains what is on no bucket that is there.
func (q *request) explainService(k *ask) (*admin.Explanation, error) {
	if !q.signed {
		return &admin.Explanation{Because: "anonymous callers have no buckets"}, nil
	}
	r, err := q.judgeAccount(k)
	if err != nil {
		return nil, err
	}
	x := q.findings(k)
	if x.Allowed = r.verdict != denied; x.Allowed {
		x.Because = "every user may"
	} else {
		x.Because = r.because(k)
	}
	return x, nil
}

// explainBucket judges a question about a bucket or an object and says why.
func (q *request) explainBucket(k *ask) (*admin.Explanation, error) {
	if k.giver == objectGives && !k.free {
		switch e, err := k.bucket.Head(q.ctx, k.key, k.version); {
		case err == nil:
			k.entry = &e
		case !holdfast.Is(err, holdfast.NotFound):
			return nil, err
		}
	}
	begun := k.giver == uploadGives // whose upload it would be is not known
	if begun {
		k.giver = bucketGives
	}
	r, err := q.judge(k)
	if err != nil {
		return nil, err
	}
	x := q.findings(k)
	x.Allowed, x.Because = r.verdict == granted, r.because(k)
	if begun && r.reason == aList && q.user() != k.access.owner {
		x.Because += ", for an upload that the caller began"
	}
	return x, nil
}

// findings begins an explanation with what each statement of the policies says. Those that do not count for the caller are left out.
func (q *request) findings(k *ask) *admin.Explanation {
	x := new(admin.Explanation)
	if q.caller.Limit != nil {
		if p, err := q.g.policies.parse(q.caller.Limit); err == nil { // else the verdict says it
			x.AccountPolicy = p.Explain(k.policyRequest()).Statements
		}
	}
	if k.policyCounts() {
		x.BucketPolicy = k.access.policy.Explain(k.policyRequest()).Statements
	}
	return x
}

// because puts a ruling about a question into words.
func (r ruling) because(k *ask) string {
	switch r.reason {
	case systemUser:
		return "a system user may do everything"
	case accountPolicy:
		return "by the policy of the service account, " + decidedBy(r.by)
	case damagedPolicy:
		return "the policy of the service account cannot be read, so it allows nothing"
	case bucketsPolicy:
		return "by the bucket's policy, " + decidedBy(r.by)
	case policyIsPublic:
		return "the bucket's policy is public, and the public access block lets it give nothing to others than the bucket's owner"
	case objectOfAnother:
		return "the object belongs to another user than the bucket, whose policy cannot give it away"
	case ownerMends:
		return "as the owner of the bucket, whom no policy keeps from mending it"
	case bucketOwner:
		return "as the owner of the bucket"
	case objectOwner:
		return "as the owner of the object"
	case aList:
		return fmt.Sprintf("by a grant of %s in the access control list%s", k.right, k.listed())
	case listLacks:
		return fmt.Sprintf("nothing allows it: no policy, and no grant of %s in the access control list%s", k.right, k.listed())
	case listIgnored:
		return fmt.Sprintf("the access control list%s grants %s to everybody, and the public access block ignores that", k.listed(), k.right)
	case objectUnknown:
		return "no policy allows it, and there is no such object or version whose access control list could"
	}
	return "nothing allows it, and the caller does not own the bucket"
}

// listed says whose list a question goes by.
func (k *ask) listed() string {
	if k.giver == objectGives {
		return " of the object"
	}
	return " of the bucket"
}

// decidedBy names the statement that decides.
func decidedBy(d policy.Decision) string {
	switch {
	case d.Statement < 0:
		return "of which no statement allows it"
	case d.Sid != "":
		return fmt.Sprintf("statement %d (%s)", d.Statement, d.Sid)
	}
	return fmt.Sprintf("statement %d", d.Statement)
}
