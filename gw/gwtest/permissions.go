package gwtest

import (
	"fmt"
	"slices"
	"strings"
)

// user is the same environment for another user.
func (e *env) user(u *User) *env {
	c := newClient(e.endpoint, u.as(e.creds))
	e.T.Cleanup(c.close)
	return &env{T: e.T, client: c, bucket: e.bucket}
}

// owner is the environment of the ordinary user, who owns the group's bucket, if there are ordinary users.
func (e *env) owner() *env {
	e.T.Helper()
	if e.creds.Owner == nil || e.creds.Other == nil {
		e.T.Skip("no users are given")
	}
	return e.user(e.creds.Owner)
}

// deed is something that callers try.
type deed struct {
	name string
	do   func(e *env, opts ...option) *answer
	ok   int // status of a success
	// action and key are what the deed needs a right to, if it is one right to one thing that can be explained.
	action, key string
}

// deeds are tried by everybody in every situation. None of them takes from the others what they need.
var deeds = []deed{
	{"list", func(e *env, o ...option) *answer { return e.req("GET", e.on("list-type=2"), o...) }, 200, "s3:ListBucket", ""},
	{"head", func(e *env, o ...option) *answer { return e.req("HEAD", e.on(""), o...) }, 200, "s3:ListBucket", ""},
	{"miss", func(e *env, o ...option) *answer { return e.req("GET", e.at("absent"), o...) }, 404, "", ""},
	{"get", func(e *env, o ...option) *answer { return e.req("GET", e.at("k"), o...) }, 200, "s3:GetObject", "k"},
	{"stat", func(e *env, o ...option) *answer { return e.req("HEAD", e.at("k"), o...) }, 200, "s3:GetObject", "k"},
	{"attributes", func(e *env, o ...option) *answer {
		return e.req("GET", e.at("k")+"?attributes", append(o, header("X-Amz-Object-Attributes", "ObjectSize"))...)
	}, 200, "", ""},
	{"tags", func(e *env, o ...option) *answer { return e.req("GET", e.at("k")+"?tagging", o...) }, 200, "s3:GetObjectTagging", "k"},
	{"acl", func(e *env, o ...option) *answer { return e.req("GET", e.at("k")+"?acl", o...) }, 200, "s3:GetObjectAcl", "k"},
	{"setacl", func(e *env, o ...option) *answer {
		return e.req("PUT", e.at("spare")+"?acl", append(o, header("X-Amz-Acl", "private"))...)
	}, 200, "s3:PutObjectAcl", "spare"},
	{"bucketacl", func(e *env, o ...option) *answer { return e.req("GET", e.on("acl"), o...) }, 200, "s3:GetBucketAcl", ""},
	{"put", func(e *env, o ...option) *answer { return e.req("PUT", e.at("new"), append(o, text("new"))...) }, 200, "s3:PutObject", "new"},
	{"copy", func(e *env, o ...option) *answer {
		return e.req("PUT", e.at("copied"), append(o, header("X-Amz-Copy-Source", e.at("k")))...)
	}, 200, "", ""},
	{"begin", func(e *env, o ...option) *answer { return e.req("POST", e.at("upload")+"?uploads", o...) }, 200, "s3:PutObject", "upload"},
	{"delete", func(e *env, o ...option) *answer { return e.req("DELETE", e.at("nothing"), o...) }, 204, "s3:DeleteObject", "nothing"},
	{"uploads", func(e *env, o ...option) *answer { return e.req("GET", e.on("uploads"), o...) }, 200, "s3:ListBucketMultipartUploads", ""},
	{"config", func(e *env, o ...option) *answer { return e.req("GET", e.on("versioning"), o...) }, 200, "s3:GetBucketVersioning", ""},
	{"policy", func(e *env, o ...option) *answer { return e.req("GET", e.on("policyStatus"), o...) }, 200, "s3:GetBucketPolicyStatus", ""},
}

// everything are the names of all deeds.
func everything() string {
	var names []string
	for _, d := range deeds {
		names = append(names, d.name)
	}
	return strings.Join(names, " ")
}

// allBut removes names from a list of them.
func allBut(names string, gone ...string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(names), func(n string) bool { return slices.Contains(gone, n) }), " ")
}

// situation is how a bucket with the objects k and spare is set up, and what each caller may do then.
type situation struct {
	name                      string
	bucket, object            []option // of the requests that make them
	then                      func(owner *env)
	owner, other, anon, agent string // agent is the service account that may read and list
	noLists                   bool   // lists are switched off: nobody can set one
}

