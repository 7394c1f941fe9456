package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/heartbeat"
)

// Bounds of the gateways of a host.
const (
	// retryListen is the pause before a port that was taken is tried again.
	retryListen = 2 * time.Second
	// drainGateway is how long a gateway that the configuration takes away may finish its requests.
	drainGateway = 30 * time.Second
	// beyondLease is for how long requests are held and tried again after the lease of a lost owner must have ended.
	beyondLease = 10 * time.Second
)

// fronts are the gateways that the configuration gives this host, and the volumes below them.
type fronts struct {
	p    *Peer
	log  *slog.Logger
	kick chan struct{} // of capacity 1

	mu       sync.Mutex
	settings Config                              // guarded by mu
	open     map[holdfast.ServiceID]*openGateway // guarded by mu
	volumes  map[holdfast.VolumeID]*servedVolume // guarded by mu
	failures map[holdfast.ServiceID]error        // gateways that are not open; guarded by mu
	closing  sync.WaitGroup
}

// openGateway is an open gateway as the configuration has it.
type openGateway struct {
	*front
	conf    config.Gateway
	scope   *scope
	began   time.Time
	address string
}

// servedVolume is a volume that gateways here are on.
type servedVolume struct {
	*access
	scope *scope
}

func newFronts(p *Peer) *fronts {
	return &fronts{
		p: p, log: p.log, kick: make(chan struct{}, 1), settings: p.settings,
		open: map[holdfast.ServiceID]*openGateway{}, volumes: map[holdfast.VolumeID]*servedVolume{}, failures: map[holdfast.ServiceID]error{},
	}
}

// wake has the configuration looked at soon.
func (f *fronts) wake() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// run opens and closes gateways as the configuration says, until ctx ends.
func (f *fronts) run(ctx context.Context) {
	ticker := time.NewTicker(retryListen)
	defer ticker.Stop()
	for {
		if !f.p.leaving.Load() {
			f.reconcile(f.p.tracker.get())
		}
		select {
		case <-ctx.Done():
			return
		case <-f.kick:
		case <-ticker.C:
		}
	}
}

// reconcile opens the gateways that should be and are not, and closes the others.
func (f *fronts) reconcile(c config.Config) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.p.leaving.Load() {
		return // shut has begun, or will when mu is free
	}
	mine := slices.DeleteFunc(slices.Clone(c.Gateways), func(g config.Gateway) bool { return g.Host != f.p.me.Host })
	for id, open := range f.open {
		if !slices.Contains(mine, open.conf) {
			delete(f.open, id)
			f.closing.Go(func() { f.retire(open) })
		}
	}
	clear(f.failures)
	for _, g := range mine {
		id := g.ID.Value
		if f.open[id] != nil {
			continue
		}
		front, err := f.openFront(c, g)
		if err != nil {
			f.log.Error("gateway not open", "gateway", id.String(), "address", g.Address, "error", err)
			f.failures[id] = err
			continue
		}
		f.open[id] = front
		f.log.Info("gateway open", "gateway", id.String(), "address", front.address)
	}
}

// openFront opens one gateway. mu is held.
func (f *fronts) openFront(c config.Config, g config.Gateway) (*openGateway, error) {
	l, err := net.Listen("tcp", g.Address)
	if err != nil {
		return nil, err
	}
	v, err := f.volume(c, g.Volume.Value)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := &openGateway{
		conf: g, scope: newScope(f.p.registry, prometheus.Labels{"gateway": g.ID.Value.String()}),
		began: time.Now(), address: l.Addr().String(),
	}
	s.front = v.newFront(g.ID.Value, s.scope)
	s.serve(l, f.p.fail)
	return s, nil
}

// volume returns the volume that a gateway is on, opened if it is the first. mu is held.
func (f *fronts) volume(c config.Config, id holdfast.VolumeID) (*servedVolume, error) {
	if v := f.volumes[id]; v != nil {
		return v, nil
	}
	p := f.p
	scope := newScope(p.registry, prometheus.Labels{"volume": id.String()})
	a, err := openAccess(accessOptions{
		Services: p.disc.Volume(id), Keys: p.keys, Root: p.root, RetryFor: retryFor(c), Config: f.settings,
		Registry: scope, Logger: p.log, Now: p.env.Now,
	})
	if err != nil {
		scope.close()
		return nil, err
	}
	f.volumes[id] = &servedVolume{a, scope}
	return f.volumes[id], nil
}

// retryFor is how long requests are held and tried again: until a lease that lapses now has ended, its services are open elsewhere, and
// some more.
func retryFor(c config.Config) time.Duration {
	longest := time.Duration(0)
	for _, s := range c.Storages {
		t := s.Lease()
		if t == 0 {
			t = heartbeat.DefaultT
		}
		longest = max(longest, t)
	}
	return longest*7/5 + beyondLease
}

// retire closes a gateway that the configuration took away, after its requests.
func (f *fronts) retire(s *openGateway) {
	ctx, cancel := context.WithTimeout(context.Background(), drainGateway)
	defer cancel()
	if err := s.shut(ctx); err != nil {
		f.log.Warn("gateway not closed cleanly", "gateway", s.conf.ID.Value.String(), "error", err)
	}
	f.mu.Lock()
	v := f.volumes[s.conf.Volume.Value]
	f.mu.Unlock()
	if v != nil {
		v.leave(s.front)
	}
	s.front.close()
	s.scope.close()
	f.log.Info("gateway closed", "gateway", s.conf.ID.Value.String())
}

// all returns the open gateways.
func (f *fronts) all() []*openGateway {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*openGateway
	for _, s := range f.open {
		all = append(all, s)
	}
	return all
}

// ready tells whether all gateways are open.
func (f *fronts) ready() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, err := range f.failures {
		return fmt.Errorf("gateway %s: %w", id, err)
	}
	for _, g := range f.p.tracker.get().Gateways {
		if g.Host == f.p.me.Host && f.open[g.ID.Value] == nil {
			return fmt.Errorf("gateway %s is not open", g.ID.Value)
		}
	}
	return nil
}

// reload changes the settings of all gateways.
func (f *fronts) reload(r Reloadable) {
	f.mu.Lock()
	f.settings.Reloadable = r
	for _, v := range f.volumes {
		v.opt.Config.Reloadable = r // of gateways to come
	}
	f.mu.Unlock()
	for _, s := range f.all() {
		s.front.reload(r)
	}
}

// status tells what is known of the gateways.
func (f *fronts) status() []confrpc.ServiceStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []confrpc.ServiceStatus
	for id, s := range f.open {
		all = append(all, confrpc.ServiceStatus{ID: id, State: confrpc.Active, Uptime: time.Since(s.began), Address: s.address})
	}
	for id := range f.failures {
		all = append(all, confrpc.ServiceStatus{ID: id, State: confrpc.Failed})
	}
	return all
}

// shut has no gateway accept requests any more and waits for those under way until ctx ends. The node is leaving.
func (f *fronts) shut(ctx context.Context) {
	var all sync.WaitGroup
	for _, s := range f.all() {
		all.Go(func() {
			if err := s.shut(ctx); err != nil {
				f.log.Warn("gateway not closed cleanly", "gateway", s.conf.ID.Value.String(), "error", err)
			}
		})
	}
	all.Wait()
	f.closing.Wait()
}

// close closes the volumes, after shut.
func (f *fronts) close() error {
	f.mu.Lock()
	volumes := f.volumes
	f.volumes = nil
	f.mu.Unlock()
	var errs []error
	for _, v := range volumes {
		errs = append(errs, v.close())
		v.scope.close()
	}
	return errors.Join(errs...)
}
