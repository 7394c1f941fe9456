package ca_test

import (
	"bytes"
	"context"
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
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// town is nodes that all talk to one another all the time, over new connections and old ones.
type town struct {
	t         *testing.T
	authority atomic.Pointer[ca.Authority]
	keepers   []*ca.Keeper
	addresses []string

	stop  chan struct{}
	talk  sync.WaitGroup
	fresh atomic.Int64 // connections made
	said  atomic.Int64 // words on connections that stay
}

func newTown(t *testing.T, n int) *town {
	w := &town{t: t, stop: make(chan struct{})}
	w.authority.Store(newAuthority(t, cluster))
	for i := range n {
		as := host(holdfast.HostID(i + 1))
		dir := join(t, w.authority.Load(), as, time.Now())
		w.keepers = append(w.keepers, openKeeper(t, ca.Options{Dir: dir, Renew: func(_ context.Context, request []byte) (ca.Grant, error) {
			return w.authority.Load().Issue(request, as, time.Now())
		}}))
		w.addresses = append(w.addresses, w.listen(w.keepers[i]))
	}
	for i := range n {
		for j := range n {
			w.talk.Go(func() { w.chat(i, j) })
		}
	}
	return w
}

// listen serves an echo with a configuration that is made once.
func (w *town) listen(k *ca.Keeper) string {
	l, err := tls.Listen("tcp", "127.0.0.1:0", k.Server(ca.RoleHost))
	must(w.t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c) // the client checks what comes back
			})
		}
	})
	w.t.Cleanup(func() { must(w.t, l.Close()); serving.Wait() })
	return l.Addr().String()
}

// chat keeps one connection and makes others. Nothing may fail.
func (w *town) chat(from, to int) {
	config := w.keepers[from].Client(holdfast.HostID(to + 1))
	staying, err := tls.Dial("tcp", w.addresses[to], config)
	if err != nil {
		w.t.Errorf("%d to %d: %v", from+1, to+1, err)
		return
	}
	defer staying.Close()
	for {
		select {
		case <-w.stop:
			return
		default:
		}
		if err := echo(staying); err != nil {
			w.t.Errorf("%d to %d, old connection: %v", from+1, to+1, err)
			return
		}
		w.said.Add(1)
		c, err := tls.Dial("tcp", w.addresses[to], config)
		if err == nil {
			err = errors.Join(echo(c), c.Close())
		}
		if err != nil {
			w.t.Errorf("%d to %d, new connection: %v", from+1, to+1, err)
			return
		}
		w.fresh.Add(1)
	}
}

func echo(c net.Conn) error {
	if _, err := c.Write([]byte("word")); err != nil {
		return err
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, []byte("word")) {
		return errors.New("another word came back")
	}
	return nil
}

// busy waits until every pair has talked since.
func (w *town) busy() {
	w.t.Helper()
	pairs := int64(len(w.keepers) * len(w.keepers))
	fresh, said := w.fresh.Load(), w.said.Load()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); w.fresh.Load() < fresh+2*pairs || w.said.Load() < said+2*pairs; <-tick.C {
		if w.t.Failed() || time.Now().After(end) {
			w.t.Fatal("the town fell silent")
		}
	}
}

// The authority and every certificate are replaced while all nodes talk: nothing fails, on old connections or new ones, between any
// two nodes at different steps; and in the end the old authority is worth nothing.
func TestRollOverUnderLoad(t *testing.T) {
	w := newTown(t, 3)
	first := w.authority.Load()
	step := func(next *ca.Authority, err error) {
		t.Helper()
		must(t, err)
		w.authority.Store(next)
	}
	each := func(do func(*ca.Keeper) error) {
		t.Helper()
		for _, k := range w.keepers {
			must(t, do(k))
			w.busy()
		}
	}
	trust := func(k *ca.Keeper) error { return k.Trust(w.authority.Load().Bundle()) }
	renew := func(k *ca.Keeper) error { return k.Renew(t.Context()) }

	w.busy()
	each(renew) // an ordinary renewal, first
	step(first.Introduce(time.Now()))
	each(trust)
	step(w.authority.Load().Promote())
	each(renew)
	step(w.authority.Load().Retire())
	each(trust)
	close(w.stop)
	w.talk.Wait()

	old := openKeeper(t, ca.Options{Dir: join(t, first, host(1), time.Now())}).Client(0)
	old.VerifyConnection = nil
	if _, err, _ := shake(t, w.keepers[0].Server(ca.RoleHost), old); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("a certificate of the old authority: got %v, want Denied", err)
	}
	t.Logf("%d connections, %d words", w.fresh.Load(), w.said.Load())
}

