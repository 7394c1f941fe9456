package gwtest

import (
	"fmt"
	"slices"
	"strings"
)

// actionCase is a request that needs one action of policies, and no other.
type actionCase struct {
	action string
	method string
	target func(e *env) string
	opts   []option
	// ok is the status if the action is allowed: of a success, or of what S3 says of a bucket that does not have the setting.
	ok int
}

// testPolicyActions checks for each action that it alone opens its operation to another user, and that all others together do not.
func testPolicyActions(e *env) {
	o := e.owner()
	o.bucket = o.newBucket()
	other := e.user(e.creds.Other)
	other.bucket = o.bucket
	upload := o.begin("upload").id
	who := `{"AWS":"` + e.creds.Other.ID + `"}`
	for _, c := range slices.Concat(objectActions(upload), bucketReadActions(), bucketWriteActions()) {
		for _, key := range []string{"k", "spare"} {
			o.put(key, "data")
		}
		o.setPolicy(fmt.Sprintf(`{"Effect":"Allow","Principal":%s,"NotAction":"%s","Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"]}`, who, c.action))
		if a := other.req(c.method, c.target(other), c.opts...); a.status != 403 || strings.Contains(string(a.body), "<Code>InvalidObjectState") {
			e.T.Errorf("%s without %s: got %d %s, want 403", a.what, c.action, a.status, clip(string(a.body)))
		}
		o.setPolicy(allow(who, `"`+c.action+`"`, ""))
		if a := other.req(c.method, c.target(other), c.opts...); a.status != c.ok || strings.Contains(string(a.body), "<Code>AccessDenied") {
			e.T.Errorf("%s with %s: got %d %s, want %d", a.what, c.action, a.status, clip(string(a.body)), c.ok)
		}
	}
	o.req("DELETE", o.on("policy")).is(204)
}

// onKey is a request about an object.
func onKey(key, query string) func(*env) string {
	return func(e *env) string {
		if query == "" {
			return e.at(key)
		}
		return e.at(key) + "?" + query
	}
}

// onBucket is a request about the bucket.
func onBucket(query string) func(*env) string { return func(e *env) string { return e.on(query) } }

// objectActions are the actions on objects. A version that is named is the null one, as the bucket has no others. The bucket has no lock, so
// retention and legal holds are refused as such requests.
func objectActions(upload string) []actionCase {
	private := []option{header("X-Amz-Acl", "private")}
	tags := []option{text(taggingDocument("team", "red"))}
	v := "versionId=null"
	return []actionCase{
		{"s3:GetObject", "GET", onKey("k", ""), nil, 200},
		{"s3:GetObject", "HEAD", onKey("k", ""), nil, 200},
		{"s3:GetObjectVersion", "GET", onKey("k", v), nil, 200},
		{"s3:GetObjectAcl", "GET", onKey("k", "acl"), nil, 200},
		{"s3:GetObjectVersionAcl", "GET", onKey("k", "acl&"+v), nil, 200},
		{"s3:GetObjectTagging", "GET", onKey("k", "tagging"), nil, 200},
		{"s3:GetObjectVersionTagging", "GET", onKey("k", "tagging&"+v), nil, 200},
		{"s3:GetObjectRetention", "GET", onKey("k", "retention"), nil, 400},
		{"s3:GetObjectLegalHold", "GET", onKey("k", "legal-hold"), nil, 400},
		{"s3:PutObject", "PUT", onKey("new", ""), []option{text("x")}, 200},
		{"s3:PutObject", "POST", onKey("new", "uploads"), nil, 200},
		{"s3:PutObject", "PUT", onKey("upload", "partNumber=1&uploadId="+upload), []option{text("x")}, 200},
		{"s3:PutObjectAcl", "PUT", onKey("k", "acl"), private, 200},
		{"s3:PutObjectVersionAcl", "PUT", onKey("k", "acl&"+v), private, 200},
		{"s3:PutObjectTagging", "PUT", onKey("k", "tagging"), tags, 200},
		{"s3:PutObjectVersionTagging", "PUT", onKey("k", "tagging&"+v), tags, 200},
		{"s3:DeleteObjectTagging", "DELETE", onKey("k", "tagging"), nil, 204},
		{"s3:DeleteObjectVersionTagging", "DELETE", onKey("k", "tagging&"+v), nil, 204},
		{"s3:RestoreObject", "POST", onKey("k", "restore"), nil, 403},
		{"s3:ListMultipartUploadParts", "GET", onKey("upload", "uploadId="+upload), nil, 200},
		{"s3:AbortMultipartUpload", "DELETE", onKey("upload", "uploadId="+upload), nil, 204},
		{"s3:DeleteObject", "DELETE", onKey("k", ""), nil, 204},
		{"s3:DeleteObjectVersion", "DELETE", onKey("k", v), nil, 204},
	}
}

