package s3api

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxCORSRules bounds the rules of a bucket (user guide, "Elements of a CORS configuration"); maxRuleID the characters of the id of
// one.
const (
	MaxCORSRules = 100
	maxRuleID    = 255
)

// corsMethods are the methods a rule can allow.
var corsMethods = []string{"GET", "PUT", "HEAD", "POST", "DELETE"}

// CORSConfig is the document of PutBucketCors (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html): which pages
// of which other sites may use the bucket from a browser.
type CORSConfig struct{ Rules []CORSRule }

// CORSRule is one rule. Origins and allowed headers may hold one "*" each, which stands for any text, the empty one too.
type CORSRule struct {
	ID             string // "" is left out
	AllowedHeaders []string
	AllowedMethods []string
	AllowedOrigins []string
	ExposeHeaders  []string
	MaxAgeSeconds  *int32
}

// DecodeCORS decodes a CORSConfiguration document of 1 to 100 rules. The shape of all rules is checked before the values of any, as
// S3 does.
func DecodeCORS(body []byte) (CORSConfig, error) {
	var c CORSConfig
	err := decodeRoot(body, "CORSConfiguration", func(s *scanner, name string) error {
		if name != "CORSRule" || len(c.Rules) == MaxCORSRules {
			return s.fail("unexpected element " + name)
		}
		rule, err := s.corsRule()
		c.Rules = append(c.Rules, rule)
		return err
	})
	if err == nil && len(c.Rules) == 0 {
		err = E(MalformedXML)
	}
	for i := range c.Rules {
		if err == nil {
			err = c.Rules[i].check()
		}
	}
	if err != nil {
		return CORSConfig{}, err
	}
	return c, nil
}

func (s *scanner) corsRule() (CORSRule, error) {
	var r CORSRule
	var maxAge string
	var seen map[string]bool
	lists := map[string]*[]string{
		"AllowedHeader": &r.AllowedHeaders, "AllowedMethod": &r.AllowedMethods,
		"AllowedOrigin": &r.AllowedOrigins, "ExposeHeader": &r.ExposeHeaders,
	}
	err := s.each(func(name string) error {
		switch name {
		case "ID":
			return s.once(&seen, name, &r.ID)
		case "MaxAgeSeconds":
			return s.once(&seen, name, &maxAge)
		}
		list := lists[name]
		if list == nil {
			return s.fail("unexpected element " + name)
		}
		text, err := s.text()
		*list = append(*list, text)
		return err
	})
	if err != nil {
		return r, err
	}
	if len(r.AllowedMethods) == 0 || len(r.AllowedOrigins) == 0 || utf8.RuneCountInString(r.ID) > maxRuleID {
		return r, s.fail("rule without method or origin, or a long id")
	}
	if seen["MaxAgeSeconds"] {
		n, err := strconv.ParseInt(strings.TrimSpace(maxAge), 10, 32)
		if err != nil || n < 0 {
			return r, s.fail("MaxAgeSeconds is no number of seconds")
		}
		seconds := int32(n)
		r.MaxAgeSeconds = &seconds
	}
	return r, nil
}

// check validates the values. Those that are sent in answers must be fit for a header.
func (r *CORSRule) check() error {
	for _, method := range r.AllowedMethods {
		if !slices.Contains(corsMethods, method) {
			return E(InvalidRequest).WithMessage("Found unsupported HTTP method in CORS config. Unsupported method is " + method)
		}
	}
	for _, origin := range r.AllowedOrigins {
		if strings.Count(origin, "*") > 1 {
			return E(InvalidRequest).WithMessage(`AllowedOrigin "` + origin + `" can not have more than one wildcard.`)
		}
	}
	for _, name := range r.AllowedHeaders {
		if strings.Count(name, "*") > 1 {
			return E(InvalidRequest).WithMessage(`AllowedHeader "` + name + `" can not have more than one wildcard.`)
		}
	}
	for _, name := range r.ExposeHeaders {
		if strings.Contains(name, "*") {
			return E(InvalidRequest).WithMessage(`ExposeHeader "` + name + `" contains wildcard. We currently do not support wildcard for ExposeHeader.`)
		}
		if !CleanHeaderValue(name) {
			return E(InvalidRequest).WithMessage(`ExposeHeader "` + name + `" contains invalid character.`)
		}
	}
	return nil
}

// Append appends the document.
func (c *CORSConfig) Append(dst []byte) []byte {
	dst = appendRoot(dst, "CORSConfiguration")
	for i := range c.Rules {
		r := &c.Rules[i]
		dst = appendOpen(dst, "CORSRule")
		dst = appendOptional(dst, "ID", r.ID)
		dst = appendList(dst, "AllowedHeader", r.AllowedHeaders)
		dst = appendList(dst, "AllowedMethod", r.AllowedMethods)
		dst = appendList(dst, "AllowedOrigin", r.AllowedOrigins)
		dst = appendList(dst, "ExposeHeader", r.ExposeHeaders)
		if r.MaxAgeSeconds != nil {
			dst = appendInt(dst, "MaxAgeSeconds", int64(*r.MaxAgeSeconds))
		}
		dst = appendClose(dst, "CORSRule")
	}
	return appendClose(dst, "CORSConfiguration")
}

func appendList(dst []byte, name string, texts []string) []byte {
	for _, text := range texts {
		dst = appendElement(dst, name, text)
	}
	return dst
}

// CORSRequest is what a browser says about the page that asks.
type CORSRequest struct {
	Origin  string
	Method  string   // that the page wants to use
	Headers []string // that it wants to send, in lower case; of a preflight
}

// Match returns the first rule that allows the request, or nil.
func (c *CORSConfig) Match(req CORSRequest) *CORSRule {
	for i := range c.Rules {
		r := &c.Rules[i]
		if slices.Contains(r.AllowedMethods, req.Method) && matchesAny(r.AllowedOrigins, req.Origin) && r.allows(req.Headers) {
			return r
		}
	}
	return nil
}

// EveryOrigin reports whether the rule allows all origins by a bare "*".
func (r *CORSRule) EveryOrigin() bool { return slices.Contains(r.AllowedOrigins, "*") }

// allows reports whether all header names are allowed, whatever their case.
func (r *CORSRule) allows(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(r.AllowedHeaders, func(pattern string) bool {
			return matchesWildcard(strings.ToLower(pattern), name)
		})
	})
}

func matchesAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchesWildcard(p, text) })
}

// matchesWildcard matches a pattern with at most one "*".
func matchesWildcard(pattern, text string) bool {
	before, behind, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	return len(text) >= len(before)+len(behind) && strings.HasPrefix(text, before) && strings.HasSuffix(text, behind)
}

// ParseCORSHeaders splits Access-Control-Request-Headers into names in lower case.
func ParseCORSHeaders(value string) []string {
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// CORSMethod reports whether a rule can allow the method at all.
func CORSMethod(method string) bool { return slices.Contains(corsMethods, method) }
