package sigv4

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	amzPrefix = "x-amz-"
	upperHex  = "0123456789ABCDEF"
)

// Target returns the raw path and query of a request, as they came over the wire;
// a router may have changed r.URL meanwhile. The path begins with a slash. A request that was made here
// and not received has no RequestURI yet.
func Target(r *http.Request) (path, query string) {
	target := r.RequestURI
	if target == "" {
		target = r.URL.RequestURI()
	}
	path, query, _ = strings.Cut(target, "?")
	if path == "" || path[0] != '/' { // absolute-form, as proxies send it
		if _, after, found := strings.Cut(path, "://"); found {
			_, path, _ = strings.Cut(after, "/")
		}
		path = "/" + path
	}
	return path, query
}

func hostOf(r *http.Request) string {
	if r.Host != "" || r.URL == nil {
		return r.Host
	}
	return r.URL.Host
}

// parameter is a pair of the query, already encoded canonically. Its two strings
// lie one behind the other in scratch.query.
type parameter struct{ start, middle, end int }

// scratch is the memory in which canonical requests are built. It is pooled, so
// nothing may point into it after release.
type scratch struct {
	canonical []byte
	toSign    []byte
	query     []byte
	params    []parameter
}

// maxPooled bounds the buffers that are kept, in bytes: a few huge requests must
// not fatten the pool for good.
const maxPooled = 64 << 10

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

func newScratch() *scratch {
	s := scratchPool.Get().(*scratch)
	s.canonical, s.toSign = s.canonical[:0], s.toSign[:0]
	return s
}

func (s *scratch) release() {
	if cap(s.canonical)+cap(s.query) <= maxPooled {
		scratchPool.Put(s)
	}
}

// build fills s.canonical with the canonical request. except names the query
// parameter that is left out, the signature itself. It tells whether path and
// query could be decoded.
func (s *scratch) build(r *http.Request, signed []string, payload, except string) bool {
	path, query := Target(r)
	b := append(s.canonical[:0], r.Method...)
	b = append(b, '\n')
	b, ok := appendRecoded(b, path, true)
	if !ok {
		return false
	}
	b = append(b, '\n')
	if b, ok = s.appendQuery(b, query, except); !ok {
		return false
	}
	b = append(b, '\n')
	for _, name := range signed {
		b = append(b, name...)
		b = append(b, ':')
		b = appendHeaderValue(b, r, name)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	for i, name := range signed {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	b = append(b, '\n')
	s.canonical = append(b, payload...)
	return true
}

// appendRecoded decodes the percent escapes of s and encodes the result as AWS
// wants it: everything but A–Z a–z 0–9 - . _ ~ as %XX. In a path a slash stays,
// nothing is normalised and a plus is a plus; in a query a plus is a space.
func appendRecoded(b []byte, s string, isPath bool) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			if i+2 >= len(s) {
				return b, false
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high > 15 || low > 15 {
				return b, false
			}
			c = high<<4 | low
			i += 2
		case c == '+' && !isPath:
			c = ' '
		}
		b = appendEncoded(b, c, isPath)
	}
	return b, true
}

func appendEncoded(b []byte, c byte, isPath bool) []byte {
	if isUnreserved(c) || c == '/' && isPath {
		return append(b, c)
	}
	return append(b, '%', upperHex[c>>4], upperHex[c&15])
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// appendQuery appends the canonical query: pairs sorted by encoded name, then by
// encoded value, each with its '=' even if the value is empty.
func (s *scratch) appendQuery(b []byte, query, except string) ([]byte, bool) {
	s.query, s.params = s.query[:0], s.params[:0]
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		if pair == "" || except != "" && name == except {
			continue
		}
		p := parameter{start: len(s.query)}
		var ok bool
		if s.query, ok = appendRecoded(s.query, name, false); !ok {
			return b, false
		}
		p.middle = len(s.query)
		if s.query, ok = appendRecoded(s.query, value, false); !ok {
			return b, false
		}
		p.end = len(s.query)
		s.params = append(s.params, p)
	}
	slices.SortFunc(s.params, func(x, y parameter) int {
		if c := bytes.Compare(s.query[x.start:x.middle], s.query[y.start:y.middle]); c != 0 {
			return c
		}
		return bytes.Compare(s.query[x.middle:x.end], s.query[y.middle:y.end])
	})
	for i, p := range s.params {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, s.query[p.start:p.middle]...)
		b = append(b, '=')
		b = append(b, s.query[p.middle:p.end]...)
	}
	return b, true
}

// appendHeaderValue appends the canonical value of a header: its values joined
// by commas, each without outer white space and with inner white space folded
// into one space. A header that is absent has an empty value. net/http keeps a
// few headers outside the map.
func appendHeaderValue(b []byte, r *http.Request, name string) []byte {
	if name == "host" {
		return append(b, hostOf(r)...)
	}
	values := r.Header[canonicalKey(name)]
	if len(values) == 0 {
		switch name {
		case "content-length":
			if r.ContentLength >= 0 {
				b = strconv.AppendInt(b, r.ContentLength, 10)
			}
		case "transfer-encoding":
			values = r.TransferEncoding
		}
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFolded(b, v)
	}
	return b
}

// canonicalKey is http.CanonicalHeaderKey without its allocation for the names
// that nearly every request signs.
func canonicalKey(lower string) string {
	switch lower {
	case "x-amz-date":
		return "X-Amz-Date"
	case "x-amz-content-sha256":
		return "X-Amz-Content-Sha256"
	case "x-amz-decoded-content-length":
		return "X-Amz-Decoded-Content-Length"
	case "x-amz-trailer":
		return "X-Amz-Trailer"
	case "amz-sdk-invocation-id":
		return "Amz-Sdk-Invocation-Id"
	case "amz-sdk-request":
		return "Amz-Sdk-Request"
	}
	return http.CanonicalHeaderKey(lower)
}

func appendFolded(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	if !strings.Contains(v, "  ") && strings.IndexByte(v, '\t') < 0 {
		return append(b, v...)
	}
	space := false
	for i := range len(v) {
		c := v[i]
		if c == ' ' || c == '\t' {
			space = true
			continue
		}
		if space {
			b = append(b, ' ')
			space = false
		}
		b = append(b, c)
	}
	return b
}

// unsignedHeaders returns the names that had to be signed and were not: host and
// every x-amz-* header that is present. S3 tolerates x-amz-content-sha256, whose
// value is part of the canonical request anyway.
func unsignedHeaders(h http.Header, signed []string) []string {
	var missing []string
	if _, found := slices.BinarySearch(signed, "host"); !found {
		missing = append(missing, "host")
	}
	for key := range h {
		if len(key) <= len(amzPrefix) || !strings.EqualFold(key[:len(amzPrefix)], amzPrefix) {
			continue
		}
		if key == "X-Amz-Content-Sha256" || isSigned(key, signed) {
			continue
		}
		missing = append(missing, strings.ToLower(key))
	}
	slices.Sort(missing)
	return missing
}

// isSigned looks a header up without making its name lower case in memory.
func isSigned(key string, signed []string) bool {
	for _, name := range signed {
		if strings.EqualFold(name, key) {
			return true
		}
	}
	return false
}
