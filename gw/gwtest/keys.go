package gwtest

import (
	"slices"
	"strings"
)

// zoo are keys that stores are known to get wrong.
func zoo() []string {
	return []string{
		"plain", "a", "a/", "a/b", "a/b/", "a/b/c", "a//b", "a///", "//", "/", "/lead", "//lead", ".", "..", "./", "../", "../..", "../up",
		"x/../y", "x/./y", "%2F", "a%2Fb", "%", "%%", "%zz", "a+b", "a b", " ", " lead", "trail ", "?", "a?b=c", "#", "a#b", "&amp;", "a;b",
		"a:b", "a\\b", "*", `"quoted"`, "'", "<tag>", "]]>", "a=b", "~", "^`{|}", "$", "@", "!", "(,)", "[x]",
		"\x00", "nul\x00inside", "\x01\x02\x1f", "tab\t", "line\nfeed", "\r\n", "\x7f", "\u0080", "\u00a0", "ä", "a\u0308", "Ω", "日本語",
		"😀", "👩‍👩‍👧", "\u200b", "\u202e", "\ufeff", "\ufffd", "\ufffe", "\uffff", "\U0010ffff", "favicon.ico", "healthz", "metrics",
		"CON", "nul", ".holdfast", "e1/fence", "-rf", "uploads", "delete", strings.Repeat("long", 60),
	}
}

// testKeys stores, reads, lists, copies and deletes each key of the zoo.
func testKeys(e *env) {
	for _, key := range zoo() {
		e.put(key, "of "+key)
	}
	for _, key := range zoo() {
		e.get(key).is(200).holds([]byte("of " + key))
		e.req("HEAD", e.at(key)).is(200)
		e.req("PUT", e.at("copy/"+key), header("X-Amz-Copy-Source", e.at(key))).is(200)
		e.get("copy/" + key).is(200).holds([]byte("of " + key))
		var up initiateResult
		a := e.req("POST", e.at(key)+"?uploads").mustBe(200)
		if xmlSafe(key) {
			if a.xml(&up); up.Key != key {
				e.Errorf("an upload of %q says its key is %q", key, up.Key)
			}
		}
	}
	var all []string
	for _, key := range zoo() {
		all = append(all, key, "copy/"+key)
	}
	for _, v2 := range []bool{false, true} {
		if got, _ := e.pages(v2, 17, ""); !slices.Equal(got, sorted(all)) {
			e.Errorf("V2 %t: got %d keys, want %d: %q", v2, len(got), len(all), got)
		}
	}
	wantKeys, wantPrefixes := rollUp(all, "", "/")
	if got, prefixes := e.pages(true, 1000, "delimiter=/"); !slices.Equal(got, wantKeys) || !slices.Equal(prefixes, wantPrefixes) {
		e.Errorf("top level: got %q %q, want %q %q", got, prefixes, wantKeys, wantPrefixes)
	}
	for i, key := range zoo() {
		e.req("DELETE", e.at(key)).is(204)
		e.req("HEAD", e.at(key)).fails(404, "NoSuchKey")
		if i+1 < len(zoo()) {
			e.req("HEAD", e.at(zoo()[i+1])).is(200)
		}
	}
	if got, _ := e.pages(true, 1000, "prefix=copy/"); len(got) != len(zoo()) {
		e.Errorf("got %d copies, want %d", len(got), len(zoo()))
	}
}

// testLongKeys goes to the limit of 1024 bytes in each of the ways there are to get there.
func testLongKeys(e *env) {
	for name, key := range map[string]string{
		"one name":           strings.Repeat("k", 1024),
		"two bytes a letter": strings.Repeat("é", 512),
		"four":               strings.Repeat("😀", 256),
		"slashes":            strings.Repeat("/", 1024),
		"deep":               strings.Repeat("d/", 511) + "ab",
		"escaped":            strings.Repeat("%", 1024),
		"a long directory":   strings.Repeat("d", 1022) + "/k",
		"a long marker":      strings.Repeat("m", 1023) + "/",
	} {
		e.sub(name, func(e *env) {
			e.put(key, name)
			e.get(key).is(200).holds([]byte(name))
			if got, _ := e.pages(true, 1, "prefix="+escape(key)); !slices.Equal(got, []string{key}) {
				e.Errorf("listed as %q", got)
			}
			e.req("DELETE", e.at(key)).is(204)
			e.absent(key)
			for _, m := range []string{"PUT", "GET", "HEAD", "DELETE"} {
				e.req(m, e.at(key+"x")).fails(400, "KeyTooLongError", "MaxSizeAllowed", "1024")
			}
			e.req("POST", e.at(key+"x")+"?uploads").fails(400, "KeyTooLongError")
			e.req("PUT", e.at("short"), header("X-Amz-Copy-Source", e.at(key+"x"))).fails(400, "KeyTooLongError")
		})
	}
	if page := e.list(""); len(page.Contents) != 0 {
		e.Errorf("left over: %+v", page.Contents)
	}
}
