package ctl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/node/nodetest"
	"holdfast/storage"
	"holdfast/tools/ctl"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files; read the diff before committing it")

// shell runs commands as an operator whose password is in the environment.
type shell struct {
	t        *testing.T
	password string
}

func (s shell) run(args ...string) (string, error) {
	var out strings.Builder
	err := ctl.Run(s.t.Context(), args, ctl.Process{
		Program: "ostor-ctl", Stdout: &out, Stderr: io.Discard, Now: time.Now, FS: storage.OS(),
		Getenv: func(name string) string {
			if name == "HOLDFAST_PASSWORD" {
				return s.password
			}
			return ""
		},
	})
	return out.String(), err
}

func (s shell) must(args ...string) string {
	s.t.Helper()
	out, err := s.run(args...)
	if err != nil {
		s.t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(out)
}

// refused wants an error of one line that has these words.
func (s shell) refused(words string, args ...string) {
	s.t.Helper()
	out, err := s.run(args...)
	if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") {
		s.t.Errorf("%s: got %v %q, want an error with %q", strings.Join(args, " "), err, out, words)
	}
}

func example() config.Config {
	host := config.IDOf(holdfast.HostID(0xfcbf5602197245da))
	c := config.New(strings.Repeat("c1", 16)).WithStorage(config.Storage{Name: "stor1", Dir: "s3-data"})
	c = c.WithHost(config.Host{ID: host, Name: "host510", Address: "10.94.1.10:2530", Storages: []string{"stor1"}})
	c = c.WithHost(config.Host{ID: config.IDOf(holdfast.HostID(0x2530)), Name: "host511", Address: "10.94.1.11:2530"})
	c, volume, err := c.WithVolume("vol1", "stor1", 2, 2)
	if err == nil {
		c, _, err = c.WithGateway(host.Value, volume, "10.94.1.10:9000")
	}
	if err != nil {
		panic(err)
	}
	return c
}

