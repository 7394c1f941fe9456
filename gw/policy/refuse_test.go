package policy

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// parseAs reads a document of the kind that a script's head names.
func parseAs(head string, doc []byte) (*Policy, error) {
	if bucket, ok := strings.CutPrefix(head, "bucket "); ok {
		return ParseBucket(doc, bucket)
	}
	return ParseIdentity(doc)
}

// TestRefusals holds what is refused, and its message, against testdata/refused.txt.
func TestRefusals(t *testing.T) {
	text, err := os.ReadFile("testdata/refused.txt")
	if err != nil {
		t.Fatal(err)
	}
	head, doc, checked, n := "", "", 0, 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		want, isWant := strings.CutPrefix(line, "! ")
		switch {
		case line == "" || line[0] == '#':
		case line == "identity" || strings.HasPrefix(line, "bucket "):
			head = line
		case isWant:
			checked++
			checkRefusal(t, n, head, doc, want)
		default:
			doc = line
			if members, ok := strings.CutPrefix(line, "@"); ok {
				doc = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", ` + members + `}}`
				if head != "identity" {
					doc = strings.Replace(doc, `"Allow"`, `"Allow", "Principal": "*"`, 1)
				}
			}
		}
	}
	if checked < 80 {
		t.Errorf("read %d documents: the file was not understood", checked)
	}
}

func checkRefusal(t *testing.T, line int, head, doc, want string) {
	t.Helper()
	p, err := parseAs(head, []byte(doc))
	var refused *Error
	switch {
	case want == "ok" && err != nil:
		t.Errorf("line %d: %s is refused: %v", line, doc, err)
	case want == "ok" && p == nil:
		t.Errorf("line %d: %s gives no policy", line, doc)
	case want == "ok":
	case !errors.As(err, &refused):
		t.Errorf("line %d: %s is accepted, or refused by %v", line, doc, err)
	case !strings.HasPrefix(refused.Message, want) || p != nil:
		t.Errorf("line %d: %s is refused with\n%q, want\n%q", line, doc, refused.Message, want)
	}
}

// TestSizes checks that white space does not count and that what is over the limit is refused.
func TestSizes(t *testing.T) {
	of := func(head string, size int) []byte {
		principal := ""
		if head != "identity" {
			principal = `"Principal":"*",`
		}
		doc := `{"Statement":{"Effect":"Allow",` + principal + `"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/` + "%" + `"}}`
		return []byte(strings.Replace(doc, "%", strings.Repeat("x", size-len(doc)+1), 1))
	}
	for head, limit := range map[string]int{"bucket b": MaxBucketPolicy, "identity": MaxIdentityPolicy} {
		if _, err := parseAs(head, of(head, limit)); err != nil {
			t.Errorf("%s: %d bytes are refused: %v", head, limit, err)
		}
		spacious := bytes.Replace(of(head, limit), []byte(`,"Action"`), []byte(",\n"+strings.Repeat(" ", 1000)+`"Action"`), 1)
		if _, err := parseAs(head, spacious); err != nil {
			t.Errorf("%s: white space is counted: %v", head, err)
		}
		if _, err := parseAs(head, of(head, limit+1)); err == nil {
			t.Errorf("%s: %d bytes are accepted", head, limit+1)
		}
	}
}

// TestPublic holds IsPublic against testdata/public.txt.
func TestPublic(t *testing.T) {
	text, err := os.ReadFile("testdata/public.txt")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(text)) {
		want, members, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || want == "#" {
			continue
		}
		checked++
		rest := `"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", ` + members
		for effect, public := range map[string]bool{"Allow": want == "public", "Deny": false} {
			p, err := ParseBucket([]byte(`{"Version": "2012-10-17", "Statement": [{"Effect": "`+effect+`", `+rest+`}]}`), "b")
			if err != nil {
				t.Errorf("%s: %v", members, err)
			} else if got := p.IsPublic(); got != public {
				t.Errorf("%s %s: public is %t", effect, members, got)
			}
		}
	}
	if checked < 30 {
		t.Errorf("read %d statements: the file was not understood", checked)
	}
}

// TestPublicByOneStatement checks that one public statement makes the policy public.
func TestPublicByOneStatement(t *testing.T) {
	p, err := ParseBucket([]byte(`{"Statement": [
		{"Effect": "Allow", "Principal": {"AWS": "00000000000000aa"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
		{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"},
		{"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}]}`), "b")
	if err != nil || !p.IsPublic() {
		t.Errorf("got %v, %v", p, err)
	}
}
