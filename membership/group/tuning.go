package group

import (
	"fmt"
	"log"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"
)

// Tuning is how quickly things are noticed, paid for in messages. Every probe is one small datagram and its answer, whatever
// the number of hosts.
type Tuning struct {
	// Probe is how often each host asks another whether it is alive; ProbeTimeout is how long it waits before it has others
	// ask too, which they may do for the rest of Probe.
	Probe        time.Duration
	ProbeTimeout time.Duration
	// Suspicion times Probe, and a little more in groups of more than ten, is how long a host that did not answer has to
	// object before it is held dead.
	Suspicion int
	// Gossip is how often news is passed on to some others.
	Gossip time.Duration
	// Exchange is how often two hosts compare all they know.
	Exchange time.Duration
	// Rejoin is how often seeds that are not among the living are asked.
	Rejoin time.Duration
}

// DefaultTuning finds a dead host after about two probes and a second of suspicion: three hosts were measured to take 1.5 to 2.5 s,
// and half a percent of a core each. Several that vanish at a time take longer, because a host that hears from few others slows down.
func DefaultTuning() Tuning {
	return Tuning{
		Probe: 500 * time.Millisecond, ProbeTimeout: 250 * time.Millisecond, Suspicion: 2,
		Gossip: 100 * time.Millisecond, Exchange: 15 * time.Second, Rejoin: 5 * time.Second,
	}
}

const (
	retransmitMult = 4               // news is passed on this many times the logarithm of the number of hosts
	streamTimeout  = 2 * time.Second // of a connection that carries an exchange
	leaveTimeout   = time.Second
	reclaimTime    = time.Second // after which a dead host may come back with another address
	maxSlowdown    = 4           // of probing on a host that is itself in trouble, so that it does not suspect everybody
)

func (g *Group) memberlistConfig() (*memberlist.Config, error) {
	bind, err := bindAddress("bind", g.opt.Bind)
	if err != nil {
		return nil, err
	}
	c := memberlist.DefaultLANConfig()
	c.Name = g.opt.Self.Host.String()
	c.Label = "holdfast/" + g.opt.Cluster
	c.BindAddr, c.BindPort = bind.Addr().String(), int(bind.Port())
	c.AdvertiseAddr, c.AdvertisePort = "", int(bind.Port())
	if g.opt.Advertise != "" {
		at, err := bindAddress("advertise", g.opt.Advertise)
		if err != nil {
			return nil, err
		}
		c.AdvertiseAddr, c.AdvertisePort = at.Addr().String(), int(at.Port())
	} else if bind.Addr().IsUnspecified() {
		return nil, fmt.Errorf("bind: %q says nothing that others could reach, and there is no address to advertise", g.opt.Bind)
	}
	c.Keyring = g.keyring
	c.EnableCompression = false // the messages are small

	t := g.opt.Tuning
	c.ProbeInterval, c.ProbeTimeout = t.Probe, t.ProbeTimeout
	c.GossipInterval, c.PushPullInterval = t.Gossip, t.Exchange
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = t.Suspicion, 1
	c.RetransmitMult, c.TCPTimeout = retransmitMult, streamTimeout
	c.DeadNodeReclaimTime, c.AwarenessMaxMultiplier = reclaimTime, maxSlowdown

	d := &delegate{g}
	c.Delegate, c.Events, c.Alive, c.Conflict = d, d, d, d
	c.Logger = log.New(&logWriter{log: g.opt.Log}, "", 0)
	return c, nil
}

func splitAddress(s string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return host, int(n), err
}

func joinAddress(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
