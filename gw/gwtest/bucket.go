package gwtest

import "strings"

func testBuckets(e *env) {
	e.sub("head", func(e *env) {
		e.req("HEAD", e.on("")).is(200).has("X-Amz-Bucket-Region", e.creds.Region).holds(nil)
		e.req("HEAD", e.on("")+"/").is(200)
		e.req("HEAD", "/"+randomName()).fails(404, "NoSuchBucket")
	})
	e.sub("location", func(e *env) {
		var got locationResult
		e.req("GET", e.on("location")).mustBe(200).xml(&got)
		want := e.creds.Region
		if want == "us-east-1" {
			want = ""
		}
		if got.Region != want {
			e.Errorf("location %q, want %q", got.Region, want)
		}
	})
	e.sub("again", func(e *env) {
		e.put("kept", "data")
		if e.creds.Region == "us-east-1" {
			e.req("PUT", e.on("")).is(200)
		} else {
			e.req("PUT", e.on("")).fails(409, "BucketAlreadyOwnedByYou", "BucketName", e.bucket)
		}
		e.get("kept").is(200).holds([]byte("data"))
	})
	e.sub("acl", func(e *env) {
		var got aclResult
		e.req("GET", e.on("acl")).mustBe(200).xml(&got)
		if len(got.Grants) != 1 || got.Grants[0].Permission != "FULL_CONTROL" || got.Grants[0].Grantee.ID != got.Owner.ID ||
			got.Grants[0].Grantee.Type != "CanonicalUser" || got.Owner.ID == "" {
			e.Errorf("got %+v", got)
		}
		e.req("GET", "/"+randomName()+"?acl").fails(404, "NoSuchBucket")
	})
	e.sub("versioning", func(e *env) {
		a := e.req("GET", e.on("versioning")).is(200)
		if strings.Contains(string(a.body), "<Status>") || !strings.Contains(string(a.body), "<VersioningConfiguration") {
			e.Errorf("got %s", a.body)
		}
	})
	e.sub("owner", func(e *env) {
		e.req("HEAD", e.on(""), header("X-Amz-Expected-Bucket-Owner", "somebody-else")).fails(403, "AccessDenied")
		e.req("GET", e.on(""), header("X-Amz-Expected-Bucket-Owner", "somebody-else")).fails(403, "AccessDenied")
	})
	e.sub("create", testCreateBucket)
	e.sub("delete", testDeleteBucket)
	e.sub("names", testBucketNames)
}

func testCreateBucket(e *env) {
	const open = `<CreateBucketConfiguration xmlns="` + namespace + `"><LocationConstraint>`
	const end = `</LocationConstraint></CreateBucketConfiguration>`
	name := randomName()
	target := "/" + name
	e.T.Cleanup(func() { e.remove(name) })
	e.req("PUT", target, text(open+"mars-north-1"+end)).fails(400, "InvalidLocationConstraint", "LocationConstraint", "mars-north-1")
	e.req("PUT", target, text("<CreateBucketConfiguration>")).fails(400, "MalformedXML")
	e.req("PUT", target, text("no XML")).fails(400, "MalformedXML")
	e.req("PUT", target, header("X-Amz-Acl", "nonsense")).fails(400, "InvalidArgument")
	for _, ownership := range []string{"", "nonsense"} {
		e.req("PUT", target, header("X-Amz-Object-Ownership", ownership)).fails(400, "InvalidArgument", "ArgumentName", "x-amz-object-ownership").
			says("Invalid x-amz-object-ownership header: " + ownership)
	}
	e.req("PUT", target, header("X-Amz-Grant-Read", `id="x"`)).fails(400, "InvalidArgument", "ArgumentName", "id", "ArgumentValue", "x")
	e.req("PUT", target, header("X-Amz-Grant-Read", `uri="http://x"`)).fails(400, "InvalidArgument", "ArgumentName", "uri", "ArgumentValue", "http://x")
	e.req("PUT", target, header("X-Amz-Grant-Read", `x="y"`)).fails(400, "InvalidArgument", "ArgumentName", "x-amz-grant-read", "ArgumentValue", `x="y"`)
	e.req("HEAD", target).fails(404, "NoSuchBucket")
	e.req("PUT", target+"/", text(open+e.creds.Region+end), header("X-Amz-Acl", "private")).is(200).has("Location", target)
	e.req("HEAD", target).is(200)
}

func testDeleteBucket(e *env) {
	name := randomName()
	target := "/" + name
	e.req("DELETE", target).fails(404, "NoSuchBucket", "BucketName", name)
	for range 2 { // a bucket can be made again under its old name, and begins empty
		e.req("PUT", target).mustBe(200)
		e.req("GET", target+"/deep/er").fails(404, "NoSuchKey")
		e.req("PUT", target+"/deep/er", text("x")).mustBe(200)
		e.req("DELETE", target).fails(409, "BucketNotEmpty", "BucketName", name)
		e.req("GET", target+"/deep/er").is(200)
		e.req("POST", target+"/never?uploads").mustBe(200) // an unfinished upload does not keep a bucket
		e.req("DELETE", target+"/deep/er").is(204)
		e.req("DELETE", target).is(204).holds(nil)
		e.req("HEAD", target).fails(404, "NoSuchBucket")
	}
	for _, m := range []string{"GET", "PUT", "DELETE", "HEAD"} {
		e.req(m, target+"/deep/er").fails(404, "NoSuchBucket", "BucketName", name)
	}
	for _, query := range []string{"", "?list-type=2", "?location", "?uploads", "?versioning"} {
		e.req("GET", target+query).fails(404, "NoSuchBucket", "BucketName", name)
	}
	e.req("POST", target+"/k?uploads").fails(404, "NoSuchBucket")
	e.req("POST", target+"?delete", text(`<Delete><Object><Key>k</Key></Object></Delete>`)).fails(404, "NoSuchBucket")
}

func testBucketNames(e *env) {
	for _, name := range []string{
		"ab", strings.Repeat("a", 64), "Upper", "-front", "back-", ".front", "back.", "two..dots", "192.168.1.1", "sp%20ace", "sthree-x", "xn--x",
		"x-s3alias", "x--ol-s3", "dot.-dash", "%C3%BCmlaut",
	} {
		e.req("PUT", "/"+name).fails(400, "InvalidBucketName")
	}
	long := randomName() + "-" + strings.Repeat("z", 39)
	if len(long) != 63 {
		e.Fatalf("the longest name has %d bytes", len(long))
	}
	e.T.Cleanup(func() { e.remove(long) })
	e.req("PUT", "/"+long).is(200)
	e.req("HEAD", "/"+long).is(200)
}
