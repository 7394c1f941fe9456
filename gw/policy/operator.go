package policy

import "strings"

// operator is what a condition compares by.
type operator struct {
	name    string
	compare comparison
	negated bool // holds if none of the values compares
	relate  relation
}

// comparison is how two values are compared.
type comparison uint8

const (
	byText comparison = iota
	byFoldedText
	byPattern
	byNumber
	byDate
	byTruth
	byBytes
	byAddress
	byARN
	byPresence
)

// relation is the order that a number or date must be in to the policy's value.
type relation uint8

const (
	equal relation = iota
	less
	lessEqual
	greater
	greaterEqual
)

func (r relation) holds(a, b float64) bool {
	switch r {
	case less:
		return a < b
	case lessEqual:
		return a <= b
	case greater:
		return a > b
	case greaterEqual:
		return a >= b
	}
	return a == b
}

// operators are the condition operators of IAM (IAM User Guide, "IAM JSON policy elements: Condition operators").
var operators = [...]operator{
	{name: "StringEquals", compare: byText},
	{name: "StringNotEquals", compare: byText, negated: true},
	{name: "StringEqualsIgnoreCase", compare: byFoldedText},
	{name: "StringNotEqualsIgnoreCase", compare: byFoldedText, negated: true},
	{name: "StringLike", compare: byPattern},
	{name: "StringNotLike", compare: byPattern, negated: true},
	{name: "NumericEquals", compare: byNumber},
	{name: "NumericNotEquals", compare: byNumber, negated: true},
	{name: "NumericLessThan", compare: byNumber, relate: less},
	{name: "NumericLessThanEquals", compare: byNumber, relate: lessEqual},
	{name: "NumericGreaterThan", compare: byNumber, relate: greater},
	{name: "NumericGreaterThanEquals", compare: byNumber, relate: greaterEqual},
	{name: "DateEquals", compare: byDate},
	{name: "DateNotEquals", compare: byDate, negated: true},
	{name: "DateLessThan", compare: byDate, relate: less},
	{name: "DateLessThanEquals", compare: byDate, relate: lessEqual},
	{name: "DateGreaterThan", compare: byDate, relate: greater},
	{name: "DateGreaterThanEquals", compare: byDate, relate: greaterEqual},
	{name: "Bool", compare: byTruth},
	{name: "BinaryEquals", compare: byBytes},
	{name: "IpAddress", compare: byAddress},
	{name: "NotIpAddress", compare: byAddress, negated: true},
	{name: "ArnEquals", compare: byARN},
	{name: "ArnLike", compare: byARN},
	{name: "ArnNotEquals", compare: byARN, negated: true},
	{name: "ArnNotLike", compare: byARN, negated: true},
	{name: "Null", compare: byPresence},
}

// quantifier says how an operator treats a key with several values.
type quantifier uint8

const (
	plain     quantifier = iota
	allValues            // ForAllValues: each of them must compare; none at all do
	anyValue             // ForAnyValue: one of them must compare
)

// conditionType is what stands on the left in a Condition: an operator with its prefix and suffix.
type conditionType struct {
	operator
	set      quantifier
	ifExists bool // also holds if the key is not in the context
}

// parseConditionType reads it. Case counts, as in S3.
func parseConditionType(s string) (conditionType, bool) {
	var t conditionType
	if rest, ok := strings.CutPrefix(s, "ForAllValues:"); ok {
		s, t.set = rest, allValues
	} else if rest, ok := strings.CutPrefix(s, "ForAnyValue:"); ok {
		s, t.set = rest, anyValue
	}
	s, t.ifExists = strings.CutSuffix(s, "IfExists")
	for _, op := range operators {
		if op.name == s {
			t.operator = op
			return t, op.compare != byPresence || !t.ifExists && t.set == plain
		}
	}
	return t, false
}
