package gwtest

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

func testPut(e *env) {
	e.sub("sizes", func(e *env) {
		for _, n := range []int{0, 1, 4095, 4096, 4097, 65536, 65537, 1 << 20, 1<<20 + 1, 3<<20 + 17} {
			data := pattern(n)
			etag := `"` + md5Hex(string(data)) + `"`
			e.req("PUT", e.at("k"), body(data)).is(200).has("ETag", etag).holds(nil).lacks("X-Amz-Version-Id", "Content-Type")
			a := e.get("k").is(200).has("ETag", etag).holds(data)
			if a.length != int64(n) {
				e.Errorf("Content-Length %d, want %d", a.length, n)
			}
		}
	})
	e.sub("overwrite", func(e *env) {
		e.put("o", "first", header("X-Amz-Meta-A", "1"), header("Content-Type", "text/plain"))
		e.put("o", "the second one", header("X-Amz-Meta-B", "2"))
		e.get("o").is(200).holds([]byte("the second one")).has("X-Amz-Meta-B", "2", "Content-Type", "binary/octet-stream").lacks("X-Amz-Meta-A")
	})
	e.sub("refused headers", func(e *env) {
		for name, value := range map[string]string{
			"X-Amz-Write-Offset-Bytes": "5",
		} {
			e.req("PUT", e.at("never"), text("x"), header(name, value)).fails(501, "NotImplemented", "Header", strings.ToLower(name))
			e.req("POST", e.at("never")+"?uploads", header(name, value)).fails(501, "NotImplemented")
			e.req("PUT", e.at("never"), header(name, value), header("X-Amz-Copy-Source", e.at("k"))).fails(501, "NotImplemented")
		}
		e.req("PUT", e.at("never"), text("x"), header("X-Amz-Acl", "mine")).fails(400, "InvalidArgument")
		e.req("PUT", e.at("never"), text("x"), header("X-Amz-Storage-Class", "SHELF")).fails(400, "InvalidStorageClass")
		e.absent("never")
	})
	e.sub("class", func(e *env) {
		e.put("c", "x", header("X-Amz-Storage-Class", "STANDARD_IA"))
		e.get("c").is(200).has("X-Amz-Storage-Class", "STANDARD_IA")
		e.put("c", "x", header("X-Amz-Storage-Class", "STANDARD"))
		e.get("c").is(200).lacks("X-Amz-Storage-Class")
	})
	e.sub("expect", testExpect)
	e.sub("no length", func(e *env) {
		a := e.req("PUT", e.at("never"), func(r *request) {
			r.Body = http.NoBody
			r.ContentLength = -1
			r.Body = struct{ readCloser }{readCloser{strings.NewReader("x")}}
		}, e.unsignedPayload())
		a.fails(411, "MissingContentLength")
		e.absent("never")
		up := e.begin("never")
		for _, target := range []string{e.at("never"), up.partTarget(1)} {
			if status, body := e.withoutLength("PUT", target); status != 411 || !strings.Contains(body, "<Code>MissingContentLength</Code>") {
				e.Errorf("PUT %s: got %d %s", target, status, body)
			}
		}
		e.absent("never")
		if status, body := e.withoutLength("PUT", e.on("acl"), header("X-Amz-Acl", "private")); status != 200 {
			e.Errorf("an operation without a body: got %d %s", status, body)
		}
	})
}

