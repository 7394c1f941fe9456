package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/protocol"
	"holdfast/node/confdir"
)

// api is the configuration API of a node.
type api struct{ p *Peer }

var _ confrpc.Service = api{}

// Hello implements confrpc.Service; so do the methods below.
func (a api) Hello(_ context.Context, from confrpc.Greeting) (confrpc.Greeting, error) {
	return confrpc.Answer(a.p.greeting(), from)
}

// greeting is who this node is to others.
func (p *Peer) greeting() confrpc.Greeting {
	return confrpc.Greeting{Cluster: p.me.Cluster, Host: p.me.Host.Value, Speaks: protocol.Ours()}
}

// Newest implements confrpc.Service.
func (a api) Newest(ctx context.Context, after uint64, wait time.Duration) (config.Config, error) {
	c := a.p.tracker.wait(ctx, after, wait)
	if err := ctx.Err(); err != nil {
		return config.Config{}, holdfast.E("node.newest", holdfast.Aborted, err)
	}
	return c, nil
}

// Publish implements confrpc.Service. A node without the mount of the log asks one that has it.
func (a api) Publish(ctx context.Context, base uint64, c config.Config) (config.Config, error) {
	const op = "node.publish"
	if c.Cluster != a.p.me.Cluster {
		return config.Config{}, holdfast.E(op, holdfast.Denied, errors.New("the configuration is of another cluster"))
	}
	if home, ok := a.p.home(); ok {
		if err := home.works(); err != nil {
			return config.Config{}, holdfast.E(op, holdfast.Unavailable, err)
		}
		published, err := config.Open(home.fs, home.root).Publish(base, c)
		if err == nil {
			a.p.tracker.offer(published)
		}
		return published, err
	}
	first := a.p.tracker.get().Storages
	for _, m := range a.p.group.Members() {
		if m.Host == a.p.me.Host.Value || len(first) == 0 || !slices.Contains(m.Storages, first[0].Name) {
			continue
		}
		conn, err := a.p.disc.Conn(m.Address)
		if err != nil {
			continue
		}
		published, err := confrpc.NewClient(conn).Publish(ctx, base, c)
		if err == nil {
			a.p.tracker.offer(published)
		}
		if !holdfast.Is(err, holdfast.Unavailable) {
			return published, err
		}
	}
	return config.Config{}, holdfast.E(op, holdfast.Unavailable, errors.New("no node with the mount of the configuration answers"))
}

// Owners implements confrpc.Service.
func (a api) Owners(ctx context.Context, ids []holdfast.ServiceID) ([]confrpc.Owner, error) {
	for _, id := range ids {
		a.p.disc.Doubt(id) // whoever asks has met an old owner
	}
	if err := a.p.disc.Look(ctx, false); err != nil {
		return nil, holdfast.E("node.owners", holdfast.Aborted, err)
	}
	return a.p.disc.Owners(ids), nil
}

// Status implements confrpc.Service.
func (a api) Status(context.Context) (confrpc.Status, error) {
	p := a.p
	s := confrpc.Status{
		Host: p.me.Host.Value, Run: uint64(p.started.UnixNano()), Address: p.me.Address, Uptime: time.Since(p.started),
		Config: p.tracker.get().Version, Leaving: p.leaving.Load(),
	}
	for name, m := range p.mounts {
		st := confrpc.StorageStatus{Name: name, Works: true}
		if err := m.works(); err != nil {
			st.Works, st.Text = false, err.Error()
		}
		s.Storages = append(s.Storages, st)
	}
	s.Services = append(p.agent.status(), p.fronts.status()...)
	return s, nil
}

// Release implements confrpc.Service.
func (a api) Release(ctx context.Context, id holdfast.ServiceID, epoch holdfast.Epoch, to holdfast.HostID) error {
	return a.p.agent.release(ctx, id, epoch, to)
}

// Secrets implements confrpc.Service.
func (a api) Secrets(context.Context) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range confdir.Secrets() {
		b, err := a.p.dir.ReadSecret(name)
		if err != nil {
			return nil, err
		}
		files[name] = b
	}
	return files, nil
}
