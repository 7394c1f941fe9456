package gwtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// listing is a case of a listing that fits one page, asked for as V1 and as V2.
type listing struct {
	query    string // after the version's own parameter
	keys     []string
	prefixes []string
}

// tree is what the listing group stores.
func tree() []string {
	return []string{
		"a", "a/", "a/1", "a/2", "a/b/1", "a/b/2", "a//x", "ab", "b--1", "b--2", "b-3", "c/d/e/f", "z", "é/1", "é/2",
	}
}

func listings() []listing {
	return []listing{
		{query: "", keys: sorted(tree())},
		{query: "prefix=", keys: sorted(tree())},
		{query: "delimiter=/", keys: []string{"a", "ab", "b--1", "b--2", "b-3", "z"}, prefixes: []string{"a/", "c/", "é/"}},
		{query: "delimiter=%2F&prefix=a/", keys: []string{"a/", "a/1", "a/2"}, prefixes: []string{"a//", "a/b/"}},
		{query: "delimiter=/&prefix=a//", keys: []string{"a//x"}},
		{query: "delimiter=/&prefix=a", keys: []string{"a", "ab"}, prefixes: []string{"a/"}},
		{query: "delimiter=/&prefix=a/b", prefixes: []string{"a/b/"}},
		{query: "delimiter=/&prefix=c/d", prefixes: []string{"c/d/"}},
		{query: "delimiter=/&prefix=nothing", keys: nil},
		{query: "prefix=c/d/e/f", keys: []string{"c/d/e/f"}},
		{query: "prefix=c/d/e/f/"},
		{query: "prefix=a/b/", keys: []string{"a/b/1", "a/b/2"}},
		{query: "prefix=%C3%A9", keys: []string{"é/1", "é/2"}},
		{query: "prefix=%C3%A9&delimiter=/", prefixes: []string{"é/"}},
		{query: "delimiter=--", keys: []string{"a", "a/", "a//x", "a/1", "a/2", "a/b/1", "a/b/2", "ab", "b-3", "c/d/e/f", "z", "é/1", "é/2"}, prefixes: []string{"b--"}},
		{query: "delimiter=-&prefix=b", prefixes: []string{"b-"}},
		{query: "delimiter=/b/", keys: without(tree(), "a/b/1", "a/b/2"), prefixes: []string{"a/b/"}},
		{query: "delimiter=1&prefix=a", keys: []string{"a", "a/", "a//x", "a/2", "a/b/2", "ab"}, prefixes: []string{"a/1", "a/b/1"}},
		{query: "delimiter=nowhere", keys: sorted(tree())},
		{query: "delimiter=%C3%A9", keys: without(tree(), "é/1", "é/2"), prefixes: []string{"é"}},
		{query: "max-keys=0"},
	}
}

// without returns the keys in order without some.
func without(keys []string, gone ...string) []string {
	return slices.DeleteFunc(sorted(keys), func(k string) bool { return slices.Contains(gone, k) })
}

func testListing(e *env) {
	e.sub("owners", testListingOwners)
	e.sub("empty", func(e *env) {
		for _, v := range []string{"", "list-type=2"} {
			if page := e.list(v); len(page.Contents) != 0 || page.IsTruncated || page.Name != e.bucket || page.MaxKeys != 1000 {
				e.Errorf("%q: %+v", v, page)
			}
		}
	})
	for _, key := range tree() {
		e.put(key, key)
	}
	for _, l := range listings() {
		e.sub(l.query, func(e *env) {
			for _, v := range []string{"list-type=1&", "list-type=2&"} {
				page := e.list(strings.Trim(v+l.query, "&"))
				keys, prefixes := page.keys()
				if !slices.Equal(keys, l.keys) || !slices.Equal(prefixes, l.prefixes) {
					e.Errorf("%s%s:\ngot  %q %q\nwant %q %q", v, l.query, keys, prefixes, l.keys, l.prefixes)
				}
				if page.IsTruncated {
					e.Errorf("%s%s is truncated", v, l.query)
				}
				if page.KeyCount != nil && *page.KeyCount != len(keys)+len(prefixes) {
					e.Errorf("%s%s: KeyCount %d, want %d", v, l.query, *page.KeyCount, len(keys)+len(prefixes))
				}
			}
		})
	}
	e.sub("starts", testListingStarts)
	e.sub("elements", testListingElements)
	e.sub("encoding", testListingEncoding)
	e.sub("refused", func(e *env) {
		for _, query := range []string{
			"max-keys=-1", "max-keys=x", "max-keys=2147483648", "encoding-type=base64", "list-type=2&continuation-token=",
			"list-type=2&continuation-token=%FF", "list-type=2&continuation-token=not!a!token",
		} {
			want := "InvalidArgument"
			if strings.Contains(query, "%FF") {
				want = "InvalidURI"
			}
			e.req("GET", e.on(query)).fails(400, want)
		}
	})
}

