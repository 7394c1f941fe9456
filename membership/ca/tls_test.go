package ca_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/membership/ca"
)

// patience bounds the wait for what must happen.
const patience = time.Minute

// shake makes a connection between two configurations and returns what each end says of it. A client learns of a refusal by
// the server when it reads.
func shake(t *testing.T, server, client *tls.Config) (seen ca.Identity, serverErr, clientErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer a.Close()
	b, err := l.Accept()
	must(t, err)
	defer b.Close()
	must(t, errors.Join(a.SetDeadline(time.Now().Add(patience)), b.SetDeadline(time.Now().Add(patience))))
	s, c := tls.Server(b, server), tls.Client(a, client)
	done := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("x"))
		}
		done <- errors.Join(err, b.Close())
	}()
	clientErr = c.Handshake()
	if clientErr == nil {
		_, clientErr = io.ReadFull(c, make([]byte, 1))
	} else {
		_ = a.Close()
	}
	if serverErr = <-done; serverErr == nil {
		if peer, err := ca.PeerOf(s.ConnectionState()); err == nil {
			seen = peer
		}
	}
	return seen, serverErr, clientErr
}

func TestPeersProveWhoTheyAre(t *testing.T) {
	a := newAuthority(t, cluster)
	one := openKeeper(t, ca.Options{Dir: join(t, a, host(1), time.Now())})
	two := openKeeper(t, ca.Options{Dir: join(t, a, host(2), time.Now())})
	gateway := ca.Identity{Cluster: cluster, Role: ca.RoleGateway, Host: 3}
	three := openKeeper(t, ca.Options{Dir: join(t, a, gateway, time.Now())})
	for _, tc := range []struct {
		name           string
		server, client *tls.Config
		seen           ca.Identity
	}{
		{"a host", one.Server(ca.RoleHost), two.Client(1), host(2)},
		{"any host", one.Server(ca.RoleHost, ca.RoleGateway), two.Client(0), host(2)},
		{"a gateway", one.Server(ca.RoleHost, ca.RoleGateway), three.Client(1), gateway},
	} {
		seen, serverErr, clientErr := shake(t, tc.server, tc.client)
		if serverErr != nil || clientErr != nil || seen != tc.seen {
			t.Errorf("%s: server %v, client %v, seen %v; want %v", tc.name, serverErr, clientErr, seen, tc.seen)
		}
	}
	if one.Self() != host(1) {
		t.Errorf("got %v, want %v", one.Self(), host(1))
	}
}

// forge makes the configuration of somebody who signs what he likes.
func forge(t *testing.T, change func(*x509.Certificate)) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	uri, err := url.Parse(host(2).String())
	must(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), URIs: []*url.URL{uri},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	change(c)
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	must(t, err)
	cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return &tls.Config{Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true}
}

func TestServerRefuses(t *testing.T) {
	a := newAuthority(t, cluster)
	one := openKeeper(t, ca.Options{Dir: join(t, a, host(1), time.Now())})
	client := func(a *ca.Authority, as ca.Identity, at time.Time) *tls.Config {
		return openKeeper(t, ca.Options{Dir: join(t, a, as, at)}).Client(0)
	}
	trusting := func(c *tls.Config) *tls.Config { c.VerifyConnection = nil; return c } // whoever the server is
	oldTLS := client(a, host(2), time.Now())
	oldTLS.MinVersion, oldTLS.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	foreign := strings.Repeat("f", 32)
	stranger := ca.Identity{Cluster: foreign, Role: ca.RoleHost, Host: 2}
	for name, c := range map[string]*tls.Config{
		"no certificate":        ca.Newcomer(),
		"a gateway":             trusting(client(a, ca.Identity{Cluster: cluster, Role: ca.RoleGateway, Host: 2}, time.Now())),
		"expired":               trusting(client(a, host(2), time.Now().Add(-ca.Lifetime-time.Second))),
		"not yet in force":      trusting(client(a, host(2), time.Now().Add(2*time.Hour))),
		"another authority":     trusting(client(newAuthority(t, cluster), host(2), time.Now())),
		"another cluster":       trusting(client(newAuthority(t, foreign), stranger, time.Now())),
		"signed by itself":      forge(t, func(*x509.Certificate) {}),
		"a name besides":        forge(t, func(c *x509.Certificate) { c.DNSNames = []string{"x.example"} }),
		"no name":               forge(t, func(c *x509.Certificate) { c.URIs = nil }),
		"calls itself anything": forge(t, func(c *x509.Certificate) { c.URIs[0].Path = "/authorities/0000000000000001" }),
		"TLS 1.2":               oldTLS,
	} {
		_, serverErr, clientErr := shake(t, one.Server(ca.RoleHost), c)
		if serverErr == nil || clientErr == nil {
			t.Errorf("%s: server %v, client %v; want both to fail", name, serverErr, clientErr)
		}
	}
}

