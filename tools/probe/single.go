package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast/storage"
)

// How often each thing is done on one host.
const (
	raceNames   = 20
	racers      = 3
	renames     = 50
	forcedTimes = 50
	wantedLinks = 200
	minLinks    = 3 // a temporary name, the name, and the same in the next epoch
	syncEvery   = 10 * time.Millisecond
	syncBytes   = 4 << 10
	syncWraps   = 4096 // appends after which the file starts over
	dirSyncs    = 20
)

// words returns why something could not be done.
func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// create races for names among goroutines of this host.
func (p *prober) create(context.Context) func(*Measurement) {
	r := Race{Names: raceNames}
	for n := range raceNames {
		var wg sync.WaitGroup
		outcomes := make([]storage.Outcome, racers)
		errs := make([]error, racers)
		for i := range racers {
			wg.Go(func() {
				outcomes[i], _, errs[i] = storage.CreateExclusive(p.FS, p.dir, fmt.Sprintf("race-%d", n), []byte(storage.NewNonce().String()))
			})
		}
		wg.Wait()
		r.count(outcomes, errors.Join(errs...))
	}
	return func(m *Measurement) { m.Create = r }
}

// count adds what the racers for one name were told.
func (r *Race) count(outcomes []storage.Outcome, err error) {
	won := 0
	for _, o := range outcomes {
		switch o {
		case storage.Won:
			won++
		case storage.Unsure:
			r.Unsure++
		}
	}
	switch {
	case won > 1:
		r.Several++
	case won == 0:
		r.None++
	}
	if r.Err == "" {
		r.Err = words(err)
	}
}

// rename replaces a file over and over while a reader opens it afresh.
func (p *prober) rename(context.Context) func(*Measurement) {
	var r Replace
	old, fresh := bytes.Repeat([]byte("o"), 512), bytes.Repeat([]byte("n"), 512)
	if err := storage.ReplaceFile(p.FS, p.dir, "renamed", old); err != nil {
		return func(m *Measurement) { m.Rename.Err = words(err) }
	}
	var over atomic.Bool
	var seen Replace
	var wg sync.WaitGroup
	wg.Go(func() {
		for !over.Load() {
			b, err := storage.ReadFile(p.FS, p.path("renamed"), maxContent)
			seen.look(b, err, old, fresh)
		}
	})
	for i := range renames {
		content := [][]byte{fresh, old}[i%2]
		if err := storage.ReplaceFile(p.FS, p.dir, "renamed", content); err != nil {
			r.Err = words(err)
			break
		}
		r.Renames++
	}
	over.Store(true)
	wg.Wait()
	r.Missing, r.Torn = seen.Missing, seen.Torn
	return func(m *Measurement) { m.Rename = r }
}

// look counts what a reader found.
func (r *Replace) look(b []byte, err error, good ...[]byte) {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESTALE):
		r.Missing++
	case err == nil && !slices.ContainsFunc(good, func(g []byte) bool { return bytes.Equal(b, g) }):
		r.Torn++
	}
}

// forced grows a file by one handle and looks by another.
func (p *prober) forced(context.Context) func(*Measurement) {
	var r Rounds
	r.Err = words(p.grow("forced", forcedTimes, func(size int64, held vfs.File) error {
		_, err := held.Stat() // so that an old size is remembered, if any is
		if err != nil {
			return err
		}
		attr, err := p.FS.ForcedStat(held)
		r.Rounds++
		if attr.Size != size {
			r.Stale++
		}
		return err
	}))
	return func(m *Measurement) { m.Forced = r }
}

