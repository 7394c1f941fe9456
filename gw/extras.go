package gw

import (
	"net/http"

	"holdfast/gw/s3api"
)

// extra is an action that a header adds to an operation.
type extra struct {
	header string
	action string
	// own says that the action is a right of its own, which the bucket's owner has and a policy can give. The others come with the
	// operation: S3's own examples of policies that let others upload name s3:PutObject alone and look at the headers in
	// conditions. They count where they are denied, and for service accounts.
	own bool
}

// Extras of the operations that make an object, and of those that remove one.
var (
	putExtras = [...]extra{
		{"X-Amz-Acl", "s3:PutObjectAcl", false},
		{"X-Amz-Grant-Read", "s3:PutObjectAcl", false},
		{"X-Amz-Grant-Write", "s3:PutObjectAcl", false},
		{"X-Amz-Grant-Read-Acp", "s3:PutObjectAcl", false},
		{"X-Amz-Grant-Write-Acp", "s3:PutObjectAcl", false},
		{"X-Amz-Grant-Full-Control", "s3:PutObjectAcl", false},
		{"X-Amz-Tagging", "s3:PutObjectTagging", false},
		{"X-Amz-Object-Lock-Mode", "s3:PutObjectRetention", true},
		{"X-Amz-Object-Lock-Retain-Until-Date", "s3:PutObjectRetention", true},
		{"X-Amz-Object-Lock-Legal-Hold", "s3:PutObjectLegalHold", true},
	}
	bypassExtras = [...]extra{{"X-Amz-Bypass-Governance-Retention", "s3:BypassGovernanceRetention", true}}
	createExtras = [...]extra{
		{"X-Amz-Acl", "s3:PutBucketAcl", false},
		{"X-Amz-Grant-Read", "s3:PutBucketAcl", false},
		{"X-Amz-Grant-Write", "s3:PutBucketAcl", false},
		{"X-Amz-Grant-Read-Acp", "s3:PutBucketAcl", false},
		{"X-Amz-Grant-Write-Acp", "s3:PutBucketAcl", false},
		{"X-Amz-Grant-Full-Control", "s3:PutBucketAcl", false},
		{"X-Amz-Object-Ownership", "s3:PutBucketOwnershipControls", false},
		{"X-Amz-Bucket-Object-Lock-Enabled", "s3:PutBucketObjectLockConfiguration", false},
	}
	attributesExtras = [...]extra{{"", "s3:GetObject", false}}
)

// extras are the rows that count for an operation.
func extras(op s3api.Op) []extra {
	switch op {
	case s3api.OpPutObject, s3api.OpPostObject, s3api.OpCopyObject, s3api.OpCreateMultipartUpload:
		return putExtras[:]
	case s3api.OpDeleteObject, s3api.OpDeleteObjects, s3api.OpPutObjectRetention:
		return bypassExtras[:]
	case s3api.OpGetObjectAttributes:
		return attributesExtras[:]
	}
	return nil
}

// asks reports whether the headers ask for the extra.
func (x *extra) asks(h http.Header) bool {
	if x.header == "" {
		return true
	}
	value := h[x.header]
	return len(value) > 0 && value[0] != "" && (x.action != "s3:BypassGovernanceRetention" || bypass(h))
}

// requireExtras decides about what the headers of the request add to a question that was granted.
func (q *request) requireExtras(k *ask) error {
	rows := extras(q.op)
	for i := range rows {
		if !rows[i].asks(q.r.Header) {
			continue
		}
		more := *k
		more.action, more.rule = rows[i].action, rule{giver: ownerGives}
		r, err := q.judge(&more)
		if err != nil {
			return err
		}
		if r.verdict == denied || rows[i].own && r.verdict != granted {
			return errDenied
		}
	}
	return nil
}

// createActions are the actions that the headers of a CreateBucket add.
func (q *request) createActions() []string {
	var actions []string
	for i := range createExtras {
		if createExtras[i].asks(q.r.Header) {
			actions = append(actions, createExtras[i].action)
		}
	}
	return actions
}
