package accesslog

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/gw/s3api"
)

// TestLine holds lines against examples of the S3 user guide, with the fields filled that are known here.
func TestLine(t *testing.T) {
	at := time.Date(2019, 2, 6, 0, 0, 38, 0, time.FixedZone("", 3600)).Add(time.Hour)
	full := Record{
		Owner: "79a59df900b949e5", Bucket: "amzn-s3-demo-bucket1", Time: at, Address: "192.0.2.3", Requester: "79a59df900b949e5",
		Request: "4E57427F3EXAMPLE", Operation: "REST.GET.OBJECT", Key: "s3-dg/red flower.pdf", URI: "GET /amzn-s3-demo-bucket1/s3-dg/red%20flower.pdf HTTP/1.1",
		Status: 206, Sent: 1024, ObjectSize: 4406583, Total: 41754 * time.Millisecond, TurnAround: 28 * time.Millisecond,
		Referer: "-", UserAgent: `S3Console/0.4 "x"`, Version: "3HL4", Host: "10S62Zv=", Signature: "SigV4", Cipher: "ECDHE-RSA-AES128-GCM-SHA256",
		Auth: "QueryString", HostHeader: "s3.example.com", TLS: "TLSv1.2",
	}
	sparse := Record{Owner: "o", Bucket: "b", Time: at, Operation: "REST.HEAD.BUCKET", URI: "HEAD /b HTTP/1.1", Status: 403, Error: "AccessDenied", ObjectSize: -1, TurnAround: -1}
	batch := Record{
		Owner: "o", Bucket: "b", Time: at, Address: "1.1.1.1", Requester: "arn:aws:iam::111:user/user", Request: "AAA", Operation: BatchDelete, Key: "a b.js",
		Status: 204, ObjectSize: -1, Total: -1, TurnAround: -1, Host: "H", Signature: "SigV4", Auth: "AuthHeader", HostHeader: "h", ByList: true,
	}
	expired := Record{Owner: "o", Bucket: "b", Time: at, Requester: Store, Operation: Expire, Key: "50%", ObjectSize: 7, Total: -1, TurnAround: -1, Version: "v"}
	for _, c := range []struct {
		r    Record
		want string
	}{
		{full, `79a59df900b949e5 amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df900b949e5 4E57427F3EXAMPLE REST.GET.OBJECT s3-dg/red%2520flower.pdf ` +
			`"GET /amzn-s3-demo-bucket1/s3-dg/red%20flower.pdf HTTP/1.1" 206 - 1024 4406583 41754 28 "-" "S3Console/0.4 %22x%22" 3HL4 10S62Zv= SigV4 ` +
			"ECDHE-RSA-AES128-GCM-SHA256 QueryString s3.example.com TLSv1.2 - - -\n"},
		{sparse, `o b [06/Feb/2019:00:00:38 +0000] - - - REST.HEAD.BUCKET - "HEAD /b HTTP/1.1" 403 AccessDenied - - 0 - "-" "-" - - - - - - - - - -` + "\n"},
		{batch, `o b [06/Feb/2019:00:00:38 +0000] 1.1.1.1 arn:aws:iam::111:user/user AAA BATCH.DELETE.OBJECT a%20b.js - 204 - - - - - - - - H SigV4 - ` +
			"AuthHeader h - - Yes -\n"},
		{expired, `o b [06/Feb/2019:00:00:38 +0000] - AmazonS3 - S3.EXPIRE.OBJECT 50%25 "-" - - - 7 - - "-" "-" v - - - - - - - - -` + "\n"},
	} {
		got := string(c.r.Append(nil))
		if got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
		if n := len(fields(got)); n != 27 {
			t.Errorf("%d fields in %s", n, got)
		}
	}
}

