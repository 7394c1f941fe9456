package nodetest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/membership/config"
	"holdfast/membership/layout"
	"holdfast/node"
	"holdfast/node/confdir"
	"holdfast/node/found"
	"holdfast/node/nodetest"
	"holdfast/storage"
)

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// logged waits until a node has written something.
func logged(t testing.TB, h *nodetest.Host, what string) {
	t.Helper()
	eventually(t, "the log to say "+what, func() error {
		if !strings.Contains(h.Log.String(), what) {
			return errors.New("it does not")
		}
		return nil
	})
}

// A mount that is not there is not taken for an empty storage, and is opened when it comes.
func TestStorageComesLate(t *testing.T) {
	long(t)
	c := nodetest.New(t, nodetest.Plan{Hosts: 1, NameServers: 1, ObjectServers: 1})
	away := c.Root + ".away"
	if err := os.Rename(c.Root, away); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(c.Root, 0o755); err != nil { // the mount point
		t.Fatal(err)
	}
	c.Run(t, 0)
	logged(t, c.Hosts[0], "is it mounted?")
	if names, err := os.ReadDir(c.Root); err != nil || len(names) > 0 {
		t.Errorf("something was made on the mount point: %v, %v", names, err)
	}
	if err := os.Remove(c.Root); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, c.Root); err != nil {
		t.Fatal(err)
	}
	makeBucket(t, c)
}

