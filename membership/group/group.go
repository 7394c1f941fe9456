// Package group tells a host which other hosts are alive, by encrypted gossip (hashicorp/memberlist): where they are, what they mount,
// how busy they are, and which of them is said to own which service.
//
// Its invariant: whatever it says is a hint. It may be late, and two hosts may hold each other dead while both live. A host that is
// said to be dead is one whose lease is worth a look; only what lies on the mount (packages lease and takeover) says that it may
// be succeeded. A process that was paused learns nothing here of having been held dead.
//
// A host that dies without a word is found in one to three seconds (see [Tuning]). Memberlist does not heal a partition by
// itself, so the group keeps asking seeds that are not among the living: a host that was cut off, or all of them after a full
// restart, find one another again within some seconds.
//
// Who holds a key of the cluster ([Key]) is believed. Messages can be replayed by one who does not, which may make hints older
// than they are, not different from what was once said.
package group

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

// Options say who this host is, and how it finds the others.
type Options struct {
	Cluster string // from the configuration; hosts of other clusters are not heard
	Self    Member
	// Bind is the IP address and port of gossip, UDP and TCP. Port 0 takes a free one.
	Bind string
	// Advertise is what others are told instead of Bind; needed if Bind is an unspecified address.
	Advertise string
	// Keys encrypt and authenticate gossip. The first is used, the others are understood: see [Group.SetKeys].
	Keys []Key
	// Seeds returns the other hosts that there should be. It is asked every time anew, so it may follow the configuration.
	Seeds func() []Seed
	// OnEvent is told of changes, one at a time, on a goroutine of the group. It may be nil. While it works, further changes wait,
	// and newer ones of the same host or service take the place of older ones. It must not call Close, which waits for it.
	OnEvent func(Event)

	Log        *slog.Logger          // nil: nothing is logged
	Registerer prometheus.Registerer // nil: nobody collects
	Tuning     Tuning                // zero: DefaultTuning
}

// Seed is a host that should be in the group.
type Seed struct {
	Host    holdfast.HostID // 0 if not known
	Address string          // of its gossip, host:port
}

// Peer is a living host as gossip has it.
type Peer struct {
	Member
	Gossip string    // address of its gossip
	Since  time.Time // when it was last seen to come up, by the clock of this process
}

// Group is this host among the others. Safe for concurrent use.
type Group struct {
	opt     Options
	started time.Time
	list    *memberlist.Memberlist // calls back with its own lock held: never called with mu held
	keyring *memberlist.Keyring
	queue   *memberlist.TransmitLimitedQueue // hints to pass on
	mail    *mailbox
	metrics *metrics

	mu    sync.Mutex
	self  Member
	meta  []byte // self, encoded
	peers map[holdfast.HostID]Peer
	hints hintTable

	stop      chan struct{}
	running   sync.WaitGroup
	closeOnce sync.Once
	closeErr  error
}

// Start joins the group and stays in it until Close. It does not wait for others, and it is no error that there are none.
// Errors: Invalid for options that make no sense; Unavailable if the address to bind is not to be had.
func Start(opt Options) (*Group, error) {
	if opt.Tuning == (Tuning{}) {
		opt.Tuning = DefaultTuning()
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Seeds == nil {
		opt.Seeds = func() []Seed { return nil }
	}
	meta, err := opt.Self.Encode()
	if err != nil {
		return nil, err
	}
	g := &Group{
		opt: opt, started: time.Now(), mail: newMailbox(),
		self: opt.Self, meta: meta, peers: map[holdfast.HostID]Peer{}, hints: hintTable{},
		stop: make(chan struct{}),
	}
	g.queue = &memberlist.TransmitLimitedQueue{NumNodes: g.count, RetransmitMult: retransmitMult}
	if g.keyring, err = newKeyring(opt.Keys); err != nil {
		return nil, startError(err)
	}
	conf, err := g.memberlistConfig()
	if err != nil {
		return nil, startError(err)
	}
	if g.list, err = memberlist.Create(conf); err != nil {
		return nil, holdfast.E("join group", holdfast.Unavailable, err)
	}
	g.metrics = newMetrics(g)
	g.running.Go(g.deliver)
	g.running.Go(g.rejoin)
	return g, nil
}

func startError(err error) error { return holdfast.E("join group", holdfast.Invalid, err) }

// Close says goodbye to the others, so that they need not suspect this host, and leaves. It waits for the group's goroutines and for
// calls of OnEvent.
func (g *Group) Close() error {
	return g.close(func() {
		if err := g.list.Leave(leaveTimeout); err != nil { // they will find out
			g.opt.Log.Warn("group: goodbye was not heard", "err", err)
		}
	})
}

func (g *Group) close(leave func()) error {
	g.closeOnce.Do(func() {
		close(g.stop)
		leave()
		g.closeErr = g.list.Shutdown()
		g.running.Wait()
		g.metrics.unregister()
	})
	return g.closeErr
}

// Up returns how long this host has been in the group.
func (g *Group) Up() time.Duration { return time.Since(g.started) }

// Address returns where gossip of this host is reached.
func (g *Group) Address() string { return g.list.LocalNode().Address() }

// Members returns the hosts that are alive, this one included, by id.
func (g *Group) Members() []Peer {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Peer, 0, len(g.peers))
	for _, p := range g.peers {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Peer) int { return cmp.Compare(a.Host, b.Host) })
	return all
}

