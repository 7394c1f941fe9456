package node

import (
	"holdfast"
	"holdfast/membership/config"
)

// duty describes a service of the configuration for the Store that is to run it.
func (p *Peer) duty(c config.Config, s config.Service) duty {
	d := duty{id: s.ID.Value, peers: p.disc.Volume(s.Volume.Value)}
	for _, v := range c.Volumes {
		if v.ID == s.Volume && d.id.Type() == holdfast.TypeNameServer {
			d.slots = slotsOf(v, d.id)
		}
	}
	return d
}

func slotsOf(v config.Volume, id holdfast.ServiceID) []holdfast.Slot {
	var slots []holdfast.Slot
	for _, r := range v.Slots {
		if r.NameServer.Value != id {
			continue
		}
		for s := r.First; s <= r.Last; s++ {
			slots = append(slots, holdfast.Slot(s))
		}
	}
	return slots
}

// cacheShare is what each service gets of a host's caches: so much that the bound holds when a host has twice its even share.
func cacheShare(c config.Config, total int64) int64 {
	hosts := max(1, len(c.Hosts))
	each := max(1, min(len(c.Services), 2*(len(c.Services)+hosts-1)/hosts))
	return total / int64(each)
}

// bufferShare is the same for the bodies of big objects.
func bufferShare(c config.Config) int64 {
	objects := 0
	for _, s := range c.Services {
		if s.ID.Value.Type() == holdfast.TypeObjectStore {
			objects++
		}
	}
	hosts := max(1, len(c.Hosts))
	return writeBuffers / int64(max(1, min(objects, 2*(objects+hosts-1)/hosts)))
}
