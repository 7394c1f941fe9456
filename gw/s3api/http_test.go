package s3api

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestRange(t *testing.T) {
	whole := func(size int64) string { return fmt.Sprintf("whole %d", size) }
	for _, tt := range []struct {
		header string
		size   int64
		want   string // "first-last", whole, or 416
	}{
		{"", 10, whole(10)},
		{"bytes=0-0", 10, "0-0"},
		{"bytes=0-9", 10, "0-9"},
		{"bytes=3-", 10, "3-9"},
		{"bytes=3-100", 10, "3-9"},
		{"bytes=-3", 10, "7-9"},
		{"bytes=-30", 10, "0-9"},
		{"Bytes=1-2", 10, "1-2"},
		{"bytes= 1-2 ", 10, "1-2"},
		{"bytes=0-99999999999999999999999", 10, "0-9"},
		{"bytes=-99999999999999999999999", 10, "0-9"},
		// unsatisfiable: 416 InvalidRange
		{"bytes=10-", 10, "416"},
		{"bytes=10-20", 10, "416"},
		{"bytes=-0", 10, "416"},
		{"bytes=0-0", 0, "416"},
		{"bytes=0-", 0, "416"},
		{"bytes=99999999999999999999999-", 10, "416"},
		{"bytes=-5", 0, whole(0)},
		// not one well-formed range of bytes: ignored
		{"bytes=5-2", 10, whole(10)},
		{"bytes=0-1,3-4", 10, whole(10)},
		{"bytes=-", 10, whole(10)},
		{"bytes=", 10, whole(10)},
		{"bytes", 10, whole(10)},
		{"bytes=a-b", 10, whole(10)},
		{"bytes=+1-2", 10, whole(10)},
		{"bytes=--2", 10, whole(10)},
		{"bytes=1 - 2", 10, whole(10)},
		{"items=0-1", 10, whole(10)},
		{"0-1", 10, whole(10)},
	} {
		r, partial, err := ParseRange(tt.header).Resolve(tt.size)
		got := fmt.Sprintf("%d-%d", r.Offset, r.Offset+r.Length-1)
		if !partial {
			got = whole(r.Length)
		}
		if err != nil {
			got = fmt.Sprint(codeOf(err).Status())
		}
		if got != tt.want {
			t.Errorf("%q of %d bytes: %s, want %s", tt.header, tt.size, got, tt.want)
		}
	}
	r, _, _ := ParseRange("bytes=2-5").Resolve(10)
	if got, want := r.ContentRange(10), "bytes 2-5/10"; got != want {
		t.Errorf("Content-Range %q, want %q", got, want)
	}
}

func FuzzRange(f *testing.F) {
	f.Add("bytes=0-9", int64(5))
	f.Add("bytes=-0", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		r, partial, err := ParseRange(header).Resolve(size)
		if err == nil && (r.Offset < 0 || r.Length < 0 || r.Length > size-r.Offset || partial && r.Length == 0) {
			t.Fatalf("%q of %d: %+v", header, size, r)
		}
		c, err := ParseCopySourceRange(header)
		if err != nil {
			return
		}
		if r, err := c.Resolve(size); err == nil && (r.Offset < 0 || r.Length < 0 || r.Length > size-r.Offset) {
			t.Fatalf("copy of %q of %d: %+v", header, size, r)
		}
	})
}

func TestCopySourceRange(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  string
	}{
		{"", "0+10"}, {"bytes=0-9", "0+10"}, {"bytes=2-3", "2+2"},
		{"bytes=0-10", "InvalidArgument"}, {"bytes=10-11", "InvalidRequest"}, {"bytes=3-", "InvalidArgument"},
		{"bytes=-3", "InvalidArgument"}, {"0-3", "InvalidArgument"}, {"bytes=0-1,2-3", "InvalidArgument"},
		{"bytes=hello-world", "InvalidArgument"}, {"bytes=3-2", "InvalidArgument"},
	} {
		c, err := ParseCopySourceRange(tt.value)
		var r ByteRange
		if err == nil {
			r, err = c.Resolve(10)
		}
		got := fmt.Sprintf("%d+%d", r.Offset, r.Length)
		if err != nil {
			got = string(codeOf(err))
		}
		if got != tt.want {
			t.Errorf("%q: %s, want %s", tt.value, got, tt.want)
		}
	}
}

// The object of the condition tests: ETag "abc", changed at noon and a bit.
var (
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	changed  = noon.Add(300 * time.Millisecond)
	before   = noon.Add(-time.Second).Format(http.TimeFormat)
	same     = noon.Format(http.TimeFormat)
	after    = noon.Add(time.Hour).Format(http.TimeFormat)
	badDate  = "yesterday"
	noHeader = ""
)