// fields cuts a line into fields as readers of these logs do: at spaces that are not in quotes or brackets.
func fields(line string) (out []string) {
	var b strings.Builder
	quoted := false
	for _, c := range strings.TrimSuffix(line, "\n") {
		switch {
		case c == '"' || c == '[' || c == ']':
			quoted = c == '[' || c == '"' && !quoted
		case c == ' ' && !quoted:
			out = append(out, b.String())
			b.Reset()
			continue
		}
		b.WriteRune(c)
	}
	return append(out, b.String())
}

// FuzzLine lets clients fill what they can: nothing of it makes another field or another line.
func FuzzLine(f *testing.F) {
	f.Add("key", "uri", "referer", "agent", "host")
	f.Add("a b\n", `"x" y`, "\r\n", "\x00", "h h")
	f.Fuzz(func(t *testing.T, key, uri, referer, agent, host string) {
		r := Record{Owner: "o", Bucket: "b", Key: key, URI: uri, Referer: referer, UserAgent: agent, HostHeader: host}
		line := string(r.Append(nil))
		if n := strings.Count(line, "\n"); n != 1 || !strings.HasSuffix(line, " - - -\n") {
			t.Errorf("%q", line)
		}
		if n := strings.Count(line, `"`); n != 6 {
			t.Errorf("%d quotes in %q", n, line)
		}
	})
}

func TestOperation(t *testing.T) {
	for _, c := range []struct {
		op   s3api.Op
		want string
	}{
		{s3api.OpGetObject, "REST.GET.OBJECT"}, {s3api.OpHeadObject, "REST.HEAD.OBJECT"}, {s3api.OpPutObject, "REST.PUT.OBJECT"},
		{s3api.OpCopyObject, "REST.COPY.OBJECT"}, {s3api.OpDeleteObjects, "REST.POST.MULTI_OBJECT_DELETE"},
		{s3api.OpListObjectsV2, "REST.GET.BUCKET"}, {s3api.OpCreateBucket, "REST.PUT.BUCKET"}, {s3api.OpHeadBucket, "REST.HEAD.BUCKET"},
		{s3api.OpGetBucketVersioning, "REST.GET.VERSIONING"}, {s3api.OpGetBucketLogging, "REST.GET.LOGGING_STATUS"},
		{s3api.OpGetBucketPolicy, "REST.GET.BUCKETPOLICY"}, {s3api.OpGetBucketLocation, "REST.GET.LOCATION"},
		{s3api.OpUploadPart, "REST.PUT.PART"}, {s3api.OpGetObjectAcl, "REST.GET.ACL"}, {s3api.OpPutBucketLifecycleConfiguration, "REST.PUT.LIFECYCLE"},
		{s3api.OpPutObjectTagging, "REST.PUT.OBJECT_TAGGING"}, {s3api.OpPutBucketTagging, "REST.PUT.TAGGING"},
	} {
		if got := Operation(c.op); got != c.want {
			t.Errorf("%v: got %s, want %s", c.op, got, c.want)
		}
	}
	if got := Website(s3api.OpHeadObject); got != "WEBSITE.HEAD.OBJECT" {
		t.Errorf("got %s", got)
	}
	for _, op := range s3api.Ops() {
		if name := Operation(op); len(strings.Split(name, ".")) != 3 || strings.ContainsAny(name, " -") && !slices.Contains([]string{"INTELLIGENT-TIERING"}, strings.Split(name, ".")[2]) {
			if !strings.Contains(name, "OSTOR-") {
				t.Errorf("%v: %s", op, name)
			}
		}
	}
}

func TestCipher(t *testing.T) {
	for suite, want := range map[uint16]string{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:       "ECDHE-RSA-AES128-GCM-SHA256",
		tls.TLS_RSA_WITH_AES_256_GCM_SHA384:             "AES256-GCM-SHA384",
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
		tls.TLS_AES_128_GCM_SHA256:                      "TLS_AES_128_GCM_SHA256",
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:     "ECDHE-ECDSA-AES256-GCM-SHA384",
	} {
		if got := Cipher(suite); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := TLSVersion(tls.VersionTLS13); got != "TLSv1.3" {
		t.Errorf("got %s", got)
	}
}
