// Package conftest is the conformance suite of confrpc.Service.
package conftest

import (
	"context"
	"maps"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/protocol"
)

// Ids that the suite uses; an implementation under test need not know them beforehand.
const (
	Cluster = "0123456789abcdef0123456789abcdef"
	Host    = holdfast.HostID(0xa1)
	Name    = holdfast.ServiceID(0x0800000000000001)
	Object  = holdfast.ServiceID(0x1000000000000002)
)

// First returns the first configuration of the suite's cluster.
func First() config.Config {
	c := config.Single(Host, 0x0100000000000001, []holdfast.ServiceID{Name}, []holdfast.ServiceID{Object})
	c.Cluster = Cluster
	return c
}

// Suite runs the contract against implementations that open makes. backend is what stands behind the service: without
// configuration, and what the suite sets in it is what the service must tell.
func Suite(t *testing.T, open func(t *testing.T, backend *confrpc.Memory) confrpc.Service) {
	for name, run := range map[string]func(*testing.T, *confrpc.Memory, confrpc.Service){
		"hello": testHello, "newest": testNewest, "publish": testPublish, "wait": testWait,
		"owners": testOwners, "status": testStatus, "release": testRelease, "secrets": testSecrets, "renew": testRenew,
	} {
		t.Run(name, func(t *testing.T) {
			backend := &confrpc.Memory{Me: confrpc.Greeting{Cluster: Cluster, Host: Host, Speaks: protocol.Ours()}}
			run(t, backend, open(t, backend))
		})
	}
}

func testHello(t *testing.T, _ *confrpc.Memory, s confrpc.Service) {
	me := confrpc.Greeting{Cluster: Cluster, Host: 7, Speaks: protocol.Ours()}
	if v, err := confrpc.Agree(t.Context(), s, me); err != nil || v != protocol.Newest {
		t.Errorf("agree: %d, %v", v, err)
	}
	other, err := s.Hello(t.Context(), me)
	if err != nil || other.Host != Host || other.Cluster != Cluster || other.Speaks != protocol.Ours() {
		t.Errorf("hello: %+v, %v", other, err)
	}
	foreign := me
	foreign.Cluster = "f" + Cluster[1:]
	if _, err := s.Hello(t.Context(), foreign); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("another cluster: %v, want Denied", err)
	}
	newer := me
	newer.Speaks = protocol.Range{Min: protocol.Newest + 1, Max: protocol.Newest + 2}
	if _, err := s.Hello(t.Context(), newer); !holdfast.Is(err, holdfast.Unsupported) {
		t.Errorf("no common version: %v, want Unsupported", err)
	}
}

func testNewest(t *testing.T, _ *confrpc.Memory, s confrpc.Service) {
	if _, err := s.Newest(t.Context(), 0, 0); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("nothing published: %v, want NotFound", err)
	}
	first := publish(t, s, 0, First())
	for _, after := range []uint64{0, 1, 9} {
		if c, err := s.Newest(t.Context(), after, 0); err != nil || c.Version != 1 || c.Nonce != first.Nonce {
			t.Errorf("after %d: version %d, %v; want 1", after, c.Version, err)
		}
	}
}

func publish(t *testing.T, s confrpc.Service, base uint64, c config.Config) config.Config {
	t.Helper()
	c, err := s.Publish(t.Context(), base, c)
	if err != nil || c.Version != base+1 {
		t.Fatalf("publish: version %d, %v; want %d", c.Version, err, base+1)
	}
	return c
}

func testPublish(t *testing.T, _ *confrpc.Memory, s confrpc.Service) {
	c := publish(t, s, 0, First())
	c.Hosts[0].Address = "192.0.2.1:2530"
	second := publish(t, s, 1, c)
	if second.Hosts[0].Address != c.Hosts[0].Address || second.Nonce == c.Nonce {
		t.Errorf("published %+v", second)
	}
	if _, err := s.Publish(t.Context(), 1, c); !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("from an old version: %v, want Conflict", err)
	}
	c.Hosts[0].ID.Value = 0
	if _, err := s.Publish(t.Context(), 2, c); !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("what makes no sense: %v, want Invalid", err)
	}
}

