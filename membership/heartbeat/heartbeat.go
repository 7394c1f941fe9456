// Package heartbeat runs a host's lease on a mount: one file, rewritten in place every fifth of T, whatever the number of
// services. It tells in memory whether the lease is in force, and watches the leases of other hosts.
//
// Its invariant: [Beater.Held] never says yes after the time that the last durable rewrite bought. It grants no ownership; package
// takeover does, and asks here.
package heartbeat

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/membership/lease"
	"holdfast/storage"
)

// DefaultT suits replicated filesystems, which were seen to stall for 8.4 s when they lose a server.
const DefaultT = 15 * time.Second

// MinT is the shortest T that makes sense: a fifth of it must hold a rewrite.
const MinT = 100 * time.Millisecond

// Config says whose heart beats, and where.
type Config struct {
	FS   storage.FS
	Root layout.Root
	Host holdfast.HostID

	Incarnation layout.Incarnation
	T           time.Duration // 0 means DefaultT
	Clock       Clock         // nil means SystemClock

	// Confirm runs after each rewrite and before it buys time: the place to look at the fences. Who fences a service counts on it
	// (see [Outlast]). It may be nil, and must not call the Beater.
	Confirm func()
	// OnEvent is told of changes of the lease and of failed rewrites; for logs and metrics. May be nil; must not block.
	OnEvent func(Event)
}

// Event is something that happened to the lease.
type Event struct {
	Lease      lease.Event
	Superseded bool  // a newer incarnation of the host is at work
	Err        error // of a rewrite
}

// Beater keeps a lease. Safe for concurrent use.
type Beater struct {
	cfg Config

	until      atomic.Int64 // of the monotonic clock; 0 means lapsed
	awake      atomic.Int64 // how far the boot clock may be ahead: beyond that the machine slept since
	superseded atomic.Bool

	stop chan struct{}
	done chan struct{}
	once sync.Once

	// Owned by the goroutine that beats.
	holder *lease.Holder
	record layout.Heartbeat
	file   vfs.File
}

// Start makes the first rewrite and goes on in the background until Close. The error of the first rewrite is returned; those
// of later ones only cost the lease.
func Start(cfg Config) (*Beater, error) {
	if cfg.T == 0 {
		cfg.T = DefaultT
	}
	if cfg.Clock == nil {
		cfg.Clock = SystemClock()
	}
	if cfg.T < MinT || cfg.T > layout.MaxT {
		return nil, holdfast.E("heartbeat", holdfast.Invalid, errors.New("T is out of range"))
	}
	b := &Beater{
		cfg:    cfg,
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
		holder: lease.NewHolder(cfg.T),
		record: layout.Heartbeat{
			Incarnation: cfg.Incarnation.ID,
			Number:      cfg.Incarnation.Number,
			T:           cfg.T,
			Boot:        bootBytes(cfg.Incarnation.Boot),
		},
	}
	if err := b.beat(); err != nil {
		b.closeFile()
		return nil, err
	}
	go b.run()
	return b, nil
}

// bootBytes folds a boot id (a UUID) to 16 bytes.
func bootBytes(boot string) (b [16]byte) {
	n := 0
	for _, c := range []byte(boot) {
		if v, ok := hexValue(c); ok && n < 32 {
			b[n/2] |= v << (4 * (1 - n%2))
			n++
		}
	}
	return b
}

func hexValue(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// Held returns nil while the lease is in force, Unavailable while it is not, and NotOwner for ever once a newer incarnation of
// this host was seen. It reads a few words of memory and the clock, and so notices sleep before the first beat after it does.
func (b *Beater) Held() error {
	if b.superseded.Load() {
		return holdfast.E("lease", holdfast.NotOwner, errors.New("a newer process of this host is at work"))
	}
	if now := b.cfg.Clock.Now(); int64(now.Mono) >= b.until.Load() || int64(now.Boot-now.Mono) > b.awake.Load() {
		return holdfast.E("lease", holdfast.Unavailable, errors.New("the lease lapsed"))
	}
	return nil
}

// T returns the lease time.
func (b *Beater) T() time.Duration { return b.cfg.T }

// Close stops beating and waits for a rewrite in flight. With released set, a last rewrite says that this process holds
// nothing any more: only for a caller that has closed all its services.
func (b *Beater) Close(released bool) error {
	var err error
	b.once.Do(func() {
		close(b.stop)
		<-b.done
		b.until.Store(0)
		if released && !b.superseded.Load() {
			b.record.Released = true
			err = b.rewrite()
		}
		b.closeFile()
	})
	return err
}

func (b *Beater) run() {
	defer close(b.done)
	every := lease.RenewEvery(b.cfg.T)
	for next := b.cfg.Clock.Now().Mono; ; {
		now := b.cfg.Clock.Now().Mono
		next = max(next+every, now) // one that is late is not made up for
		fired, stop := b.cfg.Clock.Timer(next - now)
		select {
		case <-b.stop:
			stop()
			return
		case <-fired:
		}
		b.note(b.holder.Tick(b.cfg.Clock.Now()))
		if err := b.beat(); err != nil {
			b.tell(Event{Err: err})
		}
		if b.superseded.Load() {
			return
		}
	}
}

// beat rewrites the record once, unless a newer incarnation has.
func (b *Beater) beat() error {
	if b.newer() {
		b.superseded.Store(true)
		b.tell(Event{Superseded: true})
		return nil
	}
	began := b.cfg.Clock.Now()
	if err := b.rewrite(); err != nil {
		b.closeFile() // the next beat opens it afresh
		b.note(b.holder.Tick(b.cfg.Clock.Now()))
		return err
	}
	if b.cfg.Confirm != nil {
		b.cfg.Confirm()
	}
	event := b.holder.Renewed(began, b.cfg.Clock.Now())
	b.note(event)
	return nil
}

// note publishes the lease's end and tells of a change.
func (b *Beater) note(event lease.Event) {
	b.awake.Store(int64(b.holder.Awake()))
	b.until.Store(int64(b.holder.Until()))
	if event != lease.None {
		b.tell(Event{Lease: event})
	}
}

func (b *Beater) tell(e Event) {
	if b.cfg.OnEvent != nil {
		b.cfg.OnEvent(e)
	}
}

// newer reports whether the record on the mount is that of a later incarnation. What cannot be read says nothing.
func (b *Beater) newer() bool {
	h, err := Read(b.cfg.FS, b.cfg.Root, b.cfg.Host)
	return err == nil && h.Number > b.record.Number
}

// rewrite writes and syncs the record. A failed sync is not final here as it is for data: every
// rewrite replaces the whole record, and one that may not have landed buys no time.
func (b *Beater) rewrite() error {
	if b.file == nil {
		f, err := b.cfg.FS.OpenReadWrite(b.cfg.Root.Heartbeat(b.cfg.Host), vfs.WriteCategoryUnspecified)
		if err != nil {
			return err
		}
		b.file = f
	}
	b.record.Counter++
	if _, err := b.file.WriteAt(b.record.Encode(), 0); err != nil {
		return err
	}
	return b.file.SyncData()
}

func (b *Beater) closeFile() {
	if b.file != nil {
		_ = b.file.Close() // it was synced, or it is given up
		b.file = nil
	}
}

// Read returns the heartbeat of a host, opened afresh. Any error says nothing about the host.
func Read(fsys storage.FS, root layout.Root, host holdfast.HostID) (layout.Heartbeat, error) {
	b, err := storage.ReadFile(fsys, root.Heartbeat(host), layout.MaxFile)
	if err != nil {
		return layout.Heartbeat{}, err
	}
	return layout.ParseHeartbeat(b)
}
