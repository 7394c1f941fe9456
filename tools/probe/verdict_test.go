package probe_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/tools/probe"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files; read the diff before committing it")

const ms = time.Millisecond

// good is what a decent replicated filesystem shows.
func good() probe.Measurement {
	seen := probe.Delay{Rounds: 10, P50: 6 * ms, Max: 72 * ms}
	return probe.Measurement{
		Dir: "/mnt/stor1", Filesystem: "fuse.glusterfs",
		Create: probe.Race{Names: 20}, Rename: probe.Replace{Renames: 50},
		Sync:   probe.Sync{Samples: 900, P50: 2 * ms, P99: 9 * ms, Max: 40 * ms, Dir: 3 * ms},
		Forced: probe.Rounds{Rounds: 50}, Links: probe.Links{Names: 200, Wanted: 200}, Data: probe.Data{Punch: true, Direct: true},
		Lock: probe.Lock{Flock: probe.Excludes, OFD: probe.Excludes},
		Pair: &probe.Pair{
			Peer: "n2", RoundTrip: 300 * time.Microsecond,
			Create: probe.Race{Names: 20}, Absent: probe.Rounds{Rounds: 20}, Forced: probe.Rounds{Rounds: 20},
			Fresh: probe.Rounds{Rounds: 20}, Listing: probe.Rounds{Rounds: 20}, Replace: probe.Replace{Renames: 50},
			Link: seen, Negative: seen, Renamed: seen, Rewritten: seen, HeldRead: seen, HeldSize: seen, Listed: seen,
			Kept:  probe.Delay{Rounds: 1, P50: 65 * time.Second, Max: 65 * time.Second, Never: true},
			Flock: probe.Excludes, OFD: probe.Shares,
		},
	}
}

func TestJudge(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		change func(*probe.Measurement)
		want   probe.Verdict
		check  string // that says so
		lease  time.Duration
	}{
		"good":              {func(*probe.Measurement) {}, probe.Fit, "", 15 * s},
		"a server was lost": {func(m *probe.Measurement) { m.ServerLoss = true }, probe.Fit, "", 3 * s},
		"local":             {func(m *probe.Measurement) { m.Local, m.Pair = true, nil }, probe.Remarks, "another host", 3 * s},
		"one host":          {func(m *probe.Measurement) { m.Pair = nil }, probe.Remarks, "", 15 * s},
		"stalls": {func(m *probe.Measurement) { m.ServerLoss, m.Sync.Max, m.Sync.Stalls = true, 8400*ms, 1 },
			probe.Remarks, "fsync of files and directories", 30 * s},
		"a stall of 1.2 s": {func(m *probe.Measurement) { m.ServerLoss, m.Sync.Max, m.Sync.Stalls = true, 1200*ms, 1 },
			probe.Remarks, "fsync of files and directories", 5 * s},
		"stalls without end": {func(m *probe.Measurement) { m.Sync.Max = 20 * s }, probe.Unfit, "lease", 0},
		"slow syncs":         {func(m *probe.Measurement) { m.Sync.P99 = 50 * ms }, probe.Remarks, "fsync of files and directories", 15 * s},
		"late heartbeats":    {func(m *probe.Measurement) { m.Pair.Rewritten.Max = 9 * s }, probe.Remarks, "a heartbeat is seen", 20 * s},
		"no heartbeats":      {func(m *probe.Measurement) { m.Pair.Rewritten.Never = true }, probe.Unfit, "lease", 0},
		"late names":         {func(m *probe.Measurement) { m.Pair.Negative.Max = 30 * s }, probe.Remarks, "a name appears that was asked for before", 15 * s},
		"late listings":      {func(m *probe.Measurement) { m.Pair.Listed.Max = 30 * s }, probe.Fit, "", 15 * s},
		"no such file":       {func(m *probe.Measurement) { m.Pair.Link.Err = "EIO" }, probe.Unfit, "a name appears", 15 * s},
		"several winners":    {func(m *probe.Measurement) { m.Create.Several = 1 }, probe.Unfit, "exclusive creation", 15 * s},
		"no winner":          {func(m *probe.Measurement) { m.Pair.Create.None = 1 }, probe.Unfit, "exclusive creation, two hosts", 15 * s},
		"unsure":             {func(m *probe.Measurement) { m.Create.Unsure = 1 }, probe.Unfit, "exclusive creation", 15 * s},
		"absence believed":   {func(m *probe.Measurement) { m.Pair.Absent.Stale = 1 }, probe.Unfit, "creation of what is remembered as absent", 15 * s},
		"stale forced":       {func(m *probe.Measurement) { m.Forced.Stale = 1 }, probe.Unfit, "forced attribute read", 15 * s},
		"torn":               {func(m *probe.Measurement) { m.Rename.Torn = 1 }, probe.Unfit, "rename over a file", 15 * s},
		"gone for a moment":  {func(m *probe.Measurement) { m.Pair.Replace.Missing = 1 }, probe.Remarks, "rename, read by the other host", 15 * s},
		"45 links":           {func(m *probe.Measurement) { m.Links.Names = 45 }, probe.Remarks, "hard links", 15 * s},
		"links counted badly": {func(m *probe.Measurement) { m.Links.Wrong = true },
			probe.Unfit, "hard links", 15 * s},
		"no holes":         {func(m *probe.Measurement) { m.Data.Punch = false }, probe.Remarks, "holes and unbuffered writes", 15 * s},
		"locks of no use":  {func(m *probe.Measurement) { m.Lock = probe.Lock{Flock: probe.Shares, OFD: probe.NoLock} }, probe.Fit, "", 15 * s},
		"other filesystem": {func(m *probe.Measurement) { m.Pair = &probe.Pair{Err: "other"} }, probe.Unfit, "another host", 15 * s},
		"hangs":            {func(m *probe.Measurement) { m.Hung = "rename" }, probe.Unfit, "answers", 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := good()
			c.change(&m)
			r := probe.Judge(m)
			if r.Verdict != c.want || r.Lease != c.lease {
				t.Errorf("got %s, lease %s; want %s, %s", r.Verdict, r.Lease, c.want, c.lease)
			}
			said := false
			for _, check := range r.Checks {
				said = said || check.Name == c.check && check.Verdict == c.want && check.Consequence != ""
			}
			if c.check != "" && !said {
				t.Errorf("%s does not say so: %+v", c.check, r.Checks)
			}
		})
	}
}

