package fsck

import (
	"context"
	"fmt"
	"slices"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Options of a check.
type Options struct {
	Deep   bool // read every object that a name links to and verify its bytes
	Repair bool // free what nothing links to and what a name server has given up
	Now    func() time.Time

	// Patience bounds how long one call is made again while a server is away or busy; zero means DefaultPatience.
	Patience time.Duration
	// MaxSuspects bounds the objects that are looked at a second time; zero means the constant.
	MaxSuspects int

	// Problem is called for each finding, Progress often. Both are called by the goroutine of Check.
	Problem  func(Problem)
	Progress func(Progress)
}

// DefaultPatience is how long a server may be away, which a restart in place is shorter than.
const DefaultPatience = 20 * time.Second

// MaxSuspects is how many objects are looked at a second time unless the options say otherwise; about 100 MiB of memory.
const MaxSuspects = 1 << 18

// Problem is one finding.
type Problem struct {
	Kind   string `json:"kind"` // one of the constants below
	Name   string `json:"name,omitempty"`
	OS     string `json:"os,omitempty"`
	Object string `json:"object,omitempty"`
	Detail string `json:"detail"`
}

// The kinds of findings.
const (
	MissingBytes = "missing-bytes" // a name links to an object that is not there
	WrongBytes   = "wrong-bytes"   // the object has another size, checksum or home than the link says
	RottenBytes  = "rotten-bytes"  // the object's bytes do not verify
	SharedBytes  = "shared-bytes"  // two names link to one object
	LostBytes    = "lost-bytes"    // an object is committed and no name links to it
	BrokenName   = "broken-name"   // a directory, version or upload cannot be read, or does not add up
	WrongBooks   = "wrong-books"   // an engine's records contradict each other
)

// Report sums up a check.
type Report struct {
	Complete    bool  `json:"complete"` // false: the check was stopped, or could not go on
	Buckets     int64 `json:"buckets"`
	Directories int64 `json:"directories"`
	Versions    int64 `json:"versions"`
	Uploads     int64 `json:"uploads"`
	Links       int64 `json:"links"`
	Objects     int64 `json:"objects"`
	Bytes       int64 `json:"bytes"`
	Waiting     int64 `json:"waiting"`   // objects given up and not freed yet, or too young to tell
	Freed       int64 `json:"freed"`     // by the repair
	Unchecked   int64 `json:"unchecked"` // suspects that were not looked at a second time: too many, or no time for it
	Problems    int64 `json:"problems"`
}

// Progress is where a check is.
type Progress struct {
	Report
	Phase    string // "names", "objects" or "second look"
	Names    int64  // about how many versions there are
	Expected int64  // about how many objects there are
}

// page is how much is asked for at a time.
const page = 1000

// objectKey names an object in the volume.
type objectKey struct {
	os holdfast.ServiceID
	id holdfast.ObjectID
}

// checker is one run.
type checker struct {
	services volume.Services
	opts     Options
	begun    time.Time
	known    []holdfast.ServiceID // object servers, ascending
	report   Report
	progress Progress // all but the report

	links    map[holdfast.ServiceID][]holdfast.ObjectID // what names link to; 16 bytes a link
	pending  map[holdfast.ServiceID][]held              // links not compared with their objects yet
	suspects map[objectKey]*suspect
}

// Check checks the volume behind services. The report is valid also with an error, as far as the check came.
func Check(ctx context.Context, services volume.Services, opts Options) (Report, error) {
	c := newChecker(services, opts)
	err := c.run(ctx)
	if err != nil {
		c.report.Unchecked += int64(len(c.suspects)) // those that the second look did not come to
	}
	c.report.Complete = err == nil && c.report.Unchecked == 0
	return c.report, err
}

func newChecker(services volume.Services, opts Options) *checker {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Patience == 0 {
		opts.Patience = DefaultPatience
	}
	if opts.MaxSuspects == 0 {
		opts.MaxSuspects = MaxSuspects
	}
	c := &checker{
		services: services, opts: opts, begun: opts.Now(),
		known:    slices.Clone(services.ObjectServers()),
		links:    make(map[holdfast.ServiceID][]holdfast.ObjectID),
		pending:  make(map[holdfast.ServiceID][]held),
		suspects: make(map[objectKey]*suspect),
	}
	slices.Sort(c.known)
	return c
}

func (c *checker) run(ctx context.Context) error {
	if err := c.expect(ctx); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	c.progress.Phase = "names"
	if err := c.names(ctx); err != nil {
		return fmt.Errorf("names: %w", err)
	}
	c.progress.Phase = "objects"
	for _, id := range c.known {
		if err := c.objects(ctx, id); err != nil {
			return fmt.Errorf("object server %s: %w", id, err)
		}
	}
	c.progress.Phase = "second look"
	if err := c.secondLook(ctx); err != nil {
		return fmt.Errorf("second look: %w", err)
	}
	return nil
}

// expect asks all servers how much there is, which also shows early whether they answer.
func (c *checker) expect(ctx context.Context) error {
	for _, id := range c.services.SlotMap().Servers() {
		status, err := onNames(ctx, c, id, func(s holdfast.NameService) (holdfast.NameStatus, error) { return s.Status(ctx) })
		if err != nil {
			return err
		}
		c.progress.Names += status.Names
	}
	for _, id := range c.known {
		status, err := onObjects(ctx, c, id, func(s holdfast.ObjectService) (holdfast.ObjectStatus, error) { return s.Status(ctx) })
		if err != nil {
			return err
		}
		c.progress.Expected += status.Objects
	}
	return nil
}

func (c *checker) problem(p Problem) {
	c.report.Problems++
	if c.opts.Problem != nil {
		c.opts.Problem(p)
	}
}

func (c *checker) step() {
	if c.opts.Progress != nil {
		c.progress.Report = c.report
		c.opts.Progress(c.progress)
	}
}

func (k objectKey) problem(kind, name, format string, args ...any) Problem {
	return Problem{Kind: kind, Name: name, OS: k.os.String(), Object: k.id.String(), Detail: fmt.Sprintf(format, args...)}
}
