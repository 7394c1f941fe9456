package gwtest

import "testing"

// accessAcross changes who may do what through the first gateway, and looks at every gateway whether it goes by that from
// the next request on: the promise is a second, but the change has been acknowledged by then. Each keeps what it
// was told of the caller and of the bucket: each is asked before every change.
func accessAcross(t *testing.T, clients []*client) {
	root := &env{T: t, client: clients[0]}
	root.bucket = root.newBucket()
	root.put("k", "data")
	u := root.newUser()
	var app accountJSON
	root.manage("POST", "ostor-accounts&accountName=app&id="+u.UserId).json(&app)
	const missing = "InvalidAccessKeyId"
	everywhere := func(what string, keys pairJSON, status int, code string) {
		t.Helper()
		for _, c := range clients {
			at := (&env{T: t, client: c, bucket: root.bucket}).as(keys)
			a := at.req("GET", at.at("k"))
			if a.status != status || code != "" && !a.isError(code) {
				t.Errorf("%s: %s: got %d %s, want %d %s", what, c.endpoint, a.status, clip(string(a.body)), status, code)
			}
		}
	}
	own, service := u.AWSAccessKeys[0], app.AWSAccessKeys[0]
	both := func(what string, status int, code string) {
		t.Helper()
		everywhere(what, own, status, code)
		everywhere(what+", service account", service, status, code)
	}
	both("no rule", 403, "AccessDenied")
	root.setPolicy(allow(`{"AWS":"`+u.UserId+`"}`, `"s3:GetObject"`, ""))
	both("a policy", 200, "")
	root.req("DELETE", root.on("policy")).is(204)
	both("no policy", 403, "AccessDenied")
	root.req("PUT", root.at("k")+"?acl", header("X-Amz-Grant-Read", "id="+u.UserId)).is(200)
	both("a list", 200, "")
	none := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`
	root.manage("PUT", "ostor-accounts&accountName=app&id="+u.UserId, text(none)).is(200)
	everywhere("a policy of the service account", service, 403, "AccessDenied")
	root.manage("PUT", "ostor-accounts&accountName=app&id="+u.UserId).is(200)
	both("no policy of the service account", 200, "")
	root.manage("POST", "ostor-users&disable&id="+u.UserId).is(200)
	both("disabled", 403, missing)
	root.manage("POST", "ostor-users&enable&id="+u.UserId).is(200)
	both("enabled", 200, "")
	root.manage("DELETE", "ostor-accounts&accountName=app&id="+u.UserId).is(204)
	everywhere("service account deleted", service, 403, missing)
	everywhere("service account deleted, user", own, 200, "")
	root.manage("POST", "ostor-users&id="+u.UserId+"&revokeKey="+own.AWSAccessKeyId).is(200)
	everywhere("revoked", own, 403, missing)
}
