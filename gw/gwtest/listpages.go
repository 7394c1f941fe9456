package gwtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
)

func testListingPages(e *env) {
	keys := sorted(append(keysf("d%d/k", 12), append(keysf("flat%02d", 15), "d3", "d3/", "d3//", "é", "é/é", "a\x01b")...))
	e.putAll(keys)
	for _, size := range []int{1, 2, 3, 7, 1000} {
		for _, v2 := range []bool{false, true} {
			got, prefixes := e.pages(v2, size, "")
			if !slices.Equal(got, keys) || prefixes != nil {
				e.Errorf("V2 %t, pages of %d: got %q %q, want %q", v2, size, got, prefixes, keys)
			}
			for _, delimiter := range []string{"/", "t", "3/", "é"} {
				wantKeys, wantPrefixes := rollUp(keys, "", delimiter)
				got, prefixes := e.pages(v2, size, "delimiter="+escape(delimiter))
				if !slices.Equal(got, wantKeys) || !slices.Equal(prefixes, wantPrefixes) {
					e.Errorf("V2 %t, pages of %d, delimiter %q:\ngot  %q %q\nwant %q %q", v2, size, delimiter, got, prefixes, wantKeys, wantPrefixes)
				}
			}
		}
	}
	e.sub("a token goes on where start-after began", func(e *env) {
		after := "start-after=" + escape("d5") + "&list-type=2&encoding-type=url"
		first := e.list(after + "&max-keys=2")
		second := e.list(after + "&max-keys=1000&continuation-token=" + url.QueryEscape(*first.NextContinuationToken))
		want := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k <= "d5" })
		if got := append(decoded(e, first), decoded(e, second)...); !slices.Equal(got, want) {
			e.Errorf("got %q, want %q", got, want)
		}
		if second.ContinuationToken == nil || *second.ContinuationToken != *first.NextContinuationToken {
			e.Errorf("the token is not given back: %+v", second.ContinuationToken)
		}
	})
	e.sub("more than a page", func(e *env) {
		many := sorted(keysf("many/%04d", 1003))
		e.putAll(many)
		page := e.list("prefix=many/&max-keys=2000")
		if got, _ := page.keys(); !slices.Equal(got, many[:1000]) || !page.IsTruncated || page.MaxKeys != 1000 {
			e.Errorf("got %d keys, truncated %t, max-keys %d", len(got), page.IsTruncated, page.MaxKeys)
		}
		if got, _ := e.pages(true, 1000, "prefix=many/"); !slices.Equal(got, many) {
			e.Errorf("got %d keys, want %d", len(got), len(many))
		}
	})
}

// rollUp is what a listing is to show, the plain way.
func rollUp(keys []string, prefix, delimiter string) (plain, prefixes []string) {
	for _, key := range sorted(keys) {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		i := strings.Index(rest, delimiter)
		if delimiter == "" || i < 0 {
			plain = append(plain, key)
			continue
		}
		if cp := prefix + rest[:i+len(delimiter)]; len(prefixes) == 0 || prefixes[len(prefixes)-1] != cp {
			prefixes = append(prefixes, cp)
		}
	}
	return plain, prefixes
}

// putAll stores small objects, several at once.
func (e *env) putAll(keys []string) {
	e.T.Helper()
	work := make(chan string)
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for key := range work {
				if a, err := e.try(e.T, "PUT", e.at(key), text(key)); err != nil || a.status != 200 {
					e.Errorf("put %q: %v %v", key, a, err)
				}
			}
		})
	}
	for _, key := range keys {
		work <- key
	}
	close(work)
	writers.Wait()
}

// testListingUnderWrites pages through a bucket whose neighbouring keys come and go: what was there all the time is listed
// once each, in order, whatever the page size.
func testListingUnderWrites(e *env) {
	steady := sorted(keysf("k%03d/steady", 60))
	e.putAll(steady)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key := e.at(fmt.Sprintf("k%03d/w%d", (i*7)%60, w))
				if a, err := e.try(e.T, "PUT", key, text("x")); err != nil || a.status != 200 {
					e.Errorf("put: %v %v", a, err)
					return
				}
				if a, err := e.try(e.T, "DELETE", key); err != nil || a.status != 204 {
					e.Errorf("delete: %v %v", a, err)
					return
				}
			}
		})
	}
	for _, size := range []int{1, 3, 10} {
		for _, v2 := range []bool{false, true} {
			got, _ := e.pages(v2, size, "")
			if !slices.IsSorted(got) {
				e.Errorf("V2 %t, pages of %d: not in order: %q", v2, size, got)
			}
			got = slices.DeleteFunc(got, func(k string) bool { return !strings.HasSuffix(k, "/steady") })
			if !slices.Equal(got, steady) {
				e.Errorf("V2 %t, pages of %d: got %d of %d steady keys: %q", v2, size, len(got), len(steady), got)
			}
			_, prefixes := e.pages(v2, size, "delimiter=/")
			if len(prefixes) != len(steady) || !slices.IsSorted(prefixes) {
				e.Errorf("V2 %t, pages of %d: %d prefixes, want %d: %q", v2, size, len(prefixes), len(steady), prefixes)
			}
		}
	}
	close(stop)
	writers.Wait()
}
