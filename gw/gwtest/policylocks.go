package gwtest

import (
	"time"
)

// testPolicyLocks checks the keys of conditions about locks: those of the headers with which an object is made, and of the documents that
// set a lock later.
func testPolicyLocks(e *env) {
	o := e.owner()
	o.bucket = o.newBucket()
	o.lockBucket()
	o.put("k", "data")
	other := e.user(e.creds.Other)
	other.bucket = o.bucket
	const day = 24 * time.Hour
	made := func(options ...option) []option {
		return append(options, text("x"), header("Content-MD5", md5Base64("x")))
	}
	retained := func(mode string, d time.Duration) []option { return made(lockHeaders(mode, in(d))) }
	held := func(status string) []option { return made(header("X-Amz-Object-Lock-Legal-Hold", status)) }
	retain := func(d time.Duration) []option { return []option{text(retentionDocument("GOVERNANCE", in(d)))} }
	hold := func(status string) []option { return []option{text(holdDocument(status))} }
	const put, putHeld = `"s3:PutObject","s3:PutObjectRetention"`, `"s3:PutObject","s3:PutObjectLegalHold"`
	for _, c := range []struct {
		actions, condition string
		target             func(*env) string
		met, unmet         []option
	}{
		{put, `{"StringEquals":{"s3:object-lock-mode":"GOVERNANCE"}}`, onKey("new", ""), retained("GOVERNANCE", day), retained("COMPLIANCE", day)},
		{put, `{"DateLessThan":{"s3:object-lock-retain-until-date":"` + isoTime(in(2*day)) + `"}}`, onKey("new", ""),
			retained("GOVERNANCE", day), retained("GOVERNANCE", 3*day)},
		{put, `{"NumericLessThanEquals":{"s3:object-lock-remaining-retention-days":"10"}}`, onKey("new", ""),
			retained("GOVERNANCE", 9*day), retained("GOVERNANCE", 12*day)},
		{putHeld, `{"StringEquals":{"s3:object-lock-legal-hold":"OFF"}}`, onKey("new", ""), held("OFF"), held("ON")},
		{`"s3:PutObjectRetention"`, `{"StringEquals":{"s3:object-lock-mode":"COMPLIANCE"}}`, onKey("k", "retention"), nil, retain(day)},
		{`"s3:PutObjectRetention"`, `{"NumericLessThan":{"s3:object-lock-remaining-retention-days":"30"}}`, onKey("k", "retention"),
			retain(20 * day), retain(40 * day)},
		{`"s3:PutObjectRetention"`, `{"DateGreaterThan":{"s3:object-lock-retain-until-date":"` + isoTime(in(30*day)) + `"}}`, onKey("k", "retention"),
			retain(40 * day), retain(21 * day)},
		{`"s3:PutObjectLegalHold"`, `{"StringEquals":{"s3:object-lock-legal-hold":"OFF"}}`, onKey("k", "legal-hold"), hold("OFF"), hold("ON")},
	} {
		o.setPolicy(allow(`{"AWS":"`+e.creds.Other.ID+`"}`, c.actions, c.condition))
		if c.met != nil {
			if a := other.req("PUT", c.target(other), c.met...); a.status != 200 {
				e.T.Errorf("%s under %s: got %d %s, want 200", c.actions, c.condition, a.status, clip(string(a.body)))
			}
		}
		if a := other.req("PUT", c.target(other), c.unmet...); a.status != 403 {
			e.T.Errorf("%s without %s: got %d %s, want 403", c.actions, c.condition, a.status, clip(string(a.body)))
		}
	}
	o.req("DELETE", o.on("policy")).is(204)
}
