package takeover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/lease"
	"holdfast/storage"
	"holdfast/storage/kv"
)

// Lease tells whether this process may still act for its services.
type Lease interface{ Held() error }

// Claimant is the process that claims. Its fields do not change after the first Take; it is then safe for concurrent use, one
// Take per service at a time.
type Claimant struct {
	FS          storage.FS
	Root        layout.Root
	Host        holdfast.HostID
	Incarnation layout.Incarnation
	Lease       Lease
	// T is the lease time assumed of a host whose heartbeat was never seen.
	T time.Duration
	// Clock is what waiting is measured by; nil means the machine's own.
	Clock heartbeat.Clock
	// LocalDisk says that the storage is a disk of this machine: whatever ran on another boot of it is gone.
	LocalDisk bool
	// Watch looks whether a host is alive; nil means heartbeat.Watch. One watch can serve all takeovers from a host.
	Watch func(ctx context.Context, host holdfast.HostID) (lease.Verdict, layout.Heartbeat, error)
	// Begin, if set, is called once a takeover need not wait any more and before it claims; end is called when it has ended. It
	// bounds how many are at work.
	Begin func(ctx context.Context) (end func(), err error)
	// Parallel is how many files are copied at once; 0 means 4.
	Parallel int
}

// Request says what to take, and how.
type Request struct {
	Service holdfast.ServiceID
	// Force takes the service from an owner that is alive: for a move that an operator or the agent wants. It is as safe:
	// the owner is fenced, and waited for until it has seen that, two beats or so, or 6/5 T if it shows no life.
	Force bool
	// Prepare proves the store of the new epoch whole before it is opened: it must create it (create is set) or open it,
	// and close it again. Nil does that with the defaults of package kv; an engine with a comparer of its own passes one.
	Prepare func(dir string, create bool) error
}

// Ownership is a service that this process owns until it is fenced.
type Ownership struct {
	Service holdfast.ServiceID
	Epoch   holdfast.Epoch
	// StoreDir has the Pebble store, which exists; PoolsDir the pool files of all epochs.
	StoreDir string
	PoolsDir string
	// Fence is what the engine asks before it acknowledges. Fence.Lost is closed when the service is lost.
	Fence *Fence
	// Undrained are the older epochs whose writes may still be on their way, ascending (rule R4). Their pool files are read-only,
	// and so are those of all epochs before them, whose holes they may have used. Younger ones may be written in place.
	Undrained []holdfast.Epoch
	// Created says that no epoch was ever open before this one: the store is empty. An engine must look into the store all the
	// same, since its first run may have ended before it wrote anything.
	Created bool

	claimant *Claimant
	dir      layout.Service
	claim    layout.Claim
}

// CreateService makes the directory of a new service. Doing it again is no error.
func CreateService(fsys storage.FS, root layout.Root, id holdfast.ServiceID) error {
	dir := root.Service(id)
	if err := storage.MakeDir(fsys, dir.Claims()); err != nil {
		return err
	}
	return storage.MakeDir(fsys, dir.Pools())
}

// Take makes this process the owner of a service. Errors: Unavailable if the present owner is alive; Conflict if another process
// claimed it at the same time; NotFound if there is no such service; Corrupt if the store does not open; Unknown if the mount
// failed in the middle, and then nothing is owned and Take may be called again. An epoch that was claimed and did not
// open is given up for ever.
func (c *Claimant) Take(ctx context.Context, req Request) (*Ownership, error) {
	o, err := c.take(ctx, req)
	if err != nil {
		kind := holdfast.KindOf(err)
		if kind == holdfast.Other || kind == holdfast.Exists {
			kind = holdfast.Unknown
		}
		return nil, &holdfast.Error{Op: "takeover", Kind: kind, ID: req.Service.String(), Err: err}
	}
	return o, nil
}

func (c *Claimant) take(ctx context.Context, req Request) (*Ownership, error) {
	dir := c.Root.Service(req.Service)
	if _, err := c.FS.Stat(dir.Claims()); err != nil {
		return nil, holdfast.E("find service", holdfast.NotFound, err)
	}
	top, err := c.top(dir)
	var dead layout.Heartbeat
	if err == nil && !req.Force {
		dead, err = c.permit(ctx, dir, top)
	}
	if err != nil {
		return nil, err
	}
	if c.Begin != nil {
		end, err := c.Begin(ctx)
		if err != nil {
			return nil, err
		}
		defer end()
	}
	claim, dead, err := c.claim(ctx, dir, top, dead, req.Force)
	if err != nil {
		return nil, err
	}
	past, err := c.settle(dir, claim)
	if err != nil {
		return nil, err
	}
	o := &Ownership{
		Service: req.Service, Epoch: claim.Epoch,
		StoreDir: dir.Store(claim.Epoch), PoolsDir: dir.Pools(), Created: past.Epoch == 0,
		claimant: c, dir: dir, claim: claim,
	}
	err = c.build(ctx, o, past, req.Prepare)
	if err == nil && past.Epoch > 0 {
		err = c.outlast(ctx, dir, past.Epoch, dead)
	}
	if err != nil {
		return nil, c.abandon(dir, claim.Epoch, err)
	}
	if o.Fence, err = c.open(o); err != nil {
		return nil, err
	}
	_ = o.Publish() // hints; the host looks at them again from time to time
	if o.Fence.Confirm() == nil {
		_ = o.removeOld() // what stays is removed by the next takeover
	}
	return o, nil
}

