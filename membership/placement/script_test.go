package placement_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/placement"
)

var rewrite = flag.Bool("rewrite", false, "write the answers in testdata anew; then read the diff")

// A script is lines of commands; what a round answers follows it, indented by two spaces.
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
			w := newWorld()
			var out strings.Builder
			for line := range strings.Lines(string(text)) {
				if strings.HasPrefix(line, "  ") {
					continue // an answer
				}
				out.WriteString(line)
				if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
					out.WriteString(w.command(t, words[0], words[1:]))
				}
			}
			if *rewrite {
				if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if out.String() != string(text) {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), text)
			}
		})
	}
}

// command carries out a line:
//
//	host ID STORAGE,...        one more host, alive
//	services ns|os N STORAGE   N more services
//	down ID, up ID SECONDS     the host dies; it is alive and back for that long
//	works ID STORAGE,...|-     what is mounted on it now
//	drain ID, undrain ID
//	bind SERVICE ID, unbind SERVICE
//	looking SECONDS            how long the observer has been
//	round, settle              a round, or rounds until nothing moves
func (w *world) command(t *testing.T, verb string, args []string) string {
	t.Helper()
	switch verb {
	case "host":
		w.addHost(hostID(t, args[0]), strings.Split(args[1], ",")...)
	case "services":
		kind := map[string]holdfast.ServiceType{"ns": holdfast.TypeNameServer, "os": holdfast.TypeObjectStore}[args[0]]
		for range number(t, args[1]) {
			w.addService(kind, 1, args[2])
		}
	case "down":
		w.down(hostID(t, args[0]))
	case "up":
		w.up(hostID(t, args[0]), time.Duration(number(t, args[1]))*time.Second)
	case "works":
		h := w.view.Hosts[hostID(t, args[0])]
		h.Storages = strings.Split(args[1], ",")
		w.view.Hosts[hostID(t, args[0])] = h
	case "drain", "undrain":
		w.host(hostID(t, args[0])).Drain = verb == "drain"
	case "bind", "unbind":
		w.bind(t, verb, args)
	case "looking":
		w.view.Up = time.Duration(number(t, args[0])) * time.Second
	case "round":
		return describe(w.round())
	case "settle":
		return fmt.Sprintf("  %d rounds\n", w.settle(t)) + describe(w.round())
	default:
		t.Fatalf("unknown command %s", verb)
	}
	return ""
}

func (w *world) bind(t *testing.T, verb string, args []string) {
	t.Helper()
	id, err := holdfast.ParseServiceID(args[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.config.Services {
		s := &w.config.Services[i]
		if s.ID.Value != id {
			continue
		}
		if s.Bind = nil; verb == "bind" {
			to := config.IDOf(hostID(t, args[1]))
			s.Bind = &to
		}
		return
	}
	t.Fatalf("no service %s", id)
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func hostID(t *testing.T, s string) holdfast.HostID {
	t.Helper()
	return holdfast.HostID(number(t, s))
}

// describe writes a line a service: where it was, where it should be, and why.
func describe(p placement.Plan) string {
	var b strings.Builder
	for _, a := range p {
		place := func(h holdfast.HostID) string {
			if h == 0 {
				return "-"
			}
			return strconv.Itoa(int(h))
		}
		fmt.Fprintf(&b, "  %s  %s -> %s  %s\n", a.Service, place(a.From), place(a.To), a.Why)
	}
	return b.String()
}
