package gw

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"holdfast/gw/s3api"
)

// documented is a row of the tables in docs/s3.md.
type documented struct{ operation, request, state, notes string }

// readDocs returns the rows that are about operations.
func readDocs(t *testing.T) []documented {
	t.Helper()
	text, err := os.ReadFile("../docs/s3.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []documented
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || strings.Contains(line, "---") || strings.TrimSpace(cells[1]) == "operation" {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, documented{cells[1], cells[2], cells[3], cells[4]})
	}
	return rows
}

// TestDocumentedStates holds docs/s3.md against the table of operations: each is there once, with its request and its state.
func TestDocumentedStates(t *testing.T) {
	rows := readDocs(t)
	if got, want := len(rows), len(s3api.Ops()); got != want {
		t.Errorf("docs/s3.md has %d operations, the API %d", got, want)
	}
	for _, op := range s3api.Ops() {
		i := slices.IndexFunc(rows, func(r documented) bool { return r.operation == op.String() })
		if i < 0 {
			t.Errorf("%v is missing in docs/s3.md", op)
			continue
		}
		row, route := rows[i], op.Route()
		if !slices.Contains([]string{"built", "fixed", "refused"}, row.state) || (row.state != "refused") != op.Built() {
			t.Errorf("%v is %q in docs/s3.md; built is %t", op, row.state, op.Built())
		}
		want := route.Method + " /"
		if route.Bucket {
			want += "{bucket}"
		}
		if route.Key {
			want += "/{key}"
		}
		if route.Query != "" {
			want += "?" + route.Query
		}
		if !strings.HasPrefix(row.request, "`"+want+"`") {
			t.Errorf("%v is requested by %s in docs/s3.md, want %q", op, row.request, want)
		}
		if row.state == "refused" && row.notes == "" {
			t.Errorf("%v is refused without a reason", op)
		}
	}
}

// TestDocumentedRefusals asks a live gateway for each operation that docs/s3.md calls refused, by the request it gives.
func TestDocumentedRefusals(t *testing.T) {
	endpoint := serve(t, newTestGateway(t, nil))
	c := clientOf(t, endpoint)
	c.do("PUT", "/docs-bucket", nil).is(200)
	c.do("PUT", "/docs-bucket/key", []byte("data")).is(200)
	request := regexp.MustCompile("^`([A-Z]+) (.*?)`")
	refused := 0
	for _, row := range readDocs(t) {
		if row.state != "refused" {
			continue
		}
		refused++
		m := request.FindStringSubmatch(row.request)
		if m == nil {
			t.Errorf("%s: %q is no request", row.operation, row.request)
			continue
		}
		target := strings.NewReplacer("{bucket}", "docs-bucket", "{key}", "key").Replace(m[2])
		var headers []string
		for _, op := range s3api.Ops() {
			if op.String() == row.operation {
				for _, name := range op.Route().Headers {
					headers = append(headers, name, "docs-bucket/key")
				}
			}
		}
		a := c.do(m[1], target, nil, headers...)
		if a.is(http.StatusNotImplemented); m[1] != http.MethodHead {
			a.fails(http.StatusNotImplemented, "NotImplemented")
		}
	}
	if refused == 0 {
		t.Error("docs/s3.md refuses nothing: the table was not read")
	}
	if got := c.do("GET", "/docs-bucket/key", nil).is(200); string(got.body) != "data" {
		t.Errorf("got %q", got.body)
	}
}
