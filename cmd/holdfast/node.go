package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"holdfast/node"
	"holdfast/node/confdir"
)

func runNode(ctx context.Context, args []string, s streams) error {
	return runPeer(ctx, "node", args, s, false)
}

func runGateway(ctx context.Context, args []string, s streams) error {
	return runPeer(ctx, "gateway", args, s, true)
}

// runPeer runs the node of a host of a cluster. Without mounts it runs gateways alone.
func runPeer(ctx context.Context, name string, args []string, s streams, withoutMounts bool) error {
	dir := confdir.Dir(confdir.Default)
	settings := node.Config{WithoutMounts: withoutMounts}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(s.err)
	flags.StringVar((*string)(&dir), "r", confdir.Default, "configuration `directory` of this host")
	flags.StringVar(&settings.LogLevel, "log-level", "", "debug, info, warn or error (default info); wins over settings.json")
	flags.DurationVar(&settings.AccessLogEvery, "access-log-every", 0, "how often the access logs of buckets are delivered (default 1m)")
	flags.DurationVar(&settings.LifecycleDay, "lifecycle-day", 0, "how long a day of lifecycle rules lasts, for tests (default 24h)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return flag.ErrHelp
		}
		return errUsage
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return serve(ctx, func() (server, func(), error) {
		p, err := node.StartPeer(dir, settings, node.Environment{Getenv: os.Getenv, Log: s.err})
		if err != nil {
			return nil, nil, err
		}
		fmt.Fprintf(s.out, "Holdfast node at %s; metrics and health at http://%s\n", p.Address(), p.MetricsAddress())
		return p, func() {
			if err := p.Reload(); err != nil {
				fmt.Fprintf(s.err, "holdfast %s: reload: %s; nothing was changed\n", name, oneLine(err))
			}
		}, nil
	})
}
