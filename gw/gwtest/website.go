package gwtest

import "strings"

const siteRoot = "WebsiteConfiguration"

func siteDoc(inside string) option {
	return text("<" + siteRoot + ">" + inside + "</" + siteRoot + ">")
}

func testWebsiteConfig(e *env) {
	const index = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
	e.req("GET", e.on("website")).fails(404, "NoSuchWebsiteConfiguration", "BucketName", e.bucket)
	e.req("DELETE", e.on("website")).is(204).holds(nil)
	rule := func(inside string) string {
		return "<RoutingRules><RoutingRule>" + inside + "</RoutingRule></RoutingRules>"
	}
	for _, doc := range []string{
		index,
		index + "<ErrorDocument><Key>error.html</Key></ErrorDocument>",
		"<RedirectAllRequestsTo><HostName>a.test</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>",
		index + rule("<Condition><KeyPrefixEquals>docs/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>"+
			"<Redirect><HostName>a.test</HostName><HttpRedirectCode>302</HttpRedirectCode><Protocol>http</Protocol><ReplaceKeyPrefixWith>d/</ReplaceKeyPrefixWith></Redirect>"),
		index + rule("<Redirect><ReplaceKeyWith>a</ReplaceKeyWith></Redirect>"),
	} {
		e.req("PUT", e.on("website"), siteDoc(doc)).is(200).holds(nil)
		e.req("GET", e.on("website")).is(200).holdsXML(siteRoot, doc)
	}
	for _, tt := range []struct{ doc, code, message string }{
		{"", "InvalidArgument", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"},
		{"<IndexDocument><Suffix>a/b</Suffix></IndexDocument>", "InvalidArgument", "The IndexDocument Suffix is not well formed"},
		{"<IndexDocument><Suffix/></IndexDocument>", "InvalidArgument", "The IndexDocument Suffix is not well formed"},
		{"<IndexDocument/>", "MalformedXML", ""},
		{index + "<ErrorDocument/>", "MalformedXML", ""},
		{index + "<RedirectAllRequestsTo><HostName>a</HostName></RedirectAllRequestsTo>", "InvalidArgument", "RedirectAllRequestsTo cannot be provided in conjunction"},
		{"<RedirectAllRequestsTo><HostName/></RedirectAllRequestsTo>", "InvalidRequest", "A host name must be provided"},
		{"<RedirectAllRequestsTo><HostName>a</HostName><Protocol>ftp</Protocol></RedirectAllRequestsTo>", "InvalidRequest", "Invalid protocol"},
		{index + "<RoutingRules/>", "MalformedXML", ""},
		{index + rule("<Condition><KeyPrefixEquals>a</KeyPrefixEquals></Condition>"), "MalformedXML", ""},
		{index + rule("<Redirect/>"), "MalformedXML", ""},
		{index + rule("<Condition/><Redirect/>"), "InvalidRequest", "Condition cannot be empty."},
		{index + rule("<Condition><HttpErrorCodeReturnedEquals>200</HttpErrorCodeReturnedEquals></Condition><Redirect/>"), "InvalidRequest", "The provided HTTP error code (200) is not valid. Valid codes are 4XX or 5XX."},
		{index + rule("<Redirect><HttpRedirectCode>300</HttpRedirectCode></Redirect>"), "InvalidRequest", "The provided HTTP redirect code (300) is not valid. Valid codes are 3XX except 300."},
		{index + rule("<Redirect><ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>b</ReplaceKeyPrefixWith></Redirect>"), "InvalidRequest", "You can only define ReplaceKeyPrefix or ReplaceKey but not both."},
		{index + "<RoutingRules>" + strings.Repeat("<RoutingRule><Redirect><ReplaceKeyWith>a</ReplaceKeyWith></Redirect></RoutingRule>", 51) + "</RoutingRules>", "InvalidRequest", "51 routing rules provided, the number of routing rules in a website configuration is limited to 50."},
	} {
		e.req("PUT", e.on("website"), siteDoc(tt.doc)).fails(400, tt.code).says(tt.message)
	}
	e.req("DELETE", e.on("website")).is(204)
	e.req("GET", e.on("website")).fails(404, "NoSuchWebsiteConfiguration")
	// On the endpoint of the API a redirect is only a header.
	e.put("there", "", header("X-Amz-Website-Redirect-Location", "/here"))
	e.get("there").is(200).has("X-Amz-Website-Redirect-Location", "/here")
	e.req("PUT", e.at("bad"), text(""), header("X-Amz-Website-Redirect-Location", "here")).fails(400, "InvalidRedirectLocation")
}

// visit asks for a path of the group's web site.
func (e *env) visit(method, path string, opts ...option) *answer {
	e.T.Helper()
	return e.req(method, path, append([]option{anonymous, host(e.bucket + "." + e.creds.WebsiteDomain)}, opts...)...)
}

// page checks a page of HTML about an error.
func (a *answer) page(title, code string, parts ...string) *answer {
	a.t.Helper()
	a.has("Content-Type", "text/html; charset=utf-8")
	text := string(a.body)
	for _, part := range append(parts, "<title>"+title+"</title>", "<h1>"+title+"</h1>", "<li>Code: "+code+"</li>", "<li>RequestId: "+a.header.Get("X-Amz-Request-Id")+"</li>") {
		if !strings.Contains(text, part) {
			a.t.Errorf("%s: %q lacks %q", a.what, text, part)
		}
	}
	return a
}

// public opens the group's bucket to lists that name everybody.
func (e *env) public() {
	e.T.Helper()
	e.req("PUT", e.on("publicAccessBlock"), text(`<PublicAccessBlockConfiguration xmlns="`+namespace+`"/>`)).mustBe(200)
	e.req("PUT", e.on("ownershipControls"), text("<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>")).mustBe(200)
}

func testWebsite(e *env) {
	e.sub("config", testWebsiteConfig)
	if e.creds.WebsiteDomain == "" {
		e.Skip("no website domain")
	}
	e.public()
	public := header("X-Amz-Acl", "public-read")
	e.put("index.html", "home", public, header("Content-Type", "text/html"))
	e.put("docs/index.html", "docs", public)
	e.put("a.html", "a page", public, header("Cache-Control", "no-cache"))
	e.put("gone", "", public, header("X-Amz-Website-Redirect-Location", "https://a.test/b?c"))
	e.put("error.html", "our error", public, header("Content-Type", "text/html"))
	e.put("private", "data")
	e.visit("GET", "/").is(404).page("404 Not Found", "NoSuchWebsiteConfiguration", "<li>BucketName: "+e.bucket+"</li>")
	e.req("GET", "/", anonymous, host(randomName()+"."+e.creds.WebsiteDomain)).is(404).page("404 Not Found", "NoSuchBucket")
	e.req("PUT", e.on("website"), siteDoc("<IndexDocument><Suffix>index.html</Suffix></IndexDocument>")).is(200)
	e.visit("GET", "/private").is(403).page("403 Forbidden", "AccessDenied")
	e.visit("GET", "/none").is(403).page("403 Forbidden", "AccessDenied", "<li>Message: Access Denied</li>") // who may not list may not know
	e.req("PUT", e.on("acl"), public).is(200)
	e.sub("pages", testSitePages)
	e.sub("errors", testSiteErrors)
	e.sub("rules", testSiteRules)
	e.sub("all", func(e *env) {
		e.req("PUT", e.on("website"), siteDoc("<RedirectAllRequestsTo><HostName>a.test</HostName></RedirectAllRequestsTo>")).is(200)
		e.visit("GET", "/x/y%20z?q=1").is(301).has("Location", "http://a.test/x/y%20z?q=1").holds(nil)
		e.visit("HEAD", "/").is(301).has("Location", "http://a.test/")
	})
}

func testSitePages(e *env) {
	e.visit("GET", "/").is(200).holds([]byte("home")).has("Content-Type", "text/html")
	e.visit("GET", "").is(200).holds([]byte("home"))
	e.visit("HEAD", "/").is(200).holds(nil).has("Content-Length", "4")
	e.visit("GET", "/docs/").is(200).holds([]byte("docs"))
	e.visit("GET", "/docs").is(302).has("Location", "/docs/", "X-Amz-Error-Code", "Found").page("302 Found", "Found")
	e.visit("GET", "/a.html").is(200).holds([]byte("a page")).has("Cache-Control", "no-cache")
	e.visit("GET", "/a.html?versionId=x&response-content-type=a/b&acl").is(200).holds([]byte("a page"))
	e.visit("GET", "/a.html", header("Range", "bytes=2-")).is(206).holds([]byte("page"))
	tag := e.visit("GET", "/a.html").header.Get("ETag")
	e.visit("GET", "/a.html", header("If-None-Match", tag)).is(304).holds(nil)
	e.visit("GET", "/gone").is(301).has("Location", "https://a.test/b?c").holds(nil)
	e.visit("HEAD", "/gone").is(301).has("Location", "https://a.test/b?c")
	for _, method := range []string{"PUT", "POST", "DELETE", "PATCH"} {
		e.visit(method, "/a.html").is(405).has("Allow", "GET, HEAD, OPTIONS").page("405 Method Not Allowed", "MethodNotAllowed", "<li>Method: "+method+"</li>")
	}
	e.get("a.html").is(200).holds([]byte("a page"))
	e.req("PUT", e.on("cors"), corsDoc("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>http://a</AllowedOrigin>")).is(200)
	e.visit("GET", "/a.html", header("Origin", "http://a")).is(200).has("Access-Control-Allow-Origin", "http://a")
	e.visit("OPTIONS", "/a.html", header("Origin", "http://a"), header("Access-Control-Request-Method", "GET")).is(200).has("Access-Control-Allow-Origin", "http://a")
}

func testSiteErrors(e *env) {
	const index = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
	const message = "<li>Message: The specified key does not exist.</li>"
	e.visit("GET", "/none").is(404).page("404 Not Found", "NoSuchKey", "<li>Key: none</li>", message)
	e.visit("GET", "/%3Cb%3E&/").is(404).page("404 Not Found", "NoSuchKey", "<li>Key: &lt;b&gt;&amp;/index.html</li>")
	e.visit("HEAD", "/none").is(404).holds(nil).has("X-Amz-Error-Code", "NoSuchKey", "X-Amz-Error-Detail-Key", "none")
	e.req("PUT", e.on("website"), siteDoc(index+"<ErrorDocument><Key>error.html</Key></ErrorDocument>")).is(200)
	e.visit("GET", "/none").is(404).holds([]byte("our error")).has("Content-Type", "text/html", "X-Amz-Error-Code", "NoSuchKey", "X-Amz-Error-Detail-Key", "none")
	e.visit("GET", "/none", header("Range", "bytes=0-1"), header("If-Match", "x")).is(404).holds([]byte("our error"))
	e.visit("GET", "/a.html", header("If-Match", "x")).is(412).holds([]byte("our error"))
	e.visit("HEAD", "/none").is(404).holds(nil)
	e.req("PUT", e.on("website"), siteDoc(index+"<ErrorDocument><Key>no-error.html</Key></ErrorDocument>")).is(200)
	e.visit("GET", "/none").is(404).lacks("X-Amz-Error-Code").page("404 Not Found", "NoSuchKey", "<li>Key: none</li>",
		"<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n<li>Code: NoSuchKey</li>\n"+message+"\n<li>Key: no-error.html</li>")
}

func testSiteRules(e *env) {
	rules := func(rules ...string) {
		e.T.Helper()
		e.req("PUT", e.on("website"), siteDoc("<IndexDocument><Suffix>index.html</Suffix></IndexDocument><RoutingRules><RoutingRule>"+
			strings.Join(rules, "</RoutingRule><RoutingRule>")+"</RoutingRule></RoutingRules>")).is(200)
	}
	here := "http://" + e.bucket + "." + e.creds.WebsiteDomain + "/"
	rules("<Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith></Redirect>",
		"<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals><KeyPrefixEquals>old/</KeyPrefixEquals></Condition>"+
			"<Redirect><HostName>old.test</HostName><Protocol>https</Protocol><HttpRedirectCode>307</HttpRedirectCode></Redirect>",
		"<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect><ReplaceKeyWith>error.html</ReplaceKeyWith><HttpRedirectCode>302</HttpRedirectCode></Redirect>")
	e.visit("GET", "/docs/").is(301).has("Location", here+"documents/").holds(nil)
	e.visit("GET", "/docs/a%20b?q=1").is(301).has("Location", here+"documents/a%20b?q=1")
	e.visit("GET", "/old/a%2Fb?q=1").is(307).has("Location", "https://old.test/old/a%2Fb?q=1")
	e.visit("GET", "/none?q=1").is(302).has("Location", here+"error.html")
	e.visit("HEAD", "/none").is(302).has("Location", here+"error.html")
	e.visit("GET", "/a.html").is(200).holds([]byte("a page"))
	rules("<Redirect><HostName>all.test</HostName></Redirect>")
	e.visit("GET", "/a.html").is(301).has("Location", "http://all.test/a.html")
}
