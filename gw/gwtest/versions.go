package gwtest

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
)

// versionsResult is an answer of ListObjectVersions; versions and delete markers keep their common order.
type versionsResult struct {
	XMLName                                  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name, Prefix, KeyMarker, VersionIdMarker string
	NextKeyMarker, NextVersionIdMarker       string
	Delimiter, EncodingType                  string
	MaxKeys                                  int
	IsTruncated                              bool
	CommonPrefixes                           []struct{ Prefix string }
	Rows                                     []versionRow `xml:",any"`
}

// versionRow is a Version or a DeleteMarker.
type versionRow struct {
	XMLName                                          xml.Name
	Key, VersionId, LastModified, ETag, StorageClass string
	IsLatest                                         bool
	Size                                             *int64
	Owner                                            *ownerElement
}

// String shows what the tests compare: the key, the version, a cross for a marker and a star for the latest.
func (r versionRow) String() string {
	s := r.Key + "@" + r.VersionId
	if r.XMLName.Local == "DeleteMarker" {
		s += "x"
	}
	if r.IsLatest {
		s += "*"
	}
	return s
}

// versions asks for one page of versions.
func (e *env) versions(query string) *versionsResult {
	e.T.Helper()
	var page versionsResult
	if query != "" {
		query = "&" + query
	}
	e.req("GET", e.on("versions"+query)).mustBe(200).xml(&page)
	for _, r := range page.Rows {
		marker := r.XMLName.Local == "DeleteMarker"
		if !marker && r.XMLName.Local != "Version" || r.LastModified == "" || r.Owner == nil || r.Owner.ID == "" ||
			marker != (r.ETag == "") || marker != (r.Size == nil) || marker != (r.StorageClass == "") {
			e.Errorf("a row with the wrong elements: %+v", r)
		}
	}
	return &page
}

// rows shows the rows of a page, then its common prefixes.
func (p *versionsResult) rows() string {
	var s []string
	for _, r := range p.Rows {
		s = append(s, r.String())
	}
	for _, c := range p.CommonPrefixes {
		s = append(s, c.Prefix)
	}
	return strings.Join(s, " ")
}

// wantVersions compares a whole listing.
func (e *env) wantVersions(query string, want ...string) {
	e.T.Helper()
	if got := e.versions(query).rows(); got != strings.Join(want, " ") {
		e.Errorf("%s: got %s, want %s", query, got, strings.Join(want, " "))
	}
}

// versioning sets the state of the group's bucket.
func (e *env) versioning(status string) {
	e.T.Helper()
	doc := `<VersioningConfiguration xmlns="` + namespace + `"><Status>` + status + `</Status></VersioningConfiguration>`
	e.req("PUT", e.on("versioning"), text(doc)).mustBe(200)
	var got struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
		Status  string
	}
	if e.req("GET", e.on("versioning")).mustBe(200).xml(&got); got.Status != status {
		e.Fatalf("versioning is %q, want %q", got.Status, status)
	}
}

// putVersion stores an object and returns its version.
func (e *env) putVersion(key, data string, opts ...option) string {
	e.T.Helper()
	id := e.put(key, data, opts...).header.Get("X-Amz-Version-Id")
	if id == "" {
		e.Fatalf("a put of %s has no version", key)
	}
	return id
}

// marker deletes a key and returns the version of the delete marker.
func (e *env) marker(key string) string {
	e.T.Helper()
	a := e.req("DELETE", e.at(key)).mustBe(204).has("X-Amz-Delete-Marker", "true")
	return a.header.Get("X-Amz-Version-Id")
}

func (e *env) version(key, id string) string { return e.at(key) + "?versionId=" + id }

