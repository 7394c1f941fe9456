package node

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/layout"
	"holdfast/node/confdir"
	"holdfast/storage"
)

// How the configuration is watched. On the mount that is one open of a file that is not there yet; the hosts wait with one another
// for news, so that a change that one of them publishes is soon everywhere.
const (
	pollEvery = 2 * time.Second
	// listEvery is how many polls list the log, lest the client of the mount remembers that a file was not there.
	listEvery = 15
	peerPause = time.Second // after another node did not answer
)

// tracker keeps the newest configuration that this process knows of its cluster. Safe for concurrent use.
type tracker struct {
	dir      confdir.Dir
	log      *slog.Logger
	onChange func(config.Config) // called for each newer version, one at a time

	saving sync.Mutex // one offer at a time

	mu      sync.Mutex
	current config.Config // guarded by mu; of the right cluster from the beginning
	changed chan struct{} // closed and replaced when current changes; guarded by mu
}

func newTracker(dir confdir.Dir, first config.Config, log *slog.Logger) *tracker {
	return &tracker{dir: dir, log: log, onChange: func(config.Config) {}, current: first, changed: make(chan struct{})}
}

// get returns the newest version. It must not be changed.
func (t *tracker) get() config.Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current
}

// offer takes a version that was seen somewhere. An older one and one of another cluster change nothing.
func (t *tracker) offer(c config.Config) {
	t.saving.Lock()
	defer t.saving.Unlock()
	now := t.get()
	if c.Cluster != now.Cluster {
		t.log.Error("a configuration of another cluster was seen and not heeded", "cluster", c.Cluster, "want", now.Cluster)
		return
	}
	if c.Version <= now.Version {
		return
	}
	if err := t.dir.SaveConfig(c); err != nil {
		t.log.Warn("configuration not kept for the next start", "error", err)
	}
	t.mu.Lock()
	t.current = c
	close(t.changed)
	t.changed = make(chan struct{})
	t.mu.Unlock()
	t.log.Info("configuration", "version", c.Version)
	t.onChange(c)
}

// wait returns the newest version once it is newer than after, or when the time is over or ctx ends.
func (t *tracker) wait(ctx context.Context, after uint64, wait time.Duration) config.Config {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		t.mu.Lock()
		c, changed := t.current, t.changed
		t.mu.Unlock()
		if c.Version > after {
			return c
		}
		select {
		case <-changed:
		case <-timer.C:
			return c
		case <-ctx.Done():
			return c
		}
	}
}

// watchMount follows the log on a storage until ctx ends.
func (t *tracker) watchMount(ctx context.Context, fsys storage.FS, root layout.Root) {
	log := config.Open(fsys, root)
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		var c config.Config
		var err error
		if n%listEvery == 0 {
			c, err = log.Newest()
		} else {
			c, err = log.Read(t.get().Version + 1)
		}
		if err == nil {
			t.offer(c)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// watchPeers follows what other nodes know until ctx ends. peer returns one to ask, nil if there is none now.
func (t *tracker) watchPeers(ctx context.Context, peer func() confrpc.Service) {
	for ctx.Err() == nil {
		if p := peer(); p != nil {
			c, err := p.Newest(ctx, t.get().Version, confrpc.MaxWait)
			if err == nil {
				t.offer(c)
				continue
			}
		}
		timer := time.NewTimer(peerPause)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}
