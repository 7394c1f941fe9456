package gwtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"holdfast/gw/sigv2"
)

// attempted is a request under a policy.
type attempted struct {
	method, target, query string
	opts                  []option
}

func (a attempted) send(e *env) *answer {
	e.T.Helper()
	target := a.target
	if a.query != "" {
		target += "?" + a.query
	}
	return e.req(a.method, target, a.opts...)
}

// keyCase is a condition under which an action is allowed to everybody, with a request that meets it and one that does not.
type keyCase struct {
	actions   string // quoted, separated by commas
	condition string
	met       attempted
	unmet     attempted // what is "" is as in met
	signed    bool      // by another user; else the requests are anonymous
	readable  bool      // the objects may be read all the same
}

// testPolicyKeys allows something under a condition, for each key of conditions that a request can have.
func testPolicyKeys(e *env) {
	o := e.owner()
	o.bucket = o.newBucket()
	o.put("tagged", "data", header("x-amz-tagging", "team=red&level=1"))
	o.put("plain", "data")
	other := e.user(e.creds.Other)
	other.bucket = o.bucket
	for _, c := range slices.Concat(o.requestKeys(), o.writeKeys(), o.taggingKeys()) {
		statements := []string{allow(`"*"`, c.actions, c.condition)}
		if c.readable {
			statements = append(statements, allow(`"*"`, `"s3:GetObject"`, ""))
		}
		o.setPolicy(statements...)
		c.unmet.method, c.unmet.target = cmp.Or(c.unmet.method, c.met.method), cmp.Or(c.unmet.target, c.met.target)
		from := other
		if !c.signed {
			from = o
			c.met.opts, c.unmet.opts = append(c.met.opts, anonymous), append(c.unmet.opts, anonymous)
		}
		if a := c.met.send(from); a.status/100 != 2 {
			o.Errorf("%s under %s: got %d %s, want a success", c.actions, c.condition, a.status, clip(string(a.body)))
		}
		if a := c.unmet.send(from); a.status != http.StatusForbidden {
			o.Errorf("%s without %s: got %d, want 403", c.actions, c.condition, a.status)
		}
	}
	o.req("DELETE", o.on("policy")).is(http.StatusNoContent)
}

// requestKeys are about headers and parameters of requests that read.
func (e *env) requestKeys() []keyCase {
	get := func(condition string, met, unmet []option) keyCase {
		return keyCase{
			actions: `"s3:GetObject"`, condition: condition, met: attempted{method: "GET", target: e.at("plain"), opts: met},
			unmet: attempted{opts: unmet},
		}
	}
	list := func(condition, met, unmet string) keyCase {
		return keyCase{
			actions: `"s3:ListBucket"`, condition: condition, met: attempted{method: "GET", target: e.on(""), query: met}, unmet: attempted{query: unmet},
		}
	}
	return []keyCase{
		get(`{"StringLike":{"aws:Referer":"https://example.com/*"}}`, []option{header("Referer", "https://example.com/page")}, nil),
		get(`{"StringLike":{"aws:UserAgent":"gwtest/?"}}`, []option{header("User-Agent", "gwtest/1")}, []option{header("User-Agent", "other")}),
		get(`{"Null":{"aws:Referer":"true"}}`, nil, []option{header("Referer", "x")}),
		list(`{"StringEquals":{"s3:prefix":"home/"}}`, "list-type=2&prefix=home/", "list-type=2"),
		list(`{"StringLike":{"s3:prefix":["","home/*"]}}`, "prefix=home/me", "prefix=hom"),
		list(`{"StringEquals":{"s3:delimiter":"/"}}`, "delimiter=/", "delimiter=-"),
		list(`{"NumericLessThanEquals":{"s3:max-keys":10}}`, "max-keys=10", "max-keys=11"),
		{
			actions: `"s3:ListBucketVersions"`, condition: `{"StringEquals":{"s3:prefix":"a"}}`,
			met: attempted{method: "GET", target: e.on(""), query: "versions&prefix=a"}, unmet: attempted{query: "versions"},
		},
		{
			actions: `"s3:GetObjectVersion"`, condition: `{"StringEquals":{"s3:versionid":"null"}}`,
			met: attempted{method: "GET", target: e.at("plain"), query: "versionId=null"},
		},
		{ // of a key that is not there only those may know who may list it
			actions: `"s3:ListBucket","s3:ListBucketVersions"`, condition: `{"StringLike":{"s3:prefix":["","home/*"]}}`,
			met: attempted{method: "GET", target: e.on(""), query: "prefix="}, unmet: attempted{target: e.at("nothing/there")},
		},
	}
}

