package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/gw/keyring"
)

func noEnvironment(string) string { return "" }

func TestClusterKeysAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	// What a crash in the middle of the first start leaves behind.
	if err := os.WriteFile(filepath.Join(dir, ClusterKeyFile+".tmp"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	first, err := LoadOrCreateClusterKeys(dir, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, ClusterKeyFile))
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("%v, mode %v, want -rw-------", err, info.Mode())
	}
	sealed, err := first.Seal([]byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreateClusterKeys(dir, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(sealed, nil); err != nil || string(got) != "secret" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
}

func TestClusterKeysRotateByALine(t *testing.T) {
	dir := t.TempDir()
	before, err := LoadOrCreateClusterKeys(dir, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, ClusterKeyFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	added := keyring.Generate()
	if err := os.WriteFile(name, append(text, added+"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := LoadOrCreateClusterKeys(dir, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(added, keyring.Variable+"="), ":")
	if after.Current() != id || len(after.IDs()) != 2 || after.IDs()[0] != before.Current() {
		t.Errorf("ids %v, want %s and %s", after.IDs(), before.Current(), id)
	}
}

func TestClusterKeysFromTheEnvironment(t *testing.T) {
	given := strings.TrimPrefix(keyring.Generate(), keyring.Variable+"=")
	environment := func(name string) string {
		if name == keyring.Variable {
			return given
		}
		return ""
	}
	id, _, _ := strings.Cut(given, ":")
	dir := t.TempDir()
	alone, err := LoadOrCreateClusterKeys(dir, environment)
	if err != nil || len(alone.IDs()) != 1 || alone.Current() != id {
		t.Fatalf("%v, %v; want the given key alone", alone, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ClusterKeyFile)); !os.IsNotExist(err) {
		t.Errorf("a key of the environment was written: %v", err)
	}
	if _, err := LoadOrCreateClusterKeys(dir, noEnvironment); err != nil {
		t.Fatal(err)
	}
	both, err := LoadOrCreateClusterKeys(dir, environment)
	if err != nil || len(both.IDs()) != 2 || both.Current() != id {
		t.Errorf("%v, %v; want two keys, the given one current", both, err)
	}
	given = "nonsense"
	if _, err := LoadOrCreateClusterKeys(dir, environment); err == nil || !strings.Contains(err.Error(), "in the environment") {
		t.Errorf("nonsense: %v", err)
	}
}

func TestDamagedClusterKeysAreNotReplaced(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "HOLDFAST_CLUSTER_KEY=x:short\n"} {
		dir := t.TempDir()
		name := filepath.Join(dir, ClusterKeyFile)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrCreateClusterKeys(dir, noEnvironment); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v, want an error that names the file", text, err)
		}
		if kept, _ := os.ReadFile(name); string(kept) != text {
			t.Errorf("%q became %q", text, kept)
		}
	}
}