func TestReadConditions(t *testing.T) {
	for _, tt := range []struct {
		match, noneMatch, modified, unmodified string
		status                                 int
		failed                                 string
	}{
		{status: 200},
		{match: `"abc"`, status: 200},
		{match: `abc`, status: 200}, // S3 takes tags without quotes
		{match: `*`, status: 200},
		{match: `"x", "abc"`, status: 200},
		{match: `"x"`, status: 412, failed: "If-Match"},
		{match: `W/"abc"`, status: 412, failed: "If-Match"}, // strong comparison
		{match: `"abc`, status: 412, failed: "If-Match"},
		{noneMatch: `"abc"`, status: 304},
		{noneMatch: `abc`, status: 304},
		{noneMatch: `W/"abc"`, status: 304}, // weak comparison
		{noneMatch: `*`, status: 304},
		{noneMatch: `"x","y"`, status: 200},
		{noneMatch: `"a,b","abc"`, status: 304},
		{modified: before, status: 200},
		{modified: same, status: 304}, // whole seconds
		{modified: after, status: 304},
		{modified: badDate, status: 200},
		{unmodified: before, status: 412, failed: "If-Unmodified-Since"},
		{unmodified: same, status: 200},
		{unmodified: after, status: 200},
		{unmodified: badDate, status: 200},
		// the combinations S3 documents for GetObject and HeadObject
		{match: `"abc"`, unmodified: before, status: 200},
		{noneMatch: `"abc"`, modified: before, status: 304},
		// and those of RFC 9110 section 13.2.2
		{match: `"x"`, unmodified: after, status: 412, failed: "If-Match"},
		{noneMatch: `"x"`, modified: after, status: 200},
		{match: `"abc"`, noneMatch: `"abc"`, status: 304},
		{match: `"x"`, noneMatch: `"abc"`, status: 412, failed: "If-Match"},
		{unmodified: before, noneMatch: `"abc"`, status: 412, failed: "If-Unmodified-Since"},
	} {
		h, hc := make(http.Header), make(http.Header)
		for name, value := range map[string]string{"If-Match": tt.match, "If-None-Match": tt.noneMatch,
			"If-Modified-Since": tt.modified, "If-Unmodified-Since": tt.unmodified} {
			if value != noHeader {
				h.Set(name, value)
				hc.Set("x-amz-copy-source-"+name, value)
			}
		}
		got := 200
		err := ParseConditions(h, changed.AddDate(1, 0, 0)).Err("abc", changed)
		if err != nil {
			got = codeOf(err).Status()
		}
		if got != tt.status {
			t.Errorf("%v: %d, want %d", h, got, tt.status)
		}
		if tt.failed != "" && !strings.Contains(string(AppendError(nil, AsError(err), testID, "")), "<Condition>"+tt.failed+"<") {
			t.Errorf("%v: %v, want the condition %s", h, err, tt.failed)
		}
		want := tt.status
		if want == 304 {
			want = 412 // a copy never answers 304
		}
		got = 200
		if err := ParseCopyConditions(hc, changed.AddDate(1, 0, 0)).Err("abc", changed); err != nil {
			got = codeOf(err).Status()
		}
		if got != want {
			t.Errorf("copy, %v: %d, want %d", hc, got, want)
		}
	}
	// S3 takes no notice of an If-Modified-Since that is yet to come.
	read := http.Header{"If-Modified-Since": {changed.Add(time.Hour).UTC().Format(http.TimeFormat)}}
	if err := ParseConditions(read, changed.Add(time.Minute)).Err("abc", changed); err != nil {
		t.Errorf("a read from the future: %v", err)
	}
	later := http.Header{"X-Amz-Copy-Source-If-Modified-Since": {changed.Add(time.Hour).UTC().Format(http.TimeFormat)}}
	if err := ParseCopyConditions(later, changed.Add(time.Minute)).Err("abc", changed); err != nil {
		t.Errorf("a copy from the future: %v", err)
	}
	if err := ParseCopyConditions(later, changed.Add(2*time.Hour)).Err("abc", changed); codeOf(err) != PreconditionFailed {
		t.Errorf("a copy from the past: %v", err)
	}
}