const (
	whatReads = "list head miss uploads"
	whatGets  = "get stat"
)

func situations(other *User) []situation {
	all := everything()
	canned := func(name string) []option { return []option{header("X-Amz-Acl", name)} }
	reading := "list head miss get stat"
	block := func(flag string) func(*env) {
		return func(o *env) {
			o.req("PUT", o.on("publicAccessBlock"), text("<PublicAccessBlockConfiguration><"+flag+">true</"+flag+"></PublicAccessBlockConfiguration>")).mustBe(200)
		}
	}
	policy := func(statements ...string) func(*env) {
		return func(o *env) { o.setPolicy(statements...) }
	}
	open := allow(`"*"`, `"s3:GetObject","s3:ListBucket"`, "")
	return []situation{
		{name: "private", owner: all, agent: reading},
		{name: "bucket public-read", bucket: canned("public-read"), owner: all, other: whatReads, anon: whatReads, agent: reading},
		{name: "bucket public-read-write", bucket: canned("public-read-write"), owner: all, other: whatReads + " put begin delete",
			anon: whatReads + " put begin delete", agent: reading},
		{name: "bucket authenticated-read", bucket: canned("authenticated-read"), owner: all, other: whatReads, agent: reading},
		{name: "object public-read", object: canned("public-read"), owner: all, other: whatGets + " attributes", anon: whatGets + " attributes", agent: reading},
		{name: "object authenticated-read", object: canned("authenticated-read"), owner: all, other: whatGets + " attributes", agent: reading},
		{name: "list read by other", bucket: []option{header("X-Amz-Grant-Read-Acp", "id="+other.ID)},
			owner: allBut(all, "list", "head", "miss", "uploads", "put", "copy", "begin", "delete"), other: "bucketacl", agent: "get stat"},
		{name: "object's list changed by other", object: []option{header("X-Amz-Grant-Write-Acp", `id="`+other.ID+`"`)},
			owner: allBut(all, "get", "stat", "attributes", "copy"), other: "setacl", agent: "list head miss"},
		{name: "public access ignored", bucket: canned("public-read-write"), object: canned("public-read"), then: block("IgnorePublicAcls"), owner: all, agent: reading},
		{name: "policy for other", then: policy(allow(`{"AWS":"`+other.ID+`"}`, `"s3:GetObject","s3:PutObject"`, "")), owner: all,
			other: whatGets + " put copy begin", agent: reading},
		{name: "policy for all", then: policy(open), owner: all, other: reading, anon: reading, agent: reading},
		{name: "policy for all, restricted", then: func(o *env) { policy(open)(o); block("RestrictPublicBuckets")(o) }, owner: all, agent: reading},
		{name: "policy against all", object: canned("public-read"), then: policy(statement("Deny", `"*"`, `"s3:GetObject"`, "")),
			owner: allBut(all, "get", "stat", "attributes", "miss", "copy"), agent: "list head"},
		{name: "policy with a condition", then: policy(allow(`"*"`, `"s3:ListBucket"`, `{"StringEquals":{"s3:prefix":"public/"}}`)), owner: all, agent: reading},
		{name: "lists switched off", object: canned("public-read"), then: func(o *env) {
			o.req("PUT", o.on("ownershipControls"), text(ownership("BucketOwnerEnforced"))).mustBe(200)
		}, owner: allBut(all, "setacl"), agent: reading, noLists: true},
	}
}

func ownership(rule string) string {
	return `<OwnershipControls xmlns="` + namespace + `"><Rule><ObjectOwnership>` + rule + `</ObjectOwnership></Rule></OwnershipControls>`
}

// privateTo is the access control list that gives nobody but the owner anything.
func privateTo(owner string) string {
	return aclDocument(owner, `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>`+owner+`</ID></Grantee>`, "FULL_CONTROL")
}

// aclDocument has one grant; none with grantee "".
func aclDocument(owner, grantee, permission string) string {
	grant := ""
	if grantee != "" {
		grant = "<Grant>" + grantee + "<Permission>" + permission + "</Permission></Grant>"
	}
	return `<AccessControlPolicy xmlns="` + namespace + `"><Owner><ID>` + owner + `</ID></Owner><AccessControlList>` + grant +
		`</AccessControlList></AccessControlPolicy>`
}

func allow(principal, actions, condition string) string {
	return statement("Allow", principal, actions, condition)
}

func statement(effect, principal, actions, condition string) string {
	if condition == "" {
		condition = "{}"
	}
	return fmt.Sprintf(`{"Effect":"%s","Principal":%s,"Action":[%s],"Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"],"Condition":%s}`,
		effect, principal, actions, condition)
}

