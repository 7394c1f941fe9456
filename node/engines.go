package node

import (
	"context"
	"fmt"

	"holdfast"
	"holdfast/membership/takeover"
	"holdfast/namesrv"
	"holdfast/objsrv"
	"holdfast/objsrv/index"
	"holdfast/storage"
	"holdfast/volume"
)

// nameService describes a name server of this host.
func (s *Store) nameService(d duty) *service {
	id := d.id
	options := namesrv.Options{
		Self: id, FS: s.opt.FS, InitialSlots: d.slots, Objects: freer{d.peers}, Registerer: s.registerer(id), Clock: s.opt.Now,
		Limits: namesrv.Limits{CacheBytes: s.opt.CacheShare},
		Events: namesrv.Events{
			Failed: func(err error) { s.log.Warn("background work failed", "service", id.String(), "error", err) },
			FreeFailed: func(f namesrv.FreeFailed) {
				s.log.Warn("objects not freed yet", "service", id.String(), "os", f.OS.String(), "error", f.Err, "retry", f.Retry)
			},
		},
	}
	return &service{
		id: id, log: s.log,
		take: func(ctx context.Context, id holdfast.ServiceID) (*takeover.Ownership, error) {
			return s.host.Take(ctx, takeover.Request{Service: id, Prepare: func(dir string, create bool) error {
				o := options
				o.StoreDir, o.Create, o.Fence, o.Objects, o.Registerer = dir, create, unopened{}, nil, nil
				e, err := namesrv.Open(ctx, o)
				if err != nil {
					return err
				}
				return e.Close(ctx)
			}})
		},
		open: func(ctx context.Context, own *takeover.Ownership) (engine, error) {
			o := options
			o.StoreDir, o.Fence = own.StoreDir, own.Fence
			return namesrv.Open(ctx, o)
		},
		publish: func(e engine) {
			if n, _ := e.(*namesrv.Engine); n != nil {
				s.publishName(id, n)
				return
			}
			s.publishName(id, nil)
		},
	}
}

// objectService describes an object server of this host.
func (s *Store) objectService(d duty) *service {
	id := d.id
	options := objsrv.Options{
		Self: id, FS: s.opt.FS, Names: settler{d.peers}, Registerer: s.registerer(id), Logger: s.log, Now: s.opt.Now,
		CacheBytes: s.opt.CacheShare / 2, IndexCacheBytes: s.opt.CacheShare / 2,
		WriteBuffers: s.opt.Buffers,
	}
	return &service{
		id: id, log: s.log,
		take: func(ctx context.Context, id holdfast.ServiceID) (*takeover.Ownership, error) {
			return s.host.Take(ctx, takeover.Request{Service: id, Prepare: func(dir string, create bool) error {
				return prepareIndex(s.opt.FS, dir, id, create)
			}})
		},
		open: func(ctx context.Context, own *takeover.Ownership) (engine, error) {
			o := options
			o.Dir, o.StoreDir, o.Fence, o.Undrained = string(s.host.Root().Service(id)), own.StoreDir, own.Fence, own.Undrained
			return objsrv.Open(ctx, o)
		},
		publish: func(e engine) {
			if o, _ := e.(*objsrv.Engine); o != nil {
				s.publishObject(id, o)
				return
			}
			s.publishObject(id, nil)
		},
	}
}

// prepareIndex makes the index store of an object server's first epoch, or opens a copy to prove it whole.
func prepareIndex(fsys storage.FS, dir string, id holdfast.ServiceID, create bool) error {
	s, err := index.Open(index.Options{FS: fsys, Dir: dir, Self: id, Create: create, Fence: unopened{}})
	if err != nil {
		return err
	}
	return s.Close()
}

// writeBuffers bounds the bodies of big objects in memory, over all object servers of the host.
const writeBuffers = 256 << 20

// unopened is the fence of an epoch that is being prepared: nobody serves it yet, so there is nothing to fence.
type unopened struct{}

func (unopened) Epoch() holdfast.Epoch { return 1 }
func (unopened) Held() error           { return nil }
func (unopened) Confirm() error        { return nil }
func (unopened) Lose(error)            {}

// freer lets name servers free objects on the object servers of the volume.
type freer struct{ services volume.Services }

// Free implements namesrv.Objects.
func (f freer) Free(ctx context.Context, id holdfast.ServiceID, ids []holdfast.ObjectID) error {
	s, err := f.services.ObjectServer(ctx, id)
	if err != nil {
		return err
	}
	return s.Free(ctx, ids)
}

// settler lets object servers ask the name servers for fates, each object at its home slot.
type settler struct{ services volume.Services }

// Settle implements objsrv.Names.
func (s settler) Settle(ctx context.Context, id holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	fates := make([]holdfast.Fate, len(objects))
	groups := make(map[holdfast.ServiceID][]int)
	slots := s.services.SlotMap()
	for i, o := range objects {
		if o.Home >= holdfast.Slots {
			return nil, holdfast.E("settle", holdfast.Invalid, fmt.Errorf("slot %d", o.Home))
		}
		groups[slots[o.Home]] = append(groups[slots[o.Home]], i)
	}
	for owner, members := range groups {
		if err := s.ask(ctx, owner, id, objects, members, fates); err != nil {
			return nil, err
		}
	}
	return fates, nil
}

// ask settles the objects with the given indices at one name server.
func (s settler) ask(ctx context.Context, owner, id holdfast.ServiceID, objects []holdfast.GuardedObject, members []int, fates []holdfast.Fate) error {
	name, err := s.services.NameServer(ctx, owner)
	if err != nil {
		return err
	}
	asked := make([]holdfast.GuardedObject, len(members))
	for i, m := range members {
		asked[i] = objects[m]
	}
	got, err := name.Settle(ctx, id, asked)
	if err != nil {
		return err
	}
	for i, m := range members {
		fates[m] = got[i]
	}
	return nil
}
