package heartbeat_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/lease"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

const watchedT = 10 * time.Second

// beater starts the heartbeat of host 1.
func beater(t *testing.T, fs storage.FS) *heartbeat.Beater {
	t.Helper()
	root := layout.Root("/r")
	if err := storage.MakeDir(fs, root.Host(1)); err != nil {
		t.Fatal(err)
	}
	b, err := heartbeat.Start(heartbeat.Config{FS: fs, Root: root, Host: 1, T: watchedT, Incarnation: layout.Incarnation{Number: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Many askers share the readings of one watch, and learn the same.
func TestWatcherSharesItsReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewCrash()
		b := beater(t, disk)
		w := heartbeat.NewWatcher(disk, "/r", watchedT, nil)
		defer w.Close()
		ask := func(want lease.Verdict, atMost time.Duration) {
			t.Helper()
			began := time.Now()
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if v, _, err := w.Watch(t.Context(), 1); v != want || err != nil {
						t.Errorf("got %v, %v; want %v", v, err, want)
					}
				})
			}
			all.Wait()
			if waited := time.Since(began); waited > atMost {
				t.Errorf("%v after %v, want within %v", want, waited, atMost)
			}
		}
		ask(lease.Alive, watchedT/2)
		if err := b.Close(false); err != nil {
			t.Fatal(err)
		}
		ask(lease.Dead, 2*watchedT)
		ask(lease.Dead, 0) // it is known by now
		if err := beater(t, disk).Close(true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(watchedT) // virtual
		ask(lease.Gone, 0)
	})
}

// A host that is suspected, or followed, is known to be dead by the time that somebody asks.
func TestWatcherKnowsBeforeItIsAsked(t *testing.T) {
	for name, prepare := range map[string]func(*heartbeat.Watcher){
		"suspected": func(w *heartbeat.Watcher) { w.Suspect(1) },
		"followed":  func(w *heartbeat.Watcher) { w.Follow([]holdfast.HostID{1}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := storagetest.NewCrash()
				b := beater(t, disk)
				w := heartbeat.NewWatcher(disk, "/r", watchedT, nil)
				defer w.Close()
				if name == "followed" {
					prepare(w)
					time.Sleep(5 * watchedT) // virtual; alive all the time
				}
				if err := b.Close(false); err != nil {
					t.Fatal(err)
				}
				prepare(w)
				time.Sleep(watchedT*6/5 + watchedT/5)
				began := time.Now()
				if v, _, err := w.Watch(t.Context(), 1); v != lease.Dead || err != nil || time.Since(began) > 0 {
					t.Errorf("%v, %v after %v; want dead at once", v, err, time.Since(began))
				}
			})
		})
	}
}

// Close ends those who wait.
func TestWatcherClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewCrash()
		w := heartbeat.NewWatcher(disk, "/r", watchedT, nil)
		ended := make(chan error, 1)
		go func() {
			_, _, err := w.Watch(context.Background(), 1)
			ended <- err
		}()
		synctest.Wait()
		w.Close()
		if err := <-ended; err == nil {
			t.Error("a verdict after Close")
		}
	})
}
