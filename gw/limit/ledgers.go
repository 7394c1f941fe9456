package limit

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/volume"
)

// ledgers are the records that gateways share, and what there is to tell about them.
type ledgers struct {
	volume *volume.Volume
	log    *slog.Logger
	taken  prometheus.Counter
	resets prometheus.Counter
	told   atomic.Int64 // seconds since 1970 at which a reset was logged last
}

// tellEvery is how many seconds lie between two log lines about clocks.
const tellEvery = 60

func newLedgers(v *volume.Volume, log *slog.Logger) ledgers {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "holdfast_gw_limit_" + name + "_total", Help: help})
	}
	return ledgers{
		volume: v, log: log,
		taken:  counter("taken", "Shares of limits that this gateway took from the ledgers."),
		resets: counter("clock_resets", "Ledgers begun anew because they were ahead of this gateway's clock."),
	}
}

// ledgerKey is the key of the record of a limit.
func ledgerKey(s Subject, name string) string {
	return "k/" + string(s.kind) + "-" + s.name + "/" + name
}

func (l *ledgers) read(ctx context.Context, key string) (ledger, holdfast.ETag, error) {
	r, err := l.volume.ReadRecord(ctx, key)
	return parseLedger(r.Value), r.Tag, err
}

// write replaces a ledger. Kinds: Precondition if another gateway did meanwhile.
func (l *ledgers) write(ctx context.Context, key string, to ledger, was holdfast.ETag) error {
	_, err := l.volume.WriteRecord(ctx, key, to.String(), was)
	if err == nil {
		l.taken.Inc()
	}
	return err
}

// reset tells that a ledger was begun anew.
func (l *ledgers) reset(ctx context.Context, key string, now int64) {
	l.resets.Inc()
	if told := l.told.Load(); now-told >= tellEvery && l.told.CompareAndSwap(told, now) {
		l.log.LogAttrs(ctx, slog.LevelWarn, "clocks of gateways disagree, limits may not be shared", slog.String("ledger", key))
	}
}

// forget removes the ledgers of a subject that has no limits any more. One that stays takes a few bytes and does no harm.
func (l *ledgers) forget(ctx context.Context, s Subject) {
	for c := range Class(Classes + 1) {
		key := ledgerKey(s, limitName(c))
		if _, tag, err := l.read(ctx, key); err == nil && !tag.IsZero() {
			_ = l.volume.DropRecord(ctx, key, tag)
		}
	}
}
