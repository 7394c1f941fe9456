package discovery

import (
	"context"
	"sync/atomic"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/namesrv/namerpc"
	"holdfast/objsrv/objrpc"
	"holdfast/volume"
)

// view is the services of one volume.
type view struct {
	d       *Discovery
	slots   atomic.Pointer[volume.SlotMap]
	objects atomic.Pointer[[]holdfast.ServiceID]
}

var _ volume.Services = (*view)(nil)

func newView(d *Discovery) *view {
	v := &view{d: d}
	v.slots.Store(new(volume.SlotMap))
	v.objects.Store(new([]holdfast.ServiceID))
	return v
}

// set takes the slot map and the object servers from the configuration.
func (v *view) set(c *config.Volume) {
	slots := new(volume.SlotMap)
	for _, r := range c.Slots {
		for slot := r.First; slot <= r.Last; slot++ {
			slots[slot] = r.NameServer.Value
		}
	}
	if *slots != *v.slots.Load() {
		v.slots.Store(slots)
	}
	ids := make([]holdfast.ServiceID, len(c.ObjectServers))
	for i, id := range c.ObjectServers {
		ids[i] = id.Value
	}
	v.objects.Store(&ids)
}

// SlotMap implements [volume.Services].
func (v *view) SlotMap() *volume.SlotMap { return v.slots.Load() }

// ObjectServers implements [volume.Services].
func (v *view) ObjectServers() []holdfast.ServiceID { return *v.objects.Load() }

// Refresh implements [volume.Services].
func (v *view) Refresh(ctx context.Context) error { return v.d.refresh(ctx) }

// NameServer implements [volume.Services].
func (v *view) NameServer(_ context.Context, id holdfast.ServiceID) (holdfast.NameService, error) {
	d := v.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.names[id]; s != nil {
		return s, nil
	}
	e, err := d.elsewhereLocked(id)
	if err != nil {
		return nil, err
	}
	if e.name == nil {
		conn, err := d.pool.conn(e.owner.Address, int(id))
		if err != nil {
			return nil, unavailable(id, err)
		}
		e.name = &remoteName{namerpc.NewClient(conn, id), watch{d, id}}
	}
	return e.name, nil
}

// ObjectServer implements [volume.Services].
func (v *view) ObjectServer(_ context.Context, id holdfast.ServiceID) (holdfast.ObjectService, error) {
	d := v.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.objects[id]; s != nil {
		return s, nil
	}
	e, err := d.elsewhereLocked(id)
	if err != nil {
		return nil, err
	}
	if e.object == nil {
		conn, err := d.pool.conn(e.owner.Address, int(id))
		if err != nil {
			return nil, unavailable(id, err)
		}
		e.object = &remoteObject{objrpc.NewClient(conn, id), watch{d, id}}
	}
	return e.object, nil
}

// elsewhereLocked returns what is known of a service that is not open here: Unavailable if its owner cannot be called.
func (d *Discovery) elsewhereLocked(id holdfast.ServiceID) (*entry, error) {
	e := d.services[id]
	if e == nil {
		return nil, unavailable(id, errUnknown)
	}
	if e.owner.Address == "" || e.owner.Address == "-" || e.owner.Host == d.opt.Self {
		e.failed = true // the owner file may be old
		return nil, unavailable(id, errNoOwner)
	}
	return e, nil
}
