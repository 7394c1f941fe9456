package gwtest

import (
	"net/http"
	"strings"
	"time"
)

// limited is a user with keys and a bucket of its own.
func (e *env) limited() (user userJSON, as *env) {
	e.T.Helper()
	e.needSystem()
	user = e.newUser()
	as = e.as(user.AWSAccessKeys[0])
	as.bucket = as.newBucket()
	return user, as
}

type limitsJSON struct {
	Default string `json:"ops:default"`
	Get     string `json:"ops:get"`
	Put     string `json:"ops:put"`
	List    string `json:"ops:list"`
	Delete  string `json:"ops:delete"`
	Out     string `json:"bandwidth:out"`
}

// wantLimits compares the limits of a user or bucket.
func (e *env) wantLimits(of string, want limitsJSON) {
	e.T.Helper()
	var got limitsJSON
	e.manage("GET", "ostor-limits&"+of).json(&got)
	if got != want {
		e.T.Errorf("limits of %s: got %+v, want %+v", of, got, want)
	}
}

// testLimits covers ?ostor-limits and what limits do.
func testLimits(e *env) {
	user, as := e.limited()
	u, b := "id="+user.UserId, "bucket="+as.bucket
	none := limitsJSON{"0.00", "0.00", "0.00", "0.00", "0.00", "0"}
	e.wantLimits(u, none)
	e.manage("PUT", "ostor-limits&emailAddress="+user.UserEmail+"&ops&default=60&get=30&list=0").is(200)
	e.wantLimits(u, limitsJSON{"1.00", "0.50", "1.00", "0.00", "1.00", "0"})
	e.manage("PUT", "ostor-limits&"+b+"&bandwidth&out=50").is(200)
	e.wantLimits(b, limitsJSON{"0.00", "0.00", "0.00", "0.00", "0.00", "50"})
	e.manage("PUT", "ostor-limits&"+u+"&limit-type=ops&limit-resource=get&limit-value=3600").is(200)
	e.wantLimits(u, limitsJSON{"1.00", "3600.00", "1.00", "0.00", "1.00", "0"})
	e.manage("PUT", "ostor-limits&"+u+"&ops&put=1").is(200)
	e.wantLimits(u, limitsJSON{"0.00", "0.00", "0.02", "0.00", "0.00", "0"})

	// One a minute: of four at once, two at least are too many, wherever the minute begins.
	refused := 0
	for range 4 {
		if r := as.req("PUT", as.at("k"), text("data")); r.status == http.StatusServiceUnavailable {
			r.fails(503, "SlowDown")
			refused++
		}
	}
	if refused < 2 {
		e.T.Errorf("%d of 4 puts were refused", refused)
	}
	as.get("k").is(200)
	as.req("GET", "/"+as.bucket).is(200)
	e.req("PUT", as.at("other"), text("data")).is(200) // by another user
	e.manage("DELETE", "ostor-limits&"+u).is(204)
	e.wantLimits(u, none)
	for range 4 {
		as.put("k", strings.Repeat("x", 120<<10))
	}
	if got := as.get("k").is(200); len(got.body) != 120<<10 { // more than one second's worth
		e.T.Errorf("a slow answer: got %d bytes", len(got.body))
	}
	e.manage("DELETE", "ostor-limits&"+b).is(204)
	e.manage("DELETE", "ostor-limits&"+b).is(204)

	for _, q := range []string{
		"", "&" + u + "&" + b, "&id=", "&" + u + "&bandwidth&ops&get=1&out=1", "&" + u + "&ops&get=-1", "&" + u + "&ops&get=x", "&" + u + "&ops&get=1.5",
		"&" + u + "&ops&get=60000001", "&" + u + "&bandwidth", "&" + u + "&ops&out=5", "&" + u + "&get=5", "&" + u + "&ops&what=1",
		"&" + u + "&limit-type=ops&limit-resource=out&limit-value=1", "&" + u + "&limit-type=ops&limit-resource=get",
	} {
		e.manage("PUT", "ostor-limits"+q).refused(400, "InvalidArgument")
	}
	e.manage("GET", "ostor-limits").refused(400, "InvalidArgument")
	e.manage("GET", "ostor-limits&bucket=no-such-"+as.bucket).refused(404, "NoSuchBucket")
	e.manage("GET", "ostor-limits&bucket=.holdfast").refused(404, "NoSuchBucket")
	e.manage("PUT", "ostor-limits&id=ffffffffffffffff&ops&get=1").refused(404, "NoSuchEntity")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		as.manage(method, "ostor-limits&"+u+"&ops&get=1").refused(403, "AccessDenied")
	}
}

type quotaJSON struct {
	Version string `json:"version"`
	Type    string `json:"type"`
	Size    string `json:"size"`
	Bytes   int64  `json:"size_bytes"`
}

func (e *env) wantQuota(of string, want quotaJSON) {
	e.T.Helper()
	var got quotaJSON
	e.manage("GET", "ostor-quotas&"+of).json(&got)
	if want.Version = "1"; got != want {
		e.T.Errorf("quota of %s: got %+v, want %+v", of, got, want)
	}
}

