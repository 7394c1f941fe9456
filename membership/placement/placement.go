// Package placement decides where services should run: a pure function from the configuration and what a host sees of the
// cluster to a desired host for every service. It has no clock, no I/O and no goroutine.
//
// Its invariant: equal input gives an equal plan, so that agents that see the same agree without talking. It grants
// nothing. Agents that see different things may want the same service; the claims on the mount let one of them have it,
// and both find its owner in their next [View].
//
// The rules, strongest first:
//
//  1. A service goes only to a host that is alive, is in the configuration and has the service's storage mounted.
//  2. A service whose owner is gone is placed at once.
//  3. A service that an operator bound runs on its host while that host can take it.
//  4. A host that drains keeps a service only if no other host can take it. Draining is stronger than binding.
//  5. Name servers and object servers are each spread evenly: no service is on a host while another that may take it
//     has two fewer of that type. What is bound counts but does not move for it.
//  6. Nothing else moves. A plan holds at most [MovesPerRound] moves away from a living owner, so a host that
//     comes back gets its share back step by step, and to even out only when it has been back for [SettleTime].
package placement

import (
	"cmp"
	"slices"
	"time"

	"holdfast"
	"holdfast/membership/config"
)

const (
	// MovesPerRound bounds the moves of one plan away from hosts that are alive. A move stays in the plans until the service
	// has its new owner, so this is also how many such moves are under way at a time. Moves of services whose owner is gone
	// are not counted: those services stand still until they move.
	MovesPerRound = 4

	// SettleTime is how long a host must have been back before services move to it only to even out, so that a host
	// that comes and goes does not take services along.
	SettleTime = 30 * time.Second

	// JoinGrace is how long a host that starts waits to see the others before it takes what is not its own: after a
	// full restart the first host would else take everything.
	JoinGrace = 3 * time.Second
)

// View is what one host sees of the cluster. All of it is hints.
type View struct {
	// Up is how long the observer has been looking.
	Up time.Duration
	// Hosts are those that are alive, the observer included.
	Hosts map[holdfast.HostID]Host
	// Owners are the present owners by the owner files; a service that never had one is not in it.
	Owners map[holdfast.ServiceID]holdfast.HostID
}

// Host is a host that is alive.
type Host struct {
	Back     time.Duration // since it was last seen to come up
	Storages []string      // names of the storages that work on it now
}

// Reason is why a service is where a plan has it.
type Reason uint8

// The reasons. After Stays, Waits and Nowhere there is nothing to do.
const (
	Stays    Reason = iota // it runs where it should
	Orphaned               // its owner is gone, cannot run it any more, or it never had one
	Bound                  // an operator bound it there
	Drained                // its owner drains
	Evened                 // its owner has too many
	Waits                  // it should move, but not in this round, or it is too early to tell
	Nowhere                // no living host can run it
)

// String returns the reason in a word.
func (r Reason) String() string {
	return [...]string{"stays", "orphaned", "bound", "drained", "evened", "waits", "nowhere"}[r]
}

// Assignment is the desired place of a service.
type Assignment struct {
	Service holdfast.ServiceID
	From    holdfast.HostID // the present owner, alive or not; 0: none
	To      holdfast.HostID // 0: nowhere
	Why     Reason
}

// Moves reports whether To is to take the service over.
func (a Assignment) Moves() bool { return a.To != 0 && a.From != a.To }

// Plan has an assignment for every service of the configuration, in order of their ids.
type Plan []Assignment

// Of returns what a host should run: what it should take and what it should keep.
func (p Plan) Of(host holdfast.HostID) []Assignment {
	var of []Assignment
	for _, a := range p {
		if a.To == host {
			of = append(of, a)
		}
	}
	return of
}

