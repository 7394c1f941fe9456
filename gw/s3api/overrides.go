package s3api

import (
	"net/http"
	"net/url"
)

// overrideKeys are the query parameters that replace a header of a GET or HEAD answer (API reference, GetObject).
var overrideKeys = [...]struct{ key, header string }{
	{"response-cache-control", "Cache-Control"},
	{"response-content-disposition", "Content-Disposition"},
	{"response-content-encoding", "Content-Encoding"},
	{"response-content-language", "Content-Language"},
	{"response-content-type", "Content-Type"},
	{"response-expires", "Expires"},
}

// Override is one header of the answer that the request replaces.
type Override struct{ Header, Value string }

// ParseOverrides returns the response-* overrides of a request. An anonymous request may have none (InvalidRequest), or anybody
// could serve a public object as a page of the store's own making. A value with a control character is
// InvalidArgument: it could end the header and start another.
func ParseOverrides(query url.Values, anonymous bool) ([]Override, error) {
	var overrides []Override
	for _, o := range overrideKeys {
		values, ok := query[o.key]
		if !ok || len(values) == 0 || values[0] == "" {
			continue
		}
		if anonymous {
			return nil, E(InvalidRequest).WithMessage(
				"Request specific response headers cannot be used for anonymous GET requests.")
		}
		if !CleanHeaderValue(values[0]) {
			return nil, BadArgument(o.key, values[0], "The value of a response header override is not valid.")
		}
		overrides = append(overrides, Override{o.header, values[0]})
	}
	return overrides, nil
}

// SetOverrides sets the headers.
func SetOverrides(h http.Header, overrides []Override) {
	for _, o := range overrides {
		h[o.Header] = []string{o.Value}
	}
}

// CleanHeaderValue reports whether the value may be sent as a header: no control characters but tab (RFC 9110 section 5.5).
func CleanHeaderValue(value string) bool {
	for i := range len(value) {
		if b := value[i]; b < 0x20 && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}
