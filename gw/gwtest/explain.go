package gwtest

import (
	"strings"
)

// explanationJSON is the answer to the question who may do what.
type explanationJSON struct {
	Allowed       bool          `json:"allowed"`
	Because       string        `json:"because"`
	AccountPolicy []findingJSON `json:"account_policy"`
	BucketPolicy  []findingJSON `json:"bucket_policy"`
}

type findingJSON struct {
	Statement        int
	Sid, Effect, Why string
	Applies          bool
}

// testManagementExplain asks who may do what and why. That explanations agree with what requests meet is checked by testPermissions.
func testManagementExplain(e *env) {
	e.needSystem()
	u := e.newUser()
	e.put("dir/key", "data")
	e.setPolicy(
		allow(`{"AWS":"`+u.UserId+`"}`, `"s3:GetObject"`, `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`),
		`{"Sid":"never","Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::BUCKET/*"}`,
	)
	explain := func(allowed bool, because, query string) explanationJSON {
		e.T.Helper()
		var x explanationJSON
		e.manage("GET", "ostor-explain&bucket="+e.bucket+"&"+query).json(&x)
		if x.Allowed != allowed || !strings.Contains(x.Because, because) {
			e.T.Errorf("%s: got %+v, want %t: %s", query, x, allowed, because)
		}
		return x
	}
	user := "&id=" + u.UserId
	x := explain(true, "statement 0", "action=s3:GetObject&key=dir%2Fkey&with=aws%3ASourceIp%3D192.0.2.7"+user)
	if len(x.BucketPolicy) != 2 || !x.BucketPolicy[0].Applies || x.BucketPolicy[1].Applies || x.BucketPolicy[1].Sid != "never" || x.AccountPolicy != nil {
		e.T.Errorf("got %+v", x)
	}
	x = explain(false, "no grant of READ", "action=s3:GetObject&key=dir%2Fkey&with=aws%3ASourceIp%3D198.51.100.7&emailAddress="+u.UserEmail)
	if len(x.BucketPolicy) != 2 || !strings.Contains(x.BucketPolicy[0].Why, `"198.51.100.7"`) {
		e.T.Errorf("got %+v", x)
	}
	explain(false, "statement 1 (never)", "action=s3:DeleteObject&key=dir%2Fkey"+user)
	explain(false, "statement 1 (never)", "action=s3:DeleteObject&key=dir%2Fkey")
	explain(false, "does not own the bucket", "action=s3:PutBucketPolicy"+user)
	explain(false, "no such object", "action=s3:GetObject&key=none")

	e.manage("GET", "ostor-explain").refused(400, "InvalidArgument")
	for _, query := range []string{"action=s3:Fly", "action=GetObject", "action=s3:GetObject", "action=s3:ListBucket&key=k", "action=s3:ListBucket&what=1",
		"action=s3:ListBucket&accountName=a", "action=s3:ListBucket&with=aws%3ASourceIp", "action=s3:ListBucket&with=aws%3APrincipalArn%3Da",
		"action=s3:ListBucket&with=s3%3Awhat%3Da", "action=s3:ListBucket&emailAddress=a%40b&id=c", "action=s3:GetObjectVersion&key=k&versionId=what"} {
		e.manage("GET", "ostor-explain&bucket="+e.bucket+"&"+query).refused(400, "InvalidArgument")
	}
	for _, query := range []string{"&emailAddress=nobody%40example.com", "&id=0123456789abcdef", "&accountName=none" + user} {
		e.manage("GET", "ostor-explain&action=s3:ListBucket&bucket="+e.bucket+query).refused(404, "NoSuchEntity")
	}
	e.manage("GET", "ostor-explain&action=s3:ListBucket&bucket=gwtest-nothing").refused(404, "NoSuchBucket")
	e.as(u.AWSAccessKeys[0]).manage("GET", "ostor-explain&action=s3:ListBucket&bucket="+e.bucket).refused(403, "AccessDenied")
	e.manage("POST", "ostor-users&disable"+user).is(200)
	explain(false, "disabled", "action=s3:ListBucket"+user)
	e.req("DELETE", e.on("policy")).is(204)
}
