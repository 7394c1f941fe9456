// Package kv is the one way a Pebble store is opened on a mount. It fixes what all stores share: how few and how large
// their files are, how small the unflushed log stays (a takeover copies it), that commits overwrite log blocks rather
// than append, and what happens after a fault.
//
// Its invariant: after the first fault of a store nothing that Pebble does reaches the mount any more, and no call
// reports success that depended on it (rule R6). It is not a schema: keys and values belong to the engines.
//
// # After a fault
//
// Pebble cannot survive a failed write or sync of its log: it calls Logger.Fatalf, which by contract does not return.
// Here neither that call nor the failed I/O call returns: the goroutine is parked for ever (see [storage.ParkingFS]),
// the fence is told, and [Store.Lost] is closed. A commit in flight then never returns, so engines commit on a goroutine of
// their own and select on Lost. [Store.Close] gives a lost store up. Both leak the parked goroutines, the
// memtables and the cache share of that store until the process ends; a node that lost a service several times is
// better restarted.
package kv

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/storage"
)

// How long Close waits for Pebble: a store that is lost while it closes gets lostWait, one whose mount hangs gets hangWait.
const (
	lostWait = 50 * time.Millisecond
	hangWait = 60 * time.Second
)

// Store is an open Pebble store. Use DB as Pebble documents it, but close the Store, not the DB.
type Store struct {
	*pebble.DB

	fs    *storage.ParkingFS
	cache *pebble.Cache
	close sync.Once
	err   error // of close
}

// Open opens the store in dir, which must exist. Errors: [holdfast.NotFound] if there is no store and
// Options.Create is not set, [holdfast.Exists] if there is one and it is set, [holdfast.Conflict] if it is open already
// on this machine, [holdfast.Corrupt] if Pebble finds it damaged, [holdfast.Unknown] after a fault of the mount.
func Open(fs storage.FS, dir string, opt Options) (*Store, error) {
	s := &Store{fs: storage.Parking(fs, opt.Fence)}
	po := opt.pebble(s.fs)
	s.cache = po.Cache

	type opened struct {
		db  *pebble.DB
		err error
	}
	done := make(chan opened, 1)
	go func() { // a fault parks it
		db, err := pebble.Open(dir, po)
		done <- opened{db, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			s.cache.Unref()
			return nil, openError(dir, o.err)
		}
		s.DB = o.db
		return s, nil
	case <-s.fs.Lost():
		return nil, &holdfast.Error{Op: "kv.open", Kind: holdfast.Unknown, ID: dir, Err: s.fs.Reason()}
	}
}

func openError(dir string, err error) error {
	kind := holdfast.KindOf(err)
	switch {
	case kind != holdfast.Other:
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		kind = holdfast.NotFound
	case errors.Is(err, pebble.ErrDBAlreadyExists):
		kind = holdfast.Exists
	case pebble.IsCorruptionError(err):
		kind = holdfast.Corrupt
	case storage.IsNoSpace(err):
		kind = holdfast.NoSpace
	}
	return &holdfast.Error{Op: "kv.open", Kind: kind, ID: dir, Err: err}
}

// Lost is closed when the store is lost: after a fault, or by Lose. Calls in flight may never return then.
func (s *Store) Lost() <-chan struct{} { return s.fs.Lost() }

// Reason returns why the store is lost, or nil.
func (s *Store) Reason() error { return s.fs.Reason() }

// Lose marks the store lost, as a fault would: for an engine that finds one outside Pebble.
func (s *Store) Lose(reason error) { s.fs.Lose(reason) }

// Close closes the store, or gives it up: after a fault it returns [holdfast.NotOwner] at once, and if the mount
// hangs [holdfast.Unavailable] after a minute. It waits for no caller of the DB: end them first, those excepted that a fault
// keeps from ending. Only the first call does anything; the others return its error.
func (s *Store) Close() error {
	s.close.Do(func() { s.err = s.closeOnce() })
	return s.err
}

func (s *Store) closeOnce() error {
	if s.Reason() != nil {
		// Not even begun: callers that did not come back may call the DB again, and Pebble panics if it is closed.
		return holdfast.E("kv.close", holdfast.NotOwner, s.Reason())
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil { // Pebble panics when a store is closed twice or used while closing
				done <- holdfast.E("kv.close", holdfast.Other, fmt.Errorf("panic: %v", r))
			}
		}()
		done <- s.DB.Close()
	}()
	hang := time.NewTimer(hangWait)
	defer hang.Stop()
	select {
	case err := <-done:
		s.cache.Unref()
		return err
	case <-hang.C:
		return holdfast.E("kv.close", holdfast.Unavailable, errors.New("the mount does not answer; gave the store up"))
	case <-s.fs.Lost():
	}
	lost := time.NewTimer(lostWait)
	defer lost.Stop()
	select {
	case err := <-done:
		s.cache.Unref()
		return err
	case <-lost.C:
		return holdfast.E("kv.close", holdfast.NotOwner, s.fs.Reason())
	}
}
