package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/confrpc"
	"holdfast/membership/layout"
	"holdfast/storage"
)

// Pauses between attempts to open a storage.
const (
	firstOpen = time.Second
	maxOpen   = 10 * time.Second
)

// mount is a storage as this host has it: the Store on it once it could be opened. Each is opened, read and closed by goroutines of its
// own, so one that hangs holds up no other.
type mount struct {
	name string
	root layout.Root
	fs   storage.FS

	mu    sync.Mutex
	store *Store // nil: not open; guarded by mu
	err   error  // why it is not open; guarded by mu
}

// opened returns the Store, nil while there is none.
func (m *mount) opened() *Store {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.store
}

// works returns nil if the storage can be worked on now: it is open and the lease on it is in force.
func (m *mount) works() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.err != nil:
		return m.err
	case m.store == nil:
		return errOpening
	}
	return m.store.host.Held()
}

var errOpening = errors.New("it is being opened")

// open opens the storage, again and again until it is open or ctx ends.
func (m *mount) open(ctx context.Context, p *Peer) {
	for pause := firstOpen; ; pause = min(2*pause, maxOpen) {
		s, err := m.tryOpen(p)
		m.mu.Lock()
		m.store, m.err = s, err
		m.mu.Unlock()
		if err == nil && ctx.Err() != nil { // the node stopped meanwhile, and may not have seen it
			_ = s.close(ctx)
			return
		}
		if err == nil {
			p.log.Info("storage open", "storage", m.name, "dir", string(m.root))
			p.agent.wake()
			return
		}
		p.log.Error("storage not open", "storage", m.name, "dir", string(m.root), "error", err, "pause", pause)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// tryOpen opens the storage if it is there and ours.
func (m *mount) tryOpen(p *Peer) (*Store, error) {
	if err := checkCluster(m.fs, m.root, p.me.Cluster); err != nil {
		return nil, err
	}
	c := p.tracker.get()
	declared, ok := c.Storage(m.name)
	if !ok {
		return nil, fmt.Errorf("the configuration has no storage %q", m.name)
	}
	return openStore(storeOptions{
		FS: m.fs, Rosters: []roster{p.disc, p.doors}, Registry: p.registry, Logger: p.log.With("storage", m.name), Now: p.env.Now,
		CacheShare: cacheShare(c, p.settings.CacheBytes), Buffers: bufferShare(c),
		OnSuperseded: func() {
			p.fail(holdfast.E("node", holdfast.Conflict, fmt.Errorf("host %s: another process has this id now; two hosts with one id?", p.me.Host.Value)))
		},
		Host: membership.Options{
			Root: string(m.root), Host: p.me.Host.Value, Address: p.me.Address, T: declared.Lease(), Machine: p.machine(string(m.root)),
		},
	})
}

// checkCluster sees that a directory is the cluster's. A mount that is not there must not be taken for a new storage, nor another
// cluster's for ours.
func checkCluster(fsys storage.FS, root layout.Root, want string) error {
	b, err := storage.ReadFile(fsys, root.Cluster(), layout.MaxFile)
	if holdfast.Is(err, holdfast.NotFound) {
		return fmt.Errorf("%s is not there: is it mounted? was the storage initialised?", root.Cluster())
	}
	if err != nil {
		return err
	}
	got, err := layout.ParseCluster(b)
	if err != nil {
		return err
	}
	if got != want {
		return holdfast.E("open storage", holdfast.Denied, fmt.Errorf("it belongs to cluster %s, this host to %s", got, want))
	}
	return nil
}

// ownersAtOnce is how many owner files are read at a time.
const ownersAtOnce = 8

// owners reads owner files. A service without one has an entry without owner, one whose file cannot be read now has none.
func (m *mount) owners(ctx context.Context, ids []holdfast.ServiceID) []confrpc.Owner {
	found := make([]confrpc.Owner, len(ids))
	var wg sync.WaitGroup
	places := make(chan struct{}, ownersAtOnce)
	for i, id := range ids {
		if ctx.Err() != nil {
			break
		}
		places <- struct{}{}
		wg.Go(func() {
			found[i] = m.owner(id)
			<-places
		})
	}
	wg.Wait()
	known := found[:0]
	for _, o := range found {
		if o.Service != 0 {
			known = append(known, o)
		}
	}
	return known
}

// owner reads one owner file; a zero Service says that it could not be read.
func (m *mount) owner(id holdfast.ServiceID) confrpc.Owner {
	b, err := storage.ReadFile(m.fs, m.root.Service(id).OwnerFile(), layout.MaxFile)
	if holdfast.Is(err, holdfast.NotFound) {
		return confrpc.Owner{Service: id}
	}
	if err != nil {
		return confrpc.Owner{}
	}
	o, err := layout.ParseOwner(b)
	if err != nil {
		return confrpc.Owner{Service: id} // half written by hand, or rotten. The claims still protect an owner; the next one writes it anew
	}
	return confrpc.Owner{Service: id, Epoch: o.Epoch, Host: o.Host, Address: o.Address}
}
