package gwtest

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// lockDocument is an object lock configuration with a rule inside.
func lockDocument(rule string) string {
	return `<ObjectLockConfiguration xmlns="` + namespace + `"><ObjectLockEnabled>Enabled</ObjectLockEnabled>` + rule + `</ObjectLockConfiguration>`
}

// defaultRule is a rule with this in its default retention.
func defaultRule(inside string) string {
	return "<Rule><DefaultRetention>" + inside + "</DefaultRetention></Rule>"
}

func retentionDocument(mode string, until time.Time) string {
	return "<Retention><Mode>" + mode + "</Mode><RetainUntilDate>" + isoTime(until) + "</RetainUntilDate></Retention>"
}

func holdDocument(status string) string {
	return "<LegalHold><Status>" + status + "</Status></LegalHold>"
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// in is a time from now in whole seconds.
func in(d time.Duration) time.Time { return time.Now().Add(d).Truncate(time.Second) }

// lockHeaders ask for a retention.
func lockHeaders(mode string, until time.Time) option {
	return func(r *request) {
		header("X-Amz-Object-Lock-Mode", mode)(r)
		header("X-Amz-Object-Lock-Retain-Until-Date", isoTime(until))(r)
	}
}

// putLocked stores an object with the digest that locked ones need, and returns its version.
func (e *env) putLocked(key, data string, opts ...option) string {
	e.T.Helper()
	return e.putVersion(key, data, append(opts, header("Content-MD5", md5Base64(data)))...)
}

// lockBucket makes the group's bucket one with object lock.
func (e *env) lockBucket() {
	e.T.Helper()
	e.versioning("Enabled")
	e.req("PUT", e.on("object-lock"), text(lockDocument(""))).mustBe(200)
}

// testLockedBuckets makes buckets with object lock and configures them.
func testLockedBuckets(e *env) {
	rule := lockDocument(defaultRule("<Mode>GOVERNANCE</Mode><Days>1</Days>"))
	e.req("GET", e.on("object-lock")).fails(404, "ObjectLockConfigurationNotFoundError", "BucketName", e.bucket)
	e.req("PUT", e.on("object-lock"), text(rule)).fails(409, "InvalidBucketState")
	e.versioning("Suspended")
	e.req("PUT", e.on("object-lock"), text(rule)).fails(409, "InvalidBucketState")
	e.req("GET", e.on("object-lock")).fails(404, "ObjectLockConfigurationNotFoundError")
	e.lockBucket()
	e.wantLock("", 0, 0)
	e.sub("configuration", func(e *env) {
		e.req("PUT", e.on("object-lock"), text(rule)).is(200)
		e.wantLock("GOVERNANCE", 1, 0)
		e.req("PUT", e.on("object-lock"), text(lockDocument(defaultRule("<Mode>COMPLIANCE</Mode><Years>100</Years>")))).is(200)
		e.wantLock("COMPLIANCE", 0, 100)
		for inside, code := range map[string]string{
			"<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>": "MalformedXML", "<Mode>GOVERNANCE</Mode>": "MalformedXML",
			"<Days>1</Days>": "MalformedXML", "<Mode>governance</Mode><Days>1</Days>": "MalformedXML", "<Mode>GOVERNANCE</Mode><Days>x</Days>": "MalformedXML",
			"<Mode>GOVERNANCE</Mode><Days>0</Days>": "InvalidRetentionPeriod", "<Mode>GOVERNANCE</Mode><Years>-1</Years>": "InvalidRetentionPeriod",
			"<Mode>GOVERNANCE</Mode><Days>36501</Days>": "InvalidRetentionPeriod", "<Mode>GOVERNANCE</Mode><Years>101</Years>": "InvalidRetentionPeriod",
			"": "MalformedXML",
		} {
			e.req("PUT", e.on("object-lock"), text(lockDocument(defaultRule(inside)))).fails(400, code)
		}
		e.req("PUT", e.on("object-lock"), text(strings.Replace(rule, "Enabled<", "Disabled<", 1))).fails(400, "MalformedXML")
		e.req("PUT", e.on("object-lock"), text(lockDocument("<Rule/>"))).fails(400, "MalformedXML")
		e.req("PUT", e.on("object-lock"), text("")).fails(400, "MissingRequestBodyError")
		e.wantLock("COMPLIANCE", 0, 100)
		e.req("PUT", e.on("object-lock"), text(lockDocument(""))).is(200)
		e.wantLock("", 0, 0)
	})
	e.sub("versioning stays", func(e *env) {
		doc := "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
		e.req("PUT", e.on("versioning"), text(doc)).fails(409, "InvalidBucketState")
		e.versioning("Enabled")
	})
	e.sub("created with lock", func(e *env) {
		name := randomName()
		e.req("PUT", "/"+name, header("X-Amz-Bucket-Object-Lock-Enabled", "true")).mustBe(200)
		e.T.Cleanup(func() { e.remove(name) })
		own := &env{T: e.T, client: e.client, bucket: name}
		own.wantLock("", 0, 0)
		own.versioning("Enabled")
		e.req("PUT", "/"+randomName(), header("X-Amz-Bucket-Object-Lock-Enabled", "perhaps")).fails(400, "InvalidArgument")
	})
}

// wantLock compares the configuration of the group's bucket; no mode is no rule.
func (e *env) wantLock(mode string, days, years int) {
	e.T.Helper()
	var got struct {
		XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ObjectLockConfiguration"`
		ObjectLockEnabled string
		Rule              *struct {
			DefaultRetention struct {
				Mode        string
				Days, Years int
			}
		}
	}
	e.req("GET", e.on("object-lock")).mustBe(200).xml(&got)
	if got.ObjectLockEnabled != "Enabled" || (got.Rule == nil) != (mode == "") {
		e.Fatalf("got %+v", got)
	}
	if got.Rule != nil {
		if d := got.Rule.DefaultRetention; d.Mode != mode || d.Days != days || d.Years != years {
			e.Errorf("got %+v, want %s %d %d", d, mode, days, years)
		}
	}
}

func testObjectLock(e *env) {
	e.sub("without lock", func(e *env) {
		e.put("k", "x")
		later := in(time.Hour)
		for target, doc := range map[string]string{"retention": retentionDocument("GOVERNANCE", later), "legal-hold": holdDocument("ON")} {
			e.req("GET", e.at("k")+"?"+target).fails(400, "InvalidRequest", "Message", "Bucket is missing Object Lock Configuration")
			e.req("PUT", e.at("k")+"?"+target, text(doc)).fails(400, "InvalidRequest", "Message", "Bucket is missing Object Lock Configuration")
		}
		md5 := header("Content-MD5", md5Base64("x"))
		e.req("PUT", e.at("k"), text("x"), md5, lockHeaders("GOVERNANCE", later)).fails(400, "InvalidRequest", "Message", "Bucket is missing ObjectLockConfiguration")
		e.req("PUT", e.at("k"), text("x"), md5, header("X-Amz-Object-Lock-Legal-Hold", "ON")).fails(400, "InvalidRequest")
		e.req("POST", e.at("k")+"?uploads", lockHeaders("GOVERNANCE", later)).fails(400, "InvalidRequest")
		e.req("DELETE", e.at("k")).is(204)
	})
	e.lockBucket()
	e.sub("headers", testLockHeaders)
	e.sub("retention", testRetention)
	e.sub("legal hold", testLegalHold)
	e.sub("compliance", testCompliance)
	e.sub("deletes", testLockedDeletes)
	e.sub("default", testDefaultRetention)
}

// wantRetention compares the retention of a version and what a read shows of it.
func (e *env) wantRetention(key, id, mode string, until time.Time) {
	e.T.Helper()
	var got struct {
		XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Retention"`
		Mode, RetainUntilDate string
	}
	e.req("GET", e.version(key, id)+"&retention").mustBe(200).has("X-Amz-Version-Id", id).xml(&got)
	if got.Mode != mode || got.RetainUntilDate != isoTime(until) {
		e.Errorf("got %+v, want %s until %s", got, mode, isoTime(until))
	}
	for _, method := range []string{"GET", "HEAD"} {
		e.req(method, e.version(key, id)).is(200).has("X-Amz-Object-Lock-Mode", mode, "X-Amz-Object-Lock-Retain-Until-Date", isoTime(until))
	}
}

const lockedMessage = "Access Denied because object protected by object lock."

// wantLocked checks that a version cannot be removed.
func (e *env) wantLocked(key, id string, opts ...option) {
	e.T.Helper()
	e.req("DELETE", e.version(key, id), opts...).fails(403, "AccessDenied", "Message", lockedMessage)
	e.req("HEAD", e.version(key, id)).is(200)
}

func withBypass() option { return header("X-Amz-Bypass-Governance-Retention", "true") }

func testLockHeaders(e *env) {
	later := in(time.Hour)
	md5 := header("Content-MD5", md5Base64("x"))
	hold := header("X-Amz-Object-Lock-Legal-Hold", "ON")
	id := e.putLocked("h", "x", lockHeaders("GOVERNANCE", later), hold)
	e.wantRetention("h", id, "GOVERNANCE", later)
	e.req("GET", e.at("h")).is(200).has("X-Amz-Object-Lock-Legal-Hold", "ON")
	e.req("PUT", e.version("h", id)+"&legal-hold", text(holdDocument("OFF"))).is(200)
	for _, opt := range []option{lockHeaders("GOVERNANCE", later), hold} {
		e.req("PUT", e.at("never"), text("x"), opt).fails(400, "InvalidRequest", "Message",
			"Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
	}
	for _, c := range []struct{ mode, until, hold, name string }{
		{"GOVERNANCE", "", "", "x-amz-object-lock-mode"}, {"", isoTime(later), "", "x-amz-object-lock-retain-until-date"},
		{"governance", isoTime(later), "", "x-amz-object-lock-mode"}, {"GOVERNANCE", "tomorrow", "", "x-amz-object-lock-retain-until-date"},
		{"COMPLIANCE", isoTime(in(-time.Hour)), "", "x-amz-object-lock-retain-until-date"}, {"", "", "on", "x-amz-object-lock-legal-hold"},
	} {
		opts := []option{text("x"), md5}
		for name, value := range map[string]string{"Mode": c.mode, "Retain-Until-Date": c.until, "Legal-Hold": c.hold} {
			if value != "" {
				opts = append(opts, header("X-Amz-Object-Lock-"+name, value))
			}
		}
		e.req("PUT", e.at("never"), opts...).fails(400, "InvalidArgument", "ArgumentName", c.name)
	}
	e.absent("never")
	e.req("PUT", e.at("c"), header("X-Amz-Copy-Source", e.at("h"))).is(200)
	e.get("c").is(200).lacks("X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Legal-Hold") // a copy does not inherit the lock
	copied := e.req("PUT", e.at("c"), header("X-Amz-Copy-Source", e.at("h")), lockHeaders("GOVERNANCE", later)).is(200).header.Get("X-Amz-Version-Id")
	e.wantRetention("c", copied, "GOVERNANCE", later)
	e.wantLocked("c", copied)
	up := e.begin("m", lockHeaders("GOVERNANCE", later))
	e.req("PUT", up.partTarget(1), text("x")).fails(400, "InvalidRequest")
	tag := e.part(up, 1, []byte("x"), md5)
	done := e.req("POST", up.target(), text(completeDocument(row{1, tag}))).is(200).header.Get("X-Amz-Version-Id")
	e.wantRetention("m", done, "GOVERNANCE", later)
	e.wantLocked("m", done)
}

func testRetention(e *env) {
	id := e.putVersion("r", "x")
	set := func(doc string, opts ...option) *answer {
		e.T.Helper()
		return e.req("PUT", e.version("r", id)+"&retention", append(opts, text(doc))...)
	}
	e.req("GET", e.at("r")+"?retention").fails(404, "NoSuchObjectLockConfiguration")
	early, late := in(time.Hour), in(2*time.Hour)
	e.req("PUT", e.at("r")+"?retention", text(retentionDocument("GOVERNANCE", early))).is(200).has("X-Amz-Version-Id", id)
	e.wantRetention("r", id, "GOVERNANCE", early)
	set(retentionDocument("GOVERNANCE", late)).is(200)
	set(retentionDocument("GOVERNANCE", early)).fails(403, "AccessDenied", "Message", lockedMessage)
	set(retentionDocument("COMPLIANCE", late)).fails(403, "AccessDenied")
	set("<Retention/>").fails(403, "AccessDenied")
	e.wantRetention("r", id, "GOVERNANCE", late)
	set(retentionDocument("GOVERNANCE", early), withBypass()).is(200)
	e.wantRetention("r", id, "GOVERNANCE", early)
	set("<Retention/>", withBypass()).is(200)
	e.req("GET", e.version("r", id)+"&retention").fails(404, "NoSuchObjectLockConfiguration")
	for doc, code := range map[string]string{
		"": "MissingRequestBodyError", retentionDocument("governance", late): "MalformedXML", retentionDocument("abc", late): "MalformedXML",
		"<Retention><Mode>GOVERNANCE</Mode></Retention>": "MalformedXML", retentionDocument("GOVERNANCE", in(-time.Hour)): "InvalidArgument",
		"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>soon</RetainUntilDate></Retention>": "MalformedXML",
	} {
		set(doc).fails(400, code)
	}
	e.req("GET", e.at("none")+"?retention").fails(404, "NoSuchKey")
	e.req("PUT", e.at("none")+"?retention", text(retentionDocument("GOVERNANCE", late))).fails(404, "NoSuchKey")
	marker := e.marker("r")
	e.req("PUT", e.version("r", marker)+"&retention", text(retentionDocument("GOVERNANCE", late))).fails(405, "MethodNotAllowed")
}

func testLegalHold(e *env) {
	id := e.putVersion("l", "x")
	hold := e.version("l", id) + "&legal-hold"
	e.req("GET", hold).fails(404, "NoSuchObjectLockConfiguration")
	later := in(time.Hour)
	e.req("PUT", e.version("l", id)+"&retention", text(retentionDocument("GOVERNANCE", later))).is(200)
	for _, status := range []string{"ON", "OFF", "ON", "OFF"} {
		e.req("PUT", hold, text(holdDocument(status))).is(200).has("X-Amz-Version-Id", id)
		var got struct {
			XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LegalHold"`
			Status  string
		}
		if e.req("GET", hold).mustBe(200).xml(&got); got.Status != status {
			e.Errorf("got %s, want %s", got.Status, status)
		}
		e.get("l").is(200).has("X-Amz-Object-Lock-Legal-Hold", status)
		e.wantRetention("l", id, "GOVERNANCE", later) // the other side of the lock stays
		if status == "ON" {
			e.wantLocked("l", id, withBypass())
		}
	}
	e.wantLocked("l", id)
	e.req("PUT", hold, text(holdDocument("abc"))).fails(400, "MalformedXML")
	e.req("PUT", hold, text("")).fails(400, "MissingRequestBodyError")
	e.req("DELETE", e.version("l", id), withBypass()).is(204)
}

// testCompliance sets a retention that nobody can take off; it ends soon, so that the bucket can be removed.
func testCompliance(e *env) {
	until := in(4 * time.Second)
	id := e.putLocked("c", "x", lockHeaders("COMPLIANCE", until))
	e.wantLocked("c", id)
	e.wantLocked("c", id, withBypass())
	set := func(doc string) *answer {
		e.T.Helper()
		return e.req("PUT", e.version("c", id)+"&retention", text(doc), withBypass())
	}
	set(retentionDocument("COMPLIANCE", until.Add(-time.Second))).fails(403, "AccessDenied")
	set(retentionDocument("GOVERNANCE", until.Add(time.Hour))).fails(403, "AccessDenied")
	set("<Retention/>").fails(403, "AccessDenied")
	set(retentionDocument("COMPLIANCE", until.Add(time.Second))).is(200)
	e.wantRetention("c", id, "COMPLIANCE", until.Add(time.Second))
}

func testLockedDeletes(e *env) {
	later := in(time.Hour)
	v1, v2 := e.putLocked("d", "1", lockHeaders("GOVERNANCE", later)), e.putLocked("d", "2")
	e.wantLocked("d", v1)
	marker := e.marker("d") // hides, and removes nothing
	e.wantLocked("d", v1)
	doc := fmt.Sprintf("<Delete><Object><Key>d</Key><VersionId>%s</VersionId></Object><Object><Key>d</Key><VersionId>%s</VersionId></Object>"+
		"<Object><Key>d</Key><VersionId>%s</VersionId></Object></Delete>", v1, v2, marker)
	var got deleteResult
	e.req("POST", e.on("delete"), text(doc)).mustBe(200).xml(&got)
	if len(got.Error) != 1 || got.Error[0].Code != "AccessDenied" || got.Error[0].VersionId != v1 || got.Error[0].Message != lockedMessage || len(got.Deleted) != 2 {
		e.Errorf("got %+v", got)
	}
	e.wantVersions("prefix=d", "d@"+v1+"*")
	e.req("POST", e.on("delete"), text(doc), withBypass()).mustBe(200).xml(&deleteResult{})
	e.wantVersions("prefix=d")
}

func testDefaultRetention(e *env) {
	e.req("PUT", e.on("object-lock"), text(lockDocument(defaultRule("<Mode>GOVERNANCE</Mode><Days>2</Days>")))).mustBe(200)
	e.req("PUT", e.at("f"), text("x")).fails(400, "InvalidRequest") // without a digest
	near := func(key string) {
		e.T.Helper()
		a := e.get(key).is(200).has("X-Amz-Object-Lock-Mode", "GOVERNANCE")
		until, err := time.Parse(time.RFC3339, a.header.Get("X-Amz-Object-Lock-Retain-Until-Date"))
		if d := time.Until(until); err != nil || d < 47*time.Hour || d > 49*time.Hour {
			e.Errorf("%s is kept until %v: %v", key, until, err)
		}
		e.wantLocked(key, a.header.Get("X-Amz-Version-Id"))
	}
	e.putLocked("f", "x")
	near("f")
	e.req("PUT", e.at("f2"), header("X-Amz-Copy-Source", e.at("f"))).is(200)
	near("f2")
	up := e.begin("f3")
	tag := e.part(up, 1, []byte("x"), header("Content-MD5", md5Base64("x")))
	e.req("POST", up.target(), text(completeDocument(row{1, tag}))).is(200)
	near("f3")
	e.post(e.signedV2(policyDoc(e.conditions()))).is(204)
	near("foo.txt")
	later := in(time.Minute)
	e.wantRetention("f", e.putLocked("f", "x", lockHeaders("GOVERNANCE", later)), "GOVERNANCE", later)
	e.req("PUT", e.on("object-lock"), text(lockDocument(""))).mustBe(200)
	e.put("f", "x").lacks("X-Amz-Object-Lock-Mode")
	e.get("f").is(200).lacks("X-Amz-Object-Lock-Mode")
}