// list asks for a page.
func (e *env) list(query string) *listResult {
	e.T.Helper()
	page := &listResult{}
	e.req("GET", e.on(query)).mustBe(200).xml(page)
	return page
}

// testListingStarts begins listings at every key, before and after it, and where no key is.
func testListingStarts(e *env) {
	all := sorted(tree())
	for _, start := range append(slices.Clone(all), "", "A", "a/1\x00", "a0", "b--", "zz", "\U0010ffff") {
		want := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return k <= start })
		for _, parameter := range []string{"marker=", "list-type=2&start-after="} {
			page := e.list("encoding-type=url&" + parameter + url.QueryEscape(start))
			if got := decoded(e, page); !slices.Equal(got, want) {
				e.Errorf("%s%q: got %q, want %q", parameter, start, got, want)
			}
		}
	}
	// Inside a common prefix: the prefix is passed over, as the rest of what a page with it has shown.
	for _, start := range []string{"a/", "a/1", "a/zzz"} {
		page := e.list("delimiter=/&marker=" + url.QueryEscape(start))
		if keys, prefixes := page.keys(); !slices.Equal(prefixes, []string{"c/", "é/"}) || keys[0] != "ab" {
			e.Errorf("marker %q: got %q %q", start, keys, prefixes)
		}
	}
}

func decoded(e *env, page *listResult) (keys []string) {
	e.T.Helper()
	for _, c := range page.Contents {
		key, err := url.QueryUnescape(c.Key)
		if err != nil {
			e.Error(err)
		}
		keys = append(keys, key)
	}
	return keys
}

func testListingElements(e *env) {
	v1 := e.list("prefix=a/1&marker=a&max-keys=5000")
	if v1.Prefix == nil || *v1.Prefix != "a/1" || v1.Marker == nil || *v1.Marker != "a" || v1.MaxKeys != 1000 || v1.KeyCount != nil ||
		v1.Delimiter != nil || v1.NextMarker != nil || v1.EncodingType != nil {
		e.Errorf("V1: %+v", v1)
	}
	o := v1.Contents[0]
	if o.ETag != `"`+md5Hex("a/1")+`"` || o.Size != 3 || o.StorageClass != "STANDARD" || o.Owner == nil || o.Owner.ID == "" {
		e.Errorf("V1 entry: %+v", o)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", o.LastModified); err != nil || time.Since(at).Abs() > time.Hour {
		e.Errorf("LastModified %q: %v", o.LastModified, err)
	}
	v2 := e.list("list-type=2&prefix=a/1&start-after=a")
	if v2.StartAfter == nil || *v2.StartAfter != "a" || v2.Marker != nil || v2.KeyCount == nil || v2.Contents[0].Owner != nil {
		e.Errorf("V2: %+v", v2)
	}
	v2 = e.list("list-type=2&prefix=a/1&fetch-owner=true")
	if v2.Contents[0].Owner == nil || v2.Contents[0].Owner.ID != o.Owner.ID {
		e.Errorf("V2 with owner: %+v", v2.Contents[0])
	}
	head := e.req("HEAD", e.at("a/1")).is(200)
	if head.header.Get("ETag") != o.ETag {
		e.Errorf("HEAD says %s, the listing %s", head.header.Get("ETag"), o.ETag)
	}
	e.put("sum", "sum", header("X-Amz-Checksum-Crc32", crc32Base64("sum")))
	if got := e.list("prefix=sum").Contents[0]; got.ChecksumAlgorithm != "CRC32" || got.ChecksumType != "FULL_OBJECT" {
		e.Errorf("entry with a checksum: %+v", got)
	}
	e.req("DELETE", e.at("sum")).is(204)
}

