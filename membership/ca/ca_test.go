package ca_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/ca"
)

const cluster = "0123456789abcdef0123456789abcdef"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func host(id holdfast.HostID) ca.Identity {
	return ca.Identity{Cluster: cluster, Role: ca.RoleHost, Host: id}
}

func newAuthority(t testing.TB, cluster string) *ca.Authority {
	t.Helper()
	a, err := ca.NewAuthority(cluster, time.Now())
	must(t, err)
	return a
}

func newRequest(t testing.TB) *ca.Request {
	t.Helper()
	r, err := ca.NewRequest()
	must(t, err)
	return r
}

// join makes the pki directory of a node with a certificate signed at the given time.
func join(t testing.TB, a *ca.Authority, as ca.Identity, at time.Time) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "pki")
	r := newRequest(t)
	g, err := a.Issue(r.PEM(), as, at)
	must(t, err)
	must(t, r.Install(dir, g))
	return dir
}

func openKeeper(t testing.TB, opt ca.Options) *ca.Keeper {
	t.Helper()
	k, err := ca.Open(opt)
	must(t, err)
	t.Cleanup(func() { must(t, k.Close()) })
	return k
}

func TestIdentities(t *testing.T) {
	for uri, want := range map[string]ca.Identity{
		"holdfast://" + cluster + "/hosts/00000000000000a1":    host(0xa1),
		"holdfast://" + cluster + "/gateways/00000000000000a1": {Cluster: cluster, Role: ca.RoleGateway, Host: 0xa1},
	} {
		got, err := ca.ParseIdentity(uri)
		if err != nil || got != want || got.String() != uri {
			t.Errorf("%s: got %v, %v", uri, got, err)
		}
	}
	for _, bad := range []string{
		"", "holdfast://", "https://" + cluster + "/hosts/00000000000000a1", cluster + "/hosts/00000000000000a1",
		"holdfast://" + cluster + "/hosts/a1", "holdfast://" + cluster + "/hosts/00000000000000A1",
		"holdfast://" + cluster + "/hosts/0000000000000000", "holdfast://" + cluster + "/kings/00000000000000a1",
		"holdfast://" + cluster + "//00000000000000a1", "holdfast://" + cluster[1:] + "/hosts/00000000000000a1",
		"holdfast://" + cluster + "/hosts/00000000000000a1/", "holdfast://u@" + cluster + "/hosts/00000000000000a1",
		"holdfast://" + cluster + "/hosts/00000000000000a1?x", "holdfast://" + strings.ToUpper(cluster) + "/hosts/00000000000000a1",
	} {
		if got, err := ca.ParseIdentity(bad); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%q: got %v, %v; want Invalid", bad, got, err)
		}
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add(host(0xa1).String())
	f.Fuzz(func(t *testing.T, s string) {
		if i, err := ca.ParseIdentity(s); err == nil && i.String() != s {
			t.Errorf("%q is read as %s", s, i)
		}
	})
}

// The steps of a roll-over come in order, and what an authority is survives its file.
func TestAuthoritySteps(t *testing.T) {
	a := newAuthority(t, cluster)
	steps := []struct {
		name  string
		do    func() (*ca.Authority, error)
		may   string
		count int // of certificates in the bundle after it
	}{
		{"promote", func() (*ca.Authority, error) { return a.Promote() }, "", 1},
		{"retire", func() (*ca.Authority, error) { return a.Retire() }, "", 1},
		{"introduce", func() (*ca.Authority, error) { return a.Introduce(time.Now()) }, "yes", 2},
		{"introduce", func() (*ca.Authority, error) { return a.Introduce(time.Now()) }, "", 2},
		{"retire", func() (*ca.Authority, error) { return a.Retire() }, "", 2},
		{"promote", func() (*ca.Authority, error) { return a.Promote() }, "yes", 2},
		{"introduce", func() (*ca.Authority, error) { return a.Introduce(time.Now()) }, "", 2},
		{"promote", func() (*ca.Authority, error) { return a.Promote() }, "", 2},
		{"retire", func() (*ca.Authority, error) { return a.Retire() }, "yes", 1},
		{"introduce", func() (*ca.Authority, error) { return a.Introduce(time.Now()) }, "yes", 2},
	}
	dir := t.TempDir()
	for i, s := range steps {
		next, err := s.do()
		if s.may == "yes" {
			must(t, err)
			must(t, next.Save(dir))
			a, err = ca.LoadAuthority(dir)
			must(t, err)
			if !bytes.Equal(a.Bundle(), next.Bundle()) || a.Cluster() != cluster {
				t.Errorf("step %d, %s: read back it is another", i, s.name)
			}
		} else if !holdfast.Is(err, holdfast.Conflict) {
			t.Errorf("step %d, %s: got %v, want Conflict", i, s.name, err)
		}
		if got := bytes.Count(a.Bundle(), []byte("BEGIN CERTIFICATE")); got != s.count {
			t.Errorf("step %d, %s: %d certificates in the bundle, want %d", i, s.name, got, s.count)
		}
	}
}

