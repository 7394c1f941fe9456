package volume

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/volume/path"
)

// Defaults of [Options].
const (
	DefaultRetryFor      = 20 * time.Second
	DefaultReplaySize    = 1 << 20
	DefaultPathCacheSize = 32 << 20
	DefaultWatchEvery    = 5 * time.Second
	DefaultIntentAge     = time.Minute
	DefaultIntentEvery   = 10 * time.Second
)

// Options configure a [Volume]. Services is required, the zero value of the rest means the default.
type Options struct {
	Services Services

	// RetryFor bounds how long one call is retried while a server is unavailable.
	RetryFor time.Duration
	// ReplaySize is the size in bytes up to which a body is read whole before it is stored, so that it can be stored again
	// if its object server fails in between. Larger bodies stream.
	ReplaySize int64
	// PathCacheSize is about how many bytes the path cache takes.
	PathCacheSize int64
	// WatchEvery is how often the object servers are asked for their free space.
	WatchEvery time.Duration
	// IntentEvery is how often name servers are asked for unfinished operations, and IntentAge how old those must be to be
	// completed or undone here. Requests that are still at it notice and start over.
	IntentEvery, IntentAge time.Duration

	// Process names the process, so that it need not wait for an earlier run of itself that crashed, see [Volume.Exclusive]. No two
	// processes that run may have the same; "" if that is not known. It has no dots.
	Process string

	Registerer prometheus.Registerer // nil: metrics are kept and not shown
	Logger     *slog.Logger          // nil: nothing is logged
}

func (o *Options) setDefaults() error {
	if o.Services == nil {
		return fail("open", holdfast.Invalid, "services")
	}
	orDefault(&o.RetryFor, DefaultRetryFor)
	orDefault(&o.ReplaySize, DefaultReplaySize)
	orDefault(&o.PathCacheSize, DefaultPathCacheSize)
	orDefault(&o.WatchEvery, DefaultWatchEvery)
	orDefault(&o.IntentEvery, DefaultIntentEvery)
	orDefault(&o.IntentAge, DefaultIntentAge)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

func orDefault[T ~int64](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Volume is an open volume. Close it to stop its background work.
type Volume struct {
	opts    Options
	run     string // this run of the process, see newRun
	router  *router
	metrics *metrics
	paths   *path.Cache
	records records
	flights flights
	shares  shareMoves
	spread  spread
	cleaner *cleaner
	seed    maphash.Seed // of the choice of object servers

	background sync.WaitGroup
	stop       context.CancelFunc
}

// Open starts a volume. It does no I/O; servers that are not there yet are waited for by the requests.
func Open(opts Options) (*Volume, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, wrap("open", "metrics", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	v := &Volume{
		opts:    opts,
		run:     newRun(opts.Process),
		router:  &router{services: opts.Services, retryFor: opts.RetryFor, metrics: m},
		metrics: m,
		paths:   path.NewCache(opts.PathCacheSize),
		seed:    maphash.MakeSeed(),
		stop:    stop,
	}
	v.cleaner = newCleaner(v)
	v.background.Go(func() { v.cleaner.run(ctx) })
	v.background.Go(func() { v.watchSpace(ctx) })
	v.background.Go(func() { v.watchIntents(ctx) })
	return v, nil
}

// Close stops the background work and waits for it. Requests must have ended. Directories that deletes left empty are removed first,
// for up to closeFor.
func (v *Volume) Close() error {
	v.cleaner.drain(closeFor)
	v.stop()
	v.background.Wait()
	return nil
}

// closeFor bounds how long Close goes on removing empty directories.
const closeFor = 3 * time.Second
