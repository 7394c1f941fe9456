package node

import (
	"holdfast"
	"holdfast/membership/layout"
	"holdfast/membership/takeover"
	"holdfast/volume"
)

// plan is what this host runs.
type plan struct {
	names, objects []holdfast.ServiceID
	gateway        holdfast.ServiceID
	slots          *volume.SlotMap
}

func loadOrCreatePlan(h *host, c Config) (plan, error) {
	ids, err := layout.ListServices(h.fs, h.root)
	if err != nil {
		return plan{}, err
	}
	if len(ids) == 0 {
		for i := range c.NameServers {
			ids = append(ids, holdfast.NewServiceID(holdfast.TypeNameServer, uint64(i+1)))
		}
		for i := range c.ObjectServers {
			ids = append(ids, holdfast.NewServiceID(holdfast.TypeObjectStore, uint64(c.NameServers+i+1)))
		}
	}
	var p plan
	for _, id := range ids {
		if err := takeover.CreateService(h.fs, h.root, id); err != nil {
			return plan{}, err
		}
		if id.Type() == holdfast.TypeNameServer {
			p.names = append(p.names, id)
		} else {
			p.objects = append(p.objects, id)
		}
	}
	p.gateway = holdfast.NewServiceID(holdfast.TypeGateway, uint64(len(ids)+1))
	p.slots = volume.NewSlotMap(p.names...)
	return p, nil
}

func (p *plan) slotsOf(id holdfast.ServiceID) []holdfast.Slot {
	var slots []holdfast.Slot
	for s, owner := range p.slots {
		if owner == id {
			slots = append(slots, holdfast.Slot(s))
		}
	}
	return slots
}
