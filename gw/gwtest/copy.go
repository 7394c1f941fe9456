package gwtest

import (
	"net/http"
	"time"
)

func testCopy(e *env) {
	source := "src/a b+%é"
	e.put(source, "data", header("Content-Type", "text/plain"), header("Cache-Control", "no-cache"), header("X-Amz-Meta-A", "1"),
		header("X-Amz-Checksum-Sha256", algorithms()[4].base64([]byte("data"))), header("X-Amz-Storage-Class", "STANDARD_IA"))
	from := header("X-Amz-Copy-Source", e.at(source))
	enabled := header("X-Amz-Checksum-Mode", "ENABLED")
	e.sub("copy", func(e *env) {
		var got copyResult
		e.req("PUT", e.at("c"), from, header("X-Amz-Meta-B", "ignored")).mustBe(200).xml(&got)
		if got.XMLName.Local != "CopyObjectResult" || got.ETag != `"`+md5Hex("data")+`"` || got.ChecksumSHA256 == "" || got.ChecksumType != "FULL_OBJECT" {
			e.Errorf("got %+v", got)
		}
		if at, err := time.Parse("2006-01-02T15:04:05.000Z", got.LastModified); err != nil || time.Since(at).Abs() > time.Hour {
			e.Errorf("LastModified %q: %v", got.LastModified, err)
		}
		e.get("c", enabled).is(200).holds([]byte("data")).lacks("X-Amz-Meta-B", "X-Amz-Storage-Class").
			has("Content-Type", "text/plain", "Cache-Control", "no-cache", "X-Amz-Meta-A", "1", "X-Amz-Checksum-Sha256", algorithms()[4].base64([]byte("data")))
		e.get(source).is(200).holds([]byte("data"))
	})
	e.sub("replace", func(e *env) {
		e.req("PUT", e.at("c"), from, header("X-Amz-Metadata-Directive", "REPLACE"), header("X-Amz-Meta-B", "2"),
			header("Content-Type", "a/b"), header("X-Amz-Checksum-Algorithm", "CRC32"), header("X-Amz-Storage-Class", "GLACIER_IR")).is(200)
		e.get("c", enabled).is(200).holds([]byte("data")).lacks("X-Amz-Meta-A", "Cache-Control", "X-Amz-Checksum-Sha256").
			has("Content-Type", "a/b", "X-Amz-Meta-B", "2", "X-Amz-Checksum-Crc32", crc32Base64("data"), "X-Amz-Storage-Class", "GLACIER_IR")
	})
	e.sub("redirect", func(e *env) { // belongs to one name and does not go along
		e.put("r", "x", header("X-Amz-Website-Redirect-Location", "/elsewhere"))
		e.req("PUT", e.at("r2"), header("X-Amz-Copy-Source", e.at("r"))).is(200)
		e.get("r2").is(200).lacks("X-Amz-Website-Redirect-Location")
		e.req("PUT", e.at("r2"), header("X-Amz-Copy-Source", e.at("r")), header("X-Amz-Website-Redirect-Location", "/there")).is(200)
		e.get("r2").is(200).has("X-Amz-Website-Redirect-Location", "/there")
	})
	e.sub("onto itself", func(e *env) {
		e.put("self", "data", header("X-Amz-Meta-A", "1"))
		self := header("X-Amz-Copy-Source", e.at("self"))
		e.req("PUT", e.at("self"), self).fails(400, "InvalidRequest")
		e.req("PUT", e.at("self"), self, header("X-Amz-Metadata-Directive", "REPLACE"), header("X-Amz-Meta-B", "2")).is(200)
		e.get("self").is(200).holds([]byte("data")).has("X-Amz-Meta-B", "2").lacks("X-Amz-Meta-A")
		e.req("PUT", e.at("self"), self, header("X-Amz-Storage-Class", "STANDARD_IA")).is(200)
		e.get("self").is(200).holds([]byte("data")).has("X-Amz-Storage-Class", "STANDARD_IA", "X-Amz-Meta-B", "2")
		e.req("PUT", e.at("self"), self, header("X-Amz-Acl", "public-read")).fails(400, "InvalidRequest")
		for range 2 { // saying what is so already is saying something
			e.req("PUT", e.at("self"), self, header("X-Amz-Storage-Class", "STANDARD")).is(200)
		}
		e.get("self").is(200).holds([]byte("data")).lacks("X-Amz-Storage-Class")
	})
	e.sub("across buckets", func(e *env) {
		other := e.newBucket()
		e.req("PUT", "/"+other+"/c", from).is(200)
		e.req("GET", "/"+other+"/c").is(200).holds([]byte("data"))
	})
	e.sub("sizes", func(e *env) {
		for _, n := range []int{0, 1, 1 << 20, 3<<20 + 1} {
			data := pattern(n)
			e.req("PUT", e.at("big"), body(data)).mustBe(200)
			e.req("PUT", e.at("big2"), header("X-Amz-Copy-Source", e.at("big"))).is(200)
			e.get("big2").is(200).holds(data).has("ETag", `"`+md5Hex(string(data))+`"`)
		}
	})
	e.sub("spellings", func(e *env) {
		for _, value := range []string{e.at(source)[1:], "%2F" + e.bucket + "%2Fsrc%2Fa%20b%2B%25%C3%A9", e.at(source) + "?versionId=null"} {
			e.req("PUT", e.at("c"), header("X-Amz-Copy-Source", value)).is(200)
		}
	})
	e.sub("refused", func(e *env) {
		for value, code := range map[string]string{
			"": "InvalidArgument", "/": "InvalidArgument", "bucketonly": "InvalidArgument", "/" + e.bucket + "/": "InvalidArgument",
			"/" + e.bucket + "/%zz": "InvalidArgument", "/B/k": "InvalidArgument", e.at(source) + "?versionId=": "InvalidArgument",
			e.at(source) + "?versionId=junk": "InvalidArgument",
		} {
			e.req("PUT", e.at("never"), header("X-Amz-Copy-Source", value)).fails(400, code)
		}
		for _, value := range []string{"bucketonly", "/" + e.bucket + "/"} {
			e.req("PUT", e.at("never"), header("X-Amz-Copy-Source", value)).fails(400, "InvalidArgument", "Message", "Invalid copy source object key",
				"ArgumentName", "x-amz-copy-source", "ArgumentValue", "x-amz-copy-source")
		}
		e.req("PUT", e.at("never"), header("X-Amz-Copy-Source", e.at("none"))).fails(404, "NoSuchKey", "Key", "none")
		e.req("PUT", e.at("never"), header("X-Amz-Copy-Source", "/"+randomName()+"/k")).fails(404, "NoSuchBucket")
		e.req("PUT", e.at("never"), header("X-Amz-Copy-Source", e.at(source)+"?versionId=0123456789abcdef0123456789abcdef")).fails(404, "NoSuchVersion")
		e.req("PUT", e.at("never"), from, header("X-Amz-Metadata-Directive", "MERGE")).fails(400, "InvalidArgument")
		e.req("PUT", e.at("never"), from, header("X-Amz-Checksum-Algorithm", "ROT13")).fails(400, "InvalidRequest")
		e.req("PUT", e.at("never"), from, header("X-Amz-Source-Expected-Bucket-Owner", "nobody")).fails(403, "AccessDenied")
		e.req("PUT", "/"+randomName()+"/k", from).fails(404, "NoSuchBucket")
		e.absent("never")
	})
}

