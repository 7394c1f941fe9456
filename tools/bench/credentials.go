package bench

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"holdfast/tools/bench/sign"
)

// maxCredentialsFile bounds what is read of --credentials.
const maxCredentialsFile = 64 << 10

// pairs are the variable names of access and secret key, in order of
// preference, for the environment as for a credentials file.
var pairs = [][2]string{
	{"HOLDFAST_ROOT_ACCESS_KEY", "HOLDFAST_ROOT_SECRET_KEY"},
	{"HOLDFAST_ACCESS_KEY", "HOLDFAST_SECRET_KEY"},
	{"HOLDFAST_ACCESS_KEY", "HOLDFAST_SECRET"},
	{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
}

// findCredentials takes the keys from the flags, else from the file, else from
// the environment.
func findCredentials(access, secret, file string, env func(string) string) (sign.Credentials, error) {
	if (access == "") != (secret == "") {
		missing := "secret-key"
		if access == "" {
			missing = "access-key"
		}
		return sign.Credentials{}, badFlag(missing, "--access-key and --secret-key go together")
	}
	if access != "" {
		return sign.Credentials{AccessKey: access, SecretKey: secret}, nil
	}
	lookup := env
	if file != "" {
		values, err := readCredentials(file)
		if err != nil {
			return sign.Credentials{}, badFlag("credentials", "%v", err)
		}
		lookup = func(name string) string { return values[name] }
	}
	for _, p := range pairs {
		if a, s := lookup(p[0]), lookup(p[1]); a != "" && s != "" {
			c := sign.Credentials{AccessKey: a, SecretKey: s}
			if p[0] == "AWS_ACCESS_KEY_ID" {
				c.SessionToken = lookup("AWS_SESSION_TOKEN")
			}
			return c, nil
		}
	}
	if file != "" {
		return sign.Credentials{}, badFlag("credentials", "%s has no HOLDFAST_ROOT_ACCESS_KEY and HOLDFAST_ROOT_SECRET_KEY", file)
	}
	return sign.Credentials{}, badFlag("access-key", "no credentials: give --access-key and --secret-key, --credentials FILE, or HOLDFAST_ACCESS_KEY and HOLDFAST_SECRET_KEY in the environment")
}

// readCredentials reads KEY=VALUE lines; comments, blank lines, `export` and
// quotes are allowed, as a shell would take them.
func readCredentials(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	values := make(map[string]string)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxCredentialsFile)
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
