package s3api

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDecodeVersioning(t *testing.T) {
	for body, want := range map[string]string{
		"": "{false false} MissingRequestBodyError",
		"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>":                                  "{false false} ",
		"<VersioningConfiguration><Status>Suspended</Status><MfaDelete>Disabled</MfaDelete></VersioningConfiguration>": "{true false} ",
		"<VersioningConfiguration><MfaDelete>Enabled</MfaDelete><Status>Enabled</Status></VersioningConfiguration>":    "{false true} ",
		"<VersioningConfiguration><MfaDelete>perhaps</MfaDelete><Status>Enabled</Status></VersioningConfiguration>":    "{false false} MalformedXML",
		"<VersioningConfiguration><Status/></VersioningConfiguration>":                                                 "{false false} MalformedXML",
		"<VersioningConfiguration></VersioningConfiguration>":                                                          "{false false} IllegalVersioningConfigurationException",
		"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration><x/>":                              "{false false} MalformedXML",
		"<VersioningConfiguration><State>Enabled</State><Status>Enabled</Status></VersioningConfiguration>":            "{false false} MalformedXML",
	} {
		got, err := DecodeVersioning([]byte(body))
		if s := fmt.Sprint(got, " ", codeOf(err)); s != want {
			t.Errorf("%s: got %s, want %s", body, s, want)
		}
	}
}

func TestParseTagging(t *testing.T) {
	for header, want := range map[string]string{
		"":            "[] ",
		"&&":          "[] ",
		"a=1&b=2":     "[{a 1} {b 2}] ",
		"a&b=":        "[{a } {b }] ",
		"a=b=c":       "[{a b=c}] ",
		"a=1,b=2":     "[] InvalidArgument",
		"a+b=%C3%A9+": "[{a b é }] ",
		"a=1&%61=2":   "[] InvalidArgument",
		"a=%":         "[] InvalidArgument",
		"a=%ff":       "[] InvalidArgument",
		"AWS:a=1":     "[{AWS:a 1}] InvalidTag",
		"a=%00":       "[{a \x00}] InvalidTag",
	} {
		got, err := ParseTagging(header)
		if s := fmt.Sprint(got, " ", codeOf(err)); s != want {
			t.Errorf("%q: got %q, want %q", header, s, want)
		}
	}
}

func TestDefaultRetentionFrom(t *testing.T) {
	leap := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		d    DefaultRetention
		want Retention
	}{
		{DefaultRetention{}, Retention{}},
		{DefaultRetention{Governance, 1, 0}, Retention{Governance, time.Date(2028, 3, 1, 12, 0, 0, 0, time.UTC)}},
		{DefaultRetention{Compliance, 0, 1}, Retention{Compliance, time.Date(2029, 3, 1, 12, 0, 0, 0, time.UTC)}},
	} {
		if got := c.d.From(leap); got != c.want {
			t.Errorf("%+v: got %v, want %v", c.d, got, c.want)
		}
	}
}

func TestParseLockHeaders(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct{ mode, until, hold, want string }{
		{"", "", "", "{{ 0001-01-01 00:00:00 +0000 UTC} <nil>} "},
		{"GOVERNANCE", "2026-01-02T04:04:05+01:00", "", "InvalidArgument"},
		{"GOVERNANCE", "2026-01-02T04:04:06.5Z", "", "{{GOVERNANCE 2026-01-02 04:04:06.5 +0000 UTC} <nil>} "},
		{"COMPLIANCE", "2026-01-03T00:00:00", "", "{{COMPLIANCE 2026-01-03 00:00:00 +0000 UTC} <nil>} "},
		{"COMPLIANCE", "20260103T000000Z", "", "{{COMPLIANCE 2026-01-03 00:00:00 +0000 UTC} <nil>} "},
		{"COMPLIANCE", "Sat, 03 Jan 2026 00:00:00 GMT", "", "InvalidArgument"},
		{"", "", "Off", "InvalidArgument"},
	} {
		h := http.Header{lockModeHeader: {c.mode}, lockUntilHeader: {c.until}, lockHoldHeader: {c.hold}}
		got, err := ParseLockHeaders(h, now)
		if s := fmt.Sprint(got, " ", codeOf(err)); s != c.want && string(codeOf(err)) != c.want {
			t.Errorf("%+v: got %s", c, s)
		}
		if err == nil {
			back := make(http.Header)
			SetLockHeaders(back, got)
			again, err := ParseLockHeaders(back, now)
			if err != nil || fmt.Sprint(again) != fmt.Sprint(got) {
				t.Errorf("%+v came back as %+v, %v", got, again, err)
			}
		}
	}
}

