// Package credential finds the key pair that a tool signs its requests with: in its flags, in a file of KEY=VALUE lines such as the
// server writes, or in the environment. It never prints a secret.
package credential

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"holdfast"
)

// maxFile bounds what is read of a credentials file.
const maxFile = 64 << 10

// Pair is what requests are signed with.
type Pair struct {
	AccessKey    string
	SecretKey    string
	SessionToken string // of temporary credentials of others; else ""
}

// Flags are what the user typed.
type Flags struct {
	AccessKey string // --access-key
	SecretKey string // --secret-key
	File      string // --credentials
}

// Error is bad input in one flag. Its kind is Invalid.
type Error struct{ Flag, Reason string }

// Error returns one line that begins with the flag.
func (e *Error) Error() string { return "--" + e.Flag + ": " + e.Reason }

// Unwrap makes the kind holdfast.Invalid.
func (e *Error) Unwrap() error { return holdfast.E("credential", holdfast.Invalid, nil) }

func bad(flag, format string, args ...any) error { return &Error{flag, fmt.Sprintf(format, args...)} }

// names are the variables of access and secret key, in order of preference, for the environment as for a file.
func names() [][2]string {
	return [][2]string{
		{"HOLDFAST_ROOT_ACCESS_KEY", "HOLDFAST_ROOT_SECRET_KEY"},
		{"HOLDFAST_ACCESS_KEY", "HOLDFAST_SECRET_KEY"},
		{"HOLDFAST_ACCESS_KEY", "HOLDFAST_SECRET"},
		{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
	}
}

// Find takes the keys from the flags, else from the file, else from the environment. Errors are *[Error].
func Find(f Flags, env func(string) string) (Pair, error) {
	if (f.AccessKey == "") != (f.SecretKey == "") {
		missing := "secret-key"
		if f.AccessKey == "" {
			missing = "access-key"
		}
		return Pair{}, bad(missing, "--access-key and --secret-key go together")
	}
	if f.AccessKey != "" {
		return Pair{AccessKey: f.AccessKey, SecretKey: f.SecretKey}, nil
	}
	lookup := env
	if f.File != "" {
		values, err := read(f.File)
		if err != nil {
			return Pair{}, bad("credentials", "%v", err)
		}
		lookup = func(name string) string { return values[name] }
	}
	for _, p := range names() {
		if a, s := lookup(p[0]), lookup(p[1]); a != "" && s != "" {
			c := Pair{AccessKey: a, SecretKey: s}
			if p[0] == "AWS_ACCESS_KEY_ID" {
				c.SessionToken = lookup("AWS_SESSION_TOKEN")
			}
			return c, nil
		}
	}
	if f.File != "" {
		return Pair{}, bad("credentials", "%s has no HOLDFAST_ROOT_ACCESS_KEY and HOLDFAST_ROOT_SECRET_KEY", f.File)
	}
	return Pair{}, bad("access-key", "no credentials: give --access-key and --secret-key, --credentials FILE, or HOLDFAST_ACCESS_KEY and HOLDFAST_SECRET_KEY in the environment")
}

// read reads KEY=VALUE lines; comments, blank lines, `export` and quotes are allowed, as a shell would take them.
func read(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	values := make(map[string]string)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxFile)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok {
			return nil, fmt.Errorf("%s:%d: not a KEY=VALUE line", path, n)
		}
		value = strings.TrimSpace(value)
		if len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			value = value[1 : len(value)-1]
		}
		values[strings.TrimSpace(name)] = value
	}
	return values, lines.Err()
}
