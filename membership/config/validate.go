package config

import (
	"fmt"
	"strings"

	"holdfast"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
)

// Validate returns the first thing that makes no sense, named as in the file.
func (c Config) Validate() error {
	if c.Format != format {
		return fmt.Errorf("format: %d, want %d", c.Format, format)
	}
	if len(c.Cluster) != 32 || strings.Trim(c.Cluster, "0123456789abcdef") != "" {
		return fmt.Errorf("cluster: %q is not 32 hex digits", c.Cluster)
	}
	if len(c.Services) > MaxServices || len(c.Hosts) > MaxHosts || len(c.Volumes) > MaxVolumes {
		return fmt.Errorf("too many: %d services, %d hosts, %d volumes", len(c.Services), len(c.Hosts), len(c.Volumes))
	}
	v := validator{
		storages: map[string]bool{}, hosts: map[holdfast.HostID]bool{},
		volumes: map[holdfast.VolumeID]bool{}, services: map[holdfast.ServiceID]holdfast.VolumeID{},
	}
	for _, step := range []func(Config) error{v.checkStorages, v.checkHosts, v.checkServices, v.checkVolumes, v.checkGateways} {
		if err := step(c); err != nil {
			return err
		}
	}
	return nil
}

// validator remembers what was declared.
type validator struct {
	storages map[string]bool
	hosts    map[holdfast.HostID]bool
	volumes  map[holdfast.VolumeID]bool
	services map[holdfast.ServiceID]holdfast.VolumeID
}

func (v *validator) checkStorages(c Config) error {
	for _, s := range c.Storages {
		if s.Name == "" || v.storages[s.Name] {
			return fmt.Errorf("storages: name %q is empty or there twice", s.Name)
		}
		if t := s.Lease(); t != 0 && (t < heartbeat.MinT || t > layout.MaxT) {
			return fmt.Errorf("storages: %s: lease_ms %d is out of range", s.Name, s.LeaseMS)
		}
		v.storages[s.Name] = true
	}
	return nil
}

func (v *validator) checkHosts(c Config) error {
	for _, h := range c.Hosts {
		id := h.ID.Value
		if id == 0 || v.hosts[id] {
			return fmt.Errorf("hosts: id %s is zero or there twice", id)
		}
		v.hosts[id] = true
		for _, s := range h.Storages {
			if !v.storages[s] {
				return fmt.Errorf("hosts: %s mounts storage %q, which is not declared", id, s)
			}
		}
	}
	return nil
}

func (v *validator) checkServices(c Config) error {
	for _, vol := range c.Volumes {
		id := vol.ID.Value
		if holdfast.ServiceID(id).Type() != holdfast.TypeVolume || v.volumes[id] {
			return fmt.Errorf("volumes: %s is not a volume id or there twice", id)
		}
		v.volumes[id] = true
	}
	for _, s := range c.Services {
		id := s.ID.Value
		_, twice := v.services[id]
		switch {
		case twice:
			return fmt.Errorf("services: %s is there twice", id)
		case id.Type() != holdfast.TypeNameServer && id.Type() != holdfast.TypeObjectStore:
			return fmt.Errorf("services: %s is neither a name nor an object server", id)
		case !v.volumes[s.Volume.Value]:
			return fmt.Errorf("services: %s is of volume %s, which is not declared", id, s.Volume.Value)
		case !v.storages[s.Storage]:
			return fmt.Errorf("services: %s is on storage %q, which is not declared", id, s.Storage)
		case s.Bind != nil && !v.hosts[s.Bind.Value]:
			return fmt.Errorf("services: %s is bound to host %s, which is not declared", id, s.Bind.Value)
		}
		v.services[id] = s.Volume.Value
	}
	return nil
}

// checkVolumes sees that every slot is held by one name server of the volume.
func (v *validator) checkVolumes(c Config) error {
	for _, vol := range c.Volumes {
		next := 0
		for _, r := range vol.Slots {
			if r.First != next || r.Last < r.First || r.Last >= holdfast.Slots {
				return fmt.Errorf("volumes: %s: slots %d to %d do not follow %d", vol.ID.Value, r.First, r.Last, next-1)
			}
			if err := v.member(vol, r.NameServer.Value, holdfast.TypeNameServer); err != nil {
				return err
			}
			next = r.Last + 1
		}
		if next != holdfast.Slots {
			return fmt.Errorf("volumes: %s: slots end at %d, want %d", vol.ID.Value, next, holdfast.Slots)
		}
		for _, id := range vol.ObjectServers {
			if err := v.member(vol, id.Value, holdfast.TypeObjectStore); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *validator) member(vol Volume, id holdfast.ServiceID, want holdfast.ServiceType) error {
	if of, there := v.services[id]; !there || of != vol.ID.Value || id.Type() != want {
		return fmt.Errorf("volumes: %s names %s, which is not a declared %s of it", vol.ID.Value, id, want)
	}
	return nil
}

func (v *validator) checkGateways(c Config) error {
	for _, g := range c.Gateways {
		id := g.ID.Value
		_, twice := v.services[id]
		switch {
		case twice:
			return fmt.Errorf("gateways: %s is there twice", id)
		case id.Type() != holdfast.TypeGateway:
			return fmt.Errorf("gateways: %s is not the id of a gateway", id)
		case !v.hosts[g.Host.Value] || !v.volumes[g.Volume.Value] || g.Address == "":
			return fmt.Errorf("gateways: %s on host %s for volume %s: something is not declared", g.Address, g.Host.Value, g.Volume.Value)
		}
		v.services[id] = g.Volume.Value
	}
	return nil
}
