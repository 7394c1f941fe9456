package s3admin

import (
	"fmt"
	"slices"

	"holdfast/gw/policy"
)

// decide finds the rule that decides, in the order of the gateway: the policy of the service account, the policy of the bucket, then
// ownership and the access control list.
func (r *rules) decide() *explanation {
	x := &explanation{}
	if r.limit != nil {
		e := r.limit.Explain(&r.request)
		x.AccountPolicy = e.Statements
		if e.Decision.Effect != policy.Allow {
			return x.because(false, "by the policy of the service account, %s", statement(e.Decision))
		}
	}
	if r.system {
		return x.because(true, "a system user may do everything")
	}
	if r.bucket != nil {
		e := r.bucket.Explain(&r.request)
		x.BucketPolicy = e.Statements
		switch {
		case e.Decision.Effect == policy.Deny && !r.mends():
			return x.because(false, "by the bucket's policy, %s", statement(e.Decision))
		case e.Decision.Effect != policy.Allow:
		case r.block.RestrictPublicBuckets && r.caller() != r.owner && r.bucket.IsPublic():
			return x.because(false, "the policy is public, and the public access block lets it give nothing to others than the bucket's owner")
		case !r.othersObject():
			return x.because(true, "by the bucket's policy, %s", statement(e.Decision))
		}
	}
	return r.decideByList(x)
}

// because completes the explanation.
func (x *explanation) because(allowed bool, format string, args ...any) *explanation {
	x.Allowed, x.Because = allowed, fmt.Sprintf(format, args...)
	return x
}

// statement names the statement that decides.
func statement(d policy.Decision) string {
	switch {
	case d.Statement < 0:
		return "of which no statement allows it"
	case d.Sid != "":
		return fmt.Sprintf("statement %d (%s)", d.Statement, d.Sid)
	}
	return fmt.Sprintf("statement %d", d.Statement)
}

func (r *rules) caller() string { return r.request.Principal.Account }

// mends reports whether the bucket's owner asks for his own policy, which no policy can forbid.
func (r *rules) mends() bool {
	about := []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}
	return r.caller() == r.owner && r.request.Principal.User == "" && slices.Contains(about, r.request.Action)
}

// othersObject reports whether the action goes by the list of an object that is not the bucket owner's to give.
func (r *rules) othersObject() bool {
	_, onObject := listRight(r.request.Action)
	return onObject && !r.enforced && r.list.Owner != "" && r.list.Owner != r.owner
}

// Groups of access control lists.
const (
	allUsers      = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// decideByList goes by ownership and the access control list.
func (r *rules) decideByList(x *explanation) *explanation {
	right, _ := listRight(r.request.Action)
	if right == "" || r.enforced {
		if r.caller() == r.owner {
			return x.because(true, "as the owner of the bucket")
		}
		return x.because(false, "nothing allows it, and the caller does not own the bucket")
	}
	for _, g := range r.list.Grants {
		if g.Permission != right && g.Permission != "FULL_CONTROL" {
			continue
		}
		public := g.URI == allUsers || g.URI == authenticated && r.caller() != ""
		switch {
		case g.ID != "" && g.ID == r.caller():
			return x.because(true, "by the access control list: %s has %s", g.ID, g.Permission)
		case public && !r.block.IgnorePublicAcls:
			return x.because(true, "by the access control list: %s have %s", g.URI, g.Permission)
		case public:
			return x.because(false, "the access control list is public, and the public access block ignores that")
		}
	}
	if (right == "READ_ACP" || right == "WRITE_ACP") && r.caller() != "" && r.caller() == r.list.Owner {
		return x.because(true, "as the owner, who can always mend the access control list")
	}
	return x.because(false, "nothing allows it: no policy, and no grant of %s in the access control list", right)
}

// listRight is the right in an access control list that an action goes by, and whether it is the object's list; "" for what is the bucket
// owner's alone (S3 User Guide, "Access control list overview").
func listRight(action string) (right string, onObject bool) {
	switch action {
	case "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads":
		return "READ", false
	case "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts":
		return "WRITE", false
	case "s3:GetBucketAcl":
		return "READ_ACP", false
	case "s3:PutBucketAcl":
		return "WRITE_ACP", false
	case "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes", "s3:GetObjectTorrent":
		return "READ", true
	case "s3:GetObjectAcl", "s3:GetObjectVersionAcl":
		return "READ_ACP", true
	case "s3:PutObjectAcl", "s3:PutObjectVersionAcl":
		return "WRITE_ACP", true
	}
	return "", false
}
