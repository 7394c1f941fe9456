package policy

import (
	"slices"
	"strings"
)

// IsPublic reports whether a bucket policy is public, as GetBucketPolicyStatus and BlockPublicPolicy mean it (S3 User Guide, "Blocking public
// access", "The meaning of public"): it allows something to everybody, and not only under a condition that holds the request to fixed values
// of where it comes from or who makes it.
func (p *Policy) IsPublic() bool {
	return slices.ContainsFunc(p.statements, func(s statement) bool {
		return s.effect == Allow && s.principals.everyone && !slices.ContainsFunc(s.conditions, condition.confines)
	})
}

// Broader ranges of addresses than these are public, in bits.
const (
	broadestIPv4 = 8
	broadestIPv6 = 32
)

// confines reports whether the condition can be met only by requests with one of a few fixed values of a key that S3 counts. One that is met
// without the key confines nothing.
func (c condition) confines() bool {
	if c.negated || c.ifExists || c.set == allValues {
		return false
	}
	if c.ref.key == KeySourceIP {
		for _, p := range c.prefixes {
			if p.Addr().Is4() && p.Bits() < broadestIPv4 || p.Addr().Is6() && p.Bits() < broadestIPv6 {
				return false
			}
		}
		return c.compare == byAddress
	}
	if !slices.Contains([]comparison{byText, byFoldedText, byPattern, byARN}, c.compare) {
		return false
	}
	switch strings.ToLower(string(c.ref.key)) {
	case "s3:dataaccesspointarn": // the name of the access point may be a pattern if the account is not
		return c.fixed(arnParts - 1)
	case "aws:userid":
		return c.fixed(arnParts) && !slices.ContainsFunc(c.values, func(v string) bool { return strings.HasPrefix(v, "AROLEID:") })
	case "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principalservicename",
		"aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
		"s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id":
		return c.fixed(arnParts)
	}
	return false
}

// fixed reports whether the first parts of all values, those between colons, have neither wildcards nor variables.
func (c condition) fixed(parts int) bool {
	for _, value := range c.values {
		split := strings.SplitN(value, ":", arnParts)
		for _, part := range split[:min(parts, len(split))] {
			if strings.ContainsAny(part, "*?") || strings.Contains(part, "${") {
				return false
			}
		}
	}
	return true
}
