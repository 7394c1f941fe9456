package main

import (
	"context"
	"os"

	"holdfast/node"
	"holdfast/tools/fsck"
	"holdfast/volume"
)

func runFsck(ctx context.Context, args []string, s streams) error {
	return fsck.Run(ctx, args, s.out, s.err, func(ctx context.Context, data string) (volume.Services, func(context.Context) error, error) {
		n, err := node.OpenServices(ctx, node.Config{Data: data}.WithDefaults(), node.Environment{Getenv: os.Getenv, Log: s.err})
		if err != nil {
			return nil, nil, err
		}
		return n.Services(), n.Close, nil
	})
}