// Compute returns the plan for a configuration that is valid. It changes neither argument. A service that nobody runs and
// somebody could keeps all others from being evened out until it runs.
func Compute(c config.Config, v View) Plan {
	b := newBoard(c, v)
	orphans := b.keep()
	if v.Up < JoinGrace && !b.complete {
		b.wait(orphans)
		return b.plan()
	}
	adopted := b.adopt(orphans)
	b.obeyBinds()
	b.drain()
	if adopted == 0 {
		b.even() // else later: first the services that stand still, on hosts that nothing else disturbs
	}
	return b.plan()
}

// board is a plan in the making.
type board struct {
	hosts    []*host // alive and in the configuration, by id
	services []*service
	complete bool // every host of the configuration is alive
	moves    int  // left in this round
}

type host struct {
	id       holdfast.HostID
	storages map[string]bool
	drains   bool
	settled  bool
	counts   [2]int                       // of object and name servers
	volumes  map[holdfast.VolumeID][2]int // the same, by volume
}

type service struct {
	config.Service
	kind int // index of counts
	from holdfast.HostID
	at   *host // nil: nowhere
	why  Reason
}

func (s *service) id() holdfast.ServiceID { return s.ID.Value }

func newBoard(c config.Config, v View) *board {
	b := &board{complete: true, moves: MovesPerRound}
	for _, h := range c.Hosts {
		seen, alive := v.Hosts[h.ID.Value]
		if !alive {
			b.complete = false
			continue
		}
		on := &host{
			id: h.ID.Value, storages: map[string]bool{}, drains: h.Drain, settled: seen.Back >= SettleTime,
			volumes: map[holdfast.VolumeID][2]int{},
		}
		for _, name := range seen.Storages {
			on.storages[name] = slices.Contains(h.Storages, name)
		}
		b.hosts = append(b.hosts, on)
	}
	slices.SortFunc(b.hosts, func(x, y *host) int { return cmp.Compare(x.id, y.id) })
	for _, s := range c.Services {
		one := &service{Service: s, from: v.Owners[s.ID.Value]}
		if s.ID.Value.Type() == holdfast.TypeNameServer {
			one.kind = 1
		}
		b.services = append(b.services, one)
	}
	slices.SortFunc(b.services, func(x, y *service) int { return cmp.Compare(x.id(), y.id()) })
	return b
}

// put places a service.
func (s *service) put(on *host, why Reason) {
	s.count(-1)
	s.at, s.why = on, why
	s.count(1)
}

func (s *service) count(by int) {
	if s.at == nil {
		return
	}
	s.at.counts[s.kind] += by
	of := s.at.volumes[s.Volume.Value]
	of[s.kind] += by
	s.at.volumes[s.Volume.Value] = of
}

// keep leaves services with owners that can go on, and returns the others.
func (b *board) keep() (orphans []*service) {
	for _, s := range b.services {
		on := b.host(s.from)
		if on == nil || !on.storages[s.Storage] {
			orphans = append(orphans, s)
			continue
		}
		s.put(on, Stays)
	}
	return orphans
}

func (b *board) host(id holdfast.HostID) *host {
	i, found := slices.BinarySearchFunc(b.hosts, id, func(h *host, id holdfast.HostID) int { return cmp.Compare(h.id, id) })
	if !found {
		return nil
	}
	return b.hosts[i]
}

// wait leaves orphans nowhere until more is known.
func (b *board) wait(orphans []*service) {
	for _, s := range orphans {
		s.why = Waits
	}
}

// adopt places services that nobody runs, and returns how many it could.
func (b *board) adopt(orphans []*service) (adopted int) {
	for _, s := range orphans {
		to := b.bind(s)
		if to == nil {
			to = b.emptiest(s, func(h *host) bool { return !h.drains })
		}
		if to == nil { // a draining host is better than none
			to = b.emptiest(s, func(*host) bool { return true })
		}
		if to == nil {
			s.why = Nowhere
			continue
		}
		s.put(to, Orphaned)
		adopted++
	}
	return adopted
}

