package found_test

import (
	"testing"
	"time"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/config"
	"holdfast/membership/layout"
	"holdfast/node"
	"holdfast/node/confdir"
	"holdfast/node/found"
	"holdfast/storage/storagetest"
)

func TestWhatExistsIsNotReplaced(t *testing.T) {
	c, err := found.New([]byte("a password"), node.Credentials{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := confdir.Dir(t.TempDir())
	first := config.New(c.Name)
	first.Format, first.Version, first.Nonce = 1, 1, c.Name
	n := confdir.Node{Host: config.IDOf(membership.NewHostID()), Address: "127.0.0.1:2530", Storages: map[string]string{}}
	if err := c.Host(dir, n, first, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := c.Host(dir, n, first, time.Now()); !holdfast.Is(err, holdfast.Exists) {
		t.Errorf("a second host in one directory: %v, want Exists", err)
	}
	if _, err := found.New([]byte("short"), node.Credentials{}, time.Now()); !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("a short password: %v, want Invalid", err)
	}
}

func TestStorageBelongsToOneCluster(t *testing.T) {
	const one, two = "00000000000000000000000000000001", "00000000000000000000000000000002"
	disk := storagetest.NewCrash()
	for range 2 {
		if err := found.Storage(disk, "/one", one); err != nil {
			t.Fatal(err)
		}
	}
	if err := found.Storage(disk, "/one", two); !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("another cluster's: %v, want Conflict", err)
	}
	if err := disk.MkdirAll(layout.Root("/server").Host(7), 0o777); err != nil { // as a single server leaves it
		t.Fatal(err)
	}
	if err := found.Storage(disk, "/server", one); !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("a server's: %v, want Conflict", err)
	}
}
