package gwtest

import (
	"maps"
	"net/http"
	"slices"
)

// everyAnswer are the headers that an answer has whatever it says. Server is optional.
func everyAnswer() []string { return []string{"Date", "X-Amz-Id-2", "X-Amz-Request-Id"} }

// exactly checks that the answer has these headers and no others.
func (a *answer) exactly(names ...string) {
	a.t.Helper()
	want := make(map[string]bool)
	for _, name := range append(everyAnswer(), names...) {
		want[http.CanonicalHeaderKey(name)] = true
	}
	got := maps.Clone(a.header)
	got.Del("Server")
	have := slices.Sorted(maps.Keys(got))
	if expect := slices.Sorted(maps.Keys(want)); !slices.Equal(have, expect) {
		a.t.Errorf("%s: %d with the headers %q, want %q", a.what, a.status, have, expect)
	}
}

// testHeaders lists the headers of each kind of answer, all of them.
func testHeaders(e *env) {
	object := []string{"Accept-Ranges", "Content-Length", "Content-Type", "Etag", "Last-Modified"}
	and := func(more ...string) []string { return append(slices.Clone(object), more...) }
	document := []string{"Content-Length", "Content-Type"}
	crc := header("X-Amz-Checksum-Crc32", crc32Base64("data"))
	e.put("k", "data").exactly("Content-Length", "Etag")
	e.put("k", "data", crc).exactly("Content-Length", "Etag", "X-Amz-Checksum-Crc32", "X-Amz-Checksum-Type")
	for _, method := range []string{"GET", "HEAD"} {
		at := e.at("k")
		e.req(method, at).exactly(object...)
		e.req(method, at, header("Range", "bytes=0-1")).exactly(and("Content-Range")...)
		e.req(method, at, header("X-Amz-Checksum-Mode", "ENABLED")).exactly(and("X-Amz-Checksum-Crc32", "X-Amz-Checksum-Type")...)
		e.req(method, at, header("If-None-Match", "*")).exactly("Accept-Ranges", "Etag", "Last-Modified")
		errorHeaders := document
		if method == "HEAD" {
			errorHeaders = []string{"Content-Type"}
		}
		e.req(method, at, header("If-Match", "other")).exactly(errorHeaders...)
		e.req(method, at, header("Range", "bytes=9-")).exactly(append(slices.Clone(errorHeaders), "Content-Range")...)
		e.req(method, e.at("none")).exactly(errorHeaders...)
	}
	e.req("PUT", e.at("c"), header("X-Amz-Copy-Source", e.at("k"))).exactly(document...)
	e.req("GET", e.at("k")+"?attributes", header("X-Amz-Object-Attributes", "ETag")).exactly("Content-Length", "Content-Type", "Last-Modified")
	e.req("POST", e.at("k")+"?uploads").exactly(document...)
	e.req("POST", e.at("k")+"?uploads", header("X-Amz-Checksum-Algorithm", "CRC32")).exactly("Content-Length", "Content-Type", "X-Amz-Checksum-Algorithm", "X-Amz-Checksum-Type")
	up := e.begin("m")
	part := e.req("PUT", up.partTarget(1), text("data"), crc)
	part.exactly("Content-Length", "Etag", "X-Amz-Checksum-Crc32")
	e.req("GET", up.target()).exactly(document...)
	e.req("POST", up.target(), text(completeDocument(row{1, part.header.Get("ETag")}))).exactly(document...)
	e.req("DELETE", e.begin("m").target()).exactly()
	e.req("DELETE", e.at("k")).exactly()
	e.req("HEAD", e.on("")).exactly("X-Amz-Access-Point-Alias", "X-Amz-Bucket-Region")
	for _, query := range []string{"", "list-type=2", "location", "uploads", "acl", "versioning"} {
		e.req("GET", e.on(query)).exactly(document...)
	}
	e.req("POST", e.on("delete"), text(deleteDocument(false, "none"))).exactly(document...)
	e.req("GET", "/").exactly(document...)
	name := randomName()
	e.T.Cleanup(func() { e.remove(name) })
	e.req("PUT", "/"+name).exactly("Content-Length", "Location")
	e.req("DELETE", "/"+name).exactly()
}