// bad is a mount on which nothing is right.
func bad() probe.Measurement {
	m := good()
	m.Links = probe.Links{Names: 45, Wanted: 200, Err: "link a b:\n no space left on device"}
	m.Data = probe.Data{}
	m.Pair.Forced.Stale = 7
	m.Pair.Negative = probe.Delay{Rounds: 1, P50: 30 * time.Second, Max: 30 * time.Second}
	return m
}

func TestGoldenReports(t *testing.T) {
	hung := probe.Measurement{Dir: "/mnt/stor1", Filesystem: "nfs4", Hung: "exclusive creation"}
	for name, m := range map[string]probe.Measurement{"good": good(), "bad": bad(), "hung": hung} {
		r := probe.Judge(m)
		for suffix, write := range map[string]func(io.Writer) error{".txt": r.WriteText, ".json": r.WriteJSON} {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+suffix)
			if *rewrite {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s: got\n%s\nwant\n%s%v", path, got.Bytes(), want, err)
			}
		}
	}
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) (string, error) {
		var out strings.Builder
		err := probe.Run(t.Context(), args, probe.Process{Program: "probe", Stdout: &out, Stderr: io.Discard})
		return out.String(), err
	}
	for want, args := range map[string][]string{
		"--duration":      {dir, "--duration", "2h"},
		"--wait":          {dir, "--wait", "0"},
		"--peer: ":        {dir, "--peer", ":7000"},
		"--join: ":        {dir, "--join", "x"},
		"only one":        {dir, dir, "--peer", "127.0.0.1:1"},
		dir + "/none":     {dir + "/none"},
		"not a directory": {"/dev/null"},
	} {
		if _, err := run(args...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want %s", args, err, want)
		}
	}
	for _, args := range [][]string{nil, {dir, dir, dir}, {dir, "--what"}} {
		if _, err := run(args...); !errors.Is(err, probe.ErrUsage) {
			t.Errorf("%q: got %v", args, err)
		}
	}
	if out, err := run(dir, "--json", "--duration", "20ms"); err != nil || !strings.Contains(out, `"verdict": "fit`) {
		t.Errorf("got %v\n%s", err, out)
	}
}
