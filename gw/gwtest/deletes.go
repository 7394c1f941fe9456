package gwtest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// deleteDocument is the body of a DeleteObjects request.
func deleteDocument(quiet bool, keys ...string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<Delete xmlns="%s"><Quiet>%t</Quiet>`, namespace, quiet)
	for _, key := range keys {
		b.WriteString("<Object><Key>")
		_ = xml.EscapeText(&b, []byte(key)) // a bytes.Buffer takes everything
		b.WriteString("</Key></Object>")
	}
	b.WriteString("</Delete>")
	return b.String()
}

func testDeleteObjects(e *env) {
	e.sub("loud", func(e *env) {
		e.putAll([]string{"a", "b/c", "d//", "é &<>\"'"})
		doc := deleteDocument(false, "a", "b/c", "nothing", "d//", "é &<>\"'", "a")
		var got deleteResult
		e.req("POST", e.on("delete"), text(doc), header("Content-MD5", md5Base64(doc))).mustBe(200).xml(&got)
		want := []string{"a", "b/c", "nothing", "d//", "é &<>\"'", "a"}
		if len(got.Deleted) != len(want) || len(got.Error) != 0 {
			e.Fatalf("got %+v", got)
		}
		for i, d := range got.Deleted {
			if d.Key != want[i] {
				e.Errorf("%d: got %q, want %q", i, d.Key, want[i])
			}
		}
		if page := e.list(""); len(page.Contents) != 0 {
			e.Errorf("left over: %+v", page.Contents)
		}
	})
	e.sub("thousand", func(e *env) {
		for _, quiet := range []bool{true, false} {
			keys := keysf("t/%03d/k", 999)
			e.putAll(keys)
			doc := deleteDocument(quiet, append(keys, "not/there")...)
			var got deleteResult
			e.req("POST", e.on("delete"), text(doc), header("Content-MD5", md5Base64(doc))).mustBe(200).xml(&got)
			want := 1000
			if quiet {
				want = 0
			}
			if len(got.Deleted) != want || len(got.Error) != 0 {
				e.Errorf("quiet %t: %d deleted, %d errors", quiet, len(got.Deleted), len(got.Error))
			}
			if page := e.list(""); len(page.Contents) != 0 {
				e.Errorf("quiet %t: %d left over", quiet, len(page.Contents))
			}
		}
	})
	e.sub("each its own", func(e *env) {
		e.put("kept", "x")
		tag := e.put("gone", "y").header.Get("ETag")
		doc := `<Delete><Object><Key>kept</Key><ETag>"00000000000000000000000000000000"</ETag></Object>` +
			`<Object><Key>gone</Key><ETag>` + tag + `</ETag></Object>` +
			`<Object><Key>` + strings.Repeat("k", 1025) + `</Key></Object>` +
			`<Object><Key>kept</Key><VersionId>junk</VersionId></Object>` +
			`<Object><Key>none</Key><VersionId>null</VersionId></Object><Quiet>true</Quiet></Delete>`
		var got deleteResult
		e.req("POST", e.on("delete"), text(doc)).mustBe(200).xml(&got)
		want := []string{"PreconditionFailed", "KeyTooLongError", "NoSuchVersion"}
		if len(got.Error) != len(want) || len(got.Deleted) != 0 {
			e.Fatalf("got %+v", got)
		}
		for i, failed := range got.Error {
			if failed.Code != want[i] || failed.Message == "" || failed.Key == "" {
				e.Errorf("%d: got %+v, want %s", i, failed, want[i])
			}
		}
		e.get("kept").is(200)
		e.absent("gone")
	})
	e.sub("refused", func(e *env) {
		e.put("kept", "x")
		good := deleteDocument(true, "kept")
		for name, c := range map[string]struct {
			doc  string
			code string
			opts []option
		}{
			"empty":           {"", "MissingRequestBodyError", nil},
			"no XML":          {"kept", "MalformedXML", nil},
			"cut":             {good[:len(good)-3], "MalformedXML", nil},
			"no object":       {"<Delete></Delete>", "MalformedXML", nil},
			"no key":          {"<Delete><Object></Object></Delete>", "MalformedXML", nil},
			"another root":    {"<Remove><Object><Key>kept</Key></Object></Remove>", "MalformedXML", nil},
			"too many":        {deleteDocument(true, append(keysf("%d", 1000), "kept")...), "MalformedXML", nil},
			"entity":          {`<!DOCTYPE d [<!ENTITY k "kept">]><Delete><Object><Key>&k;</Key></Object></Delete>`, "MalformedXML", nil},
			"wrong MD5":       {good, "BadDigest", []option{header("Content-MD5", md5Base64("other"))}},
			"no MD5 at all":   {good, "InvalidDigest", []option{header("Content-MD5", "junk")}},
			"wrong checksum":  {good, "BadDigest", []option{header("X-Amz-Checksum-Crc32", crc32Base64("other"))}},
			"not protected":   {good, "InvalidRequest", []option{e.unsignedPayload()}},
			"too large":       {"<Delete>" + strings.Repeat(" ", 8<<20) + "</Delete>", "MaxMessageLengthExceeded", nil},
			"a bad condition": {"<Delete><Object><Key>kept</Key><Size>x</Size></Object></Delete>", "MalformedXML", nil},
		} {
			e.sub(name, func(e *env) {
				e.req("POST", e.on("delete"), append([]option{text(c.doc)}, c.opts...)...).fails(400, c.code)
				e.get("kept").is(200)
			})
		}
		e.req("POST", e.on("delete"), text(good), e.unsignedPayload(), header("X-Amz-Checksum-Crc32", crc32Base64(good))).is(200)
		e.absent("kept")
	})
}
