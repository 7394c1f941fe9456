package objsrv

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/objsrv/pool"
	"holdfast/storage"
)

// Names is what the engine asks name servers: the fates of objects nobody committed in time. The implementation routes
// each object by its home slot. Fates come back in order, as from [holdfast.NameService].
type Names interface {
	Settle(ctx context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error)
}

// Options of [Open]. Self, FS, Dir, StoreDir and Fence are required.
type Options struct {
	Self     holdfast.ServiceID
	FS       storage.FS
	Dir      string // the service directory; the pools are in Dir/pools
	StoreDir string // the index store of this epoch
	Create   bool   // there is no store yet: make one
	Fence    holdfast.Fence

	// Undrained are older epochs whose process may still have writes under way (R4).
	Undrained []holdfast.Epoch

	Names      Names                 // nil: no sweep
	Registerer prometheus.Registerer // nil: metrics are kept but not shown
	Events     Events
	Logger     *slog.Logger // nil: only Events are told

	CacheBytes      int64 // of decoded records
	IndexCacheBytes int64 // of the index store's blocks
	WriteBuffers    int64 // bytes of bodies of big objects in memory at a time
	ScrubRate       int64 // bytes per second the background scrub reads; negative: no scrub
	DefragRate      int64 // bytes per second the background defragmentation moves; negative: none
	MinFree         int64 // bytes of the filesystem kept free, so that there is room to delete
	NoDirect        bool  // never bypass the page cache
	NoBackground    bool  // no sweep, scrub and defragmentation but by their methods; for tests and tools

	Now          func() time.Time // nil: time.Now
	GuardPeriod  time.Duration    // 0: holdfast.GuardPeriod
	RegionBlocks func(pool.Class) uint32
	Granule      func(pool.Class) uint32
}

// The defaults of [Options], and the bounds that are not options.
const (
	DefaultCacheBytes      = 16 << 20
	DefaultIndexCacheBytes = 16 << 20
	DefaultWriteBuffers    = 128 << 20
	DefaultScrubRate       = 8 << 20
	DefaultDefragRate      = 16 << 20
	DefaultMinFree         = 64 << 20

	// maxQueue is how many changes may wait for a commit group; more are Overload.
	maxQueue = 4096
	// maxPins is how many objects may be pinned at a time; more are Overload.
	maxPins = 1 << 20
)

func (o Options) withDefaults() Options {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.CacheBytes, DefaultCacheBytes)
	def(&o.IndexCacheBytes, DefaultIndexCacheBytes)
	def(&o.WriteBuffers, DefaultWriteBuffers)
	def(&o.ScrubRate, DefaultScrubRate)
	def(&o.DefragRate, DefaultDefragRate)
	def(&o.MinFree, DefaultMinFree)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.GuardPeriod == 0 {
		o.GuardPeriod = holdfast.GuardPeriod
	}
	return o
}