func testVersioning(e *env) {
	e.req("GET", e.on("versioning")).mustBe(200)
	for doc, code := range map[string]string{
		"":                           "MissingRequestBodyError",
		"x":                          "MalformedXML",
		"<VersioningConfiguration/>": "IllegalVersioningConfigurationException",
		"<VersioningConfiguration><MfaDelete>Disabled</MfaDelete></VersioningConfiguration>":                  "IllegalVersioningConfigurationException",
		"<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>":                         "MalformedXML",
		"<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>":                             "MalformedXML",
		"<VersioningConfiguration><Status>Enabled</Status><Status>Enabled</Status></VersioningConfiguration>": "MalformedXML",
		"<Versioning><Status>Enabled</Status></Versioning>":                                                   "MalformedXML",
	} {
		e.req("PUT", e.on("versioning"), text(doc)).fails(400, code)
	}
	mfa := "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>"
	e.req("PUT", e.on("versioning"), text(mfa)).fails(403, "AccessDenied")
	e.put("k", "x").lacks("X-Amz-Version-Id")
	e.versioning("Suspended")
	e.versioning("Enabled")
	e.versioning("Enabled")
	e.versioning("Suspended")
	e.req("PUT", "/"+randomName()+"?versioning", text("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")).fails(404, "NoSuchBucket")
}

// testVersions stores, reads, hides, restores and removes versions in each state of a bucket.
func testVersions(e *env) {
	e.put("k", "plain").lacks("X-Amz-Version-Id")
	e.get("k").is(200).lacks("X-Amz-Version-Id")
	e.wantVersions("", "k@null*")
	e.versioning("Enabled")
	v1, v2 := e.putVersion("k", "one"), e.putVersion("k", "two")
	e.sub("read", func(e *env) {
		e.get("k").is(200).holds([]byte("two")).has("X-Amz-Version-Id", v2)
		for id, want := range map[string]string{"null": "plain", v1: "one", v2: "two"} {
			e.req("GET", e.version("k", id)).is(200).holds([]byte(want)).has("X-Amz-Version-Id", id)
			e.req("GET", e.version("k", id), header("Range", "bytes=1-")).is(206).holds([]byte(want[1:]))
			e.req("HEAD", e.version("k", id)).is(200).has("X-Amz-Version-Id", id)
			e.req("GET", e.version("k", id)+"&attributes", header("X-Amz-Object-Attributes", "ETag, ObjectSize")).is(200).has("X-Amz-Version-Id", id)
			e.req("GET", e.version("k", id)+"&acl").is(200).has("X-Amz-Version-Id", id)
		}
		e.req("GET", e.version("k", strings.Repeat("0123", 8))).fails(404, "NoSuchVersion", "VersionId", strings.Repeat("0123", 8))
		e.req("GET", e.version("none", v1)).fails(404, "NoSuchVersion")
		e.req("GET", e.version("k", "junk")).fails(400, "InvalidArgument", "ArgumentName", "versionId")
		e.wantVersions("", "k@"+v2+"*", "k@"+v1, "k@null")
	})
	e.sub("marker", func(e *env) { testMarker(e, v1, v2) })
	e.sub("restore", func(e *env) {
		a := e.req("PUT", e.at("k"), header("X-Amz-Copy-Source", e.version("k", v1))).is(200).has("X-Amz-Copy-Source-Version-Id", v1)
		v3 := a.header.Get("X-Amz-Version-Id")
		e.get("k").is(200).holds([]byte("one")).has("X-Amz-Version-Id", v3)
		e.wantVersions("", "k@"+v3+"*", "k@"+v2, "k@"+v1, "k@null")
		e.req("DELETE", e.version("k", v3)).is(204).has("X-Amz-Version-Id", v3).lacks("X-Amz-Delete-Marker")
		e.req("DELETE", e.version("k", v3)).is(204).has("X-Amz-Version-Id", v3)
		e.get("k").is(200).holds([]byte("two"))
	})
	e.sub("not empty", func(e *env) {
		e.marker("k")
		e.req("DELETE", e.on("")).fails(409, "BucketNotEmpty", "Message",
			"The bucket you tried to delete is not empty. You must delete all versions in the bucket.")
	})
}