// bucketReadActions are the actions that look at a bucket and its settings, of which it has none.
func bucketReadActions() []actionCase {
	return []actionCase{
		{"s3:ListBucket", "GET", onBucket(""), nil, 200},
		{"s3:ListBucket", "GET", onBucket("list-type=2"), nil, 200},
		{"s3:ListBucket", "HEAD", onBucket(""), nil, 200},
		{"s3:ListBucketVersions", "GET", onBucket("versions"), nil, 200},
		{"s3:ListBucketMultipartUploads", "GET", onBucket("uploads"), nil, 200},
		{"s3:GetBucketAcl", "GET", onBucket("acl"), nil, 200},
		{"s3:GetBucketCORS", "GET", onBucket("cors"), nil, 404},
		{"s3:GetBucketLocation", "GET", onBucket("location"), nil, 200},
		{"s3:GetBucketLogging", "GET", onBucket("logging"), nil, 200},
		{"s3:GetBucketNotification", "GET", onBucket("notification"), nil, 200},
		{"s3:GetBucketPolicy", "GET", onBucket("policy"), nil, 200},
		{"s3:GetBucketPolicyStatus", "GET", onBucket("policyStatus"), nil, 200},
		{"s3:GetBucketRequestPayment", "GET", onBucket("requestPayment"), nil, 200},
		{"s3:GetBucketTagging", "GET", onBucket("tagging"), nil, 404},
		{"s3:GetBucketVersioning", "GET", onBucket("versioning"), nil, 200},
		{"s3:GetBucketWebsite", "GET", onBucket("website"), nil, 404},
		{"s3:GetLifecycleConfiguration", "GET", onBucket("lifecycle"), nil, 404},
		{"s3:GetReplicationConfiguration", "GET", onBucket("replication"), nil, 404},
		{"s3:GetEncryptionConfiguration", "GET", onBucket("encryption"), nil, 404},
		{"s3:GetBucketPublicAccessBlock", "GET", onBucket("publicAccessBlock"), nil, 404},
		{"s3:GetBucketOwnershipControls", "GET", onBucket("ownershipControls"), nil, 404},
		{"s3:GetBucketObjectLockConfiguration", "GET", onBucket("object-lock"), nil, 404},
	}
}

// bucketWriteActions are the actions that change a bucket. What they set says what was so before.
func bucketWriteActions() []actionCase {
	document := func(name, inside string) []option {
		return []option{text("<" + name + ` xmlns="` + namespace + `">` + inside + "</" + name + ">")}
	}
	return []actionCase{
		{"s3:PutBucketAcl", "PUT", onBucket("acl"), []option{header("X-Amz-Acl", "private")}, 200},
		{"s3:PutBucketCORS", "DELETE", onBucket("cors"), nil, 204},
		{"s3:PutBucketLogging", "PUT", onBucket("logging"), document("BucketLoggingStatus", ""), 200},
		{"s3:PutBucketNotification", "PUT", onBucket("notification"), document("NotificationConfiguration", ""), 200},
		{"s3:PutBucketRequestPayment", "PUT", onBucket("requestPayment"), document("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"), 200},
		{"s3:PutBucketTagging", "DELETE", onBucket("tagging"), nil, 204},
		{"s3:PutBucketVersioning", "PUT", onBucket("versioning"), document("VersioningConfiguration", "<Status>Suspended</Status>"), 200},
		{"s3:PutBucketWebsite", "PUT", onBucket("website"),
			document("WebsiteConfiguration", "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"), 200},
		{"s3:DeleteBucketWebsite", "DELETE", onBucket("website"), nil, 204},
		{"s3:PutLifecycleConfiguration", "DELETE", onBucket("lifecycle"), nil, 204},
		{"s3:PutReplicationConfiguration", "DELETE", onBucket("replication"), nil, 204},
		{"s3:PutEncryptionConfiguration", "DELETE", onBucket("encryption"), nil, 204},
		{"s3:PutBucketPublicAccessBlock", "DELETE", onBucket("publicAccessBlock"), nil, 204},
		{"s3:PutBucketOwnershipControls", "DELETE", onBucket("ownershipControls"), nil, 204},
		{"s3:DeleteBucket", "DELETE", onBucket(""), nil, 409}, // it is not empty
		{"s3:PutBucketPolicy", "PUT", onBucket("policy"), []option{text("{}")}, 400},
		{"s3:DeleteBucketPolicy", "DELETE", onBucket("policy"), nil, 204},
	}
}
