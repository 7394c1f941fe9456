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
	"path/filepath"
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
		{"node", "run a host of a cluster", runNode},
		{"gateway", "run the gateways of a host that has no mount", runGateway},
		{"bench", "generate load for any S3 endpoint, or measure the raw disk", runBench},
		{"null-server", "the gateway without a store: the baseline of make bench", runNullServer},
		{"s3-admin", "manage users, keys and buckets through an S3 endpoint", runS3Admin},
		{"configure-nginx", "put nginx in front of gateways", runConfigureNginx},
		{"ctl", "manage a cluster, probe a mount", runCtl},
		{"fsck", "check names against bytes, both ways", runFsck},
		{"version", "print the version", runVersion},
	}
}

// errUsage is returned by a command whose arguments were bad and were explained already.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := runAs(ctx, os.Args, streams{out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// tools are what the binary is under other names: a command of its own, which is told its name.
var tools = map[string]func(ctx context.Context, program string, args []string, s streams) error{
	"ostor-ctl":             manage,
	"ostor-s3-admin":        s3Admin,
	"ostor-configure-nginx": configureNginx,
}

// runAs runs what the name of the program stands for, be it a link to the binary: a tool of its own, or all of them.
func runAs(ctx context.Context, args []string, s streams) int {
	if len(args) > 0 {
		name := filepath.Base(args[0])
		if tool, ok := tools[name]; ok {
			return exitCode(name, tool(ctx, name, args[1:], s), s)
		}
	}
	return run(ctx, args[min(1, len(args)):], s)
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
		return exitCode("holdfast "+c.name, c.run(ctx, args[1:], s), s)
	}
	fmt.Fprintf(s.err, "holdfast: there is no command %q; holdfast help lists them\n", args[0])
	return 2
}

// exitCode tells the user of an error and returns the code of the process.
func exitCode(command string, err error, s streams) int {
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintf(s.err, "%s: %s\n", command, oneLine(err))
	return 1
}

func printUsage(w io.Writer) {
	fmt.Fprintln(w, "usage: holdfast COMMAND [flags]")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-15s %s\n", c.name, c.short)
	}
	fmt.Fprintln(w, "holdfast COMMAND --help shows the flags of a command.")
}

// oneLine keeps a message to one line, whatever its cause wrote.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
