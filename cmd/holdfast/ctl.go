package main

import (
	"context"
	"errors"
	"fmt"

	"holdfast/tools/probe"
)

const ctlUsage = `usage: %s COMMAND [flags]
  probe   tell whether a mount is fit
`

func runCtl(ctx context.Context, args []string, s streams) error {
	return ctl(ctx, "holdfast ctl", args, s)
}

func ctl(ctx context.Context, program string, args []string, s streams) error {
	switch {
	case len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help":
		fmt.Fprintf(s.out, ctlUsage, program)
		return nil
	case args[0] != "probe":
		fmt.Fprintf(s.err, "%s: there is no command %q; %[1]s help lists them\n", program, args[0])
		return errUsage
	}
	err := probe.Run(ctx, args[1:], probe.Process{Program: program + " probe", Stdout: s.out, Stderr: s.err})
	if errors.Is(err, probe.ErrUsage) {
		return errUsage
	}
	return err
}
