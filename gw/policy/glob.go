package policy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// tokenKind is the kind of one piece of a pattern.
type tokenKind uint8

const (
	literal  tokenKind = iota
	anyRun             // *: any characters, none too
	anyOne             // ?: one character
	variable           // ${key}: the value of a context key, none of whose characters is a wildcard
)

// token is one piece of a pattern.
type token struct {
	kind     tokenKind
	text     string // of a literal
	ref      keyRef // of a variable
	fallback string // of a variable whose key is not in the context
	defaults bool   // there is a fallback
}

// glob is a compiled pattern.
type glob struct {
	tokens    []token
	variables bool // some tokens are variables
}

// syntax says what is special in a pattern.
type syntax struct {
	wildcards bool // * and ?
	variables bool // ${…}: version 2012-10-17 of the language
}

// compileGlob compiles a pattern. Text that only resembles a variable stands for itself, as in IAM.
func compileGlob(pattern string, s syntax) glob {
	var g glob
	text := strings.Builder{}
	flush := func() {
		if text.Len() > 0 {
			g.tokens = append(g.tokens, token{kind: literal, text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case s.wildcards && c == '*':
			flush()
			if n := len(g.tokens); n == 0 || g.tokens[n-1].kind != anyRun {
				g.tokens = append(g.tokens, token{kind: anyRun})
			}
			i++
		case s.wildcards && c == '?':
			flush()
			g.tokens = append(g.tokens, token{kind: anyOne})
			i++
		case s.variables && strings.HasPrefix(pattern[i:], "${"):
			t, size := compileVariable(pattern[i:])
			if t.kind == literal {
				text.WriteString(t.text)
			} else {
				flush()
				g.tokens, g.variables = append(g.tokens, t), true
			}
			i += size
		default:
			text.WriteByte(c)
			i++
		}
	}
	flush()
	return g
}

// compileVariable compiles what begins with "${" and returns how many bytes of it that is: `${key}`, `${key, 'default'}`, or one of the
// characters that could not be written otherwise, `${*}`, `${?}` and `${$}`.
func compileVariable(s string) (token, int) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return token{kind: literal, text: s}, len(s)
	}
	inner := s[2:end]
	if inner == "*" || inner == "?" || inner == "$" {
		return token{kind: literal, text: inner}, end + 1
	}
	t := token{kind: variable}
	name, fallback, found := strings.Cut(inner, ",")
	if found {
		if fallback = strings.TrimSpace(fallback); len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
			return token{kind: literal, text: s[:end+1]}, end + 1
		}
		t.fallback, t.defaults = fallback[1:len(fallback)-1], true
	}
	ref, ok := parseKey(strings.TrimSpace(name))
	if !ok {
		return token{kind: literal, text: s[:end+1]}, end + 1
	}
	t.ref = ref
	return t, end + 1
}

// resolve returns the pattern with the values of the request in place of its variables, false if one has no value.
func (g glob) resolve(r *Request) (glob, bool) {
	if !g.variables {
		return g, true
	}
	out := glob{tokens: make([]token, len(g.tokens))}
	for i, t := range g.tokens {
		if t.kind == variable {
			text, ok := r.value(t.ref).single()
			if !ok {
				if !t.defaults {
					return glob{}, false
				}
				text = t.fallback
			}
			t = token{kind: literal, text: text}
		}
		out.tokens[i] = t
	}
	return out, true
}

// match reports whether the whole of s matches. The pattern must have no variables left. Only the last * that was met is ever tried
// again, so the time is bounded by the product of the lengths.
func (g glob) match(s string) bool {
	tokens := g.tokens
	i, back, from := 0, -1, ""
	for {
		if i < len(tokens) && tokens[i].kind == anyRun {
			if i == len(tokens)-1 {
				return true
			}
			back, from = i, s
			i++
			continue
		}
		if i == len(tokens) && s == "" {
			return true
		}
		if i < len(tokens) {
			if rest, ok := tokens[i].eat(s); ok {
				i, s = i+1, rest
				continue
			}
		}
		if back < 0 || from == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(from)
		from = from[size:]
		i, s = back+1, from
	}
}

// eat removes what a literal or ? matches from the front of s.
func (t token) eat(s string) (string, bool) {
	if t.kind == literal {
		return strings.CutPrefix(s, t.text)
	}
	if s == "" {
		return "", false
	}
	_, size := utf8.DecodeRuneInString(s)
	return s[size:], true
}

// text returns a pattern without wildcards as the string it stands for.
func (g glob) text() string {
	if len(g.tokens) == 1 {
		return g.tokens[0].text
	}
	var b strings.Builder
	for _, t := range g.tokens {
		b.WriteString(t.text)
	}
	return b.String()
}

// reaches reports whether the pattern matches prefix itself or, if longer, some string that begins with prefix and goes on. A variable may
// stand for anything. It follows all ways through the pattern at once, so the time is bounded by the product of the lengths.
func (g glob) reaches(prefix string, longer bool) bool {
	units := g.units()
	at := make([]bool, len(units)+1) // positions in units that the text so far leads to
	at[0] = true
	skipRuns(units, at)
	for i := 0; i < len(prefix); i++ {
		next := make([]bool, len(units)+1)
		for p, u := range units {
			switch {
			case !at[p]:
			case u == unitRun:
				next[p] = true
			case u == unitOne || u == int(prefix[i]):
				next[p+1] = true
			}
		}
		skipRuns(units, next)
		at = next
	}
	if longer {
		return slices.Contains(at[:len(units)], true)
	}
	return at[len(units)]
}

// The units of a pattern that are no bytes.
const (
	unitRun = -1 - iota
	unitOne
)

// units returns the pattern as bytes and wildcards.
func (g glob) units() []int {
	var units []int
	for _, t := range g.tokens {
		switch t.kind {
		case literal:
			for i := 0; i < len(t.text); i++ {
				units = append(units, int(t.text[i]))
			}
		case anyOne:
			units = append(units, unitOne)
		default:
			units = append(units, unitRun)
		}
	}
	return units
}

// skipRuns adds the positions that are reached without any text.
func skipRuns(units []int, at []bool) {
	for p, u := range units {
		if at[p] && u == unitRun {
			at[p+1] = true
		}
	}
}
