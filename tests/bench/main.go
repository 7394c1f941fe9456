package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"holdfast/tools/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// config is the flags.
type config struct {
	quick  bool
	scale  int
	binary string
	dir    string
	json   string
	rounds int
	pace   pace
}

func parseConfig(args []string, stderr io.Writer) (*config, error) {
	c := &config{}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.BoolVar(&c.quick, "quick", false, "at most a minute, coarser figures")
	fs.IntVar(&c.scale, "scale", 0, "compare the cost of operations at 100 thousand names and at this `number`, instead of the scenarios")
	fs.StringVar(&c.binary, "holdfast", "", "`binary` to measure; built from ./cmd/holdfast if empty")
	fs.StringVar(&c.dir, "dir", "", "`directory` on the filesystem to measure; a temporary one if empty")
	fs.StringVar(&c.json, "json", filepath.Join(os.TempDir(), "holdfast-bench.json"), "`file` for all figures")
	fs.IntVar(&c.rounds, "rounds", 0, "`number` of rounds, 0: what the mode prescribes")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if c.scale != 0 && c.scale <= scaleBase {
		return nil, fmt.Errorf("-scale: %d is not above %d", c.scale, scaleBase)
	}
	c.pace = fullPace
	if c.quick {
		c.pace = quickPace
	}
	if c.rounds < 0 {
		return nil, fmt.Errorf("-rounds: %d is negative", c.rounds)
	}
	c.pace.rounds = cmp.Or(c.rounds, c.pace.rounds)
	return c, nil
}

// figures is everything measured, as it goes into the JSON file.
type figures struct {
	Started time.Time
	Machine machine
	Quick   bool
	Results []*result `json:",omitempty"`
	Fill    *fill     `json:",omitempty"`
	Scale   []cost    `json:",omitempty"`
	Notes   []string  `json:",omitempty"` // what could not be measured and why
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	c, err := parseConfig(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	work, err := os.MkdirTemp(c.dir, "holdfast-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if c.binary == "" {
		c.binary = filepath.Join(work, "bin", "holdfast")
		build := exec.CommandContext(ctx, "go", "build", "-o", c.binary, "./cmd/holdfast")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build ./cmd/holdfast: %w\n%s", err, out)
		}
	}
	s := &session{config: c, work: work, list: scenarios(), stderr: stderr,
		figures: figures{Started: time.Now().UTC(), Machine: describe(work, commit(ctx)), Quick: c.quick}}
	if c.scale > 0 {
		err = s.scaleUp(ctx)
	} else {
		err = s.compare(ctx)
	}
	if err != nil {
		return err
	}
	if err := s.figures.save(c.json); err != nil {
		return err
	}
	if err := s.figures.table(stdout); err != nil {
		return err
	}
	s.say("all figures are in %s", c.json)
	if len(s.figures.Notes) > 0 {
		return fmt.Errorf("%d measurements are missing: %s", len(s.figures.Notes), s.figures.Notes[0])
	}
	return nil
}

// commit is the version of the tree measured.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func (f *figures) save(path string) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// session is one run of the program.
type session struct {
	*config
	work    string
	list    []scenario
	stderr  io.Writer
	figures figures
}

func (s *session) say(format string, args ...any) {
	fmt.Fprintf(s.stderr, format+"\n", args...)
}

// note keeps a failed measurement; the others go on.
func (s *session) note(format string, args ...any) {
	n := fmt.Sprintf(format, args...)
	s.say("%s", n)
	s.figures.Notes = append(s.figures.Notes, n)
}

// scaleUp measures the cost per operation at two numbers of names.
func (s *session) scaleUp(ctx context.Context) error {
	srv, err := startServer(ctx, s.binary, s.work)
	if err != nil {
		return err
	}
	costs, err := measureScale(ctx, srv, []int{scaleBase, s.scale}, s.pace, s.say)
	s.figures.Scale = costs
	return errors.Join(err, srv.stop())
}

// compare runs the scenarios in alternation.
func (s *session) compare(ctx context.Context) (err error) {
	srv, err := startServer(ctx, s.binary, s.work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	s.say("%d objects of 4 KiB on the fresh server", s.pace.fill)
	if s.figures.Fill, err = measureFill(ctx, srv, s.pace.fill, s.pace); err != nil {
		if ctx.Err() != nil {
			return err
		}
		s.note("fill: %v", err)
	}
	servers := map[subject]*server{ours: srv}
	if n, err := startNull(ctx, s.binary, s.work); err != nil {
		s.note("%v", err)
	} else {
		servers[null] = n
		defer func() { err = errors.Join(err, n.stop()) }()
	}
	for _, sc := range s.list {
		s.figures.Results = append(s.figures.Results, &result{Name: sc.name, InBytes: sc.inBytes, Samples: map[string][]sample{}, target: sc.target})
		for who, srv := range servers {
			if err := sc.prepare(ctx, srv); err != nil {
				s.note("%s, %s: %v", sc.name, who, err)
			}
		}
	}
	for round := range s.pace.rounds {
		for i := range s.list {
			if err := s.round(ctx, &s.list[i], s.figures.Results[i], servers, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// round measures one scenario once against every subject, in turns from
// either end so that none always follows the same.
func (s *session) round(ctx context.Context, sc *scenario, res *result, servers map[subject]*server, round int) error {
	order := []subject{ours, null, raw}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	for _, who := range order {
		var r *bench.Report
		var err error
		switch {
		case who == raw && sc.raw:
			r, err = sc.measureRaw(ctx, s.work, s.pace)
		case who != raw && servers[who] != nil:
			r, err = sc.measure(ctx, servers[who], s.pace, round)
		default:
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.note("%s, %s: %v", sc.name, who, err)
			continue
		}
		got := sc.sample(r)
		if len(got.Errors) > 0 {
			s.note("%s, %s: failed requests: %v", sc.name, who, got.Errors)
		}
		s.say("round %d: %-10s %-8s %9.1f ops/s %8.1f MiB/s, server %.0f µs per request", round+1, sc.name, who, got.OpsPerSecond, got.MiBPerSecond, got.ServerCPUMicros)
		res.Samples[who.String()] = append(res.Samples[who.String()], got)
	}
	return nil
}
