package policy

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/gw/s3api"
)

func mustBucket(t *testing.T, statements string) *Policy {
	t.Helper()
	p, err := ParseBucket([]byte(`{"Version": "2012-10-17", "Statement": [`+statements+`]}`), "b")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOperationsHaveActions checks that a policy can name what each operation of the gateway asks for.
func TestOperationsHaveActions(t *testing.T) {
	for _, op := range s3api.Ops() {
		for _, versioned := range []bool{false, true} {
			action := op.Action(versioned)
			// Directory buckets and object lambdas have services of their own; the table of refusals keeps both.
			if name, ok := strings.CutPrefix(action, "s3:"); !ok || name == "RenameObject" {
				continue
			}
			i := indexOf(action)
			if i < 0 {
				t.Errorf("%v needs %s, which no policy may name", op, action)
				continue
			}
			if onAnObject := actions[i].on == onObject; onAnObject != op.OnObject() && op != s3api.OpDeleteObjects && op != s3api.OpPostObject {
				t.Errorf("%v is on an object: %t; its action %s is: %t", op, op.OnObject(), action, onAnObject)
			}
		}
	}
}

// TestAsksOnlyWhatItNeeds checks that the context is not asked for keys of statements that do not apply anyhow.
func TestAsksOnlyWhatItNeeds(t *testing.T) {
	p := mustBucket(t, `
		{"Effect": "Deny", "Principal": {"AWS": "00000000000000aa"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
		 "Condition": {"StringEquals": {"s3:ExistingObjectTag/a": "x"}}},
		{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/secret/*",
		 "Condition": {"StringEquals": {"s3:ExistingObjectTag/b": "x"}}},
		{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {"StringEquals": {"aws:Referer": "r"}}}`)
	asked := asking{}
	if d := p.Evaluate(&Request{Action: "s3:GetObject", Resource: "b/k", Context: asked}); d.Effect != None {
		t.Errorf("got %v", d)
	}
	if len(asked) != 1 || asked[KeyReferer] != 1 {
		t.Errorf("asked for %v", asked)
	}
}

type asking map[Key]int

func (a asking) Lookup(key Key, _ string) Value { a[key]++; return Value{} }

// TestNamed checks that each principal is given once.
func TestNamed(t *testing.T) {
	p := mustBucket(t, `
		{"Effect": "Allow", "Principal": {"AWS": ["00000000000000aa", "arn:aws:iam::00000000000000aa:root", "arn:aws:iam::00000000000000bb:user/app"]},
		 "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
		{"Effect": "Deny", "NotPrincipal": {"CanonicalUser": "00000000000000cc"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}`)
	want := []Principal{{Account: "00000000000000aa"}, {Account: "00000000000000bb", User: "app"}, {Account: "00000000000000cc"}}
	if got := p.Named(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestDenyWinsInAnyOrder checks that the order of statements does not decide.
func TestDenyWinsInAnyOrder(t *testing.T) {
	allow := `{"Sid": "yes", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}`
	deny := `{"Sid": "no", "Effect": "Deny", "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}`
	for i, statements := range []string{deny + "," + allow, allow + "," + deny} {
		got := mustBucket(t, statements).Evaluate(&Request{Action: "s3:GetObject", Resource: "b/k"})
		if want := (Decision{Effect: Deny, Statement: i, Sid: "no"}); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestExplain checks the words for each way not to match.
func TestExplain(t *testing.T) {
	p := mustBucket(t, `
		{"Sid": "action", "Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"},
		{"Sid": "resource", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/x/*"},
		{"Sid": "principal", "Effect": "Allow", "Principal": {"AWS": "00000000000000aa"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
		{"Sid": "condition", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
		 "Condition": {"StringEquals": {"aws:Referer": ["a", "b"]}}},
		{"Sid": "missing", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
		 "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01"}, "StringLike": {"s3:ExistingObjectTag/k": "v*"}}},
		{"Sid": "match", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}`)
	r := Request{Action: "s3:GetObject", Resource: "b/k", Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Context: table{"aws:referer": Text("c")}}
	var b strings.Builder
	e := p.Explain(&r)
	fmt.Fprintf(&b, "%s by %d %q\n", e.Decision.Effect, e.Decision.Statement, e.Decision.Sid)
	for _, f := range e.Statements {
		fmt.Fprintf(&b, "%d %q %s %t: %s\n", f.Index, f.Sid, f.Effect, f.Applies, f.Why)
	}
	want, err := os.ReadFile("testdata/explained.txt")
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%swant\n%s", &b, want)
	}
}

// TestDocumented holds docs/policy.md against the tables: each action, key and operator is in its list, and nothing else is.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{} // by the head of the section
	section := ""
	for line := range strings.Lines(string(text)) {
		if head, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(head)
		}
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			documented[section] = append(documented[section], name)
		}
	}
	var keyNames, never []string
	for _, k := range Keys() {
		name := string(k.Key)
		if strings.HasSuffix(name, "/") {
			name += "<key>"
		}
		if k.Never {
			never = append(never, name)
		} else {
			keyNames = append(keyNames, name)
		}
	}
	var actionNames, operatorNames []string
	for _, a := range actions {
		actionNames = append(actionNames, "s3:"+a.name)
	}
	for _, o := range operators {
		operatorNames = append(operatorNames, o.name)
	}
	for section, want := range map[string][]string{
		"Actions": actionNames, "Condition keys": keyNames, "Keys without a value": never, "Condition operators": operatorNames,
	} {
		got := documented[section]
		for _, name := range want {
			if !slices.Contains(got, name) {
				t.Errorf("docs/policy.md does not have %s under %q", name, section)
			}
		}
		if len(got) != len(want) {
			t.Errorf("docs/policy.md has %d rows under %q, want %d", len(got), section, len(want))
		}
	}
}