func TestClientRefuses(t *testing.T) {
	a := newAuthority(t, cluster)
	two := openKeeper(t, ca.Options{Dir: join(t, a, host(2), time.Now())})
	server := func(a *ca.Authority, as ca.Identity, at time.Time) *tls.Config {
		c := openKeeper(t, ca.Options{Dir: join(t, a, as, at)}).Server(ca.RoleHost)
		c.VerifyConnection = nil // whoever the client is
		return c
	}
	gateway := ca.Identity{Cluster: cluster, Role: ca.RoleGateway, Host: 1}
	forged := forge(t, func(c *x509.Certificate) { c.URIs[0].Path = "/hosts/0000000000000001" })
	forged.ClientAuth = tls.RequestClientCert
	for name, s := range map[string]*tls.Config{
		"another host":      server(a, host(3), time.Now()),
		"a gateway":         server(a, gateway, time.Now()),
		"expired":           server(a, host(1), time.Now().Add(-ca.Lifetime-time.Second)),
		"another authority": server(newAuthority(t, cluster), host(1), time.Now()),
		"signed by itself":  forged,
	} {
		_, _, err := shake(t, s, two.Client(1))
		if !holdfast.Is(err, holdfast.Denied) {
			t.Errorf("%s: got %v, want Denied", name, err)
		}
	}
}

// A host that the configuration does not have any more stays out, with a certificate in force.
func TestAdmitRefuses(t *testing.T) {
	a := newAuthority(t, cluster)
	removed := holdfast.E("admit", holdfast.Denied, errors.New("host was removed"))
	reg := prometheus.NewRegistry()
	one := openKeeper(t, ca.Options{Dir: join(t, a, host(1), time.Now()), Registerer: reg, Admit: func(peer ca.Identity) error {
		if peer == host(2) {
			return removed
		}
		return nil
	}})
	two := openKeeper(t, ca.Options{Dir: join(t, a, host(2), time.Now())})
	three := openKeeper(t, ca.Options{Dir: join(t, a, host(3), time.Now())})
	if _, err, _ := shake(t, one.Server(ca.RoleHost), two.Client(0)); !errors.Is(err, removed) {
		t.Errorf("got %v, want %v", err, removed)
	}
	if _, err, _ := shake(t, one.Server(ca.RoleHost), three.Client(0)); err != nil {
		t.Error(err)
	}
	families, err := reg.Gather()
	must(t, err)
	for _, f := range families {
		if f.GetName() == "holdfast_ca_refused_peers_total" && f.GetMetric()[0].GetCounter().GetValue() != 1 {
			t.Errorf("got %v, want 1", f)
		}
	}
}

// A new host and a node that greets it trust nobody yet, and have a channel of TLS 1.3.
func TestGreeting(t *testing.T) {
	one := openKeeper(t, ca.Options{Dir: join(t, newAuthority(t, cluster), host(1), time.Now())})
	seen, serverErr, clientErr := shake(t, one.Greeter(), ca.Newcomer())
	if serverErr != nil || clientErr != nil || seen != (ca.Identity{}) {
		t.Errorf("server %v, client %v, seen %v", serverErr, clientErr, seen)
	}
	old := ca.Newcomer()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if _, err, _ := shake(t, one.Greeter(), old); err == nil {
		t.Error("TLS 1.2 was accepted")
	}
	if _, err := ca.PeerOf(tls.ConnectionState{HandshakeComplete: true}); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("nobody: got %v, want Denied", err)
	}
}
