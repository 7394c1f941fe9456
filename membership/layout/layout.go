// Package layout says what lies on the mount beside the stores and pools: where each small file is, what is in it,
// and how to read it. FORMAT.md beside it is the same for people, with how to recover by hand.
//
// Its invariant: one path and one encoding for each thing, and decoding accepts exactly what encoding writes. It decides nothing;
// who may write which file, when, is the business of packages takeover, heartbeat and config.
package layout

import (
	"path"
	"strconv"

	"holdfast"
)

// Root is the directory of the cluster on a storage.
type Root string

// Name is the file with the addresses of configuration services.
func (r Root) Name() string { return path.Join(string(r), "control", "name") }

// Cluster is the file that says whose storage this is.
func (r Root) Cluster() string { return path.Join(r.Control(), ClusterFile) }

// Control is the directory of cluster-wide files.
func (r Root) Control() string { return path.Join(string(r), "control") }

// Config is the directory of the configuration log.
func (r Root) Config() string { return path.Join(string(r), "control", "config") }

// Hosts is the directory of all hosts, Host that of one.
func (r Root) Hosts() string { return path.Join(string(r), "hosts") }

// Host is the directory of a host: its incarnations and its heartbeat.
func (r Root) Host(id holdfast.HostID) string { return path.Join(r.Hosts(), id.String()) }

// Heartbeat is the file that the host's process rewrites in place.
func (r Root) Heartbeat(id holdfast.HostID) string { return path.Join(r.Host(id), "heartbeat") }

// Services is the directory of all services.
func (r Root) Services() string { return path.Join(string(r), "services") }

// Service is the directory of one service.
func (r Root) Service(id holdfast.ServiceID) Service {
	return Service(path.Join(r.Services(), id.String()))
}

// Service is the directory of a name or object server.
type Service string

// HostFile names, for routing, the host that runs the service.
func (s Service) HostFile() string { return path.Join(string(s), HostFile) }

// OwnerFile tells, for routing, who runs the service under which epoch.
func (s Service) OwnerFile() string { return path.Join(string(s), OwnerFile) }

// Claims is the directory that arbitrates ownership. Nothing in it is ever removed.
func (s Service) Claims() string { return path.Join(string(s), "claims") }

// Store is the Pebble store of an epoch.
func (s Service) Store(e holdfast.Epoch) string { return path.Join(string(s), "e"+number(uint64(e))) }

// Fence is the file whose growth ends an epoch.
func (s Service) Fence(e holdfast.Epoch) string { return path.Join(s.Store(e), FenceFile) }

// Drained is the file that says that no write of an epoch is on its way any more.
func (s Service) Drained(e holdfast.Epoch) string { return path.Join(s.Store(e), DrainedFile) }

// Pools is the directory of an object server's pool files.
func (s Service) Pools() string { return path.Join(string(s), "pools") }

// Names of files inside their directories.
const (
	HostFile      = "host"
	OwnerFile     = "owner"
	NameFile      = "name"
	ClusterFile   = "cluster"
	HeartbeatFile = "heartbeat"
	FenceFile     = "fence"
	DrainedFile   = "drained"

	outcomeSuffix = ".outcome"
	configSuffix  = ".json"
)

// ClaimName is the name of an epoch's claim inside Claims.
func ClaimName(e holdfast.Epoch) string { return number(uint64(e)) }

// OutcomeName is the name of an epoch's outcome inside Claims.
func OutcomeName(e holdfast.Epoch) string { return number(uint64(e)) + outcomeSuffix }

// ConfigName is the name of a version inside Config.
func ConfigName(version uint64) string { return number(version) + configSuffix }

// IncarnationName is the name of an incarnation inside Host.
func IncarnationName(no uint64) string { return number(no) }

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// parseNumber accepts what number writes, zero excepted: numbers begin with 1.
func parseNumber(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n > 0 && number(n) == s
}
