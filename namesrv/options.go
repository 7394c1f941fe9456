package namesrv

import (
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/storage"
)

// Objects is what the engine needs of the object servers: to free what no name links to any more. It returns once that is durable;
// ids that do not exist are ignored. Errors are retried with back-off.
type Objects interface {
	Free(ctx context.Context, os holdfast.ServiceID, ids []holdfast.ObjectID) error
}

// Options say how an engine is opened. Self, FS, StoreDir and Fence must be set.
type Options struct {
	Self     holdfast.ServiceID
	FS       storage.FS
	StoreDir string // the epoch's store, "e<epoch>"; it must exist
	Fence    holdfast.Fence

	// Create makes a new store that holds InitialSlots; without it there must be one, which knows its slots itself.
	Create       bool
	InitialSlots []holdfast.Slot

	// Objects frees garbage. With nil, garbage waits.
	Objects Objects

	Limits Limits

	// Cache is the block cache, if several stores share one.
	Cache *pebble.Cache

	// Registerer takes the metrics; nil means none are kept.
	Registerer prometheus.Registerer

	// Events get what happens in the background; nil fields are left out.
	Events Events

	// Clock is the wall clock; time.Now if nil.
	Clock func() time.Time
}

// Limits bound what an engine takes on and keeps. Zero fields mean the defaults.
type Limits struct {
	CacheBytes    int64         // block cache, if Options.Cache is nil; 64 MiB
	QueuedCalls   int           // Apply and Settle calls that wait for the committer; 4096. One more is Overload
	GroupOps      int           // operations of one commit group; 8192
	CachedDirs    int           // directory records the committer keeps decoded; 16384
	ChangeRecords uint64        // of the change log that are kept; 2^20
	FreeBatch     int           // objects of one Free call; 1000
	FreeRate      int           // objects freed per second; 20000
	FateRetention time.Duration // how long a doomed fate and a completed upload are remembered; 4 guard periods
	Background    time.Duration // between two rounds of background work; 1 s
	MinFree       uint64        // bytes of the filesystem kept free, so that there is room to delete; 48 MiB
}

func (l Limits) withDefaults() Limits {
	set(&l.CacheBytes, 64<<20)
	set(&l.QueuedCalls, 4096)
	set(&l.GroupOps, 8192)
	set(&l.CachedDirs, 16384)
	set(&l.ChangeRecords, 1<<20)
	set(&l.FreeBatch, 1000)
	set(&l.FreeRate, 20000)
	set(&l.FateRetention, 4*holdfast.GuardPeriod)
	set(&l.Background, time.Second)
	set(&l.MinFree, 48<<20)
	l.FreeBatch = min(l.FreeBatch, holdfast.MaxObjectIDs)
	return l
}

func set[T int | int64 | uint64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Events are the listeners of background work. They are called one at a time per event and must return soon.
type Events struct {
	Freed      func(Freed)
	FreeFailed func(FreeFailed)
	Swept      func(Swept)
	Lost       func(error) // the service lost its store or its epoch; once
	Failed     func(error) // a round of background work failed and will be tried again
}

// Freed tells that objects of an object server were freed.
type Freed struct {
	OS      holdfast.ServiceID
	Objects int
	Left    int64 // objects of all servers that still wait
}

// FreeFailed tells that an object server did not free.
type FreeFailed struct {
	OS    holdfast.ServiceID
	Err   error
	Retry time.Duration // after which it is tried again
}

// Swept tells what a round of forgetting removed.
type Swept struct {
	Fates   int
	Uploads int // memories of completed uploads
	Changes uint64
}
