package gwtest

import "strings"

// corsDoc is a configuration of these rules, each the inside of a CORSRule.
func corsDoc(rules ...string) option {
	return text("<CORSConfiguration><CORSRule>" + strings.Join(rules, "</CORSRule><CORSRule>") + "</CORSRule></CORSConfiguration>")
}

// corsHeaders are all that an answer can have.
var corsHeaders = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Expose-Headers",
	"Access-Control-Max-Age", "Access-Control-Allow-Credentials", "Vary",
}

const corsVary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

func testCORS(e *env) {
	e.sub("config", testCORSConfig)
	e.sub("refused", testCORSRefused)
	e.sub("none", testCORSNone)
	e.sub("match", testCORSMatch)
	e.sub("headers", testCORSHeaders)
	e.sub("every origin", testCORSEveryOrigin)
	e.sub("errors", testCORSErrors)
}

func testCORSConfig(e *env) {
	const root = "CORSConfiguration"
	e.req("GET", e.on("cors")).fails(404, "NoSuchCORSConfiguration", "BucketName", e.bucket)
	e.req("DELETE", e.on("cors")).is(204).holds(nil)
	const rule = "<ID>a</ID><AllowedHeader>*</AllowedHeader><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>" +
		"<AllowedOrigin>http://a</AllowedOrigin><AllowedOrigin>http://*.b</AllowedOrigin><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds>"
	const least = "<AllowedMethod>HEAD</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
	e.req("PUT", e.on("cors"), corsDoc(rule, least)).is(200).holds(nil)
	e.req("GET", e.on("cors")).is(200).holdsXML(root, "<CORSRule>"+rule+"</CORSRule><CORSRule>"+least+"</CORSRule>")
	e.req("DELETE", e.on("cors")).is(204).holds(nil)
	e.req("GET", e.on("cors")).fails(404, "NoSuchCORSConfiguration")
	e.req("GET", "/"+randomName()+"?cors").fails(404, "NoSuchBucket")
	e.req("PUT", "/"+randomName()+"?cors", corsDoc(least)).fails(404, "NoSuchBucket")
}

func testCORSRefused(e *env) {
	const get, star = "<AllowedMethod>GET</AllowedMethod>", "<AllowedOrigin>*</AllowedOrigin>"
	for _, tt := range []struct{ rule, code, message string }{
		{"", "MalformedXML", ""},
		{get, "MalformedXML", ""},
		{star, "MalformedXML", ""},
		{get + star + "<Foo/>", "MalformedXML", ""},
		{get + star + "<MaxAgeSeconds>-1</MaxAgeSeconds>", "MalformedXML", ""},
		{get + star + "<MaxAgeSeconds>soon</MaxAgeSeconds>", "MalformedXML", ""},
		{get + star + "<ID>" + strings.Repeat("a", 256) + "</ID>", "MalformedXML", ""},
		{star + "<AllowedMethod>OPTIONS</AllowedMethod>", "InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is OPTIONS"},
		{star + "<AllowedMethod>get</AllowedMethod>", "InvalidRequest", "Unsupported method is get"},
		{get + "<AllowedOrigin>*a*</AllowedOrigin>", "InvalidRequest", `AllowedOrigin "*a*" can not have more than one wildcard.`},
		{get + star + "<AllowedHeader>**</AllowedHeader>", "InvalidRequest", `AllowedHeader "**" can not have more than one wildcard.`},
		{get + star + "<ExposeHeader>x-*</ExposeHeader>", "InvalidRequest", `ExposeHeader "x-*" contains wildcard.`},
	} {
		e.req("PUT", e.on("cors"), corsDoc(tt.rule)).fails(400, tt.code).says(tt.message)
	}
	e.req("PUT", e.on("cors"), text("<CORSConfiguration/>")).fails(400, "MalformedXML")
	rules := make([]string, 101)
	for i := range rules {
		rules[i] = get + star
	}
	e.req("PUT", e.on("cors"), corsDoc(rules...)).fails(400, "MalformedXML")
	e.req("GET", e.on("cors")).fails(404, "NoSuchCORSConfiguration")
	e.req("PUT", e.on("cors"), corsDoc(rules[:100]...)).is(200)
	e.req("DELETE", e.on("cors")).is(204)
}

