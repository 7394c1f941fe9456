package main

import (
	"context"
	"errors"
	"os"

	"holdfast/tools/s3admin"
)

func runS3Admin(ctx context.Context, args []string, s streams) error {
	return s3Admin(ctx, "holdfast s3-admin", args, s)
}

func s3Admin(ctx context.Context, program string, args []string, s streams) error {
	err := s3admin.Run(ctx, args, s3admin.Options{Program: program, Stdout: s.out, Stderr: s.err, Env: os.Getenv})
	if errors.Is(err, s3admin.ErrUsage) {
		return errUsage
	}
	return err
}
