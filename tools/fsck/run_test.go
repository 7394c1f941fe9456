package fsck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"strings"
	"testing"

	"holdfast"
)

// command runs the command on a store.
func (s *store) command(ctx context.Context, books func(context.Context, func(holdfast.ServiceID, string)) error, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	err = Run(ctx, args, &out, &errs, func(_ context.Context, t Target) (*Store, error) {
		if t.Data != "here" {
			return nil, errors.New("there is no store")
		}
		return &Store{Services: watched{s}, Live: books == nil, Books: books, Close: func(context.Context) error { return nil }}, nil
	})
	return out.String(), errs.String(), err
}

func TestCommandErrors(t *testing.T) {
	s := newStore(t, old)
	for _, tc := range []struct {
		args []string
		want error
		text string
	}{
		{[]string{"--nonsense"}, ErrUsage, "-nonsense"},
		{[]string{"--deep=perhaps"}, ErrUsage, "perhaps"},
		{[]string{"--data", "here", "too"}, ErrUsage, `"too"`},
		{[]string{"--help"}, flag.ErrHelp, "-repair"},
	} {
		stdout, stderr, err := s.command(t.Context(), nil, tc.args...)
		if !errors.Is(err, tc.want) || !strings.Contains(stderr, tc.text) || stdout != "" {
			t.Errorf("%q: %v, wrote %q and %q", tc.args, err, stdout, stderr)
		}
	}
	if _, _, err := s.command(t.Context(), nil, "--data", "elsewhere"); err == nil || !strings.HasPrefix(err.Error(), "--data elsewhere: ") {
		t.Errorf("no store there: %v, want an error that names the flag", err)
	}
}

func TestCommandReports(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	stdout, stderr, err := s.command(t.Context(), nil, "--data", "here")
	if err != nil || !strings.HasSuffix(stdout, "\nclean\n") || !strings.Contains(stderr, "a server runs on this store") {
		t.Errorf("clean and live: %v, wrote %q and %q", err, stdout, stderr)
	}
	s.free(t, s.link(t, "d/e/c"))
	wrong := func(_ context.Context, report func(holdfast.ServiceID, string)) error {
		report(holdfast.NewServiceID(holdfast.TypeNameServer, 1), "counts differ")
		return nil
	}
	stdout, stderr, err = s.command(t.Context(), wrong, "--data", "here")
	if !errors.Is(err, ErrProblems) || stderr != "" {
		t.Errorf("damaged: %v, wrote %q", err, stderr)
	}
	for _, want := range []string{
		"wrong-books: 0800000000000001: counts differ\n", "missing-bytes: bucket/d/e/c: 10", ": the object is not there\n", "\n2 problems\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the report %q lacks %q", stdout, want)
		}
	}
	if _, _, err := s.command(t.Context(), func(context.Context, func(holdfast.ServiceID, string)) error { return errors.New("away") }, "--data", "here"); err == nil || errors.Is(err, ErrProblems) {
		t.Errorf("the books cannot be read: %v", err)
	}
}

func TestCommandJSON(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	s.free(t, s.link(t, "d/e/c"))
	stdout, _, err := s.command(t.Context(), func(context.Context, func(holdfast.ServiceID, string)) error { return nil }, "--data", "here", "--json")
	if !errors.Is(err, ErrProblems) {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("wrote %q, want two lines", stdout)
	}
	var p Problem
	var r summary
	if err := json.Unmarshal([]byte(lines[0]), &p); err != nil || p.Kind != MissingBytes || p.Name != "bucket/d/e/c" {
		t.Errorf("finding %q: %v", lines[0], err)
	}
	if err := json.Unmarshal([]byte(lines[1]), &r); err != nil || r.Problems != 1 || !r.Complete || !r.Books || r.Live {
		t.Errorf("report %q: %v", lines[1], err)
	}
}

func TestCommandStopped(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.call, _ = nth(2, cancel)
	stdout, _, err := s.command(ctx, nil, "--data", "here")
	if !errors.Is(err, ErrStopped) || !strings.Contains(stdout, "partial: ") || strings.Contains(stdout, "clean") {
		t.Errorf("stopped: %v, wrote %q", err, stdout)
	}
}
