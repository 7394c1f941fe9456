package cluster

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the holdfast binary under test, built once by TestMain.
var binary string

// only names the storage to run the drills on; "" is all of them.
var only = flag.String("storage", "", "run the drills on this storage only: local, gluster or moosefs")

// logs is where the nodes' logs are kept; "" shows the ends of them when a test fails.
var logs = flag.String("logs", "", "keep what nodes wrote in this directory")

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("HOLDFAST_CLUSTER") == "" {
		fmt.Println("cluster: nothing runs without HOLDFAST_CLUSTER=1, as make cluster sets it: these tests need root and real storages")
		return
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "holdfast-cluster-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "holdfast")
	out, err := exec.Command("go", "build", "-o", binary, "holdfast/cmd/holdfast").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