// testPolicyCallers checks the keys about who asks, from where and when: a condition that the other user's request meets and one that
// it does not.
func testPolicyCallers(e *env) {
	o := e.owner()
	o.bucket = o.newBucket()
	o.put("key", "data")
	other := e.user(e.creds.Other)
	id, region := e.creds.Other.ID, e.creds.Region
	secure, insecure := fmt.Sprint(strings.HasPrefix(e.endpoint, "https:")), fmt.Sprint(!strings.HasPrefix(e.endpoint, "https:"))
	for _, pair := range [][2]string{
		{`{"StringEquals":{"aws:userid":"` + id + `"}}`, `{"StringEquals":{"aws:userid":"anonymous"}}`},
		{`{"StringEquals":{"aws:PrincipalType":"Account"}}`, `{"StringEquals":{"aws:PrincipalType":["User","Anonymous"]}}`},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::` + id + `:root"}}`, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}`},
		{`{"StringEquals":{"aws:PrincipalAccount":"` + id + `"}}`, `{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}`},
		{`{"Null":{"aws:username":"true"}}`, `{"Null":{"aws:username":"false"}}`},
		{`{"StringEquals":{"s3:ResourceAccount":"` + e.creds.Owner.ID + `"}}`, `{"StringEquals":{"aws:ResourceAccount":"` + id + `"}}`},
		{`{"IpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}`, `{"NotIpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}`},
		{`{"Bool":{"aws:SecureTransport":"` + secure + `"}}`, `{"Bool":{"aws:SecureTransport":"` + insecure + `"}}`},
		{`{"StringEquals":{"aws:RequestedRegion":"` + region + `"}}`, `{"StringNotEquals":{"aws:RequestedRegion":"` + region + `"}}`},
		{`{"DateLessThan":{"aws:CurrentTime":"2100-01-01"}}`, `{"DateGreaterThan":{"aws:CurrentTime":"2100-01-01"}}`},
		{`{"NumericGreaterThan":{"aws:EpochTime":1700000000}}`, `{"NumericLessThan":{"aws:EpochTime":1700000000}}`},
		{`{"StringEquals":{"s3:signatureversion":"AWS4-HMAC-SHA256"}}`, `{"StringEquals":{"s3:signatureversion":"AWS"}}`},
		{`{"StringEquals":{"s3:authType":"REST-HEADER"}}`, `{"StringEquals":{"s3:authType":["REST-QUERY-STRING","POST"]}}`},
		{`{"NumericLessThan":{"s3:signatureAge":600000}}`, `{"NumericGreaterThan":{"s3:signatureAge":600000}}`},
		{`{"Null":{"aws:SourceVpce":"true"}}`, `{"StringEquals":{"aws:SourceVpce":"vpce-1"}}`},
	} {
		o.setPolicy(allow(`"*"`, `"s3:GetObject"`, pair[0]))
		if a := other.req("GET", o.at("key")); a.status != http.StatusOK {
			e.Errorf("under %s: got %d %s, want 200", pair[0], a.status, clip(string(a.body)))
		}
		o.setPolicy(allow(`"*"`, `"s3:GetObject"`, pair[1]))
		if a := other.req("GET", o.at("key")); a.status != http.StatusForbidden {
			e.Errorf("under %s: got %d, want 403", pair[1], a.status)
		}
	}
	v2 := signed(func(r *request) { sigv2.Sign(r.Request, other.creds.keys(), "", time.Now()) })
	link := presigned(other.signer, time.Now(), time.Hour)
	o.setPolicy(allow(`"*"`, `"s3:GetObject"`, `{"StringEquals":{"s3:signatureversion":"AWS","s3:authType":"REST-HEADER"}}`))
	other.req("GET", o.at("key"), v2).is(http.StatusOK)
	other.req("GET", o.at("key"), link).is(http.StatusForbidden)
	o.setPolicy(allow(`"*"`, `"s3:GetObject"`, `{"StringEquals":{"s3:authType":"REST-QUERY-STRING"}}`))
	other.req("GET", o.at("key"), link).is(http.StatusOK)
	other.req("GET", o.at("key"), v2).is(http.StatusForbidden)
	other.req("GET", o.at("key"), anonymous).is(http.StatusForbidden)
	o.req("DELETE", o.on("policy")).is(http.StatusNoContent)
}

