package cluster

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"holdfast/tests/cluster/history"
	"holdfast/tests/cluster/lab"
)

// Of the load under every drill.
const (
	clients    = 6
	pause      = 10 * time.Millisecond // between two requests of a client: histories are searched, and a drill may wait
	attemptFor = 20 * time.Second
	retryFor   = 2 * time.Minute
	searchFor  = 30 * time.Second // the order of the operations of one key
	before     = 300              // requests before the loss
	meanwhile  = 100              // requests that have to succeed between the loss and its end
	after      = 300              // requests after its end
)

// drill is a loss and its end. Between them clients go on, unless nobody can serve them.
type drill struct {
	name string
	// lose breaks something of the victim, and returns when the others do without.
	lose func(ctx context.Context, c *cluster, victim *member) error
	// restore ends it.
	restore func(ctx context.Context, c *cluster, victim *member) error
	// stalls says that requests may have to wait until it ends: the others may not take what the victim still holds.
	stalls bool
	// network says that it needs a storage that is reached over a network.
	network bool
}

func drills() []drill {
	return []drill{
		{name: "node killed and started in place", lose: kill, restore: restart, stalls: true},
		{name: "host lost", lose: killAndWait, restore: restart},
		{name: "node paused for longer than its lease", lose: freeze, restore: resume},
		{name: "host cut off from its peers", lose: cutPeers, restore: joinPeers, stalls: true},
		{name: "host cut off from the storage", lose: cutStorage, restore: joinStorage, network: true},
		{name: "storage server killed", lose: killServer, restore: startServer, network: true},
		{name: "all nodes killed", lose: killAll, restore: restart, stalls: true},
	}
}

// TestDrills runs the drills one after the other on a cluster for each kind of storage.
func TestDrills(t *testing.T) {
	for _, on := range []struct {
		storage lab.Storage
		lease   time.Duration
	}{
		{lab.Local(), 3 * time.Second},
		{lab.Gluster(), 15 * time.Second}, // it stalls for 8 s when it loses a server
		{lab.MooseFS(), 15 * time.Second},
	} {
		if *only != "" && *only != on.storage.Name() {
			continue
		}
		t.Run(on.storage.Name(), func(t *testing.T) {
			c := startCluster(t, on.storage, on.lease)
			for i, d := range drills() {
				if d.network && !on.storage.Networked() {
					continue
				}
				// A cluster that did not stand a drill tells nothing of the next.
				if !t.Run(d.name, func(t *testing.T) { d.run(t, c, c.nodes[i%len(c.nodes)], uint64(i)) }) {
					return
				}
			}
			t.Run("nodes restarted one by one", func(t *testing.T) { restartEach(t, c) })
			t.Run("all nodes stopped and started", func(t *testing.T) { stopAndStart(t, c) })
		})
	}
}

// run runs a drill on one host under load, and judges what clients were told.
func (d drill) run(t *testing.T, of *cluster, victim *member, n uint64) {
	c := *of
	c.t = t
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	l := c.startLoad(ctx, n)
	c.do(l.Progress(ctx, before))
	t.Logf("before:    %v", l.Figures(0, l.Now()))

	lost := l.Now()
	c.do(d.lose(ctx, &c, victim))
	if !d.stalls {
		c.do(l.Progress(ctx, meanwhile))
		t.Logf("without it, after %.1f s: %v", (l.Now() - lost).Seconds(), l.Figures(lost, l.Now()))
	}
	restored := l.Now()
	c.do(d.restore(ctx, &c, victim))
	c.do(l.Progress(ctx, after))
	c.revive()
	c.awaitOwners(c.nodes...)
	t.Logf("with it again, after %.1f s: %v", (l.Now() - restored).Seconds(), l.Figures(restored, l.Now()))
	c.judge(ctx, l, lost)
	// Only now: under load there is always something that waits to be healed.
	c.do(c.lab.AwaitStorage(ctx))
}

// startLoad starts clients on a bucket of their own.
func (c *cluster) startLoad(ctx context.Context, n uint64) *history.Load {
	c.t.Helper()
	seed := uint64(time.Now().UnixNano())
	c.t.Logf("seed %d, lease %v", seed, c.lease)
	l, err := history.Start(ctx, history.Options{
		Gateways: c.gateways(), Bucket: fmt.Sprintf("drill%d", n), AccessKey: c.keys.AccessKey, SecretKey: c.keys.SecretKey,
		Clients: clients, Seed: seed, Pause: pause, AttemptFor: attemptFor, RetryFor: retryFor,
	})
	c.do(err)
	c.t.Cleanup(l.Stop)
	return l
}

