package form

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/gw/s3api"
)

// Policy is a policy document: until when, and what a form must be like
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html).
type Policy struct {
	Expiration time.Time
	conditions []condition
}

// The operations of conditions.
const (
	opEqual      = "eq"
	opStartsWith = "starts-with"
	opLength     = "content-length-range"
)

// condition is one condition. A length range that is no range holds for no file.
type condition struct {
	op       string
	field    string // in lower case; "" if the condition names none
	value    string
	min, max int64
	isRange  bool
	text     string // as answers show it
}

// ParsePolicy reads the value of the policy field. Names of fields and operations may be in any case, the two members of the document may
// not.
func ParsePolicy(encoded string) (*Policy, error) {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, badPolicy("Invalid Policy: invalid Base64 encoding.").WithCause(err)
	}
	var members map[string]json.RawMessage
	if err := unmarshal(data, &members); err != nil || members == nil {
		return nil, badJSON(err)
	}
	for _, name := range slices.Sorted(mapKeys(members)) {
		if name != "expiration" && name != "conditions" {
			return nil, badPolicy("Invalid Policy: Unexpected: '" + strings.ToLower(name) + "'")
		}
	}
	p := &Policy{}
	if p.Expiration, err = parseExpiration(members["expiration"]); err != nil {
		return nil, err
	}
	if members["conditions"] == nil {
		return nil, badPolicy("Invalid Policy: Policy missing conditions.")
	}
	var list []json.RawMessage
	if err := unmarshal(members["conditions"], &list); err != nil || list == nil {
		return nil, badPolicy("Invalid Policy: Invalid 'conditions' value: must be a List.").WithCause(err)
	}
	for _, raw := range list {
		c, err := parseCondition(raw)
		if err != nil {
			return nil, err
		}
		p.conditions = append(p.conditions, c)
	}
	return p, nil
}

func mapKeys(m map[string]json.RawMessage) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range m {
			if !yield(name) {
				return
			}
		}
	}
}