// writeKeys are about the headers of a PutObject and of copies.
func (e *env) writeKeys() []keyCase {
	put := func(condition string, met, unmet []option) keyCase {
		return keyCase{
			actions: `"s3:PutObject"`, condition: condition, met: attempted{method: "PUT", target: e.at("put"), opts: append(met, text("x"))},
			unmet: attempted{opts: append(unmet, text("x"))},
		}
	}
	set := func(name, value string) []option { return []option{header(name, value)} }
	source := e.at("tagged")
	begin := attempted{method: "POST", target: e.at("begun"), query: "uploads"}
	return []keyCase{
		put(`{"StringEquals":{"s3:x-amz-acl":"private"}}`, set("x-amz-acl", "private"), set("x-amz-acl", "public-read")),
		put(`{"StringLike":{"s3:x-amz-grant-read":"uri=*AllUsers*"}}`,
			set("x-amz-grant-read", `uri="http://acs.amazonaws.com/groups/global/AllUsers"`), nil),
		put(`{"StringEquals":{"s3:x-amz-grant-full-control":"id=`+e.creds.Owner.ID+`"}}`, set("x-amz-grant-full-control", "id="+e.creds.Owner.ID), nil),
		put(`{"StringLike":{"s3:x-amz-grant-read-acp":"uri=*AllUsers*"}}`,
			set("x-amz-grant-read-acp", `uri="http://acs.amazonaws.com/groups/global/AllUsers"`), nil),
		put(`{"StringEquals":{"s3:x-amz-grant-write":"id=`+e.creds.Owner.ID+`"}}`, set("x-amz-grant-write", "id="+e.creds.Owner.ID), nil),
		put(`{"StringEquals":{"s3:x-amz-grant-write-acp":"id=`+e.creds.Owner.ID+`"}}`, set("x-amz-grant-write-acp", "id="+e.creds.Owner.ID),
			set("x-amz-grant-write-acp", "id="+e.creds.Other.ID)),
		put(`{"StringLike":{"s3:x-amz-website-redirect-location":"/there*"}}`, set("x-amz-website-redirect-location", "/there/it/is"),
			set("x-amz-website-redirect-location", "/elsewhere")),
		{
			actions: `"s3:PutObject"`, condition: `{"StringEquals":{"s3:x-amz-content-sha256":"UNSIGNED-PAYLOAD"}}`, signed: true,
			met:   attempted{method: "PUT", target: e.at("put"), opts: []option{text("x"), e.user(e.creds.Other).unsignedPayload()}},
			unmet: attempted{opts: []option{text("x")}},
		},
		put(`{"StringEquals":{"s3:x-amz-storage-class":"STANDARD"}}`, set("x-amz-storage-class", "STANDARD"), nil),
		put(`{"StringEquals":{"s3:RequestObjectTag/team":"red"}}`, set("x-amz-tagging", "a=b&team=red"), set("x-amz-tagging", "team=blue")),
		put(`{"ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["team","level"]}}`, set("x-amz-tagging", "team=1&level=2"),
			set("x-amz-tagging", "team=1&other=2")),
		put(`{"ForAnyValue:StringEquals":{"s3:RequestObjectTagKeys":"team"}}`, set("x-amz-tagging", "team=1&x=2"), nil),
		put(`{"StringEquals":{"s3:x-amz-server-side-encryption":"AES256"}}`, set("x-amz-server-side-encryption", "AES256"), nil),
		{
			actions: `"s3:PutObject"`, condition: `{"Null":{"s3:x-amz-copy-source":"true"},"StringEquals":{"s3:if-none-match":"*"}}`,
			met:   attempted{method: "PUT", target: e.at("new"), opts: []option{header("If-None-Match", "*"), text("x")}},
			unmet: attempted{opts: []option{text("x")}},
		},
		{
			actions: `"s3:PutObject"`, condition: `{"Bool":{"s3:ObjectCreationOperation":"true"}}`,
			met: attempted{method: "PUT", target: e.at("put"), opts: []option{text("x")}}, unmet: begin,
		},
		{
			actions: `"s3:PutObject"`, condition: `{"Bool":{"s3:ObjectCreationOperation":"false"}}`, met: begin,
			unmet: attempted{method: "PUT", target: e.at("put"), query: "", opts: []option{text("x")}},
		},
		{ // the source belongs to the bucket's owner, and so does the copy's right to it
			actions: `"s3:PutObject"`, condition: `{"StringLike":{"s3:x-amz-copy-source":"` + e.bucket + `/tag*"},"StringEquals":{"s3:x-amz-metadata-directive":"COPY"}}`,
			signed: true, readable: true,
			met:   attempted{method: "PUT", target: e.at("copy"), opts: []option{header("x-amz-copy-source", source), header("x-amz-metadata-directive", "COPY")}},
			unmet: attempted{opts: []option{header("x-amz-copy-source", e.at("plain")), header("x-amz-metadata-directive", "COPY")}},
		},
		{
			actions: `"s3:PutObject"`, condition: `{"Null":{"s3:x-amz-metadata-directive":"true"}}`, signed: true, readable: true,
			met:   attempted{method: "PUT", target: e.at("copy"), opts: []option{header("x-amz-copy-source", source)}},
			unmet: attempted{opts: []option{header("x-amz-copy-source", source), header("x-amz-metadata-directive", "COPY")}},
		},
	}
}

