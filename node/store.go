package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/heartbeat"
	"holdfast/membership/takeover"
	"holdfast/storage"
	"holdfast/volume"
)

// roster is told which services are open in this process; nil takes one away.
type roster interface {
	SetName(id holdfast.ServiceID, s holdfast.NameService)
	SetObject(id holdfast.ServiceID, s holdfast.ObjectService)
}

// storeOptions say what a Store stands on.
type storeOptions struct {
	FS         storage.FS
	Host       membership.Options // FS and OnEvent are filled in
	Rosters    []roster
	Registry   prometheus.Registerer
	Logger     *slog.Logger
	Now        func() time.Time
	CacheShare int64 // of each service, in bytes
	Buffers    int64 // of each object server, for bodies of big objects
	// OnSuperseded is called once a newer process of this host is at work on the storage. May be nil; must not block.
	OnSuperseded func()
}

// duty is a service that this host is to run, and what its engine needs to know.
type duty struct {
	id    holdfast.ServiceID
	slots []holdfast.Slot // that a name server holds when its first store is made
	peers volume.Services // of the same volume: name servers free objects there, object servers ask for fates
}

// Store is this host on one storage: its membership there and the services that it runs there. Nothing here holds a lock
// while the storage is called, so one that hangs holds up only what is on it.
type Store struct {
	opt  storeOptions
	log  *slog.Logger
	host *membership.Host

	mu       sync.Mutex
	services map[holdfast.ServiceID]*service // guarded by mu
}

// openStore makes this process the host's on the storage.
func openStore(opt storeOptions) (*Store, error) {
	s := &Store{opt: opt, log: opt.Logger, services: make(map[holdfast.ServiceID]*service)}
	opt.Host.FS, opt.Host.OnEvent = opt.FS, s.leaseEvent
	var err error
	if s.host, err = membership.Open(opt.Host); err != nil {
		return nil, err
	}
	return s, nil
}

// leaseEvent logs what happens to the lease.
func (s *Store) leaseEvent(e heartbeat.Event) {
	switch {
	case e.Superseded:
		s.log.Error("a newer process of this host is at work; this one lets go")
		if s.opt.OnSuperseded != nil {
			s.opt.OnSuperseded()
		}
	case e.Err != nil:
		s.log.Warn("heartbeat not written", "error", e.Err)
	default:
		s.log.Info("lease", "event", fmt.Sprint(e.Lease))
	}
}

// add makes the keeper of a service, which nobody else keeps here.
func (s *Store) add(d duty) *service {
	var svc *service
	if d.id.Type() == holdfast.TypeNameServer {
		svc = s.nameService(d)
	} else {
		svc = s.objectService(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services[d.id] = svc
	return svc
}

// openAll opens services in parallel, and keeps them open until ctx ends.
func (s *Store) openAll(ctx context.Context, duties []duty) error {
	errs := make([]error, len(duties))
	var wg sync.WaitGroup
	for i, d := range duties {
		svc := s.add(d)
		wg.Go(func() { errs[i] = svc.start(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// run takes a service in the background, once: see service.run. Its directory is made if it is not there. When it is over it is not
// kept here any more.
func (s *Store) run(ctx context.Context, d duty, opened func(holdfast.Epoch), ended func(error)) *service {
	svc := s.add(d)
	take := svc.take
	svc.take = func(ctx context.Context, id holdfast.ServiceID) (*takeover.Ownership, error) {
		own, err := take(ctx, id)
		if !holdfast.Is(err, holdfast.NotFound) {
			return own, err
		}
		if err := s.host.CreateService(id); err != nil {
			return nil, err
		}
		return take(ctx, id)
	}
	svc.run(ctx, opened, func(err error) {
		s.mu.Lock()
		if s.services[d.id] == svc {
			delete(s.services, d.id)
		}
		s.mu.Unlock()
		ended(err)
	})
	return svc
}

// list returns the services that are kept here.
func (s *Store) list() []*service {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*service, 0, len(s.services))
	for _, svc := range s.services {
		all = append(all, svc)
	}
	return all
}

// ready tells whether all services are open.
func (s *Store) ready() error {
	for _, svc := range s.list() {
		if !svc.ready.Load() {
			return fmt.Errorf("service %s is not open", svc.id)
		}
	}
	return nil
}

// publishName tells the rosters of a name server, or that it is gone.
func (s *Store) publishName(id holdfast.ServiceID, n holdfast.NameService) {
	for _, r := range s.opt.Rosters {
		r.SetName(id, n)
	}
}

func (s *Store) publishObject(id holdfast.ServiceID, o holdfast.ObjectService) {
	for _, r := range s.opt.Rosters {
		r.SetObject(id, o)
	}
}

// registerer labels the metrics of a service with its id.
func (s *Store) registerer(id holdfast.ServiceID) prometheus.Registerer {
	return prometheus.WrapRegistererWith(prometheus.Labels{"service": id.String()}, s.opt.Registry)
}

// close ends the membership. The context given to the services has ended before; each is closed and released first.
func (s *Store) close(ctx context.Context) error {
	var errs []error
	for _, svc := range s.list() {
		if svc.done != nil {
			errs = append(errs, svc.wait(ctx))
		}
	}
	return errors.Join(append(errs, s.host.Close())...)
}
