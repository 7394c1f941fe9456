package ctl

import (
	"context"
	"errors"
	"flag"
	"net"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/node/confdir"
	"holdfast/node/found"
)

// quickstart makes a whole cluster: on the first host all of it, on the others with --join the host.
func (c *command) quickstart(f *flag.FlagSet) func(context.Context) error {
	ip := f.String("n", "", "`IP[:PORT]` at which this host answers others; port 2530")
	remote := f.String("join", "", "`IP[:PORT]` of the first host, on all others")
	names := f.Int("ns-count", 4, "`number` of name servers of the volume, on the first host")
	objects := f.Int("os-count", 4, "`number` of object servers, on the first host")
	port := f.String("s3-port", gatewayPort, "`port` of this host's gateway")
	name := f.String("hostname", hostName(), "`name` of this host, for people")
	lease := f.Duration("lease", 0, "lease `time` T of the storage, on the first host (default 15s)")
	var m mounts
	m.flags(f)
	c.passwordFlag(f)
	return func(ctx context.Context) error {
		if len(m.byName) != 1 {
			return errors.New("-s: give one storage")
		}
		at, err := address("-n", *ip, nodePort)
		if err != nil {
			return err
		}
		var me confdir.Node
		if *remote != "" {
			me, err = c.joinHost(ctx, found.Joining{Service: true}, *remote, at, *name, &m)
		} else {
			me, err = c.first(ctx, at, *name, &m, config.Storage{LeaseMS: int(lease.Milliseconds())}, *names, *objects)
		}
		if err != nil {
			return err
		}
		host, _, _ := net.SplitHostPort(at) // made by address
		gateway := net.JoinHostPort(host, *port)
		if err := c.gatewayHere(ctx, gateway); err != nil {
			return err
		}
		return c.say(hostAnswer{Cluster: me.Cluster, Host: me.Host.Value.String(), Address: me.Address},
			"Host %s of cluster %s is ready; S3 at http://%s\nStart it: systemctl enable --now holdfast-node, or holdfast node -r %s\nOther hosts: %s quickstart -n THEIR-IP --join %s -s THEIR-MOUNT\n",
			me.Host.Value, me.Cluster, gateway, c.dir, c.Program, at)
	}
}

// first makes the first host, the storage and the volume.
func (c *command) first(ctx context.Context, at, name string, m *mounts, s config.Storage, names, objects int) (confdir.Node, error) {
	paths, err := m.paths()
	if err != nil {
		return confdir.Node{}, err
	}
	me, err := c.createHost(at, name)
	if err != nil {
		return me, err
	}
	for store, path := range paths {
		s.Name, s.Dir = store, m.dir
		if err := c.makeStorage(ctx, "", s, path); err != nil {
			return me, err
		}
		now, err := c.changing(ctx, func(_ confdir.Node, now config.Config) (config.Config, error) {
			next, _, err := now.WithVolume("vol1", store, names, objects)
			return next, err
		})
		if err != nil {
			return me, err
		}
		if err := c.dir.SaveConfig(now); err != nil {
			return me, err
		}
	}
	return c.dir.Load()
}

// gatewayHere adds a gateway of the first volume on this host.
func (c *command) gatewayHere(ctx context.Context, at string) error {
	now, err := c.changing(ctx, func(me confdir.Node, now config.Config) (config.Config, error) {
		if len(now.Volumes) == 0 {
			return now, holdfast.E("quickstart", holdfast.NotFound, errors.New("the cluster has no volume: add-vol first"))
		}
		next, _, err := now.WithGateway(me.Host.Value, now.Volumes[0].ID.Value, at)
		return next, err
	})
	if err != nil {
		return err
	}
	return c.dir.SaveConfig(now)
}
