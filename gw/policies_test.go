package gw

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
	"holdfast/volume"
)

// The users of these tests.
const (
	ownerUser = "00000000000000aa"
	otherUser = "00000000000000bb"
)

// people are [Credentials] by access key; the secret is testSecret.
type people map[string]Identity

func (p people) Identity(_ context.Context, key string) (Identity, bool, error) {
	id, ok := p[key]
	id.Secret = testSecret
	return id, ok, nil
}

// policyTest is a gateway with a bucket of ownerUser that holds the object a/key.
type policyTest struct {
	*testing.T
	g        *Gateway
	endpoint string
	people   people
}

func newPolicyTest(t *testing.T) *policyTest {
	who := people{"owner": {User: ownerUser}, "other": {User: otherUser}}
	g := newTestGateway(t, func(o *Options) { o.Credentials = who })
	p := &policyTest{T: t, g: g, endpoint: serve(t, g), people: who}
	p.as("owner", "PUT", "/bucket", 200)
	p.as("owner", "PUT", "/bucket/a/key", 200)
	return p
}

// policy stores the bucket's policy.
func (p *policyTest) policy(statements string) {
	p.Helper()
	doc := []byte(`{"Version": "2012-10-17", "Statement": [` + statements + `]}`)
	if _, err := policy.ParseBucket(doc, "bucket"); err != nil {
		p.Fatal(err)
	}
	if _, err := p.g.volume.UpdateBucket(p.Context(), "bucket", volume.BucketChange{Settings: map[string][]byte{policySetting: doc}}); err != nil {
		p.Fatal(err)
	}
}

// as sends a request signed with a key, "" for none, and checks the status.
func (p *policyTest) as(key, method, target string, status int, pairs ...string) {
	p.Helper()
	p.send(key, method, target, "", status, pairs...)
}