func testListingEncoding(e *env) {
	odd := "odd/ +%&<>\"'\x01\n\r\t/é"
	e.put(odd, "x")
	for _, v := range []string{"", "list-type=2&"} {
		page := e.list(v + "encoding-type=url&prefix=" + url.QueryEscape("odd/ ") + "&delimiter=%C3%A9")
		if page.EncodingType == nil || *page.EncodingType != "url" || len(page.CommonPrefixes) != 1 {
			e.Fatalf("%+v", page)
		}
		for name, text := range map[string]string{
			odd: page.CommonPrefixes[0].Prefix, "odd/ ": *page.Prefix, "é": *page.Delimiter,
		} {
			if got, err := url.QueryUnescape(text); err != nil || got != name {
				e.Errorf("%q is written %q", name, text)
			}
		}
		if keys := decoded(e, e.list(v+"encoding-type=url&prefix=odd")); !slices.Equal(keys, []string{odd}) {
			e.Errorf("got %q, want %q", keys, odd)
		}
	}
	safe := "safe/ +%&<>\"'\r\n\t]]>é😀"
	e.put(safe, "x")
	if keys, _ := e.list("prefix=safe").keys(); !slices.Equal(keys, []string{safe}) {
		e.Errorf("without encoding: got %q, want %q", keys, safe)
	}
	e.req("DELETE", e.at(odd)).is(204)
	e.req("DELETE", e.at(safe)).is(204)
}

// pages lists to the end in pages of a size and returns keys and common prefixes in the order they came.
func (e *env) pages(v2 bool, size int, query string) (keys, prefixes []string) {
	e.T.Helper()
	at := ""
	for range maxRounds * 20 {
		full := fmt.Sprintf("encoding-type=url&max-keys=%d&%s", size, query)
		switch {
		case v2 && at != "":
			full += "&list-type=2&continuation-token=" + url.QueryEscape(at)
		case v2:
			full += "&list-type=2"
		case at != "":
			full += "&marker=" + url.QueryEscape(at)
		}
		page := e.list(full)
		k, p := decodeAll(e, page)
		if len(k)+len(p) > size {
			e.Fatalf("%s: %d items", full, len(k)+len(p))
		}
		keys, prefixes = append(keys, k...), append(prefixes, p...)
		if !page.IsTruncated {
			if page.NextMarker != nil || page.NextContinuationToken != nil {
				e.Errorf("%s: the last page points to a next one", full)
			}
			return keys, prefixes
		}
		if len(k)+len(p) != size {
			e.Errorf("%s: %d items and truncated", full, len(k)+len(p))
		}
		at = next(e, page, k)
	}
	e.Fatalf("%s: does not end", query)
	return nil, nil
}

func decodeAll(e *env, page *listResult) (keys, prefixes []string) {
	keys = decoded(e, page)
	for _, p := range page.CommonPrefixes {
		prefix, err := url.QueryUnescape(p.Prefix)
		if err != nil {
			e.Error(err)
		}
		prefixes = append(prefixes, prefix)
	}
	return keys, prefixes
}

// testListingOwners looks at who is told whose the objects are.
func testListingOwners(e *env) {
	e.put("k", "data")
	e.req("PUT", e.on("acl"), header("X-Amz-Acl", "public-read")).mustBe(200)
	for _, c := range []struct {
		query string
		opts  []option
		told  bool
	}{
		{query: "", told: true},
		{query: "", opts: []option{anonymous}},
		{query: "list-type=2"},
		{query: "list-type=2&fetch-owner=true", told: true},
	} {
		var page listResult
		e.req("GET", e.on(c.query), c.opts...).mustBe(200).xml(&page)
		if len(page.Contents) != 1 || (page.Contents[0].Owner != nil) != c.told {
			e.Errorf("%q, %d options: got %+v, want owners %t", c.query, len(c.opts), page.Contents, c.told)
		}
	}
	e.req("DELETE", e.at("k")).is(204)
	e.req("PUT", e.on("acl"), header("X-Amz-Acl", "private")).mustBe(200)
}

// next is where the next page begins: the token; the NextMarker, which V1 gives with a delimiter; else the last key.
func next(e *env, page *listResult, keys []string) string {
	switch {
	case page.NextContinuationToken != nil:
		return *page.NextContinuationToken
	case page.NextMarker != nil:
		marker, err := url.QueryUnescape(*page.NextMarker)
		if err != nil {
			e.Error(err)
		}
		return marker
	}
	if page.Delimiter != nil {
		e.Errorf("a truncated page of V1 with a delimiter has no NextMarker")
	}
	return keys[len(keys)-1]
}
