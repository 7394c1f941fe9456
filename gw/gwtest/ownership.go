package gwtest

// testOwnership checks whose objects are that another user writes into a bucket, by the bucket's ownership controls.
func testOwnership(e *env) {
	o := e.owner()
	o.bucket = o.newBucket()
	other := e.user(e.creds.Other)
	other.bucket = o.bucket
	o.setPolicy(allow(`{"AWS":"`+e.creds.Other.ID+`"}`, `"s3:PutObject","s3:PutObjectAcl"`, ""))
	o.req("GET", o.on("ownershipControls")).fails(404, "OwnershipControlsNotFoundError")
	canned := func(name string) option { return header("x-amz-acl", name) }
	const bofc = "bucket-owner-full-control"
	for _, rule := range []string{"", "ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"} {
		if rule != "" {
			o.req("PUT", o.on("ownershipControls"), text(ownership(rule))).is(200)
			o.req("GET", o.on("ownershipControls")).is(200).holds([]byte(xmlHead + ownership(rule)))
		}
		enforced := rule == "BucketOwnerEnforced"
		if other.put("plain", "data"); enforced {
			o.acl(o.at("plain")+"?acl", "O O:FULL_CONTROL")
			other.req("PUT", other.at("public"), text("x"), canned("public-read")).fails(400, "AccessControlListNotSupported")
			other.req("PUT", other.at("plain")+"?acl", canned("private")).fails(400, "AccessControlListNotSupported")
			o.req("PUT", o.on("acl"), canned("private")).fails(400, "AccessControlListNotSupported")
		} else {
			other.acl(o.at("plain")+"?acl", "U U:FULL_CONTROL")
			o.req("GET", o.at("plain")).fails(403, "AccessDenied")
		}
		other.put("given", "data", canned(bofc))
		if rule == "BucketOwnerPreferred" || enforced {
			o.acl(o.at("given")+"?acl", "O O:FULL_CONTROL")
		} else {
			o.acl(o.at("given")+"?acl", "U U:FULL_CONTROL O:FULL_CONTROL")
		}
		o.get("given").is(200)
		o.req("DELETE", o.at("plain")).is(204) // what is in the bucket its owner may always remove
		o.req("DELETE", o.at("given")).is(204)
	}
	o.req("DELETE", o.on("ownershipControls")).is(204)
	o.req("DELETE", o.on("policy")).is(204)
	o.req("PUT", o.on("acl"), canned("public-read")).is(200)
	o.req("PUT", o.on("ownershipControls"), text(ownership("BucketOwnerEnforced"))).fails(400, "InvalidBucketAclWithObjectOwnership")
	o.req("PUT", o.on("ownershipControls"), text(ownership("Nobody"))).fails(400, "MalformedXML")
	name := randomName()
	o.req("PUT", "/"+name, header("x-amz-object-ownership", "Nobody")).fails(400, "InvalidArgument")
	o.req("PUT", "/"+name, header("x-amz-object-ownership", "BucketOwnerEnforced"), canned("public-read")).fails(400, "InvalidBucketAclWithObjectOwnership")
	o.req("HEAD", "/"+name).is(404)
	o.req("PUT", "/"+name, header("x-amz-object-ownership", "BucketOwnerEnforced")).mustBe(200)
	o.T.Cleanup(func() { o.remove(name) })
	o.req("GET", "/"+name+"?ownershipControls").is(200).holds([]byte(xmlHead + ownership("BucketOwnerEnforced")))
}

// xmlHead begins every document.
const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
