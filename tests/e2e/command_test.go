package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// clientTimeout bounds one run of a client program.
const clientTimeout = 5 * time.Minute

// client runs installed client programs with the server's credentials in a clean environment.
type client struct {
	t   *testing.T
	s   *server
	dir string // working directory
}

func newClient(t *testing.T, s *server) *client {
	return &client{t: t, s: s, dir: t.TempDir()}
}

// run runs a program and returns its output; a failure ends the test.
func (c *client) run(name string, args ...string) string {
	c.t.Helper()
	out, err := c.try(name, args...)
	if err != nil {
		c.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

// try runs a program and returns its output and how it ended.
func (c *client) try(name string, args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, debian(c.t, name), args...)
	cmd.Dir = c.dir
	cmd.Env = c.env()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// env is the clean environment of the programs.
func (c *client) env() []string {
	return []string{
		"PATH=/usr/bin:/bin", "HOME=" + c.dir, "LANG=C.UTF-8",
		"AWS_ACCESS_KEY_ID=" + c.s.access, "AWS_SECRET_ACCESS_KEY=" + c.s.secret,
		"AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=2",
		"ENDPOINT=" + c.s.endpoint(),
	}
}

// tryBinary runs the binary under test.
func (c *client) tryBinary(args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
	return string(out), err
}

// debian returns the path of a program as Debian installs it, so that the tests use the same versions everywhere.
func debian(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("/usr/bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not installed: run tests/setup.sh (%v)", name, err)
	}
	return path
}

// file writes a file of n random bytes and returns its path.
func (c *client) file(name string, n int64, seed uint64) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, randomBytes(seed), n); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// same fails the test unless both files hold the same bytes.
func (c *client) same(a, b string) {
	c.t.Helper()
	if x, y := fileSum(c.t, a), fileSum(c.t, b); !bytes.Equal(x, y) {
		c.t.Fatalf("%s and %s differ: sha256 %x and %x", a, b, x, y)
	}
}

func fileSum(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return h.Sum(nil)
}

// randomBytes is an endless reader of bytes that depend on the seed only.
func randomBytes(seed uint64) io.Reader {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}
