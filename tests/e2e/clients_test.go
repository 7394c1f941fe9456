package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// awkward are keys that have broken other servers.
var awkward = []string{
	"dir/a b+c=d é.bin", "a//b", "..", "trailing/", "%2F", "a/../b", "ünïcode/日本語", "key", "key/child", "q?x=1&y#z", "'\"<>&",
}

func TestAWSCLI(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	aws := func(args ...string) string {
		return c.run("aws", append([]string{"--endpoint-url", s.endpoint()}, args...)...)
	}
	aws("s3", "mb", "s3://photos")
	small, large := c.file("small.bin", 30*kib+1, 1), c.file("large.bin", 20*mib+7, 2)
	aws("s3", "cp", small, "s3://photos/dir/a b+c=d é.bin")
	aws("s3", "cp", large, "s3://photos/large") // multipart
	aws("s3", "cp", "s3://photos/dir/a b+c=d é.bin", "back-small")
	aws("s3", "cp", "s3://photos/large", "back-large")
	c.same(small, filepath.Join(c.dir, "back-small"))
	c.same(large, filepath.Join(c.dir, "back-large"))

	aws("s3", "cp", "s3://photos/large", "s3://photos/copied") // upload part copy
	aws("s3", "cp", "s3://photos/copied", "back-copied")
	c.same(large, filepath.Join(c.dir, "back-copied"))

	if out := aws("s3", "ls", "s3://photos/"); !strings.Contains(out, "PRE dir/") || !strings.Contains(out, "large") {
		t.Errorf("ls: got %q, want the prefix dir/ and the key large", out)
	}
	out := aws("s3api", "get-object", "--bucket", "photos", "--key", "large", "--range", "bytes=1048576-1048579", "range")
	if !strings.Contains(out, "bytes 1048576-1048579/20971527") {
		t.Errorf("range: got %s", out)
	}
	for i := range 25 {
		c.file(fmt.Sprintf("tree/%d/f%d", i%3, i), int64(i)*kib, uint64(i))
	}
	aws("s3", "sync", "tree", "s3://photos/tree")
	aws("s3", "sync", "s3://photos/tree", "tree-back")
	for i := range 25 {
		name := fmt.Sprintf("%d/f%d", i%3, i)
		c.same(filepath.Join(c.dir, "tree", name), filepath.Join(c.dir, "tree-back", name))
	}
	if out, err := c.try("aws", "--endpoint-url", s.endpoint(), "s3", "rb", "s3://photos"); err == nil {
		t.Errorf("rb of a full bucket: got success (%s), want BucketNotEmpty", out)
	} else if !strings.Contains(out, "BucketNotEmpty") {
		t.Errorf("rb of a full bucket: got %s, want BucketNotEmpty", out)
	}
	aws("s3", "rb", "--force", "s3://photos")
	s.stop(t)
	s.fsck(t)
}

func TestBoto3(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	for _, name := range []string{"boto3_round.py", "boto3_versions.py"} {
		script, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(c.dir, name)
		if err := os.WriteFile(path, script, 0o600); err != nil {
			t.Fatal(err)
		}
		if out := c.run("python3", path); !strings.Contains(out, "all passed") {
			t.Fatalf("%s: got %s", name, out)
		}
	}
	s.stop(t)
	s.fsck(t)
}

// TestJavaScript is a round with aws-sdk-js v3, which tests/setup.sh installs beside the script, and a form of a browser.
func TestJavaScript(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	script, err := filepath.Abs(filepath.Join("testdata", "js", "round.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	if out := c.run("node", script); !strings.Contains(out, "all passed") {
		t.Fatalf("got %s", out)
	}
	s.stop(t)
	s.fsck(t)
}

func TestS3cmd(t *testing.T) {
	for _, signature := range []string{"v2", "v4"} {
		t.Run(signature, func(t *testing.T) {
			s := newServer(t)
			c := newClient(t, s)
			config := fmt.Sprintf("[default]\nhost_base = %[1]s\nhost_bucket = %[1]s\naccess_key = %s\nsecret_key = %s\n"+
				"use_https = False\nsignature_v2 = %v\n", s.s3, s.access, s.secret, map[string]string{"v2": "True", "v4": "False"}[signature])
			if err := os.WriteFile(filepath.Join(c.dir, ".s3cfg"), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			file, large := c.file("file", 129*kib, 3), c.file("large", 33*mib, 4)
			c.run("s3cmd", "mb", "s3://box")
			for i, key := range awkward {
				if strings.HasSuffix(key, "/") || key == ".." || key == "a/../b" {
					continue // s3cmd itself cannot name these
				}
				c.run("s3cmd", "put", file, "s3://box/"+key)
				back := fmt.Sprintf("back%d", i)
				c.run("s3cmd", "get", "s3://box/"+key, back)
				c.same(file, filepath.Join(c.dir, back))
			}
			c.run("s3cmd", "put", large, "s3://box/large") // multipart
			c.run("s3cmd", "get", "s3://box/large", "back-large")
			c.same(large, filepath.Join(c.dir, "back-large"))
			c.run("s3cmd", "cp", "s3://box/large", "s3://box/copied")
			if out := c.run("s3cmd", "ls", "s3://box"); !strings.Contains(out, "s3://box/copied") {
				t.Errorf("ls: got %s", out)
			}
			if out := c.run("s3cmd", "info", "s3://box/large"); !strings.Contains(out, "File size: 34603008") {
				t.Errorf("info: got %s", out)
			}
			c.run("s3cmd", "del", "--recursive", "--force", "s3://box")
			c.run("s3cmd", "rb", "s3://box")
			s.stop(t)
			s.fsck(t)
		})
	}
}

func TestRclone(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	config := fmt.Sprintf("[h]\ntype = s3\nprovider = Other\naccess_key_id = %s\nsecret_access_key = %s\nendpoint = %s\n"+
		"chunk_size = 5M\nupload_cutoff = 8M\n", s.access, s.secret, s.endpoint())
	path := filepath.Join(c.dir, "rclone.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	rclone := func(args ...string) string { return c.run("rclone", append([]string{"--config", path}, args...)...) }
	for i := range 60 {
		c.file(fmt.Sprintf("tree/d%d/é f%d.bin", i%7, i), int64(i*i)*7, uint64(i))
	}
	c.file("tree/big/one", 23*mib, 99)
	rclone("mkdir", "h:sync")
	rclone("sync", "tree", "h:sync/t")
	rclone("check", "tree", "h:sync/t", "--download")
	rclone("check", "tree", "h:sync/t")
	if err := os.RemoveAll(filepath.Join(c.dir, "tree", "d3")); err != nil {
		t.Fatal(err)
	}
	rclone("sync", "tree", "h:sync/t")
	rclone("check", "tree", "h:sync/t")
	rclone("move", "h:sync/t/big/one", "h:sync/moved")
	rclone("purge", "h:sync")
	s.stop(t)
	s.fsck(t)
}
