package account

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// sweepEvery is how often a gateway sweeps. It costs a read of each account, so it is rare.
const sweepEvery = 6 * time.Hour

// Sweeper sweeps a store now and then. Close it.
type Sweeper struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

// StartSweeper begins to sweep a store, first after a while. What a sweep finds is logged.
func StartSweeper(s *Store, log *slog.Logger) *Sweeper {
	ctx, stop := context.WithCancel(context.Background())
	w := &Sweeper{stop: stop}
	w.done.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			removed, err := s.Sweep(ctx)
			switch {
			case err != nil && ctx.Err() == nil:
				log.Warn("left-over records of accounts not swept up", "removed", removed, "error", err)
			case removed > 0:
				log.Info("left-over records of accounts swept up", "removed", removed)
			}
		}
	})
	return w
}

// Close ends the sweeping and waits for it.
func (w *Sweeper) Close() error {
	w.stop()
	w.done.Wait()
	return nil
}