func TestGoldenTables(t *testing.T) {
	at := time.Date(2015, 8, 7, 11, 58, 45, 470e6, time.UTC)
	for name, volumes := range map[string]bool{"get-config": false, "get-config-n": true} {
		var got bytes.Buffer
		if err := ctl.WriteConfig(&got, example(), at, volumes); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".txt")
		if *rewrite {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s%v", path, got.Bytes(), want, err)
		}
	}
	got := ctl.StatusTable(confrpc.Status{Host: 0xfcbf5602197245da, Services: []confrpc.ServiceStatus{
		{ID: 0x8000000000000009, State: confrpc.Active, Uptime: 527900 * time.Millisecond, Address: "10.94.1.10:9000"},
		{ID: 0x0800000000000006, State: confrpc.Starting},
	}})
	want := [][6]string{
		{"S3GW", "8000000000000009", "ACTIVE", "8m47s", "fcbf5602197245da", "10.94.1.10:9000"},
		{"NS", "0800000000000006", "STARTING", "0s", "fcbf5602197245da", "-"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Before any node runs, everything goes straight into the log on the mount.
func TestNewClusterWithoutNodes(t *testing.T) {
	base := t.TempDir()
	dir, mount := filepath.Join(base, "conf"), filepath.Join(base, "mnt")
	if err := os.Mkdir(mount, 0o777); err != nil {
		t.Fatal(err)
	}
	s := shell{t, "correct horse battery"}
	at := func(args ...string) []string { return append(args, "-r", dir) }
	s.refused("create, join or add-host first", at("get-config")...)
	s.refused("-n: ", at("create", "-n", "nowhere")...)
	shell{t, ""}.refused("HOLDFAST_PASSWORD", at("create", "-n", "127.0.0.1")...)
	s.must(at("create", "-n", "127.81.1.1", "--hostname", "host1")...)
	s.refused("is a host's already", at("create", "-n", "127.81.1.1")...)
	s.refused("is a host's already", at("join", "-n", "127.81.1.1", "-a", "127.81.1.2")...)
	shell{t, "wrong horse battery"}.refused("password", at("init-storage", "-s", mount)...)
	s.refused("-s: ", at("init-storage", "-s", mount+"/none")...)
	for range 2 { // the second time changes nothing
		s.must(at("init-storage", "-n", "127.81.1.1", "-s", mount, "--dir", "s3-data", "--lease", "3s")...)
	}
	if b, err := os.ReadFile(filepath.Join(mount, "s3-data/control/name")); err != nil || !strings.Contains(string(b), "127.81.1.1:2530") {
		t.Errorf("control/name: %q, %v", b, err)
	}
	volume := s.must(at("add-vol", "--type", "OBJ", "-s", mount, "--os-count", "2", "--ns-count", "2", "--vstorage-attr", "failure-domain=host,tier=0,replicas=3")...)
	if volume != "0100000000000001" {
		t.Errorf("volume %q", volume)
	}
	gateway := s.must(at("add-s3gw", "-a", "127.81.1.1:9000", "-V", volume)...)
	if gateway != "8000000000000006" {
		t.Errorf("gateway %q", gateway)
	}
	var shown struct {
		Services []struct{ ID string } `json:"services"`
		Hosts    []struct {
			ID   string `json:"host_id"`
			Name string `json:"hostname"`
			URI  string `json:"uri"`
		} `json:"hosts"`
		Volumes []struct{ Attributes map[string]string } `json:"volumes"`
	}
	if err := json.Unmarshal([]byte(s.must(at("get-config", "--json")...)), &shown); err != nil {
		t.Fatal(err)
	}
	if len(shown.Services) != 5 || len(shown.Hosts) != 1 || shown.Hosts[0].Name != "host1:2530" ||
		shown.Hosts[0].URI != "vstorage://stor1/s3-data" || shown.Volumes[0].Attributes["replicas"] != "3" {
		t.Errorf("got %+v", shown)
	}
	host := shown.Hosts[0].ID
	s.must(at("bind", "-H", host, "-S", "0800000000000002", "-S", "1000000000000004")...)
	s.must(at("unbind", "-S", "0800000000000002")...)
	s.must(at("drain", "-H", host)...)
	s.must(at("drain", "--undo")...)
	s.must(at("add-host", "--hostname", "host510", "--roles", "OBJ")...)
	if out := s.must(at("get-config")...); !strings.Contains(out, "host510:2530") || !strings.Contains(out, "Use configuration service 'ostor'") {
		t.Errorf("got %s", out)
	}
	s.must(at("remove-s3gw", "-i", gateway)...)

	for words, args := range map[string][]string{
		"there is no gateway":       {"remove-s3gw", "-i", gateway},
		"there is no host":          {"bind", "-H", "1", "-S", "0800000000000002"},
		"there is no service":       {"bind", "-H", host, "-S", "08000000000000ff"},
		"-H: ":                      {"bind", "-S", "0800000000000002"},
		"-S: ":                      {"unbind"},
		"--type: ":                  {"add-vol", "--type", "FILE", "-s", mount},
		"--vstorage-attr: ":         {"add-vol", "-s", mount, "--os-count", "1", "--ns-count", "1", "--vstorage-attr", "color=red"},
		"there is no storage":       {"add-vol", "-s", "stor9", "--os-count", "1", "--ns-count", "1"},
		"0 name and 0 object":       {"add-vol", "-s", mount},
		"-a: ":                      {"add-s3gw", "-V", volume},
		"-V: ":                      {"add-s3gw", "-a", "127.0.0.1:1", "-V", gateway},
		"--roles: ":                 {"add-host", "--roles", "CS"},
		"no node answers":           {"remove-host", "-H", host},
		"s3-data already":           {"init-storage", "-s", mount, "--dir", "other"},
		"-n: ":                      {"get-config", "-n", "nowhere"},
		"give one storage":          {"init-storage"},
		"is not the id of a host":   {"drain", "-H", "x"},
		"is not the name of a dire": {"init-storage", "-s", mount, "--dir", "a/b"},
	} {
		s.refused(words, at(args...)...)
	}
	for _, args := range [][]string{{}, {"what"}, {"bind", "-S", "zz"}, {"drain", "extra"}} {
		if _, err := s.run(args...); !errors.Is(err, ctl.ErrUsage) {
			t.Errorf("%q: got %v", args, err)
		}
	}
}

// eventually waits until something holds, which may take as long as a slow machine needs.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	const within = 90 * time.Second
	for end := time.Now().Add(within); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, within)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// The life of a cluster of running nodes, by commands alone.
func TestRunningCluster(t *testing.T) {
	s := shell{t, nodetest.Password}
	c := nodetest.Start(t, nodetest.Plan{Hosts: 1, NameServers: 1, ObjectServers: 1, Lease: 2 * time.Second})
	first, second := c.Hosts[0], c.NewHost(t)
	ip, _, _ := strings.Cut(second.Address, ":")
	mount := filepath.Dir(c.Root)
	join := []string{"join", "-r", string(second.Dir), "-n", first.Address, "-a", ip, "-s", mount, "--dir", filepath.Base(c.Root)}
	shell{t, "wrong horse battery"}.refused("denied", join...)
	s.must(join...)
	c.Run(t, 1)
	host := regexp.MustCompile(`"host": "([0-9a-f]{16})"`)
	node, err := os.ReadFile(second.Dir.Path("node.json"))
	if err != nil {
		t.Fatal(err)
	}
	id := host.FindStringSubmatch(string(node))[1]

	runs := func(line string) func() bool {
		return func() bool {
			out, err := s.run("agent-status", "-r", string(first.Dir))
			return err == nil && regexp.MustCompile(line).MatchString(out)
		}
	}
	name := c.First.Services[0].ID.Value.String()
	s.must("bind", "-r", string(first.Dir), "-H", id, "-S", name)
	eventually(t, "the bound service moves", runs(fmt.Sprintf(`NS +%s +ACTIVE +\d+ +%s +%s`, name, id, regexp.QuoteMeta(second.Address))))
	s.refused("runs service "+name, "remove-host", "-r", string(first.Dir), "-H", id)
	s.must("unbind", "-r", string(first.Dir), "-S", name)
	s.must("drain", "-r", string(first.Dir), "-H", id)
	eventually(t, "the drained host runs nothing", func() bool { return !runs(id)() })
	eventually(t, "the drained host is removed", func() bool {
		_, err := s.run("remove-host", "-r", string(first.Dir), "-H", id)
		return err == nil
	})
	if out := s.must("get-config", "-r", string(first.Dir)); strings.Contains(out, id) {
		t.Errorf("the host is there yet: %s", out)
	}
}