// full puts what must be too much.
func (e *env) full(key, data string) {
	e.T.Helper()
	e.req("PUT", e.at(key), text(data)).fails(403, "QuotaExceeded")
}

// testBucketQuotas covers ?ostor-quotas of buckets and what they do.
func testBucketQuotas(e *env) {
	user, as := e.limited()
	b := "bucket=" + as.bucket
	kilo := strings.Repeat("x", 1000)
	e.wantQuota(b, quotaJSON{Type: "bucket", Size: "0"})
	e.manage("PUT", "ostor-quotas&"+b+"&quota-size=1024").is(200)
	e.wantQuota(b, quotaJSON{Type: "bucket", Size: "1024", Bytes: 1 << 40})
	as.put("a/1", kilo)
	e.manage("PUT", "ostor-quotas&"+b+"&quota-bytes=2500").is(200)
	as.put("b/2", kilo)
	as.full("c/3", kilo)
	as.absent("c/3")
	e.req("PUT", as.at("c/3"), text(kilo)).fails(403, "QuotaExceeded") // whoever puts
	as.put("c/3", kilo[:500])                                          // to the byte
	as.full("d/4", "x")
	as.put("d/4", "")
	as.put("a/1", kilo[:900]) // in place of more
	as.put("a/1", kilo)
	as.req("PUT", as.at("e/5"), header("X-Amz-Copy-Source", as.at("a/1"))).fails(403, "QuotaExceeded")
	as.req("DELETE", as.at("b/2")).is(204)
	as.req("PUT", as.at("e/5"), header("X-Amz-Copy-Source", as.at("a/1"))).is(200)

	as.req("DELETE", as.at("e/5")).is(204) // parts count from when they are there
	up := as.begin("m")
	as.part(up, 1, []byte(kilo))
	as.full("d/4", "x")
	as.req("PUT", up.partTarget(2), text("x")).fails(403, "QuotaExceeded")
	as.req("DELETE", up.target()).is(204)
	as.put("d/4", kilo)

	e.manage("PUT", "ostor-quotas&"+b+"&quota-bytes=100").is(200) // less than is there
	as.full("d/4", kilo+"x")
	as.full("f/6", "x")
	as.put("d/4", kilo)
	as.get("a/1").is(200)
	e.manage("DELETE", "ostor-quotas&"+b).is(204)
	e.wantQuota(b, quotaJSON{Type: "bucket", Size: "0"})
	as.put("f/6", kilo)

	for _, q := range []string{
		"&" + b, "&quota-size=1", "&" + b + "&quota-size=-1", "&" + b + "&quota-size=x", "&" + b + "&quota-size=1&quota-bytes=1",
		"&" + b + "&id=" + user.UserId + "&quota-size=1", "&default=everybody&quota-size=1", "&" + b + "&quota-size=99999999999999",
	} {
		e.manage("PUT", "ostor-quotas"+q).refused(400, "InvalidArgument")
	}
	e.manage("PUT", "ostor-quotas&bucket=no-such-"+as.bucket+"&quota-size=1").refused(404, "NoSuchBucket")
	e.manage("GET", "ostor-quotas&id=ffffffffffffffff").refused(404, "NoSuchEntity")
	as.manage("GET", "ostor-quotas&"+b).refused(403, "AccessDenied")
}

// testUserQuotas covers ?ostor-quotas of users and defaults. The defaults are so large that other tests do not notice.
func testUserQuotas(e *env) {
	user, as := e.limited()
	u := "emailAddress=" + user.UserEmail
	e.manage("PUT", "ostor-quotas&default=user&quota-size=1024").is(200)
	e.T.Cleanup(func() {
		if s := (cleaner{e.T, e.client}).send("DELETE", "/?ostor-quotas&default=user", nil, nil); s != http.StatusNoContent {
			e.T.Errorf("the default quota could not be removed: %d", s)
		}
	})
	e.wantQuota("default=user", quotaJSON{Type: "user", Size: "1024", Bytes: 1 << 40})
	e.wantQuota(u, quotaJSON{Type: "user", Size: "1024", Bytes: 1 << 40})
	e.manage("PUT", "ostor-quotas&"+u+"&quota-bytes=2000").is(200)
	kilo := strings.Repeat("x", 1000)
	as.put("a", kilo)
	other := as.newBucket()
	as.req("PUT", "/"+other+"/b", text(kilo)).is(200)
	as.full("c", "x")
	as.req("PUT", "/"+other+"/b", text(kilo)).is(200) // in place of as much
	e.req("PUT", as.at("c"), text("x")).fails(403, "QuotaExceeded")
	as.req("DELETE", "/"+other+"/b").is(204)
	e.manage("DELETE", "ostor-quotas&"+u).is(204)
	as.put("c", kilo+kilo)

	e.manage("PUT", "ostor-quotas&default=bucket&quota-size=512").is(200)
	made := as.newBucket()
	e.manage("DELETE", "ostor-quotas&default=bucket").is(204)
	e.wantQuota("bucket="+made, quotaJSON{Type: "bucket", Size: "512", Bytes: 512 << 30})
	as.req("PUT", "/"+made+"/b", text(kilo)).is(200)
	e.wantQuota("default=bucket", quotaJSON{Type: "bucket", Size: "0"})
}

