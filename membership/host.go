// Package membership is a host's part in the cluster: one process per host and machine, a heartbeat, and the services it
// owns. Its rooms: layout (what lies on the mount), lease and heartbeat (who is alive), takeover (who owns what), config
// (what there should be).
//
// Its invariant: a process acts for a service only between a won Take and the loss of its fence or lease. It starts no
// engine and serves no client; package node does.
package membership

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"holdfast"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/takeover"
	"holdfast/storage"
)

// Options say which host this is, and where.
type Options struct {
	FS   storage.FS
	Root string // directory of the cluster on the storage; made if missing

	// Host is the id of this host. Zero takes the only host that the storage knows, or a new random id if it knows none.
	Host holdfast.HostID
	// Address is where other hosts reach this node; "-" if empty.
	Address string
	// T is the lease time; zero means heartbeat.DefaultT.
	T time.Duration
	// Parallel is how many takeovers work at a time, those not counted that wait for a lease to end; zero means DefaultParallel.
	Parallel int
	// Machine is what proves a former process gone; zero means [ThisMachine].
	Machine Machine
	// Clock is what the lease is measured by; nil means heartbeat.SystemClock.
	Clock heartbeat.Clock
	// OnEvent is told of the lease's changes; may be nil, must not block.
	OnEvent func(heartbeat.Event)
}

// DefaultParallel is how many takeovers work at a time: each copies files and opens a store twice.
const DefaultParallel = 8

// Machine is what a process knows about the machine it runs on. Tests give another.
type Machine struct {
	// Lock takes the machine-wide lock of a directory and returns its token; Conflict if another process has it.
	Lock func(path string) (lock io.Closer, token string, err error)
	// Boot is the id of this boot; empty if unknown.
	Boot string
	// LocalDisk says that only this machine can have the storage mounted.
	LocalDisk bool
}

// ThisMachine describes the machine for a storage mounted at root.
func ThisMachine(root string) Machine {
	boot, err := storage.BootID()
	if err != nil {
		boot = "" // nothing can be proven, and a restart waits for the lease
	}
	return Machine{
		Boot:      boot,
		LocalDisk: storage.LocalDisk(root),
		Lock: func(path string) (io.Closer, string, error) {
			l, err := storage.LockHost(path)
			if err != nil {
				return nil, "", err
			}
			return l, l.Token(), nil
		},
	}
}

// ThisMachineFor describes the machine for one of several hosts that have their processes on it, as in tests and laboratories: each
// host's lock is its own, and [ThisMachine]'s excludes them all.
func ThisMachineFor(root string, host holdfast.HostID) Machine {
	m := ThisMachine(root)
	m.Lock = func(path string) (io.Closer, string, error) {
		l, err := storage.LockHostOf(path, host)
		if err != nil {
			return nil, "", err
		}
		return l, l.Token(), nil
	}
	return m
}

// Host is this process as a member of the cluster. Safe for concurrent use.
type Host struct {
	fs       storage.FS
	root     layout.Root
	lock     io.Closer
	beater   *heartbeat.Beater
	watcher  *heartbeat.Watcher
	working  chan struct{} // one for each takeover at work
	claimant *takeover.Claimant

	clock heartbeat.Clock
	once  sync.Once
	stop  chan struct{} // ends the herald
	done  chan struct{} // it has ended

	mu    sync.Mutex
	owned map[holdfast.ServiceID]*takeover.Ownership // taken and not seen to end
}

// maxIncarnationTries bounds how often a stale listing may offer a number that is taken.
const maxIncarnationTries = 10

