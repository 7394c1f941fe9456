package s3admin

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"
)

// tryRun runs the tool without an environment.
func tryRun(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, complaints bytes.Buffer
	err = Run(t.Context(), args, Options{
		Program: "tool", Stdout: &out, Stderr: &complaints, Env: func(string) string { return "" },
	})
	return out.String(), complaints.String(), err
}

// TestBadUsage gives arguments that no server needs to see: each is refused in one line that names what is wrong.
func TestBadUsage(t *testing.T) {
	keys := []string{"--access-key", "K", "--secret-key", "S"}
	for _, tt := range []struct {
		args string
		want string
	}{
		{"destroy-all", `there is no command "destroy-all"`},
		{"create-user --nonsense", "-nonsense"},
		{"create-user extra", `unexpected argument "extra"`},
		{"create-user", "-e: "},
		{"query-user-info", "-e: "},
		{"query-user-info -e a@b -i 1", "-i: "},
		{"revoke-access-key -e a@b", "-k: "},
		{"create-account -e a@b", "-n: "},
		{"create-account -e a@b -n x --policy /nonexistent", "--policy: "},
		{"set-account-policy -e a@b -n x", "--policy: "},
		{"query-bucket-info", "-b: "},
		{"change-bucket-owner -b x", "-i: "},
		{"delete-bucket", "-b: "},
		{"set-limits -t ops -L get=1", "-e: "},
		{"set-limits -e a@b -b x -t ops -L get=1", "-b: "},
		{"set-limits -e a@b -t speed -L get=1", "-t: "},
		{"set-limits -e a@b -t ops", "-L: "},
		{"set-limits -e a@b -t ops -L out=1", "-L: "},
		{"set-limits -e a@b -t ops -L get=NaN", "-L: "},
		{"set-limits -e a@b -t ops -L get=-1", "-L: "},
		{"set-limits -e a@b -t bandwidth -L out=0.5", "-L: "},
		{"query-limits -o user", "-o"},
		{"query-quotas -o nobody", "-o: "},
		{"query-quotas -o user -b x", "-o: "},
		{"set-quotas -b x", "-s: "},
		{"set-quotas -b x -s 1 --bytes 1", "-s: "},
		{"get-usage", "-n: "},
		{"query-users --endpoint ftp://x", "--endpoint: "},
		{"query-users --endpoint http://x/path", "--endpoint: "},
		{"query-users --ca-file /nonexistent", "--ca-file: "},
	} {
		args := strings.Fields(tt.args)
		args = append(append([]string{args[0]}, keys...), args[1:]...)
		out, complaint, err := tryRun(t, args...)
		if !errors.Is(err, ErrUsage) || out != "" {
			t.Errorf("%s: got %v, %q", tt.args, err, out)
		}
		if !strings.Contains(complaint, tt.want) || strings.Count(complaint, "\n") != 1 {
			t.Errorf("%s: got %q, want %q in one line", tt.args, complaint, tt.want)
		}
	}
	if _, complaint, err := tryRun(t, "query-users"); !errors.Is(err, ErrUsage) || !strings.Contains(complaint, "--access-key: no credentials") {
		t.Errorf("without keys: got %q, %v", complaint, err)
	}
}

// TestHelp checks that each command explains itself.
func TestHelp(t *testing.T) {
	out, _, err := tryRun(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range table() {
		if !strings.Contains(out, e.name+" ") {
			t.Errorf("help does not list %s", e.name)
		}
		text, _, err := tryRun(t, e.name, "--help")
		if !errors.Is(err, flag.ErrHelp) || !strings.Contains(text, "usage: tool "+e.name) || !strings.Contains(text, "-endpoint") {
			t.Errorf("%s --help: got %q, %v", e.name, text, err)
		}
	}
}