// withoutLength sends a request that says nothing of a body and returns the status and the body of the answer.
func (e *env) withoutLength(method, target string, opts ...option) (int, string) {
	e.T.Helper()
	conn := e.dial()
	r := e.build(e.T, method, target, opts)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, r.URL.RequestURI(), r.URL.Host)
	_ = r.Header.Write(&b) // a strings.Builder takes everything
	if _, err := io.WriteString(conn, b.String()+"\r\n"); err != nil {
		e.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), r.Request)
	if err != nil {
		e.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		e.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// readCloser hides the length of a reader, so that it is sent with Transfer-Encoding: chunked.
type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func testMetadata(e *env) {
	set := []string{
		"Cache-Control", "max-age=60, public", "Content-Disposition", `attachment; filename="x y.txt"`, "Content-Encoding", "zstd",
		"Content-Language", "de, en", "Content-Type", "text/plain; charset=utf-8", "Expires", "Thu, 01 Dec 2044 16:00:00 GMT",
		"X-Amz-Website-Redirect-Location", "/other",
		"X-Amz-Meta-Plain", "value", "X-Amz-Meta-Empty", "", "X-Amz-Meta-With-Dash", "a, b;c=\"d\"", "X-Amz-Meta-Number", "42",
	}
	var opts []option
	for i := 0; i < len(set); i += 2 {
		opts = append(opts, header(set[i], set[i+1]))
	}
	check := func(a *answer) {
		a.is(200).has(set...).has("Accept-Ranges", "bytes", "ETag", `"`+md5Hex("data")+`"`).lacks("X-Amz-Version-Id", "X-Amz-Checksum-Crc32")
		if at, err := http.ParseTime(a.header.Get("Last-Modified")); err != nil || time.Since(at).Abs() > time.Hour {
			a.t.Errorf("Last-Modified %q: %v", a.header.Get("Last-Modified"), err)
		}
	}
	e.put("k", "data", opts...)
	check(e.get("k"))
	check(e.req("HEAD", e.at("k")).holds(nil))

	e.sub("non-ASCII", func(e *env) {
		e.put("utf8", "x", header("X-Amz-Meta-Name", "Grüße 日本"))
		e.get("utf8").is(200).has("X-Amz-Meta-Name", "=?UTF-8?b?R3LDvMOfZSDml6XmnKw=?=")
		e.put("latin1", "x", header("X-Amz-Meta-Name", "Gr\xfc\xdfe"))
		e.get("latin1").is(200).has("X-Amz-Meta-Name", "=?UTF-8?b?R3LDvMOfZQ==?=")
		e.put("encoded", "x", header("X-Amz-Meta-Name", "=?UTF-8?b?R3LDvMOfZQ==?="))
		e.get("encoded").is(200).has("X-Amz-Meta-Name", "=?UTF-8?b?R3LDvMOfZQ==?=")
	})
	e.sub("limit", func(e *env) {
		fits := strings.Repeat("v", 2048-len("big"))
		e.put("big", "x", header("X-Amz-Meta-Big", fits))
		e.get("big").is(200).has("X-Amz-Meta-Big", fits)
		e.req("PUT", e.at("never"), text("x"), header("X-Amz-Meta-Big", fits+"v")).fails(400, "MetadataTooLarge", "MaxSizeAllowed", "2048")
		e.req("POST", e.at("never")+"?uploads", header("X-Amz-Meta-Big", fits+"v")).fails(400, "MetadataTooLarge")
		e.absent("never")
	})
	e.sub("aws-chunked", func(e *env) {
		e.put("ce", "x", header("Content-Encoding", "aws-chunked,gzip"))
		e.get("ce").is(200).has("Content-Encoding", "gzip")
		e.put("ce", "x", header("Content-Encoding", "aws-chunked"))
		e.get("ce").is(200).lacks("Content-Encoding")
	})
}

func testGet(e *env) {
	e.put("k", "data", header("Content-Type", "text/plain"), header("Cache-Control", "no-cache"))
	e.sub("overrides", func(e *env) {
		query := "?response-content-type=a%2Fb&response-cache-control=private&response-content-disposition=inline&" +
			"response-content-encoding=br&response-content-language=fr&response-expires=never"
		want := []string{
			"Content-Type", "a/b", "Cache-Control", "private", "Content-Disposition", "inline", "Content-Encoding", "br",
			"Content-Language", "fr", "Expires", "never",
		}
		e.req("GET", e.at("k")+query).is(200).has(want...).holds([]byte("data"))
		e.req("HEAD", e.at("k")+query).is(200).has(want...)
		e.req("GET", e.at("k")+query, header("Range", "bytes=1-2")).is(206).has(want...).holds([]byte("at"))
		e.req("GET", e.at("k")+"?response-content-type=a%0d%0ab").fails(400, "InvalidArgument")
	})
	e.sub("missing", func(e *env) {
		e.absent("nothing")
		e.absent("k/below")
		e.req("GET", e.at("k/")).fails(404, "NoSuchKey", "Key", "k/")
		e.req("HEAD", e.at("nothing")).fails(404, "NoSuchKey").lacks("ETag", "Last-Modified")
	})
	e.sub("versions", func(e *env) {
		e.req("GET", e.at("k")+"?versionId=null").is(200).holds([]byte("data")).lacks("X-Amz-Version-Id")
		e.req("HEAD", e.at("k")+"?versionId=null").is(200)
		e.req("GET", e.at("k")+"?versionId=").fails(400, "InvalidArgument", "ArgumentName", "versionId")
		e.req("GET", e.at("k")+"?versionId=junk").fails(400, "InvalidArgument")
		e.req("GET", e.at("k")+"?versionId=0123456789abcdef0123456789abcdef").fails(404, "NoSuchVersion", "Key", "k")
		for _, id := range []string{"junk", "00000000000000000000000000000000"} {
			e.req("DELETE", e.at("k")+"?versionId="+id).fails(400, "InvalidArgument")
		}
		e.get("k").is(200)
	})
	e.sub("parts", func(e *env) {
		e.req("GET", e.at("k")+"?partNumber=1").is(206).has("Content-Range", "bytes 0-3/4").holds([]byte("data"))
		e.req("HEAD", e.at("k")+"?partNumber=1").is(206).has("Content-Length", "4")
		e.req("GET", e.at("k")+"?partNumber=2").fails(416, "InvalidPartNumber")
		for _, n := range []string{"0", "10001", "-1", "x", "+1"} {
			e.req("GET", e.at("k")+"?partNumber="+escape(n)).fails(400, "InvalidArgument", "ArgumentName", "partNumber")
		}
		e.req("GET", e.at("k")+"?partNumber=1", header("Range", "bytes=0-1")).fails(400, "InvalidRequest")
		e.req("GET", e.at("k")+"?partNumber=0", header("Range", "bytes=0-1")).fails(400, "InvalidRequest")
	})
	e.sub("parity", func(e *env) {
		for _, q := range []string{"", "?partNumber=1", "?response-content-type=x"} {
			for _, r := range []string{"", "bytes=1-2", "bytes=-1", "bytes=2-"} {
				if q == "?partNumber=1" && r != "" {
					continue
				}
				opts := []option{header("Range", r), header("X-Amz-Checksum-Mode", "ENABLED")}
				get, head := e.req("GET", e.at("k")+q, opts...), e.req("HEAD", e.at("k")+q, opts...)
				same(e, get, head)
			}
		}
	})
	e.sub("acl", func(e *env) {
		var got aclResult
		e.req("GET", e.at("k")+"?acl").mustBe(200).xml(&got)
		if len(got.Grants) != 1 || got.Grants[0].Permission != "FULL_CONTROL" || got.Grants[0].Grantee.ID != got.Owner.ID {
			e.Errorf("got %+v", got)
		}
		e.req("GET", e.at("nothing")+"?acl").fails(404, "NoSuchKey")
	})
	e.sub("tagging", func(e *env) {
		if a := e.req("GET", e.at("k")+"?tagging").is(200); !strings.Contains(string(a.body), "<TagSet></TagSet>") {
			e.Errorf("got %s", a.body)
		}
		e.req("GET", e.at("nothing")+"?tagging").fails(404, "NoSuchKey")
	})
}

// same checks that two answers have the same status and headers, but for those of the request and the clock.
func same(e *env, a, b *answer) {
	e.T.Helper()
	if a.status != b.status {
		e.Errorf("%s: %d, %s: %d", a.what, a.status, b.what, b.status)
	}
	own := map[string]bool{"X-Amz-Request-Id": true, "X-Amz-Id-2": true, "Date": true, "Connection": true}
	for _, pair := range [2][2]*answer{{a, b}, {b, a}} {
		for name, values := range pair[0].header {
			if got := pair[1].header[name]; !own[name] && strings.Join(got, "|") != strings.Join(values, "|") {
				e.Errorf("%s has %s: %q, %s has %q", pair[0].what, name, values, pair[1].what, got)
			}
		}
	}
}

func testDelete(e *env) {
	e.put("k", "x")
	e.put("k/child", "y")
	e.req("DELETE", e.at("k")).is(204).holds(nil).lacks("X-Amz-Delete-Marker", "X-Amz-Version-Id")
	e.absent("k")
	e.get("k/child").is(200).holds([]byte("y"))
	e.req("DELETE", e.at("k")).is(204)
	e.req("DELETE", e.at("never/was/there")).is(204)
	e.req("DELETE", e.at("k/child")+"?versionId=null").is(204)
	e.absent("k/child")
	if page := e.list(""); len(page.Contents) != 0 {
		e.Errorf("left over: %+v", page.Contents)
	}
	e.sub("conditions", func(e *env) {
		etag := e.put("c", "x").header.Get("ETag")
		e.req("DELETE", e.at("c"), header("If-Match", `"00000000000000000000000000000000"`)).fails(412, "PreconditionFailed", "Condition", "If-Match")
		e.req("DELETE", e.at("c"), header("X-Amz-If-Match-Size", "2")).fails(412, "PreconditionFailed")
		e.req("DELETE", e.at("c"), header("X-Amz-If-Match-Size", "x")).fails(400, "InvalidArgument")
		e.req("DELETE", e.at("c"), header("X-Amz-If-Match-Last-Modified-Time", "x")).fails(400, "InvalidArgument")
		e.get("c").is(200)
		e.req("DELETE", e.at("none"), header("If-Match", etag)).fails(404, "NoSuchKey")
		e.req("DELETE", e.at("none"), header("X-Amz-If-Match-Size", "1")).is(204) // these two are about what is there, as in S3
		e.req("DELETE", e.at("none"), header("X-Amz-If-Match-Last-Modified-Time", "Thu, 01 Jan 2015 00:00:00 GMT")).is(204)
		e.req("DELETE", e.at("none"), header("If-Match", "*"), header("X-Amz-If-Match-Size", "1")).fails(404, "NoSuchKey")
		e.req("DELETE", e.at("c"), header("If-Match", etag)).is(204)
		e.absent("c")
		e.put("c", "x")
		e.req("DELETE", e.at("c"), header("If-Match", "*"), header("X-Amz-If-Match-Size", "1")).is(204)
		e.absent("c")
	})
}
