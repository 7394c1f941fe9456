package gwtest

import (
	"fmt"
	"net/http"
	"strings"
)

// testPublicAccess checks what a public access block refuses to set. What it ignores is checked by testPermissions.
func testPublicAccess(e *env) {
	o := e.owner()
	o.bucket = o.newBucket()
	o.put("k", "data")
	block := func(flags ...string) {
		e.T.Helper()
		doc := "<PublicAccessBlockConfiguration>"
		for _, f := range flags {
			doc += "<" + f + ">true</" + f + ">"
		}
		o.req("PUT", o.on("publicAccessBlock"), text(doc+"</PublicAccessBlockConfiguration>")).is(200)
	}
	o.req("GET", o.on("publicAccessBlock")).fails(404, "NoSuchPublicAccessBlockConfiguration")
	public := []option{header("x-amz-acl", "public-read")}
	everybody := allow(`"*"`, `"s3:GetObject"`, "")
	block("BlockPublicAcls")
	a := o.req("GET", o.on("publicAccessBlock")).is(200)
	for name, want := range map[string]bool{"BlockPublicAcls": true, "IgnorePublicAcls": false, "BlockPublicPolicy": false, "RestrictPublicBuckets": false} {
		if part := fmt.Sprintf("<%s>%t</%s>", name, want, name); !strings.Contains(string(a.body), part) {
			e.T.Errorf("%s is not in %s", part, a.body)
		}
	}
	for _, opts := range [][]option{
		public, {header("x-amz-acl", "public-read-write")}, {header("x-amz-acl", "authenticated-read")},
		{header("x-amz-grant-read", `uri="`+groupURI+`AllUsers"`)}, {header("x-amz-grant-write-acp", `uri="`+groupURI+`AuthenticatedUsers"`)},
	} {
		o.req("PUT", o.at("new"), append(opts, text("x"))...).fails(403, "AccessDenied")
		o.req("PUT", o.at("new"), append(opts, header("x-amz-copy-source", o.at("k")))...).fails(403, "AccessDenied")
		o.req("POST", o.at("new")+"?uploads", opts...).fails(403, "AccessDenied")
		o.req("PUT", o.at("k")+"?acl", opts...).fails(403, "AccessDenied")
		o.req("PUT", o.on("acl"), opts...).fails(403, "AccessDenied")
	}
	o.req("PUT", o.on("acl"), text(aclDocument(e.creds.Owner.ID, grantee("Group", "<URI>"+groupURI+"AllUsers</URI>"), "READ"))).fails(403, "AccessDenied")
	o.absent("new")
	o.req("PUT", o.at("new"), text("x"), header("x-amz-grant-read", "id="+e.creds.Other.ID)).is(200)
	o.setPolicy(everybody)
	o.req("GET", o.at("k"), anonymous).is(200)

	block("BlockPublicPolicy") // refuses new ones and does not touch the one that is there
	o.req("GET", o.at("k"), anonymous).is(200)
	o.req("PUT", o.on("policy"), text(o.policy(everybody))).fails(403, "AccessDenied")
	o.setPolicy(allow(`{"AWS":"`+e.creds.Other.ID+`"}`, `"s3:GetObject"`, ""))
	o.setPolicy(allow(`"*"`, `"s3:GetObject"`, `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`))
	o.req("PUT", o.at("k")+"?acl", public...).is(200)
	o.req("DELETE", o.on("publicAccessBlock")).is(http.StatusNoContent)
	o.req("GET", o.on("publicAccessBlock")).fails(404, "NoSuchPublicAccessBlockConfiguration")
	o.setPolicy(everybody)
	o.req("DELETE", o.on("policy")).is(204)
}
