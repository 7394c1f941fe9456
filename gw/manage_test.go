package gw

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/gw/account"
	"holdfast/gw/sigv4"
	"holdfast/volume"
)

// manager is a gateway to manage, and what lies under it.
type manager struct {
	*testClient
	volume   *volume.Volume
	accounts *account.Store
}

func newManager(t *testing.T) *manager {
	m := &manager{}
	g := newTestGateway(t, func(o *Options) { m.volume, m.accounts = o.Volume, o.Accounts })
	m.testClient = clientOf(t, serve(t, g))
	return m
}

func (m *manager) get(query string, into any) {
	m.t.Helper()
	a := m.do("GET", "/?"+query, nil).is(200)
	if err := json.Unmarshal(a.body, into); err != nil {
		m.t.Fatalf("%s: %v", query, err)
	}
}

// TestLongLists lists more users and buckets than fit one page of anything: the JSON is whole, and each is there once.
func TestLongLists(t *testing.T) {
	const n = 2100
	m := newManager(t)
	want := make(map[string]bool)
	for i := range n {
		u, err := m.accounts.Create(t.Context(), fmt.Sprintf("user%d@example.com", i), false)
		if err != nil {
			t.Fatal(err)
		}
		want[u.ID] = true
		if _, err := m.volume.CreateBucket(t.Context(), holdfast.BucketInfo{Name: fmt.Sprintf("bucket-%d", i), Owner: u.ID}); err != nil {
			t.Fatal(err)
		}
	}
	var users struct{ Users []struct{ UserId string } }
	m.get("ostor-users&keys", &users)
	got := make(map[string]bool)
	for _, u := range users.Users {
		got[u.UserId] = true
	}
	if len(users.Users) != n || len(got) != n {
		t.Errorf("got %d users, %d different, want %d", len(users.Users), len(got), n)
	}
	var buckets struct {
		Buckets []struct {
			Owner string `json:"owner_id"`
		}
	}
	m.get("ostor-buckets", &buckets)
	for _, b := range buckets.Buckets {
		delete(want, b.Owner)
	}
	if len(buckets.Buckets) != n || len(want) != 0 {
		t.Errorf("got %d buckets, %d owners are missing", len(buckets.Buckets), len(want))
	}
}

