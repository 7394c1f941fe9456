package bench

import (
	"context"
	"flag"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"holdfast/tools/bench/rawdisk"
)

// rawOptions are the flags of `bench raw`.
type rawOptions struct {
	rawdisk.Config
	sizeText, layout, sync string
	json, quiet            bool
}

// parseRaw parses and checks the flags of `bench raw`.
func parseRaw(args []string, usage io.Writer) (*rawOptions, error) {
	o := &rawOptions{}
	fs := flag.NewFlagSet("holdfast bench raw", flag.ContinueOnError)
	fs.StringVar(&o.Dir, "dir", "", "`directory` to write in; a temporary file is removed at the end")
	fs.StringVar(&o.sizeText, "size", "4KiB", "`bytes` per write")
	fs.IntVar(&o.Writers, "concurrency", 16, "`number` of writers")
	fs.StringVar(&o.layout, "layout", "overwrite", "`overwrite` blocks of a file written before, or append")
	fs.StringVar(&o.sync, "sync", "each", "fdatasync by `each` write, by a group of writes at a time, or none")
	fs.DurationVar(&o.Duration, "duration", 5*time.Second, "how long to measure; 0 with --ops: no limit")
	fs.DurationVar(&o.WarmUp, "warm-up", 0, "how long to run before measuring")
	fs.Int64Var(&o.Ops, "ops", 0, "`number` of writes; 0: no limit")
	fs.Uint64Var(&o.Seed, "seed", 1, "`number` that contents and offsets follow from")
	commonFlags(fs, &o.json, &o.quiet)
	if err := parseFlags(fs, args, usage); err != nil {
		return nil, err
	}
	var err error
	if o.Size, err = parseBytes(o.sizeText); err != nil {
		return nil, badFlag("size", "%v", err)
	}
	o.Layout, o.Sync = rawdisk.Layout(o.layout), rawdisk.Sync(o.sync)
	return o, o.check()
}

func (o *rawOptions) check() error {
	st, err := os.Stat(o.Dir)
	switch {
	case o.Dir == "":
		return badFlag("dir", "is needed: the directory to write in")
	case err != nil:
		return badFlag("dir", "%v", err)
	case !st.IsDir():
		return badFlag("dir", "%s is not a directory", o.Dir)
	case o.Size < 1 || o.Size > 1<<30:
		return badFlag("size", "%q is not from 1 byte to 1GiB", o.sizeText)
	case o.Writers < 1 || o.Writers > maxConcurrency:
		return badFlag("concurrency", "%d is not from 1 to %d", o.Writers, maxConcurrency)
	case o.Layout != rawdisk.Overwrite && o.Layout != rawdisk.Append:
		return badFlag("layout", "%q is neither overwrite nor append", o.layout)
	case o.Sync != rawdisk.SyncEach && o.Sync != rawdisk.SyncGroup && o.Sync != rawdisk.SyncNone:
		return badFlag("sync", "%q is none of each, group, none", o.sync)
	case o.Duration < 0 || o.Duration == 0 && o.Ops == 0:
		return badFlag("duration", "%v is not positive", o.Duration)
	case o.WarmUp < 0:
		return badFlag("warm-up", "%v is negative", o.WarmUp)
	case o.Ops < 0:
		return badFlag("ops", "%d is negative", o.Ops)
	}
	return nil
}

// runRaw is `bench raw`.
func runRaw(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseRaw(args, stdout)
	if err != nil {
		return err
	}
	report := &Report{Workload: "raw", Started: time.Now().UTC(), Parameters: Parameters{Directory: o.Dir, Size: o.sizeText,
		Concurrency: o.Writers, Duration: o.Duration.Seconds(), WarmUp: o.WarmUp.Seconds(), Layout: o.layout, Sync: o.sync,
		Seed: o.Seed, GoMaxProcs: runtime.GOMAXPROCS(0)}}
	o.Done = new(atomic.Int64)
	m := &meter{}
	m.read()
	o.Measuring = m.read
	stop := newScreen(stderr, o.quiet).show(phase{name: "raw", warmUp: o.WarmUp, duration: o.Duration, total: o.Ops}, time.Now(),
		func() moment { return moment{ops: o.Done.Load(), bytes: o.Done.Load() * o.Size} })
	res, err := rawdisk.Run(ctx, o.Config)
	stop()
	if err != nil {
		return badFlag("dir", "%v", err)
	}
	out := &measured{elapsed: res.Elapsed}
	if err := m.stop(out); err != nil {
		return err
	}
	out.ops[opPut] = &tally{latency: res.Latency, outcome: outcome{bytes: res.Ops * o.Size}}
	report.fill(out)
	report.Operations[0].Name = "write"
	report.Interrupted = res.Interrupted
	return report.print(stdout, o.json)
}
