package policy

import (
	"slices"
	"strings"
)

// Limits of a document, in bytes without the white space between its tokens.
const (
	MaxBucketPolicy   = 20_480 // S3: "Bucket policies are limited to 20 KB in size"
	MaxIdentityPolicy = 6_144  // IAM: a managed policy
)

var (
	errSyntax = malformed("Invalid policy syntax.")
	errJSON   = malformed("This policy contains invalid Json")
)

// ParseBucket reads a policy of a bucket. Its error is an [*Error]: the first fault that S3 would name.
func ParseBucket(doc []byte, bucket string) (*Policy, error) {
	if len(doc) == 0 || doc[0] != '{' {
		return nil, malformed("Policies must be valid JSON and the first byte must be '{'")
	}
	root, ok := parseJSON(doc)
	if !ok {
		return nil, errJSON
	}
	if compactSize(doc) > MaxBucketPolicy {
		return nil, malformed("Normalized policy document exceeds the maximum allowed size of %d bytes", MaxBucketPolicy)
	}
	return parseDocument(root, &bucketDialect{bucket})
}

// ParseIdentity reads an identity policy, which is attached to who acts and so names no principal. Its error is an [*Error] in IAM's words.
func ParseIdentity(doc []byte) (*Policy, error) {
	root, ok := parseJSON(doc)
	if !ok {
		return nil, errJSON
	}
	if compactSize(doc) > MaxIdentityPolicy {
		return nil, malformed("Cannot exceed quota for PolicySize: %d", MaxIdentityPolicy)
	}
	return parseDocument(root, identityDialect{})
}

// dialect is what differs between the kinds of policy.
type dialect interface {
	bucketName() string // "" for an identity policy
	missing(field string) error
	syntax() error
	principal(s *statement, v any, not bool) error
	requirePrincipal() bool
	action(value string) (actionPattern, error)
	resource(value string, variables bool) (resourcePattern, error)
	finish(p *Policy) error
}

// parseDocument reads the root of a policy.
func parseDocument(root any, d dialect) (*Policy, error) {
	list, variables, err := readRoot(root, d)
	if err != nil {
		return nil, err
	}
	p := &Policy{bucket: d.bucketName()}
	for _, item := range list {
		s, err := parseStatement(item, d, variables)
		if err != nil {
			return nil, err
		}
		p.statements = append(p.statements, s)
	}
	for _, effect := range []Effect{Deny, Allow} {
		for i := range p.statements {
			if p.statements[i].effect == effect {
				p.order = append(p.order, i)
			}
		}
	}
	if err := d.finish(p); err != nil {
		return nil, err
	}
	return p, nil
}

// readRoot returns the statements of a policy, and whether its version of the language has variables.
func readRoot(root any, d dialect) (list []any, variables bool, err error) {
	o, ok := root.(object)
	if !ok {
		return nil, false, d.syntax()
	}
	found := false
	for _, m := range o {
		switch m.name {
		case "Version":
			// The older version is the default; it knows no variables.
			if variables = m.value == "2012-10-17"; !variables && m.value != "2008-10-17" {
				return nil, false, malformed("The policy must contain a valid version string")
			}
		case "Id":
			if _, ok := m.value.(string); !ok {
				return nil, false, d.syntax()
			}
		case "Statement":
			found = true
			if list, ok = m.value.([]any); !ok {
				list = []any{m.value}
			}
		default:
			return nil, false, d.syntax()
		}
	}
	switch {
	case !found:
		return nil, false, d.missing("Statement")
	case len(list) == 0:
		return nil, false, malformed("Could not parse the policy: Statement is empty!")
	}
	return list, variables, nil
}

// fields are the elements of a statement as they stand in the document.
type fields struct {
	sid, effect, principal, action, resource, condition any

	notPrincipal, notAction, notResource bool
}

// readFields sorts the members of a statement. An element and its opposite exclude each other, and what is not an element is refused.
func readFields(v any) (fields, bool) {
	var f fields
	o, ok := v.(object)
	if !ok {
		return f, false
	}
	for _, m := range o {
		element, not := strings.CutPrefix(m.name, "Not")
		var slot *any
		switch element {
		case "Principal":
			slot, f.notPrincipal = &f.principal, not
		case "Action":
			slot, f.notAction = &f.action, not
		case "Resource":
			slot, f.notResource = &f.resource, not
		}
		if !not {
			switch element {
			case "Sid":
				slot = &f.sid
			case "Effect":
				slot = &f.effect
			case "Condition":
				slot = &f.condition
			}
		}
		if slot == nil || *slot != nil || m.value == nil {
			return f, false
		}
		*slot = m.value
	}
	return f, true
}

