package gw

import (
	"strings"
	"testing"
)

// FuzzToken decodes continuation tokens and version ids as clients may send them: what was encoded comes back, anything else is an
// S3 error or a name.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "a", "1", "MWE", "!", "a/b\xff", "null", "0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789abcdeg", strings.Repeat("0", 32)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := decodeToken(encodeToken(s)); got != s || err != nil {
			t.Errorf("%q comes back as %q, %v", s, got, err)
		}
		name, err := decodeToken(s)
		if err == nil && s != "" && encodeToken(name) != s {
			if again, err := decodeToken(encodeToken(name)); err != nil || again != name { // base64 has several spellings
				t.Errorf("%q is %q, which is %q, %v", s, name, again, err)
			}
		}
		v, err := parseVersion(s)
		if err == nil && v.IsCurrent() != (s == "") {
			t.Errorf("%q is the current version: %t", s, v.IsCurrent())
		}
	})
}
