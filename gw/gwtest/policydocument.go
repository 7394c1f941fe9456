package gwtest

import (
	"fmt"
	"strings"
)

// testPolicyDocument stores, reads and removes policies, and what S3 says of those that it refuses.
func testPolicyDocument(e *env) {
	o := e.owner()
	o.bucket = o.newBucket()
	o.req("GET", o.on("policy")).fails(404, "NoSuchBucketPolicy", "BucketName", o.bucket)
	o.req("DELETE", o.on("policy")).is(204)
	status := func(public bool) {
		e.T.Helper()
		if a := o.req("GET", o.on("policyStatus")).is(200); !strings.Contains(string(a.body), fmt.Sprintf("<IsPublic>%t</IsPublic>", public)) {
			e.T.Errorf("got %s, want %t", a.body, public)
		}
	}
	status(false)
	doc := o.policy(allow(`"*"`, `"s3:GetObject"`, ""))
	o.req("PUT", o.on("policy"), text(doc)).is(204)
	o.req("GET", o.on("policy")).is(200).has("Content-Type", "application/json").holds([]byte(doc))
	status(true)
	o.req("PUT", o.on("policy"), text(o.policy(allow(`"*"`, `"s3:GetObject"`, `{"StringEquals":{"aws:userid":"`+e.creds.Other.ID+`"}}`)))).is(204)
	status(false)
	stored := o.req("GET", o.on("policy")).is(200).body
	for doc, message := range map[string]string{
		"":                                     "Policies must be valid JSON and the first byte must be '{'",
		"[]":                                   "Policies must be valid JSON and the first byte must be '{'",
		`{"Statement":`:                        "This policy contains invalid Json",
		`{}`:                                   "Missing required field Statement",
		`{"Version":"2012","Statement":[]}`:    "The policy must contain a valid version string",
		o.policy(allow(`"*"`, `"s3:Fly"`, "")): "Policy has invalid action",
		o.policy(allow(`{"AWS":"alice"}`, `"s3:*"`, "")):                                                          "Invalid principal in policy",
		o.policy(allow(`{"AWS":"0123456789abcdef"}`, `"s3:*"`, "")):                                               "Invalid principal in policy",
		strings.ReplaceAll(o.policy(allow(`"*"`, `"s3:*"`, "")), o.bucket, "another-bucket"):                      "Policy has invalid resource",
		o.policy(allow(`"*"`, `"s3:GetObject"`, `{"StringEquals":{"s3:what":"x"}}`)):                              "Policy has an invalid condition key",
		o.policy(allow(`"*"`, `"s3:GetObject"`, `{"StringIs":{"aws:userid":"x"}}`)):                               "Invalid Condition type : StringIs",
		o.policy(allow(`"*"`, `"s3:GetObject"`, `{"StringEquals":{"s3:prefix":"x"}}`)):                            "Conditions do not apply to combination of actions and resources in statement",
		o.policy(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET"}`):   "Action does not apply to any resource(s) in statement",
		o.policy(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}`):                 "Missing required field Principal",
		o.policy(`{"Effect":"allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}`): "Invalid effect: allow",
	} {
		o.req("PUT", o.on("policy"), text(doc)).fails(400, "MalformedPolicy", "Message", message)
	}
	o.req("GET", o.on("policy")).is(200).holds(stored)
	o.req("DELETE", o.on("policy")).is(204)
	o.req("GET", o.on("policy")).fails(404, "NoSuchBucketPolicy")
}