func TestTrustRefuses(t *testing.T) {
	a := newAuthority(t, cluster)
	dir := join(t, a, host(1), time.Now())
	k := openKeeper(t, ca.Options{Dir: dir})
	before := k.Bundle()
	introduced, err := a.Introduce(time.Now())
	must(t, err)
	promoted, err := introduced.Promote()
	must(t, err)
	retired, err := promoted.Retire()
	must(t, err)
	for name, tc := range map[string]struct {
		bundle []byte
		want   holdfast.Kind
	}{
		"nothing":                {nil, holdfast.Invalid},
		"no PEM":                 {[]byte("x"), holdfast.Invalid},
		"a stranger":             {newAuthority(t, cluster).Bundle(), holdfast.Invalid},
		"another cluster":        {newAuthority(t, strings.Repeat("f", 32)).Bundle(), holdfast.Invalid},
		"two steps at once":      {retired.Bundle(), holdfast.Invalid},
		"too many":               {bytes.Repeat(a.Bundle(), 5), holdfast.Invalid},
		"a mix of two clusters":  {append(bytes.Clone(a.Bundle()), newAuthority(t, strings.Repeat("f", 32)).Bundle()...), holdfast.Invalid},
		"a step after the right": {promoted.Bundle(), holdfast.Other}, // and this is fine
	} {
		err := k.Trust(tc.bundle)
		if tc.want == holdfast.Other {
			must(t, err)
			must(t, k.Trust(before)) // and back
		} else if !holdfast.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		if !bytes.Equal(k.Bundle(), before) {
			t.Errorf("%s: it trusts another authority now", name)
		}
	}
	must(t, k.Trust(promoted.Bundle()))
	if err := k.Trust(retired.Bundle()); !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("retired before it renewed: got %v, want Conflict", err)
	}
	again := openKeeper(t, ca.Options{Dir: dir})
	if !bytes.Equal(again.Bundle(), promoted.Bundle()) {
		t.Error("what it trusts is not in its file")
	}
}

func TestRenewRefuses(t *testing.T) {
	a := newAuthority(t, cluster)
	var grant func(request []byte) (ca.Grant, error)
	dir := join(t, a, host(1), time.Now())
	k := openKeeper(t, ca.Options{Dir: dir, Renew: func(_ context.Context, request []byte) (ca.Grant, error) { return grant(request) }})
	before, err := os.ReadFile(filepath.Join(dir, "node.pem"))
	must(t, err)
	for name, g := range map[string]func(request []byte) (ca.Grant, error){
		"another host":      func(r []byte) (ca.Grant, error) { return a.Issue(r, host(2), time.Now()) },
		"another authority": func(r []byte) (ca.Grant, error) { return newAuthority(t, cluster).Issue(r, host(1), time.Now()) },
		"another key":       func([]byte) (ca.Grant, error) { return a.Issue(newRequest(t).PEM(), host(1), time.Now()) },
		"nothing":           func([]byte) (ca.Grant, error) { return ca.Grant{}, nil },
	} {
		grant = g
		if err := k.Renew(t.Context()); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%s: got %v, want Invalid", name, err)
		}
	}
	after, err := os.ReadFile(filepath.Join(dir, "node.pem"))
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the certificate has changed")
	}
	if err := openKeeper(t, ca.Options{Dir: dir}).Renew(t.Context()); !holdfast.Is(err, holdfast.Unsupported) {
		t.Errorf("with nobody to ask: got %v, want Unsupported", err)
	}
}

// A certificate is renewed at half of its life, and after a failure again and again, by a clock that runs fast.
func TestRenewalInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t, cluster)
		start := time.Now()
		failures := 3
		var mu sync.Mutex
		var tries []time.Duration // guarded by mu
		asked := func() []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(tries)
		}
		k := openKeeper(t, ca.Options{
			Dir: join(t, a, host(1), start),
			Renew: func(_ context.Context, request []byte) (ca.Grant, error) {
				mu.Lock()
				defer mu.Unlock()
				if tries = append(tries, time.Since(start)); len(tries) <= failures {
					return ca.Grant{}, errors.New("nobody is there")
				}
				return a.Issue(request, host(1), time.Now())
			},
		})
		first := k.Expires()
		half := ca.Lifetime/2 - time.Hour/2 // it is in force an hour before it was signed
		time.Sleep(half - time.Second)      // of the bubble's clock
		synctest.Wait()
		if got := asked(); len(got) != 0 {
			t.Fatalf("asked after %v, want %v", got, half)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		want := []time.Duration{half, half + time.Minute, half + 3*time.Minute, half + 7*time.Minute}
		if got := asked(); !slices.Equal(got, want) {
			t.Fatalf("asked after %v, want %v", got, want)
		}
		if got, want := k.Expires(), first.Add(want[3]); got.Sub(want).Abs() > time.Second {
			t.Errorf("expires %v, want %v", got, want)
		}
		time.Sleep(ca.Lifetime)
		synctest.Wait()
		if !k.Expires().After(time.Now().Add(ca.Lifetime / 3)) {
			t.Errorf("a lifetime later it expires %v", k.Expires())
		}
		must(t, k.Close())
	})
}
