package node

import (
	"fmt"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/config"
	"holdfast/storage"
	"holdfast/volume"
)

// The numbers of the one volume and gateway of a cluster of one; ids share one running number below their type.
const (
	volumeNumber  = 1
	firstService  = 2
	gatewayNumber = 1
)

// plan is what this host runs, read from the configuration in force.
type plan struct {
	names, objects []holdfast.ServiceID
	gateway        holdfast.ServiceID
	slots          *volume.SlotMap
}

// loadOrCreatePlan reads the newest configuration, or publishes the first one of a new cluster of one. Losing that race means
// that another process made the cluster: its version is read.
func loadOrCreatePlan(fsys storage.FS, h *membership.Host, c Config) (plan, error) {
	log := config.Open(fsys, h.Root())
	current, err := log.Newest()
	if holdfast.Is(err, holdfast.NotFound) {
		current, err = log.Publish(0, firstConfig(h.ID(), c))
		if holdfast.Is(err, holdfast.Conflict) {
			current, err = log.Newest()
		}
	}
	if err != nil {
		return plan{}, fmt.Errorf("configuration: %w", err)
	}
	p, err := newPlan(current)
	if err != nil {
		return plan{}, err
	}
	for _, ids := range [][]holdfast.ServiceID{p.names, p.objects} {
		for _, id := range ids {
			if err := h.CreateService(id); err != nil {
				return plan{}, err
			}
		}
	}
	return p, nil
}

func firstConfig(host holdfast.HostID, c Config) config.Config {
	number := uint64(firstService)
	deal := func(t holdfast.ServiceType, n int) []holdfast.ServiceID {
		ids := make([]holdfast.ServiceID, n)
		for i := range ids {
			ids[i] = holdfast.NewServiceID(t, number)
			number++
		}
		return ids
	}
	names := deal(holdfast.TypeNameServer, c.NameServers)
	return config.Single(host, holdfast.VolumeID(holdfast.NewServiceID(holdfast.TypeVolume, volumeNumber)),
		names, deal(holdfast.TypeObjectStore, c.ObjectServers))
}

// newPlan turns a configuration of one volume into what this process runs.
func newPlan(c config.Config) (plan, error) {
	if len(c.Volumes) != 1 {
		return plan{}, holdfast.E("node.plan", holdfast.Unsupported, fmt.Errorf("the configuration has %d volumes", len(c.Volumes)))
	}
	p := plan{gateway: holdfast.NewServiceID(holdfast.TypeGateway, gatewayNumber), slots: new(volume.SlotMap)}
	for _, s := range c.Services {
		switch id := s.ID.Value; id.Type() {
		case holdfast.TypeNameServer:
			p.names = append(p.names, id)
		case holdfast.TypeObjectStore:
			p.objects = append(p.objects, id)
		}
	}
	for _, r := range c.Volumes[0].Slots {
		for slot := r.First; slot <= r.Last; slot++ {
			p.slots[slot] = r.NameServer.Value
		}
	}
	return p, nil
}

// duties returns what this host runs.
func (p *plan) duties(peers volume.Services) []duty {
	var all []duty
	for _, id := range p.names {
		all = append(all, duty{id: id, slots: p.slots.Held(id), peers: peers})
	}
	for _, id := range p.objects {
		all = append(all, duty{id: id, peers: peers})
	}
	return all
}
