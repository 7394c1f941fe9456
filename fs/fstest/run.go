package fstest

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Options says what is special about a directory. The zero value demands everything that one mount can show.
type Options struct {
	Other   string          // the same directory through another mount; "" leaves out what hosts see of each other
	Without map[Promise]Gap // what the file system does not offer
	Seed    int64           // of the random tests; 0 takes one from the clock
	Steps   int             // of each random test; 0 is 600
}

// test is one promise.
type test struct {
	name  string
	needs Promise
	run   func(e *env)
}

// fails is a test that a call is refused with exactly one errno.
func fails(name string, needs Promise, want unix.Errno, call func(e *env) error) test {
	return test{name, needs, func(e *env) { e.is(call(e), want) }}
}

// subject is the tests of one thing, in a file of its own.
type subject struct {
	name  string
	tests []test
}

func subjects() []subject {
	return []subject{
		{"open", openTests()}, {"data", dataTests()}, {"truncate", truncateTests()}, {"sparse", sparseTests()},
		{"sync", syncTests()}, {"rename", renameTests()}, {"unlink", unlinkTests()}, {"directory", directoryTests()},
		{"symlink", symlinkTests()}, {"link", linkTests()}, {"mode", modeTests()}, {"access", accessTests()},
		{"xattr", xattrTests()}, {"name", nameTests()}, {"readdir", readdirTests()}, {"statfs", statfsTests()},
		{"map", mapTests()}, {"lock", lockTests()}, {"direct", directTests()}, {"special", specialTests()},
		{"times", timesTests()}, {"share", shareTests()}, {"random", randomTests()},
	}
}

// Run checks the file system of dir. It works in a new directory below dir and removes it.
func Run(t *testing.T, dir string, opt Options) {
	if os.Getenv(actorEnv) != "" {
		t.Fatal("TestMain must call fstest.Main: this is a process that was started to serve a test")
	}
	if opt.Seed == 0 {
		opt.Seed = time.Now().UnixNano()
	}
	if opt.Steps == 0 {
		opt.Steps = 600
	}
	base, err := os.MkdirTemp(dir, "fstest-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(base); err != nil {
			t.Errorf("clean up: %v", err)
		}
	}()
	r := &runner{base: base, opt: opt}
	for _, s := range subjects() {
		t.Run(s.name, func(t *testing.T) {
			for _, one := range s.tests {
				t.Run(one.name, func(t *testing.T) { r.one(t, one) })
			}
		})
	}
	t.Run("offered", r.offers)
}

// runner goes through the table for one directory.
type runner struct {
	base string
	opt  Options
	made int // directories so far, which names the next
}

func (r *runner) one(t *testing.T, one test) {
	if r.opt.Other == "" && (one.needs == CloseToOpen || one.needs == CrossLocks || one.needs == CrossHandles) {
		t.Skip("Options.Other names no other mount")
	}
	e := r.env(t)
	e.needs(one.needs)
	one.run(e)
}

// offers proves that what the file system lacks is refused as its gap says, not ignored, and that nothing else is.
func (r *runner) offers(t *testing.T) {
	for p, try := range probes() {
		gap, lacks := r.opt.Without[p]
		if lacks && gap.Errno == 0 {
			continue
		}
		t.Run(string(p), func(t *testing.T) {
			e := r.env(t)
			e.is(try(e), gap.Errno)
		})
	}
}