func TestWriteConditions(t *testing.T) {
	for _, tt := range []struct {
		match, noneMatch string
		want             WriteCondition
		code             Code
	}{
		{"", "", WriteCondition{}, ""},
		{"", "*", WriteCondition{IfAbsent: true}, ""},
		{`"abc"`, "", WriteCondition{IfMatch: "abc"}, ""},
		{`abc`, "", WriteCondition{IfMatch: "abc"}, ""},
		{"", `"abc"`, WriteCondition{}, NotImplemented},
		{"*", "", WriteCondition{}, NotImplemented},
		{`"a","b"`, "", WriteCondition{}, NotImplemented},
		{`W/"a"`, "", WriteCondition{}, NotImplemented},
		{`"a`, "", WriteCondition{}, NotImplemented},
		{`""`, "", WriteCondition{}, NotImplemented},
		{`"a"`, "*", WriteCondition{}, NotImplemented},
	} {
		h := make(http.Header)
		if tt.match != "" {
			h.Set("If-Match", tt.match)
		}
		if tt.noneMatch != "" {
			h.Set("If-None-Match", tt.noneMatch)
		}
		got, err := ParseWriteCondition(h)
		if got != tt.want || codeOf(err) != tt.code {
			t.Errorf("%v: %+v, %v, want %+v, %v", h, got, err, tt.want, tt.code)
		}
	}
	if _, err := ParseWriteCondition(http.Header{"If-Unmodified-Since": {after}}); codeOf(err) != NotImplemented {
		t.Errorf("If-Unmodified-Since on a write: %v", err)
	}
}

func FuzzETagList(f *testing.F) {
	f.Add(`"a", W/"b",c,*`)
	f.Fuzz(func(t *testing.T, list string) {
		_ = matchesETag(list, "abc", true) // must end
		if matchesETag(list, "abc", false) && !matchesETag(list, "abc", true) {
			t.Fatalf("%q matches strongly but not weakly", list)
		}
	})
}

func TestOverrides(t *testing.T) {
	query := url.Values{"response-content-type": {"text/plain"}, "response-expires": {"x"}, "versionId": {"1"}}
	got, err := ParseOverrides(query, false)
	h := make(http.Header)
	SetOverrides(h, got)
	if err != nil || len(got) != 2 || h.Get("Content-Type") != "text/plain" || h.Get("Expires") != "x" {
		t.Errorf("got %v, %v", h, err)
	}
	if _, err := ParseOverrides(query, true); codeOf(err) != InvalidRequest {
		t.Errorf("anonymous: %v, want InvalidRequest", err)
	}
	for _, value := range []string{"a\r\nSet-Cookie: x", "a\n", "\x00", "\x7f"} {
		query := url.Values{"response-content-disposition": {value}}
		if _, err := ParseOverrides(query, false); codeOf(err) != InvalidArgument {
			t.Errorf("%q: %v, want InvalidArgument", value, err)
		}
	}
}

func TestCopySource(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  CopySource
		code  Code
	}{
		{"bucket/key", CopySource{"bucket", "key", ""}, ""},
		{"/bucket/key", CopySource{"bucket", "key", ""}, ""},
		{"/bucket/a/b%20c+d", CopySource{"bucket", "a/b c+d", ""}, ""},
		{"bucket/a%2Fb", CopySource{"bucket", "a/b", ""}, ""},
		{"bucket%2Fa%2Fb", CopySource{"bucket", "a/b", ""}, ""},
		{"bucket//a", CopySource{"bucket", "/a", ""}, ""},
		{"bucket/a%253F", CopySource{"bucket", "a%3F", ""}, ""},
		{"bucket/key?versionId=v1", CopySource{"bucket", "key", "v1"}, ""},
		{"bucket/a?b", CopySource{"bucket", "a?b", ""}, ""},
		{"bucket/key%3FversionId=v1", CopySource{"bucket", "key?versionId=v1", ""}, ""},
		{"bucket/key?versionId=", CopySource{}, InvalidArgument},
		{"bucket", CopySource{}, InvalidArgument},
		{"bucket/", CopySource{}, InvalidArgument},
		{"", CopySource{}, InvalidArgument},
		{"/", CopySource{}, InvalidArgument},
		{"Bad/key", CopySource{}, InvalidArgument},
		{"bucket/%zz", CopySource{}, InvalidArgument},
		{"bucket/%ff", CopySource{}, InvalidArgument},
		{"bucket/" + strings.Repeat("k", MaxKey+1), CopySource{}, KeyTooLongError},
	} {
		got, err := ParseCopySource(tt.value)
		if got != tt.want || codeOf(err) != tt.code {
			t.Errorf("%q: %+v, %v, want %+v, %v", tt.value, got, err, tt.want, tt.code)
		}
	}
}

func FuzzCopySource(f *testing.F) {
	f.Add("/bucket/a%20b?versionId=1")
	f.Fuzz(func(t *testing.T, value string) {
		got, err := ParseCopySource(value)
		if err == nil && (!plausibleBucket(got.Bucket) || CheckKey(got.Key) != nil) {
			t.Fatalf("%q: %+v", value, got)
		}
	})
}

