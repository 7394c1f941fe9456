package volume

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Defaults of [Options].
const (
	DefaultRetryFor   = 20 * time.Second
	DefaultReplaySize = 1 << 20
	DefaultPathCache  = 1 << 17
)

// Options configure a [Volume]. Services is required, the zero value of the rest means the default.
type Options struct {
	Services Services

	// RetryFor bounds how long one call is retried while a server is unavailable.
	RetryFor time.Duration
	// ReplaySize is the size in bytes up to which a body is read whole before it is stored, so that it can be stored again
	// if its object server fails in between. Larger bodies stream.
	ReplaySize int64
	// PathCache is how many directories the path cache holds.
	PathCache int

	Registerer prometheus.Registerer // nil: metrics are kept and not shown
	Logger     *slog.Logger          // nil: nothing is logged
}

// Volume is an open volume. Close it to stop its background work.
type Volume struct {
	opts Options
}

// Open starts a volume. It does no I/O; servers that are not there yet are waited for by the requests.
func Open(opts Options) (*Volume, error) {
	return nil, unsupported("volume.open")
}

// Close stops the background work and waits for it. Requests must have ended.
func (v *Volume) Close() error { return nil }
