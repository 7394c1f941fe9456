package gwtest

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"holdfast/gw/sigv2"
	"holdfast/gw/sigv4"
)

// refusals sends a request that must be refused, to an object that is there, one that is not and a put, and checks that
// nothing was changed.
func (e *env) refusals(status int, code string, opts ...option) {
	e.T.Helper()
	e.req("GET", e.at("k"), opts...).fails(status, code)
	e.req("HEAD", e.at("k"), opts...).fails(status, code)
	e.req("GET", e.at("none"), opts...).fails(status, code)
	e.req("PUT", e.at("never"), append([]option{text("x")}, opts...)...).fails(status, code)
	e.req("DELETE", e.at("k"), opts...).fails(status, code)
	e.get("k").is(200).holds([]byte("data"))
	e.absent("never")
}

// signedAs signs with other credentials, another region or at another time.
func signedAs(keys sigv4.Credentials, region string, at time.Time) option {
	return signed(func(r *request) { sigv4.Sign(r.Request, keys, region, at, sigv4.UnsignedPayload) })
}

// edited signs well and then changes the request.
func (c *client) edited(edit func(*http.Request)) option {
	return signed(func(r *request) {
		c.signer.Sign(r.Request, time.Now(), sigv4.UnsignedPayload)
		edit(r.Request)
	})
}

func testSigV4(e *env) {
	e.put("k", "data")
	keys, region := e.creds.keys(), e.creds.Region
	wrongSecret, wrongKey := keys, keys
	wrongSecret.SecretKey += "x"
	wrongKey.AccessKey = "AKIDNOBODY"
	e.sub("anonymous", func(e *env) {
		e.refusals(403, "AccessDenied", anonymous)
		e.req("GET", "/", anonymous).fails(403, "AccessDenied")
		e.req("GET", e.on(""), anonymous).fails(403, "AccessDenied")
		e.req("DELETE", e.on(""), anonymous).fails(403, "AccessDenied")
		e.req("GET", e.on("lifecycle"), anonymous).fails(403, "AccessDenied")
	})
	e.sub("wrong secret", func(e *env) {
		e.refusals(403, "SignatureDoesNotMatch", signedAs(wrongSecret, region, time.Now()))
		e.get("k", signedAs(wrongSecret, region, time.Now())).fails(403, "SignatureDoesNotMatch", "AWSAccessKeyId", keys.AccessKey)
	})
	e.sub("unknown key", func(e *env) {
		e.refusals(403, "InvalidAccessKeyId", signedAs(wrongKey, region, time.Now()))
	})
	e.sub("wrong region", func(e *env) {
		e.refusals(400, "AuthorizationHeaderMalformed", signedAs(keys, "mars-north-1", time.Now()))
		e.get("k", signedAs(keys, "mars-north-1", time.Now())).fails(400, "AuthorizationHeaderMalformed", "Region", region)
	})
	e.sub("skew", func(e *env) {
		for _, by := range []time.Duration{-16 * time.Minute, 16 * time.Minute} {
			e.refusals(403, "RequestTimeTooSkewed", signedAs(keys, region, time.Now().Add(by)))
		}
		for _, by := range []time.Duration{-14 * time.Minute, 14 * time.Minute} {
			if now := time.Now(); now.Add(by).UTC().Day() == now.UTC().Day() {
				e.get("k", signedAs(keys, region, now.Add(by))).is(200)
			}
		}
	})
	e.sub("tampered", func(e *env) {
		for name, edit := range map[string]func(*http.Request){
			"path":  func(r *http.Request) { r.URL.Path += "x"; r.URL.RawPath = "" },
			"query": func(r *http.Request) { r.URL.RawQuery = "versionId=null" },
			"method": func(r *http.Request) { // signed for another one
				method := r.Method
				r.Method = "POST"
				e.signer.Sign(r, time.Now(), sigv4.UnsignedPayload)
				r.Method = method
			},
			"header": func(r *http.Request) {
				r.Header.Set("X-Amz-Date", time.Now().UTC().Add(time.Second).Format("20060102T150405Z"))
			},
			"signature": func(r *http.Request) {
				auth := r.Header.Get("Authorization")
				r.Header.Set("Authorization", auth[:len(auth)-1]+map[bool]string{true: "0", false: "1"}[auth[len(auth)-1] != '0'])
			},
		} {
			e.sub(name, func(e *env) { e.refusals(403, "SignatureDoesNotMatch", e.edited(edit)) })
		}
	})
	e.sub("a header that is not signed", func(e *env) {
		e.req("PUT", e.at("never"), text("x"), e.edited(func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "1") })).fails(403, "AccessDenied", "HeadersNotSigned", "x-amz-meta-a")
	})
	e.sub("malformed", func(e *env) {
		for name, edit := range map[string]func(*http.Request){
			"AuthorizationHeaderMalformed": func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") },
			"InvalidArgument":              func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
		} {
			e.refusals(400, name, e.edited(edit))
		}
		e.refusals(403, "AccessDenied", e.edited(func(r *http.Request) { r.Header.Del("X-Amz-Date") }))
		e.refusals(400, "InvalidRequest", e.edited(func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }))
		e.refusals(400, "InvalidArgument", e.edited(func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "short") }))
	})
}

