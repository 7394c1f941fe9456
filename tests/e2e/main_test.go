// Package e2e drives the real binary with the clients that people use: awscli, boto3, s3cmd, rclone, aws-sdk-go-v2, aws-sdk-js v3 and
// minio-go, each in its own process or over real sockets, and kills the server under them.
//
// `go test -short` runs none of it. A client that is not installed is an error, not a skip: tests/setup.sh installs
// them all.
package e2e

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

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("e2e: nothing runs with -short: these tests need the installed S3 clients")
		return
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "holdfast-e2e-")
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