// unmarshal decodes one JSON value and nothing behind it.
func unmarshal(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// parseExpiration reads a time in UTC; S3 takes no offset.
func parseExpiration(raw json.RawMessage) (time.Time, error) {
	if raw == nil {
		return time.Time{}, badPolicy("Invalid Policy: Policy missing expiration.")
	}
	var text string
	if err := unmarshal(raw, &text); err != nil {
		return time.Time{}, badJSON(err)
	}
	t, err := time.Parse("2006-01-02T15:04:05Z", text) // takes fractions of a second, too
	if err != nil {
		return time.Time{}, badPolicy("Invalid Policy: Invalid 'expiration' value: '" + text + "'").WithCause(err)
	}
	return t, nil
}

func parseCondition(raw json.RawMessage) (condition, error) {
	switch raw = bytes.TrimSpace(raw); raw[0] {
	case '{':
		return parseSimple(raw)
	case '[':
		var operands []any
		if err := unmarshal(raw, &operands); err != nil {
			return condition{}, badJSON(err)
		}
		return parseList(operands)
	}
	return condition{}, badPolicy("Invalid Policy: Invalid condition: must be a List or Object.")
}

// parseSimple reads {"field": "value"}.
func parseSimple(raw json.RawMessage) (condition, error) {
	var members map[string]any
	if err := unmarshal(raw, &members); err != nil {
		return condition{}, badJSON(err)
	}
	if len(members) != 1 {
		return condition{}, badPolicy("Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
	}
	for name, value := range members {
		text, ok := value.(string)
		if !ok && value == nil {
			return condition{}, badJSON(nil)
		}
		if ok {
			return condition{op: opEqual, field: strings.ToLower(name), value: text, text: listText(opEqual, "$"+name, text)}, nil
		}
	}
	return condition{}, badPolicy("Invalid Policy: Invalid Simple-Condition: value must be a string.")
}

// parseList reads ["operation", operand, operand].
func parseList(operands []any) (condition, error) {
	if len(operands) == 0 {
		return condition{}, badPolicy("Invalid Policy: Invalid Condition: missing operation identifier.")
	}
	op, ok := operands[0].(string)
	if !ok {
		return condition{}, badJSON(nil)
	}
	switch op = strings.ToLower(op); {
	case op != opEqual && op != opStartsWith && op != opLength:
		return condition{}, badPolicy("Invalid Policy: Invalid Condition: unknown operation '" + op + "'.")
	case len(operands) != 3:
		return condition{}, badPolicy("Invalid Policy: Invalid " + op + ": wrong number of arguments.")
	case op == opLength:
		return parseRange(operands)
	}
	name, isName := operands[1].(string)
	value, isValue := operands[2].(string)
	if !isName || !isValue {
		return condition{}, badJSON(nil)
	}
	c := condition{op: op, value: value, text: listText(op, name, value)}
	if field, ok := strings.CutPrefix(name, "$"); ok {
		c.field = strings.ToLower(field)
	}
	return c, nil
}

// parseRange reads the two bounds of a length range, as numbers or as text. Text that is no number holds for no file.
func parseRange(operands []any) (condition, error) {
	c := condition{op: opLength}
	var bounds [2]int64
	var texts [2]string
	c.isRange = true
	for i, operand := range operands[1:] {
		number := false
		switch v := operand.(type) {
		case json.Number:
			texts[i], number = v.String(), true
		case string:
			texts[i] = v
		default:
			return condition{}, badJSON(nil)
		}
		n, err := strconv.ParseInt(texts[i], 10, 64)
		if err != nil && number {
			return condition{}, badJSON(err)
		}
		if n < 0 {
			return condition{}, badPolicy("Invalid Policy: Invalid content-length-range: bounds must not be negative.")
		}
		bounds[i] = n
		c.isRange = c.isRange && err == nil
	}
	c.min, c.max = bounds[0], bounds[1]
	c.text = listText(opLength, texts[0], texts[1])
	return c, nil
}

// listText shows a condition as S3 does, simple ones as lists too.
func listText(operands ...string) string {
	text := "["
	for i, operand := range operands {
		if i > 0 {
			text += ", "
		}
		text += quote(operand)
	}
	return text + "]"
}

// quote writes a JSON string.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // strings always encode, and a Builder takes all
	return strings.TrimSuffix(b.String(), "\n")
}

// Check holds the form against the policy at a time: it is not expired, every condition about a field holds, and every field is named
// by a condition. bucket and key are what the upload is about; the length of the file is for [Policy.Range].
func (p *Policy) Check(f *Form, bucket, key string, now time.Time) error {
	if !now.Before(p.Expiration) {
		return denied("Invalid according to Policy: Policy expired.")
	}
	named := make(map[string]bool, len(p.conditions))
	for i := range p.conditions {
		c := &p.conditions[i]
		named[c.field] = true
		if c.op == opLength {
			if !c.isRange {
				return c.failed()
			}
			continue
		}
		value, _ := f.Get(c.field)
		switch c.field {
		case "bucket":
			value = bucket
		case "key":
			value = key
		}
		if c.field == "" || !c.holds(value) {
			return c.failed()
		}
	}
	if !named["bucket"] { // else whoever has the form could use it on every bucket of the signer
		return denied("Invalid according to Policy: Extra input fields: bucket")
	}
	for _, field := range f.Fields {
		if name := strings.ToLower(field.Name); !named[name] && !uncovered(name) {
			return denied("Invalid according to Policy: Extra input fields: " + field.Name)
		}
	}
	return nil
}

// holds compares a value with the condition. A list of content types begins with the value if each of them does.
func (c *condition) holds(value string) bool {
	if c.op == opEqual {
		return value == c.value
	}
	if c.field != "content-type" {
		return strings.HasPrefix(value, c.value)
	}
	for one := range strings.SplitSeq(value, ",") {
		if !strings.HasPrefix(strings.TrimLeft(one, " "), c.value) {
			return false
		}
	}
	return true
}

func (c *condition) failed() error {
	return denied("Invalid according to Policy: Policy Condition failed: " + c.text)
}

// uncovered reports whether no condition need name a field, given in lower case. Checksums are among these: they can only make
// an upload fail.
func uncovered(name string) bool {
	switch name {
	case "x-amz-signature", "signature", "awsaccesskeyid", "policy":
		return true
	}
	return strings.HasPrefix(name, "x-ignore-") || strings.HasPrefix(name, "x-amz-checksum-")
}

// Range returns the least and the greatest length of the file that all conditions allow; most is the greatest without them.
func (p *Policy) Range(most int64) (least, greatest int64) {
	greatest = most
	for i := range p.conditions {
		if c := &p.conditions[i]; c.op == opLength {
			least, greatest = max(least, c.min), min(greatest, c.max)
		}
	}
	return least, greatest
}

func badPolicy(message string) *s3api.Error {
	return s3api.E(s3api.InvalidPolicyDocument).WithMessage(message)
}

func badJSON(cause error) *s3api.Error {
	return badPolicy("Invalid Policy: Invalid JSON.").WithCause(cause)
}

func denied(message string) error { return s3api.E(s3api.AccessDenied).WithMessage(message) }
