// Package config is the configuration log of a cluster: what hosts, storages, volumes, services and gateways there should
// be, as a sequence of whole versions on the mount.
//
// Its invariant: a version never changes once it is there, and version n+1 is made from version n or not at all
// (compare-and-swap by exclusive creation). It describes what should be; who owns a service is settled by package takeover.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast"
	"holdfast/storage"
)

// Limits of a configuration.
const (
	MaxBytes    = 4 << 20 // of a version's file
	MaxServices = 10_000
	MaxHosts    = 10_000
	MaxVolumes  = 1_000
)

const format = 1

// Config is one version. Treat it as a value: change a copy ([Config.Clone]) and publish that.
type Config struct {
	Format  int    `json:"format"`
	Version uint64 `json:"version"` // set by Publish
	Nonce   string `json:"nonce"`   // set by Publish; tells whose version it is

	// Cluster is the random name of the cluster, 32 hex digits; it never changes.
	Cluster  string    `json:"cluster"`
	Hosts    []Host    `json:"hosts"`
	Storages []Storage `json:"storages"`
	Volumes  []Volume  `json:"volumes"`
	Services []Service `json:"services"`
	Gateways []Gateway `json:"gateways"`
}

// Host is a machine of the cluster.
type Host struct {
	ID       ID[holdfast.HostID] `json:"id"`
	Name     string              `json:"name,omitempty"`
	Address  string              `json:"address,omitempty"`
	Storages []string            `json:"storages"` // names of those it mounts
	Drain    bool                `json:"drain,omitempty"`
}

// Storage is a named shared mount. The configuration log is on the first one.
type Storage struct {
	Name string `json:"name"`
	// Dir is the directory of the cluster on the mount, as tools show it; where the mount is, is each host's business.
	Dir string `json:"dir,omitempty"`
	// LeaseMS is the lease time T on this mount in milliseconds, read when a node starts; 0 means the default.
	LeaseMS int `json:"lease_ms,omitempty"`
}

// Lease returns the lease time T; 0 means the default.
func (s Storage) Lease() time.Duration { return time.Duration(s.LeaseMS) * time.Millisecond }

// Volume is an object namespace with its slot map.
type Volume struct {
	ID            ID[holdfast.VolumeID]    `json:"id"`
	Name          string                   `json:"name"`
	Slots         []SlotRange              `json:"slots"`          // ascending, no gap: all of holdfast.Slots
	ObjectServers []ID[holdfast.ServiceID] `json:"object_servers"` // where new objects go
	// Attributes are what the operator asked of the filesystem for this volume, such as replicas=3. They are kept and shown; the mount
	// itself decides how it keeps files.
	Attributes map[string]string `json:"attributes,omitempty"`
}

// SlotRange gives slots First to Last, both included, to a name server.
type SlotRange struct {
	First      int                    `json:"first"`
	Last       int                    `json:"last"`
	NameServer ID[holdfast.ServiceID] `json:"name_server"`
}

// Service is a name or object server.
type Service struct {
	ID      ID[holdfast.ServiceID] `json:"id"`
	Volume  ID[holdfast.VolumeID]  `json:"volume"`
	Storage string                 `json:"storage"`
	// Bind is the host that an operator wants it on; nil leaves it to placement.
	Bind *ID[holdfast.HostID] `json:"bind,omitempty"`
}

// Gateway is an S3 endpoint on a host.
type Gateway struct {
	ID      ID[holdfast.ServiceID] `json:"id"`
	Host    ID[holdfast.HostID]    `json:"host"`
	Volume  ID[holdfast.VolumeID]  `json:"volume"`
	Address string                 `json:"address"`
}

// ID writes an id as the 16 hex digits it has everywhere else.
type ID[T ~uint64] struct{ Value T }

// IDOf wraps an id.
func IDOf[T ~uint64](v T) ID[T] { return ID[T]{v} }

// MarshalText is encoding.TextMarshaler.
func (id ID[T]) MarshalText() ([]byte, error) {
	return []byte(holdfast.ServiceID(id.Value).String()), nil
}

// UnmarshalText is encoding.TextUnmarshaler; it accepts what MarshalText writes.
func (id *ID[T]) UnmarshalText(b []byte) error {
	v, err := holdfast.ParseServiceID(string(b))
	if err != nil || v.String() != string(b) {
		return fmt.Errorf("%q is not an id of 16 lower-case hex digits", b)
	}
	id.Value = T(v)
	return nil
}

// Host returns the host with this id.
func (c Config) Host(id holdfast.HostID) (Host, bool) {
	i := slices.IndexFunc(c.Hosts, func(h Host) bool { return h.ID.Value == id })
	if i < 0 {
		return Host{}, false
	}
	return c.Hosts[i], true
}

