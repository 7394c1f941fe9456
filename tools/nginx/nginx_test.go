package nginx

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// run runs the command and returns what it printed on both streams.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := Run(t.Context(), args, Options{Program: "ostor-configure-nginx", Stdout: &out, Stderr: &out, Gateways: func(dir string) ([]string, error) {
		if dir != "/conf" {
			return nil, errors.New("no such directory")
		}
		return []string{"10.0.0.1:9000", "[fd00::2]:9001"}, nil
	}})
	return out.String(), err
}

// fakeNginx writes a program that notes its arguments, and fails where they begin with refuse.
func fakeNginx(t *testing.T, refuse string) (binary, log string) {
	dir := t.TempDir()
	binary, log = filepath.Join(dir, "nginx"), filepath.Join(dir, "log")
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> %s\ncase \"$*\" in %q*) echo 'no such\nthing' >&2; exit 1;; esac\n", log, refuse)
	if err := os.WriteFile(binary, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return binary, log
}

// certificate writes a certificate for the names and its key.
func certificate(t *testing.T, until time.Time, names ...string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "file.cert"), filepath.Join(dir, "file.key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestFiles(t *testing.T) {
	for name, s := range map[string]Settings{
		"http":    {Domain: "s3.example.com", Port: 80},
		"https":   {Domain: "s3.example.com", Port: 443, SSL: true, Cert: "/etc/ssl/file.cert", Key: "/etc/ssl/file.key", Websites: "web.example.com"},
		"fastcgi": {Domain: "s3.example.com", Port: 8080, FastCGI: true},
	} {
		got, err := s.file([]string{"10.0.0.1:9000", "[fd00::2]:9001"})
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".conf")
		if *update {
			if err := os.WriteFile(golden, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s", name, got)
		}
		if back, err := parse(got); err != nil || *back != s {
			t.Errorf("%s: parsed %+v, %v", name, back, err)
		}
	}
}

// TestCreateAndUpdate wants update to keep the settings and take the gateways of today.
func TestCreateAndUpdate(t *testing.T) {
	binary, log := fakeNginx(t, "refuse nothing")
	file := filepath.Join(t.TempDir(), "s3.conf")
	out, err := run(t, "create", "-D", "s3.example.com", "-p", "8080", "--fastcgi", "--out", file, "--nginx", binary, "--gateway", "127.0.0.1:1")
	if err != nil || out != file+": http://s3.example.com:8080, 1 gateways\n" {
		t.Fatalf("%q, %v", out, err)
	}
	if _, err := run(t, "update", "--out", file, "--nginx", binary, "-r", "/conf"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := (&Settings{Domain: "s3.example.com", Port: 8080, FastCGI: true}).file([]string{"10.0.0.1:9000", "[fd00::2]:9001"})
	if !bytes.Equal(got, want) {
		t.Errorf("after update:\n%s", got)
	}
	if said, err := os.ReadFile(log); err != nil || string(said) != "-t\n-s reload\n-t\n-s reload\n" {
		t.Errorf("nginx was called with %q, %v", said, err)
	}
}

// TestARefusedFileComesBack wants what nginx does not take to leave no trace.
func TestARefusedFileComesBack(t *testing.T) {
	binary, _ := fakeNginx(t, "-t")
	dir := t.TempDir()
	file := filepath.Join(dir, "s3.conf")
	create := []string{"create", "-D", "s3.example.com", "--out", file, "--nginx", binary, "-r", "/conf"}
	if _, err := run(t, create...); err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("refused: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, create...); err == nil {
		t.Error("accepted")
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "old" {
		t.Errorf("the old file is %q, %v", got, err)
	}
}

func TestBadInput(t *testing.T) {
	year := time.Now().AddDate(1, 0, 0)
	cert, key := certificate(t, year, "s3.example.com", "*.s3.example.com")
	narrow, narrowKey := certificate(t, year, "s3.example.com")
	old, oldKey := certificate(t, time.Now().AddDate(0, 0, -1), "s3.example.com", "*.s3.example.com")
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.conf")
	if err := os.WriteFile(foreign, []byte("server {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "s3.conf")
	ssl := func(cert, key string) string {
		return "create -D s3.example.com -p 443 --ssl --ssl-cert " + cert + " --ssl-key " + key
	}
	for _, c := range []struct{ args, want string }{
		{"", "usage"},
		{"remove", "usage"},
		{"create --frob", "usage"},
		{"create here", "usage"},
		{"create", "-D: missing"},
		{"create -D S3_x", "-D:"},
		{"create -D 10.0.0.1", "-D:"},
		{"create -D a..b", "-D:"},
		{"create -D x;y", "-D:"},
		{"create -D " + strings.Repeat("a.", 100) + "a", "-D:"},
		{"create -D s3.example.com -p 0", "-p:"},
		{"create -D s3.example.com -p 70000", "-p:"},
		{"create -D s3.example.com --ssl-cert /x", "--ssl: missing"},
		{"create -D s3.example.com --ssl --ssl-cert /x", "--ssl-key: missing"},
		{"create -D s3.example.com --website-domain _", "--website-domain:"},
		{ssl("relative", key), "--ssl-cert:"},
		{ssl("/no/such", key), "--ssl-cert"},
		{ssl(cert, narrowKey), "--ssl-cert"},
		{ssl(narrow, narrowKey), "--ssl-cert: is not for"},
		{ssl(old, oldKey), "--ssl-cert: expired"},
		{"create -D s3.example.com -r /elsewhere", "-r /elsewhere: no such directory"},
		{"create -D s3.example.com --gateway localhost", "--gateway:"},
		{"create -D s3.example.com --gateway 0.0.0.0:9000", "--gateway:"},
		{"create -D s3.example.com --gateway 10.0.0.1:0", "--gateway:"},
		{"update", "--out:"},
		{"update --out " + foreign, "was not made by this command"},
	} {
		args := strings.Fields(c.args)
		if len(args) > 0 && !strings.Contains(c.args, "--out") {
			args = append(args, "--out", out, "--no-reload")
		}
		_, err := run(t, args...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.args, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%q wrote a file", c.args)
		}
	}
	if _, err := run(t, strings.Fields(ssl(cert, key)+" --no-reload -r /conf --out "+out)...); err != nil {
		t.Errorf("a good one: %v", err)
	}
	if _, err := run(t, "create", "--help"); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
}

// TestAHungNginxIsGivenUp wants the command to end with its context.
func TestAHungNginxIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Run(ctx, []string{"create", "-D", "s3.example.com", "--gateway", "127.0.0.1:1", "--out", filepath.Join(t.TempDir(), "f"), "--nginx", "/bin/cat"},
		Options{Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// FuzzParse wants what is accepted to be what a file was made of.
func FuzzParse(f *testing.F) {
	for _, s := range []Settings{{Domain: "a", Port: 1}, {Domain: "s3.example.com", Port: 443, SSL: true, Cert: "/c", Key: "/k"}} {
		b, err := s.file([]string{"127.0.0.1:1"})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parse(b)
		if err != nil {
			return
		}
		made, err := s.file([]string{"127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parse(made); err != nil || *back != *s {
			t.Errorf("%+v came back as %+v, %v", s, back, err)
		}
	})
}
