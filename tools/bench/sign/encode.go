package sign

const upperHex = "0123456789ABCDEF"

// AppendPath appends an object key or a path, percent-encoded as Signature
// Version 4 for S3 wants it: unreserved characters and '/' stand for
// themselves.
func AppendPath(dst []byte, path string) []byte { return appendEncoded(dst, path, true) }

// AppendQuery appends a query name or value, percent-encoded: only unreserved
// characters stand for themselves.
func AppendQuery(dst []byte, s string) []byte { return appendEncoded(dst, s, false) }

func appendEncoded(dst []byte, s string, slash bool) []byte {
	for i := range len(s) {
		c := s[i]
		if unreserved(c) || slash && c == '/' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// unreserved reports whether RFC 3986, section 2.3, calls c so.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
