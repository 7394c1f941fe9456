package node

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast/gw/accesslog"
	"holdfast/gw/account"
	"holdfast/gw/events"
	"holdfast/gw/keyring"
	"holdfast/gw/lifecycle"
	"holdfast/gw/policy"
	"holdfast/gw/space"
	"holdfast/volume"
)

// rootName is how the root account is shown.
const rootName = "root"

// accessOptions say what an access stands on.
type accessOptions struct {
	Process  string // names this process among those that have the volume open
	Services volume.Services
	Keys     *keyring.Ring
	Root     Credentials
	RetryFor time.Duration // of requests across a failover; 0: the volume's default
	Config   Config        // what gateways and background work are told
	Registry prometheus.Registerer
	Logger   *slog.Logger
	Now      func() time.Time // nil: time.Now
}

// access is a volume as this process serves it to clients: the volume, its users, the gateways on it and the work beside
// requests. Any number of processes may have one; the work that needs to be done once is shared out through the volume.
type access struct {
	opt      accessOptions
	volume   *volume.Volume
	accounts *account.Store

	lifecycle *lifecycle.Runner
	sweeper   *account.Sweeper
	events    *events.Service
	accessLog *accesslog.Log
	space     *space.Meter

	served atomic.Uint64 // requests, when busy was called last

	mu     sync.Mutex
	fronts []*front // guarded by mu; replaced, never changed
}

// openAccess opens the volume and starts the work beside requests. It waits for no service.
func openAccess(opt accessOptions) (*access, error) {
	v, err := volume.Open(volume.Options{
		Services: opt.Services, RetryFor: opt.RetryFor, Process: opt.Process, Registerer: opt.Registry, Logger: opt.Logger,
	})
	if err != nil {
		return nil, err
	}
	a := &access{opt: opt, volume: v}
	a.accounts = account.New(account.Options{
		Volume: v, Keys: opt.Keys,
		Root:        account.Root{ID: RootUser, Name: rootName, AccessKey: opt.Root.AccessKey, Secret: opt.Root.SecretKey},
		CheckPolicy: checkPolicy,
	})
	if err := a.start(); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// start starts the work.
func (a *access) start() (err error) {
	o := &a.opt
	a.accessLog = accesslog.Start(accesslog.Options{
		Volume: a.volume, Region: o.Config.Region, Every: o.Config.AccessLogEvery, Reg: o.Registry, Logger: o.Logger,
	})
	a.space = space.Start(space.Options{Volume: a.volume, Reg: o.Registry, Logger: o.Logger, Now: o.Now})
	a.events, err = events.Start(events.Options{
		Volume: a.volume, Targets: o.Config.Targets, Region: o.Config.Region, Reg: o.Registry, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	a.lifecycle = lifecycle.Start(lifecycle.Options{
		Volume: a.volume, Day: o.Config.LifecycleDay, Busy: a.busy, AccessLog: a.accessLog, Reg: o.Registry, Logger: o.Logger, Now: o.Now,
	})
	a.sweeper = account.StartSweeper(a.accounts, o.Logger)
	return nil
}

// enter counts a gateway among those on the volume, leave takes it out again.
func (a *access) enter(f *front) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fronts = append(slices.Clone(a.fronts), f)
}

func (a *access) leave(f *front) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fronts = slices.DeleteFunc(slices.Clone(a.fronts), func(other *front) bool { return other == f })
}

// all returns the gateways on the volume.
func (a *access) all() []*front {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fronts
}

// busy reports whether requests are being served, or were since the last call, which work beside them makes way for.
func (a *access) busy() bool {
	var served uint64
	working := false
	for _, f := range a.all() {
		served += f.gateway.Served()
		working = working || f.gateway.InFlight() > 0
	}
	return a.served.Swap(served) != served || working
}

// close ends the work, waits for it and closes the volume. Requests have ended.
func (a *access) close() error {
	var errs []error
	for _, f := range a.all() {
		f.close()
	}
	if a.lifecycle != nil {
		errs = append(errs, a.lifecycle.Close())
	}
	if a.sweeper != nil {
		errs = append(errs, a.sweeper.Close())
	}
	if a.accessLog != nil {
		errs = append(errs, a.accessLog.Close())
	}
	if a.space != nil {
		errs = append(errs, a.space.Close())
	}
	if a.events != nil {
		errs = append(errs, a.events.Close())
	}
	return errors.Join(append(errs, a.volume.Close())...)
}

// checkPolicy takes the policies of service accounts that can be evaluated.
func checkPolicy(document []byte) ([]byte, error) {
	_, err := policy.ParseIdentity(document)
	return document, err
}