// preflight asks as a browser does, unsigned.
func (e *env) preflight(target, origin, method string, opts ...option) *answer {
	e.T.Helper()
	opts = append(opts, anonymous)
	if origin != "" {
		opts = append(opts, header("Origin", origin))
	}
	if method != "" {
		opts = append(opts, header("Access-Control-Request-Method", method))
	}
	return e.req("OPTIONS", target, opts...)
}

func testCORSNone(e *env) {
	e.preflight(e.at("k"), "", "").fails(400, "BadRequest").says("Insufficient information. Origin request header needed.")
	e.preflight(e.at("k"), "", "GET").fails(400, "BadRequest")
	e.preflight(e.at("k"), "http://a", "PUT").fails(403, "AccessForbidden", "Method", "PUT", "ResourceType", "BUCKET").
		says("CORSResponse: CORS is not enabled for this bucket.")
	e.preflight(e.at("k"), "http://a", "").fails(403, "AccessForbidden", "Method", "OPTIONS", "ResourceType", "BUCKET")
	e.preflight("/"+randomName(), "http://a", "GET").fails(403, "AccessForbidden").says("CORSResponse: Bucket not found")
	e.preflight("/", "http://a", "GET").fails(403, "AccessForbidden").says("CORSResponse: Bucket not found")
	e.req("GET", e.on(""), header("Origin", "http://a")).is(200).lacks(corsHeaders...)
}

func testCORSMatch(e *env) {
	origin := func(method, pattern string) string {
		return "<AllowedMethod>" + method + "</AllowedMethod><AllowedOrigin>" + pattern + "</AllowedOrigin>"
	}
	e.req("PUT", e.on("cors"), corsDoc(origin("GET", "*suffix"), origin("GET", "start*end"), origin("GET", "prefix*"), origin("PUT", "*.put"))).is(200)
	for _, tt := range []struct{ origin, method, allowed string }{
		{"foo.suffix", "GET", "GET"}, {"foo.bar", "GET", ""}, {"foo.suffix.get", "GET", ""}, {"startend", "GET", "GET"},
		{"start1end", "GET", "GET"}, {"start12end", "GET", "GET"}, {"0start12end", "GET", ""}, {"prefix", "GET", "GET"},
		{"prefix.suffix", "GET", "GET"}, {"bla.prefix", "GET", ""}, {"foo.put", "GET", ""}, {"foo.put", "PUT", "PUT"},
		{"foo.suffix", "PUT", ""}, {"foo.suffix", "DELETE", ""},
	} {
		for _, target := range []string{e.on(""), e.at("absent")} {
			got := e.preflight(target, tt.origin, tt.method)
			if tt.allowed == "" {
				resource := "BUCKET"
				if target == e.at("absent") {
					resource = "OBJECT"
				}
				got.fails(403, "AccessForbidden", "Method", tt.method, "ResourceType", resource).lacks(corsHeaders...).
					says("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin")
				continue
			}
			got.is(200).holds(nil).has("Access-Control-Allow-Origin", tt.origin, "Access-Control-Allow-Methods", tt.allowed,
				"Access-Control-Allow-Credentials", "true", "Vary", corsVary)
		}
		if tt.method != "GET" {
			continue
		}
		got := e.req("GET", e.on(""), header("Origin", tt.origin)).is(200)
		if tt.allowed == "" {
			got.lacks(corsHeaders...)
		} else {
			got.has("Access-Control-Allow-Origin", tt.origin, "Access-Control-Allow-Methods", tt.allowed, "Vary", corsVary)
		}
	}
	e.preflight(e.at("k"), "foo.suffix", "").fails(400, "BadRequest").says("Invalid Access-Control-Request-Method: null")
	e.preflight(e.at("k"), "foo.suffix", "PATCH").fails(400, "BadRequest").says("Invalid Access-Control-Request-Method: PATCH")
	// The query of a preflight is that of the request to come.
	e.preflight(e.at("k")+"?uploads", "foo.put", "PUT").is(200)
	e.preflight(e.at("k")+"?X-Amz-Signature=wrong&X-Amz-Algorithm=AWS4-HMAC-SHA256", "foo.put", "PUT").is(200)
}

