package main

import (
	"context"

	"holdfast/tools/bench"
)

func runBench(ctx context.Context, args []string, s streams) error {
	return bench.Run(ctx, args, s.out, s.err)
}