// presigned sends the request with its signature in the query.
func presigned(signer *sigv4.Signer, at time.Time, expires time.Duration) option {
	return signed(func(r *request) { signer.Presign(r.Request, at, expires) })
}

func testPresigned(e *env) {
	e.put("k", "data")
	now := time.Now()
	good := presigned(e.signer, now, time.Hour)
	e.get("k", good).is(200).holds([]byte("data"))
	e.req("HEAD", e.at("k"), good).is(200)
	e.req("GET", e.at("k")+"?response-content-type=a%2Fb", good).is(200).has("Content-Type", "a/b")
	e.req("PUT", e.at("put"), text("x"), header("X-Amz-Meta-A", "1"), good).is(200)
	e.get("put").is(200).holds([]byte("x")).has("X-Amz-Meta-A", "1")
	e.req("PUT", e.at("put")+"?x-amz-meta-b=2&x-amz-storage-class=STANDARD_IA", text("y"), good).is(200)
	e.get("put").is(200).holds([]byte("y")).has("X-Amz-Meta-B", "2", "X-Amz-Storage-Class", "STANDARD_IA")
	e.req("PUT", e.at("never")+"?x-amz-website-redirect-location=%01", text("x"), good).fails(400, "InvalidArgument")
	e.absent("never")
	e.req("PUT", e.at("copy")+"?x-amz-copy-source="+url.QueryEscape(e.at("k")), good).is(200)
	e.get("copy").is(200).holds([]byte("data"))
	e.req("DELETE", e.at("put"), good).is(204)
	e.req("GET", e.on("list-type=2"), good).is(200)
	e.sub("expired", func(e *env) { e.refusals(403, "AccessDenied", presigned(e.signer, now.Add(-2*time.Hour), time.Hour)) })
	e.sub("future", func(e *env) { e.refusals(403, "AccessDenied", presigned(e.signer, now.Add(time.Hour), time.Hour)) })
	e.sub("too long", func(e *env) {
		e.refusals(400, "AuthorizationQueryParametersError", presigned(e.signer, now, 8*24*time.Hour))
	})
	e.sub("tampered", func(e *env) {
		e.refusals(403, "SignatureDoesNotMatch", signed(func(r *request) {
			e.signer.Presign(r.Request, now, time.Hour)
			r.URL.RawQuery += "&response-expires=never"
		}))
	})
	e.sub("region", func(e *env) {
		e.refusals(400, "AuthorizationQueryParametersError", presigned(sigv4.NewSigner(e.creds.keys(), "mars-north-1"), now, time.Hour))
	})
	e.sub("parts left out", func(e *env) {
		for _, name := range []string{"X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
			e.refusals(400, "AuthorizationQueryParametersError", signed(func(r *request) {
				e.signer.Presign(r.Request, now, time.Hour)
				q := r.URL.Query()
				q.Del(name)
				r.URL.RawQuery = q.Encode()
			}))
		}
	})
	e.sub("two mechanisms", func(e *env) {
		e.refusals(400, "InvalidArgument", signed(func(r *request) {
			e.signer.Presign(r.Request, now, time.Hour)
			e.signer.Sign(r.Request, now, sigv4.UnsignedPayload)
		}))
	})
}

