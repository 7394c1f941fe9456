package gwtest

import (
	"fmt"
	"net/http"
	"time"
)

func testRanges(e *env) {
	for _, n := range []int{1, 10, 200_000, 3 << 20} {
		data := pattern(n)
		e.req("PUT", e.at("k"), body(data)).mustBe(200)
		last := n - 1
		for _, r := range []struct {
			header      string
			first, last int // of a 206; first -1: the whole object
		}{
			{"bytes=0-", 0, last}, {"bytes=0-0", 0, 0}, {fmt.Sprintf("bytes=%d-%d", last, last), last, last},
			{fmt.Sprintf("bytes=%d-%d", n/2, n/2+5), n / 2, min(n/2+5, last)}, {fmt.Sprintf("bytes=%d-", n/3), n / 3, last},
			{"bytes=0-99999999999999999999", 0, last}, {"bytes=-1", last, last}, {fmt.Sprintf("bytes=-%d", n), 0, last},
			{fmt.Sprintf("bytes=-%d", n+1), 0, last}, {"BYTES=0-0", 0, 0},
			{"bytes=1-0", -1, 0}, {"bytes=0-0,2-3", -1, 0}, {"lines=0-1", -1, 0}, {"bytes", -1, 0}, {"bytes=", -1, 0}, {"bytes=-", -1, 0},
			{"bytes=a-b", -1, 0}, {"0-1", -1, 0},
		} {
			get, head := e.get("k", header("Range", r.header)), e.req("HEAD", e.at("k"), header("Range", r.header))
			same(e, get, head)
			if r.first < 0 {
				get.is(200).holds(data).lacks("Content-Range")
				continue
			}
			get.is(206).holds(data[r.first:r.last+1]).has("Content-Range", fmt.Sprintf("bytes %d-%d/%d", r.first, r.last, n),
				"Content-Length", fmt.Sprint(r.last-r.first+1), "Accept-Ranges", "bytes")
		}
		for _, r := range []string{fmt.Sprintf("bytes=%d-", n), fmt.Sprintf("bytes=%d-%d", n, n+5), "bytes=-0", "bytes=99999999999999999999-"} {
			e.get("k", header("Range", r)).fails(416, "InvalidRange", "ActualObjectSize", fmt.Sprint(n), "RangeRequested", r).
				has("Content-Range", fmt.Sprintf("bytes */%d", n)).lacks("ETag", "Last-Modified")
			e.req("HEAD", e.at("k"), header("Range", r)).fails(416, "InvalidRange").has("Content-Range", fmt.Sprintf("bytes */%d", n))
		}
	}
	e.sub("empty", func(e *env) {
		e.put("empty", "")
		e.get("empty", header("Range", "bytes=0-")).fails(416, "InvalidRange", "ActualObjectSize", "0")
		e.get("empty", header("Range", "bytes=-5")).is(200).holds(nil)
		e.get("empty").is(200).holds(nil).has("Content-Length", "0")
	})
}

