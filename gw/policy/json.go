package policy

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// maxDepth bounds how deep a document nests; a policy needs six levels.
const maxDepth = 16

// member is one name of a JSON object with its value.
type member struct {
	name  string
	value any
}

// object is a JSON object with its members in the order of the document. A map would lose all but one of two equal names, and the policy
// that is enforced would not be the one that its author reads.
type object []member

// parseJSON reads a document into objects, []any, string, json.Number, bool and nil. It is stricter than encoding/json: invalid UTF-8,
// a name given twice in one object and anything behind the document are refused.
func parseJSON(doc []byte) (any, bool) {
	if !utf8.Valid(doc) || !json.Valid(doc) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	return readValue(d, maxDepth)
}

func readValue(d *json.Decoder, depth int) (any, bool) {
	token, err := d.Token()
	if err != nil || depth == 0 {
		return nil, false
	}
	switch token {
	case json.Delim('{'):
		return readObject(d, depth-1)
	case json.Delim('['):
		return readArray(d, depth-1)
	}
	return token, true
}

func readObject(d *json.Decoder, depth int) (any, bool) {
	var o object
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		name, isName := token.(string)
		if err != nil || !isName || seen[name] {
			return nil, false
		}
		seen[name] = true
		value, ok := readValue(d, depth)
		if !ok {
			return nil, false
		}
		o = append(o, member{name, value})
	}
	_, err := d.Token()
	return o, err == nil
}

func readArray(d *json.Decoder, depth int) (any, bool) {
	list := []any{}
	for d.More() {
		value, ok := readValue(d, depth)
		if !ok {
			return nil, false
		}
		list = append(list, value)
	}
	_, err := d.Token()
	return list, err == nil
}

// compactSize returns the size of a document without the white space between its tokens. Both S3 and IAM measure it so.
func compactSize(doc []byte) int {
	var b bytes.Buffer
	if json.Compact(&b, doc) != nil {
		return len(doc)
	}
	return b.Len()
}
