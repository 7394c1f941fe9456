package sign

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// TestAgainstSDK signs the same requests with the AWS SDK's signer and wants
// the same Authorization header.
func TestAgainstSDK(t *testing.T) {
	cases := []struct {
		name, method, key, query string
		payload                  string
		token                    string
	}{
		{"put", "PUT", "/bucket/plain/key", "", strings.Repeat("ab", 32), ""},
		{"get", "GET", "/bucket/k", "", EmptyPayload, ""},
		{"unsigned", "PUT", "/bucket/k", "", UnsignedPayload, ""},
		{"odd key", "GET", "/bucket/sp ace/ü+&=~'(*)!", "", EmptyPayload, ""},
		{"query", "GET", "/bucket", "continuation-token=" + string(AppendQuery(nil, "a/b+c==")) + "&list-type=2&prefix=p%2F", EmptyPayload, ""},
		{"bare query", "POST", "/bucket", "delete=", EmptyPayload, ""},
		{"token", "GET", "/bucket/k", "", EmptyPayload, "tok/en=="},
	}
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cred := Credentials{AccessKey: "AKID", SecretKey: "s3cr3t/+", SessionToken: c.token}
			s := New(cred, "eu-central-1", "127.0.0.1:9000")
			path := AppendPath(nil, c.key)
			lines := s.Append(nil, now, Request{c.method, path, []byte(c.query), []byte(c.payload)})
			got := parse(t, c.method, path, c.query, lines)

			want, err := http.NewRequest(c.method, "http://127.0.0.1:9000"+string(path)+"?"+c.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			want.Header.Set("X-Amz-Content-Sha256", c.payload)
			signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
			err = signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: cred.AccessKey,
				SecretAccessKey: cred.SecretKey, SessionToken: c.token}, want, c.payload, "s3", "eu-central-1", now)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range []string{"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token"} {
				if got.Header.Get(h) != want.Header.Get(h) {
					t.Errorf("%s\n got %s\nwant %s", h, got.Header.Get(h), want.Header.Get(h))
				}
			}
		})
	}
}

func parse(t *testing.T, method string, path []byte, query string, lines []byte) *http.Request {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(method + " " + string(path) + "?" + query + " HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n")
	b.Write(lines)
	b.WriteString("\r\n")
	r, err := http.ReadRequest(bufio.NewReader(&b))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestKeyFollowsTheDay crosses midnight with one Signer and wants what a fresh
// one signs.
func TestKeyFollowsTheDay(t *testing.T) {
	cred := Credentials{AccessKey: "A", SecretKey: "B"}
	r := Request{"GET", []byte("/b/k"), nil, []byte(EmptyPayload)}
	s := New(cred, "r", "h")
	before := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, now := range []time.Time{before, before.Add(time.Second), before} {
		got := string(s.Append(nil, now, r))
		want := string(New(cred, "r", "h").Append(nil, now, r))
		if got != want {
			t.Errorf("at %v\n got %s\nwant %s", now, got, want)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	s := New(Credentials{AccessKey: "A", SecretKey: "B"}, "r", "h")
	r := Request{"GET", []byte("/b/k"), nil, []byte(EmptyPayload)}
	dst := make([]byte, 0, 1024)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.Append(dst, now, r)
	s.Append(dst, now, r)
	got := testing.AllocsPerRun(100, func() {
		now = now.Add(time.Second)
		s.Append(dst, now, r)
	})
	if got != 0 {
		t.Errorf("Append allocates %v times, want 0", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	s := New(Credentials{AccessKey: "A", SecretKey: "B"}, "us-east-1", "127.0.0.1:9000")
	r := Request{"PUT", []byte("/bucket/prefix/0123456789abcdef"), nil, []byte(EmptyPayload)}
	dst := make([]byte, 0, 1024)
	now := time.Now()
	b.ReportAllocs()
	for range b.N {
		dst = s.Append(dst[:0], now, r)
	}
}