// testMarker puts a delete marker on a key with versions and takes it off again.
func testMarker(e *env, v1, v2 string) {
	id := e.marker("k")
	for _, method := range []string{"GET", "HEAD"} {
		e.req(method, e.at("k")).fails(404, "NoSuchKey").has("X-Amz-Delete-Marker", "true", "X-Amz-Version-Id", id)
		e.req(method, e.version("k", id)).fails(405, "MethodNotAllowed").
			has("X-Amz-Delete-Marker", "true", "X-Amz-Version-Id", id, "Allow", "DELETE")
	}
	for _, at := range []string{e.at("k") + "?acl", e.version("k", id) + "&acl"} {
		e.req("PUT", at, header("X-Amz-Acl", "private")).fails(405, "MethodNotAllowed", "Method", "PUT", "ResourceType", "DeleteMarker")
	}
	e.req("GET", e.at("k")+"?acl").fails(404, "NoSuchKey")
	e.wantVersions("", "k@"+id+"x*", "k@"+v2, "k@"+v1, "k@null")
	if page := e.list(""); len(page.Contents) != 0 {
		e.Errorf("a deleted key is listed: %+v", page.Contents)
	}
	e.req("PUT", e.at("c"), header("X-Amz-Copy-Source", e.at("k"))).fails(404, "NoSuchKey")
	e.req("PUT", e.at("c"), header("X-Amz-Copy-Source", e.version("k", id))).fails(400, "InvalidRequest")
	e.put("k", "again", header("If-None-Match", "*")) // a marker is nothing to a condition
	e.req("PUT", e.at("k"), text("no"), header("If-None-Match", "*")).fails(412, "PreconditionFailed")
	e.req("DELETE", e.version("k", e.get("k").header.Get("X-Amz-Version-Id"))).is(204)
	e.req("PUT", e.at("k"), text("no"), header("If-Match", "*")).fails(501, "NotImplemented")
	e.req("PUT", e.at("k"), text("no"), header("If-Match", md5Hex("two"))).fails(404, "NoSuchKey")
	e.req("DELETE", e.at("k"), header("If-Match", "*")).fails(404, "NoSuchKey")
	second := e.marker("k") // one marker upon another
	e.wantVersions("", "k@"+second+"x*", "k@"+id+"x", "k@"+v2, "k@"+v1, "k@null")
	for _, m := range []string{second, id} {
		e.req("DELETE", e.version("k", m)).is(204).has("X-Amz-Delete-Marker", "true", "X-Amz-Version-Id", m)
	}
	e.get("k").is(200).holds([]byte("two")).has("X-Amz-Version-Id", v2)
	none := e.marker("never") // a marker is put where there is nothing, too
	e.wantVersions("prefix=never", "never@"+none+"x*")
	e.req("DELETE", e.version("never", none)).is(204)
	e.wantVersions("prefix=never")
}

// testSuspended overwrites and deletes null versions.
func testSuspended(e *env) {
	e.versioning("Enabled")
	v1 := e.putVersion("k", "one")
	e.versioning("Suspended")
	e.put("k", "null 1").lacks("X-Amz-Version-Id")
	e.put("k", "null 2").lacks("X-Amz-Version-Id")
	e.wantVersions("", "k@null*", "k@"+v1)
	e.get("k").is(200).holds([]byte("null 2")).has("X-Amz-Version-Id", "null")
	if id := e.marker("k"); id != "null" {
		e.Errorf("a marker with version %s", id)
	}
	e.wantVersions("", "k@nullx*", "k@"+v1)
	e.req("GET", e.version("k", "null")).fails(405, "MethodNotAllowed").has("X-Amz-Version-Id", "null")
	e.put("k", "null 3").lacks("X-Amz-Version-Id")
	e.wantVersions("", "k@null*", "k@"+v1)
	e.versioning("Enabled")
	v2 := e.putVersion("k", "two")
	e.wantVersions("", "k@"+v2+"*", "k@null", "k@"+v1)
	e.versioning("Suspended")
	e.put("k", "null 4").lacks("X-Amz-Version-Id") // the null version moves to the front
	e.wantVersions("", "k@null*", "k@"+v2, "k@"+v1)
	e.req("DELETE", e.version("k", "null")).is(204).has("X-Amz-Version-Id", "null").lacks("X-Amz-Delete-Marker")
	e.get("k").is(200).holds([]byte("two")).has("X-Amz-Version-Id", v2)
	e.req("DELETE", e.version("k", "null")).is(204)
	e.wantVersions("", "k@"+v2+"*", "k@"+v1)
	e.req("PUT", e.at("k"), header("X-Amz-Copy-Source", e.version("k", v1))).is(200).has("X-Amz-Version-Id", "null", "X-Amz-Copy-Source-Version-Id", v1)
	e.wantVersions("", "k@null*", "k@"+v2, "k@"+v1)
}

