package robustness

import (
	"flag"
	"os"
	"testing"
)

// together is how many crashes are looked at at a time: most of it is waiting for background work.
const together = "24"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", together) // it is a number
	}
	code := m.Run()
	ended.Wait()
	os.Exit(code)
}
