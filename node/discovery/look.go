package discovery

import (
	"context"
	"time"

	"holdfast"
)

// Look finds out who owns the services that nothing is known of, and with all set every service. It returns when that is done, at most
// after lookWithin, or with ctx.
func (d *Discovery) Look(ctx context.Context, all bool) error {
	return d.look(ctx, func(e *entry) bool { return all || !e.asked || e.failed })
}

// refresh finds out who owns the services that calls failed at. Nothing failed: the slot map must be what is old.
func (d *Discovery) refresh(ctx context.Context) error {
	return d.look(ctx, func(e *entry) bool { return e.failed || e.owner.Epoch == 0 })
}

// look joins the look that is under way, or begins one unless the last has only begun.
func (d *Discovery) look(ctx context.Context, pick func(*entry) bool) error {
	d.mu.Lock()
	if d.flight == nil && time.Since(d.looked) >= pace && d.ctx.Err() == nil {
		by := d.pickLocked(pick)
		d.looked = time.Now()
		if len(by) == 0 {
			d.opt.Stale()
		} else {
			d.begin(by)
		}
	}
	flight := d.flight
	d.mu.Unlock()
	if flight == nil {
		return ctx.Err()
	}
	select {
	case <-flight:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin asks for the owners of services, each storage on its own. mu is held.
func (d *Discovery) begin(by map[string][]holdfast.ServiceID) {
	flight := make(chan struct{})
	d.flight = flight
	answered := make(chan struct{}, len(by))
	asked := 0
	for storage, ids := range by {
		if d.asking[storage] {
			continue // it hangs, and one question is enough
		}
		d.asking[storage] = true
		asked++
		d.looking.Go(func() {
			d.ask(storage, ids)
			answered <- struct{}{}
		})
	}
	d.looking.Go(func() {
		timer := time.NewTimer(lookWithin)
		defer timer.Stop()
		for range asked {
			select {
			case <-answered:
				continue
			case <-timer.C:
			case <-d.ctx.Done():
			}
			break
		}
		d.mu.Lock()
		d.flight = nil
		d.mu.Unlock()
		close(flight)
	})
}

// ask takes in what the source says of services.
func (d *Discovery) ask(storage string, ids []holdfast.ServiceID) {
	ctx, cancel := context.WithTimeout(d.ctx, lookWithin)
	defer cancel()
	owners := d.opt.Source.Owners(ctx, storage, ids)
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.asking, storage)
	for _, o := range owners {
		if e := d.services[o.Service]; e != nil {
			e.asked, e.failed = true, false
		}
		d.learnLocked(o)
	}
}

// failedAt notes that a call to a service failed in a way that its having moved would explain.
func (d *Discovery) failedAt(id holdfast.ServiceID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.services[id]; e != nil {
		e.failed = true
	}
}

// Doubt has the owner of a service looked up again by the next look.
func (d *Discovery) Doubt(id holdfast.ServiceID) { d.failedAt(id) }