// A storage of another cluster is left alone.
func TestStorageOfAnotherCluster(t *testing.T) {
	c := nodetest.New(t, nodetest.Plan{Hosts: 1, NameServers: 1, ObjectServers: 1})
	file := layout.Root(c.Root).Cluster()
	if err := os.WriteFile(file, layout.EncodeCluster("ffffffffffffffffffffffffffffffff"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.Run(t, 0)
	logged(t, c.Hosts[0], "it belongs to cluster ffffffff")
	if names, err := os.ReadDir(layout.Root(c.Root).Hosts()); err != nil || len(names) > 0 {
		t.Errorf("hosts: %v, %v; want none", names, err)
	}
}

// A configuration of another cluster in the log is not heeded.
func TestConfigurationOfAnotherCluster(t *testing.T) {
	long(t)
	c := nodetest.Start(t, nodetest.Plan{Hosts: 1, NameServers: 1, ObjectServers: 1})
	makeBucket(t, c)
	foreign := c.First.Clone()
	foreign.Cluster, foreign.Gateways = "ffffffffffffffffffffffffffffffff", []config.Gateway{}
	if _, err := config.Open(storage.OS(), layout.Root(c.Root)).Publish(1, foreign); err != nil {
		t.Fatal(err)
	}
	logged(t, c.Hosts[0], "another cluster was seen")
	if err := put(t.Context(), client(c, 0), "key", []byte("x")); err != nil {
		t.Error(err)
	}
}

// Two processes with one host id: on one machine the second is kept out by the lock; from another machine the newer one wins, and the
// older one lets go of everything and says why.
func TestTwoHostsWithOneID(t *testing.T) {
	long(t)
	c := nodetest.Start(t, nodetest.Plan{Hosts: 2, NameServers: 2, ObjectServers: 2})
	makeBucket(t, c)
	running(t, c, 0, 1)
	twin := c.NewHost(t)
	if err := os.CopyFS(string(twin.Dir), os.DirFS(string(c.Hosts[1].Dir))); err != nil {
		t.Fatal(err)
	}
	n, err := twin.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	n.Address, n.Metrics = twin.Address, twin.Metrics
	for _, name := range append(confdir.Secrets(), confdir.PasswordFile, "pki/node.pem", "pki/ca.pem", "pki/authority.pem") {
		if err := os.Chmod(twin.Dir.Path(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := twin.Dir.Save(n); err != nil {
		t.Fatal(err)
	}
	c.Run(t, 2)
	logged(t, twin, "in use by process")

	elsewhere := c.NewHost(t)
	elsewhere.Machine = nodetest.OtherMachine()
	if err := os.CopyFS(string(elsewhere.Dir), os.DirFS(string(twin.Dir))); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(confdir.Secrets(), confdir.PasswordFile, "pki/node.pem", "pki/ca.pem", "pki/authority.pem") {
		if err := os.Chmod(elsewhere.Dir.Path(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n.Address, n.Metrics = elsewhere.Address, elsewhere.Metrics
	if err := elsewhere.Dir.Save(n); err != nil {
		t.Fatal(err)
	}
	c.Run(t, 3)
	select {
	case <-c.Hosts[1].Node.Done():
	case <-time.After(patience):
		t.Fatal("the older process goes on")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Hosts[1].Node.Close(ctx); err == nil || !strings.Contains(err.Error(), "two hosts with one id") {
		t.Errorf("it ended with %v", err)
	}
	if err := put(t.Context(), client(c, 0), "key", []byte("x")); err != nil {
		t.Error(err)
	}
}

// Owner files that are rotten, and control/name with addresses of old, change nothing: owners are found by the claims.
func TestRottenHints(t *testing.T) {
	long(t)
	c := nodetest.Start(t, nodetest.Plan{Hosts: 2, NameServers: 2, ObjectServers: 2})
	makeBucket(t, c)
	running(t, c, 0, 1)
	for i, s := range c.First.Services {
		dir := layout.Root(c.Root).Service(s.ID.Value)
		b, err := os.ReadFile(dir.OwnerFile())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir.OwnerFile(), b[:len(b)*i/4], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(layout.Root(c.Root).Name(), []byte("192.0.2.1:2530\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.Stop(t, 1)
	eventually(t, "a write", func() error { return put(t.Context(), client(c, 0), "key", []byte("x")) })
	c.Run(t, 1)
	eventually(t, "a write through the other", func() error { return put(t.Context(), client(c, 1), "key2", []byte("x")) })
}

// What is missing or open to others in a configuration directory is refused by its name.
func TestConfigurationDirectoryIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, h *nodetest.Host) error{
		confdir.NodeFile:        func(_ *testing.T, h *nodetest.Host) error { return os.Remove(h.Dir.Path(confdir.NodeFile)) },
		confdir.ConfigFile:      func(_ *testing.T, h *nodetest.Host) error { return os.Truncate(h.Dir.Path(confdir.ConfigFile), 10) },
		confdir.ClusterKeyFile:  func(_ *testing.T, h *nodetest.Host) error { return os.Chmod(h.Dir.Path(confdir.ClusterKeyFile), 0o644) },
		confdir.CredentialsFile: func(_ *testing.T, h *nodetest.Host) error { return os.Remove(h.Dir.Path(confdir.CredentialsFile)) },
		confdir.GossipFile:      func(_ *testing.T, h *nodetest.Host) error { return os.Truncate(h.Dir.Path(confdir.GossipFile), 20) },
		confdir.SettingsFile: func(_ *testing.T, h *nodetest.Host) error {
			return os.WriteFile(h.Dir.Path(confdir.SettingsFile), []byte(`{"regoin": "x"}`), 0o600)
		},
		filepath.Join(confdir.PKI, "node.pem"): func(_ *testing.T, h *nodetest.Host) error {
			return os.Remove(h.Dir.Path(filepath.Join(confdir.PKI, "node.pem")))
		},
	} {
		t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) {
			c := nodetest.New(t, nodetest.Plan{Hosts: 1, NameServers: 1, ObjectServers: 1})
			if err := spoil(t, c.Hosts[0]); err != nil {
				t.Fatal(err)
			}
			_, err := node.StartPeer(c.Hosts[0].Dir, node.Config{}, node.Environment{Getenv: func(string) string { return "" }, Log: c.Hosts[0].Log})
			if err == nil || !strings.Contains(err.Error(), name) && !strings.Contains(err.Error(), filepath.Base(name)) {
				t.Errorf("got %v, want an error that names %s", err, name)
			}
		})
	}
}

// All hosts are killed, and started again one after the other. Everything acknowledged is there, and the last configuration is in force.
func TestFullRestart(t *testing.T) {
	long(t)
	c := nodetest.New(t, nodetest.Plan{Hosts: 3, NameServers: 3, ObjectServers: 3})
	var nodes []*os.Process
	for i := range c.Hosts {
		nodes = append(nodes, c.Spawn(t, i).Process)
	}
	makeBucket(t, c)
	running(t, c, 0, 1, 2)
	changed := change(t, c, 1, func(conf config.Config) (config.Config, error) { return conf.WithObjectServers(c.Volume, "stor1", 1) })
	l := startLoad(t, c, 0, 1, 2)
	l.progress(t, 50)
	l.stop()
	l.done.Wait()
	for _, p := range nodes {
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		_, _ = p.Wait() // it was killed
	}
	for i := range c.Hosts {
		c.Spawn(t, i)
	}
	eventually(t, "a gateway", func() error { return put(t.Context(), client(c, 2), "key", []byte("x")) })
	l.finish(t, c, 2)
	conn, err := found.Connect(t.Context(), c.Hosts[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if now, err := conn.Newest(t.Context(), 0, 0); err != nil || now.Version != changed.Version {
		t.Errorf("version %d, %v; want %d", now.Version, err, changed.Version)
	}
}
