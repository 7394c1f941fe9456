package gwtest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"holdfast/gw/sigv2"
	"holdfast/gw/sigv4"
)

// The answers of the management API, field by field.
type (
	pairJSON struct {
		AWSAccessKeyId     string
		AWSSecretAccessKey string
	}
	accountJSON struct {
		Name          string
		AWSAccessKeys []pairJSON
		Policy        json.RawMessage
	}
	userJSON struct {
		UserEmail, UserId, State, OwnerId string
		Flags                             []string
		AWSAccessKeys                     []pairJSON
		AccountCount                      string
		Accounts                          []accountJSON
		SpaceStat                         *struct{ LastTs, SizeCurr, SizeHMax, SizeHInt int64 }
	}
	bucketsJSON struct {
		Buckets []struct {
			Name         string `json:"name"`
			Epoch        int64  `json:"epoch"`
			CreationDate string `json:"creation_date"`
			OwnerID      string `json:"owner_id"`
			Versioning   string `json:"versioning"`
			Size         struct {
				Current int64 `json:"current"`
				HMax    int64 `json:"hmax"`
			} `json:"size"`
			ACL []struct{ Grantee, Permission string } `json:"acl"`
		}
	}
)

// json decodes the JSON of a success, strictly: a field that is not in the API is an error.
func (a *answer) json(into any) *answer {
	a.t.Helper()
	a.is(200).has("Content-Type", "application/json")
	d := json.NewDecoder(strings.NewReader(string(a.body)))
	if err := d.Decode(into); err != nil {
		a.t.Fatalf("%s: %v in %s", a.what, err, clip(string(a.body)))
	}
	if !regexp.MustCompile(`^[0-9]+$`).MatchString(a.header.Get("X-Amz-Req-Time-Micros")) {
		a.t.Errorf("%s: X-Amz-Req-Time-Micros is %q", a.what, a.header.Get("X-Amz-Req-Time-Micros"))
	}
	if id := a.header.Get("X-Amz-Request-Id"); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
		a.t.Errorf("%s: the request id is %q", a.what, id)
	}
	return a
}

// refused checks an error of the management API, whose message is in a header too.
func (a *answer) refused(status int, code string) {
	a.t.Helper()
	a.fails(status, code)
	if a.header.Get("X-Amz-Err-Message") == "" {
		a.t.Errorf("%s: %s has no X-Amz-Err-Message", a.what, code)
	}
}

// manage sends a request to the management API.
func (e *env) manage(method, query string, opts ...option) *answer {
	e.T.Helper()
	return e.req(method, "/?"+query, opts...)
}

// newUser makes a user who is deleted at the end of the test.
func (e *env) newUser() userJSON {
	e.T.Helper()
	var u userJSON
	email := strings.ReplaceAll(randomName(), "-", "") + "@example.com"
	e.manage("PUT", "ostor-users&emailAddress="+email).json(&u)
	if len(u.AWSAccessKeys) != 1 {
		e.Fatalf("got %+v", u)
	}
	e.T.Cleanup(func() {
		c := cleaner{e.T, e.client}
		if s := c.send("DELETE", "/?ostor-users&id="+u.UserId, nil, nil); s != http.StatusNoContent && s != http.StatusNotFound {
			e.T.Errorf("the user %s could not be deleted: %d", u.UserEmail, s)
		}
	})
	return u
}

// as is the same environment with other keys.
func (e *env) as(p pairJSON) *env {
	e.T.Helper()
	creds := e.creds
	creds.AccessKey, creds.SecretKey, creds.System = p.AWSAccessKeyId, p.AWSSecretAccessKey, false
	c := newClient(e.endpoint, creds)
	e.T.Cleanup(c.close)
	return &env{T: e.T, client: c, bucket: e.bucket}
}

func (e *env) needSystem() {
	if !e.creds.System {
		e.Skip("the credentials are not those of a system user")
	}
}

