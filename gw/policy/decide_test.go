package policy

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// table is a context made of the words of a test script.
type table map[string]Value

func (t table) Lookup(key Key, name string) Value { return t[strings.ToLower(string(key)+name)] }

// script is one of the files in testdata/decide: policies, each followed by requests and what is decided.
//
//	bucket NAME            or: identity
//	…JSON…
//	.
//	[who=ID|ID/user|service] [do=s3:Action] [on=bucket/key] [key=value]… => Allow|Deny|None [statement]
//
// A request takes from the one before it what it does not name itself, other than keys. A value "[a,b]" is a list, "#12" a number and
// "@1.2.3.4" an address; "_" is the empty string and "\s" a space.
type script struct {
	t      *testing.T
	file   string
	line   int
	policy *Policy
	last   Request
}

func TestDecisions(t *testing.T) {
	files, err := filepath.Glob("testdata/decide/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &script{t: t, file: file}
			s.run(text)
		})
	}
}

func (s *script) run(text []byte) {
	var doc *bytes.Buffer
	head, decided := "", 0
	for line := range strings.Lines(string(text)) {
		s.line++
		line = strings.TrimSpace(line)
		switch {
		case doc != nil && line == ".":
			s.parse(head, doc.Bytes())
			doc = nil
		case doc != nil:
			doc.WriteString(line + "\n")
		case line == "" || line[0] == '#':
		case line == "identity" || strings.HasPrefix(line, "bucket "):
			head, doc, s.last = line, &bytes.Buffer{}, Request{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
		default:
			s.decide(line)
			decided++
		}
	}
	if doc != nil || decided == 0 {
		s.t.Errorf("%s: the last policy does not end, or nothing is decided", s.file)
	}
}

func (s *script) parse(head string, doc []byte) {
	s.t.Helper()
	var err error
	if s.policy, err = parseAs(head, doc); err != nil {
		s.t.Fatalf("%s:%d: %v", s.file, s.line, err)
	}
}

// decide runs one request.
func (s *script) decide(line string) {
	asked, want, ok := strings.Cut(line, "=>")
	if !ok {
		s.t.Fatalf("%s:%d: no =>", s.file, s.line)
	}
	keys := table{}
	for word := range strings.FieldsSeq(asked) {
		s.word(word, keys)
	}
	s.last.Context = keys
	d := s.policy.Evaluate(&s.last)
	got := d.Effect.String()
	if d.Effect != None {
		got += " " + strconv.Itoa(d.Statement)
	}
	if want = strings.TrimSpace(want); got != want && d.Effect.String() != want {
		s.t.Errorf("%s:%d: %s\n got %s, want %s\n%s", s.file, s.line, asked, got, want, explanation(s.policy.Explain(&s.last)))
	}
	if e := s.policy.Explain(&s.last); e.Decision != d {
		s.t.Errorf("%s:%d: Explain decides %v, Evaluate %v", s.file, s.line, e.Decision, d)
	}
}

func explanation(e Explanation) string {
	var b strings.Builder
	for _, f := range e.Statements {
		fmt.Fprintf(&b, "  %d %s applies=%t: %s\n", f.Index, f.Effect, f.Applies, f.Why)
	}
	return b.String()
}

func (s *script) word(word string, keys table) {
	name, value, ok := strings.Cut(word, "=")
	if !ok {
		s.t.Fatalf("%s:%d: %q is no name=value", s.file, s.line, word)
	}
	switch name {
	case "who":
		s.last.Principal = Principal{}
		switch account, user, _ := strings.Cut(value, "/"); {
		case strings.Contains(value, "."):
			s.last.Principal.Service = value
		default:
			s.last.Principal = Principal{Account: account, User: user}
		}
	case "do":
		s.last.Action = value
	case "on":
		s.last.Resource = strings.ReplaceAll(value, `\s`, " ")
	case "owner":
		s.last.Owner = value
	default:
		keys[strings.ToLower(name)] = s.value(value)
	}
}

func (s *script) value(text string) Value {
	text = strings.ReplaceAll(text, `\s`, " ")
	switch {
	case text == "_":
		return Text("")
	case strings.HasPrefix(text, "["):
		return List(strings.Split(strings.Trim(text, "[]"), ","))
	case strings.HasPrefix(text, "#"):
		n, err := strconv.ParseFloat(text[1:], 64)
		if err != nil {
			s.t.Fatalf("%s:%d: %v", s.file, s.line, err)
		}
		return Number(n)
	case strings.HasPrefix(text, "@"):
		return Address(netip.MustParseAddr(text[1:]))
	}
	return Text(text)
}
