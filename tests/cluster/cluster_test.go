package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/layout"
	"holdfast/node"
	"holdfast/node/confdir"
	"holdfast/node/found"
	"holdfast/storage"
	"holdfast/tests/cluster/history"
	"holdfast/tests/cluster/lab"
)

// Of every cluster here.
const (
	hosts         = 3
	nameServers   = 3
	objectServers = 3
	nodePort      = 2530
	s3Port        = 2580
	storeDir      = "holdfast" // on the mount
	nodeLog       = "node"     // the name of nodes' logs
	patience      = 3 * time.Minute
)

// cluster is nodes on the hosts of a lab.
type cluster struct {
	t     *testing.T
	lab   *lab.Lab
	lease time.Duration
	keys  node.Credentials
	conf  config.Config // the first
	nodes []*member     // by host, from 0
}

// member is a host of the cluster.
type member struct {
	host lab.Host
	id   holdfast.HostID
	dir  confdir.Dir
	run  *lab.Process // nil: it was never started
}

// startCluster makes a lab, a cluster on its storage, and starts all nodes. The test's end takes all away.
func startCluster(t *testing.T, s lab.Storage, lease time.Duration) *cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := lab.New(ctx, hosts, s)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, lab: l, lease: lease, keys: node.Credentials{AccessKey: "ROOTKEYOFTESTS", SecretKey: "secret-key-of-tests"}}
	t.Cleanup(func() {
		if t.Failed() {
			c.showLogs()
		}
		if *logs != "" {
			c.keepLogs(*logs, s.Name())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	c.do(c.makeStore())
	for _, m := range c.nodes {
		c.start(m)
	}
	return c
}

// do ends the test if a step of it failed.
func (c *cluster) do(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// makeStore makes the cluster's directory on the mount and those of its hosts.
func (c *cluster) makeStore() error {
	founder, err := found.New([]byte("correct horse battery"), c.keys, time.Now())
	if err != nil {
		return err
	}
	root := layout.Root(filepath.Join(c.lab.Mount(1), storeDir)) // there are no members yet
	if err := found.Storage(storage.OS(), root, founder.Name); err != nil {
		return err
	}
	conf := config.New(founder.Name).WithStorage(config.Storage{Name: "stor1", Dir: storeDir, LeaseMS: int(c.lease / time.Millisecond)})
	for _, h := range c.lab.Hosts() {
		m := &member{host: h, id: found.NewHostID(), dir: confdir.Dir(filepath.Join(c.lab.Dir(h), "configuration"))}
		c.nodes = append(c.nodes, m)
		conf = conf.WithHost(config.Host{
			ID: config.IDOf(m.id), Name: fmt.Sprintf("host%d", h), Address: c.address(m, nodePort), Storages: []string{"stor1"},
		})
	}
	conf, volume, err := conf.WithVolume("vol1", "stor1", nameServers, objectServers)
	for _, m := range c.nodes {
		if err == nil {
			conf, _, err = conf.WithGateway(m.id, volume, c.address(m, s3Port))
		}
	}
	if err == nil {
		c.conf, err = config.Open(storage.OS(), root).Publish(0, conf)
	}
	for _, m := range c.nodes {
		if err == nil {
			err = founder.Host(m.dir, confdir.Node{
				Host: config.IDOf(m.id), Address: c.address(m, nodePort),
				Storages: map[string]string{"stor1": c.root(m)},
			}, c.conf, time.Now())
		}
	}
	return err
}

// root is the cluster's directory as a host has it mounted.
func (c *cluster) root(m *member) string { return filepath.Join(c.lab.Mount(m.host), storeDir) }

func (c *cluster) address(m *member, port int) string {
	return fmt.Sprintf("%s:%d", c.lab.Address(m.host), port)
}

// start runs the node of a host.
func (c *cluster) start(m *member) {
	c.t.Helper()
	p, err := c.lab.Start(m.host, nodeLog, nil, binary, "node", "-r", string(m.dir))
	c.do(err)
	m.run = p
}

// revive starts the nodes that are not running, as a supervisor would.
func (c *cluster) revive() {
	c.t.Helper()
	for _, m := range c.nodes {
		select {
		case <-m.run.Done():
			c.t.Logf("the node of host %d has ended and is started", m.host)
			c.start(m)
		default:
		}
	}
}

func (c *cluster) showLogs() {
	for _, m := range c.nodes {
		if m.run != nil {
			c.t.Logf("host %d wrote:\n%s", m.host, m.run.Output())
		}
	}
}

// keepLogs copies all that the nodes wrote.
func (c *cluster) keepLogs(dir, storage string) {
	for _, m := range c.nodes {
		b, err := os.ReadFile(filepath.Join(c.lab.Dir(m.host), nodeLog+".log"))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-host%d.log", storage, m.host)), b, 0o600)
		}
		if err != nil {
			c.t.Error(err)
		}
	}
}

// eventually looks until ok returns nil.
func (c *cluster) eventually(what string, ok func() error) {
	c.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if err = ok(); err == nil {
			return
		}
	}
	c.t.Fatalf("%s: %v", what, err)
}

// awaitOwners waits until all services are owned by some of these hosts, and each of them has one. It looks through the mount of the first.
func (c *cluster) awaitOwners(among ...*member) {
	c.t.Helper()
	root := layout.Root(c.root(among[0]))
	c.eventually("owners of services", func() error {
		count := map[holdfast.HostID]int{}
		for _, s := range c.conf.Services {
			b, err := storage.ReadFile(storage.OS(), root.Service(s.ID.Value).OwnerFile(), layout.MaxFile)
			if err != nil {
				return err
			}
			o, err := layout.ParseOwner(b)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(among, func(m *member) bool { return m.id == o.Host }) {
				return fmt.Errorf("service %v is owned by host %v", s.ID.Value, o.Host)
			}
			count[o.Host]++
		}
		if len(count) != len(among) {
			return fmt.Errorf("only %d hosts have services: %v", len(count), count)
		}
		return nil
	})
}

// others returns the hosts but one.
func (c *cluster) others(but *member) []*member {
	return slices.DeleteFunc(slices.Clone(c.nodes), func(m *member) bool { return m == but })
}

// gateways returns the ways into the cluster: each is dialed from its own host, as by a client beside it.
func (c *cluster) gateways() []history.Gateway {
	var all []history.Gateway
	for _, m := range c.nodes {
		all = append(all, history.Gateway{
			Name: fmt.Sprintf("host%d", m.host), Endpoint: "http://" + c.address(m, s3Port), Dial: c.lab.Dialer(m.host),
		})
	}
	return all
}

// stopAll stops all nodes in good order.
func (c *cluster) stopAll(ctx context.Context) error {
	var errs []error
	for _, m := range c.nodes {
		errs = append(errs, m.run.Terminate(ctx))
	}
	return errors.Join(errs...)
}