// grow appends to a new file again and again, syncs it, and shows each size together with another handle of it.
func (p *prober) grow(name string, times int, show func(size int64, held vfs.File) error) error {
	f, err := p.FS.Create(p.path(name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer f.Close()
	held, err := p.FS.Open(p.path(name))
	if err != nil {
		return err
	}
	defer held.Close()
	for size := 1; size <= times; size++ {
		if _, err := f.Write([]byte("x")); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if err := show(int64(size), held); err != nil {
			return err
		}
	}
	return nil
}

// links gives one file many names.
func (p *prober) links(context.Context) func(*Measurement) {
	l := Links{Wanted: wantedLinks}
	err := storage.WriteFile(p.FS, p.path("linked"), []byte("linked"))
	if err == nil {
		l.Names = 1
		for n := 1; n < wantedLinks; n++ {
			if linkErr := p.FS.Link(p.path("linked"), p.path(fmt.Sprintf("linked-%d", n))); linkErr != nil {
				l.Err = words(linkErr)
				break
			}
			l.Names++
		}
		l.Wrong, err = p.linksWrong(l.Names)
	}
	if l.Err == "" {
		l.Err = words(err)
	}
	return func(m *Measurement) { m.Links = l }
}

// linksWrong reports whether a forced read counts the names of the file wrongly.
func (p *prober) linksWrong(names int) (bool, error) {
	f, err := p.FS.Open(p.path("linked"))
	if err != nil {
		return false, err
	}
	defer f.Close()
	attr, err := p.FS.ForcedStat(f)
	return err == nil && attr.Links != uint64(names), err
}

// data tries what pools use where the mount can.
func (p *prober) data(context.Context) func(*Measurement) {
	var d Data
	d.Err = words(func() error {
		f, err := p.FS.OpenData(p.path("pool"), storage.Direct)
		if err != nil {
			return err
		}
		defer f.Close()
		d.Direct = f.Direct()
		const size = 1 << 20
		if _, err := f.WriteAt(storage.AlignedBuffer(size), 0); err != nil {
			return err
		}
		if err := f.SyncData(); err != nil {
			return err
		}
		d.Punch = f.PunchHole(0, size/2) == nil
		return nil
	}())
	return func(m *Measurement) { m.Data = d }
}

// lock holds a lock by one handle and tries for it by another.
func (p *prober) lock(context.Context) func(*Measurement) {
	var l Lock
	l.Flock, l.OFD = p.locked(opFlock, tryHere), p.locked(opOFD, tryHere)
	return func(m *Measurement) { m.Lock = l }
}

// tryHere tries for a lock by another handle of this host.
func tryHere(p *prober, name string, kind op) string {
	got, err := tryLock(p.FS, p.path(name), kind)
	if err != nil {
		return NoLock
	}
	return got
}

// locked holds a lock while somebody tries for it.
func (p *prober) locked(kind op, try func(*prober, string, op) string) string {
	name := "lock-" + string(kind)
	if err := storage.WriteFile(p.FS, p.path(name), []byte("lock")); err != nil {
		return NoLock
	}
	f, err := p.FS.OpenReadWrite(p.path(name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return NoLock
	}
	defer f.Close()
	if lockFile(f, kind) != Shares { // so it is not ours
		return NoLock
	}
	return try(p, name, kind)
}

// sync appends and syncs for the whole duration.
func (p *prober) sync(ctx context.Context) func(*Measurement) {
	var s Sync
	samples, err := p.sampleSyncs(ctx)
	s.Samples = len(samples)
	s.Stalls = len(slices.DeleteFunc(slices.Clone(samples), func(d time.Duration) bool { return d < stall }))
	s.P50, s.P99, s.Max = quantiles(samples)
	if err == nil {
		var dirs []time.Duration
		for range dirSyncs {
			began := time.Now()
			err = errors.Join(err, storage.SyncDir(p.FS, p.dir))
			dirs = append(dirs, time.Since(began))
		}
		s.Dir, _, _ = quantiles(dirs)
	}
	s.Err = words(err)
	return func(m *Measurement) { m.Sync = s }
}

func (p *prober) sampleSyncs(ctx context.Context) (samples []time.Duration, err error) {
	f, err := p.FS.OpenData(p.path("synced"), storage.Buffered)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	page := make([]byte, syncBytes)
	pace := time.NewTicker(syncEvery)
	defer pace.Stop()
	for end := time.Now().Add(p.Sync); time.Now().Before(end) || len(samples) == 0; {
		began := time.Now()
		// Write may scribble over its argument; what is in it does not matter.
		if _, err := f.WriteAt(page, int64(len(samples)%syncWraps)*syncBytes); err != nil {
			return samples, err
		}
		if err := f.SyncData(); err != nil {
			return samples, err
		}
		samples = append(samples, time.Since(began))
		select {
		case <-ctx.Done():
			return samples, ctx.Err()
		case <-pace.C:
		}
	}
	return samples, nil
}

// quantiles returns the median, the 99th percentile and the longest of some times.
func quantiles(d []time.Duration) (p50, p99, top time.Duration) {
	if len(d) == 0 {
		return 0, 0, 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[(len(d)-1)/2], d[(len(d)-1)*99/100], d[len(d)-1]
}
