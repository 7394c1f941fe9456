package s3api

import (
	"net/http"
	"strconv"
	"strings"
)

// MaxRoutingRules bounds the routing rules of a web site.
const MaxRoutingRules = 50

// WebsiteConfig is the document of PutBucketWebsite (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html).
type WebsiteConfig struct {
	Index       string           // suffix of the index documents; "" if RedirectAll is set
	ErrorKey    string           // of the object shown instead of an error; "": none
	RedirectAll *WebsiteRedirect // all there is, of which HostName and Protocol; nil if the site serves objects
	Rules       []RoutingRule
}

// WebsiteRedirect is where a request is sent instead. What is "" or nil stays as in the request.
type WebsiteRedirect struct {
	HostName         string
	Protocol         string // http or https
	Status           int    // 0: 301
	ReplaceKey       *string
	ReplaceKeyPrefix *string // replaces the prefix of the rule's condition
}

// RoutingRule redirects requests for keys with a prefix, or that end in an error.
type RoutingRule struct {
	Prefix   *string // nil: any key
	Error    int     // status; 0: whatever the status
	Redirect WebsiteRedirect
}

// Match reports whether the rule is for a request for this key, which ends with this status.
func (r *RoutingRule) Match(key string, status int) bool {
	return (r.Prefix == nil || strings.HasPrefix(key, *r.Prefix)) && (r.Error == 0 || r.Error == status)
}

