package main

import (
	"context"
	"errors"
	"os"

	"holdfast"
	"holdfast/node"
	"holdfast/node/confdir"
	"holdfast/node/found"
	"holdfast/tools/fsck"
)

func runFsck(ctx context.Context, args []string, s streams) error {
	err := fsck.Run(ctx, args, s.out, s.err, func(ctx context.Context, t fsck.Target) (*fsck.Store, error) {
		return openForCheck(ctx, t, s)
	})
	if errors.Is(err, fsck.ErrUsage) {
		return errUsage
	}
	return err
}

// openForCheck goes through the cluster, or the server that runs on the store if there is one, and opens the services itself if not.
func openForCheck(ctx context.Context, t fsck.Target, s streams) (*fsck.Store, error) {
	if t.ConfigDir != "" {
		cluster, err := found.Attach(ctx, confdir.Dir(t.ConfigDir), t.Volume)
		if err != nil {
			return nil, err
		}
		return &fsck.Store{Services: cluster.Services(), Live: true, Close: cluster.Close}, nil
	}
	live, err := node.Attach(ctx, t.Data)
	if err == nil {
		return &fsck.Store{Services: live.Services(), Live: true, Close: live.Close}, nil
	}
	if !holdfast.Is(err, holdfast.NotFound) {
		return nil, err
	}
	quiet := node.Config{Data: t.Data, Reloadable: node.Reloadable{LogLevel: "warn"}}
	n, err := node.OpenServices(ctx, quiet.WithDefaults(), node.Environment{Getenv: os.Getenv, Log: s.err})
	if err != nil {
		return nil, err
	}
	return &fsck.Store{Services: n.Services(), Books: n.CheckBooks, Close: n.Close}, nil
}