// Open makes this process the host's: it takes the machine-wide lock of the directory, claims an incarnation and starts the
// heartbeat. A second process on the same directory is refused with Conflict and the first one's pid.
func Open(opt Options) (*Host, error) {
	if opt.T == 0 {
		opt.T = heartbeat.DefaultT
	}
	if opt.Address == "" {
		opt.Address = "-"
	}
	root := layout.Root(opt.Root)
	if err := makeDirs(opt.FS, root); err != nil {
		return nil, err
	}
	if opt.Clock == nil {
		opt.Clock = heartbeat.SystemClock()
	}
	if opt.Machine.Lock == nil {
		opt.Machine = ThisMachine(opt.Root)
	}
	lock, token, err := opt.Machine.Lock(opt.Root)
	if err != nil {
		return nil, err
	}
	if opt.Parallel <= 0 {
		opt.Parallel = DefaultParallel
	}
	h := &Host{
		fs: opt.FS, root: root, lock: lock, clock: opt.Clock, working: make(chan struct{}, opt.Parallel),
		owned: map[holdfast.ServiceID]*takeover.Ownership{},
	}
	if err := h.start(opt, token); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return h, nil
}

func makeDirs(fsys storage.FS, root layout.Root) error {
	for _, dir := range []string{root.Config(), root.Hosts(), root.Services()} {
		if err := storage.MakeDir(fsys, dir); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) start(opt Options, token string) error {
	id, err := h.hostID(opt.Host)
	if err != nil {
		return err
	}
	if err := storage.MakeDir(h.fs, h.root.Host(id)); err != nil {
		return err
	}
	inc, err := h.incarnate(id, layout.Incarnation{Boot: opt.Machine.Boot, Lock: token, Address: opt.Address})
	if err != nil {
		return err
	}
	h.beater, err = heartbeat.Start(heartbeat.Config{
		FS: h.fs, Root: h.root, Host: id, Incarnation: inc, T: opt.T, Clock: opt.Clock,
		Confirm: h.confirmAll, OnEvent: opt.OnEvent,
	})
	if err != nil {
		return err
	}
	h.watcher = heartbeat.NewWatcher(h.fs, h.root, opt.T, opt.Clock)
	h.claimant = &takeover.Claimant{
		FS: h.fs, Root: h.root, Host: id, Incarnation: inc, Lease: h.beater, T: opt.T,
		Clock: opt.Clock, LocalDisk: opt.Machine.LocalDisk,
		Watch: h.watcher.Watch, Begin: h.begin,
	}
	h.stop, h.done = make(chan struct{}), make(chan struct{})
	go h.herald(opt.T)
	return nil
}

// hostID returns the wanted id, or the only one there is, or a new one.
func (h *Host) hostID(want holdfast.HostID) (holdfast.HostID, error) {
	if want != 0 {
		return want, nil
	}
	ids, err := layout.ListHosts(h.fs, h.root)
	if err != nil {
		return 0, err
	}
	switch len(ids) {
	case 0:
		return NewHostID(), nil
	case 1:
		return ids[0], nil
	}
	return 0, holdfast.E("open host", holdfast.Invalid, fmt.Errorf("%d hosts share this storage: say which one this is", len(ids)))
}

// NewHostID draws the id of a new host.
func NewHostID() holdfast.HostID {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return holdfast.HostID(binary.BigEndian.Uint64(b[:]) | 1)
}

// incarnate claims the next number of this host.
func (h *Host) incarnate(id holdfast.HostID, inc layout.Incarnation) (layout.Incarnation, error) {
	inc.ID = holdfast.Incarnation(storage.NewNonce())
	for range maxIncarnationTries {
		numbers, err := layout.ListIncarnations(h.fs, h.root, id)
		if err != nil {
			return inc, err
		}
		inc.Number++ // past one that a stale listing did not show
		if len(numbers) > 0 {
			inc.Number = max(inc.Number, numbers[len(numbers)-1]+1)
		}
		won, _, err := storage.CreateExclusive(h.fs, h.root.Host(id), layout.IncarnationName(inc.Number), inc.Encode())
		switch won {
		case storage.Won:
			return inc, nil
		case storage.Unsure:
			return inc, err
		}
	}
	return inc, holdfast.E("open host", holdfast.Unavailable, errors.New("the listing of incarnations is stale"))
}

// ID returns the host's id.
func (h *Host) ID() holdfast.HostID { return h.claimant.Host }

// Incarnation returns the record of this process.
func (h *Host) Incarnation() layout.Incarnation { return h.claimant.Incarnation }

// Root returns the directory of the cluster.
func (h *Host) Root() layout.Root { return h.root }

// Held reports whether the lease is in force: see heartbeat.Beater.Held.
func (h *Host) Held() error { return h.beater.Held() }

// Services returns the services that have a directory on the storage.
func (h *Host) Services() ([]holdfast.ServiceID, error) { return layout.ListServices(h.fs, h.root) }

// CreateService makes the directory of a new service; its first owner is whoever takes it first.
func (h *Host) CreateService(id holdfast.ServiceID) error {
	return takeover.CreateService(h.fs, h.root, id)
}

// Take makes this process the owner of a service: see takeover.Claimant.Take. The caller ends the ownership by
// Ownership.Release, or Ownership.Abandon after a loss, before it takes the service again or closes the Host.
func (h *Host) Take(ctx context.Context, req takeover.Request) (*takeover.Ownership, error) {
	o, err := h.claimant.Take(ctx, req)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.owned[req.Service] = o
	h.mu.Unlock()
	// It may have been fenced before the beats began to look at it.
	if err := o.Fence.Confirm(); err != nil {
		o.Abandon()
		return nil, err
	}
	return o, nil
}

// begin waits for a place among the takeovers at work.
func (h *Host) begin(ctx context.Context) (end func(), err error) {
	select {
	case h.working <- struct{}{}:
		return func() { <-h.working }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Suspect has the lease of a host watched from now on, so that a Take that needs its end need not watch from the beginning.
func (h *Host) Suspect(id holdfast.HostID) { h.watcher.Suspect(id) }

// Follow has the leases of these hosts watched all the time, and no others but those that are suspected: their services can then be
// taken as soon as their leases have ended. It costs a read of each host's heartbeat every fifth of T.
func (h *Host) Follow(hosts []holdfast.HostID) { h.watcher.Follow(hosts) }

// owns returns the ownerships that are not known to have ended, in the order of services, and forgets the others.
func (h *Host) owns() (all []*takeover.Ownership) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(h.owned)) {
		o := h.owned[id]
		if o.Fence.Reason() != nil {
			delete(h.owned, id)
			continue
		}
		all = append(all, o)
	}
	return all
}

// confirmAll looks at the fence of every service, at each beat before it buys time.
func (h *Host) confirmAll() {
	for _, o := range h.owns() {
		_ = o.Fence.Confirm() // the fence remembers what it saw, and that it could not be read
	}
}

// herald is a goroutine that looks at the routing hints of the owned services every T and writes them anew where they are not as
// they should be: writing them may have failed at the takeover, or a former owner's may have come later.
func (h *Host) herald(every time.Duration) {
	defer close(h.done)
	for {
		fired, stop := h.clock.Timer(every)
		select {
		case <-h.stop:
			stop()
			return
		case <-fired:
		}
		for _, o := range h.owns() {
			if !o.Published() && o.Fence.Confirm() == nil {
				_ = o.Publish() // again the next time
			}
		}
	}
}

// Close stops the heartbeat, waits for calls of its own that are under way, and gives the machine-wide lock back. If every service
// was released or abandoned before, the heartbeat says that this process holds nothing, so that nobody waits for the lease.
func (h *Host) Close() error {
	released := true
	h.watcher.Close()
	h.mu.Lock()
	for _, o := range h.owned {
		released = released && o.Fence.Reason() != nil
	}
	h.mu.Unlock()
	h.once.Do(func() { close(h.stop) })
	<-h.done
	return errors.Join(h.beater.Close(released), h.lock.Close())
}