// testVersionedUploads completes uploads as versions and copies parts of versions.
func testVersionedUploads(e *env) {
	e.versioning("Enabled")
	v1 := e.putVersion("k", "source")
	up := e.begin("k")
	tag := e.part(up, 1, []byte("part"))
	done := e.req("POST", up.target(), text(completeDocument(row{1, tag}))).is(200)
	v2 := done.header.Get("X-Amz-Version-Id")
	e.get("k").is(200).holds([]byte("part")).has("X-Amz-Version-Id", v2)
	e.req("GET", e.version("k", v1)).is(200).holds([]byte("source"))
	e.wantVersions("", "k@"+v2+"*", "k@"+v1)
	up = e.begin("k")
	part := e.req("PUT", up.partTarget(1), header("X-Amz-Copy-Source", e.version("k", v1))).is(200).has("X-Amz-Copy-Source-Version-Id", v1)
	var copied copyResult
	part.xml(&copied)
	v3 := e.req("POST", up.target(), text(completeDocument(row{1, copied.ETag}))).is(200).header.Get("X-Amz-Version-Id")
	e.get("k").is(200).holds([]byte("source")).has("X-Amz-Version-Id", v3)
	e.versioning("Suspended")
	up = e.begin("k")
	tag = e.part(up, 1, []byte("null"))
	e.req("POST", up.target(), text(completeDocument(row{1, tag}))).is(200).lacks("X-Amz-Version-Id")
	e.wantVersions("", "k@null*", "k@"+v3, "k@"+v2, "k@"+v1)
}

// testVersionedDeletes names versions in DeleteObjects.
func testVersionedDeletes(e *env) {
	e.versioning("Enabled")
	a1, a2, b1 := e.putVersion("a", "1"), e.putVersion("a", "2"), e.putVersion("b", "1")
	object := func(key, id string) string {
		return "<Object><Key>" + key + "</Key><VersionId>" + id + "</VersionId></Object>"
	}
	var got struct {
		Deleted []struct{ Key, VersionId, DeleteMarker, DeleteMarkerVersionId string }
		Error   []struct{ Key, VersionId, Code, Message string }
	}
	remove := func(objects ...string) {
		e.T.Helper()
		got.Deleted, got.Error = nil, nil
		doc := "<Delete>" + strings.Join(objects, "") + "</Delete>"
		e.req("POST", e.on("delete"), text(doc)).mustBe(200).xml(&got)
	}
	remove(object("a", a1), "<Object><Key>b</Key></Object>", object("a", strings.Repeat("0123", 8)))
	if len(got.Deleted) != 3 || len(got.Error) != 0 || got.Deleted[0].VersionId != a1 || got.Deleted[0].DeleteMarker != "" ||
		got.Deleted[1].DeleteMarker != "true" || got.Deleted[1].DeleteMarkerVersionId == "" || got.Deleted[1].VersionId != "" {
		e.Fatalf("got %+v", got)
	}
	marker := got.Deleted[1].DeleteMarkerVersionId
	e.wantVersions("", "a@"+a2+"*", "b@"+marker+"x*", "b@"+b1)
	remove(object("b", marker))
	if len(got.Deleted) != 1 || got.Deleted[0].DeleteMarker != "true" || got.Deleted[0].DeleteMarkerVersionId != marker || got.Deleted[0].VersionId != marker {
		e.Errorf("got %+v", got)
	}
	e.get("b").is(200)
	remove(object("a", a2), object("b", b1), object("b", "null"))
	if len(got.Deleted) != 3 || len(got.Error) != 0 {
		e.Errorf("got %+v", got)
	}
	e.wantVersions("")
	const old = "<LastModifiedTime>2015-01-01T00:00:00Z</LastModifiedTime>"
	for _, condition := range []string{"<Size>9</Size>", old, "<Size>9</Size>" + old} { // hold of nothing, but not of a delete marker
		remove("<Object><Key>c</Key>" + condition + "</Object>")
		if len(got.Deleted) != 1 || len(got.Error) != 0 {
			e.Errorf("%s: got %+v", condition, got)
		}
	}
	e.marker("c")
	for _, condition := range []string{"<Size>9</Size>", old} {
		remove("<Object><Key>c</Key>" + condition + "</Object>")
		if len(got.Error) != 1 || got.Error[0].Code != "PreconditionFailed" {
			e.Errorf("%s of a marker: got %+v", condition, got)
		}
	}
}