func TestDirectives(t *testing.T) {
	for value, code := range map[string]Code{"": "", "COPY": "", "REPLACE": "", "copy": InvalidArgument, "x": InvalidArgument} {
		d, err := ParseMetadataDirective(value)
		if codeOf(err) != code || (d == ReplaceFromRequest) != (value == "REPLACE") {
			t.Errorf("%q: %v, %v", value, d, err)
		}
		if _, err := ParseTaggingDirective(value); codeOf(err) != code {
			t.Errorf("tagging %q: %v", value, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	pageSize := func(key string, parse func(url.Values) (int, error)) func(string) (int, error) {
		return func(v string) (int, error) { return parse(url.Values{key: {v}}) }
	}
	type parser = func(string) (int, error)
	maxKeys := pageSize("max-keys", ParseMaxKeys)
	for _, tt := range []struct {
		name  string
		parse parser
		value string
		want  int
		code  Code
	}{
		{"max-keys", maxKeys, "", 1000, ""},
		{"max-keys", maxKeys, "0", 0, ""},
		{"max-keys", maxKeys, "7", 7, ""},
		{"max-keys", maxKeys, "1001", 1000, ""},
		{"max-keys", maxKeys, "2147483647", 1000, ""},
		{"max-keys", maxKeys, "2147483648", 0, InvalidArgument},
		{"max-keys", maxKeys, "-1", 0, InvalidArgument},
		{"max-keys", maxKeys, "blah", 0, InvalidArgument},
		{"max-parts", pageSize("max-parts", ParseMaxParts), "-1", 0, InvalidArgument},
		{"max-uploads", pageSize("max-uploads", ParseMaxUploads), "5", 5, ""},
		{"max-buckets", pageSize("max-buckets", ParseMaxBuckets), "", 10000, ""},
		{"max-buckets", pageSize("max-buckets", ParseMaxBuckets), "0", 0, InvalidArgument},
		{"max-buckets", pageSize("max-buckets", ParseMaxBuckets), "10001", 0, InvalidArgument},
		{"x-amz-max-parts", ParseMaxPartsHeader, "2", 2, ""},
		{"part-number-marker", ParsePartMarker, "", 0, ""},
		{"part-number-marker", ParsePartMarker, "20000", 20000, ""},
		{"part-number-marker", ParsePartMarker, "-1", 0, InvalidArgument},
		{"part-number-marker", ParsePartMarker, "x", 0, InvalidArgument},
		{"partNumber", ParsePartNumber, "1", 1, ""},
		{"partNumber", ParsePartNumber, "10000", 10000, ""},
		{"partNumber", ParsePartNumber, "0", 0, InvalidArgument},
		{"partNumber", ParsePartNumber, "10001", 0, InvalidArgument},
		{"partNumber", ParsePartNumber, "-1", 0, InvalidArgument},
		{"partNumber", ParsePartNumber, "+1", 0, InvalidArgument},
		{"partNumber", ParsePartNumber, "", 0, InvalidArgument},
		{"partNumber", ParsePartNumber, "99999999999999999999", 0, InvalidArgument},
	} {
		got, err := tt.parse(tt.value)
		if got != tt.want || codeOf(err) != tt.code {
			t.Errorf("%s %q: %d, %v, want %d, %v", tt.name, tt.value, got, err, tt.want, tt.code)
		}
	}
	for value, code := range map[string]Code{"": "", "url": "", "base64": InvalidArgument} {
		if _, err := ParseEncodingType(url.Values{"encoding-type": {value}}); codeOf(err) != code {
			t.Errorf("encoding-type %q: %v", value, err)
		}
	}
}

func TestTimes(t *testing.T) {
	for _, tm := range []time.Time{
		noon, changed, time.Unix(0, 999_999_999), time.Date(1999, 12, 31, 23, 59, 59, 1e6, time.FixedZone("x", 3600)),
	} {
		if got, want := string(AppendTime(nil, tm)), tm.UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := LastModified(changed), "Sun, 01 Mar 2026 12:00:00 GMT"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestObjectAttributes(t *testing.T) {
	h := http.Header{"X-Amz-Object-Attributes": {"ETag, ObjectSize", "Checksum"}}
	got, err := ParseObjectAttributes(h)
	if want := (AttributeSet{ETag: true, ObjectSize: true, Checksum: true}); got != want || err != nil {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := ParseObjectAttributes(http.Header{}); codeOf(err) != InvalidRequest {
		t.Errorf("none: %v", err)
	}
	if _, err := ParseObjectAttributes(http.Header{"X-Amz-Object-Attributes": {"ETag,Foo"}}); codeOf(err) != InvalidArgument {
		t.Errorf("unknown: %v", err)
	}
}