// Storage returns the storage of this name.
func (c Config) Storage(name string) (Storage, bool) {
	i := slices.IndexFunc(c.Storages, func(s Storage) bool { return s.Name == name })
	if i < 0 {
		return Storage{}, false
	}
	return c.Storages[i], true
}

// NextNumber returns the lowest number above those of all volumes, services and gateways, which share one count below their type.
func (c Config) NextNumber() uint64 {
	const number = 1<<56 - 1
	var top uint64
	for _, v := range c.Volumes {
		top = max(top, uint64(v.ID.Value)&number)
	}
	for _, s := range c.Services {
		top = max(top, uint64(s.ID.Value)&number)
	}
	for _, g := range c.Gateways {
		top = max(top, uint64(g.ID.Value)&number)
	}
	return top + 1
}

// Single returns the configuration of a cluster of one: a host, a storage, a volume, its services and a gateway.
func Single(host holdfast.HostID, volume holdfast.VolumeID, nameServers, objectServers []holdfast.ServiceID) Config {
	const store = "stor1"
	c := Config{
		Cluster:  storage.NewNonce().String(),
		Hosts:    []Host{{ID: IDOf(host), Storages: []string{store}}},
		Storages: []Storage{{Name: store}},
		Gateways: []Gateway{},
	}
	v := Volume{ID: IDOf(volume), Name: "vol1", Slots: SpreadSlots(nameServers), ObjectServers: []ID[holdfast.ServiceID]{}}
	for _, id := range objectServers {
		v.ObjectServers = append(v.ObjectServers, IDOf(id))
	}
	for _, id := range slices.Concat(nameServers, objectServers) {
		c.Services = append(c.Services, Service{ID: IDOf(id), Volume: v.ID, Storage: store})
	}
	c.Volumes = []Volume{v}
	return c
}

// SpreadSlots gives each name server an equal run of slots, in order.
func SpreadSlots(nameServers []holdfast.ServiceID) []SlotRange {
	ranges := []SlotRange{}
	for i, id := range nameServers {
		first := i * holdfast.Slots / len(nameServers)
		last := (i+1)*holdfast.Slots/len(nameServers) - 1
		if first <= last {
			ranges = append(ranges, SlotRange{first, last, IDOf(id)})
		}
	}
	return ranges
}

// Clone returns a copy that shares nothing with c.
func (c Config) Clone() Config {
	c.Hosts = slices.Clone(c.Hosts)
	for i := range c.Hosts {
		c.Hosts[i].Storages = slices.Clone(c.Hosts[i].Storages)
	}
	c.Storages = slices.Clone(c.Storages)
	c.Volumes = slices.Clone(c.Volumes)
	for i := range c.Volumes {
		c.Volumes[i].Slots = slices.Clone(c.Volumes[i].Slots)
		c.Volumes[i].ObjectServers = slices.Clone(c.Volumes[i].ObjectServers)
		c.Volumes[i].Attributes = maps.Clone(c.Volumes[i].Attributes)
	}
	c.Services = slices.Clone(c.Services)
	for i, s := range c.Services {
		if s.Bind != nil {
			bind := *s.Bind
			c.Services[i].Bind = &bind
		}
	}
	c.Gateways = slices.Clone(c.Gateways)
	return c
}

// Encode writes a version as its file has it.
func (c Config) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// ParseDraft reads what is to become a version: like [Parse], but version and nonce may be missing and it is not validated,
// since Publish sets them and does that.
func ParseDraft(b []byte) (Config, error) {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return Config{}, holdfast.E("decode configuration", holdfast.Corrupt, err)
	}
	if head.Format > format {
		return Config{}, holdfast.E("decode configuration", holdfast.Unsupported, fmt.Errorf("format %d is newer than %d", head.Format, format))
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var c Config
	err := d.Decode(&c)
	if err == nil {
		if _, extra := d.Token(); extra != io.EOF {
			err = errors.New("bytes follow the object")
		}
	}
	if err != nil {
		return Config{}, holdfast.E("decode configuration", holdfast.Corrupt, err)
	}
	return c, nil
}

// Parse reads a version's file, strictly: unknown fields, trailing bytes and what [Config.Validate] refuses are Corrupt; a
// newer format is Unsupported.
func Parse(b []byte) (Config, error) {
	c, err := ParseDraft(b)
	if err != nil {
		return Config{}, err
	}
	if c.Version == 0 || strings.Trim(c.Nonce, "0123456789abcdef") != "" || len(c.Nonce) != 32 {
		err = errors.New("version or nonce is missing")
	} else {
		err = c.Validate()
	}
	if err != nil {
		return Config{}, holdfast.E("decode configuration", holdfast.Corrupt, err)
	}
	return c, nil
}
