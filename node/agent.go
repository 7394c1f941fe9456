package node

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/group"
	"holdfast/membership/placement"
)

// Bounds of the agent.
const (
	roundEvery = time.Second
	// settle is how long the agent lets news come together before it acts on them.
	settle = 10 * time.Millisecond
	// A takeover that failed is tried again after a pause that doubles.
	firstTry = 100 * time.Millisecond
	maxTry   = 10 * time.Second
	// releaseWithin bounds how long a living owner may take to give a service up; askWithin is what is spent on one that is held dead, while
	// its lease is being watched anyway.
	releaseWithin = closeWithin + 5*time.Second
	askWithin     = 1500 * time.Millisecond
	// maxFollowed is how large a cluster may be for every host to watch the lease of every other.
	maxFollowed = 16
	// openGrace is how long a host that came up is taken to have its storages, though it has not opened them yet.
	openGrace = 5 * time.Second
	// graceGiven is how long a service that was given up is left to the host it was given to.
	graceGiven = 10 * time.Second
	// lookAllEvery is how often all owners are looked up, against hints that were lost.
	lookAllEvery = time.Minute
)

// agent makes this host run the services that placement gives it: it takes what nobody runs, asks living owners for what should move
// here, and gives up what it is asked for. It decides on hints; the claims on the mount arbitrate.
type agent struct {
	p       *Peer
	log     *slog.Logger
	kick    chan struct{} // of capacity 1
	metrics *agentMetrics

	mu    sync.Mutex
	tasks map[holdfast.ServiceID]*task // guarded by mu
	work  sync.WaitGroup
}

// task is what the agent is at with a service. Guarded by the agent's mu.
type task struct {
	busy     bool     // between the decision to take it and its end
	svc      *service // nil: not begun
	epoch    holdfast.Epoch
	failures int
	next     time.Time // not before
	left     bool      // it was open here and did not end in good order
}

func newAgent(p *Peer) *agent {
	return &agent{
		p: p, log: p.log, kick: make(chan struct{}, 1), metrics: newAgentMetrics(p.registry),
		tasks: make(map[holdfast.ServiceID]*task),
	}
}

// wake has a round made soon.
func (a *agent) wake() {
	select {
	case a.kick <- struct{}{}:
	default: // one is coming
	}
}