type usageItem struct {
	Key struct {
		Bucket string `json:"bucket"`
		Epoch  int64  `json:"epoch"`
		User   string `json:"user_id"`
		Tag    string `json:"tag"`
	} `json:"key"`
	Counters struct {
		Ops struct{ Put, Get, List, Other int64 } `json:"ops"`
		Net struct{ Uploaded, Downloaded int64 }  `json:"net_io"`
	} `json:"counters"`
}

type usageJSON struct {
	Format  int         `json:"fmt_version"`
	Service string      `json:"service_id"`
	Start   int64       `json:"start_ts"`
	Period  int64       `json:"period"`
	Items   int         `json:"nr_items"`
	List    []usageItem `json:"items"`
}

type usageNames struct {
	Items     int      `json:"nr_items"`
	Truncated bool     `json:"truncated"`
	Names     []string `json:"items"`
}

// bill is what the usage objects say of a user. Objects never change, so each is read once.
type bill struct {
	user string
	last string // name of an object that has something of the user
	sum  usageItem
	seen map[string]bool
}

// collect reads the objects that are new, a few names at a time.
func (e *env) collect(b *bill) {
	e.T.Helper()
	var page usageNames
	for after := ""; after == "" || page.Truncated; {
		page = usageNames{}
		e.manage("GET", "ostor-usage&limit=7&after="+after).json(&page)
		if page.Items != len(page.Names) || page.Items > 7 || page.Truncated && page.Items == 0 {
			e.T.Fatalf("got %+v", page)
		}
		for _, after = range page.Names {
			if !b.seen[after] {
				b.seen[after] = true
				e.collectOne(b, after)
			}
		}
		if after == "" {
			return
		}
	}
}

func (e *env) collectOne(b *bill, name string) {
	e.T.Helper()
	r := e.manage("GET", "ostor-usage&obj="+name)
	if r.status == 404 { // another run of the test deleted it
		return
	}
	var o usageJSON
	r.json(&o)
	if o.Format != 1 || o.Items != len(o.List) || o.Start == 0 || o.Period == 0 || !strings.HasPrefix(name, "s3-usage-"+o.Service+"-") {
		e.T.Errorf("%s: got %+v", name, o)
	}
	for _, i := range o.List {
		if i.Key.User == b.user {
			b.last = name
			b.sum.add(i)
		}
	}
}

func (u *usageItem) add(i usageItem) {
	u.Counters.Ops.Put += i.Counters.Ops.Put
	u.Counters.Ops.Get += i.Counters.Ops.Get
	u.Counters.Ops.List += i.Counters.Ops.List
	u.Counters.Ops.Other += i.Counters.Ops.Other
	u.Counters.Net.Uploaded += i.Counters.Net.Uploaded
	u.Counters.Net.Downloaded += i.Counters.Net.Downloaded
}

// testUsage covers ?ostor-usage.
func testUsage(e *env) {
	user, as := e.limited() // one operation: the bucket
	if !e.creds.Usage {
		e.Skip("the endpoint does not record usage at once")
	}
	as.put("k", "four")
	as.put("k", "five!")
	as.get("k").is(200)
	as.absent("none")
	as.req("HEAD", as.at("k")).is(200)
	as.req("DELETE", as.at("k")).is(204)
	var want usageItem
	want.Counters.Ops.Put, want.Counters.Ops.Get, want.Counters.Ops.Other = 2, 3, 2
	want.Counters.Net.Uploaded = 9
	b := &bill{user: user.UserId, seen: make(map[string]bool)}
	for deadline := time.Now().Add(30 * time.Second); ; {
		e.collect(b)
		want.Counters.Net.Downloaded = max(b.sum.Counters.Net.Downloaded, 5) // and the document of the error
		if b.sum == want {
			break
		}
		if time.Now().After(deadline) {
			e.T.Fatalf("usage: got %+v, want %+v", b.sum.Counters, want.Counters)
		}
		time.Sleep(50 * time.Millisecond) // between two polls
	}
	e.manage("DELETE", "ostor-usage&obj="+b.last).is(204)
	e.manage("GET", "ostor-usage&obj=s3-usage-none").refused(404, "NoSuchKey")
	e.manage("DELETE", "ostor-usage&obj=s3-usage-none").refused(404, "NoSuchKey")
	e.manage("DELETE", "ostor-usage&obj=../u/x").refused(404, "NoSuchKey")
	e.manage("DELETE", "ostor-usage").refused(400, "InvalidArgument")
	e.manage("GET", "ostor-usage&obj=").refused(400, "InvalidArgument")
	e.manage("GET", "ostor-usage&limit=x").refused(400, "InvalidArgument")
	as.manage("GET", "ostor-usage").refused(403, "AccessDenied")
}
