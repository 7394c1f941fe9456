package group

import (
	"sync"

	"holdfast"
)

// EventKind is what happened.
type EventKind uint8

// The kinds of events.
const (
	Joined     EventKind = iota // Peer came up, or restarted
	Updated                     // Peer says something else of itself
	Lost                        // Peer said goodbye, or is held dead: look at its lease, which tells the two apart
	Hinted                      // Hint is news
	Conflicted                  // two processes have the id of Peer; Err says where
	Rejected                    // a message or a host was not understood; Err says why
	eventKinds
)

// String returns the kind in a word; the words are also the values of the `event` label.
func (k EventKind) String() string {
	return [eventKinds]string{"joined", "updated", "lost", "hinted", "conflicted", "rejected"}[k]
}

// Event is something that the group noticed.
type Event struct {
	Kind EventKind
	Peer Peer  // of Joined, Updated, Lost and Conflicted
	Hint Hint  // of Hinted
	Err  error // of Conflicted and Rejected
}

// mailbox holds events until they are delivered: the last of each host and of each service, one conflict a host, one
// rejection. So it is bounded, and posting never waits.
type mailbox struct {
	mu      sync.Mutex
	pending []Event
	index   map[letter]int // of pending
	wake    chan struct{}
}

// letter is what events replace one another by.
type letter struct {
	what    EventKind
	host    holdfast.HostID
	service holdfast.ServiceID
}

func newMailbox() *mailbox {
	return &mailbox{index: map[letter]int{}, wake: make(chan struct{}, 1)}
}

func (m *mailbox) post(e Event) {
	key := letter{what: e.Kind, host: e.Peer.Host, service: e.Hint.Service}
	if e.Kind <= Lost {
		key.what = Joined // one of these for a host
	}
	m.mu.Lock()
	if i, there := m.index[key]; there {
		if e.Kind == Updated && m.pending[i].Kind == Joined {
			e.Kind = Joined // still news
		}
		m.pending[i] = e
	} else {
		m.index[key] = len(m.pending)
		m.pending = append(m.pending, e)
	}
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default: // it is awake
	}
}

func (m *mailbox) take() []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.pending
	m.pending = nil
	clear(m.index)
	return taken
}

// deliver logs events and gives them to OnEvent until the group stops.
func (g *Group) deliver() {
	for {
		select {
		case <-g.stop:
			return
		case <-g.mail.wake:
		}
		for _, e := range g.mail.take() {
			g.metrics.events.WithLabelValues(e.Kind.String()).Inc()
			g.logEvent(e)
			if g.opt.OnEvent != nil {
				g.opt.OnEvent(e)
			}
		}
	}
}

func (g *Group) logEvent(e Event) {
	log := g.opt.Log
	switch e.Kind {
	case Joined:
		log.Info("group: host came up", "host", e.Peer.Host, "address", e.Peer.Address, "run", e.Peer.Run)
	case Lost:
		log.Warn("group: host left or is held dead", "host", e.Peer.Host, "address", e.Peer.Address, "run", e.Peer.Run)
	case Conflicted:
		log.Error("group: two hosts with one id", "host", e.Peer.Host, "err", e.Err)
	case Rejected:
		log.Warn("group: a message was refused", "err", e.Err)
	case Hinted:
		log.Debug("group: hint", "service", e.Hint.Service, "owner", e.Hint.Host, "epoch", e.Hint.Epoch)
	case Updated:
		log.Debug("group: host says something else", "host", e.Peer.Host, "storages", e.Peer.Storages, "load", e.Peer.Load)
	}
}
