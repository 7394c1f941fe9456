package fstest_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"holdfast/fs/fstest"
)

var seed = flag.Int64("seed", 0, "seed of the random tests; 0 picks one")

func TestMain(m *testing.M) {
	if dir := os.Getenv(loopbackEnv); dir != "" {
		os.Exit(loopback(dir, os.Args[1]))
	}
	os.Exit(fstest.Main(m))
}

// TestPlainDirectory is the reference: what a local file system does is what the suite demands. It is its own other mount.
func TestPlainDirectory(t *testing.T) {
	dir := open(t)
	fstest.Run(t, dir, fstest.Options{Other: dir, Seed: *seed})
}

// open makes a directory that other users can reach.
func open(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
