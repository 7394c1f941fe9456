package gwtest

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
)

// tagDocument is a document with tags, given as key, value, key, value.
func tagDocument(pairs ...string) string {
	var b strings.Builder
	b.WriteString(`<Tagging xmlns="` + namespace + `"><TagSet>`)
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString("<Tag><Key>")
		_ = xml.EscapeText(&b, []byte(pairs[i])) // a strings.Builder takes everything
		b.WriteString("</Key><Value>")
		_ = xml.EscapeText(&b, []byte(pairs[i+1]))
		b.WriteString("</Value></Tag>")
	}
	b.WriteString("</TagSet></Tagging>")
	return b.String()
}

// manyTags are n different tags.
func manyTags(n int) (pairs []string) {
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("k%02d", i), fmt.Sprint(i))
	}
	return pairs
}

// wantTags compares the tags of a bucket, or of an object or a version.
func (e *env) wantTags(target string, pairs ...string) *answer {
	e.T.Helper()
	var got struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
		TagSet  struct{ Tag []struct{ Key, Value string } }
	}
	a := e.req("GET", target).mustBe(200).xml(&got)
	var have []string
	for _, t := range got.TagSet.Tag {
		have = append(have, t.Key, t.Value)
	}
	if fmt.Sprintf("%q", have) != fmt.Sprintf("%q", pairs) {
		e.Errorf("%s: got tags %q, want %q", target, have, pairs)
	}
	return a
}

// badTags are sets of tags that are refused: the reason, then the tags. reserved is the reason for those that only S3 itself may set.
func badTags(reserved string) [][]string {
	return [][]string{
		{"The TagKey you have provided is invalid", "", "v"},
		{"The TagKey you have provided is invalid", strings.Repeat("k", 129), "v"},
		{"The TagKey you have provided is invalid", "a<b", "v"},
		{"The TagValue you have provided is invalid", "k", strings.Repeat("v", 257)},
		{"The TagValue you have provided is invalid", "k", "a,b"},
		{"Cannot provide multiple Tags with the same key", "k", "1", "k", "2"},
		{reserved, "aws:k", "v"},
	}
}

func testTagging(e *env) {
	tagging := e.at("k") + "?tagging"
	e.put("k", "data").lacks("X-Amz-Tagging-Count")
	e.wantTags(tagging)
	e.sub("set and get", func(e *env) {
		doc := tagDocument("b", "2", "a", "")
		e.req("PUT", tagging, text(doc), header("Content-MD5", md5Base64(doc))).is(200).lacks("X-Amz-Version-Id")
		e.wantTags(tagging, "a", "", "b", "2")
		e.get("k").is(200).holds([]byte("data")).has("X-Amz-Tagging-Count", "2")
		e.req("HEAD", e.at("k")).is(200).has("X-Amz-Tagging-Count", "2")
		most := append(manyTags(9), strings.Repeat("ü", 128), strings.Repeat("ß", 256))
		e.req("PUT", tagging, text(tagDocument(most...))).is(200)
		e.wantTags(tagging, most...)
		e.req("PUT", tagging, text(tagDocument())).is(200)
		e.wantTags(tagging)
		e.req("PUT", tagging, text(tagDocument("a b", "+-=._:/@"))).is(200)
		e.req("DELETE", tagging).is(204)
		e.req("DELETE", tagging).is(204)
		e.wantTags(tagging)
		e.get("k").is(200).lacks("X-Amz-Tagging-Count")
	})
	e.sub("refused", func(e *env) {
		for _, bad := range badTags("Your TagKey cannot be prefixed with aws:") {
			e.req("PUT", tagging, text(tagDocument(bad[1:]...))).fails(400, "InvalidTag", "Message", bad[0])
		}
		e.req("PUT", tagging, text(tagDocument(manyTags(11)...))).fails(400, "InvalidTag", "Message", "Object tags cannot be greater than 10")
		for doc, code := range map[string]string{
			"": "MissingRequestBodyError", "<Tagging/>": "MalformedXML", "<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>": "MalformedXML",
			"<Tagging><TagSet/><TagSet/></Tagging>": "MalformedXML", "<TagSet/>": "MalformedXML",
		} {
			e.req("PUT", tagging, text(doc)).fails(400, code)
		}
		e.req("PUT", tagging, text(tagDocument("a", "b")), header("Content-MD5", md5Base64("x"))).fails(400, "BadDigest",
			"ExpectedDigest", md5Base64("x"), "CalculatedDigest", md5Base64(tagDocument("a", "b")))
		for _, method := range []string{"GET", "DELETE"} {
			e.req(method, e.at("none")+"?tagging").fails(404, "NoSuchKey", "Key", "none")
		}
		e.req("PUT", e.at("none")+"?tagging", text(tagDocument())).fails(404, "NoSuchKey")
		e.wantTags(tagging)
	})
	e.sub("header", testTaggingHeader)
	e.sub("versions", testTaggedVersions)
}