func testWait(t *testing.T, _ *confrpc.Memory, s confrpc.Service) {
	first := publish(t, s, 0, First())
	got := make(chan uint64, 1)
	go func() {
		c, _ := s.Newest(context.WithoutCancel(t.Context()), 1, confrpc.MaxWait)
		got <- c.Version
	}()
	publish(t, s, 1, first)
	if v := <-got; v != 2 {
		t.Errorf("waited for version %d, want 2", v)
	}
	if c, err := s.Newest(t.Context(), 2, time.Millisecond); err != nil || c.Version != 2 {
		t.Errorf("after the time: version %d, %v; want 2", c.Version, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Newest(ctx, 2, confrpc.MaxWait); !holdfast.Is(err, holdfast.Aborted) {
		t.Errorf("cancelled: %v, want Aborted", err)
	}
}

func testOwners(t *testing.T, m *confrpc.Memory, s confrpc.Service) {
	want := confrpc.Owner{Service: Name, Epoch: 3, Host: Host, Address: "192.0.2.1:2530"}
	m.SetOwner(want)
	for _, ids := range [][]holdfast.ServiceID{nil, {Name}, {Object, Name}} {
		if owners, err := s.Owners(t.Context(), ids); err != nil || len(owners) != 1 || owners[0] != want {
			t.Errorf("owners of %v: %v, %v", ids, owners, err)
		}
	}
	if owners, err := s.Owners(t.Context(), []holdfast.ServiceID{Object}); err != nil || len(owners) != 0 {
		t.Errorf("a service without owner: %v, %v", owners, err)
	}
}

func testStatus(t *testing.T, m *confrpc.Memory, s confrpc.Service) {
	m.State = confrpc.Status{
		Host: Host, Run: 4, Address: "192.0.2.1:2530", Uptime: time.Hour, Config: 9, Leaving: true,
		Storages: []confrpc.StorageStatus{{Name: "stor1", Works: true}, {Name: "stor2", Text: "not mounted"}},
		Services: []confrpc.ServiceStatus{{ID: Name, State: confrpc.Active, Epoch: 3, Uptime: time.Minute, Address: "192.0.2.1:2530"}},
	}
	got, err := s.Status(t.Context())
	if err != nil || got.Host != Host || got.Run != 4 || got.Uptime != time.Hour || got.Config != 9 || !got.Leaving ||
		len(got.Storages) != 2 || got.Storages[1] != m.State.Storages[1] || len(got.Services) != 1 || got.Services[0] != m.State.Services[0] {
		t.Errorf("status: %+v, %v", got, err)
	}
}

func testRelease(t *testing.T, m *confrpc.Memory, s confrpc.Service) {
	m.ReleaseFunc = func(id holdfast.ServiceID, epoch holdfast.Epoch, to holdfast.HostID) error {
		if id != Name || epoch != 3 || to != 7 {
			return &holdfast.Error{Op: "release", Kind: holdfast.NotOwner, ID: id.String()}
		}
		return nil
	}
	if err := s.Release(t.Context(), Name, 3, 7); err != nil {
		t.Errorf("release: %v", err)
	}
	if err := s.Release(t.Context(), Name, 2, 7); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("another epoch: %v, want NotOwner", err)
	}
}

func testSecrets(t *testing.T, m *confrpc.Memory, s confrpc.Service) {
	m.Files = map[string][]byte{"a": []byte("x\x00y"), "b": {}}
	got, err := s.Secrets(t.Context())
	if err != nil || !maps.EqualFunc(got, m.Files, func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Errorf("secrets: %q, %v", got, err)
	}
}

func testRenew(t *testing.T, _ *confrpc.Memory, s confrpc.Service) {
	g, err := s.Renew(t.Context(), []byte("request"))
	if err != nil || string(g.Certificate) != "request" || string(g.Bundle) != Cluster {
		t.Errorf("renew: %q, %v", g, err)
	}
}