func testSigV2(e *env) {
	keys := e.creds.keys()
	v2 := signed(func(r *request) { sigv2.Sign(r.Request, keys, "", time.Now()) })
	e.req("PUT", e.at("k"), text("data"), header("Content-Type", "text/plain"), header("X-Amz-Meta-A", "1"), v2).is(200)
	e.get("k", v2).is(200).holds([]byte("data")).has("X-Amz-Meta-A", "1")
	e.req("GET", e.on("list-type=2&prefix=k"), v2).is(200)
	e.req("GET", e.on("uploads"), v2).is(200)
	e.req("GET", e.on("location"), v2).is(200)
	e.req("GET", "/", v2).is(200)
	e.req("GET", e.at("k")+"?response-content-type=a%2Fb", v2).is(200).has("Content-Type", "a/b")
	link := func(expires time.Duration) option {
		return signed(func(r *request) { sigv2.Presign(r.Request, keys, "", time.Now().Add(expires)) })
	}
	e.get("k", link(time.Hour)).is(200).holds([]byte("data"))
	e.req("PUT", e.at("put"), text("x"), link(time.Hour)).is(200)
	e.sub("expired", func(e *env) { e.refusals(403, "AccessDenied", link(-time.Minute)) })
	e.sub("wrong secret", func(e *env) {
		other := keys
		other.SecretKey = "x"
		e.refusals(403, "SignatureDoesNotMatch", signed(func(r *request) { sigv2.Sign(r.Request, other, "", time.Now()) }))
	})
	e.sub("unknown key", func(e *env) {
		e.refusals(403, "InvalidAccessKeyId", signed(func(r *request) {
			sigv2.Sign(r.Request, sigv4.Credentials{AccessKey: "AKIDNOBODY", SecretKey: "x"}, "", time.Now())
		}))
	})
	e.sub("skew", func(e *env) {
		e.refusals(403, "RequestTimeTooSkewed", signed(func(r *request) { sigv2.Sign(r.Request, keys, "", time.Now().Add(-time.Hour)) }))
	})
	e.sub("no date", func(e *env) {
		e.refusals(403, "AccessDenied", signed(func(r *request) {
			sigv2.Sign(r.Request, keys, "", time.Now())
			r.Header.Del("Date")
		}))
	})
	e.sub("malformed", func(e *env) {
		e.refusals(400, "InvalidArgument", signed(func(r *request) { r.Header.Set("Authorization", "AWS nothing") }))
	})
}

func testVirtualHosts(e *env) {
	if e.creds.Domain == "" {
		e.Log("the endpoint has no domain: only path style is tested")
		return
	}
	at := host(e.bucket + "." + e.creds.Domain)
	e.req("PUT", "/a/b", text("data"), at).is(200)
	e.get("a/b").is(200).holds([]byte("data"))
	e.req("GET", "/a/b", at).is(200).holds([]byte("data"))
	e.req("GET", "/a/b", host(e.bucket+"."+e.creds.Domain+":9000")).is(200)
	e.req("GET", "/a/b", host(strings.ToUpper(e.bucket)+"."+e.creds.Domain)).is(200)
	e.req("PUT", "/"+e.bucket+"/x", text("y"), at).is(200)
	e.get(e.bucket + "/x").is(200).holds([]byte("y"))
	e.req("GET", "//", at).fails(404, "NoSuchKey", "Key", "/")
	var page listResult
	if e.req("GET", "/?list-type=2", at).mustBe(200).xml(&page); page.Name != e.bucket || len(page.Contents) != 2 {
		e.Errorf("got %+v", page)
	}
	e.req("HEAD", "/", at).is(200)
	e.req("HEAD", "/", host(randomName()+"."+e.creds.Domain)).fails(404, "NoSuchBucket")
	e.req("GET", "/", host(e.creds.Domain)).is(200) // the service itself
	e.req("GET", "/"+e.bucket+"/a/b", host(e.creds.Domain)).is(200)
	e.req("GET", "/"+e.bucket+"/a/b", host("another.name")).is(200)
	e.sub("SigV2", func(e *env) {
		e.req("GET", "/a/b", at, signed(func(r *request) { sigv2.Sign(r.Request, e.creds.keys(), e.bucket, time.Now()) })).is(200)
	})
	e.sub("presigned", func(e *env) {
		e.req("GET", "/a/b", at, presigned(e.signer, time.Now(), time.Hour)).is(200)
	})
}
