package sigv4

import (
	"slices"
	"strings"
)

// Bounds of what is parsed before anything is verified.
const (
	maxAuthorization = 16 << 10 // bytes of the Authorization header
	maxSignedHeaders = 256      // names in SignedHeaders
)

// authorization is the parsed content of the Authorization header or of the
// X-Amz-* query parameters that replace it.
type authorization struct {
	credential
	signedHeaders []string // lower case, sorted
	signature     string   // as sent
}

// credential is an access key and the scope of its signing key.
type credential struct {
	accessKey string
	date      string // YYYYMMDD
	region    string
	scope     string // date/region/service/aws4_request, as sent
}

// parseHeader reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…,
// Signature=…": the three in any order, between commas, spaces or both.
func (v *Verifier) parseHeader(header string) (authorization, error) {
	var a authorization
	if len(header) > maxAuthorization {
		return a, malformed("the header is too long.")
	}
	var cred, signed string
	rest := strings.TrimPrefix(header, algorithm)
	for rest != "" {
		end := strings.IndexAny(rest, ", \t")
		if end < 0 {
			end = len(rest)
		}
		field := rest[:end]
		rest = rest[min(end+1, len(rest)):]
		if field == "" {
			continue
		}
		name, value, found := strings.Cut(field, "=")
		var slot *string
		switch name {
		case "Credential":
			slot = &cred
		case "SignedHeaders":
			slot = &signed
		case "Signature":
			slot = &a.signature
		}
		if !found || slot == nil || *slot != "" {
			return a, malformed("the authorization component \"" + clip(field) + "\" is malformed.")
		}
		*slot = value
	}
	switch {
	case cred == "" && signed == "" && a.signature == "":
		return a, malformed("the authorization header requires three components: Credential, SignedHeaders, and Signature.")
	case cred == "":
		return a, malformed("missing Credential.")
	case signed == "":
		return a, malformed("missing SignedHeaders.")
	case a.signature == "":
		return a, malformed("missing Signature.")
	}
	var problem *scopeError
	if a.credential, problem = v.parseCredential(cred); problem != nil {
		return a, malformed(problem.text, problem.details...)
	}
	if a.signedHeaders = parseSignedHeaders(signed); a.signedHeaders == nil {
		return a, malformed("the authorization component \"SignedHeaders=" + clip(signed) + "\" is malformed.")
	}
	return a, nil
}

func malformed(text string, details ...Detail) *Error {
	return refuse(CodeHeaderMalformed, "The authorization header is malformed; "+text, details...)
}

// scopeError is what is wrong with a credential. Header and query requests wrap
// the same text differently.
type scopeError struct {
	text    string
	details []Detail
}

// parseCredential reads AKID/YYYYMMDD/REGION/SERVICE/aws4_request from its end,
// since access keys may contain slashes, and checks the scope.
func (v *Verifier) parseCredential(s string) (credential, *scopeError) {
	var cuts [4]int // the last four slashes
	end := len(s)
	for i := len(cuts) - 1; i >= 0; i-- {
		end = strings.LastIndexByte(s[:end], '/')
		if end < 0 {
			return credential{}, &scopeError{text: `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`}
		}
		cuts[i] = end
	}
	c := credential{
		accessKey: s[:cuts[0]],
		date:      s[cuts[0]+1 : cuts[1]],
		region:    s[cuts[1]+1 : cuts[2]],
		scope:     s[cuts[0]+1:],
	}
	service, terminal := s[cuts[2]+1:cuts[3]], s[cuts[3]+1:]
	switch {
	case c.accessKey == "":
		return c, &scopeError{text: `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`}
	case !isDate(c.date):
		return c, &scopeError{text: `incorrect date format "` + clip(c.date) + `". This date in the credential must be in the format "yyyyMMdd".`}
	case !v.acceptsRegion(c.region):
		return c, &scopeError{
			text:    "the region '" + clip(c.region) + "' is wrong; expecting '" + v.regions[0] + "'",
			details: []Detail{{"Region", v.regions[0]}},
		}
	case service != v.service:
		return c, &scopeError{text: `incorrect service "` + clip(service) + `". This endpoint belongs to "` + v.service + `".`}
	case terminal != terminator:
		return c, &scopeError{text: `incorrect terminal "` + clip(terminal) + `". This endpoint uses "aws4_request".`}
	}
	return c, nil
}

func (v *Verifier) acceptsRegion(region string) bool {
	return len(v.regions) == 0 || slices.Contains(v.regions, region)
}

func isDate(s string) bool {
	if len(s) != len(dateFormat) {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// parseSignedHeaders splits "host;x-amz-date" into lower-case, sorted names; nil
// if it is malformed.
func parseSignedHeaders(s string) []string {
	if strings.Count(s, ";") >= maxSignedHeaders {
		return nil
	}
	names := strings.Split(strings.ToLower(s), ";")
	if slices.Contains(names, "") {
		return nil
	}
	slices.Sort(names)
	return slices.Compact(names)
}
