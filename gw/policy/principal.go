package policy

import (
	"slices"
	"strings"
)

// LogDelivery is the service that writes access logs, as a policy names it.
const LogDelivery = "logging.s3.amazonaws.com"

// services are the services that act here for themselves and that a policy may therefore name.
var services = [...]string{LogDelivery}

// Principal is who makes a request. The zero Principal is the anonymous caller.
type Principal struct {
	Account string // user id; "" for the anonymous caller
	User    string // name of the user's service account; "" for the user's own keys
	Service string // a service of the store that acts for itself, such as LogDelivery; then the others are ""
}

// arnPrefix begins the ARN of a principal.
const arnPrefix = "arn:aws:iam::"

// ARN returns the name of the principal in policies: an account's root, or a user of the account. The anonymous caller has none.
func (p Principal) ARN() string {
	switch {
	case p.Account == "":
		return ""
	case p.User == "":
		return arnPrefix + p.Account + ":root"
	}
	return arnPrefix + p.Account + ":user/" + p.User
}

// kindName is the value of aws:PrincipalType.
func (p Principal) kindName() string {
	switch {
	case p.Service != "":
		return "Service"
	case p.Account == "":
		return "Anonymous"
	case p.User == "":
		return "Account"
	}
	return "User"
}

// userID is the value of aws:userid.
func (p Principal) userID() string {
	switch {
	case p.Account == "":
		return "anonymous"
	case p.User == "":
		return p.Account
	}
	return p.Account + ":" + p.User
}

// principals is the Principal or NotPrincipal of a statement.
type principals struct {
	not      bool
	everyone bool
	named    []Principal
}

// match reports whether the statement is about who makes the request. An account's name stands for its users too. With NotPrincipal it
// does not: a user is spared only if both he and his account are named, as in IAM.
func (s *principals) match(p Principal) bool {
	if s.not {
		return !s.everyone && !s.spares(p)
	}
	if s.everyone {
		return true
	}
	if p == (Principal{}) {
		return false
	}
	return slices.Contains(s.named, p) || p.User != "" && slices.Contains(s.named, Principal{Account: p.Account})
}

func (s *principals) spares(p Principal) bool {
	return p != (Principal{}) && slices.Contains(s.named, p) &&
		(p.User == "" || slices.Contains(s.named, Principal{Account: p.Account}))
}

// parsePrincipals reads the value of Principal or NotPrincipal: "*" or a map of AWS, CanonicalUser and Service to one name or several.
// Federated users do not exist here.
func parsePrincipals(v any, not bool) (principals, bool) {
	s := principals{not: not}
	if v == "*" {
		s.everyone = true
		return s, true
	}
	o, ok := v.(object)
	if !ok || len(o) == 0 {
		return s, false
	}
	for _, m := range o {
		names, ok := stringList(m.value)
		if !ok || len(names) == 0 {
			return s, false
		}
		for _, name := range names {
			if m.name == "AWS" && name == "*" {
				s.everyone = true
				continue
			}
			p, ok := parsePrincipal(m.name, name)
			if !ok {
				return s, false
			}
			s.named = append(s.named, p)
		}
	}
	return s, true
}

func parsePrincipal(scheme, name string) (Principal, bool) {
	switch scheme {
	case "AWS":
		return parseARN(name)
	case "CanonicalUser":
		return Principal{Account: name}, isAccount(name)
	case "Service":
		return Principal{Service: name}, slices.Contains(services[:], name)
	}
	return Principal{}, false
}

// parseARN reads an account's id, the ARN of an account's root or that of a user. A wildcard in it is refused, as in S3.
func parseARN(s string) (Principal, bool) {
	rest, isARN := strings.CutPrefix(s, arnPrefix)
	if !isARN {
		return Principal{Account: s}, isAccount(s)
	}
	account, name, _ := strings.Cut(rest, ":")
	if name == "root" {
		return Principal{Account: account}, isAccount(account)
	}
	user, isUser := strings.CutPrefix(name, "user/")
	return Principal{Account: account, User: user}, isAccount(account) && isUser && user != "" && !strings.ContainsAny(user, "*?")
}

// accountDigits is the length of a user id in hex digits.
const accountDigits = 16

func isAccount(s string) bool {
	return len(s) == accountDigits && strings.Trim(s, "0123456789abcdef") == ""
}
