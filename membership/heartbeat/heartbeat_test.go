package heartbeat_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/lease"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

const (
	root = layout.Root("/r")
	host = holdfast.HostID(0xa1)
	T    = 15 * time.Second
)

func newDisk(t *testing.T) *storagetest.CrashFS {
	t.Helper()
	disk := storagetest.NewCrash()
	if err := storage.MakeDir(disk, root.Host(host)); err != nil {
		t.Fatal(err)
	}
	return disk
}

func start(t *testing.T, fs storage.FS, number uint64, cfg heartbeat.Config) *heartbeat.Beater {
	t.Helper()
	cfg.FS, cfg.Root, cfg.Host, cfg.T = fs, root, host, T
	cfg.Incarnation = layout.Incarnation{Number: number, ID: holdfast.Incarnation{byte(number)}}
	b, err := heartbeat.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBeatsOnceEveryFifthOfT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := storagetest.NewFault(newDisk(t))
		b := start(t, fs, 1, heartbeat.Config{})
		time.Sleep(10*T + time.Second)
		synctest.Wait()
		if err := b.Held(); err != nil {
			t.Error(err)
		}
		writes := 0
		for _, c := range fs.Calls() {
			if c.Op == storagetest.OpWrite {
				writes++
			}
		}
		if writes != 51 {
			t.Errorf("%d writes in ten T, want 51", writes)
		}
		if err := b.Close(true); err != nil {
			t.Error(err)
		}
		if err := b.Held(); !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("closed: %v", err)
		}
		if h, err := heartbeat.Read(fs, root, host); err != nil || !h.Released || h.Counter != 52 {
			t.Errorf("last record: %+v, %v", h, err)
		}
	})
}

func TestLeaseLapsesWhileTheMountHangsAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := storagetest.NewFault(newDisk(t))
		looks, lapsed := 0, false
		var b *heartbeat.Beater
		b = start(t, fs, 1, heartbeat.Config{Confirm: func() {
			looks++
			if lapsed && b.Held() == nil {
				t.Error("held before the fences were looked at")
			}
			lapsed = false
		}})
		fs.Add(storagetest.HangAt(0).On(storagetest.OpWrite))
		time.Sleep(T)
		if err := b.Held(); !holdfast.Is(err, holdfast.Unavailable) || looks != 1 {
			t.Errorf("mount hangs: got %v after %d looks, want Unavailable after 1", err, looks)
		}
		lapsed = true
		fs.Release()
		time.Sleep(T / 5)
		synctest.Wait()
		if err := b.Held(); err != nil || lapsed {
			t.Errorf("after the mount came back: %v; still not looked: %v", err, lapsed)
		}
		_ = b.Close(false)
	})
}

// A process whose machine was stopped with all its clocks takes its lease for valid. It must look at its fences at the next beat,
// not only when it knows that the lease lapsed.
func TestFencesAreLookedAtAtEveryBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		b := start(t, newDisk(t), 1, heartbeat.Config{Confirm: func() { looks++ }})
		time.Sleep(2*T + time.Second)
		synctest.Wait()
		if looks != 11 {
			t.Errorf("%d looks in two T, want 11", looks)
		}
		_ = b.Close(false)
	})
}

// hand is a clock that is set by hand.
type hand struct {
	now lease.Clocks
	heartbeat.Clock
}

func (h *hand) Now() lease.Clocks { return h.now }

// The machine slept through the end of the lease. Its monotonic clock stood still, and no tick has come since it woke.
func TestSleepEndsTheLeaseAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &hand{Clock: heartbeat.SystemClock()}
		b := start(t, newDisk(t), 1, heartbeat.Config{Clock: clock})
		clock.now = lease.Clocks{Mono: time.Second, Boot: time.Second}
		if err := b.Held(); err != nil {
			t.Error(err)
		}
		clock.now.Boot = time.Hour
		if err := b.Held(); !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("after an hour of sleep: got %v, want Unavailable", err)
		}
		_ = b.Close(false)
	})
}

