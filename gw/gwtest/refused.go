package gwtest

import (
	"net/http"
	"slices"

	"holdfast/gw/s3api"
)

// testRefused asks for every operation that is not built: each is refused by name, and the bucket and the object it is about
// stay as they were.
func testRefused(e *env) {
	e.put("k", "data", header("X-Amz-Meta-A", "1"))
	before := e.state()
	for _, op := range s3api.Ops() {
		if op.Built() {
			continue
		}
		e.sub(op.String(), func(e *env) {
			e.refuseOp(op)
			if after := e.state(); !slices.Equal(before, after) {
				e.Errorf("got %q, want %q", after, before)
			}
		})
	}
}

// refuseOp asks for an operation that is not built and checks the refusal.
func (e *env) refuseOp(op s3api.Op) {
	e.T.Helper()
	route := op.Route()
	target := "/"
	switch {
	case route.Key:
		target = e.at("k")
	case route.Bucket:
		target = e.on("")
	}
	if route.Query != "" {
		target += "?" + route.Query
	}
	opts := []option{}
	for _, name := range route.Headers {
		opts = append(opts, header(name, e.at("k")))
	}
	if route.Method == http.MethodPut || route.Method == http.MethodPost {
		opts = append(opts, text("<Configuration/>"))
	}
	a := e.req(route.Method, target, opts...)
	if op.Management() && a.status == http.StatusForbidden { // not for this user, built or not
		a.fails(403, "AccessDenied")
		return
	}
	a.fails(501, "NotImplemented")
}

// state is what the group's bucket shows.
func (e *env) state() []string {
	e.T.Helper()
	a := e.get("k").is(200)
	var acl aclResult
	e.req("GET", e.on("acl")).mustBe(200).xml(&acl)
	keys, _ := e.list("").keys()
	return append(keys, string(a.body), a.header.Get("ETag"), a.header.Get("Last-Modified"), a.header.Get("X-Amz-Meta-A"), acl.Owner.ID,
		string(e.req("GET", e.on("versioning")).body))
}
