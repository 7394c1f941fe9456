package config

import (
	"fmt"
	"maps"
	"slices"

	"holdfast"
)

// The changes below return a changed copy for Publish, and Conflict or NotFound, with what is in the way, if they make no sense now.
// They do not check what Validate does.

func refuse(kind holdfast.Kind, format string, args ...any) error {
	return holdfast.E("change configuration", kind, fmt.Errorf(format, args...))
}

// New returns the configuration of a cluster without anything, to be published as its first version once something is in it.
func New(cluster string) Config {
	return Config{
		Cluster: cluster, Hosts: []Host{}, Storages: []Storage{}, Volumes: []Volume{}, Services: []Service{}, Gateways: []Gateway{},
	}
}

// WithHost adds a host, or replaces the one with its id.
func (c Config) WithHost(h Host) Config {
	c = c.Clone()
	if h.Storages == nil {
		h.Storages = []string{}
	}
	if i := slices.IndexFunc(c.Hosts, func(other Host) bool { return other.ID == h.ID }); i >= 0 {
		c.Hosts[i] = h
		return c
	}
	c.Hosts = append(c.Hosts, h)
	return c
}

// WithStorage adds a storage, or replaces the one of its name.
func (c Config) WithStorage(s Storage) Config {
	c = c.Clone()
	if i := slices.IndexFunc(c.Storages, func(other Storage) bool { return other.Name == s.Name }); i >= 0 {
		c.Storages[i] = s
		return c
	}
	c.Storages = append(c.Storages, s)
	return c
}

// WithVolume adds a volume with so many name and object servers on a storage, and spreads its slots over the name servers.
func (c Config) WithVolume(name, storage string, nameServers, objectServers int) (Config, holdfast.VolumeID, error) {
	c = c.Clone()
	if _, ok := c.Storage(storage); !ok {
		return c, 0, refuse(holdfast.NotFound, "there is no storage %q", storage)
	}
	if nameServers < 1 || objectServers < 1 || nameServers > holdfast.Slots || len(c.Services)+nameServers+objectServers > MaxServices {
		return c, 0, refuse(holdfast.Invalid, "%d name and %d object servers", nameServers, objectServers)
	}
	number := c.NextNumber()
	v := Volume{ID: IDOf(holdfast.VolumeID(holdfast.NewServiceID(holdfast.TypeVolume, number))), Name: name}
	deal := func(t holdfast.ServiceType, n int) (ids []holdfast.ServiceID) {
		for range n {
			number++
			id := holdfast.NewServiceID(t, number)
			ids = append(ids, id)
			c.Services = append(c.Services, Service{ID: IDOf(id), Volume: v.ID, Storage: storage})
		}
		return ids
	}
	v.Slots = SpreadSlots(deal(holdfast.TypeNameServer, nameServers))
	for _, id := range deal(holdfast.TypeObjectStore, objectServers) {
		v.ObjectServers = append(v.ObjectServers, IDOf(id))
	}
	c.Volumes = append(c.Volumes, v)
	return c, v.ID.Value, nil
}

// WithObjectServers adds object servers to a volume; new objects go there, too, as soon as the version is known.
func (c Config) WithObjectServers(volume holdfast.VolumeID, storage string, n int) (Config, error) {
	c = c.Clone()
	i := slices.IndexFunc(c.Volumes, func(v Volume) bool { return v.ID.Value == volume })
	if i < 0 {
		return c, refuse(holdfast.NotFound, "there is no volume %s", volume)
	}
	if _, ok := c.Storage(storage); !ok {
		return c, refuse(holdfast.NotFound, "there is no storage %q", storage)
	}
	for number := c.NextNumber(); n > 0; n, number = n-1, number+1 {
		id := IDOf(holdfast.NewServiceID(holdfast.TypeObjectStore, number))
		c.Services = append(c.Services, Service{ID: id, Volume: c.Volumes[i].ID, Storage: storage})
		c.Volumes[i].ObjectServers = append(c.Volumes[i].ObjectServers, id)
	}
	return c, nil
}