func testCopyConditions(e *env) {
	tag := e.put("s", "data").header.Get("ETag")
	at, err := http.ParseTime(e.get("s").header.Get("Last-Modified"))
	if err != nil {
		e.Fatal(err)
	}
	before, after := at.Add(-time.Hour).Format(http.TimeFormat), at.Add(time.Hour).Format(http.TimeFormat)
	const other = `"00000000000000000000000000000000"`
	up := e.begin("m")
	for _, c := range []struct {
		pairs []string
		ok    bool
	}{
		{[]string{"If-Match", tag}, true}, {[]string{"If-Match", other}, false}, {[]string{"If-Match", tag[1 : len(tag)-1]}, true},
		{[]string{"If-None-Match", other}, true}, {[]string{"If-None-Match", tag}, false},
		{[]string{"If-Modified-Since", before}, true}, {[]string{"If-Modified-Since", at.Format(http.TimeFormat)}, false}, {[]string{"If-Modified-Since", after}, true},
		{[]string{"If-Unmodified-Since", after}, true}, {[]string{"If-Unmodified-Since", before}, false},
		{[]string{"If-Match", tag, "If-Unmodified-Since", before}, true}, {[]string{"If-None-Match", tag, "If-Modified-Since", before}, false},
	} {
		opts := []option{header("X-Amz-Copy-Source", e.at("s"))}
		for i := 0; i < len(c.pairs); i += 2 {
			opts = append(opts, header("X-Amz-Copy-Source-"+c.pairs[i], c.pairs[i+1]))
		}
		for _, target := range []string{e.at("never"), up.partTarget(1)} {
			a := e.req("PUT", target, opts...)
			if c.ok {
				a.is(200)
			} else {
				a.fails(412, "PreconditionFailed")
			}
		}
		if c.ok {
			e.req("DELETE", e.at("never")).is(204)
		}
		e.absent("never")
	}
}
