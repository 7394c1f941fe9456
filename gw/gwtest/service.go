package gwtest

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

func testService(e *env) {
	prefix := randomName()
	made := []string{prefix + "-a", prefix + "-b", prefix + "-c", prefix + ".d", prefix + "_e"}
	for _, name := range made {
		e.req("PUT", "/"+name).mustBe(200).has("Location", "/"+name)
		e.T.Cleanup(func() { e.remove(name) })
	}
	e.sub("all", func(e *env) {
		var all bucketsResult
		e.req("GET", "/").mustBe(200).xml(&all)
		if all.Owner.ID == "" || all.ContinuationToken != "" {
			e.Errorf("owner %q, token %q", all.Owner.ID, all.ContinuationToken)
		}
		got := named(&all, prefix)
		if !slices.Equal(got, sorted(made)) {
			e.Errorf("got %q, want %q", got, sorted(made))
		}
		for _, b := range all.Buckets.Bucket {
			if at, err := time.Parse("2006-01-02T15:04:05.000Z", b.CreationDate); err != nil || time.Since(at).Abs() > 24*time.Hour && b.Name == made[0] {
				e.Errorf("%s was created at %q: %v", b.Name, b.CreationDate, err)
			}
		}
	})
	e.sub("pages", func(e *env) {
		for _, size := range []string{"1", "2", "4"} {
			var got []string
			token := ""
			for range len(made) + 2 {
				var page bucketsResult
				target := "/?max-buckets=" + size + "&prefix=" + prefix
				if token != "" {
					target += "&continuation-token=" + url.QueryEscape(token)
				}
				e.req("GET", target).mustBe(200).xml(&page)
				if page.Prefix != prefix {
					e.Errorf("prefix %q, want %q", page.Prefix, prefix)
				}
				got = append(got, named(&page, prefix)...)
				if token = page.ContinuationToken; token == "" {
					break
				}
			}
			if !slices.Equal(sorted(got), sorted(made)) {
				e.Errorf("pages of %s: got %q, want %q", size, got, made)
			}
		}
	})
	e.sub("region", func(e *env) {
		var none bucketsResult
		e.req("GET", "/?bucket-region=mars-north-1&prefix="+prefix).mustBe(200).xml(&none)
		if got := named(&none, ""); len(got) != 0 {
			e.Errorf("buckets in another region: %q", got)
		}
	})
	for query, code := range map[string]string{
		"max-buckets=0": "InvalidArgument", "max-buckets=10001": "InvalidArgument", "max-buckets=x": "InvalidArgument",
		"continuation-token=***": "InvalidArgument",
	} {
		e.req("GET", "/?"+query).fails(400, code)
	}
	e.req("POST", "/").fails(405, "MethodNotAllowed")
	e.req("DELETE", "/").fails(405, "MethodNotAllowed")
	e.req("PUT", "/").fails(405, "MethodNotAllowed")
	e.req("HEAD", "/").fails(405, "MethodNotAllowed")
}

func named(r *bucketsResult, prefix string) (names []string) {
	for _, b := range r.Buckets.Bucket {
		if strings.HasPrefix(b.Name, prefix) {
			names = append(names, b.Name)
		}
	}
	return names
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}
