package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The model is a second evaluator, written from the rules and not for speed: it walks the document as a map and turns patterns into regular
// expressions. It knows the operators and keys that generate draws from.

type modelRequest struct {
	who      Principal
	action   string
	resource string
	keys     map[string][]string // by key
}

func (m modelRequest) Lookup(key Key, name string) Value {
	values := m.keys[string(key)+name]
	switch {
	case len(values) == 0:
		return Value{}
	case key == KeyRequestTagKeys:
		return List(values)
	}
	return Text(values[0])
}

// modelPattern turns a pattern into a regular expression; false if it names a variable without a value.
func (m modelRequest) modelPattern(pattern string, wildcards bool) (*regexp.Regexp, bool) {
	expanded, known := strings.Builder{}, true
	for pattern != "" {
		if inner, ok := strings.CutPrefix(pattern, "${"); ok {
			name, rest, _ := strings.Cut(inner, "}")
			pattern = rest
			key, fallback, hasDefault := strings.Cut(name, ", ")
			switch value := m.keys[key]; {
			case key == "*" || key == "?":
				expanded.WriteString(regexp.QuoteMeta(key))
			case key == "aws:username" && m.who.User != "":
				expanded.WriteString(regexp.QuoteMeta(m.who.User))
			case len(value) > 0:
				expanded.WriteString(regexp.QuoteMeta(value[0]))
			case hasDefault:
				expanded.WriteString(regexp.QuoteMeta(strings.Trim(fallback, "'")))
			default:
				known = false
			}
			continue
		}
		switch c := pattern[:1]; {
		case wildcards && c == "*":
			expanded.WriteString(".*")
		case wildcards && c == "?":
			expanded.WriteString(".")
		default:
			expanded.WriteString(regexp.QuoteMeta(c))
		}
		pattern = pattern[1:]
	}
	return regexp.MustCompile("(?s)^" + expanded.String() + "$"), known
}

func (m modelRequest) matchesAny(patterns []string, wildcards bool, value string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		re, known := m.modelPattern(pattern, wildcards)
		return known && re.MatchString(value)
	})
}

func listOf(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	var list []string
	for _, item := range v.([]any) {
		list = append(list, item.(string))
	}
	return list
}

func (m modelRequest) condition(operator, key string, want []string) bool {
	base, all := strings.CutPrefix(operator, "ForAllValues:")
	base, anyOf := strings.CutPrefix(base, "ForAnyValue:")
	base, ifExists := strings.CutSuffix(base, "IfExists")
	have := m.keys[key]
	if base == "Null" {
		return (len(have) == 0) == (want[0] == "true")
	}
	negated := strings.Contains(base, "Not")
	if len(have) == 0 {
		return ifExists || all || negated && !anyOf
	}
	met := 0
	for _, value := range have {
		if m.matchesAny(want, strings.HasSuffix(base, "Like"), value) != negated {
			met++
		}
	}
	if all || negated && !anyOf {
		return met == len(have)
	}
	return met > 0
}

func (m modelRequest) statement(s map[string]any) bool {
	action := func(list any) bool {
		var lower []string
		for _, a := range listOf(list) {
			lower = append(lower, strings.ToLower(a))
		}
		return m.matchesAny(lower, true, strings.ToLower(m.action))
	}
	if list, ok := s["Action"]; ok && !action(list) {
		return false
	}
	if list, ok := s["NotAction"]; ok && action(list) {
		return false
	}
	if list, ok := s["Resource"]; ok && !m.matchesAny(listOf(list), true, "arn:aws:s3:::"+m.resource) {
		return false
	}
	if list, ok := s["NotResource"]; ok && m.matchesAny(listOf(list), true, "arn:aws:s3:::"+m.resource) {
		return false
	}
	if who, ok := s["Principal"].(map[string]any); ok {
		names := listOf(who["AWS"])
		if !slices.Contains(names, m.who.ARN()) && !slices.Contains(names, m.who.Account) {
			return false
		}
	}
	conditions, _ := s["Condition"].(map[string]any)
	for operator, entries := range conditions {
		for key, want := range entries.(map[string]any) {
			if !m.condition(operator, key, listOf(want)) {
				return false
			}
		}
	}
	return true
}

func (m modelRequest) decide(doc []byte) Effect {
	var policy struct{ Statement []map[string]any }
	if err := json.Unmarshal(doc, &policy); err != nil {
		panic(err)
	}
	effect := None
	for _, s := range policy.Statement {
		if m.statement(s) {
			if s["Effect"] == "Deny" {
				return Deny
			}
			effect = Allow
		}
	}
	return effect
}

// draw makes random documents and requests out of few words, so that they often meet.
type draw struct{ *rand.Rand }

func (d draw) of(words ...string) string { return words[d.IntN(len(words))] }

func (d draw) some(words ...string) any {
	list := []any{d.of(words...)}
	for d.IntN(2) == 0 {
		list = append(list, d.of(words...))
	}
	if len(list) == 1 && d.IntN(2) == 0 {
		return list[0]
	}
	return list
}

func (d draw) pattern() string {
	var b strings.Builder
	for range d.IntN(6) {
		b.WriteString(d.of("a", "b", "ab", "*", "?", "é", "/", "${s3:prefix}", "${aws:username}", "${aws:Referer, 'b'}", "${*}", "${?}"))
	}
	return b.String()
}

func (d draw) text() string {
	var b strings.Builder
	for range d.IntN(6) {
		b.WriteString(d.of("a", "b", "ab", "é", "/", "*", "?"))
	}
	return b.String()
}

