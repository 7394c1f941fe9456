package nodetest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/layout"
	"holdfast/node/confdir"
	"holdfast/node/found"
	"holdfast/node/nodetest"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// change publishes a change through the node of a host.
func change(t testing.TB, c *nodetest.Cluster, i int, edit func(config.Config) (config.Config, error)) config.Config {
	t.Helper()
	conn, err := found.Connect(t.Context(), c.Hosts[i].Dir, c.Hosts[i].Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	changed, err := confrpc.Change(t.Context(), conn, edit)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// Every service is bound to another host, one after the other, under load. No request fails, and none waits for a lease.
func TestServicesAreMovedUnderLoad(t *testing.T) {
	long(t)
	c := nodetest.Start(t, nodetest.Plan{Hosts: 2, NameServers: 2, ObjectServers: 2, Lease: 15 * time.Second})
	makeBucket(t, c)
	running(t, c, 0, 1)
	l := startLoad(t, c, 0, 1)
	l.progress(t, 50)
	for _, s := range c.First.Services {
		to := 1 - c.Owner(s.ID.Value)
		l.reset()
		began := time.Now()
		change(t, c, 0, func(conf config.Config) (config.Config, error) { return conf.WithBind(s.ID.Value, c.Hosts[to].ID) })
		eventually(t, "the move", func() error {
			if at := c.Owner(s.ID.Value); at != to {
				return fmt.Errorf("%s is at %d", s.ID.Value, at+1)
			}
			return nil
		})
		moved := time.Since(began)
		l.progress(t, 20)
		t.Logf("%s moved within %v, longest request %v", s.ID.Value, moved, l.longestNow())
	}
	l.finish(t, c, 1)
}

// A service is bound elsewhere while a call of its owner to the mount hangs, and goes on hanging. The owner leaves what hangs behind, has
// the service again under a new epoch, and hands it over then: it is not lost between the two hosts.
func TestMoveFromAnOwnerThatHangs(t *testing.T) {
	long(t)
	c := nodetest.New(t, nodetest.Plan{Hosts: 2, NameServers: 1, ObjectServers: 1})
	hanging := storagetest.NewFault(storage.OS())
	c.Hosts[0].FS = hanging
	c.Run(t, 0)
	c.Run(t, 1)
	running(t, c, 0, 1)
	makeBucket(t, c)
	if err := put(t.Context(), client(c, 1), "key", []byte("content")); err != nil {
		t.Fatal(err)
	}
	var moved holdfast.ServiceID
	for _, s := range c.First.Services {
		if c.Owner(s.ID.Value) == 0 {
			moved = s.ID.Value
		}
	}
	first := string(layout.Root(c.Root).Service(moved).Store(1))
	hanging.Add(storagetest.HangAt(0).Only(func(call storagetest.Call) bool {
		return strings.HasPrefix(call.Path, first) && call.Op.Changes()
	}))
	change(t, c, 0, func(conf config.Config) (config.Config, error) { return conf.WithBind(moved, c.Hosts[1].ID) })
	logged(t, c.Hosts[0], "left behind")
	eventually(t, "the move", func() error {
		if at := c.Owner(moved); at != 1 {
			return fmt.Errorf("%s is at %d", moved, at+1)
		}
		return nil
	})
	for i := range c.Hosts {
		if got, err := get(t.Context(), client(c, i), "key"); err != nil || string(got) != "content" {
			t.Errorf("through host %d: %q, %v", i+1, got, err)
		}
	}
	hanging.Release() // so that the node can close
}

// A host that drains loses all its services, and none comes back until it does not drain any more.
func TestHostDrains(t *testing.T) {
	long(t)
	c := nodetest.Start(t, nodetest.Plan{Hosts: 2, NameServers: 3, ObjectServers: 3, Lease: 15 * time.Second})
	makeBucket(t, c)
	running(t, c, 0, 1)
	l := startLoad(t, c, 0, 1)
	l.progress(t, 20)
	change(t, c, 1, func(conf config.Config) (config.Config, error) { return conf.WithDrain(c.Hosts[1].ID, true) })
	running(t, c, 0)
	l.progress(t, 20)
	change(t, c, 1, func(conf config.Config) (config.Config, error) { return conf.WithDrain(c.Hosts[1].ID, false) })
	running(t, c, 0, 1) // gradually
	l.progress(t, 20)
	l.finish(t, c, 0)
}

// A new object server gets new objects without anything being started anew, and a gateway that is taken away stops answering.
func TestConfigurationChangesWhileRunning(t *testing.T) {
	long(t)
	c := nodetest.Start(t, nodetest.Plan{Hosts: 2, NameServers: 1, ObjectServers: 1})
	makeBucket(t, c)
	changed := change(t, c, 1, func(conf config.Config) (config.Config, error) { return conf.WithObjectServers(c.Volume, "stor1", 1) })
	added := changed.Volumes[0].ObjectServers[1].Value
	view := c.Hosts[0].Node.Volume(c.Volume)
	eventually(t, "objects on the new server", func() error {
		if err := put(t.Context(), client(c, 0), fmt.Sprintf("key%d", time.Now().UnixNano()), make([]byte, 10_000)); err != nil {
			t.Fatal(err)
		}
		s, err := view.ObjectServer(t.Context(), added)
		if err != nil {
			return err
		}
		objects, err := s.Objects(t.Context(), holdfast.ObjectID{}, 1)
		if err == nil && len(objects) == 0 {
			err = fmt.Errorf("%s has no objects", added)
		}
		return err
	})
	gone := changed.Gateways[1]
	change(t, c, 0, func(conf config.Config) (config.Config, error) { return conf.WithoutGateway(gone.ID.Value) })
	eventually(t, "the gateway to stop", func() error {
		if _, err := get(t.Context(), client(c, 1), "key"); err == nil || !isRefused(err) {
			return fmt.Errorf("it answers: %v", err)
		}
		return nil
	})
	if err := put(t.Context(), client(c, 0), "key", []byte("x")); err != nil {
		t.Error(err)
	}
}

// A machine without the mount joins by the password and runs a gateway, which survives the loss of the node that it joined by.
func TestGatewayWithoutMount(t *testing.T) {
	long(t)
	c := nodetest.Start(t, nodetest.Plan{Hosts: 2, NameServers: 2, ObjectServers: 2})
	makeBucket(t, c)
	running(t, c, 0, 1)
	h := c.NewHost(t)
	join := found.Joining{
		Server: c.Hosts[1].Address, Gateway: true, Password: []byte("wrong password"),
		Node: confdir.Node{Name: "front", Address: h.Address, Metrics: h.Metrics},
	}
	if _, err := found.Join(t.Context(), h.Dir, join); !holdfast.Is(err, holdfast.Denied) {
		t.Fatalf("with a wrong password: %v, want Denied", err)
	}
	if _, err := h.Dir.Load(); !holdfast.Is(err, holdfast.NotFound) {
		t.Fatalf("something was written: %v", err)
	}
	join.Password = []byte(nodetest.Password)
	id, err := found.Join(t.Context(), h.Dir, join)
	if err != nil {
		t.Fatal(err)
	}
	h.ID = id
	change(t, c, 0, func(conf config.Config) (config.Config, error) {
		conf, _, err := conf.WithGateway(id, c.Volume, h.S3Address())
		return conf, err
	})
	c.Run(t, 2)
	eventually(t, "the gateway", func() error { return put(t.Context(), client(c, 2), "key", []byte("through the front")) })
	if got, err := get(t.Context(), client(c, 0), "key"); err != nil || string(got) != "through the front" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := found.Join(t.Context(), h.Dir, join); !holdfast.Is(err, holdfast.Exists) {
		t.Errorf("again: %v, want Exists", err)
	}
	l := startLoad(t, c, 2)
	l.progress(t, 20)
	c.Stop(t, 1)
	running(t, c, 0)
	l.progress(t, 20)
	l.finish(t, c, 2)
}