// run makes rounds until ctx ends, and waits for what it began.
func (a *agent) run(ctx context.Context) {
	ticker := time.NewTicker(roundEvery)
	defer ticker.Stop()
	defer a.work.Wait()
	var lookedAll time.Time
	for {
		all := time.Since(lookedAll) >= lookAllEvery
		if all {
			lookedAll = time.Now()
		}
		if a.p.disc.Look(ctx, all) == nil && !a.p.leaving.Load() {
			a.round(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			continue
		case <-a.kick:
		}
		timer := time.NewTimer(settle)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// round computes the plan and begins what it asks of this host.
func (a *agent) round(ctx context.Context) {
	c := a.p.tracker.get()
	view := a.view(c)
	storages := make(map[holdfast.ServiceID]config.Service, len(c.Services))
	for _, s := range c.Services {
		storages[s.ID.Value] = s
	}
	for _, as := range placement.Compute(c, view) {
		if (as.To == a.p.me.Host.Value || a.leftBehind(as)) && a.p.disc.Asked(as.Service) {
			_, alive := view.Hosts[as.From]
			a.consider(ctx, c, storages[as.Service], as, alive)
		}
	}
	a.dismiss(storages)
	a.follow(c)
}

// leftBehind reports whether a service that should go elsewhere is stuck with this host: it is still said to have it, but the engine
// did not end in good order. As long as this host is alive nobody else may take it, so it takes the service again, under a new epoch,
// and gives it away after that.
func (a *agent) leftBehind(as placement.Assignment) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tasks[as.Service]
	return as.From == a.p.me.Host.Value && t != nil && t.left
}

// follow has the leases of the other hosts watched, in a cluster of a size that this is cheap for. In larger ones a lease is watched
// from the moment that gossip loses the host.
func (a *agent) follow(c config.Config) {
	if len(c.Hosts) > maxFollowed {
		return
	}
	for name, m := range a.p.mounts {
		s := m.opened()
		if s == nil {
			continue
		}
		var others []holdfast.HostID
		for _, h := range c.Hosts {
			if h.ID != a.p.me.Host && slices.Contains(h.Storages, name) {
				others = append(others, h.ID.Value)
			}
		}
		s.host.Follow(others)
	}
}

// view is what this host sees of the cluster.
func (a *agent) view(c config.Config) placement.View {
	p := a.p
	v := placement.View{Up: time.Since(p.started), Hosts: map[holdfast.HostID]placement.Host{}, Owners: map[holdfast.ServiceID]holdfast.HostID{}}
	seen := func(host holdfast.HostID, back time.Duration, storages []string) {
		if h, ok := c.Host(host); ok && back < openGrace {
			storages = h.Storages // it may not have opened them yet
		}
		v.Hosts[host] = placement.Host{Back: back, Storages: storages}
	}
	for _, m := range p.group.Members() {
		seen(m.Host, time.Since(m.Since), m.Storages)
	}
	me := p.me.Host.Value
	seen(me, time.Since(p.started), p.working())
	for _, o := range p.disc.Owners(nil) {
		v.Owners[o.Service] = o.Host
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, t := range a.tasks {
		if t.epoch > 0 {
			v.Owners[id] = me
		}
	}
	return v
}

// consider begins to take a service unless that is under way, failed a moment ago, or the service was just given away.
func (a *agent) consider(ctx context.Context, c config.Config, s config.Service, as placement.Assignment, alive bool) {
	m := a.p.mounts[s.Storage]
	if m == nil {
		return
	}
	store := m.opened()
	if store == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tasks[as.Service]
	if t == nil {
		t = new(task)
		a.tasks[as.Service] = t
	}
	if t.busy || time.Now().Before(t.next) {
		return
	}
	t.busy = true
	d := a.p.duty(c, s)
	a.log.Info("taking service", "service", d.id.String(), "why", as.Why.String(), "from", as.From.String())
	a.work.Go(func() {
		if as.From != a.p.me.Host.Value && as.From != 0 {
			if err := a.ask(ctx, d.id, as.From, alive); err != nil {
				a.ended(d.id, err)
				return
			}
		}
		began := time.Now()
		svc := store.run(ctx, d, func(e holdfast.Epoch) {
			a.metrics.took.Observe(time.Since(began).Seconds())
			a.opened(d.id, e)
		}, func(err error) { a.ended(d.id, err) })
		a.mu.Lock()
		t.svc = svc
		a.mu.Unlock()
	})
}

// ask asks the present owner to give a service up. An error says that there is no point in taking it now.
func (a *agent) ask(ctx context.Context, id holdfast.ServiceID, from holdfast.HostID, alive bool) error {
	owners := a.p.disc.Owners([]holdfast.ServiceID{id})
	if len(owners) == 0 || owners[0].Host != from {
		return nil
	}
	within := askWithin
	if alive {
		within = releaseWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := a.p.disc.Conn(owners[0].Address)
	if err != nil {
		return nil // the lease decides
	}
	err = confrpc.NewClient(conn).Release(ctx, id, owners[0].Epoch, a.p.me.Host.Value)
	if err != nil && alive && holdfast.Is(err, holdfast.NotOwner) {
		return err // it is somebody else's by now
	}
	if err != nil {
		a.log.Info("service not handed over, the lease decides", "service", id.String(), "from", from.String(), "error", err)
	}
	return nil
}

// opened is told that a service serves here.
func (a *agent) opened(id holdfast.ServiceID, e holdfast.Epoch) {
	a.mu.Lock()
	if t := a.tasks[id]; t != nil {
		t.epoch, t.failures, t.left = e, 0, false
	}
	a.mu.Unlock()
	a.metrics.takeovers.WithLabelValues("ok").Inc()
	p := a.p
	p.disc.Learn(confrpc.Owner{Service: id, Epoch: e, Host: p.me.Host.Value, Address: p.me.Address})
	p.group.Tell(group.Hint{Service: id, Host: p.me.Host.Value, Epoch: e})
}

// ended is told that a service does not run here any more, or that it could not be taken.
func (a *agent) ended(id holdfast.ServiceID, err error) {
	a.mu.Lock()
	t := a.tasks[id]
	held := t.epoch > 0
	t.busy, t.svc, t.epoch = false, nil, 0
	var pause time.Duration
	if err != nil {
		t.left = t.left || held
		pause = min(firstTry<<min(t.failures, 10), maxTry)
		t.failures++
		t.next = time.Now().Add(pause)
	}
	a.mu.Unlock()
	if err == nil {
		return
	}
	if !held {
		a.metrics.takeovers.WithLabelValues(holdfast.KindOf(err).String()).Inc()
		a.log.Info("service not taken", "service", id.String(), "error", err, "pause", pause)
	}
	a.p.disc.Doubt(id)
	time.AfterFunc(pause, a.wake)
}

// release gives a service up for another host. It is confrpc.Service.Release.
func (a *agent) release(ctx context.Context, id holdfast.ServiceID, epoch holdfast.Epoch, to holdfast.HostID) error {
	a.mu.Lock()
	t := a.tasks[id]
	if t == nil || t.svc == nil || t.epoch == 0 || t.epoch != epoch {
		given := t != nil && !t.busy && time.Now().Before(t.next)
		a.mu.Unlock()
		if given {
			return nil // it was given up a moment ago, and the answer may have been lost
		}
		return &holdfast.Error{Op: "node.release", Kind: holdfast.NotOwner, ID: id.String()}
	}
	svc := t.svc
	t.next = time.Now().Add(graceGiven)
	a.mu.Unlock()
	began := time.Now()
	err := svc.stop(ctx)
	a.log.Info("service given up", "service", id.String(), "epoch", uint64(epoch), "to", to.String(), "took", time.Since(began), "error", err)
	if err != nil {
		return &holdfast.Error{Op: "node.release", Kind: holdfast.Unavailable, ID: id.String(), Err: err}
	}
	a.metrics.releases.Inc()
	return nil
}

// dismiss gives up services that the configuration does not have any more.
func (a *agent) dismiss(wanted map[holdfast.ServiceID]config.Service) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, t := range a.tasks {
		if _, ok := wanted[id]; ok {
			continue
		}
		if t.svc != nil {
			t.svc.cancel()
		}
		if !t.busy {
			delete(a.tasks, id)
		}
	}
}

// open returns how many services are open here.
func (a *agent) open() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, t := range a.tasks {
		if t.epoch > 0 {
			n++
		}
	}
	return n
}

// status tells what is known of the services here.
func (a *agent) status() []confrpc.ServiceStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []confrpc.ServiceStatus
	for id, t := range a.tasks {
		if !t.busy {
			continue
		}
		s := confrpc.ServiceStatus{ID: id, State: confrpc.Starting, Address: a.p.me.Address}
		if t.svc != nil {
			if act := t.svc.active.Load(); act != nil {
				s.Uptime, s.Epoch = time.Since(act.since), act.epoch
			}
		}
		if t.epoch > 0 {
			s.State = confrpc.Active
		}
		all = append(all, s)
	}
	return all
}
