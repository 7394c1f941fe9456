package policy

import (
	"strconv"
	"strings"
)

// bucketDialect is the language of bucket policies, with S3's messages.
type bucketDialect struct{ bucket string }

func (d *bucketDialect) bucketName() string { return d.bucket }
func (d *bucketDialect) missing(field string) error {
	return malformed("Missing required field %s", field)
}
func (d *bucketDialect) syntax() error          { return errSyntax }
func (d *bucketDialect) requirePrincipal() bool { return true }
func (d *bucketDialect) finish(*Policy) error   { return nil }

func (d *bucketDialect) principal(s *statement, v any, not bool) error {
	var ok bool
	// Allowing everybody but some would allow the anonymous caller: S3 refuses it.
	if s.principals, ok = parsePrincipals(v, not); !ok || not && s.effect == Allow {
		return InvalidPrincipal()
	}
	return nil
}

func (d *bucketDialect) action(value string) (actionPattern, error) {
	p, known, _ := compileAction(value)
	if !known {
		return p, malformed("Policy has invalid action")
	}
	return p, nil
}

func (d *bucketDialect) resource(value string, variables bool) (resourcePattern, error) {
	p, ok := compileBucketResource(value, d.bucket, variables)
	if !ok {
		return p, malformed("Policy has invalid resource")
	}
	return p, nil
}

// identityDialect is the language of identity policies, with IAM's messages.
type identityDialect struct{}

func (identityDialect) bucketName() string     { return "" }
func (identityDialect) syntax() error          { return malformed("Syntax errors in policy.") }
func (identityDialect) requirePrincipal() bool { return false }

func (d identityDialect) missing(field string) error {
	switch field {
	case "Action":
		return malformed("Policy statement must contain actions.")
	case "Resource":
		return malformed("Policy statement must contain resources.")
	}
	return d.syntax()
}

func (identityDialect) principal(*statement, any, bool) error {
	return malformed("Policy document should not specify a principal.")
}

// action accepts the actions of other services, which nothing here asks for; of S3's it accepts those that exist, so that a misspelt one does not
// go unnoticed.
func (identityDialect) action(value string) (actionPattern, error) {
	p, known, foreign := compileAction(value)
	switch {
	case known || foreign:
		return p, nil
	case !strings.Contains(value, ":"):
		return p, malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	}
	return p, malformed("Policy has invalid action")
}

func (identityDialect) resource(value string, variables bool) (resourcePattern, error) {
	p, ok := compileResource(value, variables)
	if !ok {
		return p, malformed("Resource %s must be in ARN format or \"*\".", value)
	}
	return p, nil
}

// finish checks the names of the statements: letters and digits, each once.
func (identityDialect) finish(p *Policy) error {
	seen := make(map[string]bool)
	for i := range p.statements {
		sid := p.statements[i].sid
		if strings.IndexFunc(sid, func(c rune) bool { return c > 127 || !isAlphanumeric(byte(c)) }) >= 0 {
			return malformed("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		if sid != "" && seen[sid] {
			return malformed("Statement IDs (SID) in a single policy must be unique. Check: %s", strconv.Quote(sid))
		}
		seen[sid] = true
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