// Alive returns a host, false if it is not known or held dead.
func (g *Group) Alive(host holdfast.HostID) (Peer, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := g.peers[host]
	return p, ok
}

func (g *Group) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(len(g.peers), 1)
}

// Update changes what the others are told of this host, except its id and run. It does not wait until they have heard. Each change is
// gossiped to all hosts: load should be rounded, and updated every few seconds at most.
func (g *Group) Update(self Member) error {
	meta, err := self.Encode()
	if err != nil {
		return err
	}
	g.mu.Lock()
	if self.Host != g.self.Host || self.Run != g.self.Run {
		g.mu.Unlock()
		return holdfast.E("update group member", holdfast.Invalid, errors.New("id and run do not change"))
	}
	same := string(meta) == string(g.meta)
	g.self, g.meta = self, meta
	g.mu.Unlock()
	if !same {
		_ = g.list.UpdateNode(time.Nanosecond) // its only error is that the others have not heard yet
	}
	return nil
}

// Tell spreads what this host knows of the owner of a service. Older hints of it are forgotten.
func (g *Group) Tell(h Hint) { g.learn([]Hint{h}, false) }

// Hint returns the newest that is said of a service's owner, false if nothing is.
func (g *Group) Hint(service holdfast.ServiceID) (Hint, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h, ok := g.hints[service]
	return h, ok
}

// SetKeys replaces the keys while the group runs. To change the key of a cluster: give every host the old key and then the new, then
// every host the new and then the old, then the new alone.
func (g *Group) SetKeys(keys []Key) error {
	if len(keys) == 0 || len(keys) > MaxKeys {
		return holdfast.E("set group keys", holdfast.Invalid, fmt.Errorf("%d keys, want 1 to %d", len(keys), MaxKeys))
	}
	for _, k := range keys {
		if err := g.keyring.AddKey(k[:]); err != nil {
			return holdfast.E("set group keys", holdfast.Invalid, err)
		}
	}
	if err := g.keyring.UseKey(keys[0][:]); err != nil {
		return holdfast.E("set group keys", holdfast.Invalid, err)
	}
	for _, old := range g.keyring.GetKeys() {
		if !slices.Contains(keys, Key(old)) {
			if err := g.keyring.RemoveKey(old); err != nil {
				return holdfast.E("set group keys", holdfast.Invalid, err)
			}
		}
	}
	return nil
}

// GossipAddress returns where a node whose RPC is reached at an address gossips: on the next port.
func GossipAddress(node string) (string, error) {
	host, port, err := splitAddress(node)
	if err != nil || port == 0 || port == 65535 {
		return "", holdfast.E("gossip address", holdfast.Invalid, fmt.Errorf("%q is not host:port with another port after it", node))
	}
	return joinAddress(host, port+1), nil
}

// bindAddress reads an address that has an IP.
func bindAddress(what, s string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(s)
	if err != nil {
		return at, fmt.Errorf("%s: %q is not an IP address and port", what, s)
	}
	return at, nil
}
