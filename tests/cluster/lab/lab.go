package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Host is a host's number, from 1.
type Host int

// MaxHosts bounds the hosts of a lab.
const MaxHosts = 16

// Lab is hosts, their networks and the storage they share. Its methods are safe for concurrent use, except Close.
type Lab struct {
	dir     string
	tag     string // what tells its namespaces from those of others
	n       int
	lock    *os.File
	storage Storage
}

// New removes what dead tests left and makes a lab of n hosts, each with the storage mounted. It needs root.
func New(ctx context.Context, n int, s Storage) (*Lab, error) {
	if n < 1 || n > MaxHosts {
		return nil, fmt.Errorf("lab: %d hosts, want 1 to %d", n, MaxHosts)
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("lab: only root can make network namespaces and mounts")
	}
	dir, lock, err := claim(ctx)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	l := &Lab{dir: dir, tag: tagOf(dir), n: n, lock: lock, storage: s}
	if err := l.build(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("lab: %w", err), l.Close())
	}
	return l, nil
}

func (l *Lab) build(ctx context.Context) error {
	if err := l.makeNetworks(ctx); err != nil {
		return err
	}
	for _, h := range l.Hosts() {
		if err := os.MkdirAll(l.Dir(h), 0o700); err != nil {
			return err
		}
	}
	return l.storage.up(ctx, l)
}

// Close ends every process in the lab's namespaces and removes mounts, namespaces and files.
func (l *Lab) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), wipeWithin)
	defer cancel()
	err := wipe(ctx, l.dir)
	return errors.Join(err, l.lock.Close())
}

// Hosts returns all hosts.
func (l *Lab) Hosts() []Host {
	all := make([]Host, l.n)
	for i := range all {
		all[i] = Host(i + 1)
	}
	return all
}

// Dir returns a directory on the machine's disk that is the host's own. Logs of its processes are there.
func (l *Lab) Dir(h Host) string { return filepath.Join(l.dir, fmt.Sprintf("host%d", h)) }

// Mount returns where the host has the shared storage mounted.
func (l *Lab) Mount(h Host) string { return l.storage.mount(l, h) }

// Address returns the host's address in the network of its peers, without a port.
func (l *Lab) Address(h Host) string { return fmt.Sprintf("198.18.1.%d", h) }

// storeAddress returns the host's address in the network of the storage.
func (l *Lab) storeAddress(h Host) string { return fmt.Sprintf("198.18.2.%d", h) }

// hubAddress is that of the hub in the network of the storage.
const hubAddress = "198.18.2.254"

// KillServer kills the storage server of a host (a brick), while its mount and its networks stay.
func (l *Lab) KillServer(ctx context.Context, h Host) error { return l.storage.killServer(ctx, l, h) }

// StartServer starts the storage server of a host again.
func (l *Lab) StartServer(ctx context.Context, h Host) error { return l.storage.startServer(ctx, l, h) }

// AwaitStorage waits until every mount reaches every server and every server has everything: the next one may be lost.
// While somebody writes that may never be so.
func (l *Lab) AwaitStorage(ctx context.Context) error { return l.storage.whole(ctx, l) }

// pollEvery is the pause between two looks at something that is waited for.
const pollEvery = 100 * time.Millisecond

// await looks until ok returns nil or ctx ends.
func await(ctx context.Context, what string, ok func() error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; last: %w", what, context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}
