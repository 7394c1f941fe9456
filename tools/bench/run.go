package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Run is the command: args are those after `bench`, the first of them the
// workload. The report goes to stdout, progress to stderr. When ctx ends, so
// does the run, soon, with the report of what was measured until then and
// without an error. It returns an error of kind holdfast.Invalid that names
// the flag for bad input, and another error if no operation succeeded or any
// returned wrong content.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return run(ctx, args, os.Getenv, stdout, stderr)
}

func run(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] == "help" || strings.TrimLeft(args[0], "-") == "h" || args[0] == "--help" {
		fmt.Fprintf(stdout, "usage: holdfast bench WORKLOAD [flags]\n\nWORKLOAD is %s; `holdfast bench put --help` lists the flags.\n", workloads)
		return nil
	}
	var err error
	switch name := args[0]; {
	case name == "raw":
		err = runRaw(ctx, args[1:], stdout, stderr)
	case strings.HasPrefix(name, "-"):
		err = badFlag(strings.TrimLeft(name, "-"), "the workload comes first: %s", workloads)
	case !slices.Contains([]string{"put", "get", "stat", "list", "delete", "mixed", "multipart"}, name):
		err = fmt.Errorf("%q is not a workload: %w", name, badFlag("help", "%s", workloads))
	default:
		err = runS3(ctx, name, args[1:], env, stdout, stderr)
	}
	if errors.Is(err, errHelp) {
		return nil
	}
	return err
}

func runS3(ctx context.Context, workload string, args []string, env func(string) string, stdout, stderr io.Writer) error {
	o, err := parseOptions(workload, args, env, stdout)
	if err != nil {
		return err
	}
	f := newFleet(o, newScreen(stderr, o.quiet))
	defer f.close()
	report := newReport(o)
	created, err := f.ensureBucket(ctx)
	if err != nil {
		return explain(o, err)
	}
	if err := f.prepare(ctx, report); err != nil {
		return err
	}
	if ctx.Err() == nil {
		res, err := f.run(ctx, f.mainPhase())
		if err != nil {
			return err
		}
		report.fill(res)
	}
	report.Interrupted = ctx.Err() != nil
	if err := report.print(stdout, o.json); err != nil {
		return err
	}
	return errors.Join(report.verdict(), f.tidy(ctx, created))
}

func (f *fleet) mainPhase() phase {
	ph := phase{name: f.o.workload, plan: f.plan(), warmUp: f.o.warmUp, duration: f.o.duration}
	switch {
	case f.o.workload == "list": // nobody knows how many pages there are
	case f.o.workload == "delete":
		ph.total = (f.o.objects + int64(f.o.batch) - 1) / int64(f.o.batch)
	default:
		ph.total = f.o.objects
	}
	return ph
}

// prepare writes the objects that the workload needs.
func (f *fleet) prepare(ctx context.Context, report *Report) error {
	if f.o.noPrepare || f.o.workload == "put" || f.o.workload == "multipart" {
		return nil
	}
	res, err := f.run(ctx, phase{name: "prepare", plan: f.sequential(opPut, 1), total: f.o.objects})
	if err != nil {
		return err
	}
	if len(res.samples) > 0 {
		return fmt.Errorf("prepare: %d of %d objects could not be written: %s", res.ops[opPut].errors, f.o.objects, res.samples[0])
	}
	if t := res.ops[opPut]; t != nil {
		op := newOperation(opPut, t, res.elapsed)
		report.Prepare = &op
	}
	return nil
}

// tidyTime bounds the clean-up after an interrupt, which would otherwise be
// the one thing that an impatient user waits for.
const tidyTime = 30 * time.Second

// tidy cleans up if asked to, also after an interrupt.
func (f *fleet) tidy(ctx context.Context, created bool) error {
	if !f.o.cleanup {
		return nil
	}
	if ctx.Err() != nil {
		f.close() // the connections were interrupted with ctx
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
		defer cancel()
	}
	return f.clean(ctx, created)
}
