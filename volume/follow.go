package volume

import (
	"context"
	"strconv"
	"sync"
	"time"

	"holdfast"
)

// Bounds of following.
const (
	DefaultFollowEvery = 250 * time.Millisecond

	followBatch   = 1000             // changes handed over at once
	saveIdle      = 10 * time.Second // between two writings of a cursor that moved past nothing that was handled
	serversEvery  = 2 * time.Second  // between two looks at which name servers there are
	longestFollow = 5 * time.Second  // between two attempts after failures
)

// FollowOptions say who follows what. Task and Handle are required.
type FollowOptions struct {
	Task  string        // names the cursors: c/<task>/<name server>
	Every time.Duration // how often a name server without news is asked; 0: DefaultFollowEvery
	Turn  time.Duration // after which another process takes over; 0: DefaultTurn

	// Handle gets the changes of one name server in their order. When it returns nil they count as handled, and are not handed over
	// again unless the process ends before the cursor is written. It reports whether any of them mattered, so that it is
	// worth writing the cursor at once. After an error the same changes come again.
	Handle func(ctx context.Context, server holdfast.ServiceID, changes []holdfast.Change) (mattered bool, err error)

	// Lost is told that changes of a name server were cut off before they were read: what depends on all of them must be made up by
	// a scan. Following goes on with the oldest that is kept. May be nil.
	Lost func(server holdfast.ServiceID, after uint64)

	// Failed is told of failures, which are tried again. May be nil.
	Failed func(server holdfast.ServiceID, err error)
}

// Follow hands over the changes of all name servers of the volume, until ctx ends: each change at least once, those of one name server in
// order, wherever its service runs. One process at a time follows a name server, see [Volume.Exclusive]. Where no cursor is, following
// begins with the oldest change that is kept, so nothing is missed that happens while a name server is new or nobody follows it yet.
//
// A name server keeps a bounded number of changes (see namesrv.Limits.ChangeRecords); a reader that is further behind than that is told by
// Lost. So Handle should only put aside what takes long.
func (v *Volume) Follow(ctx context.Context, opts FollowOptions) {
	orDefault(&opts.Every, DefaultFollowEvery)
	running := make(map[holdfast.ServiceID]context.CancelFunc)
	var wg sync.WaitGroup
	defer wg.Wait()
	for ctx.Err() == nil {
		present := make(map[holdfast.ServiceID]bool)
		for _, id := range v.router.services.SlotMap().Servers() {
			present[id] = true
			if running[id] != nil {
				continue
			}
			one, stop := context.WithCancel(ctx)
			running[id] = stop
			f := follower{vol: v, opts: &opts, server: id, key: "c/" + opts.Task + "/" + id.String()}
			wg.Go(func() { v.Exclusive(one, opts.Task+"/"+id.String(), opts.Turn, f.run) })
		}
		for id, stop := range running {
			if !present[id] {
				stop()
				delete(running, id)
			}
		}
		wait(ctx, serversEvery)
	}
	for _, stop := range running {
		stop()
	}
}

// follower follows one name server. It belongs to one goroutine.
type follower struct {
	vol    *Volume
	opts   *FollowOptions
	server holdfast.ServiceID
	key    string // of the cursor's record

	cursor  uint64 // sequence of the last change that was handled
	written uint64 // as the record has it; notWritten
	at      time.Time
}

// notWritten is what follower.written is while there is no record to go on with.
const notWritten = ^uint64(0)

// run follows until ctx ends. Each time it begins with the cursor that is written down.
func (f *follower) run(ctx context.Context) {
	loaded := false
	pause := f.opts.Every
	for ctx.Err() == nil {
		var n int
		err := error(nil)
		if !loaded {
			err = f.load(ctx)
			loaded = err == nil
		}
		if err == nil {
			n, err = f.step(ctx)
		}
		switch {
		case err != nil:
			if f.opts.Failed != nil && ctx.Err() == nil {
				f.opts.Failed(f.server, err)
			}
			pause = min(2*pause, max(longestFollow, f.opts.Every))
			wait(ctx, pause)
		case n < followBatch:
			pause = f.opts.Every
			wait(ctx, pause)
		}
	}
	if loaded {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseFor)
		defer cancel()
		_ = f.save(ending) // what was handled is handed over again then
	}
}

// load reads the cursor, and begins anew if there is none or it is from another life of the name server.
func (f *follower) load(ctx context.Context) error {
	r, err := f.vol.ReadRecord(ctx, f.key)
	if err != nil {
		return err
	}
	s, err := f.vol.router.services.NameServer(ctx, f.server)
	if err != nil {
		return err
	}
	status, err := s.Status(ctx)
	if err != nil {
		return err
	}
	f.at = time.Now()
	f.cursor, err = strconv.ParseUint(r.Value, 10, 64)
	if f.written = f.cursor; err == nil && f.cursor <= status.Seq {
		return nil
	}
	if !r.Tag.IsZero() {
		f.lost()
	}
	return f.beginAnew(ctx, status)
}

// beginAnew puts the cursor before the oldest change that is kept.
func (f *follower) beginAnew(ctx context.Context, status holdfast.NameStatus) error {
	f.cursor, f.written = status.First-1, notWritten
	return f.save(ctx)
}

func (f *follower) lost() {
	f.vol.metrics.lostChanges.Inc()
	if f.opts.Lost != nil {
		f.opts.Lost(f.server, f.cursor)
	}
}

// step hands over the next changes and returns how many there were.
func (f *follower) step(ctx context.Context) (int, error) {
	s, err := f.vol.router.services.NameServer(ctx, f.server)
	if err != nil {
		return 0, err
	}
	changes, err := s.Changes(ctx, f.cursor, followBatch)
	if holdfast.Is(err, holdfast.NotFound) {
		f.lost()
		status, err := s.Status(ctx)
		if err != nil {
			return 0, err
		}
		return 0, f.beginAnew(ctx, status)
	}
	if err != nil {
		return 0, err
	}
	mattered := false
	if len(changes) > 0 {
		if mattered, err = f.opts.Handle(ctx, f.server, changes); err != nil {
			return 0, err
		}
		f.cursor = changes[len(changes)-1].Seq
	}
	if mattered || f.cursor != f.written && time.Since(f.at) > saveIdle {
		return len(changes), f.save(ctx)
	}
	return len(changes), nil
}

// save writes the cursor down. Writing it is itself a change of some name server, so a cursor that moved past nothing but that stays.
func (f *follower) save(ctx context.Context) error {
	if f.cursor == f.written {
		return nil
	}
	if err := f.vol.SetRecord(ctx, f.key, strconv.FormatUint(f.cursor, 10)); err != nil {
		return err
	}
	f.written, f.at = f.cursor, time.Now()
	return nil
}