// build makes the store of the new epoch from that of the open one, past, and finds out which epochs are drained.
func (c *Claimant) build(ctx context.Context, o *Ownership, past layout.Outcome, prepare func(string, bool) error) error {
	if err := c.FS.RemoveAll(o.StoreDir); err != nil {
		return err
	}
	if err := storage.MakeDir(c.FS, o.StoreDir); err != nil {
		return err
	}
	if past.Epoch > 0 {
		if err := c.fence(o.dir, past.Epoch, o.claim); err != nil {
			return err
		}
		if err := c.copyStore(ctx, o.dir.Store(past.Epoch), o.StoreDir); err != nil {
			return err
		}
	}
	if prepare == nil {
		prepare = func(dir string, create bool) error { return prepareStore(c.FS, dir, create) }
	}
	if err := prepare(o.StoreDir, past.Epoch == 0); err != nil {
		return err
	}
	undrained, err := c.drain(o.dir, past)
	if err != nil {
		return err
	}
	o.Undrained = undrained
	if err := storage.WriteFile(c.FS, o.dir.Fence(o.Epoch), layout.EncodeFence(o.Epoch)); err != nil {
		return err
	}
	if err := storage.SyncDir(c.FS, o.StoreDir); err != nil {
		return err
	}
	return storage.SyncDir(c.FS, string(o.dir))
}

func prepareStore(fsys storage.FS, dir string, create bool) error {
	s, err := kv.Open(fsys, dir, kv.Options{Create: create})
	if err != nil {
		return err
	}
	return s.Close()
}

// open is the moment of ownership: it wins the outcome, or the epoch is lost for ever.
func (c *Claimant) open(o *Ownership) (*Fence, error) {
	fence, err := openFence(c.FS, o.dir, o.Epoch, c.Lease)
	if err != nil {
		return nil, c.abandon(o.dir, o.Epoch, err)
	}
	outcome := layout.Outcome{Open: true, Epoch: o.Epoch, Undrained: o.Undrained, Nonce: o.claim.Nonce}
	switch won, _, err := storage.CreateExclusive(c.FS, o.dir.Claims(), layout.OutcomeName(o.Epoch), outcome.Encode()); won {
	case storage.Won:
		return fence, nil
	case storage.Lost:
		fence.close()
		return nil, c.abandon(o.dir, o.Epoch, holdfast.E("open epoch", holdfast.Conflict, nil))
	default:
		fence.close()
		return nil, err
	}
}

// abandon gives up an epoch that did not open, and returns why. It makes sure that it cannot open any more, and removes its
// store. If a successor was first with that, the cause is the successor, whatever the error: it may have removed the store
// under our hands.
func (c *Claimant) abandon(dir layout.Service, e holdfast.Epoch, cause error) error {
	mine := storage.NewNonce()
	o, err := c.voidIfUndecided(dir, e, mine)
	if err != nil || o.Open {
		return errors.Join(cause, err)
	}
	if o.Nonce != mine {
		cause = holdfast.E("open epoch", holdfast.Conflict, fmt.Errorf("a successor voided epoch %d", e))
	}
	return errors.Join(cause, c.FS.RemoveAll(dir.Store(e)))
}

// Published reports whether the routing hints are as Publish writes them. What cannot be read is not.
func (o *Ownership) Published() bool {
	c := o.claimant
	b, err := storage.ReadFile(c.FS, o.dir.OwnerFile(), layout.MaxFile)
	if err != nil || !bytes.Equal(b, o.owner().Encode()) {
		return false
	}
	b, err = storage.ReadFile(c.FS, o.dir.HostFile(), layout.MaxFile)
	return err == nil && bytes.Equal(b, layout.EncodeHost(c.Host))
}

func (o *Ownership) owner() layout.Owner {
	c := o.claimant
	return layout.Owner{Epoch: o.Epoch, Host: c.Host, Incarnation: c.Incarnation.ID, Address: c.Incarnation.Address}
}

// Publish writes the routing hints, owner and host. That it succeeds does not mean that they stay: a write of a former owner may
// come late.
func (o *Ownership) Publish() error {
	c := o.claimant
	return errors.Join(
		storage.ReplaceFile(c.FS, string(o.dir), layout.OwnerFile, o.owner().Encode()),
		storage.ReplaceFile(c.FS, string(o.dir), layout.HostFile, layout.EncodeHost(c.Host)))
}
