package nodetest_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/membership/config"
	"holdfast/membership/layout"
	"holdfast/node/confdir"
	"holdfast/node/found"
	"holdfast/node/nodetest"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// What an idle node writes to the mount does not depend on the number of its services: it is its heartbeat.
func TestIdleCost(t *testing.T) {
	long(t)
	const lease = 3 * time.Second
	for _, services := range []int{1, 10} {
		t.Run(fmt.Sprint(services), func(t *testing.T) {
			c := nodetest.New(t, nodetest.Plan{Hosts: 1, NameServers: services, ObjectServers: services, Lease: lease})
			seen := storagetest.NewFault(storage.OS())
			c.Hosts[0].FS = seen
			c.Run(t, 0)
			makeBucket(t, c)
			running(t, c, 0)
			quiesce(t, seen)
			from, began, cpu := len(seen.Calls()), time.Now(), processorTime(t)
			for deadline := began.Add(2 * lease); time.Now().Before(deadline); {
				time.Sleep(lease / 10) // what is measured is the passing of time
			}
			spent, window := processorTime(t)-cpu, time.Since(began)
			var writes, reads int
			var other []string
			for _, call := range seen.Calls()[from:] {
				switch {
				case !call.Op.Changes():
					reads++
				case call.Op == storagetest.OpOpenRW: // opening changes nothing
				default:
					writes++
					if filepath.Base(call.Path) != layout.HeartbeatFile {
						other = append(other, call.String())
					}
				}
			}
			perSecond := float64(writes) / window.Seconds()
			t.Logf("%d services: %.1f writes and syncs a second, %.1f reads, %.1f %% of a core",
				2*services, perSecond, float64(reads)/window.Seconds(), 100*spent.Seconds()/window.Seconds())
			if perSecond > 5 {
				t.Errorf("%.1f writes a second to the mount, want at most 5; besides heartbeats %v", perSecond, other)
			}
		})
	}
}

// quiesce waits until what opening set in motion has come to rest.
func quiesce(t testing.TB, seen *storagetest.FaultFS) {
	t.Helper()
	last, at := 0, time.Now()
	eventually(t, "rest", func() error {
		n := 0
		for _, call := range seen.Calls() {
			if call.Op.Changes() && !strings.HasSuffix(call.Path, layout.HeartbeatFile) {
				n++
			}
		}
		if n != last {
			last, at = n, time.Now()
		}
		if time.Since(at) < 2*time.Second {
			return fmt.Errorf("%d calls", n)
		}
		return nil
	})
}

func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// One of two storages hangs. What is on the other goes on, and the node can still be asked, told and stopped.
func TestStorageHangs(t *testing.T) {
	long(t)
	c := nodetest.New(t, nodetest.Plan{Hosts: 2, NameServers: 1, ObjectServers: 1})
	second := filepath.Join(filepath.Dir(c.Root), "second")
	if err := found.Storage(storage.OS(), layout.Root(second), c.First.Cluster); err != nil {
		t.Fatal(err)
	}
	conf := c.First.WithStorage(config.Storage{Name: "stor2", LeaseMS: 500})
	for _, h := range conf.Hosts {
		h.Storages = append(slices.Clone(h.Storages), "stor2")
		conf = conf.WithHost(h)
	}
	conf, _, err := conf.WithVolume("vol2", "stor2", 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if conf, err = config.Open(storage.OS(), layout.Root(c.Root)).Publish(1, conf); err != nil {
		t.Fatal(err)
	}
	for _, h := range c.Hosts {
		addStorage(t, h.Dir, conf, second)
	}
	hanging := storagetest.NewFault(storage.OS())
	c.Hosts[0].FS = hanging
	c.Run(t, 0)
	c.Run(t, 1)
	makeBucket(t, c)
	c.First = conf
	eventually(t, "services on both storages", func() error {
		for _, s := range conf.Services {
			root := map[string]string{"stor1": c.Root, "stor2": second}[s.Storage]
			if _, err := storage.ReadFile(storage.OS(), layout.Root(root).Service(s.ID.Value).OwnerFile(), layout.MaxFile); err != nil {
				return err
			}
		}
		return nil
	})
	l := startLoad(t, c, 0, 1)
	l.progress(t, 20)
	hanging.Add(storagetest.HangAt(0).Every().Only(func(call storagetest.Call) bool { return strings.HasPrefix(call.Path, second) }))
	l.progress(t, 200)
	change(t, c, 0, func(conf config.Config) (config.Config, error) { return conf.WithDrain(c.Hosts[1].ID, true) })
	l.progress(t, 200)
	conn, err := found.Connect(t.Context(), c.Hosts[0].Dir, c.Hosts[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	eventually(t, "the storage to be said not to work", func() error {
		status, err := conn.Status(t.Context())
		if err != nil {
			return err
		}
		for _, s := range status.Storages {
			if s.Works != (s.Name == "stor1") {
				return fmt.Errorf("%+v", s)
			}
		}
		return nil
	})
	l.finish(t, c, 0)
	hanging.Release() // so that the node can close
}

// addStorage gives a host that does not run a second mount.
func addStorage(t testing.TB, dir confdir.Dir, conf config.Config, path string) {
	t.Helper()
	n, err := dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	n.Storages["stor2"] = path
	if err := dir.Save(n); err != nil {
		t.Fatal(err)
	}
	if err := dir.SaveConfig(conf); err != nil {
		t.Fatal(err)
	}
}
