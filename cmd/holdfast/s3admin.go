package main

import (
	"context"
	"errors"
	"os"

	"holdfast/tools/s3admin"
)

// ostorS3Admin is the name under which the binary is the administrator's tool at once.
const ostorS3Admin = "ostor-s3-admin"

func runS3Admin(ctx context.Context, args []string, s streams) error {
	return s3Admin(ctx, "holdfast s3-admin", args, s)
}

func runOstorS3Admin(ctx context.Context, args []string, s streams) error {
	return s3Admin(ctx, ostorS3Admin, args, s)
}

func s3Admin(ctx context.Context, program string, args []string, s streams) error {
	err := s3admin.Run(ctx, args, s3admin.Options{Program: program, Stdout: s.out, Stderr: s.err, Env: os.Getenv})
	if errors.Is(err, s3admin.ErrUsage) {
		return errUsage
	}
	return err
}