// judge stops the load, reads everything back through every gateway, and fails the test for what no correct store would have answered.
func (c *cluster) judge(ctx context.Context, l *history.Load, from time.Duration) {
	c.t.Helper()
	l.Stop()
	f := l.Figures(from, l.Now())
	c.t.Logf("in all:    %v", f)
	if f.Failed > 0 {
		c.t.Errorf("%d requests failed for good; attempts failed with %v", f.Failed, l.Errors())
	}
	if err := l.Verify(ctx); err != nil {
		c.t.Errorf("read everything back: %v", err)
	}
	all := l.History()
	for _, a := range history.Check(all, searchFor) {
		c.t.Error(a)
	}
	c.t.Logf("%d operations checked; attempts failed with %v", len(all), l.Errors())
}

func kill(_ context.Context, _ *cluster, m *member) error { return m.run.Kill() }

func restart(_ context.Context, c *cluster, _ *member) error {
	c.revive()
	return nil
}

func killAndWait(ctx context.Context, c *cluster, m *member) error {
	if err := kill(ctx, c, m); err != nil {
		return err
	}
	c.awaitOwners(c.others(m)...)
	return nil
}

func killAll(ctx context.Context, c *cluster, _ *member) error {
	var errs []error
	for _, m := range c.nodes {
		errs = append(errs, kill(ctx, c, m))
	}
	return errors.Join(errs...)
}

// freeze stops a node wherever it is, and waits until the others have taken everything it had: when it goes on, it does not know.
func freeze(_ context.Context, c *cluster, m *member) error {
	if err := m.run.Pause(); err != nil {
		return err
	}
	c.awaitOwners(c.others(m)...)
	return nil
}

func resume(_ context.Context, _ *cluster, m *member) error { return m.run.Resume() }

// cutPeers lasts longer than a lease. The host renews its own on the mount all the while, so nobody may take its services.
func cutPeers(ctx context.Context, c *cluster, m *member) error {
	if err := c.lab.CutPeers(ctx, m.host); err != nil {
		return err
	}
	timer := time.NewTimer(c.lease * 3 / 2)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func joinPeers(ctx context.Context, c *cluster, m *member) error { return c.lab.JoinPeers(ctx, m.host) }

func cutStorage(ctx context.Context, c *cluster, m *member) error {
	if err := c.lab.CutStorage(ctx, m.host); err != nil {
		return err
	}
	c.awaitOwners(c.others(m)...)
	return nil
}

func joinStorage(ctx context.Context, c *cluster, m *member) error {
	return c.lab.JoinStorage(ctx, m.host)
}

func killServer(ctx context.Context, c *cluster, m *member) error {
	return c.lab.KillServer(ctx, m.host)
}

func startServer(ctx context.Context, c *cluster, m *member) error {
	return c.lab.StartServer(ctx, m.host)
}

// restartEach stops the nodes in good order and starts them, one after the other, as an upgrade does.
func restartEach(t *testing.T, of *cluster) {
	c := *of
	c.t = t
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	l := c.startLoad(ctx, 24)
	c.do(l.Progress(ctx, before))
	began := l.Now()
	for _, m := range c.nodes {
		c.do(m.run.Terminate(ctx))
		c.awaitOwners(c.others(m)...)
		c.start(m)
		c.do(l.Progress(ctx, meanwhile))
		c.awaitOwners(c.nodes...)
	}
	c.judge(ctx, l, began)
}

// stopAndStart writes, stops all nodes in good order, starts them and finds everything.
func stopAndStart(t *testing.T, of *cluster) {
	c := *of
	c.t = t
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	l := c.startLoad(ctx, 25)
	c.do(l.Progress(ctx, before))
	l.Stop()
	stopped := l.Now()
	c.do(c.stopAll(ctx))
	c.revive()
	c.awaitOwners(c.nodes...)
	t.Logf("stopped, and services on all hosts again: %.1f s", (l.Now() - stopped).Seconds())
	c.do(l.Verify(ctx))
	for _, a := range history.Check(l.History(), searchFor) {
		t.Error(a)
	}
}
