package namesrv_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails if a goroutine of the engine is left when all tests are done. Goroutines that a fault parked in Pebble are
// left for ever, by design of storage/kv, and so is the one in Close that waits for them.
func TestMain(m *testing.M) {
	code := m.Run()
	left := ""
	for deadline := time.Now().Add(5 * time.Second); ; <-time.After(10 * time.Millisecond) {
		if left = running(); left == "" || time.Now().After(deadline) {
			break
		}
	}
	if left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// running returns the stacks of goroutines of this package that are not parked in the store.
func running() (s string) {
	buf := make([]byte, 8<<20)
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "holdfast/namesrv.(*") && !strings.Contains(g, "pebble") && !strings.Contains(g, "(*Engine).Close.func1") {
			s += g + "\n\n"
		}
	}
	return s
}
