package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"holdfast/node"
)

// runNullServer runs the gateway without a store; see gw.NewNull.
func runNullServer(ctx context.Context, args []string, s streams) error {
	flags := flag.NewFlagSet("null-server", flag.ContinueOnError)
	flags.SetOutput(s.err)
	address := flags.String("s3-address", "127.0.0.1:9000", "where the S3 API listens")
	data := flags.String("data", "", "directory for the credentials file; nothing else is written")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	if *data == "" || flags.NArg() > 0 {
		return fmt.Errorf("--data: a directory is needed, and nothing behind the flags")
	}
	return node.ServeNull(ctx, *data, *address, os.Getenv, func(endpoint string) {
		fmt.Fprintf(s.out, "null server at %s\n", endpoint)
	})
}