func TestIssueRefuses(t *testing.T) {
	a := newAuthority(t, cluster)
	good := newRequest(t).PEM()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	der384, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p384)
	must(t, err)
	block, _ := pem.Decode(good)
	forged := bytes.Clone(block.Bytes)
	forged[len(forged)-1] ^= 1
	request := func(der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	}
	for name, tc := range map[string]struct {
		request []byte
		as      ca.Identity
	}{
		"nothing":          {nil, host(1)},
		"an RSA key":       {request(der), host(1)},
		"another curve":    {request(der384), host(1)},
		"a forgery":        {request(forged), host(1)},
		"a certificate":    {a.Bundle(), host(1)},
		"two requests":     {append(bytes.Clone(good), good...), host(1)},
		"no host":          {good, host(0)},
		"no role":          {good, ca.Identity{Cluster: cluster, Host: 1}},
		"another cluster":  {good, ca.Identity{Cluster: strings.Repeat("f", 32), Role: ca.RoleHost, Host: 1}},
		"an authority":     {good, ca.Identity{Cluster: cluster, Role: 3, Host: 1}},
		"something before": {append([]byte("x\n"), good...), host(1)},
	} {
		if _, err := a.Issue(tc.request, tc.as, time.Now()); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%s: got %v, want Invalid", name, err)
		}
	}
	if _, err := a.Issue(good, host(1), time.Now().Add(ca.AuthorityLifetime+time.Minute)); !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("after its time: got %v, want Unavailable", err)
	}
	if _, err := ca.NewAuthority("short", time.Now()); !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("a bad cluster: got %v, want Invalid", err)
	}
}

// Every file that holds a key is its owner's alone, whatever the umask; and the directory is.
func TestKeysArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	a := newAuthority(t, cluster)
	dir := join(t, a, host(1), time.Now())
	must(t, a.Save(dir))
	for name, want := range map[string]os.FileMode{"": 0o700 | os.ModeDir, "node.pem": 0o600, "ca.pem": 0o600, "authority.pem": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode() != want {
			t.Errorf("%q has mode %v, want %v", name, info.Mode(), want)
		}
	}
	must(t, os.Chmod(filepath.Join(dir, "node.pem"), 0o644))
	if _, err := ca.Open(ca.Options{Dir: dir}); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("a key that others can read: got %v, want Denied", err)
	}
}

func TestInstallRefuses(t *testing.T) {
	a, other := newAuthority(t, cluster), newAuthority(t, cluster)
	r := newRequest(t)
	good, err := a.Issue(r.PEM(), host(1), time.Now())
	must(t, err)
	foreign, err := a.Issue(newRequest(t).PEM(), host(1), time.Now())
	must(t, err)
	for name, g := range map[string]ca.Grant{
		"nothing":                       {},
		"another key":                   foreign,
		"another authority":             {Certificate: good.Certificate, Bundle: other.Bundle()},
		"no authority":                  {Certificate: good.Certificate, Bundle: good.Certificate},
		"an authority as a certificate": {Certificate: good.Bundle, Bundle: good.Bundle},
		"more than a certificate":       {Certificate: append(bytes.Clone(good.Certificate), good.Bundle...), Bundle: good.Bundle},
		"too many authorities":          {Certificate: good.Certificate, Bundle: bytes.Repeat(good.Bundle, 5)},
	} {
		dir := filepath.Join(t.TempDir(), "pki")
		if err := r.Install(dir, g); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%s: got %v, want Invalid", name, err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: something was written", name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := ca.Open(ca.Options{Dir: t.TempDir()}); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("an empty directory: got %v, want NotFound", err)
	}
	a := newAuthority(t, cluster)
	one, two := join(t, a, host(1), time.Now()), join(t, newAuthority(t, cluster), host(2), time.Now())
	b, err := os.ReadFile(filepath.Join(two, "ca.pem"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(one, "ca.pem"), b, 0o600))
	if _, err := ca.Open(ca.Options{Dir: one}); !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("another cluster's authority: got %v, want Corrupt", err)
	}
	must(t, os.WriteFile(filepath.Join(two, "node.pem"), nil, 0o600))
	if _, err := ca.Open(ca.Options{Dir: two}); !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("an empty file: got %v, want Corrupt", err)
	}
}

// Whatever the decoders make of their input, they accept only what encoding writes, and say nothing of it in errors.
func FuzzFiles(f *testing.F) {
	a := newAuthority(f, cluster)
	next, err := a.Introduce(time.Now())
	must(f, err)
	promoted, err := next.Promote()
	must(f, err)
	r := newRequest(f)
	g, err := a.Issue(r.PEM(), host(1), time.Now())
	must(f, err)
	for _, a := range []*ca.Authority{a, next, promoted} {
		b, err := a.Encode()
		must(f, err)
		f.Add(b)
		f.Add(a.Bundle())
	}
	f.Add(r.PEM())
	f.Add(g.Certificate)
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := ca.ParseAuthority(b); err == nil {
			if again, err := a.Encode(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%q decodes, but encodes as %q, %v", b, again, err)
			}
		} else if len(b) > 100 && strings.Contains(err.Error(), string(b[40:80])) {
			t.Errorf("the error shows the file: %v", err)
		}
		if g, err := a.Issue(b, host(1), time.Now()); err == nil && len(g.Certificate) == 0 {
			t.Errorf("%q was granted nothing", b)
		}
		for _, g := range []ca.Grant{{Certificate: g.Certificate, Bundle: b}, {Certificate: b, Bundle: g.Bundle}} {
			if err := r.Accept(g); err != nil && !holdfast.Is(err, holdfast.Invalid) {
				t.Errorf("got %v, want Invalid", err)
			}
		}
	})
}