// WithGateway adds a gateway of a volume on a host.
func (c Config) WithGateway(host holdfast.HostID, volume holdfast.VolumeID, address string) (Config, holdfast.ServiceID, error) {
	c = c.Clone()
	if _, ok := c.Host(host); !ok {
		return c, 0, refuse(holdfast.NotFound, "there is no host %s", host)
	}
	if !slices.ContainsFunc(c.Volumes, func(v Volume) bool { return v.ID.Value == volume }) {
		return c, 0, refuse(holdfast.NotFound, "there is no volume %s", volume)
	}
	if i := slices.IndexFunc(c.Gateways, func(g Gateway) bool { return g.Host.Value == host && g.Address == address }); i >= 0 {
		return c, 0, refuse(holdfast.Conflict, "gateway %s is at %s already", c.Gateways[i].ID.Value, address)
	}
	g := Gateway{ID: IDOf(holdfast.NewServiceID(holdfast.TypeGateway, c.NextNumber())), Host: IDOf(host), Volume: IDOf(volume), Address: address}
	c.Gateways = append(c.Gateways, g)
	return c, g.ID.Value, nil
}

// WithoutGateway takes a gateway away.
func (c Config) WithoutGateway(id holdfast.ServiceID) (Config, error) {
	c = c.Clone()
	i := slices.IndexFunc(c.Gateways, func(g Gateway) bool { return g.ID.Value == id })
	if i < 0 {
		return c, refuse(holdfast.NotFound, "there is no gateway %s", id)
	}
	c.Gateways = slices.Delete(c.Gateways, i, i+1)
	return c, nil
}

// WithBind has a service run on a host; 0 leaves it to placement.
func (c Config) WithBind(id holdfast.ServiceID, host holdfast.HostID) (Config, error) {
	c = c.Clone()
	i := slices.IndexFunc(c.Services, func(s Service) bool { return s.ID.Value == id })
	if i < 0 {
		return c, refuse(holdfast.NotFound, "there is no service %s", id)
	}
	c.Services[i].Bind = nil
	if host == 0 {
		return c, nil
	}
	h, ok := c.Host(host)
	if !ok {
		return c, refuse(holdfast.NotFound, "there is no host %s", host)
	}
	if !slices.Contains(h.Storages, c.Services[i].Storage) {
		return c, refuse(holdfast.Conflict, "host %s does not mount storage %q of service %s", host, c.Services[i].Storage, id)
	}
	bind := IDOf(host)
	c.Services[i].Bind = &bind
	return c, nil
}

// WithDrain has a host get rid of its services, or with false have some again.
func (c Config) WithDrain(host holdfast.HostID, drain bool) (Config, error) {
	h, ok := c.Host(host)
	if !ok {
		return c, refuse(holdfast.NotFound, "there is no host %s", host)
	}
	h.Drain = drain
	return c.WithHost(h), nil
}

// WithoutHost takes a host away that nothing is tied to: no gateway runs there and no service is bound to it. Who runs services there now is
// not in the configuration; the caller looks.
func (c Config) WithoutHost(id holdfast.HostID) (Config, error) {
	c = c.Clone()
	i := slices.IndexFunc(c.Hosts, func(h Host) bool { return h.ID.Value == id })
	if i < 0 {
		return c, refuse(holdfast.NotFound, "there is no host %s", id)
	}
	for _, g := range c.Gateways {
		if g.Host.Value == id {
			return c, refuse(holdfast.Conflict, "gateway %s runs on host %s: remove it first", g.ID.Value, id)
		}
	}
	for _, s := range c.Services {
		if s.Bind != nil && s.Bind.Value == id {
			return c, refuse(holdfast.Conflict, "service %s is bound to host %s: unbind it first", s.ID.Value, id)
		}
	}
	c.Hosts = slices.Delete(c.Hosts, i, i+1)
	return c, nil
}

// WithAttributes notes what the operator asked of the filesystem for a volume.
func (c Config) WithAttributes(volume holdfast.VolumeID, attributes map[string]string) (Config, error) {
	c = c.Clone()
	i := slices.IndexFunc(c.Volumes, func(v Volume) bool { return v.ID.Value == volume })
	if i < 0 {
		return c, refuse(holdfast.NotFound, "there is no volume %s", volume)
	}
	c.Volumes[i].Attributes = maps.Clone(attributes)
	return c, nil
}
