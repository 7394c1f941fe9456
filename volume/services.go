package volume

import (
	"context"
	"sync"

	"holdfast"
)

// Services is how a volume finds its servers: engines of the same process, RPC clients, or a mix. Implementations:
// [Direct] here, the node's router in a cluster. All methods are safe for concurrent use.
type Services interface {
	// SlotMap returns the newest slot map this process knows. The result is immutable.
	SlotMap() *SlotMap

	// NameServer returns the way to a name server: [holdfast.Unavailable] while it cannot be reached.
	NameServer(ctx context.Context, id holdfast.ServiceID) (holdfast.NameService, error)

	// ObjectServer returns the way to an object server: [holdfast.Unavailable] while it cannot be reached.
	ObjectServer(ctx context.Context, id holdfast.ServiceID) (holdfast.ObjectService, error)

	// ObjectServers lists the object servers that may take new objects, in any order. The volume asks them for their free
	// space and spreads objects by it. The result is immutable.
	ObjectServers() []holdfast.ServiceID

	// Refresh is called after a server answered NotOwner or could not be reached: the view may be old. It returns when
	// a newer view was looked for, or with ctx.
	Refresh(ctx context.Context) error
}

// SlotMap says which name server holds each slot. It is immutable once shared.
type SlotMap [holdfast.Slots]holdfast.ServiceID

// NewSlotMap deals the slots out to the servers in turn.
func NewSlotMap(servers ...holdfast.ServiceID) *SlotMap {
	m := new(SlotMap)
	for i := range m {
		if len(servers) > 0 {
			m[i] = servers[i%len(servers)]
		}
	}
	return m
}

// Owner returns the name server that holds the directory's slot.
func (m *SlotMap) Owner(dir holdfast.DirID) holdfast.ServiceID { return m[dir.Slot()] }

// Held returns the slots that a name server holds, in order.
func (m *SlotMap) Held(id holdfast.ServiceID) []holdfast.Slot {
	var held []holdfast.Slot
	for slot, owner := range m {
		if owner == id {
			held = append(held, holdfast.Slot(slot))
		}
	}
	return held
}

// Servers returns the name servers that hold slots, each once, in the order of their first slot.
func (m *SlotMap) Servers() []holdfast.ServiceID {
	var ids []holdfast.ServiceID
	seen := make(map[holdfast.ServiceID]bool)
	for _, id := range m {
		if id != 0 && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// Direct is a [Services] whose servers are values in this process. A node puts engines in and takes them out as it opens
// and loses them.
type Direct struct {
	mu      sync.RWMutex
	slots   *SlotMap
	names   map[holdfast.ServiceID]holdfast.NameService
	objects map[holdfast.ServiceID]holdfast.ObjectService
	ids     []holdfast.ServiceID // of objects; replaced, never changed
}

var _ Services = (*Direct)(nil)

// NewDirect returns a Direct with this slot map and without servers.
func NewDirect(slots *SlotMap) *Direct {
	return &Direct{
		slots:   slots,
		names:   make(map[holdfast.ServiceID]holdfast.NameService),
		objects: make(map[holdfast.ServiceID]holdfast.ObjectService),
	}
}

// SetSlotMap replaces the slot map.
func (d *Direct) SetSlotMap(slots *SlotMap) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slots = slots
}

// SetName puts a name server in place; nil says that it is not here at the moment.
func (d *Direct) SetName(id holdfast.ServiceID, s holdfast.NameService) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s == nil {
		delete(d.names, id)
		return
	}
	d.names[id] = s
}

// SetObject puts an object server in place; nil says that it is not here at the moment.
func (d *Direct) SetObject(id holdfast.ServiceID, s holdfast.ObjectService) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s == nil {
		delete(d.objects, id)
	} else {
		d.objects[id] = s
	}
	ids := make([]holdfast.ServiceID, 0, len(d.objects))
	for id := range d.objects {
		ids = append(ids, id)
	}
	d.ids = ids
}

// SlotMap implements [Services].
func (d *Direct) SlotMap() *SlotMap {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.slots
}

// NameServer implements [Services].
func (d *Direct) NameServer(_ context.Context, id holdfast.ServiceID) (holdfast.NameService, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if s := d.names[id]; s != nil {
		return s, nil
	}
	return nil, &holdfast.Error{Op: "volume.services", Kind: holdfast.Unavailable, ID: id.String()}
}

// ObjectServer implements [Services].
func (d *Direct) ObjectServer(_ context.Context, id holdfast.ServiceID) (holdfast.ObjectService, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if s := d.objects[id]; s != nil {
		return s, nil
	}
	return nil, &holdfast.Error{Op: "volume.services", Kind: holdfast.Unavailable, ID: id.String()}
}

// ObjectServers implements [Services].
func (d *Direct) ObjectServers() []holdfast.ServiceID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.ids
}

// Refresh implements [Services]; there is nowhere to look for news.
func (d *Direct) Refresh(ctx context.Context) error { return ctx.Err() }
