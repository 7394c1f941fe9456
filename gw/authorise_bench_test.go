package gw

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
)

// twentyStatements is a policy such as grows in a bucket that several teams share: two denials that look at the request, and statements for
// many users of which the last is the caller's.
func twentyStatements() string {
	s := []string{
		`{"Sid":"tls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"],` +
			`"Condition":{"Bool":{"aws:SecureTransport":"true"},"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}}`,
		`{"Sid":"public","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*",` +
			`"Condition":{"StringLike":{"s3:x-amz-acl":["public-*","authenticated-read"]}}}`,
	}
	for i := range 18 {
		user := fmt.Sprintf("%016x", i)
		if i == 17 {
			user = otherUser
		}
		s = append(s, `{"Sid":"team`+user+`","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::`+user+`:root","arn:aws:iam::`+user+`:user/app"]},`+
			`"Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:ListBucket"],"Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/team/*"],`+
			`"Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}}`)
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(s, ",") + `]}`
}

// benchAuthorise returns what authorises one request, as serving it does, on a bucket with a policy; "" is none.
func benchAuthorise(b testing.TB, op s3api.Op, policy string, caller Identity) func() error {
	g := newTestGateway(b, nil)
	info := holdfast.BucketInfo{Name: "bucket", Owner: ownerUser}
	if policy != "" {
		info.Settings = map[string][]byte{policySetting: []byte(policy)}
	}
	if _, err := g.volume.CreateBucket(b.Context(), info); err != nil {
		b.Fatal(err)
	}
	bucket, err := g.volume.Bucket(b.Context(), "bucket")
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/bucket/team/2026/cat.jpg", http.NoBody)
	r.RemoteAddr = "192.0.2.9:4711"
	entry := &holdfast.Entry{Owner: ownerUser}
	return func() error {
		q := request{
			g: g, r: r, ctx: r.Context(), set: g.settings.Load(), op: op, target: s3api.Target{Bucket: "bucket", Key: "team/2026/cat.jpg"},
			caller: caller, signed: true, proof: proof{sigv4.HeaderV4, time.Now()}, loaded: bucket,
		}
		if err := q.authorise(); err != nil {
			return err
		}
		return q.allowEntry(bucket, entry)
	}
}

// authorised are the requests whose authorisation is measured; all are granted.
func authorised() []struct {
	name, policy string
	caller       Identity
} {
	limit := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":"*"}]}`)
	return []struct {
		name, policy string
		caller       Identity
	}{
		{"owner", "", Identity{User: ownerUser}},
		{"system", "", Identity{User: otherUser, System: true}},
		{"20 statements", twentyStatements(), Identity{User: otherUser}},
		{"20 statements and account policy", twentyStatements(), Identity{User: otherUser, Service: "app", Limit: limit}},
	}
}

// BenchmarkAuthorise measures what authorisation adds to a request whose bucket is known, as it is in a bucket under load. The budget is
// 10 µs.
func BenchmarkAuthorise(b *testing.B) {
	for _, op := range []s3api.Op{s3api.OpGetObject, s3api.OpPutObject} {
		for _, tt := range authorised() {
			b.Run(op.String()+"/"+tt.name, func(b *testing.B) {
				authorise := benchAuthorise(b, op, tt.policy, tt.caller)
				b.ReportAllocs()
				for b.Loop() {
					if err := authorise(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestAuthoriseAllocations guards the cost: the question and, if there is a policy, the request as the policy knows it.
func TestAuthoriseAllocations(t *testing.T) {
	for _, tt := range authorised() {
		authorise := benchAuthorise(t, s3api.OpGetObject, tt.policy, tt.caller)
		if err := authorise(); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = authorise() }); n > 10 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}