// taggingKeys are about tags that are there, and those that a document sets.
func (e *env) taggingKeys() []keyCase {
	cases := []keyCase{{
		actions: `"s3:PutObjectTagging"`, condition: `{"StringEquals":{"s3:RequestObjectTag/team":"red"}}`,
		met:   attempted{method: "PUT", target: e.at("plain"), query: "tagging", opts: []option{text(taggingDocument("team", "red"))}},
		unmet: attempted{query: "tagging", opts: []option{text(taggingDocument("team", "blue"))}},
	}}
	for _, c := range [][3]string{
		{"s3:GetObject", "GET", ""}, {"s3:GetObject", "HEAD", ""}, {"s3:GetObjectTagging", "GET", "tagging"}, {"s3:GetObjectAcl", "GET", "acl"},
		{"s3:DeleteObjectTagging", "DELETE", "tagging"},
	} {
		cases = append(cases, keyCase{
			actions: `"` + c[0] + `"`, condition: `{"StringEquals":{"s3:ExistingObjectTag/level":"1"}}`,
			met: attempted{method: c[1], target: e.at("tagged"), query: c[2]}, unmet: attempted{target: e.at("plain"), query: c[2]},
		})
	}
	return cases
}

func taggingDocument(key, value string) string {
	return "<Tagging><TagSet><Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag></TagSet></Tagging>"
}
