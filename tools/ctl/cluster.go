package ctl

import (
	"context"
	"errors"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/layout"
	"holdfast/node/confdir"
	"holdfast/node/found"
)

// cluster is the way to a cluster's configuration: a node, or without one the log on the mount.
type cluster struct {
	me   confdir.Node
	node *found.Connection // nil: none answers
	log  *config.Log       // used if no node answers
}

// open finds the way. address is the one node to ask, or "". Where that is this host the log will do.
func (c *command) open(ctx context.Context, address string) (*cluster, error) {
	me, err := c.dir.Load()
	if holdfast.Is(err, holdfast.NotFound) {
		return nil, errors.New("-r: " + string(c.dir) + " is no host's configuration directory: create, join or add-host first")
	}
	if err != nil {
		return nil, err
	}
	var at []string
	if address != "" {
		at = append(at, address)
	}
	node, err := found.Connect(ctx, c.dir, at...)
	if err == nil {
		return &cluster{me: me, node: node}, nil
	}
	if address != "" && address != me.Address || !holdfast.Is(err, holdfast.Unavailable) {
		return nil, err
	}
	first, confErr := c.dir.LoadConfig()
	if confErr != nil || len(first.Storages) == 0 {
		return nil, err
	}
	root, here := me.Storages[first.Storages[0].Name]
	if !here {
		return nil, err
	}
	return &cluster{me: me, log: config.Open(c.FS, layout.Root(root))}, nil
}

func (c *cluster) close() {
	if c.node != nil {
		_ = c.node.Close() // nothing is under way
	}
}

// newest returns the configuration in force.
func (c *cluster) newest(ctx context.Context) (config.Config, error) {
	if c.node != nil {
		return c.node.Newest(ctx, 0, 0)
	}
	return c.log.Newest()
}

// maxChanges bounds how often a change starts over because somebody else was quicker.
const maxChanges = 20

// change publishes what edit makes of the newest configuration, over again if another change came between.
func (c *cluster) change(ctx context.Context, edit func(config.Config) (config.Config, error)) (config.Config, error) {
	if c.node != nil {
		return confrpc.Change(ctx, c.node, edit)
	}
	for try := 1; ; try++ {
		now, err := c.log.Newest()
		if err != nil {
			return config.Config{}, err
		}
		changed, err := edit(now)
		if err != nil {
			return config.Config{}, err
		}
		published, err := c.log.Publish(now.Version, changed)
		if !holdfast.Is(err, holdfast.Conflict) || try == maxChanges {
			return published, err
		}
	}
}

// changing opens the way, makes a change and closes it.
func (c *command) changing(ctx context.Context, edit func(me confdir.Node, now config.Config) (config.Config, error)) (config.Config, error) {
	cl, err := c.open(ctx, "")
	if err != nil {
		return config.Config{}, err
	}
	defer cl.close()
	return cl.change(ctx, func(now config.Config) (config.Config, error) { return edit(cl.me, now) })
}

// statusWithin bounds how long a host may take to say what it is at.
const statusWithin = 5 * time.Second
