package policy

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
)

// condition is one key under one operator of a Condition, with its values.
type condition struct {
	conditionType
	written  string // the operator as the document has it
	ref      keyRef
	values   []string // as the document has them
	globs    []glob   // text and patterns
	arns     []arnPattern
	numbers  []float64 // numbers and dates
	prefixes []netip.Prefix
	binaries []string
	truths   []bool
}

// parseConditions reads the value of Condition.
func parseConditions(v any, variables bool) ([]condition, error) {
	types, ok := v.(object)
	if !ok {
		return nil, errSyntax
	}
	var list []condition
	for _, m := range types {
		t, ok := parseConditionType(m.name)
		if !ok {
			return nil, malformed("Invalid Condition type : %s", m.name)
		}
		entries, ok := m.value.(object)
		if !ok {
			return nil, errSyntax
		}
		for _, entry := range entries {
			c := condition{conditionType: t, written: m.name}
			if c.ref, ok = parseKey(entry.name); !ok {
				return nil, malformed("Policy has an invalid condition key")
			}
			if c.values, ok = conditionValues(entry.value); !ok {
				return nil, errSyntax
			}
			for _, value := range c.values {
				if err := c.compile(value, variables); err != nil {
					return nil, err
				}
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// conditionValues reads one value or several; numbers and booleans need no quotation marks.
func conditionValues(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	values := make([]string, 0, len(list))
	for _, item := range list {
		switch item := item.(type) {
		case string:
			values = append(values, item)
		case json.Number:
			values = append(values, item.String())
		case bool:
			values = append(values, map[bool]string{true: "true", false: "false"}[item])
		default:
			return nil, false
		}
	}
	return values, len(values) > 0
}

// compile adds a value in the form that the operator compares.
func (c *condition) compile(value string, variables bool) error {
	ok := true
	switch c.compare {
	case byText, byFoldedText:
		c.globs = append(c.globs, compileGlob(value, syntax{variables: variables}))
	case byPattern:
		c.globs = append(c.globs, compileGlob(value, syntax{wildcards: true, variables: variables}))
	case byARN:
		c.arns = append(c.arns, compileARN(value, syntax{wildcards: true, variables: variables}))
	case byAddress:
		var p netip.Prefix
		if p, ok = parsePrefix(value); !ok {
			return malformed("Invalid IP address in Conditions")
		}
		c.prefixes = append(c.prefixes, p)
	case byNumber, byDate:
		var n float64
		if c.compare == byNumber {
			n, ok = parseNumber(value)
		} else {
			n, ok = parseDate(value)
		}
		c.numbers = append(c.numbers, n)
	case byTruth, byPresence:
		truth := strings.EqualFold(value, "true")
		ok = truth || strings.EqualFold(value, "false")
		c.truths = append(c.truths, truth)
	case byBytes:
		b, err := base64.StdEncoding.DecodeString(value)
		ok = err == nil
		c.binaries = append(c.binaries, string(b))
	}
	if !ok {
		return malformed("Invalid value in Conditions for operator %s", c.name)
	}
	return nil
}

// holds reports whether the condition is met; v is what the context has for its key.
func (c *condition) holds(r *Request, v Value) bool {
	if c.compare == byPresence {
		return slices.Contains(c.truths, v.kind == absent)
	}
	if v.kind == absent {
		switch {
		case c.ifExists || c.set == allValues:
			return true
		case c.set == anyValue:
			return false
		}
		return c.negated
	}
	if v.kind != isList {
		return c.compares(r, v) != c.negated
	}
	// Without a prefix a key with several values is judged as IAM does: one must compare, and for a negated operator none.
	for _, text := range v.list {
		one := c.compares(r, Text(text)) != c.negated
		if every := c.set == allValues || c.set == plain && c.negated; one != every {
			return one
		}
	}
	return c.set == allValues || c.set == plain && c.negated
}

// compares reports whether one value of the context compares with one of the policy's.
func (c *condition) compares(r *Request, v Value) bool {
	switch c.compare {
	case byNumber, byDate:
		n, ok := v.asNumber()
		if c.compare == byDate {
			n, ok = v.asInstant()
		}
		return ok && slices.ContainsFunc(c.numbers, func(want float64) bool { return c.relate.holds(n, want) })
	case byAddress:
		a, ok := v.asAddress()
		return ok && slices.ContainsFunc(c.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	text, _ := v.single()
	switch c.compare {
	case byTruth:
		return slices.ContainsFunc(c.truths, func(want bool) bool {
			return strings.EqualFold(text, "true") && want || strings.EqualFold(text, "false") && !want
		})
	case byBytes:
		b, err := base64.StdEncoding.DecodeString(text)
		return err == nil && slices.Contains(c.binaries, string(b))
	case byARN:
		return c.comparesARN(r, text)
	}
	return c.comparesText(r, text)
}

func (c *condition) comparesText(r *Request, text string) bool {
	for i := range c.globs {
		g, ok := c.globs[i].resolve(r)
		switch {
		case !ok: // a variable without a value compares with nothing
		case c.compare == byFoldedText:
			if strings.EqualFold(g.text(), text) {
				return true
			}
		case g.match(text):
			return true
		}
	}
	return false
}

func (c *condition) comparesARN(r *Request, text string) bool {
	for i := range c.arns {
		if p, ok := c.arns[i].resolve(r); ok && p.match(text) {
			return true
		}
	}
	return false
}
