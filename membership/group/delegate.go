package group

import (
	"fmt"
	"time"

	"github.com/hashicorp/memberlist"

	"holdfast"
)

// delegate is what memberlist calls, often with its lock held: nothing here blocks, or calls memberlist.
type delegate struct{ *Group }

var (
	_ memberlist.Delegate         = (*delegate)(nil)
	_ memberlist.EventDelegate    = (*delegate)(nil)
	_ memberlist.AliveDelegate    = (*delegate)(nil)
	_ memberlist.ConflictDelegate = (*delegate)(nil)
)

// NodeMeta is memberlist.Delegate: what is said of this host.
func (d *delegate) NodeMeta(int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.meta
}

// NotifyMsg is memberlist.Delegate: a message of another host.
func (d *delegate) NotifyMsg(b []byte) { d.hear(b) }

// GetBroadcasts is memberlist.Delegate: what to pass on with this packet.
func (d *delegate) GetBroadcasts(overhead, limit int) [][]byte {
	return d.queue.GetBroadcasts(overhead, limit)
}

// LocalState is memberlist.Delegate: all hints, for an exchange.
func (d *delegate) LocalState(bool) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Hint, 0, len(d.hints))
	for _, h := range d.hints {
		all = append(all, h)
	}
	return EncodeHints(all)
}

// MergeRemoteState is memberlist.Delegate: all hints of another.
func (d *delegate) MergeRemoteState(b []byte, _ bool) { d.hear(b) }

func (d *delegate) hear(b []byte) {
	hints, err := ParseHints(b)
	if err != nil {
		d.mail.post(Event{Kind: Rejected, Err: err})
		return
	}
	d.learn(hints, true)
}

// NotifyAlive is memberlist.AliveDelegate: it refuses hosts that this one does not understand.
func (d *delegate) NotifyAlive(n *memberlist.Node) error {
	m, err := ParseMember(n.Meta)
	if err == nil && m.Host.String() != n.Name {
		err = holdfast.E("join group", holdfast.Corrupt, fmt.Errorf("host %s calls itself %s", m.Host, n.Name))
	}
	if err != nil {
		d.mail.post(Event{Kind: Rejected, Err: err})
	}
	return err
}

// NotifyJoin is memberlist.EventDelegate: a host came up.
func (d *delegate) NotifyJoin(n *memberlist.Node) { d.change(Joined, n) }

// NotifyUpdate is memberlist.EventDelegate: a host says something else of itself.
func (d *delegate) NotifyUpdate(n *memberlist.Node) { d.change(Updated, n) }

// NotifyLeave is memberlist.EventDelegate: a host said goodbye, or is held dead. Memberlist does not tell which.
func (d *delegate) NotifyLeave(n *memberlist.Node) { d.change(Lost, n) }

// change takes in what memberlist says of a host.
func (d *delegate) change(kind EventKind, n *memberlist.Node) {
	m, err := ParseMember(n.Meta)
	if err != nil {
		return // NotifyAlive has refused it
	}
	p := Peer{Member: m, Gossip: n.Address(), Since: time.Now()}
	d.mu.Lock()
	before, known := d.peers[m.Host]
	switch {
	case known && before.Run == m.Run:
		p.Since = before.Since
	case known && kind == Updated:
		kind = Joined // it restarted before anybody noticed that it was away
	}
	if kind == Lost {
		delete(d.peers, m.Host)
	} else {
		d.peers[m.Host] = p
	}
	self := d.self.Host
	d.mu.Unlock()
	if m.Host != self {
		d.mail.post(Event{Kind: kind, Peer: p})
	}
}

// NotifyConflict is memberlist.ConflictDelegate: another process has the id of a living host.
func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	m, err := ParseMember(existing.Meta)
	if err != nil {
		return // as above
	}
	d.mail.post(Event{
		Kind: Conflicted, Peer: Peer{Member: m, Gossip: existing.Address()},
		Err: holdfast.E("join group", holdfast.Conflict, fmt.Errorf("hosts at %s and %s both have this id", existing.Address(), other.Address())),
	})
}