// TestDeleteFullBucket deletes a bucket with more than one page of versions, some under governance, with delete markers and uploads;
// then tries one with an object that nothing may delete.
func TestDeleteFullBucket(t *testing.T) {
	m := newManager(t)
	ctx := t.Context()
	if _, err := m.volume.CreateBucket(ctx, holdfast.BucketInfo{Name: "full", Owner: testUser, Versioning: holdfast.VersioningEnabled}); err != nil {
		t.Fatal(err)
	}
	b, err := m.volume.Bucket(ctx, "full")
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, lock holdfast.Lock) {
		t.Helper()
		if _, err := b.Put(ctx, key, volume.PutRequest{Body: strings.NewReader("x"), Size: 1, Entry: holdfast.Entry{Lock: lock}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 700 {
		put(fmt.Sprintf("d%d/k", i%7), holdfast.Lock{})
		put(fmt.Sprintf("governed/%d", i), holdfast.Lock{Mode: holdfast.LockGovernance, Until: time.Now().Add(time.Hour)})
		b.Delete(ctx, []volume.DeleteRequest{{Key: fmt.Sprintf("d%d/k", i%7)}})
	}
	for i := range 30 {
		if _, err := b.CreateUpload(ctx, fmt.Sprint("up/", i), holdfast.Upload{}); err != nil {
			t.Fatal(err)
		}
	}
	type progress struct {
		Deleted          bool
		Objects, Uploads int
	}
	var sum progress
	for range 100 {
		a := m.do("DELETE", "/?ostor-buckets&bucket=full", nil).is(200)
		var p progress
		if err := json.Unmarshal(a.body, &p); err != nil {
			t.Fatal(err)
		}
		sum.Objects, sum.Uploads = sum.Objects+p.Objects, sum.Uploads+p.Uploads
		if p.Deleted {
			break
		}
	}
	if sum.Objects != 2100 || sum.Uploads != 30 {
		t.Errorf("got %+v", sum)
	}
	m.do("HEAD", "/full", nil).is(404)

	if _, err := m.volume.CreateBucket(ctx, holdfast.BucketInfo{Name: "full", Owner: testUser, Versioning: holdfast.VersioningEnabled, ObjectLock: true}); err != nil {
		t.Fatal(err)
	}
	if b, err = m.volume.Bucket(ctx, "full"); err != nil {
		t.Fatal(err)
	}
	put("free", holdfast.Lock{})
	put("held", holdfast.Lock{Mode: holdfast.LockCompliance, Until: time.Now().Add(time.Hour)})
	m.do("DELETE", "/?ostor-buckets&bucket=full", nil).fails(403, "AccessDenied")
	m.do("HEAD", "/full/held", nil).is(200)
}

// TestManagementWithoutServers asks while the store does not answer: the errors are S3's, and no user is taken for one who is not there.
func TestManagementWithoutServers(t *testing.T) {
	s := newServices()
	v, err := volume.Open(volume.Options{Services: s, RetryFor: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() }) // nothing is left to say
	accounts := newAccounts(t, v)
	u, err := accounts.Create(t.Context(), "a@b", false)
	if err != nil {
		t.Fatal(err)
	}
	c := clientOf(t, serve(t, New(Options{Volume: v, Accounts: accounts, Credentials: NewCredentials(accounts), Settings: Settings{Region: testRegion}})))
	for i, id := range s.SlotMap().Servers() {
		s.SetName(id, nil)
		defer s.SetName(id, s.names[i])
	}
	for _, request := range []string{"GET /?ostor-users", "GET /?ostor-users&id=" + u.ID, "PUT /?ostor-users&emailAddress=c@d", "DELETE /?ostor-users&id=" + u.ID,
		"GET /?ostor-buckets", "POST /?ostor-users&disable&id=" + u.ID, "DELETE /?ostor-buckets&bucket=x"} {
		method, target, _ := strings.Cut(request, " ")
		c.do(method, target, nil).fails(503, "ServiceUnavailable")
	}
}

// TestServiceBucketIsOutOfReach tries to read, copy, list, write and remove the records of users through S3, as root.
func TestServiceBucketIsOutOfReach(t *testing.T) {
	m := newManager(t)
	u, err := m.accounts.Create(t.Context(), "a@b", false)
	if err != nil {
		t.Fatal(err)
	}
	m.do("PUT", "/bucket", nil).is(200)
	record := "/" + volume.ServiceBucketName + "/u/i/" + u.ID
	for _, request := range []string{"GET " + record, "HEAD " + record, "PUT " + record, "DELETE " + record, "GET /.holdfast", "DELETE /.holdfast",
		"GET /%2Eholdfast", "PUT /.holdfast", "POST /.holdfast?delete", "GET /.holdfast?versions", "GET /.holdfast?uploads", "PUT /.holdfast?versioning"} {
		method, target, _ := strings.Cut(request, " ")
		if a := m.do(method, target, []byte("<x/>")); a.StatusCode != 400 && a.StatusCode != 404 {
			t.Errorf("%s: got %d %s", request, a.StatusCode, a.body)
		}
	}
	for _, source := range []string{record, strings.TrimPrefix(record, "/"), "/%2Eholdfast/u/i/" + u.ID} {
		if a := m.do("PUT", "/bucket/copy", nil, "X-Amz-Copy-Source", source); a.StatusCode != 400 && a.StatusCode != 404 {
			t.Errorf("copy from %s: got %d %s", source, a.StatusCode, a.body)
		}
	}
	r := m.request("GET", "/u/i/"+u.ID, nil)
	r.Host = volume.ServiceBucketName + "." + testDomain
	sigv4.Sign(r, sigv4.Credentials{AccessKey: testKey, SecretKey: testSecret}, testRegion, time.Now(), sigv4.UnsignedPayload)
	res, err := m.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // only the status counts
	if res.StatusCode != 400 && res.StatusCode != 404 {
		t.Errorf("the virtual host: got %d", res.StatusCode)
	}
	if list := m.do("GET", "/", nil).is(200); strings.Contains(string(list.body), volume.ServiceBucketName) {
		t.Errorf("the service bucket is listed: %s", list.body)
	}
	if got, err := m.accounts.User(t.Context(), u.ID); err != nil || got.Email != "a@b" {
		t.Errorf("got %+v, %v", got, err)
	}
}