func testReadConditions(e *env) {
	a := e.put("k", "data", header("Cache-Control", "no-cache"), header("X-Amz-Meta-A", "1"))
	etag := a.header.Get("ETag")
	at, err := http.ParseTime(e.get("k").header.Get("Last-Modified"))
	if err != nil {
		e.Fatal(err)
	}
	before, after := at.Add(-time.Hour).Format(http.TimeFormat), at.Add(time.Hour).Format(http.TimeFormat)
	now := at.Format(http.TimeFormat)
	const other = `"00000000000000000000000000000000"`
	for _, c := range []struct {
		match, none, since, unmodified string
		status                         int
		failed                         string // the condition a 412 names
	}{
		{match: etag, status: 200}, {match: "*", status: 200}, {match: etag[1 : len(etag)-1], status: 200},
		{match: other + ", " + etag, status: 200}, {match: other, status: 412, failed: "If-Match"},
		{match: "W/" + etag, status: 412, failed: "If-Match"},
		{none: etag, status: 304}, {none: "*", status: 304}, {none: "W/" + etag, status: 304}, {none: other + "," + etag, status: 304},
		{none: other, status: 200},
		{since: before, status: 200}, {since: now, status: 304}, {since: after, status: 200}, {since: "not a date", status: 200},
		{unmodified: before, status: 412, failed: "If-Unmodified-Since"}, {unmodified: now, status: 200}, {unmodified: after, status: 200},
		{unmodified: "not a date", status: 200},
		{match: etag, unmodified: before, status: 200}, {none: etag, since: before, status: 304}, {none: other, since: after, status: 200},
		{match: etag, none: etag, status: 304}, {match: other, none: other, status: 412, failed: "If-Match"},
		{match: etag, none: other, since: after, unmodified: before, status: 200},
		{unmodified: after, since: now, status: 304}, {none: etag, since: after, status: 304},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			var opts []option
			for name, value := range map[string]string{
				"If-Match": c.match, "If-None-Match": c.none, "If-Modified-Since": c.since, "If-Unmodified-Since": c.unmodified,
			} {
				if value != "" {
					opts = append(opts, header(name, value))
				}
			}
			a := e.req(method, e.at("k"), opts...)
			a.what += fmt.Sprintf(" %+v", c)
			switch c.status {
			case 200:
				a.is(200)
			case 304:
				a.fails(304, "NotModified").has("ETag", etag, "Last-Modified", now, "Cache-Control", "no-cache").lacks("Content-Length", "Content-Type")
			case 412:
				a.fails(412, "PreconditionFailed", "Condition", c.failed).lacks("ETag", "Cache-Control", "X-Amz-Meta-A")
			}
		}
	}
	e.get("nothing", header("If-None-Match", "*")).fails(404, "NoSuchKey")
	e.get("nothing", header("If-Match", "*")).fails(404, "NoSuchKey")
	e.get("k", header("If-None-Match", etag), header("Range", "bytes=100-")).fails(304, "NotModified")
	e.get("k", header("If-Match", etag), header("Range", "bytes=100-")).fails(416, "InvalidRange")
}

func testWriteConditions(e *env) {
	const other = `"00000000000000000000000000000000"`
	absent, matches := header("If-None-Match", "*"), func(tag string) option { return header("If-Match", tag) }
	etag := e.put("k", "one", absent).header.Get("ETag")
	e.req("PUT", e.at("k"), text("two"), absent).fails(412, "PreconditionFailed", "Condition", "If-None-Match")
	e.req("PUT", e.at("k"), text("two"), matches(other)).fails(412, "PreconditionFailed", "Condition", "If-Match")
	e.req("PUT", e.at("k"), text("two"), matches("not-a-tag")).fails(412, "PreconditionFailed", "Condition", "If-Match")
	e.req("PUT", e.at("none"), text("two"), matches(etag)).fails(404, "NoSuchKey", "Key", "none")
	e.req("PUT", e.at("no/ne"), text("two"), matches(etag)).fails(404, "NoSuchKey", "Key", "no/ne")
	e.get("k").holds([]byte("one"))
	e.absent("none")
	etag = e.put("k", "two", matches(etag)).header.Get("ETag")
	e.req("PUT", e.at("k"), text("three"), matches(etag[1:len(etag)-1])).is(200)
	for name, value := range map[string]string{"If-None-Match": etag, "If-Match": "*", "If-Unmodified-Since": "Thu, 01 Dec 2044 16:00:00 GMT"} {
		e.req("PUT", e.at("k"), text("x"), header(name, value)).fails(501, "NotImplemented")
	}
	e.req("PUT", e.at("k"), text("x"), absent, matches(etag)).fails(501, "NotImplemented")
	e.get("k").holds([]byte("three"))
	e.sub("copy", func(e *env) {
		from := header("X-Amz-Copy-Source", e.at("k"))
		e.req("PUT", e.at("c"), from, matches(etag)).fails(404, "NoSuchKey", "Key", "c")
		tag := `"` + md5Hex("three") + `"`
		e.req("PUT", e.at("c"), from, absent).is(200)
		e.req("PUT", e.at("c"), from, absent).fails(412, "PreconditionFailed")
		e.req("PUT", e.at("c"), from, matches(other)).fails(412, "PreconditionFailed")
		e.req("PUT", e.at("c"), from, matches(tag)).is(200)
	})
	e.sub("complete", func(e *env) {
		up := e.begin("k")
		tag := e.part(up, 1, []byte("part"))
		doc := completeDocument(row{1, tag})
		e.req("POST", up.target(), text(doc), absent).fails(412, "PreconditionFailed")
		e.req("POST", up.target(), text(doc), matches(other)).fails(412, "PreconditionFailed")
		e.get("k").holds([]byte("three"))
		e.req("POST", up.target(), text(doc), matches(`"`+md5Hex("three")+`"`)).is(200)
		e.get("k").holds([]byte("part"))
	})
}
