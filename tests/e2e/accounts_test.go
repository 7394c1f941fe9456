package e2e

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sys/unix"
)

// administrator runs the binary as ostor-s3-admin with the root credentials.
type administrator struct {
	t    *testing.T
	s    *server
	link string
}

func newAdministrator(t *testing.T, s *server) *administrator {
	t.Helper()
	link := filepath.Join(t.TempDir(), "ostor-s3-admin")
	if err := os.Symlink(binary, link); err != nil {
		t.Fatal(err)
	}
	return &administrator{t, s, link}
}

// try runs a command and returns what it wrote.
func (a *administrator) try(args ...string) (string, error) {
	a.t.Helper()
	args = append(args, "--endpoint", a.s.endpoint(), "--credentials", filepath.Join(a.s.data, "root-credentials.env"))
	out, err := exec.Command(a.link, args...).CombinedOutput()
	return string(out), err
}

// run runs a command that must succeed and returns the groups of a pattern that its output must match.
func (a *administrator) run(pattern string, args ...string) []string {
	a.t.Helper()
	out, err := a.try(args...)
	m := regexp.MustCompile(pattern).FindStringSubmatch(out)
	if err != nil || m == nil {
		a.t.Fatalf("%q: %v; got %q, want %s", args, err, out, pattern)
	}
	return m[1:]
}

// as returns the server with other keys.
func (s *server) as(access, secret string) *server {
	return &server{s3: s.s3, access: access, secret: secret}
}

// keeps reports whether a text is in any file of the server.
func (s *server) keeps(t *testing.T, text string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || found {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		found, err = contains(f, []byte(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// contains searches a file, of which the holes are left out since pool files are mostly that.
func contains(f *os.File, text []byte) (bool, error) {
	const step = 1 << 20
	buf := make([]byte, step+len(text))
	for at := int64(0); ; {
		data, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		n, err := f.ReadAt(buf, data)
		if bytes.Contains(buf[:n], text) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		at = data + step
	}
}

// TestUsers makes a user with the administrator's tool, uses the keys with a client over a restart of the server, and sees each change
// at once.
func TestUsers(t *testing.T) {
	s := newServer(t)
	admin := newAdministrator(t, s)
	made := admin.run(`UserId:([0-9a-f]{16})\nKeyPair\[0\]:S3AccessKeyId:(\S{20})\nKeyPair\[0\]:S3SecretAccessKey:(\S{40})\n`,
		"create-user", "-e", "user@example.com", "-V", "0100000000000002")
	id, user := made[0], s.as(made[1], made[2]).sdk()
	account := admin.run(`access key id=(holdfast-\S{10}), secret access key=(\S{40})\n`, "create-account", "-i", id, "-n", "app")
	app := s.as(account[0], account[1]).sdk()
	ctx := t.Context()
	if _, err := user.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("theirs")}); err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	if !s.keeps(t, "user@example.com") {
		t.Error("the user is in no file: what follows proves nothing")
	}
	for _, secret := range []string{made[2], account[1]} {
		if s.keeps(t, secret) || s.keeps(t, base64.StdEncoding.EncodeToString([]byte(secret))) {
			t.Error("a secret is on the disk in the clear")
		}
	}
	s.start(t)
	head := func(c *s3.Client) string {
		_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("theirs")})
		if err == nil {
			return ""
		}
		return errorCode(err)
	}
	wants := func(what, wantUser, wantApp string) {
		t.Helper()
		if got := head(user); got != wantUser {
			t.Errorf("%s: the user gets %q, want %q", what, got, wantUser)
		}
		if got := head(app); got != wantApp {
			t.Errorf("%s: the service account gets %q, want %q", what, got, wantApp)
		}
	}
	const gone = "InvalidAccessKeyId"
	wants("after a restart", "", "")
	admin.run(`^Allowed: by a grant of READ`, "explain", "-a", "s3:ListBucket", "-b", "theirs", "-i", id, "-n", "app")
	admin.run(`^Denied: nothing allows it`, "explain", "-a", "s3:ListBucket", "-b", "theirs")
	admin.run("Disabled user: user id="+id, "disable-user", "-i", id)
	admin.run(`^Denied: the user is disabled`, "explain", "-a", "s3:ListBucket", "-b", "theirs", "-e", "user@example.com")
	wants("disabled", gone, gone)
	admin.run("Enabled user: user id="+id, "enable-user", "-e", "user@example.com")
	wants("enabled", "", "")
	admin.run("Revoke access key: user id="+id, "revoke-access-key", "-i", id, "-k", made[1])
	wants("key revoked", gone, "")
	if out, err := admin.try("delete-user", "-i", id); err == nil {
		t.Errorf("a user with a bucket was deleted: %s", out)
	}
	admin.run("Deleted bucket theirs", "delete-bucket", "-b", "theirs")
	admin.run("Deleted user: user id="+id, "delete-user", "-i", id)
	wants("deleted", gone, gone)
	if out, err := admin.try("query-users"); err != nil || regexp.MustCompile(id).MatchString(out) {
		t.Errorf("got %q, %v", out, err)
	}
	s.stop(t)
	s.fsck(t)
}