// parseStatement reads one statement.
func parseStatement(v any, d dialect, variables bool) (statement, error) {
	var s statement
	f, ok := readFields(v)
	if !ok {
		return s, d.syntax()
	}
	if f.sid != nil {
		if s.sid, ok = f.sid.(string); !ok {
			return s, d.syntax()
		}
	}
	if err := s.parseEffect(f.effect, d); err != nil {
		return s, err
	}
	if f.principal != nil {
		if err := d.principal(&s, f.principal, f.notPrincipal); err != nil {
			return s, err
		}
	} else if d.requirePrincipal() {
		return s, d.missing("Principal")
	}
	if err := s.parseActions(f, d); err != nil {
		return s, err
	}
	if err := s.parseResources(f, d, variables); err != nil {
		return s, err
	}
	if f.condition != nil {
		var err error
		if s.conditions, err = parseConditions(f.condition, variables); err != nil {
			return s, err
		}
	}
	return s, s.checkCombination(d.bucketName())
}

func (s *statement) parseEffect(v any, d dialect) error {
	if v == nil {
		return d.missing("Effect")
	}
	effect, ok := v.(string)
	switch {
	case !ok:
		return d.syntax()
	case effect == "Allow":
		s.effect = Allow
	case effect == "Deny":
		s.effect = Deny
	default:
		return malformed("Invalid effect: %s", effect)
	}
	return nil
}

func (s *statement) parseActions(f fields, d dialect) error {
	if f.action == nil {
		return d.missing("Action")
	}
	values, ok := stringList(f.action)
	if !ok || len(values) == 0 {
		return d.syntax()
	}
	s.notAction = f.notAction
	for _, value := range values {
		p, err := d.action(value)
		if err != nil {
			return err
		}
		s.actions = append(s.actions, p)
	}
	for i := range actions {
		if slices.ContainsFunc(s.actions, func(p actionPattern) bool { return p.names.has(i) }) != s.notAction {
			s.names.add(i)
		}
	}
	return nil
}

func (s *statement) parseResources(f fields, d dialect, variables bool) error {
	if f.resource == nil {
		return d.missing("Resource")
	}
	values, ok := stringList(f.resource)
	if !ok || len(values) == 0 {
		return d.syntax()
	}
	s.notResource = f.notResource
	for _, value := range values {
		p, err := d.resource(value, variables)
		if err != nil {
			return err
		}
		s.resources = append(s.resources, p)
	}
	return nil
}

// checkCombination refuses, for a bucket's policy, a condition key that some action of the statement does not have, and an action that is
// on none of its resources. A pattern of actions is judged by those that its resources can be used with. IAM does not check it: there, what
// does not go together never applies.
func (s *statement) checkCombination(bucket string) error {
	if s.notAction || bucket == "" {
		return nil
	}
	buckets, objects := s.reach(bucket)
	fits := func(i int) bool { return actions[i].on == onBucket && buckets || actions[i].on == onObject && objects }
	for _, c := range s.conditions {
		for _, p := range s.actions {
			if c.ref.groups != 0 && !p.some(func(i int) bool { return actions[i].keys&c.ref.groups != 0 && (p.literal || fits(i)) }) {
				return malformed("Conditions do not apply to combination of actions and resources in statement")
			}
		}
	}
	for _, p := range s.actions {
		if !p.some(fits) {
			return malformed("Action does not apply to any resource(s) in statement")
		}
	}
	return nil
}

// reach says which kinds of resource the statement can be about.
func (s *statement) reach(bucket string) (buckets, objects bool) {
	for i := range s.resources {
		b, o := s.resources[i].reach(bucket)
		buckets, objects = buckets || b, objects || o
	}
	return buckets || s.notResource, objects || s.notResource
}

// some reports whether f is true of one of the actions that the pattern names.
func (p *actionPattern) some(f func(i int) bool) bool {
	for i := range actions {
		if p.names.has(i) && f(i) {
			return true
		}
	}
	return false
}

// stringList reads a string or an array of them.
func stringList(v any) ([]string, bool) {
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case []any:
		list := make([]string, len(v))
		for i, item := range v {
			var ok bool
			if list[i], ok = item.(string); !ok {
				return nil, false
			}
		}
		return list, true
	}
	return nil, false
}