// DecodeWebsite decodes a WebsiteConfiguration document.
func DecodeWebsite(body []byte) (WebsiteConfig, error) {
	var c WebsiteConfig
	seen := make(map[string]bool)
	err := decodeRoot(body, "WebsiteConfiguration", func(s *scanner, name string) error {
		if seen[name] {
			return s.fail("repeated element " + name)
		}
		seen[name] = true
		switch name {
		case "IndexDocument":
			return s.only("Suffix", &c.Index)
		case "ErrorDocument":
			return s.only("Key", &c.ErrorKey)
		case "RedirectAllRequestsTo":
			c.RedirectAll = new(WebsiteRedirect)
			return s.redirectAll(c.RedirectAll)
		case "RoutingRules":
			return s.routingRules(&c)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil {
		err = c.check(seen)
	}
	if err != nil {
		return WebsiteConfig{}, err
	}
	return c, nil
}

// only reads an element with one child, which must be there.
func (s *scanner) only(child string, into *string) error {
	var seen map[string]bool
	err := s.each(func(name string) error {
		if name != child {
			return s.fail("unexpected element " + name)
		}
		return s.once(&seen, name, into)
	})
	if err == nil && !seen[child] {
		err = s.fail("no " + child)
	}
	return err
}

func (s *scanner) redirectAll(r *WebsiteRedirect) error {
	var seen map[string]bool
	err := s.each(func(name string) error {
		switch name {
		case "HostName":
			return s.once(&seen, name, &r.HostName)
		case "Protocol":
			return s.once(&seen, name, &r.Protocol)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && !seen["HostName"] {
		err = s.fail("no HostName")
	}
	return err
}

func (s *scanner) routingRules(c *WebsiteConfig) error {
	n := 0
	err := s.each(func(name string) error {
		if name != "RoutingRule" {
			return s.fail("unexpected element " + name)
		}
		n++
		rule, err := s.routingRule()
		if len(c.Rules) <= MaxRoutingRules {
			c.Rules = append(c.Rules, rule)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case n == 0:
		return s.fail("no RoutingRule")
	case n > MaxRoutingRules:
		return E(InvalidRequest).WithMessage(strconv.Itoa(n) + " routing rules provided, the number of routing rules in a website " +
			"configuration is limited to " + strconv.Itoa(MaxRoutingRules) + ".")
	}
	return nil
}

func (s *scanner) routingRule() (RoutingRule, error) {
	var r RoutingRule
	seen := make(map[string]bool)
	err := s.each(func(name string) error {
		if seen[name] {
			return s.fail("repeated element " + name)
		}
		seen[name] = true
		switch name {
		case "Condition":
			return s.routingCondition(&r)
		case "Redirect":
			return s.routingRedirect(&r.Redirect)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && !seen["Redirect"] {
		err = s.fail("no Redirect")
	}
	return r, err
}

func (s *scanner) routingCondition(r *RoutingRule) error {
	var prefix, status string
	var seen map[string]bool
	err := s.each(func(name string) error {
		switch name {
		case "KeyPrefixEquals":
			r.Prefix = &prefix
			return s.once(&seen, name, &prefix)
		case "HttpErrorCodeReturnedEquals":
			return s.once(&seen, name, &status)
		}
		return s.fail("unexpected element " + name)
	})
	switch {
	case err != nil:
		return err
	case len(seen) == 0:
		return E(InvalidRequest).WithMessage("Condition cannot be empty. To redirect all requests without a condition, the " +
			"condition element shouldn't be present.")
	case seen["HttpErrorCodeReturnedEquals"]:
		r.Error, err = s.status(status, "error", "4XX or 5XX", 400, 599)
	}
	return err
}

func (s *scanner) routingRedirect(r *WebsiteRedirect) error {
	var key, prefix, status string
	var seen map[string]bool
	err := s.each(func(name string) error {
		switch name {
		case "HostName":
			return s.once(&seen, name, &r.HostName)
		case "Protocol":
			return s.once(&seen, name, &r.Protocol)
		case "HttpRedirectCode":
			return s.once(&seen, name, &status)
		case "ReplaceKeyWith":
			r.ReplaceKey = &key
			return s.once(&seen, name, &key)
		case "ReplaceKeyPrefixWith":
			r.ReplaceKeyPrefix = &prefix
			return s.once(&seen, name, &prefix)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && len(seen) == 0 {
		err = s.fail("empty Redirect")
	}
	if err == nil && seen["HttpRedirectCode"] {
		r.Status, err = s.status(status, "redirect", "3XX except 300", 301, 399)
	}
	if err == nil && r.ReplaceKey != nil && r.ReplaceKeyPrefix != nil {
		err = E(InvalidRequest).WithMessage("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
	}
	return err
}

// status reads an HTTP status that must be a known one in a range.
func (s *scanner) status(text, kind, valid string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, s.fail("status is no number")
	}
	if n < least || n > most || http.StatusText(n) == "" {
		return 0, E(InvalidRequest).WithMessage("The provided HTTP " + kind + " code (" + text + ") is not valid. Valid codes are " + valid + ".")
	}
	return n, nil
}

// check validates what the elements say together; seen are those of the root.
func (c *WebsiteConfig) check(seen map[string]bool) error {
	if c.RedirectAll != nil {
		switch {
		case len(seen) > 1:
			return BadArgument("RedirectAllRequestsTo", "not null", "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.")
		case c.RedirectAll.HostName == "":
			return E(InvalidRequest).WithMessage(`A host name must be provided to redirect all requests (e.g. "example.com").`)
		}
		return c.RedirectAll.check()
	}
	switch {
	case !seen["IndexDocument"]:
		return BadArgument("IndexDocument", "null", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty")
	case c.Index == "" || strings.Contains(c.Index, "/"):
		return BadArgument("IndexDocument", c.Index, "The IndexDocument Suffix is not well formed")
	case seen["ErrorDocument"] && c.ErrorKey == "":
		return BadArgument("ErrorDocument", "", "The ErrorDocument Key is not well formed")
	}
	for i := range c.Rules {
		if err := c.Rules[i].Redirect.check(); err != nil {
			return err
		}
	}
	return nil
}

// check validates what becomes part of a header.
func (r *WebsiteRedirect) check() error {
	if r.Protocol != "" && r.Protocol != "http" && r.Protocol != "https" {
		return E(InvalidRequest).WithMessage("Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.")
	}
	for name, value := range map[string]*string{
		"HostName": &r.HostName, "ReplaceKeyWith": r.ReplaceKey, "ReplaceKeyPrefixWith": r.ReplaceKeyPrefix,
	} {
		if value != nil && !CleanHeaderValue(*value) {
			return BadArgument(name, *value, "The value of a redirect is not valid.")
		}
	}
	return nil
}

// Append appends the document.
func (c *WebsiteConfig) Append(dst []byte) []byte {
	dst = appendRoot(dst, "WebsiteConfiguration")
	if c.RedirectAll != nil {
		dst = c.RedirectAll.append(dst, "RedirectAllRequestsTo")
		return appendClose(dst, "WebsiteConfiguration")
	}
	dst = appendOpen(dst, "IndexDocument")
	dst = appendElement(dst, "Suffix", c.Index)
	dst = appendClose(dst, "IndexDocument")
	if c.ErrorKey != "" {
		dst = appendOpen(dst, "ErrorDocument")
		dst = appendElement(dst, "Key", c.ErrorKey)
		dst = appendClose(dst, "ErrorDocument")
	}
	if len(c.Rules) > 0 {
		dst = appendOpen(dst, "RoutingRules")
		for i := range c.Rules {
			dst = c.Rules[i].append(dst)
		}
		dst = appendClose(dst, "RoutingRules")
	}
	return appendClose(dst, "WebsiteConfiguration")
}

func (r *RoutingRule) append(dst []byte) []byte {
	dst = appendOpen(dst, "RoutingRule")
	if r.Prefix != nil || r.Error != 0 {
		dst = appendOpen(dst, "Condition")
		if r.Prefix != nil {
			dst = appendElement(dst, "KeyPrefixEquals", *r.Prefix)
		}
		if r.Error != 0 {
			dst = appendInt(dst, "HttpErrorCodeReturnedEquals", int64(r.Error))
		}
		dst = appendClose(dst, "Condition")
	}
	dst = r.Redirect.append(dst, "Redirect")
	return appendClose(dst, "RoutingRule")
}

func (r *WebsiteRedirect) append(dst []byte, element string) []byte {
	dst = appendOpen(dst, element)
	dst = appendOptional(dst, "HostName", r.HostName)
	if r.Status != 0 {
		dst = appendInt(dst, "HttpRedirectCode", int64(r.Status))
	}
	dst = appendOptional(dst, "Protocol", r.Protocol)
	if r.ReplaceKeyPrefix != nil {
		dst = appendElement(dst, "ReplaceKeyPrefixWith", *r.ReplaceKeyPrefix)
	}
	if r.ReplaceKey != nil {
		dst = appendElement(dst, "ReplaceKeyWith", *r.ReplaceKey)
	}
	return appendClose(dst, element)
}

// CheckRedirectLocation checks the value of x-amz-website-redirect-location.
func CheckRedirectLocation(value string) error {
	for _, prefix := range [...]string{"/", "http://", "https://"} {
		if strings.HasPrefix(value, prefix) {
			return nil
		}
	}
	return E(InvalidRedirectLocation)
}
