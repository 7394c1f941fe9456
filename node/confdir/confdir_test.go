package confdir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/node/confdir"
)

func sample() confdir.Node {
	return confdir.Node{
		Cluster: "000102030405060708090a0b0c0d0e0f", Host: config.IDOf(holdfast.HostID(0xa1)), Name: "host1",
		Address: "192.0.2.1:2530", Storages: map[string]string{"stor1": "/mnt/stor1/s3-data"},
	}
}

func TestNodeIsKept(t *testing.T) {
	dir := confdir.Dir(filepath.Join(t.TempDir(), "new", "directory"))
	if _, err := dir.Load(); !holdfast.Is(err, holdfast.NotFound) {
		t.Fatalf("an empty directory: %v, want NotFound", err)
	}
	if err := dir.Save(sample()); err != nil {
		t.Fatal(err)
	}
	n, err := dir.Load()
	if err != nil || n.Host.Value != 0xa1 || n.Storages["stor1"] != "/mnt/stor1/s3-data" || n.MetricsAddress() != "192.0.2.1:9102" {
		t.Errorf("%+v, %v", n, err)
	}
	info, err := os.Stat(dir.Path(confdir.NodeFile))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	for name, change := range map[string]func(*confdir.Node){
		"cluster":  func(n *confdir.Node) { n.Cluster = "x" },
		"host":     func(n *confdir.Node) { n.Host.Value = 0 },
		"address":  func(n *confdir.Node) { n.Address = "host1:2530" },
		"storages": func(n *confdir.Node) { n.Storages["stor2"] = "relative" },
	} {
		n := sample()
		change(&n)
		if err := confdir.Dir(t.TempDir()).Save(n); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadIsStrict(t *testing.T) {
	for _, text := range []string{"", "{", `{"format":1,"adress":"x"}`, `{"format":2}`, `{"format":1} x`} {
		dir := confdir.Dir(t.TempDir())
		if err := dir.Write(confdir.NodeFile, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := dir.Load(); err == nil || !strings.Contains(err.Error(), confdir.NodeFile) {
			t.Errorf("%q: %v, want an error that names the file", text, err)
		}
	}
}
