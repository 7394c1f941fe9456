package policy

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// seedDocuments are the documents of the scripts.
func seedDocuments(f *testing.F) []string {
	text, err := os.ReadFile("testdata/refused.txt")
	if err != nil {
		f.Fatal(err)
	}
	docs := []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`}
	for line := range strings.Lines(string(text)) {
		if members, ok := strings.CutPrefix(line, "@"); ok {
			line = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",` + members + `}}`
		}
		docs = append(docs, line)
	}
	return docs
}

// FuzzParse checks that no document panics, that what is accepted stays accepted and decides the same in its compact form, and that an evaluation
// agrees with its explanation.
func FuzzParse(f *testing.F) {
	for _, doc := range seedDocuments(f) {
		f.Add([]byte(doc), "k", "a")
	}
	f.Fuzz(func(t *testing.T, doc []byte, key, value string) {
		for _, head := range []string{"bucket b", "identity"} {
			p, err := parseAs(head, doc)
			if err != nil {
				continue
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, doc); err != nil {
				t.Fatalf("accepted, and no JSON: %v", err)
			}
			again, err := parseAs(head, compact.Bytes())
			if err != nil {
				t.Fatalf("refused in its compact form: %v", err)
			}
			p.IsPublic()
			context := modelRequest{keys: map[string][]string{"s3:prefix": {value}, "aws:Referer": {value}, "s3:RequestObjectTagKeys": {key, value}}}
			for _, action := range []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket", "x:Y"} {
				r := Request{Principal: Principal{Account: "00000000000000aa", User: value}, Action: action, Resource: "b/" + key, Context: context}
				d := p.Evaluate(&r)
				if e := p.Explain(&r); e.Decision != d || again.Evaluate(&r) != d {
					t.Fatalf("decides %v, in its compact form %v, explained as %v", d, again.Evaluate(&r), e.Decision)
				}
			}
		}
	})
}

// FuzzGlob checks that a pattern never panics and that text alone matches itself.
func FuzzGlob(f *testing.F) {
	f.Add("a*b?${s3:prefix}${*}", "axbc")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		g, ok := compileGlob(pattern, syntax{wildcards: true, variables: true}).resolve(&Request{})
		if ok {
			g.match(text)
		}
		if g := compileGlob(pattern, syntax{}); !g.match(pattern) || g.text() != pattern {
			t.Fatalf("%q does not match itself", pattern)
		}
		if g := compileGlob("*"+text+"*", syntax{wildcards: true}); !g.match("x"+text) && !strings.ContainsAny(text, "?*") {
			t.Fatalf("*%q* does not match x%q", text, text)
		}
	})
}