// testListVersions pages through versions with every size and filter and compares with one whole listing.
func testListVersions(e *env) {
	for i, key := range []string{"a", "a/", "a/1", "a/b/c", "b +é", "c"} {
		e.put(key, "null")
		if i == 0 {
			e.versioning("Enabled")
		}
	}
	for range 3 {
		for _, key := range []string{"a", "a/1", "a/b/c", "c", "a/"} {
			e.put(key, "x")
		}
		e.marker("c")
	}
	e.marker("d/gone")
	for _, query := range []string{"", "prefix=a", "prefix=a/", "delimiter=/", "delimiter=/&prefix=a/", "delimiter=1", "prefix=none", "delimiter=/&prefix=d"} {
		whole := e.versions(query)
		if whole.IsTruncated || len(whole.Rows)+len(whole.CommonPrefixes) == 0 != (query == "prefix=none") {
			e.Errorf("%s: got %s", query, whole.rows())
		}
		for size := 1; size <= 8; size++ {
			if got, want := e.versionPages(query, size), whole.rows(); got != want {
				e.Errorf("%s by %d: got %s, want %s", query, size, got, want)
			}
		}
	}
	e.wantVersions("max-keys=0")
	rows := e.versions("prefix=a/1").Rows
	e.wantVersions("prefix=a/1&key-marker=a/1&version-id-marker="+rows[1].VersionId, rows[2].String(), rows[3].String())
	e.wantVersions("prefix=a&key-marker=a&version-id-marker=null&max-keys=1", e.versions("prefix=a/").Rows[0].String())
	e.wantVersions("prefix=a/1&key-marker=a/1")
	if page := e.versions("encoding-type=url&prefix=b%20"); page.EncodingType != "url" || page.Prefix != "b+" && page.Prefix != "b%20" || page.Rows[0].Key != "b+%2B%C3%A9" && page.Rows[0].Key != "b%20%2B%C3%A9" {
		e.Errorf("got %+v", page)
	}
	for query, name := range map[string]string{
		"version-id-marker=" + rows[0].VersionId: "version-id-marker", "key-marker=a&version-id-marker=": "version-id-marker",
		"key-marker=a&version-id-marker=junk": "version-id-marker", "max-keys=-1": "max-keys", "encoding-type=x": "encoding-type",
	} {
		e.req("GET", e.on("versions&"+query)).fails(400, "InvalidArgument", "ArgumentName", name)
	}
}

// versionPages reads a listing by pages of one size and shows it as one.
func (e *env) versionPages(query string, size int) string {
	e.T.Helper()
	var all versionsResult
	from := ""
	for {
		page := e.versions(fmt.Sprintf("max-keys=%d&%s%s", size, query, from))
		n := len(page.Rows) + len(page.CommonPrefixes)
		if n > size || n == 0 && page.IsTruncated || n < size && page.IsTruncated || page.MaxKeys != size {
			e.Fatalf("%s: a page of %d: %+v", query, n, page)
		}
		all.Rows = append(all.Rows, page.Rows...)
		all.CommonPrefixes = append(all.CommonPrefixes, page.CommonPrefixes...)
		if !page.IsTruncated {
			return all.rows()
		}
		from = "&key-marker=" + url.QueryEscape(page.NextKeyMarker)
		if page.NextVersionIdMarker != "" {
			from += "&version-id-marker=" + page.NextVersionIdMarker
		}
	}
}
