package confrpc

import (
	"context"
	"time"

	"holdfast"
	"holdfast/membership/ca"
	"holdfast/membership/config"
	"holdfast/membership/protocol"
)

// Service is what a node answers to other nodes, gateways and tools. Implementations are safe for concurrent use.
type Service interface {
	// Hello tells who is at both ends and which versions of the protocol they speak. Kinds: Denied if the caller is of another
	// cluster, Unsupported if there is no common version.
	Hello(ctx context.Context, from Greeting) (Greeting, error)

	// Newest returns the newest configuration that the node knows. If that is not newer than version after it waits for such a
	// one, at most for wait and at most [MaxWait], and returns what it has then. NotFound if it knows none.
	Newest(ctx context.Context, after uint64, wait time.Duration) (config.Config, error)

	// Publish makes c the version after base: see config.Log.Publish for what comes back and what an error means.
	// Unavailable if the node does not reach the log.
	Publish(ctx context.Context, base uint64, c config.Config) (config.Config, error)

	// Owners returns the owners of services as far as they are known, in any order; of all services without ids. Hints.
	Owners(ctx context.Context, ids []holdfast.ServiceID) ([]Owner, error)

	// Status tells what the node is at.
	Status(ctx context.Context) (Status, error)

	// Release closes a service that the node owns under an epoch and gives it up for another host. It returns once the next owner
	// need not wait. Doing it again is no error. Kinds: NotOwner if the node does not own it or owns it under another epoch,
	// Unavailable if it could not be closed in good order, and then the lease decides.
	Release(ctx context.Context, id holdfast.ServiceID, epoch holdfast.Epoch, to holdfast.HostID) error

	// Secrets returns the files that every gateway needs and that do not lie on the mount, by name.
	Secrets(ctx context.Context) (map[string][]byte, error)

	// Renew signs a new certificate for the caller, whom its present one names. Unavailable if the node is no configuration service.
	Renew(ctx context.Context, request []byte) (ca.Grant, error)
}

// Limits of the contract.
const (
	// MaxWait bounds how long Newest waits.
	MaxWait = 30 * time.Second
	// MaxOwners is how many services one Owners call may name.
	MaxOwners = config.MaxServices
)

// Greeting is who is at one end.
type Greeting struct {
	Cluster string
	Host    holdfast.HostID // 0: no host, such as a tool
	Speaks  protocol.Range
}

// Owner is where a service is said to be.
type Owner struct {
	Service holdfast.ServiceID
	Epoch   holdfast.Epoch
	Host    holdfast.HostID
	Address string
}

// Status is what a node is at.
type Status struct {
	Host     holdfast.HostID
	Run      uint64 // number of its incarnation
	Address  string
	Uptime   time.Duration
	Config   uint64 // version in force there
	Leaving  bool   // it stops, and wants to be rid of its services
	Storages []StorageStatus
	Services []ServiceStatus // gateways too
}

// StorageStatus is how a node gets on with a storage.
type StorageStatus struct {
	Name  string
	Works bool
	Text  string // why it does not
}

// ServiceStatus is what a node does for a service.
type ServiceStatus struct {
	ID      holdfast.ServiceID
	State   State
	Epoch   holdfast.Epoch // 0 of gateways and while it is not active
	Uptime  time.Duration  // in this state
	Address string         // where it is reached
}

// State is the state of a service in a word.
type State string

// The states.
const (
	Starting State = "STARTING"
	Active   State = "ACTIVE"
	Failed   State = "FAILED"
)
