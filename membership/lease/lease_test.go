package lease_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/membership/lease"
)

var rewrite = flag.Bool("rewrite", false, "write the answers in testdata anew; then read the diff")

// A script is lines of commands and, after "->", their answers. Times are seconds.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range scripts {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var r runner
			var out strings.Builder
			for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
				command, want, _ := strings.Cut(line, "->")
				command, want = strings.TrimSpace(command), strings.TrimSpace(want)
				if command == "" || command[0] == '#' {
					fmt.Fprintln(&out, line)
					continue
				}
				got := r.run(strings.Fields(command))
				fmt.Fprintf(&out, "%-34s -> %s\n", command, got)
				if got != want && !*rewrite {
					t.Errorf("line %d: %s: got %s, want %s", i+1, command, got, want)
				}
			}
			if *rewrite {
				if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

type runner struct {
	t time.Duration
	h *lease.Holder
	o *lease.Observer
}

func seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return time.Duration(f * float64(time.Second))
}

// clocks reads "mono" or "mono/boot".
func clocks(s string) lease.Clocks {
	mono, boot, both := strings.Cut(s, "/")
	if !both {
		boot = mono
	}
	return lease.Clocks{Mono: seconds(mono), Boot: seconds(boot)}
}

func (r *runner) run(words []string) string {
	arg := words[1:]
	switch words[0] {
	case "T":
		r.t = seconds(arg[0])
		r.h, r.o = lease.NewHolder(r.t), &lease.Observer{}
		return fmt.Sprint("renew every ", lease.RenewEvery(r.t))
	case "renewed": // began, now
		return r.holder(r.h.Renewed(clocks(arg[0]), clocks(arg[1])))
	case "tick":
		return r.holder(r.h.Tick(clocks(arg[0])))
	case "saw", "saw-released": // now, incarnation, counter
		n, _ := strconv.Atoi(arg[1])
		c, _ := strconv.Atoi(arg[2])
		b := lease.Beat{Number: uint64(n), Counter: uint64(c), T: r.t, Released: words[0] == "saw-released"}
		return fmt.Sprint(r.o.Saw(seconds(arg[0]), b), ", idle ", r.o.Idle())
	}
	panic("no such command: " + words[0])
}

func (r *runner) holder(e lease.Event) string {
	if !r.h.Held() {
		return fmt.Sprint(e, ", not held")
	}
	return fmt.Sprint(e, ", held until ", r.h.Until())
}

// However renewals, readings and outages fall, the holder has stopped before the observer calls it dead.
func TestHolderStopsBeforeObserverBegins(t *testing.T) {
	deaths := 0
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 1))
		const T = 15 * time.Second
		h, o := lease.NewHolder(T), &lease.Observer{}
		var now, began lease.Instant
		writing, counter := false, uint64(0)
		for range 2000 {
			now += time.Duration(rng.Int64N(int64(2 * time.Second)))
			at := lease.Clocks{Mono: now, Boot: now}
			switch rng.IntN(6) {
			case 0, 1: // a rewrite begins, lands at once for readers, and returns later or never
				if !writing && rng.IntN(4) > 0 {
					writing, began = true, now
					counter++
				}
			case 2:
				if writing {
					writing = false
					if rng.IntN(3) > 0 {
						h.Renewed(lease.Clocks{Mono: began, Boot: began}, at)
					}
				}
			case 3:
				now += time.Duration(rng.Int64N(int64(10 * time.Second))) // an outage, or nobody runs
			default:
				v := o.Saw(now, lease.Beat{Number: 1, Counter: counter, T: T})
				h.Tick(lease.Clocks{Mono: now, Boot: now})
				if v == lease.Dead {
					deaths++
					if h.Held() {
						t.Fatalf("seed %d: dead at %v, but held until %v", seed, now, h.Until())
					}
				}
			}
		}
	}
	if deaths == 0 {
		t.Error("nobody ever died: the test tests nothing")
	}
}