func TestParseVersionMarkers(t *testing.T) {
	for query, want := range map[string]string{
		"":                                   "  ",
		"key-marker=k":                       "k  ",
		"key-marker=k&version-id-marker=v":   "k v ",
		"key-marker=k&version-id-marker":     "  InvalidArgument",
		"version-id-marker=v":                "  InvalidArgument",
		"key-marker=&version-id-marker=null": "  InvalidArgument",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		key, id, err := ParseVersionMarkers(q)
		if got := fmt.Sprint(key, " ", id, " ", codeOf(err)); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
}

// FuzzLockDocuments decodes what may be any of the documents of this file: no panic, and what is accepted is written and read again
// as the same.
func FuzzLockDocuments(f *testing.F) {
	f.Add([]byte("<Tagging><TagSet><Tag><Key>k</Key><Value>v&#xe9;</Value></Tag></TagSet></Tagging>"))
	f.Add([]byte("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Years>1</Years></DefaultRetention></Rule></ObjectLockConfiguration>"))
	f.Add([]byte("<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>"))
	f.Add([]byte("<LegalHold><Status>ON</Status></LegalHold>"))
	f.Add([]byte("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if tags, err := DecodeTagging(body, MaxBucketTags); err == nil {
			again, err := DecodeTagging(AppendTagging(nil, tags), MaxBucketTags)
			if err != nil || !slices.Equal(tags, again) {
				t.Errorf("tags %q came back as %q, %v", tags, again, err)
			}
		}
		if d, err := DecodeLockConfiguration(body); err == nil {
			if again, err := DecodeLockConfiguration(AppendLockConfiguration(nil, d)); err != nil || again != d {
				t.Errorf("%+v came back as %+v, %v", d, again, err)
			}
		}
		if r, err := DecodeRetention(body); err == nil && r.Mode != "" && r.Until.Year() >= 0 && r.Until.Year() < 10_000 {
			again, err := DecodeRetention(AppendRetention(nil, r))
			if err != nil || again.Mode != r.Mode || !again.Until.Equal(r.Until.Truncate(time.Millisecond)) {
				t.Errorf("%+v came back as %+v, %v", r, again, err)
			}
		}
		if on, err := DecodeLegalHold(body); err == nil && !bytes.Contains(AppendLegalHold(nil, on), []byte(map[bool]string{true: ">ON<", false: ">OFF<"}[on])) {
			t.Errorf("a legal hold %t", on)
		}
		if _, err := DecodeVersioning(body); err != nil && codeOf(err) == InternalError {
			t.Error(err)
		}
	})
}

// TestTagLimits counts characters, not bytes.
func TestTagLimits(t *testing.T) {
	long := Tag{strings.Repeat("é", MaxTagKey), strings.Repeat("é", MaxTagValue)}
	if err := checkTags([]Tag{long}, MaxObjectTags); err != nil {
		t.Error(err)
	}
	for _, tag := range []Tag{{long.Key + "e", ""}, {"k", long.Value + "e"}, {"\xff", ""}} {
		if err := checkTags([]Tag{tag}, MaxObjectTags); codeOf(err) != InvalidTag {
			t.Errorf("%q: %v", tag, err)
		}
	}
}