// send is as for a request with a body.
func (p *policyTest) send(key, method, target, body string, status int, pairs ...string) {
	p.Helper()
	r, err := http.NewRequestWithContext(p.Context(), method, p.endpoint+target, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	if key != "" {
		sigv4.Sign(r, sigv4.Credentials{AccessKey: key, SecretKey: testSecret}, testRegion, time.Now(), sigv4.UnsignedPayload)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	_ = res.Body.Close() // only the status counts
	if res.StatusCode != status {
		p.Errorf("%s %s as %q: got %d, want %d", method, target, key, res.StatusCode, status)
	}
}

func TestBucketPolicyAllows(t *testing.T) {
	p := newPolicyTest(t)
	p.as("", "GET", "/bucket/a/key", 403)
	p.as("other", "GET", "/bucket/a/key", 403)
	p.policy(`{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/a/*"},
		{"Effect": "Allow", "Principal": {"AWS": "` + otherUser + `"}, "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::bucket/in/*"}`)
	p.as("", "GET", "/bucket/a/key", 200)
	p.as("", "HEAD", "/bucket/a/key", 200)
	p.as("other", "GET", "/bucket/a/key", 200)
	p.as("", "PUT", "/bucket/in/new", 403)
	p.as("other", "PUT", "/bucket/in/new", 200)
	p.as("other", "PUT", "/bucket/out/new", 403)
	// The object is the other user's now: the bucket's policy does not give it away.
	p.policy(`{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket"]}`)
	p.as("", "GET", "/bucket/in/new", 403)
	p.as("other", "GET", "/bucket/in/new", 200)
	p.as("", "DELETE", "/bucket/in/new", 204)
	p.as("", "GET", "/bucket?list-type=2", 200)
}

func TestBucketPolicyDenies(t *testing.T) {
	p := newPolicyTest(t)
	p.policy(`{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}`)
	for _, key := range []string{"owner", "other", ""} {
		p.as(key, "GET", "/bucket/a/key", 403)
		p.as(key, "PUT", "/bucket/new", 403)
		p.as(key, "GET", "/bucket", 403)
		p.as(key, "DELETE", "/bucket", 403)
	}
}

// TestMissingKeyByPrefix checks that who may list only below a prefix learns only of keys below it that they are not there.
func TestMissingKeyByPrefix(t *testing.T) {
	p := newPolicyTest(t)
	p.policy(`{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"},
		{"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket", "Condition": {"StringLike": {"s3:prefix": "public/*"}}}`)
	p.as("other", "HEAD", "/bucket/public/none", 404)
	p.as("other", "GET", "/bucket/private/none", 403)
	p.as("other", "GET", "/bucket?prefix=public/", 200)
	p.as("other", "GET", "/bucket?prefix=private/", 403)
	p.as("other", "GET", "/bucket", 403)
}

func TestServiceAccountLimit(t *testing.T) {
	p := newPolicyTest(t)
	p.people["reader"] = Identity{User: ownerUser, Service: "reader", Limit: []byte(`{"Version": "2012-10-17", "Statement":
		{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/a/*"]}}`)}
	p.people["all"] = Identity{User: ownerUser, Service: "all"}
	p.people["stranger"] = Identity{User: otherUser, Service: "s", Limit: []byte(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`)}
	p.as("reader", "GET", "/bucket/a/key", 200)
	p.as("reader", "GET", "/bucket", 200)
	p.as("reader", "PUT", "/bucket/a/key", 403)
	p.as("reader", "GET", "/bucket/b", 403)
	p.as("reader", "GET", "/", 403)
	p.as("reader", "PUT", "/new-bucket", 403)
	p.as("all", "PUT", "/bucket/b", 200)
	// A policy narrows and never gives.
	p.as("stranger", "GET", "/bucket/a/key", 403)
	p.as("stranger", "GET", "/", 200)
	// The bucket's policy can name the account.
	p.policy(`{"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::` + ownerUser + `:user/all"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}`)
	p.as("all", "GET", "/bucket/a/key", 403)
	p.as("reader", "GET", "/bucket/a/key", 200)
	p.as("owner", "GET", "/bucket/a/key", 200)
}

// TestLocationOfNewBuckets checks the key that only the policies of service accounts can use: where a bucket is made.
func TestLocationOfNewBuckets(t *testing.T) {
	p := newPolicyTest(t)
	maker := func(condition string) Identity {
		return Identity{User: ownerUser, Service: "maker", Limit: []byte(`{"Version": "2012-10-17", "Statement":
			{"Effect": "Allow", "Action": "s3:CreateBucket", "Resource": "*", "Condition": ` + condition + `}}`)}
	}
	p.people["anywhere"] = maker(`{"Null": {"s3:locationconstraint": "true"}}`)
	p.people["europe"] = maker(`{"StringLike": {"s3:locationconstraint": "eu-*"}}`)
	const europe = `<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>`
	p.as("anywhere", "PUT", "/made", 200)
	p.send("anywhere", "PUT", "/other", europe, 403)
	p.as("europe", "PUT", "/other", 403)
	p.send("europe", "PUT", "/other", europe, 400) // allowed, and not the region of this store
}

// TestPolicyBindsSystemUser checks that the policy of a bucket binds its owner also if he is a system user, that he can always mend it, and
// that it binds no system user else.
func TestPolicyBindsSystemUser(t *testing.T) {
	p := newPolicyTest(t)
	p.people["owner"] = Identity{User: ownerUser, System: true}
	p.people["admin"] = Identity{User: otherUser, System: true}
	all := []byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`)
	p.people["app"] = Identity{User: ownerUser, System: true, Service: "app", Limit: all}
	p.people["adminapp"] = Identity{User: otherUser, System: true, Service: "app", Limit: all}
	p.policy(`{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}`)
	for _, key := range []string{"owner", "app"} {
		p.as(key, "GET", "/bucket/a/key", 403)
		p.as(key, "PUT", "/bucket/new", 403)
		p.as(key, "GET", "/bucket", 403)
		p.as(key, "DELETE", "/bucket", 403)
	}
	for _, key := range []string{"admin", "adminapp"} {
		p.as(key, "GET", "/bucket/a/key", 200)
	}
	p.as("app", "DELETE", "/bucket?policy", 403)
	p.as("app", "GET", "/?ostor-users", 403)
	p.as("owner", "GET", "/bucket?policy", 200)
	p.as("owner", "DELETE", "/bucket?policy", 204)
	p.as("owner", "GET", "/bucket/a/key", 200)
	p.as("app", "GET", "/bucket/a/key", 200)
}

// TestConditionKeys checks what each key of policies has of a request, and that none was forgotten.
func TestConditionKeys(t *testing.T) {
	until := time.Now().Add(60 * time.Hour).UTC().Format(time.RFC3339)
	r := httptest.NewRequest("PUT", "/bucket/key", http.NoBody)
	r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13}
	for name, value := range map[string]string{
		"Referer": "https://example.com/", "User-Agent": "curl", "X-Amz-Acl": "private", "X-Amz-Content-Sha256": "abc",
		"X-Amz-Copy-Source": "/from/a%20b?versionId=v1", "X-Amz-Grant-Full-Control": "fc", "X-Amz-Grant-Read": "gr", "X-Amz-Grant-Read-Acp": "gra",
		"X-Amz-Grant-Write": "gw", "X-Amz-Grant-Write-Acp": "gwa", "If-Match": "m", "If-None-Match": "*", "X-Amz-Object-Lock-Legal-Hold": "ON",
		"X-Amz-Object-Lock-Mode": "GOVERNANCE", "X-Amz-Object-Lock-Retain-Until-Date": until, "X-Amz-Metadata-Directive": "COPY",
		"X-Amz-Object-Ownership": "ObjectWriter", "X-Amz-Tagging": "team=red&only", "X-Amz-Server-Side-Encryption": "AES256",
		"X-Amz-Server-Side-Encryption-Customer-Algorithm": "AES256", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "k", "X-Amz-Storage-Class": "STANDARD",
		"X-Amz-Website-Redirect-Location": "/there",
	} {
		r.Header.Set(name, value)
	}
	r.RemoteAddr = "192.0.2.1:4711"
	q := &request{
		r: r, op: s3api.OpPutObject, set: &settings{region: "eu-1"}, query: url.Values{"prefix": {"p"}, "delimiter": {""}, "max-keys": {"5"}},
		proof: proof{sigv4.HeaderV4, time.Now().Add(-time.Hour)},
	}
	c := &ask{q: q, key: "key", version: volume.Version{Null: true}, entry: &holdfast.Entry{Tags: []holdfast.Header{{Name: "old", Value: "tag"}}}}
	want := map[policy.Key]string{
		policy.KeyReferer: "https://example.com/", policy.KeyRequestedRegion: "eu-1", policy.KeySecureTransport: "true", policy.KeySourceIP: "192.0.2.1",
		policy.KeyUserAgent: "curl", policy.KeyACL: "private", policy.KeyAuthType: "REST-HEADER", policy.KeyContentSHA256: "abc", policy.KeyCopySource: "from/a b",
		policy.KeyDelimiter: "", policy.KeyExistingObjectTag: "tag", policy.KeyGrantFullControl: "fc", policy.KeyGrantRead: "gr", policy.KeyGrantReadACP: "gra",
		policy.KeyGrantWrite: "gw", policy.KeyGrantWriteACP: "gwa", policy.KeyIfMatch: "m", policy.KeyIfNoneMatch: "*", policy.KeyLegalHold: "ON",
		policy.KeyLockMode: "GOVERNANCE", policy.KeyLockUntil: until, policy.KeyLockDays: "3", policy.KeyMaxKeys: "5",
		policy.KeyMetadataDirective: "COPY", policy.KeyObjectCreation: "true", policy.KeyObjectOwnership: "ObjectWriter", policy.KeyPrefix: "p",
		policy.KeyRequestObjectTag: "red", policy.KeySSE: "AES256", policy.KeySSECustomer: "AES256", policy.KeySSEKMSKey: "k",
		policy.KeySignatureVersion: "AWS4-HMAC-SHA256", policy.KeyStorageClass: "STANDARD", policy.KeyTLSVersion: "1.3",
		policy.KeyVersionID: "null", policy.KeyWebsiteRedirect: "/there",
	}
	names := map[policy.Key]string{policy.KeyExistingObjectTag: "old", policy.KeyRequestObjectTag: "team"}
	for key, text := range want {
		if got := c.Lookup(key, names[key]); !got.Present() || got.String() != text {
			t.Errorf("%s is %q, want %q", key, got, text)
		}
	}
	if age, err := strconv.ParseFloat(c.Lookup(policy.KeySignatureAge, "").String(), 64); err != nil || age < 3600_000 {
		t.Errorf("the signature is %v ms old, %v", age, err)
	}
	if got := c.Lookup(policy.KeyRequestTagKeys, "").String(); got != "only, team" && got != "team, only" {
		t.Errorf("the keys of the request's tags are %q", got)
	}
	other := []policy.Key{policy.KeyRequestTagKeys, policy.KeySignatureAge, policy.KeySourceAccount, policy.KeySourceArn, policy.KeyLocation}
	for _, k := range policy.Keys() {
		if _, ok := want[k.Key]; k.Asked && !ok && !slices.Contains(other, k.Key) {
			t.Errorf("nothing is known of %s", k.Key)
		}
	}
	*r = *httptest.NewRequest("PUT", "/bucket/key", http.NoBody)
	q.query, q.proof, c.version, c.entry, c.tagged = nil, proof{}, volume.Version{}, &holdfast.Entry{}, nil
	for key := range want {
		switch key {
		case policy.KeySourceIP, policy.KeySecureTransport, policy.KeyRequestedRegion, policy.KeyObjectCreation:
		default:
			if got := c.Lookup(key, names[key]); got.Present() {
				t.Errorf("%s is %q in a request without it", key, got)
			}
		}
	}
}
