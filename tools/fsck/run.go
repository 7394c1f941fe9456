package fsck

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Store is a volume that was opened for a check.
type Store struct {
	Services volume.Services
	// Live says that a running server answers; else its services were opened for the check.
	Live bool
	// Books checks the engines' own books and calls report for each contradiction; nil if they cannot be reached.
	Books func(ctx context.Context, report func(id holdfast.ServiceID, what string)) error
	Close func(ctx context.Context) error
}

// Target says which volume is to be checked: that of the store in a directory, or one of a cluster that runs.
type Target struct {
	Data      string // directory of a store
	ConfigDir string // of a host of a cluster; "" for a store
	Volume    string // of the cluster: its id or name; "" for the only one
}

// String names the target as the flags do.
func (t Target) String() string {
	if t.ConfigDir != "" {
		return "-r " + t.ConfigDir
	}
	return "--data " + t.Data
}

// Open opens a volume for a check.
type Open func(ctx context.Context, t Target) (*Store, error)

// The errors of [Run] besides those of the check itself. They say what was written out already.
var (
	ErrUsage    = errors.New("bad usage")
	ErrProblems = errors.New("the volume has problems")
	ErrStopped  = errors.New("stopped; the report covers what was looked at until then")
	ErrPartial  = errors.New("not everything could be looked at twice; free what can be freed and check again")
)

// settings are what the flags say.
type settings struct {
	Options
	target Target
	json   bool
	books  bool
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("fsck", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.target.Data, "data", "holdfast-data", "`directory` of the store; a running server is asked, else its services are opened")
	flags.StringVar(&s.target.ConfigDir, "r", "", "configuration `directory` of a host, to check a volume of its cluster, which runs")
	flags.StringVar(&s.target.Volume, "V", "", "id or name of the `volume` of the cluster, if it has several")
	flags.BoolVar(&s.Deep, "deep", false, "read every object that a name links to and verify its bytes")
	flags.BoolVar(&s.Repair, "repair", false, "free bytes that nothing links to and that a name server has given up")
	flags.BoolVar(&s.json, "json", false, "write one JSON object per finding, and the report as the last")
	flags.BoolVar(&s.books, "books", true, "have the engines check their own books, if no server runs; takes memory for every name")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return s, err
		}
		return s, ErrUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "unexpected argument %q\n", flags.Arg(0))
		return s, ErrUsage
	}
	return s, nil
}

// Run is the command: it parses args, checks, writes findings and the report to stdout and progress to stderr. When ctx
// ends it soon returns ErrStopped, with the report written.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer, open Open) (err error) {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	store, err := open(ctx, s.target)
	if err != nil {
		return fmt.Errorf("%s: %w", s.target, err)
	}
	defer func() { err = errors.Join(err, store.Close(context.WithoutCancel(ctx))) }()
	out := &output{w: stdout, json: s.json}
	s.Problem, s.Progress = out.problem, progress(stderr)
	wrong, checked, err := books(ctx, store, &s, stderr)
	if err != nil {
		return stopped(ctx, err)
	}
	report, err := Check(ctx, store.Services, s.Options)
	report.Problems += wrong
	out.report(summary{report, store.Live, checked})
	switch {
	case err != nil:
		return stopped(ctx, err)
	case report.Problems > 0:
		return ErrProblems
	case !report.Complete:
		return ErrPartial
	}
	return out.err
}

// stopped tells an error of the check from its being stopped.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrStopped
	}
	return err
}

// books has the engines' own books checked, if they are at hand, and returns how many contradictions there are.
func books(ctx context.Context, store *Store, s *settings, stderr io.Writer) (wrong int64, checked bool, err error) {
	if store.Live {
		fmt.Fprintln(stderr, "fsck: a server runs on this store and is asked; the engines' own books are checked when it is stopped")
	}
	if store.Books == nil || !s.books {
		return 0, false, nil
	}
	err = store.Books(ctx, func(id holdfast.ServiceID, what string) {
		wrong++
		s.Problem(Problem{Kind: WrongBooks, OS: id.String(), Detail: what})
	})
	if err != nil {
		return wrong, false, fmt.Errorf("books: %w", err)
	}
	return wrong, true, nil
}

// progressEvery is how often a progress line is written.
const progressEvery = 2 * time.Second

// progress returns a listener that writes a line now and then.
func progress(w io.Writer) func(Progress) {
	next := time.Now().Add(progressEvery)
	return func(p Progress) {
		if now := time.Now(); now.After(next) {
			next = now.Add(progressEvery)
			fmt.Fprintf(w, "fsck: %s: %d of about %d versions, %d links; %d of about %d objects; %d problems\n",
				p.Phase, p.Versions, p.Names, p.Links, p.Objects, p.Expected, p.Problems)
		}
	}
}