func testTaggingHeader(e *env) {
	two := header("X-Amz-Tagging", "b=2&a=%C3%A9+%2B")
	e.put("h", "data", two)
	e.wantTags(e.at("h")+"?tagging", "a", "é +", "b", "2")
	e.put("h", "data", header("X-Amz-Tagging", "foo=bar&bar"))
	e.wantTags(e.at("h")+"?tagging", "bar", "", "foo", "bar")
	e.put("h", "data")
	e.wantTags(e.at("h") + "?tagging")
	for value, code := range map[string]string{
		"a=1&a=2": "InvalidArgument", "%zz=1": "InvalidArgument", "%ff=1": "InvalidArgument", "aws:x=1": "InvalidTag", "=1": "InvalidTag",
		strings.Repeat("k", 129) + "=": "InvalidTag", url.QueryEscape("a<b") + "=": "InvalidTag",
		"a&b&c&d&e&f&g&h&i&j&k": "InvalidTag",
	} {
		e.req("PUT", e.at("never"), text("x"), header("X-Amz-Tagging", value)).fails(400, code)
	}
	e.absent("never")
	up := e.begin("m", two)
	done := e.part(up, 1, []byte("data"))
	e.req("POST", up.target(), text(completeDocument(row{1, done}))).is(200)
	e.wantTags(e.at("m")+"?tagging", "a", "é +", "b", "2")
	e.get("m").is(200).has("X-Amz-Tagging-Count", "2")
	from := header("X-Amz-Copy-Source", e.at("m"))
	e.req("PUT", e.at("c"), from).is(200)
	e.wantTags(e.at("c")+"?tagging", "a", "é +", "b", "2")
	e.req("PUT", e.at("c"), from, header("X-Amz-Tagging", "c=3"), header("X-Amz-Tagging-Directive", "REPLACE")).is(200)
	e.wantTags(e.at("c")+"?tagging", "c", "3")
	e.req("PUT", e.at("c"), from, header("X-Amz-Tagging-Directive", "REPLACE")).is(200)
	e.wantTags(e.at("c") + "?tagging")
	e.req("PUT", e.at("c"), from, header("X-Amz-Tagging-Directive", "MOVE")).fails(400, "InvalidArgument", "ArgumentName", "x-amz-tagging-directive")
}

func testTaggedVersions(e *env) {
	e.versioning("Enabled")
	v1 := e.putVersion("v", "1", header("X-Amz-Tagging", "n=1"))
	v2 := e.putVersion("v", "2")
	first, second := e.version("v", v1)+"&tagging", e.version("v", v2)+"&tagging"
	e.wantTags(first, "n", "1").has("X-Amz-Version-Id", v1)
	e.wantTags(e.at("v")+"?tagging").has("X-Amz-Version-Id", v2)
	e.req("PUT", first, text(tagDocument("m", "1"))).is(200).has("X-Amz-Version-Id", v1)
	e.req("PUT", e.at("v")+"?tagging", text(tagDocument("m", "2"))).is(200).has("X-Amz-Version-Id", v2)
	e.wantTags(first, "m", "1")
	e.wantTags(second, "m", "2")
	e.req("GET", e.version("v", v1)).is(200).holds([]byte("1")).has("X-Amz-Tagging-Count", "1")
	e.req("DELETE", first).is(204).has("X-Amz-Version-Id", v1)
	e.wantTags(first)
	e.wantTags(second, "m", "2")
	marker := e.marker("v")
	for _, method := range []string{"GET", "DELETE"} {
		e.req(method, e.version("v", marker)+"&tagging").fails(405, "MethodNotAllowed")
		e.req(method, e.at("v")+"?tagging").fails(405, "MethodNotAllowed", "Method", method, "ResourceType", "DeleteMarker")
	}
	e.req("PUT", e.at("v")+"?tagging", text(tagDocument("a", "b"))).fails(405, "MethodNotAllowed")
	e.req("PUT", e.at("v")+"?acl", header("X-Amz-Acl", "private")).fails(405, "MethodNotAllowed")
	e.req("GET", e.at("v")+"?acl").fails(404, "NoSuchKey")
	e.req("PUT", e.version("v", marker)+"&tagging", text(tagDocument("a", "b"))).fails(405, "MethodNotAllowed")
	e.req("PUT", e.version("v", strings.Repeat("0123", 8))+"&tagging", text(tagDocument("a", "b"))).fails(404, "NoSuchVersion")
}

func testBucketTagging(e *env) {
	e.req("GET", e.on("tagging")).fails(404, "NoSuchTagSet", "BucketName", e.bucket)
	e.req("PUT", e.on("tagging"), text(tagDocument("b", "2", "a", "1"))).is(204)
	e.wantTags(e.on("tagging"), "b", "2", "a", "1")
	e.req("PUT", e.on("tagging"), text(tagDocument(manyTags(50)...))).is(204)
	e.wantTags(e.on("tagging"), manyTags(50)...)
	e.req("PUT", e.on("tagging"), text(tagDocument(manyTags(51)...))).fails(400, "InvalidTag")
	for _, bad := range badTags("System tags cannot be added/updated by requester") {
		e.req("PUT", e.on("tagging"), text(tagDocument(bad[1:]...))).fails(400, "InvalidTag", "Message", bad[0])
	}
	e.req("PUT", e.on("tagging"), text("<Tagging>")).fails(400, "MalformedXML")
	e.wantTags(e.on("tagging"), manyTags(50)...)
	e.req("DELETE", e.on("tagging")).is(204)
	e.req("GET", e.on("tagging")).fails(404, "NoSuchTagSet")
	e.req("DELETE", e.on("tagging")).is(204)
	e.req("PUT", "/"+randomName()+"?tagging", text(tagDocument("a", "1"))).fails(404, "NoSuchBucket")
}