// testManagementUsers follows users through the management API, and uses their keys.
func testManagementUsers(e *env) {
	e.needSystem()
	u := e.newUser()
	key := u.AWSAccessKeys[0]
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(u.UserId) ||
		!regexp.MustCompile("^"+u.UserId+"[A-Z0-9]{4}$").MatchString(key.AWSAccessKeyId) || len(key.AWSSecretAccessKey) != 40 {
		e.Errorf("got %+v", u)
	}
	user := e.as(key)
	if a := user.req("GET", "/").is(200); !strings.Contains(string(a.body), "<DisplayName>"+u.UserEmail+"</DisplayName>") {
		e.Errorf("the owner is not shown by the address: %s", a.body)
	}
	var got userJSON
	e.manage("GET", "ostor-users&emailAddress="+strings.ToUpper(u.UserEmail)+"&space").json(&got)
	if got.UserEmail != u.UserEmail || got.UserId != u.UserId || got.State != "enabled" || got.OwnerId != "0000000000000000" || got.Flags == nil ||
		got.AccountCount != "0" || got.Accounts == nil || got.SpaceStat == nil || len(got.AWSAccessKeys) != 1 || got.AWSAccessKeys[0] != key {
		e.Errorf("got %+v", got)
	}
	var list struct{ Users []userJSON }
	e.manage("GET", "ostor-users").json(&list)
	found := 0
	for _, other := range list.Users {
		if other.UserId == u.UserId {
			found++
		}
		if len(other.AWSAccessKeys) > 0 {
			e.Errorf("the list shows keys: %+v", other)
		}
	}
	if found != 1 {
		e.Errorf("the user is %d times in the list", found)
	}
	e.manage("PUT", "ostor-users&emailAddress="+u.UserEmail).refused(409, "EntityAlreadyExists")
	e.sub("Keys", func(e *env) { keysOfUser(e, u) })
	e.sub("States", func(e *env) { statesOfUser(e, u) })
	e.sub("Refusals", func(e *env) {
		for _, tt := range []struct {
			method, query string
			status        int
			code          string
		}{
			{"GET", "ostor-users&emailAddress=a@b&id=1", 400, "InvalidArgument"},
			{"GET", "ostor-users&id=", 400, "InvalidArgument"},
			{"GET", "ostor-users&email=a@b", 400, "InvalidArgument"},
			{"GET", "ostor-users&id=0123456789abcdef", 404, "NoSuchEntity"},
			{"GET", "ostor-users&id=nonsense", 404, "NoSuchEntity"},
			{"GET", "ostor-users&emailAddress=nobody@nowhere.example", 404, "NoSuchEntity"},
			{"PUT", "ostor-users", 400, "InvalidArgument"},
			{"PUT", "ostor-users&emailAddress=nonsense", 400, "InvalidArgument"},
			{"POST", "ostor-users&id=" + u.UserId, 400, "InvalidArgument"},
			{"POST", "ostor-users&enable", 400, "InvalidArgument"},
			{"POST", "ostor-users&enable&disable&id=" + u.UserId, 400, "InvalidArgument"},
			{"POST", "ostor-users&revokeKey&id=" + u.UserId, 400, "InvalidArgument"},
			{"POST", "ostor-users&revokeKey=" + u.UserId + "0000&id=" + u.UserId, 404, "NoSuchEntity"},
			{"POST", "ostor-users&genKey&accountName=x&id=" + u.UserId, 501, "NotImplemented"},
			{"DELETE", "ostor-users", 400, "InvalidArgument"},
			{"DELETE", "ostor-users&id=0123456789abcdef", 404, "NoSuchEntity"},
		} {
			e.manage(tt.method, tt.query).refused(tt.status, tt.code)
		}
	})
}

// keysOfUser gives a user a second key pair, refuses the third, and revokes the second at once.
func keysOfUser(e *env, u userJSON) {
	var second userJSON
	e.manage("POST", "ostor-users&emailAddress="+u.UserEmail+"&genKey").json(&second)
	if second.UserId != u.UserId || second.UserEmail != u.UserEmail || len(second.AWSAccessKeys) != 1 {
		e.Fatalf("got %+v", second)
	}
	e.manage("POST", "ostor-users&id="+u.UserId+"&genKey").refused(409, "LimitExceeded")
	user := e.as(second.AWSAccessKeys[0])
	user.req("GET", "/").is(200)
	e.manage("POST", "ostor-users&emailAddress="+u.UserEmail+"&revokeKey="+second.AWSAccessKeys[0].AWSAccessKeyId).is(200).holds(nil)
	user.req("GET", "/").fails(403, "InvalidAccessKeyId")
	e.as(u.AWSAccessKeys[0]).req("GET", "/").is(200)
}

