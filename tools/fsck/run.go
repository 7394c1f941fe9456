package fsck

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"holdfast/volume"
)

// Open opens the volume in a directory for a check, and returns how to close it.
type Open func(ctx context.Context, data string) (volume.Services, func(context.Context) error, error)

// ErrProblems is returned by [Run] when the check found something.
var ErrProblems = errors.New("the volume has problems")

// progressEvery is how often a progress line is written.
const progressEvery = 2 * time.Second

// Run is the command: it parses args, checks, writes findings and the report to stdout and progress to stderr. The
// error is ErrProblems if anything was found.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer, open Open) (err error) {
	var opts Options
	flags := flag.NewFlagSet("fsck", flag.ContinueOnError)
	flags.SetOutput(stderr)
	data := flags.String("data", "holdfast-data", "directory of the store")
	flags.BoolVar(&opts.Deep, "deep", false, "read every object and verify its bytes")
	flags.BoolVar(&opts.Repair, "repair", false, "free bytes that nothing links to")
	asJSON := flags.Bool("json", false, "write one JSON object per finding, and the report as the last")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	out := output{w: stdout, json: *asJSON}
	opts.Problem = out.problem
	opts.Progress = progress(stderr)
	services, shut, err := open(ctx, *data)
	if err != nil {
		return fmt.Errorf("--data %s: %w", *data, err)
	}
	defer func() { err = errors.Join(err, shut(context.WithoutCancel(ctx))) }()
	report, err := Check(ctx, services, opts)
	if err != nil {
		return err
	}
	out.report(report)
	if report.Problems > 0 {
		return ErrProblems
	}
	return out.err
}

// progress returns a listener that writes a line now and then.
func progress(w io.Writer) func(Report) {
	next := time.Now().Add(progressEvery)
	return func(r Report) {
		if now := time.Now(); now.After(next) {
			next = now.Add(progressEvery)
			fmt.Fprintf(w, "fsck: %d directories, %d versions, %d links; %d objects compared; %d problems\n",
				r.Directories, r.Versions, r.Links, r.Objects, r.Problems)
		}
	}
}

// output writes findings as text or JSON and remembers the first error.
type output struct {
	w    io.Writer
	json bool
	err  error
}

func (o *output) problem(p Problem) {
	if o.json {
		o.encode(p)
		return
	}
	subject := p.Name
	if p.Object != "" {
		subject = p.OS + " " + p.Object
	}
	o.printf("%s: %s: %s\n", p.Kind, subject, p.Detail)
}

func (o *output) report(r Report) {
	if o.json {
		o.encode(r)
		return
	}
	o.printf("%d buckets, %d directories, %d versions, %d uploads, %d links\n", r.Buckets, r.Directories, r.Versions, r.Uploads, r.Links)
	o.printf("%d objects, %d bytes, %d waiting to be freed or committed, %d freed now\n", r.Objects, r.Bytes, r.Waiting, r.Freed)
	if r.Problems == 0 {
		o.printf("clean\n")
		return
	}
	o.printf("%d problems\n", r.Problems)
}

func (o *output) encode(v any) {
	if err := json.NewEncoder(o.w).Encode(v); o.err == nil {
		o.err = err
	}
}

func (o *output) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(o.w, format, args...); o.err == nil {
		o.err = err
	}
}
