package gwtest

import "strings"

// testMalformed sends what no client should send. Each line gets its S3 error and changes nothing.
func testMalformed(e *env) {
	e.put("k", "data")
	before := e.state()
	b := "/" + e.bucket
	many := "?" + strings.Repeat("a=b&", 300)
	for _, c := range []struct {
		method, target string
		status         int
		code           string
	}{
		{"GET", b + "/%ff", 400, "InvalidURI"},
		{"PUT", b + "/%c3%28", 400, "InvalidURI"},
		{"GET", b + "/k?prefix=%ff", 400, "InvalidURI"},
		{"GET", b + many, 400, "InvalidURI"},
		{"GET", "//k", 400, "InvalidBucketName"},
		{"GET", "/%2F", 400, "InvalidBucketName"},
		{"PUT", "/" + strings.Repeat("b", 300) + "/k", 400, "InvalidBucketName"},
		{"PATCH", b + "/k", 405, "MethodNotAllowed"},
		{"TRACE", b + "/k", 405, "MethodNotAllowed"},
		{"BREW", b + "/k", 405, "MethodNotAllowed"},
		{"POST", b + "/k", 405, "MethodNotAllowed"},
		{"PATCH", b, 405, "MethodNotAllowed"},
		{"DELETE", b + "?uploads", 405, "MethodNotAllowed"},
		{"DELETE", b + "?acl", 405, "MethodNotAllowed"},
		{"DELETE", b + "/k?acl", 405, "MethodNotAllowed"},
		{"DELETE", b + "?versioning", 405, "MethodNotAllowed"},
		{"DELETE", b + "/k?uploads", 405, "MethodNotAllowed"},
		{"PUT", b + "/k?lifecycle", 405, "MethodNotAllowed"},
		{"PUT", b + "?delete", 405, "MethodNotAllowed"},
		{"PUT", b + "?location", 405, "MethodNotAllowed"},
		{"PUT", b + "/k?attributes", 405, "MethodNotAllowed"},
		{"HEAD", b + "/k?acl", 405, "MethodNotAllowed"},
		{"GET", b + "/k?policy", 405, "MethodNotAllowed"},
		{"POST", b + "/k?delete", 405, "MethodNotAllowed"},
		{"PUT", b + "?delete&acl", 405, "MethodNotAllowed"},
	} {
		var opts []option
		if c.method == "PUT" {
			opts = append(opts, text("x"))
		}
		e.req(c.method, c.target, opts...).fails(c.status, c.code)
	}
	if after := e.state(); strings.Join(after, "|") != strings.Join(before, "|") {
		e.Errorf("got %q, want %q", after, before)
	}
	e.sub("ignored", func(e *env) { // query keys that mean nothing
		e.req("GET", e.at("k")+"?x-id=GetObject&cache=buster&;=;&&").is(200).holds([]byte("data"))
		e.req("PUT", e.at("k2")+"?x-id=PutObject", text("x")).is(200)
	})
}
