package gw

import (
	"context"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"holdfast"
	"holdfast/gw/account"
	"holdfast/gw/gwtest"
	"holdfast/gw/keyring"
	"holdfast/gw/limit"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
)

// The identity and the place of the gateway under test.
const (
	testKey    = "AKIDHOLDFASTTEST"
	testSecret = "secret/of+the=tests"
	testUser   = "root"
	testRegion = "us-east-1"
	testDomain = "s3.test"
	testSites  = "web.s3.test"
	testTarget = "arn:aws:sqs:us-east-1:holdfast:test"
)

// oneUser is a [Credentials] with one key.
type oneUser struct{}

func (oneUser) Identity(_ context.Context, key string) (Identity, bool, error) {
	return Identity{User: testUser, Secret: testSecret, System: true}, key == testKey, nil
}

// oneTarget is an [EventTargets] with one target, to which nothing is sent.
type oneTarget struct{}

func (oneTarget) Known(arn string) bool { return arn == testTarget }

func (oneTarget) Test(context.Context, string, string, string, string) error { return nil }

func testCredentials() gwtest.Credentials {
	return gwtest.Credentials{AccessKey: testKey, SecretKey: testSecret, Region: testRegion, Domain: testDomain, WebsiteDomain: testSites, Target: testTarget, System: true, Usage: true}
}

// services are the servers of a volume, in memory.
type services struct {
	*volume.Direct
	names   []*nametest.Memory
	objects []*objtest.Memory
}

// newServices makes two name servers and two object servers.
func newServices() *services {
	ids := []holdfast.ServiceID{holdfast.NewServiceID(holdfast.TypeNameServer, 1), holdfast.NewServiceID(holdfast.TypeNameServer, 2)}
	slots := volume.NewSlotMap(ids...)
	s := &services{Direct: volume.NewDirect(slots)}
	for _, id := range ids {
		names := nametest.New(nil, slots.Held(id)...)
		s.names = append(s.names, names)
		s.SetName(id, names)
	}
	for i := range 2 {
		id := holdfast.NewServiceID(holdfast.TypeObjectStore, uint64(i+1))
		objects := objtest.NewMemory(id, nil)
		s.objects = append(s.objects, objects)
		s.SetObject(id, objects)
	}
	return s
}

// stored counts the objects that hold bytes and were not given up.
func (s *services) stored(t testing.TB) int {
	t.Helper()
	n := 0
	for _, o := range s.objects {
		status, err := o.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += int(status.Objects)
	}
	for _, names := range s.names {
		n -= len(names.Garbage())
	}
	return n
}

// openVolume opens a volume on services.
func openVolume(t testing.TB, services volume.Services) *volume.Volume {
	t.Helper()
	v, err := volume.Open(volume.Options{Services: services, RetryFor: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// testKeys returns a ring with one master key.
func testKeys(t testing.TB) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Parse([]byte(keyring.Generate()))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// newTestGateway makes a gateway on a fresh volume; edit may change its options.
func newTestGateway(t testing.TB, edit func(*Options)) *Gateway {
	t.Helper()
	v := openVolume(t, newServices())
	accounts := newAccounts(t, v)
	opts := Options{
		Service:     holdfast.NewServiceID(holdfast.TypeGateway, 1),
		Volume:      v,
		Accounts:    accounts,
		Users:       accounts,
		Credentials: NewCredentials(accounts),
		Keys:        testKeys(t),
		Settings:    Settings{Region: testRegion, Domains: []string{testDomain}, WebsiteDomains: []string{testSites}},
		Targets:     oneTarget{},
	}
	if edit != nil {
		edit(&opts)
	}
	opts.Limits = limit.Open(limit.Options{Volume: opts.Volume})
	t.Cleanup(opts.Limits.Close)
	return New(opts)
}

// newAccounts makes the users of a volume, among them the one whose keys the tests have.
func newAccounts(t testing.TB, v *volume.Volume) *account.Store {
	t.Helper()
	return accountsWith(v, testKeys(t))
}

// accountsWith is newAccounts for gateways that share their keys.
func accountsWith(v *volume.Volume, keys *keyring.Ring) *account.Store {
	return account.New(account.Options{
		Volume: v, Keys: keys, Root: account.Root{ID: testUser, Name: testUser, AccessKey: testKey, Secret: testSecret},
	})
}

// serve runs a gateway behind a real HTTP server and returns its endpoint.
func serve(t testing.TB, g *Gateway) string {
	t.Helper()
	server := httptest.NewUnstartedServer(g)
	server.Config = g.NewServer()
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// dial opens a raw connection to an endpoint.
func dial(t testing.TB, endpoint string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", endpoint[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// eventually polls until the condition holds, for a bounded time.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: did not happen within 10 s", what)
		}
		<-tick.C
	}
}
