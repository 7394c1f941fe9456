package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/gw"
	"holdfast/gw/fastcgi"
	"holdfast/gw/limit"
	"holdfast/gw/usage"
)

// front is a gateway of this host with what holds its users to their limits and counts what they use, and with the listener
// that it answers on.
type front struct {
	gateway *gw.Gateway
	limits  *limit.Limiter
	usage   *usage.Recorder

	server   *http.Server // nil: not serving
	fastcgi  *fastcgi.Server
	shutting atomic.Bool
	serving  sync.WaitGroup
}

// newFront puts a gateway on the volume. Its settings are those of the access.
func (a *access) newFront(id holdfast.ServiceID, reg prometheus.Registerer) *front {
	o := &a.opt
	f := &front{
		limits: limit.Open(limit.Options{Volume: a.volume, Registerer: reg, Logger: o.Logger, Now: o.Now}),
		usage: usage.Open(usage.Options{
			Service: id, Volume: a.volume, Period: o.Config.usagePeriod(), Registerer: reg, Logger: o.Logger, Now: o.Now,
		}),
	}
	f.gateway = gw.New(gw.Options{
		Service: id, Volume: a.volume, Keys: o.Keys, Credentials: gw.NewCredentials(a.accounts), Accounts: a.accounts, Users: a.accounts,
		Targets:    a.events,
		AccessLog:  a.accessLog,
		Settings:   o.Config.gatewaySettings(),
		Limits:     f.limits,
		Usage:      f.usage,
		Space:      a.space,
		Registerer: reg, Logger: o.Logger,
	})
	a.enter(f)
	return f
}

// serve answers HTTP and FastCGI on a listener until shut. failed is told when the listener breaks.
func (f *front) serve(l net.Listener, failed func(error)) {
	f.server, f.fastcgi = f.gateway.NewServer(), f.gateway.NewFastCGI()
	web, fcgi := fastcgi.Split(l)
	for _, serve := range []func() error{
		func() error { return f.server.Serve(web) },
		func() error { return f.fastcgi.Serve(fcgi) },
	} {
		f.serving.Go(func() {
			// The two halves share a listener: what shuts the one first ends the accepting of the other.
			if err := serve(); !errors.Is(err, http.ErrServerClosed) && !f.shutting.Load() {
				failed(err)
			}
		})
	}
}

// reload changes the settings that can be changed without dropping a connection.
func (f *front) reload(r Reloadable) {
	f.gateway.Reload(r.gatewaySettings())
	f.usage.SetPeriod(r.usagePeriod())
}

// shut accepts no more requests and lets those under way finish until ctx ends. What is left then is cut off:
// unacknowledged, so nothing is lost.
func (f *front) shut(ctx context.Context) error {
	if f.server == nil {
		return nil
	}
	f.shutting.Store(true)
	var cut error
	f.serving.Go(func() { cut = f.fastcgi.Shutdown(ctx) })
	var err error
	if f.server.Shutdown(ctx) != nil {
		if err = f.server.Close(); errors.Is(err, net.ErrClosed) {
			err = nil // by the other half
		}
	}
	f.serving.Wait()
	if ctx.Err() != nil || errors.Is(cut, net.ErrClosed) {
		cut = nil // that requests were cut off at the end of the time is no failure
	}
	return errors.Join(err, cut)
}

// close ends what runs beside requests, which have ended. What was used is written first.
func (f *front) close() {
	f.usage.Close()
	f.limits.Close()
}

// usagePeriod returns how long the periods of usage records are, 0 for no records.
func (r Reloadable) usagePeriod() time.Duration { return time.Duration(r.UsagePeriod) * time.Second }
