package node

import (
	"errors"

	"holdfast/gw/accesslog"
	"holdfast/gw/account"
	"holdfast/gw/events"
	"holdfast/gw/lifecycle"
)

// background is the work that the node does beside answering requests. It stands on the volume.
type background struct {
	lifecycle *lifecycle.Runner
	accounts  *account.Sweeper
	events    *events.Service
	accessLog *accesslog.Log
}

// openForGateway starts what the gateway asks or tells: event notification and access logs.
func (n *Node) openForGateway() (err error) {
	n.background.accessLog = accesslog.Start(accesslog.Options{
		Volume: n.volume, Region: n.config.Region, Every: n.config.AccessLogEvery, Reg: n.registry, Logger: n.log,
	})
	n.background.events, err = events.Start(events.Options{
		Volume: n.volume, Targets: n.config.Targets, Region: n.config.Region, Reg: n.registry, Logger: n.log,
	})
	return err
}

// openBackground starts the work.
func (n *Node) openBackground() {
	n.background.lifecycle = lifecycle.Start(lifecycle.Options{
		Volume: n.volume, Day: n.config.LifecycleDay, Busy: func() bool { return n.gateway.InFlight() > 0 },
		Reg: n.registry, Logger: n.log, Now: n.env.Now,
	})
	n.background.accounts = account.StartSweeper(n.accounts, n.log)
}

// close ends the work and waits for it.
func (b *background) close() error {
	var errs []error
	if b.lifecycle != nil {
		errs = append(errs, b.lifecycle.Close())
	}
	if b.accounts != nil {
		errs = append(errs, b.accounts.Close())
	}
	if b.accessLog != nil {
		errs = append(errs, b.accessLog.Close())
	}
	if b.events != nil {
		errs = append(errs, b.events.Close())
	}
	return errors.Join(errs...)
}
