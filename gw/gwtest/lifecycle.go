package gwtest

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// lifecycleDocument is a lifecycle configuration with one rule that expires keys with a prefix after so many days.
func lifecycleDocument(id, prefix, days string) string {
	return "<LifecycleConfiguration><Rule><ID>" + id + "</ID><Filter><Prefix>" + prefix + "</Prefix></Filter><Status>Enabled</Status>" +
		"<Expiration><Days>" + days + "</Days></Expiration></Rule></LifecycleConfiguration>"
}

// testLifecycle sets, reads and removes lifecycle rules, and looks at what answers tell of them.
func testLifecycle(e *env) {
	e.req("GET", e.on("lifecycle")).fails(404, "NoSuchLifecycleConfiguration", "BucketName", e.bucket)
	e.req("DELETE", e.on("lifecycle")).is(204)
	e.req("PUT", e.on("lifecycle"), text(lifecycleDocument("tmp rule", "tmp/", "3"))).is(200)
	got := e.req("GET", e.on("lifecycle")).is(200).has("Content-Type", "application/xml")
	if !strings.Contains(string(got.body), "<Rule><ID>tmp rule</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>") {
		e.Errorf("got %s", got.body)
	}
	e.sub("expiration", expirationHeaders)
	e.sub("abort", abortHeaders)
	e.sub("unnamed", func(e *env) {
		e.req("PUT", e.on("lifecycle"), text(strings.Replace(lifecycleDocument("", "a", "1"), "<ID></ID>", "", 1))).is(200)
		got := e.req("GET", e.on("lifecycle")).is(200)
		if !regexp.MustCompile(`<ID>[^<]{48}</ID>`).Match(got.body) {
			e.Errorf("got %s", got.body)
		}
	})
	e.sub("refused", func(e *env) {
		before := e.req("GET", e.on("lifecycle")).is(200).body
		for _, c := range []struct {
			doc    string
			status int
			code   string
		}{
			{"<LifecycleConfiguration/>", 400, "MalformedXML"},
			{lifecycleDocument("a", "p", "0"), 400, "InvalidArgument"},
			{lifecycleDocument(strings.Repeat("x", 256), "p", "1"), 400, "InvalidArgument"},
			{strings.Replace(lifecycleDocument("a", "p", "1"), "Enabled", "enabled", 1), 400, "MalformedXML"},
			{strings.Replace(lifecycleDocument("a", "p", "1"), "Expiration", "Transition", 2), 400, "MalformedXML"},
			{strings.NewReplacer("<Expiration>", "<Transition><StorageClass>GLACIER</StorageClass>", "</Expiration>", "</Transition>").
				Replace(lifecycleDocument("a", "p", "1")), 501, "NotImplemented"},
		} {
			e.req("PUT", e.on("lifecycle"), text(c.doc)).fails(c.status, c.code)
		}
		e.req("GET", e.on("lifecycle")).is(200).holds(before)
	})
	e.req("DELETE", e.on("lifecycle")).is(204)
	e.req("GET", e.on("lifecycle")).fails(404, "NoSuchLifecycleConfiguration")
	e.put("tmp/later", "data").lacks("X-Amz-Expiration")
	missing := "/" + randomName()
	e.req("GET", missing+"?lifecycle").fails(404, "NoSuchBucket")
	e.req("PUT", missing+"?lifecycle", text(lifecycleDocument("a", "p", "1"))).fails(404, "NoSuchBucket")
}

// expirationHeaders checks x-amz-expiration: the midnight after the days are over, and the rule.
func expirationHeaders(e *env) {
	before := time.Now().UTC()
	answers := []*answer{e.put("tmp/k", "data"), e.get("tmp/k").is(200), e.req("HEAD", e.at("tmp/k")).is(200)}
	answers = append(answers, e.req("PUT", e.at("tmp/copy"), header("X-Amz-Copy-Source", e.at("tmp/k"))).is(200))
	u := e.begin("tmp/parts")
	done := completeDocument(row{1, e.part(u, 1, []byte("data"))})
	answers = append(answers, e.req("POST", u.target(), text(done)).is(200))
	answers = append(answers, e.post(e.signedV2(policyDoc([]any{map[string]string{"bucket": e.bucket}, []any{"starts-with", "$key", "tmp/"},
		[]any{"starts-with", "$Content-Type", "text/plain"}})).with("key", "tmp/form")).is(204))
	form := regexp.MustCompile(`^expiry-date="([^"]+)", rule-id="tmp%20rule"$`)
	for _, a := range answers {
		m := form.FindStringSubmatch(a.header.Get("X-Amz-Expiration"))
		if m == nil {
			e.Errorf("%s: got %q", a.what, a.header.Get("X-Amz-Expiration"))
			continue
		}
		due, err := time.Parse(http.TimeFormat, m[1])
		if days := due.Sub(before.Truncate(24*time.Hour)) / (24 * time.Hour); err != nil || days < 4 || days > 5 || !due.Equal(due.Truncate(24*time.Hour)) {
			e.Errorf("%s: %v, %v", a.what, due, err)
		}
	}
	e.put("other", "data").lacks("X-Amz-Expiration")
	e.get("other").is(200).lacks("X-Amz-Expiration")
}

// abortHeaders checks what CreateMultipartUpload and ListParts tell of the rule that will abort the upload.
func abortHeaders(e *env) {
	e.req("PUT", e.on("lifecycle"), text("<LifecycleConfiguration><Rule><ID>up</ID><Filter/><Status>Enabled</Status>"+
		"<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>")).is(200)
	created := e.req("POST", e.at("up")+"?uploads").is(200).has("X-Amz-Abort-Rule-Id", "up")
	var doc struct{ UploadId string }
	created.xml(&doc)
	e.req("GET", e.at("up")+"?uploadId="+doc.UploadId).is(200).has("X-Amz-Abort-Rule-Id", "up", "X-Amz-Abort-Date", created.header.Get("X-Amz-Abort-Date"))
	if due, err := time.Parse(http.TimeFormat, created.header.Get("X-Amz-Abort-Date")); err != nil || !due.Equal(due.Truncate(24*time.Hour)) {
		e.Errorf("got %v, %v", due, err)
	}
	e.req("DELETE", e.at("up")+"?uploadId="+doc.UploadId).is(204)
}

// testLifecycleRuns waits for rules to be carried out by a server whose days are short.
func testLifecycleRuns(e *env) {
	if e.creds.LifecycleDay == 0 {
		e.Skip("the server is not said to have a short --lifecycle-day")
	}
	e.put("tmp/1", "data")
	e.put("tmp/2", "data")
	e.put("keep", "data")
	e.req("PUT", e.on("lifecycle"), text(lifecycleDocument("a", "tmp/", "1"))).is(200)
	deadline := time.Now().Add(4*e.creds.LifecycleDay + 20*time.Second)
	tick := time.NewTicker(e.creds.LifecycleDay / 10)
	defer tick.Stop()
	for {
		keys, _ := e.list("").keys()
		if len(keys) == 1 && keys[0] == "keep" {
			return
		}
		if time.Now().After(deadline) {
			e.Fatalf("the bucket holds %q", keys)
		}
		<-tick.C
	}
}
