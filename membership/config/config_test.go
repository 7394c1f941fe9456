package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/layout"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden file anew")

const (
	root = layout.Root("/r")
	host = holdfast.HostID(0xa1)
	ns1  = holdfast.ServiceID(0x0800000000000001)
	ns2  = holdfast.ServiceID(0x0800000000000002)
	os1  = holdfast.ServiceID(0x1000000000000001)
	vol  = holdfast.VolumeID(0x0100000000000001)
)

func single() config.Config {
	return config.Single(host, vol, []holdfast.ServiceID{ns1, ns2}, []holdfast.ServiceID{os1})
}

func newLog(t *testing.T) (*storagetest.CrashFS, *config.Log) {
	t.Helper()
	disk := storagetest.NewCrash()
	if err := storage.MakeDir(disk, root.Config()); err != nil {
		t.Fatal(err)
	}
	return disk, config.Open(disk, root)
}

func TestPublishAndRead(t *testing.T) {
	_, log := newLog(t)
	if _, err := log.Newest(); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("empty: got %v, want NotFound", err)
	}
	first, err := log.Publish(0, single())
	if err != nil {
		t.Fatal(err)
	}
	changed := first.Clone()
	changed.Hosts[0].Address = "10.0.0.1:9100"
	second, err := log.Publish(first.Version, changed)
	if err != nil || second.Version != 2 {
		t.Fatalf("version %d, %v", second.Version, err)
	}
	if _, err := log.Publish(first.Version, changed); !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("from an old version: got %v, want Conflict", err)
	}
	if _, err := log.Publish(7, changed); !holdfast.Is(err, holdfast.NotFound) {
		t.Errorf("from a version that is not there: got %v, want NotFound", err)
	}
	newest, err := log.Newest()
	if err != nil || !reflect.DeepEqual(newest, second) {
		t.Errorf("newest: %+v, %v", newest, err)
	}
	if old, err := log.Read(1); err != nil || old.Hosts[0].Address != "" {
		t.Errorf("version 1 changed: %+v, %v", old, err)
	}
}

// Of those who publish from the same version one wins, and retries lose no change.
func TestPublishIsCompareAndSwap(t *testing.T) {
	_, log := newLog(t)
	if _, err := log.Publish(0, single()); err != nil {
		t.Fatal(err)
	}
	const writers, each = 4, 5
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; i < each; {
				c, err := log.Newest()
				if err != nil {
					t.Error(err)
					return
				}
				c.Storages = append(c.Clone().Storages, config.Storage{Name: fmt.Sprintf("w%d-%d", w, i)})
				_, err = log.Publish(c.Version, c)
				switch {
				case err == nil:
					i++
				case !holdfast.Is(err, holdfast.Conflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	c, err := log.Newest()
	if err != nil || len(c.Storages) != 1+writers*each || c.Version != 1+writers*each {
		t.Errorf("version %d with %d storages, %v", c.Version, len(c.Storages), err)
	}
}

func TestPublishSurvivesPowerLossAndErrors(t *testing.T) {
	for n := 0; ; n++ {
		disk, log := newLog(t)
		if _, err := log.Publish(0, single()); err != nil {
			t.Fatal(err)
		}
		fs := storagetest.NewFault(disk, storagetest.TearAt(n))
		_, err := config.Open(fs, root).Publish(1, single())
		for seed := range uint64(8) {
			c, readErr := config.Open(disk.Crash(seed), root).Newest()
			if readErr != nil || (err == nil && c.Version != 2) {
				t.Fatalf("stop at %d, seed %d: version %d, %v", n, seed, c.Version, readErr)
			}
		}
		if !fs.Triggered() {
			break
		}
	}
	disk, log := newLog(t)
	fs := storagetest.NewFault(disk, storagetest.FailAfterAt(0, unix.EEXIST).On(storagetest.OpLink))
	if c, err := config.Open(fs, root).Publish(0, single()); err != nil || c.Version != 1 {
		t.Errorf("link done and reported as existing: %v", err)
	}
	if c, err := log.Newest(); err != nil || c.Version != 1 {
		t.Errorf("newest: %d, %v", c.Version, err)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	for want, spoil := range map[string]func(*config.Config){
		"cluster":            func(c *config.Config) { c.Cluster = "x" },
		"storages":           func(c *config.Config) { c.Storages = append(c.Storages, c.Storages[0]) },
		"hosts":              func(c *config.Config) { c.Hosts[0].Storages = []string{"stor9"} },
		"volumes: 010000000": func(c *config.Config) { c.Volumes[0].Slots[1].First++ },
		"slots end at 2048":  func(c *config.Config) { c.Volumes[0].Slots = c.Volumes[0].Slots[:1] },
		"not a declared NS":  func(c *config.Config) { c.Volumes[0].Slots[0].NameServer = config.IDOf(os1) },
		"not a declared OS":  func(c *config.Config) { c.Volumes[0].ObjectServers[0].Value++ },
		"services":           func(c *config.Config) { c.Services = append(c.Services, c.Services[0]) },
		"bound to host":      func(c *config.Config) { b := config.IDOf(host + 1); c.Services[0].Bind = &b },
		"gateways":           func(c *config.Config) { c.Gateways = []config.Gateway{{}} },
	} {
		_, log := newLog(t)
		c := single()
		spoil(&c)
		if _, err := log.Publish(0, c); !holdfast.Is(err, holdfast.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func golden() config.Config {
	c := single()
	bind := config.IDOf(host)
	c.Format, c.Version, c.Nonce, c.Cluster = 1, 3, strings.Repeat("0f", 16), strings.Repeat("c1", 16)
	c.Hosts[0].Name, c.Hosts[0].Address, c.Services[0].Bind = "alpha", "10.0.0.1:9100", &bind
	c.Gateways = []config.Gateway{{ID: config.IDOf(holdfast.ServiceID(0x8000000000000001)), Host: bind, Volume: config.IDOf(vol), Address: "127.0.0.1:9000"}}
	return c
}

func TestGoldenFile(t *testing.T) {
	const path = "testdata/v1/3.json"
	b, err := golden().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(b, want) {
		t.Errorf("got\n%s\nwant\n%s%v", b, want, err)
	}
	if c, err := config.Parse(want); err != nil || !reflect.DeepEqual(c, golden()) {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestParseIsStrict(t *testing.T) {
	good, _ := golden().Encode()
	for name, c := range map[string]struct {
		text string
		want holdfast.Kind
	}{
		"empty":         {"", holdfast.Corrupt},
		"trailing":      {string(good) + "{}", holdfast.Corrupt},
		"unknown field": {strings.Replace(string(good), `"cluster"`, `"klaster"`, 1), holdfast.Corrupt},
		"short id":      {strings.Replace(string(good), `"00000000000000a1"`, `"a1"`, 1), holdfast.Corrupt},
		"newer":         {strings.Replace(string(good), `"format": 1`, `"format": 2`, 1), holdfast.Unsupported},
		"no nonce":      {strings.Replace(string(good), strings.Repeat("0f", 16), "", 1), holdfast.Corrupt},
	} {
		if _, err := config.Parse([]byte(c.text)); !holdfast.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, _ := golden().Encode()
	f.Add(good)
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := config.Parse(b)
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := config.Parse(again); err != nil || !reflect.DeepEqual(twice.Clone(), c.Clone()) {
			t.Errorf("%q decodes, but not what it encodes as: %v", b, err)
		}
	})
}
