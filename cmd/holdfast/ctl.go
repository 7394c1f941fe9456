package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"holdfast/storage"
	"holdfast/tools/ctl"
	"holdfast/tools/probe"
)

func runCtl(ctx context.Context, args []string, s streams) error {
	return manage(ctx, "holdfast ctl", args, s)
}

// manage runs a command about a cluster; probe is about mounts, before there is one.
func manage(ctx context.Context, program string, args []string, s streams) error {
	var err error
	switch {
	case len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help":
		ctl.Usage(s.out, program)
		fmt.Fprintf(s.out, "  %-13s %s\n", "probe", "tell whether a mount is fit")
	case args[0] == "probe":
		err = probe.Run(ctx, args[1:], probe.Process{Program: program + " probe", Stdout: s.out, Stderr: s.err})
	default:
		err = ctl.Run(ctx, args, ctl.Process{
			Program: program, Stdout: s.out, Stderr: s.err, Getenv: os.Getenv, Terminal: os.Stdin, Now: time.Now, FS: storage.OS(),
		})
	}
	if errors.Is(err, probe.ErrUsage) || errors.Is(err, ctl.ErrUsage) {
		return errUsage
	}
	return err
}
