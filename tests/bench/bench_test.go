package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/tools/bench/benchtest"
)

// stubEnv makes the test binary stand in for holdfast: the runner starts it as
// it would start the real one. Its value says how the stub behaves.
const stubEnv = "HOLDFAST_BENCH_STUB"

func TestMain(m *testing.M) {
	if mode := os.Getenv(stubEnv); mode != "" {
		os.Exit(stub(mode, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// stub serves S3 from memory until SIGTERM.
func stub(mode string, args []string) int {
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	s3 := fs.String("s3-address", "", "")
	metrics := fs.String("metrics-address", "", "")
	data := fs.String("data", "", "")
	if err := fs.Parse(args[1:]); err != nil {
		return 2
	}
	if mode == "dies" {
		fmt.Fprintln(os.Stderr, "no space for a stub")
		return 1
	}
	text := "HOLDFAST_ROOT_ACCESS_KEY=stub\nHOLDFAST_ROOT_SECRET_KEY=secret\n"
	if err := os.WriteFile(filepath.Join(*data, "root-credentials.env"), []byte(text), 0o600); err != nil {
		return 1
	}
	l, err := net.Listen("tcp", *s3)
	if err != nil {
		return 1
	}
	if *metrics != "" {
		go func() {
			_ = http.ListenAndServe(*metrics, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		}()
	}
	handler := &benchtest.Server{AccessKey: "stub", SecretKey: "secret", Region: "us-east-1", Trusting: true}
	if mode == "no-get" {
		handler.Hook = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != "GET" || strings.Count(r.URL.Path, "/") < 2 {
				return false
			}
			w.WriteHeader(http.StatusNotImplemented)
			return true
		}
	}
	go func() { _ = http.Serve(l, handler) }()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
	return 0
}

// tinyPace is a pace at which the stub is measured in a second.
var tinyPace = pace{duration: 30 * time.Millisecond, warmUp: 5 * time.Millisecond, rounds: 2, fill: 1500}

func newSession(t *testing.T, mode string) *session {
	t.Helper()
	t.Setenv(stubEnv, mode)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &session{config: &config{binary: self, pace: tinyPace}, work: t.TempDir(), list: smallScenarios(), stderr: io.Discard}
}

// smallScenarios are the real ones with bodies that a test can afford.
func smallScenarios() []scenario {
	list := scenarios()
	for i := range list {
		if list[i].size == "16MiB" {
			list[i].size = "128KiB"
		}
		if list[i].prepared {
			list[i].objects = 100
		}
	}
	return list
}

func TestComparesAll(t *testing.T) {
	s := newSession(t, "ok")
	if err := s.compare(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(s.figures.Notes) != 0 {
		t.Errorf("notes: %v", s.figures.Notes)
	}
	for i, r := range s.figures.Results {
		sc := s.list[i]
		if len(r.Samples["holdfast"]) != 2 || len(r.Samples["null"]) != 2 || (len(r.Samples["raw"]) == 2) != sc.raw {
			t.Errorf("%s: %d, %d and %d samples", r.Name, len(r.Samples["holdfast"]), len(r.Samples["null"]), len(r.Samples["raw"]))
		}
		if r.throughput(ours) <= 0 || r.throughput(null) <= 0 {
			t.Errorf("%s: throughput %v of ours, %v of null", r.Name, r.throughput(ours), r.throughput(null))
		}
	}
	f := s.figures.Fill
	if f == nil || f.ListKeysPerSecond <= 0 || f.DeleteKeysPerSecond <= 0 || f.Disk.Files != 1 || f.IdleRSSBytes <= 0 {
		t.Fatalf("fill: %+v", f)
	}
	path := filepath.Join(t.TempDir(), "out.json")
	if err := s.figures.save(path); err != nil {
		t.Fatal(err)
	}
	var again figures
	if b, err := os.ReadFile(path); err != nil || json.Unmarshal(b, &again) != nil || len(again.Results) != len(s.figures.Results) {
		t.Errorf("saved figures do not come back: %v", err)
	}
	var out bytes.Buffer
	if err := s.figures.table(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| PUT 4 KiB |", "| GET 16 MiB |", "≥ 75 % of the smaller", "list, keys/s", "| target | met |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestScale(t *testing.T) {
	s := newSession(t, "ok")
	srv, err := startServer(context.Background(), s.binary, s.work)
	if err != nil {
		t.Fatal(err)
	}
	slow := s.pace
	slow.duration = time.Second // something must be done in it, however busy the machine is
	costs, err := measureScale(context.Background(), srv, []int{300, 900}, slow, s.say)
	if err := errors.Join(err, srv.stop()); err != nil {
		t.Fatal(err)
	}
	if len(costs) != 2 || costs[0].Names != 300 || costs[1].Names != 900 {
		t.Fatalf("costs %+v", costs)
	}
	for _, op := range []string{"put", "get", "stat", "delete", "list"} {
		if costs[1].PerSecond[op] <= 0 {
			t.Errorf("%s: %v per second", op, costs[1].PerSecond[op])
		}
	}
	var out bytes.Buffer
	if err := (&figures{Scale: costs}).table(&out); err != nil || !strings.Contains(out.String(), "| 900 |") {
		t.Errorf("table: %v\n%s", err, out.String())
	}
}

// TestAMissingFigureIsNoted wants the rest measured, and the gap admitted.
func TestAMissingFigureIsNoted(t *testing.T) {
	s := newSession(t, "no-get")
	srv, err := startServer(context.Background(), s.binary, s.work)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.stop(); err != nil {
			t.Error(err)
		}
	}()
	sc := scenarios()[1]
	res := &result{Name: sc.name, Samples: map[string][]sample{}}
	if err := s.round(context.Background(), &sc, res, map[subject]*server{ours: srv}, 0); err != nil {
		t.Fatal(err)
	}
	if len(s.figures.Notes) != 1 || !strings.Contains(s.figures.Notes[0], "GET 4 KiB, holdfast") {
		t.Errorf("notes: %v", s.figures.Notes)
	}
	if text, met := sc.target.judge(res); met != "unknown, unknown" {
		t.Errorf("%s: met %q, want unknown", text, met)
	}
}

func TestServerThatDiesIsQuoted(t *testing.T) {
	s := newSession(t, "dies")
	_, err := startServer(context.Background(), s.binary, s.work)
	if err == nil || !strings.Contains(err.Error(), "no space for a stub") {
		t.Errorf("error %v, want the server's own words", err)
	}
}

func TestStopEndsTheProcess(t *testing.T) {
	s := newSession(t, "ok")
	srv, err := startNull(context.Background(), s.binary, s.work)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(srv.pid(), 0); err != syscall.ESRCH {
		t.Errorf("signal 0 to the stopped server: %v, want %v", err, syscall.ESRCH)
	}
	if err := srv.stop(); err != nil {
		t.Errorf("second stop: %v", err)
	}
}

func TestJudge(t *testing.T) {
	r := &result{Samples: map[string][]sample{
		"holdfast": {{OpsPerSecond: 40, ServerCPUMicros: 90}, {OpsPerSecond: 60, ServerCPUMicros: 110}, {OpsPerSecond: 50, ServerCPUMicros: 100}},
		"null":     {{OpsPerSecond: 100}},
		"raw":      {{OpsPerSecond: 60}},
	}}
	cases := []struct {
		target target
		met    string
	}{
		{target{ofNull: 0.5}, "yes"},
		{target{ofNull: 0.51}, "NO"},
		{target{ofSmaller: 0.75}, "yes"},
		{target{ofNull: 0.5, cpuMicros: 99}, "yes, NO"},
	}
	for _, c := range cases {
		if text, met := c.target.judge(r); met != c.met {
			t.Errorf("%s: met %q, want %q", text, met, c.met)
		}
	}
	delete(r.Samples, "raw")
	if _, met := (target{ofSmaller: 0.75}).judge(r); met != "unknown" {
		t.Errorf("without raw: %q, want unknown", met)
	}
}

func TestOccupiedCountsBlocks(t *testing.T) {
	dir := t.TempDir()
	sparse, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	if err := sparse.Truncate(1 << 30); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a/b/full"), make([]byte, 100000), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := occupied(dir)
	if err != nil || got.Files != 2 || got.AllocatedBytes > 1<<20 {
		t.Errorf("occupied = %+v, %v, want 2 files and no hole counted", got, err)
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-scale", "5"}, {"-rounds", "-1"}, {"stray"}, {"-nonsense"}} {
		if _, err := parseConfig(args, io.Discard); err == nil {
			t.Errorf("%v: accepted", args)
		}
	}
}

// TestMachine wants a description on whatever machine this is.
func TestMachine(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Log("without git the commit is unknown")
	}
	m := describe(t.TempDir(), commit(context.Background()))
	if m.Cores < 1 || m.MemoryMiB == 0 || m.Kernel == "unknown" || m.Filesystem == "unknown" {
		t.Errorf("description: %s", m)
	}
}