// bind returns the host that a service is bound to if it can have it.
func (b *board) bind(s *service) *host {
	if s.Bind == nil {
		return nil
	}
	on := b.host(s.Bind.Value)
	if on == nil || on.drains || !on.storages[s.Storage] {
		return nil
	}
	return on
}

// emptiest returns the host with the fewest services of the type among those that may take s, nil if there is none.
// Among equals it is the one with the fewest of the volume, then with the fewest of all, then with the lowest id.
func (b *board) emptiest(s *service, may func(*host) bool) *host {
	var best *host
	for _, h := range b.hosts {
		if h.storages[s.Storage] && may(h) && (best == nil || s.weigh(h, best) < 0) {
			best = h
		}
	}
	return best
}

// weigh compares two hosts as places for s.
func (s *service) weigh(x, y *host) int {
	return cmp.Or(
		cmp.Compare(x.counts[s.kind], y.counts[s.kind]),
		cmp.Compare(x.volumes[s.Volume.Value][s.kind], y.volumes[s.Volume.Value][s.kind]),
		cmp.Compare(x.counts[0]+x.counts[1], y.counts[0]+y.counts[1]),
	)
}

// move moves a service from a living host if the round has a move left.
func (b *board) move(s *service, to *host, why Reason) {
	if b.moves == 0 {
		s.why = Waits
		return
	}
	b.moves--
	s.put(to, why)
}

// obeyBinds brings bound services home.
func (b *board) obeyBinds() {
	for _, s := range b.services {
		if to := b.bind(s); to != nil && s.at != nil && s.at != to {
			b.move(s, to, Bound)
		}
	}
}

// drain empties hosts that are to be empty, as far as others can take their services.
func (b *board) drain() {
	for _, s := range b.services {
		if s.at == nil || !s.at.drains || s.why != Stays {
			continue
		}
		if to := b.emptiest(s, func(h *host) bool { return !h.drains }); to != nil {
			b.move(s, to, Drained)
		}
	}
}

// even moves services one by one, each from where there are most to where there are fewest, until no move makes it more even
// or the round has none left. Every move lowers the sum of the squares of the counts, so it ends.
func (b *board) even() {
	for b.moves > 0 {
		s, to := b.mostUneven()
		if s == nil {
			return
		}
		b.move(s, to, Evened)
	}
}

// mostUneven returns the move that evens out most; of equals the one that evens out its volume most, then that of the lowest
// service. Nil if there is none.
func (b *board) mostUneven() (moved *service, to *host) {
	most, mostOfVolume := 2, -len(b.services)-1 // a difference of one cannot be made smaller
	fewest := b.fewest()
	for _, s := range b.services {
		if s.at == nil || s.why != Stays || s.at.drains || s.at.counts[s.kind]-fewest[s.kind] < most || b.bind(s) == s.at {
			continue
		}
		h := b.emptiest(s, (*host).open)
		if h == nil {
			continue
		}
		over := s.at.counts[s.kind] - h.counts[s.kind]
		ofVolume := s.at.volumes[s.Volume.Value][s.kind] - h.volumes[s.Volume.Value][s.kind]
		if over > most || over == most && ofVolume > mostOfVolume {
			moved, to, most, mostOfVolume = s, h, over, ofVolume
		}
	}
	return moved, to
}

// open reports whether services may move to the host only to even out.
func (h *host) open() bool { return h.settled && !h.drains }

// fewest returns the lowest counts of open hosts: what no service can find less than.
func (b *board) fewest() [2]int {
	lowest := [2]int{len(b.services), len(b.services)}
	for _, h := range b.hosts {
		if h.open() {
			lowest[0], lowest[1] = min(lowest[0], h.counts[0]), min(lowest[1], h.counts[1])
		}
	}
	return lowest
}

func (b *board) plan() Plan {
	p := make(Plan, 0, len(b.services))
	for _, s := range b.services {
		a := Assignment{Service: s.id(), From: s.from, Why: s.why}
		if s.at != nil {
			a.To = s.at.id
		}
		p = append(p, a)
	}
	return p
}
