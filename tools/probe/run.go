package probe

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"holdfast/storage"
)

// ErrUsage says that the arguments were bad and that this was explained already.
var ErrUsage = errors.New("usage")

// Process is what the command takes from its process.
type Process struct {
	Program        string // how messages call it
	Stdout, Stderr io.Writer
}

const usage = `usage: %[1]s DIR [flags]                     from this host alone
       %[1]s DIR OTHER [flags]               OTHER is the same directory by another mount of the same filesystem
       %[1]s DIR --peer HOST:PORT [flags]    waits for another host, which is told what to run
       %[1]s DIR --join TOKEN                on the other host
`

// command is one run.
type command struct {
	process    Process
	options    Options
	other      string
	listen     string
	join       string
	asJSON     bool
	fs         storage.FS
	positional []string
}

// Run runs the command. ErrUsage: the arguments were bad; flag.ErrHelp: help was asked for; any other error: the directory could not be
// probed, or is unfit.
func Run(ctx context.Context, args []string, p Process) error {
	c := &command{process: p, fs: storage.OS()}
	if err := c.parse(args); err != nil {
		return err
	}
	if c.join != "" {
		if err := Join(ctx, c.fs, c.options.Dir, c.join); err != nil {
			return fmt.Errorf("--join: %w", err)
		}
		return nil
	}
	if err := c.meet(ctx); err != nil {
		return err
	}
	if c.options.peer != nil {
		defer c.options.peer.close()
	}
	c.options.FS = c.fs
	m, err := Measure(ctx, c.options)
	if err != nil {
		return fmt.Errorf("%s: %w", c.options.Dir, err)
	}
	r := Judge(m)
	write := r.WriteText
	if c.asJSON {
		write = r.WriteJSON
	}
	if err := write(p.Stdout); err != nil {
		return err
	}
	if r.Verdict == Unfit {
		return fmt.Errorf("%s: the mount is unfit", c.options.Dir)
	}
	return nil
}

func (c *command) parse(args []string) error {
	f := flag.NewFlagSet(c.process.Program, flag.ContinueOnError)
	f.SetOutput(c.process.Stderr)
	f.Usage = func() {
		fmt.Fprintf(c.process.Stderr, usage, c.process.Program)
		f.PrintDefaults()
	}
	f.DurationVar(&c.options.Sync, "duration", 10*time.Second, "how long to sample syncs: stalls shorter than that are seen")
	f.DurationVar(&c.options.Wait, "wait", 65*time.Second, "how long a change may stay unseen by the other side")
	f.BoolVar(&c.options.ServerLoss, "server-loss", false, "a server of the filesystem is taken away while this runs: the lease is for what is seen")
	f.StringVar(&c.listen, "peer", "", "`host:port` of this host, to wait at for another host")
	f.StringVar(&c.join, "join", "", "`token` that the probe on the other host printed")
	f.BoolVar(&c.asJSON, "json", false, "write the report as JSON")
	for { // flags may stand behind directories
		switch err := f.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return err
		case err != nil:
			return ErrUsage
		}
		if f.NArg() == 0 {
			break
		}
		c.positional = append(c.positional, f.Arg(0))
		args = f.Args()[1:]
	}
	return c.check(f)
}

// check sees that the flags make sense together.
func (c *command) check(f *flag.FlagSet) error {
	switch n := len(c.positional); {
	case n == 0 || n > 2:
		f.Usage()
		return ErrUsage
	case n == 2:
		c.other = c.positional[1]
	}
	c.options.Dir = c.positional[0]
	given := 0
	for _, s := range []string{c.other, c.listen, c.join} {
		if s != "" {
			given++
		}
	}
	if given > 1 {
		return errors.New("--peer, --join, a second directory: only one of them")
	}
	if d := c.options.Sync; d <= 0 || d > MaxSync {
		return fmt.Errorf("--duration: %s is not between 0 and %s", d, MaxSync)
	}
	if d := c.options.Wait; d <= 0 || d > MaxWait {
		return fmt.Errorf("--wait: %s is not between 0 and %s", d, MaxWait)
	}
	if c.listen != "" {
		if host, _, err := net.SplitHostPort(c.listen); err != nil || host == "" {
			return fmt.Errorf("--peer: %q is not an address and a port by which the other host reaches this one", c.listen)
		}
	}
	for _, dir := range c.positional {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = errors.New("is not a directory")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// meet finds the other side, if there is to be one.
func (c *command) meet(ctx context.Context) error {
	switch {
	case c.other != "":
		c.options.peer = &observer{fs: c.fs, root: c.other}
	case c.listen != "":
		r, err := await(ctx, newToken(c.listen), func(t token) {
			fmt.Fprintf(c.process.Stderr, "run on the other host: holdfast ctl probe DIR --join %s\n", t)
		})
		if err != nil {
			return fmt.Errorf("--peer: %w", err)
		}
		c.options.peer = r
	}
	return nil
}
