package group

import (
	"encoding/binary"
	"fmt"

	"github.com/hashicorp/memberlist"

	"holdfast"
)

// Hint says where a service is. It grants nothing and proves nothing; it saves a look at the mount.
type Hint struct {
	Service holdfast.ServiceID
	Host    holdfast.HostID // 0: its owner released it
	Epoch   holdfast.Epoch
}

// newer reports whether h says more than known: a later epoch, or the end of the same.
func (h Hint) newer(known Hint) bool {
	return h.Epoch > known.Epoch || h.Epoch == known.Epoch && h.Host == 0 && known.Host != 0
}

// MaxHints bounds how many services a host keeps hints of.
const MaxHints = 10_000

// hintTable has the newest hint of each service.
type hintTable map[holdfast.ServiceID]Hint

// learn takes a hint in and reports whether it is news.
func (t hintTable) learn(h Hint) bool {
	known, there := t[h.Service]
	if there && !h.newer(known) || !there && len(t) >= MaxHints {
		return false
	}
	t[h.Service] = h
	return true
}

const (
	hintsFormat = 1
	hintSize    = 24
)

// EncodeHints writes hints for gossip: the format, 1, then for each 8 bytes of service, host and epoch, big-endian.
func EncodeHints(hints []Hint) []byte {
	b := make([]byte, 0, 1+hintSize*len(hints))
	b = append(b, hintsFormat)
	for _, h := range hints {
		b = binary.BigEndian.AppendUint64(b, uint64(h.Service))
		b = binary.BigEndian.AppendUint64(b, uint64(h.Host))
		b = binary.BigEndian.AppendUint64(b, uint64(h.Epoch))
	}
	return b
}

// ParseHints reads what EncodeHints wrote. Errors: Corrupt; Unsupported for another format.
func ParseHints(b []byte) ([]Hint, error) {
	switch {
	case len(b) > 0 && b[0] != hintsFormat:
		return nil, holdfast.E("decode hints", holdfast.Unsupported, fmt.Errorf("format %d, want %d", b[0], hintsFormat))
	case len(b)%hintSize != 1 || len(b) > 1+hintSize*MaxHints:
		return nil, holdfast.E("decode hints", holdfast.Corrupt, fmt.Errorf("%d bytes", len(b)))
	}
	var hints []Hint
	for b = b[1:]; len(b) > 0; b = b[hintSize:] {
		hints = append(hints, Hint{
			Service: holdfast.ServiceID(binary.BigEndian.Uint64(b)),
			Host:    holdfast.HostID(binary.BigEndian.Uint64(b[8:])),
			Epoch:   holdfast.Epoch(binary.BigEndian.Uint64(b[16:])),
		})
	}
	return hints, nil
}

// learn takes hints in and passes news on; heard says that they came from another host.
func (g *Group) learn(hints []Hint, heard bool) {
	for _, h := range hints {
		g.mu.Lock()
		news := g.hints.learn(h)
		g.mu.Unlock()
		if !news {
			continue
		}
		g.queue.QueueBroadcast(hintBroadcast{h})
		if heard {
			g.mail.post(Event{Kind: Hinted, Hint: h})
		}
	}
}

// hintBroadcast is a hint on its way. The queue holds one for each service, the newest.
type hintBroadcast struct{ hint Hint }

var _ memberlist.NamedBroadcast = hintBroadcast{}

// Name is memberlist.NamedBroadcast.
func (b hintBroadcast) Name() string { return b.hint.Service.String() }

// Invalidates is memberlist.Broadcast.
func (b hintBroadcast) Invalidates(other memberlist.Broadcast) bool {
	o, ok := other.(hintBroadcast)
	return ok && o.hint.Service == b.hint.Service
}

// Message is memberlist.Broadcast.
func (b hintBroadcast) Message() []byte { return EncodeHints([]Hint{b.hint}) }

// Finished is memberlist.Broadcast.
func (b hintBroadcast) Finished() {}