// statesOfUser disables and enables a user; each takes effect at once.
func statesOfUser(e *env, u userJSON) {
	user := e.as(u.AWSAccessKeys[0])
	for range 3 {
		e.manage("POST", "ostor-users&id="+u.UserId+"&disable").is(200).holds(nil)
		user.req("GET", "/").fails(403, "InvalidAccessKeyId")
		var got userJSON
		if e.manage("GET", "ostor-users&id="+u.UserId).json(&got); got.State != "disabled" {
			e.Errorf("the state is %q", got.State)
		}
		e.manage("POST", "ostor-users&id="+u.UserId+"&enable").is(200).holds(nil)
		user.req("GET", "/").is(200)
	}
}

// testManagementAccounts follows service accounts.
func testManagementAccounts(e *env) {
	e.needSystem()
	u := e.newUser()
	at := "ostor-accounts&emailAddress=" + u.UserEmail
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`
	var a accountJSON
	e.manage("POST", at+"&accountName=app", text(policy)).json(&a)
	if len(a.AWSAccessKeys) != 1 || a.Name != "app" || !regexp.MustCompile(`^holdfast-[A-Z0-9]{10}$`).MatchString(a.AWSAccessKeys[0].AWSAccessKeyId) ||
		len(a.AWSAccessKeys[0].AWSSecretAccessKey) != 40 || string(a.Policy) != policy {
		e.Fatalf("got %+v", a)
	}
	e.manage("POST", at+"&accountName=app").refused(409, "EntityAlreadyExists")
	e.manage("PUT", at+"&accountName=app").is(200).holds(nil)
	e.as(a.AWSAccessKeys[0]).req("GET", "/").is(200)
	var shown accountJSON
	e.manage("GET", at+"&accountName=app").json(&shown)
	if shown.Policy != nil || shown.AWSAccessKeys[0].AWSSecretAccessKey != "" || shown.AWSAccessKeys[0].AWSAccessKeyId != a.AWSAccessKeys[0].AWSAccessKeyId {
		e.Errorf("got %+v", shown)
	}
	var all struct{ Accounts []accountJSON }
	if e.manage("GET", at).json(&all); len(all.Accounts) != 1 || all.Accounts[0].Name != "app" {
		e.Errorf("got %+v", all)
	}
	var full userJSON
	if e.manage("GET", "ostor-users&id="+u.UserId).json(&full); full.AccountCount != "1" || len(full.Accounts) != 1 {
		e.Errorf("got %+v", full)
	}
	for _, tt := range []struct {
		method, query, body string
		status              int
		code                string
	}{
		{"POST", at, "", 400, "InvalidArgument"},
		{"POST", at + "&accountName=a/b", "", 400, "InvalidArgument"},
		{"POST", at + "&accountName=x", "{", 400, "InvalidArgument"},
		{"PUT", at + "&accountName=x", policy, 404, "NoSuchEntity"},
		{"GET", at + "&accountName=x", "", 404, "NoSuchEntity"},
		{"GET", "ostor-accounts", "", 400, "InvalidArgument"},
		{"DELETE", at + "&accountName=x", "", 404, "NoSuchEntity"},
		{"DELETE", at, "", 400, "InvalidArgument"},
	} {
		e.manage(tt.method, tt.query, text(tt.body)).refused(tt.status, tt.code)
	}
	e.manage("DELETE", at+"&accountName=app").is(204).holds(nil)
	e.as(a.AWSAccessKeys[0]).req("GET", "/").fails(403, "InvalidAccessKeyId")
	e.as(u.AWSAccessKeys[0]).req("GET", "/").is(200)
}

// testManagementBuckets looks at buckets, gives one away and deletes one that is not empty.
func testManagementBuckets(e *env) {
	e.needSystem()
	u, v := e.newUser(), e.newUser()
	user, name := e.as(u.AWSAccessKeys[0]), randomName()
	user.req("PUT", "/"+name).mustBe(200)
	user.req("PUT", "/"+name+"/a/b", text("0123456789")).mustBe(200)
	user.req("POST", "/"+name+"/c?uploads").mustBe(200)
	e.manage("DELETE", "ostor-users&id="+u.UserId).refused(409, "DeleteConflict")
	user.req("GET", "/").is(200)

	var got bucketsJSON
	for _, query := range []string{"&emailAddress=" + u.UserEmail, "&id=" + u.UserId, "&bucket=" + name} {
		got = bucketsJSON{}
		e.manage("GET", "ostor-buckets"+query).json(&got)
		if len(got.Buckets) != 1 {
			e.Fatalf("%s: got %+v", query, got)
		}
		b := got.Buckets[0]
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", b.CreationDate); err != nil || b.Name != name || b.OwnerID != u.UserId || b.Versioning != "none" ||
			b.Size.Current != 10 || b.Size.HMax < 10 {
			e.Errorf("%s: got %+v, %v", query, b, err)
		}
	}
	if acl := got.Buckets[0].ACL; len(acl) != 1 || acl[0].Grantee != u.UserId || acl[0].Permission != "FULL_CONTROL" {
		e.Errorf("got %+v", acl)
	}
	e.manage("GET", "ostor-buckets&multi", text(`["`+name+`","no-such-bucket-anywhere"]`)).json(&got)
	if len(got.Buckets) != 1 {
		e.Errorf("got %+v", got)
	}
	if e.manage("GET", "ostor-buckets").json(&got); len(got.Buckets) < 2 {
		e.Errorf("there are %d buckets", len(got.Buckets))
	}
	for _, b := range got.Buckets {
		if strings.HasPrefix(b.Name, ".") {
			e.Errorf("the store's own bucket %s is listed", b.Name)
		}
	}
	e.manage("GET", "ostor-buckets&bucket=no-such-bucket-anywhere").refused(404, "NoSuchBucket")
	e.manage("GET", "ostor-buckets&bucket=.holdfast").refused(404, "NoSuchBucket")
	e.manage("DELETE", "ostor-buckets&bucket=.holdfast").refused(404, "NoSuchBucket")
	e.manage("GET", "ostor-buckets&id=0123456789abcdef").refused(404, "NoSuchEntity")
	e.manage("GET", "ostor-buckets&multi", text("{}")).refused(400, "InvalidArgument")
	e.manage("POST", "ostor-buckets&bucket="+name+"&newOwner=0123456789abcdef").refused(404, "NoSuchEntity")
	e.manage("DELETE", "ostor-buckets").refused(400, "InvalidArgument")

	e.manage("POST", "ostor-buckets&bucket="+name+"&newOwner="+v.UserId).is(200)
	user.req("GET", "/"+name).fails(403, "AccessDenied")
	e.as(v.AWSAccessKeys[0]).req("GET", "/"+name).is(200)
	for range 10 {
		var done struct {
			Deleted          bool
			Objects, Uploads int
		}
		if e.manage("DELETE", "ostor-buckets&bucket="+name).json(&done); done.Deleted {
			break
		}
	}
	e.req("HEAD", "/"+name).is(404)
	e.manage("DELETE", "ostor-users&id="+u.UserId).is(204)
}

// testManagementSignatures signs management requests in all ways, and as others than system users.
func testManagementSignatures(e *env) {
	e.needSystem()
	v2 := func(r *request) {
		// What clients of the API do: nothing but the first parameter is signed.
		short := r.Request.Clone(r.Context())
		short.URL.RawQuery, _, _ = strings.Cut(r.URL.RawQuery, "&")
		sigv2.Sign(short, e.creds.keys(), "", time.Now())
		r.Header = short.Header
	}
	u := e.newUser()
	var got userJSON
	if e.manage("GET", "ostor-users&emailAddress="+u.UserEmail, signed(v2)).json(&got); got.UserId != u.UserId {
		e.Errorf("got %+v", got)
	}
	e.manage("GET", "ostor-users&id="+u.UserId, e.unsignedPayload()).is(200)
	e.manage("GET", "ostor-users", signed(func(r *request) {
		sigv2.Sign(r.Request, sigv4.Credentials{AccessKey: e.creds.AccessKey, SecretKey: "wrong"}, "", time.Now())
	})).refused(403, "SignatureDoesNotMatch")
	e.manage("GET", "ostor-users", anonymous).refused(403, "AccessDenied")
	user := e.as(u.AWSAccessKeys[0])
	for _, op := range []string{"GET /?ostor-users", "PUT /?ostor-users&emailAddress=a@b", "GET /?ostor-accounts&id=" + u.UserId, "GET /?ostor-buckets"} {
		method, target, _ := strings.Cut(op, " ")
		user.req(method, target).refused(403, "AccessDenied")
	}
}
