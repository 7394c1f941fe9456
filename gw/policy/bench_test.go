package policy

import (
	"net/netip"
	"testing"
	"time"
)

const typical = `{"Version": "2012-10-17", "Statement": [
	{"Sid": "tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"],
	 "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
	{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::photos/*",
	 "Condition": {"StringLike": {"s3:x-amz-acl": ["public-*", "authenticated-read"]}}},
	{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::00000000000000aa:root", "arn:aws:iam::00000000000000bb:user/app"]},
	 "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::photos/team/*",
	 "Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}}},
	{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/home/${aws:username}/*"}]}`

// request is a context as the gateway makes it.
type benchContext struct{ addr netip.Addr }

func (c *benchContext) Lookup(key Key, _ string) Value {
	switch key {
	case KeySecureTransport:
		return Bool(true)
	case KeySourceIP:
		return Address(c.addr)
	}
	return Value{}
}

func benchRequest() *Request {
	return &Request{
		Principal: Principal{Account: "00000000000000bb", User: "app"}, Action: "s3:PutObject", Resource: "photos/team/2026/cat.jpg",
		Owner: "00000000000000cc", Now: time.Unix(1_700_000_000, 0), Context: &benchContext{netip.MustParseAddr("192.0.2.9")},
	}
}

func BenchmarkEvaluate(b *testing.B) {
	p, err := ParseBucket([]byte(typical), "photos")
	if err != nil {
		b.Fatal(err)
	}
	r := benchRequest()
	b.ReportAllocs()
	for b.Loop() {
		if p.Evaluate(r).Effect != Allow {
			b.Fatal("not allowed")
		}
	}
}

func BenchmarkEvaluateVariable(b *testing.B) {
	p, err := ParseBucket([]byte(typical), "photos")
	if err != nil {
		b.Fatal(err)
	}
	r := benchRequest()
	r.Action, r.Resource = "s3:GetObject", "photos/home/app/cat.jpg"
	b.ReportAllocs()
	for b.Loop() {
		if p.Evaluate(r).Effect != Allow {
			b.Fatal("not allowed")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseBucket([]byte(typical), "photos"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAllocations guards the cost of a decision: a policy without variables needs no memory.
func TestAllocations(t *testing.T) {
	p, err := ParseBucket([]byte(typical), "photos")
	if err != nil {
		t.Fatal(err)
	}
	r := benchRequest()
	if n := testing.AllocsPerRun(100, func() { p.Evaluate(r) }); n != 0 {
		t.Errorf("%v allocations per decision", n)
	}
}
