package gw

import (
	"errors"
	"net/http"
	"strings"

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
	r, err := q.judge(&k)
	if err == nil && r.verdict != granted {
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
