package s3api

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// MaxQueryParams bounds the parameters of one request; the largest S3 request (a presigned listing) has about 20.
const MaxQueryParams = 200

// ParseQuery parses the raw query of a request as S3 does: parameters are separated by '&' alone (a ';' is an ordinary
// character, which net/url refuses), '+' is a space, and a bare key has the value "". Broken escapes are InvalidURI
// instead of being dropped, since a dropped parameter would change what the request means.
func ParseQuery(raw string) (url.Values, error) {
	if raw == "" {
		return nil, nil
	}
	if strings.Count(raw, "&") >= MaxQueryParams {
		return nil, E(InvalidURI)
	}
	values := make(url.Values)
	for param := range strings.SplitSeq(raw, "&") {
		if param == "" {
			continue
		}
		rawKey, rawValue, _ := strings.Cut(param, "=")
		key, err := url.QueryUnescape(rawKey)
		if err != nil {
			return nil, E(InvalidURI).WithCause(err)
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, E(InvalidURI).WithCause(err)
		}
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, E(InvalidURI)
		}
		values[key] = append(values[key], value)
	}
	return values, nil
}