func testCORSHeaders(e *env) {
	const rule = "<AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>http://a:80</AllowedOrigin>"
	const allowed = "<AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader>" +
		"<ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-request-id</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds>"
	ask := func(names string) option { return header("Access-Control-Request-Headers", names) }
	e.req("PUT", e.on("cors"), corsDoc(rule)).is(200)
	e.preflight(e.at("k"), "http://a:80", "PUT").is(200).lacks("Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age")
	e.preflight(e.at("k"), "http://a:80", "PUT", ask("x-amz-date")).fails(403, "AccessForbidden")
	e.req("PUT", e.on("cors"), corsDoc(rule+allowed)).is(200)
	e.preflight(e.at("k"), "http://a:80", "PUT", ask("X-Amz-Date,content-TYPE")).is(200).has(
		"Access-Control-Allow-Origin", "http://a:80", "Access-Control-Allow-Methods", "GET, PUT",
		"Access-Control-Allow-Headers", "x-amz-date, content-type", "Access-Control-Expose-Headers", "ETag, x-amz-request-id",
		"Access-Control-Max-Age", "3000", "Access-Control-Allow-Credentials", "true", "Vary", corsVary)
	e.preflight(e.at("k"), "http://a:80", "PUT", ask("x-amz-date, authorization")).fails(403, "AccessForbidden")
	e.preflight(e.at("k"), "http://a", "PUT").fails(403, "AccessForbidden")
	e.put("k", "data", header("Origin", "http://a:80")).has("Access-Control-Allow-Origin", "http://a:80", "Access-Control-Expose-Headers", "ETag, x-amz-request-id")
	e.get("k", header("Origin", "http://a:80")).is(200).has("Access-Control-Allow-Origin", "http://a:80", "Access-Control-Max-Age", "3000")
	// The method that a request names decides, even if it is no preflight; what is not allowed is served all the same.
	e.get("k", header("Origin", "http://a:80"), header("Access-Control-Request-Method", "DELETE")).is(200).lacks(corsHeaders...)
	e.get("k", header("Origin", "http://b")).is(200).lacks(corsHeaders...)
	e.get("k").is(200).lacks(corsHeaders...)
	e.req("HEAD", e.at("k"), header("Origin", "http://a:80")).is(200).lacks(corsHeaders...)
}

func testCORSEveryOrigin(e *env) {
	e.req("PUT", e.on("cors"), corsDoc("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>")).is(200)
	e.preflight(e.on(""), "http://a", "GET").is(200).has("Access-Control-Allow-Origin", "*", "Vary", corsVary).lacks("Access-Control-Allow-Credentials")
	e.req("GET", e.on(""), header("Origin", "http://a")).is(200).has("Access-Control-Allow-Origin", "*").lacks("Access-Control-Allow-Credentials")
}

func testCORSErrors(e *env) {
	origin := header("Origin", "http://a")
	e.req("PUT", e.on("cors"), corsDoc("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>http://a</AllowedOrigin>")).is(200)
	e.get("absent", origin).fails(404, "NoSuchKey").has("Access-Control-Allow-Origin", "http://a", "Vary", corsVary)
	e.get("absent", origin, anonymous).is(403).has("Access-Control-Allow-Origin", "http://a")
	e.req("PUT", e.at("k"), origin, anonymous, text("data")).fails(403, "AccessDenied").lacks(corsHeaders...)
	e.req("PUT", e.at("k"), origin, header("Access-Control-Request-Method", "GET"), anonymous, text("data")).fails(403, "AccessDenied").
		has("Access-Control-Allow-Origin", "http://a")
}