// policy is a document about the bucket.
func (e *env) policy(statements ...string) string {
	doc := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	return strings.ReplaceAll(doc, "BUCKET", e.bucket)
}

func (e *env) setPolicy(statements ...string) *answer {
	e.T.Helper()
	return e.req("PUT", e.on("policy"), text(e.policy(statements...))).mustBe(204)
}

// testPermissions lets everybody try everything in every situation.
func testPermissions(e *env) {
	o := e.owner()
	for _, s := range situations(e.creds.Other) {
		o.sub(s.name, func(o *env) {
			o.bucket = randomName()
			o.req("PUT", "/"+o.bucket, s.bucket...).mustBe(200)
			o.T.Cleanup(func() {
				c := cleaner{o.T, o.client}
				c.send("DELETE", "/"+o.bucket+"?policy", nil, nil)
				c.send("DELETE", "/"+o.bucket+"?ownershipControls", nil, nil)
				c.send("PUT", "/"+o.bucket+"?acl", []byte(privateTo(e.creds.Owner.ID)), nil)
				o.remove(o.bucket)
			})
			o.prepare(&s)
			o.attempt("anonymous", s.anon, anonymous)
			o.user(e.creds.Other).attempt("other", s.other)
			o.attempt("owner", s.owner)
			if e.creds.Service != nil {
				o.user(e.creds.Service).attempt("service account with a policy", s.agent)
			}
			if e.creds.Free != nil {
				o.user(e.creds.Free).attempt("service account without a policy", s.owner)
			}
			if e.creds.Disabled != nil {
				o.user(e.creds.Disabled).disabled()
			}
			if e.creds.Root != nil {
				root := o.user(e.creds.Root)
				all := everything()
				if s.noLists {
					all = allBut(all, "setacl")
				}
				root.attempt("system user", all)
				root.explained(s.anon, "")
				root.explained(s.other, "id="+e.creds.Other.ID)
				root.explained(s.owner, "id="+e.creds.Owner.ID)
				root.explained(s.agent, "id="+e.creds.Owner.ID+"&accountName="+readerName)
			}
		})
	}
}

// prepare makes the objects. An owner who took himself out of the bucket's list needs it for that.
func (e *env) prepare(s *situation) {
	e.T.Helper()
	acl := e.req("GET", e.on("acl")).mustBe(200)
	e.req("PUT", e.on("acl"), header("X-Amz-Acl", "private")).mustBe(200)
	for _, key := range []string{"k", "spare"} {
		e.put(key, "data", s.object...)
	}
	e.req("PUT", e.on("acl"), body(acl.body)).mustBe(200)
	if s.then != nil {
		s.then(e)
	}
}

// attempt does all deeds and compares which of them are allowed.
func (e *env) attempt(who, may string, opts ...option) {
	e.T.Helper()
	allowed := strings.Fields(may)
	for _, d := range deeds {
		a := d.do(e, opts...)
		want := slices.Contains(allowed, d.name)
		switch {
		case want && a.status != d.ok:
			e.T.Errorf("%s: %s: got %d %s, want %d", who, d.name, a.status, a.body, d.ok)
		case !want && d.name == "setacl" && a.status == 400: // lists are switched off
			a.fails(400, "AccessControlListNotSupported")
		case !want && a.status != 403:
			e.T.Errorf("%s: %s: got %d %s, want 403", who, d.name, a.status, a.body)
		case !want:
			a.fails(403, "AccessDenied")
		}
	}
}

// disabled checks that keys sign nothing any more.
func (e *env) disabled() {
	e.T.Helper()
	for _, d := range deeds {
		d.do(e).fails(403, "InvalidAccessKeyId")
	}
}

// explained checks that explanations for a caller are what the caller's requests met. The lists that are switched off are no question
// of rights.
func (e *env) explained(may, caller string) {
	e.T.Helper()
	allowed := strings.Fields(may)
	for _, d := range deeds {
		if d.action == "" || d.name == "setacl" {
			continue
		}
		var x explanationJSON
		query := "ostor-explain&bucket=" + e.bucket + "&action=" + d.action
		if d.key != "" {
			query += "&key=" + d.key
		}
		if caller != "" {
			query += "&" + caller
		}
		e.manage("GET", query).json(&x)
		if x.Allowed != slices.Contains(allowed, d.name) {
			e.T.Errorf("%s of %q: explained as %t: %s", d.name, caller, x.Allowed, x.Because)
		}
	}
}