func (d draw) document() []byte {
	var statements []map[string]any
	for range 1 + d.IntN(3) {
		s := map[string]any{"Effect": d.of("Allow", "Deny")}
		s[d.of("Action", "NotAction")] = d.some("s3:GetObject", "s3:Get*", "S3:*OBJECT", "s3:PutObjec?", "*")
		resources := []string{}
		for range 3 {
			resources = append(resources, "arn:aws:s3:::bucket/"+d.pattern())
		}
		s[d.of("Resource", "Resource", "NotResource")] = d.some(append(resources, "arn:aws:s3:::b*", "arn:aws:s3:::*/a*")...)
		s["Principal"] = d.principal()
		if d.IntN(2) == 0 {
			operator := d.of("", "ForAllValues:", "ForAnyValue:") + d.of("StringEquals", "StringNotEquals", "StringLike", "StringNotLike") + d.of("", "IfExists")
			if d.IntN(6) == 0 {
				s["Condition"] = map[string]any{"Null": map[string]any{"aws:Referer": d.of("true", "false")}}
			} else {
				s["Condition"] = map[string]any{operator: map[string]any{
					d.of("aws:Referer", "aws:UserAgent", "s3:TlsVersion"): d.some(d.pattern(), d.pattern(), d.text()),
				}}
			}
		}
		statements = append(statements, s)
	}
	doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	return doc
}

func (d draw) principal() any {
	if d.IntN(2) == 0 {
		return "*"
	}
	return map[string]any{"AWS": d.some("00000000000000aa", "arn:aws:iam::00000000000000bb:root", "arn:aws:iam::00000000000000aa:user/ab")}
}

func (d draw) request() modelRequest {
	m := modelRequest{
		who:      []Principal{{}, {Account: "00000000000000aa"}, {Account: "00000000000000bb"}, {Account: "00000000000000aa", User: "ab"}}[d.IntN(4)],
		action:   d.of("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectAcl"),
		resource: "bucket/" + d.text(),
		keys:     map[string][]string{},
	}
	for _, key := range []string{"aws:Referer", "aws:UserAgent", "s3:TlsVersion", "s3:prefix"} {
		if d.IntN(2) == 0 {
			m.keys[key] = []string{d.text()}
		}
	}
	return m
}

// accounts adds what an account's name also stands for: its users.
func (m modelRequest) decideWithAccount(doc []byte) Effect {
	text := strings.ReplaceAll(string(doc), `"00000000000000aa"`, `"00000000000000aa","arn:aws:iam::00000000000000aa:root"`)
	text = regexp.MustCompile(`"AWS":("[^]}]*")}`).ReplaceAllString(text, `"AWS":[$1]}`)
	return m.decide([]byte(text))
}

// TestModel compares the evaluator with the model on random documents and requests.
func TestModel(t *testing.T) {
	seed := rand.Uint64()
	d := draw{rand.New(rand.NewPCG(seed, 0))}
	met := map[Effect]int{}
	for range 1000 {
		doc := d.document()
		p, err := ParseBucket(doc, "bucket")
		if err != nil {
			// Not every draw is a policy that S3 takes; that is for the table of refusals to judge.
			continue
		}
		for range 5 {
			m := d.request()
			r := Request{Principal: m.who, Action: m.action, Resource: m.resource, Context: m}
			got, want := p.Evaluate(&r), m.decideWithAccount(doc)
			met[want]++
			if got.Effect != want {
				t.Fatalf("seed %d: %v decides %v, the model %v\n%s\n%s", seed, m, got, want, doc, explanation(p.Explain(&r)))
			}
		}
	}
	if met[None] < 100 || met[Allow] < 100 || met[Deny] < 100 {
		t.Errorf("seed %d: the draws hardly ever meet: %v", seed, met)
	}
}

// TestGlobModel compares patterns with regular expressions.
func TestGlobModel(t *testing.T) {
	seed := rand.Uint64()
	d := draw{rand.New(rand.NewPCG(seed, 1))}
	matched := 0
	for range 10_000 {
		pattern, text := d.pattern(), d.text()
		m := d.request()
		re, known := m.modelPattern(pattern, true)
		want := known && re.MatchString(text)
		g, ok := compileGlob(pattern, syntax{wildcards: true, variables: true}).resolve(&Request{Principal: m.who, Context: m})
		if got := ok && g.match(text); got != want {
			t.Fatalf("seed %d: %q on %q is %t, want %t", seed, pattern, text, got, want)
		}
		if want {
			matched++
		}
	}
	if matched < 150 {
		t.Errorf("seed %d: only %d matched", seed, matched)
	}
}

// TestReaches compares it with trying all short strings.
func TestReaches(t *testing.T) {
	tails := []string{""}
	for _, a := range "ab/" {
		tails = append(tails, string(a))
		for _, b := range "ab/" {
			tails = append(tails, string(a)+string(b))
			for _, c := range "ab/" {
				tails = append(tails, string(a)+string(b)+string(c))
			}
		}
	}
	for _, pattern := range []string{"", "*", "b", "b?", "?", "b/*", "b*", "b/?", "*/a", "b**", "c*", "b/ab", "a", "*a", "b?a", "?/a/"} {
		g := compileGlob(pattern, syntax{wildcards: true})
		for _, prefix := range []string{"b", "b/"} {
			want := slices.ContainsFunc(tails, func(tail string) bool { return tail != "" && g.match(prefix+tail) })
			if got := g.reaches(prefix, true); got != want {
				t.Errorf("%q reaches beyond %q: %t, want %t", pattern, prefix, got, want)
			}
			if got := g.reaches(prefix, false); got != g.match(prefix) {
				t.Errorf("%q reaches %q: %t", pattern, prefix, got)
			}
		}
	}
}

func (m modelRequest) String() string {
	return fmt.Sprintf("%+v %s %s %v", m.who, m.action, m.resource, m.keys)
}