// Outlast ends when the host cannot answer any more, and not before.
func TestOutlast(t *testing.T) {
	for _, c := range []struct {
		name   string
		number uint64
		before bool // it was found dead, by the record that is there
		end    func(b *heartbeat.Beater)
		want   time.Duration
	}{
		{"it beats: two rewrites", 1, false, nil, 2 * T / 5},
		{"it is dead and was found so before", 1, true, func(b *heartbeat.Beater) { _ = b.Close(false) }, 0},
		{"it is dead", 1, false, func(b *heartbeat.Beater) { _ = b.Close(false) }, 6 * T / 5},
		{"it released everything", 1, false, func(b *heartbeat.Beater) { _ = b.Close(true) }, 0},
		{"a younger process has its file", 0, false, nil, 6 * T / 5},
	} {
		synctest.Test(t, func(t *testing.T) {
			disk := newDisk(t)
			b := start(t, disk, 1, heartbeat.Config{})
			time.Sleep(time.Millisecond)
			if c.end != nil {
				c.end(b)
			}
			var before layout.Heartbeat
			if c.before {
				before, _ = heartbeat.Read(disk, root, host)
			}
			began := time.Now()
			err := heartbeat.Outlast(t.Context(), disk, root, host, c.number, before, T, nil)
			if took := time.Since(began); err != nil || took < c.want-time.Second || took > c.want {
				t.Errorf("%s: %v after %v, want %v", c.name, err, took, c.want)
			}
			_ = b.Close(false)
		})
	}
}

func TestFailedRewritesCostOnlyTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := storagetest.NewFault(newDisk(t))
		failures := 0
		b := start(t, fs, 1, heartbeat.Config{OnEvent: func(e heartbeat.Event) {
			if errors.Is(e.Err, unix.EIO) {
				failures++
			}
		}})
		for range 5 {
			fs.Add(storagetest.FailAt(0, unix.EIO).On(storagetest.OpSync))
			time.Sleep(T / 5)
			synctest.Wait()
		}
		if err := b.Held(); !holdfast.Is(err, holdfast.Unavailable) || failures != 5 {
			t.Errorf("got %v after %d failures", err, failures)
		}
		time.Sleep(T / 5)
		synctest.Wait()
		if err := b.Held(); err != nil {
			t.Error(err)
		}
		_ = b.Close(false)
	})
}

func TestNewerIncarnationEndsTheOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newDisk(t)
		old := start(t, disk, 1, heartbeat.Config{})
		young := start(t, disk, 2, heartbeat.Config{})
		time.Sleep(2 * T)
		synctest.Wait()
		if err := old.Held(); !holdfast.Is(err, holdfast.NotOwner) {
			t.Errorf("older: got %v, want NotOwner", err)
		}
		if err := young.Held(); err != nil {
			t.Errorf("newer: %v", err)
		}
		_, _ = old.Close(true), young.Close(false)
		if h, err := heartbeat.Read(disk, root, host); err != nil || h.Number != 2 || h.Released {
			t.Errorf("record: %+v, %v", h, err)
		}
	})
}

func TestWatch(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(b *heartbeat.Beater) // how the holder ends before Watch begins
		want lease.Verdict
		took time.Duration
	}{
		{"alive", func(*heartbeat.Beater) {}, lease.Alive, T / 5},
		{"dead", func(b *heartbeat.Beater) { _ = b.Close(false) }, lease.Dead, 6 * T / 5},
		{"released", func(b *heartbeat.Beater) { _ = b.Close(true) }, lease.Gone, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			disk := newDisk(t)
			b := start(t, disk, 1, heartbeat.Config{})
			time.Sleep(time.Second)
			c.end(b)
			began := time.Now()
			got, _, err := heartbeat.Watch(t.Context(), disk, root, host, T, nil)
			if got != c.want || err != nil || time.Since(began) != c.took {
				t.Errorf("%s: got %v, %v after %v; want %v after %v", c.name, got, err, time.Since(began), c.want, c.took)
			}
			_ = b.Close(false)
		})
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), T)
		defer cancel()
		if v, _, err := heartbeat.Watch(ctx, newDisk(t), root, host, T, nil); v != lease.Unknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v", v, err)
		}
	})
}
