// Command holdfast is the one binary of the object store: server, load generator, checker. Each subcommand is a file of this
// package that only wires flags to the package that does the work.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// streams are what a command reads and writes; tests pass their own.
type streams struct {
	out, err io.Writer
}

// command is one subcommand.
type command struct {
	name  string
	short string
	run   func(ctx context.Context, args []string, s streams) error
}

func commands() []command {
	return []command{
		{"server", "run a store on one directory", runServer},
		{"bench", "generate load for any S3 endpoint, or measure the raw disk", runBench},
		{"null-server", "the gateway without a store: the baseline of make bench", runNullServer},
		{"fsck", "check names against bytes, both ways", runFsck},
		{"version", "print the version", runVersion},
	}
}

// errUsage is returned by a command whose arguments were bad and were explained already.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// run finds and runs the subcommand and returns the exit code: 0 done, 1 failed, 2 bad usage.
func run(ctx context.Context, args []string, s streams) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		printUsage(s.out)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:], s)
		switch {
		case err == nil || errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errUsage):
			return 2
		}
		fmt.Fprintf(s.err, "holdfast %s: %s\n", c.name, oneLine(err))
		return 1
	}
	fmt.Fprintf(s.err, "holdfast: there is no command %q; holdfast help lists them\n", args[0])
	return 2
}

func printUsage(w io.Writer) {
	fmt.Fprintln(w, "usage: holdfast COMMAND [flags]")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.short)
	}
	fmt.Fprintln(w, "holdfast COMMAND --help shows the flags of a command.")
}

// oneLine keeps a message to one line, whatever its cause wrote.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
