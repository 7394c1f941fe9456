package node

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/group"
	"holdfast/membership/protocol"
	"holdfast/node/confdir"
)

// joinGroup joins the gossip of the cluster.
func (p *Peer) joinGroup(c config.Config) error {
	keys, err := p.dir.ReadSecret(confdir.GossipFile)
	if err != nil {
		return err
	}
	parsed, err := group.ParseKeys(keys)
	if err != nil {
		return fmt.Errorf("%s: %w", p.dir.Path(confdir.GossipFile), err)
	}
	bind, err := group.GossipAddress(p.me.Address)
	if err != nil {
		return err
	}
	p.group, err = group.Start(group.Options{
		Cluster: c.Cluster, Self: p.self(), Bind: bind, Keys: parsed, Seeds: p.seeds, OnEvent: p.groupEvent,
		Log: p.log, Registerer: p.registry,
	})
	return err
}

// self is what this host says of itself.
func (p *Peer) self() group.Member {
	return group.Member{
		Host: p.me.Host.Value, Run: uint64(p.started.UnixNano()), Address: p.me.Address, Storages: p.working(),
		Load: group.LoadUnknown, Speaks: protocol.Ours(),
	}
}

// seeds returns the other hosts that there should be.
func (p *Peer) seeds() []group.Seed {
	var seeds []group.Seed
	for _, h := range p.tracker.get().Hosts {
		if at, err := group.GossipAddress(h.Address); err == nil && h.ID.Value != p.me.Host.Value {
			seeds = append(seeds, group.Seed{Host: h.ID.Value, Address: at})
		}
	}
	for _, s := range p.me.Seeds {
		if at, err := group.GossipAddress(s); err == nil {
			seeds = append(seeds, group.Seed{Address: at})
		}
	}
	return seeds
}

// introduce keeps what the others are told of this host up to date until ctx ends.
func (p *Peer) introduce(ctx context.Context) {
	ticker := time.NewTicker(roundEvery)
	defer ticker.Stop()
	run := p.self().Run
	for {
		self := p.self()
		self.Run = run
		if err := p.group.Update(self); err != nil {
			p.log.Warn("others are not told of this host", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// groupEvent takes in what gossip says. The first events may come before the node is whole.
func (p *Peer) groupEvent(e group.Event) {
	<-p.opened
	switch e.Kind {
	case group.Lost:
		for _, m := range p.mounts {
			if s := m.opened(); s != nil {
				s.host.Suspect(e.Peer.Host)
			}
		}
		p.disc.Suspect(e.Peer.Address)
		p.agent.wake()
	case group.Hinted:
		if at := p.addressOf(e.Hint.Host); at != "" {
			p.disc.Learn(confrpc.Owner{Service: e.Hint.Service, Epoch: e.Hint.Epoch, Host: e.Hint.Host, Address: at})
		}
	case group.Joined, group.Updated:
		p.agent.wake()
	}
}

// addressOf returns where a host's node is reached; "" if that is not known.
func (p *Peer) addressOf(host holdfast.HostID) string {
	if m, ok := p.group.Alive(host); ok {
		return m.Address
	}
	h, _ := p.tracker.get().Host(host)
	return h.Address
}

// others returns the addresses of other living nodes, in random order; of all that there should be if none is known to live.
func (p *Peer) others() []string {
	var at []string
	for _, m := range p.group.Members() {
		if m.Host != p.me.Host.Value {
			at = append(at, m.Address)
		}
	}
	if len(at) == 0 {
		for _, h := range p.tracker.get().Hosts {
			if h.ID.Value != p.me.Host.Value && h.Address != "" {
				at = append(at, h.Address)
			}
		}
		at = append(at, p.me.Seeds...)
	}
	rand.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
	return at
}

// anyPeer returns another node, nil if there is none.
func (p *Peer) anyPeer() confrpc.Service {
	for _, at := range p.others() {
		if conn, err := p.disc.Conn(at); err == nil {
			return confrpc.NewClient(conn)
		}
	}
	return nil
}

// source finds owners for the discovery: by owner files, or by asking a node.
type source struct{ p *Peer }

// Owners implements discovery.Source.
func (s source) Owners(ctx context.Context, storage string, ids []holdfast.ServiceID) []confrpc.Owner {
	if m := s.p.mounts[storage]; m != nil {
		if m.opened() == nil {
			return nil // what is there may be an empty directory under a mount that is missing
		}
		return m.owners(ctx, ids)
	}
	for _, at := range s.p.others() {
		conn, err := s.p.disc.Conn(at)
		if err != nil {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, askWithin)
		owners, err := confrpc.NewClient(conn).Owners(asking, ids)
		cancel()
		if err == nil && len(owners) > 0 {
			return owners
		}
	}
	return nil
}
