package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"holdfast/membership/config"
	"holdfast/tools/nginx"
)

func runConfigureNginx(ctx context.Context, args []string, s streams) error {
	return configureNginx(ctx, "holdfast configure-nginx", args, s)
}

func configureNginx(ctx context.Context, program string, args []string, s streams) error {
	err := nginx.Run(ctx, args, nginx.Options{Program: program, Stdout: s.out, Stderr: s.err, Gateways: localGateways})
	if errors.Is(err, nginx.ErrUsage) {
		return errUsage
	}
	return err
}

// localGateways returns the addresses of the gateways in the configuration that this host saw last.
func localGateways(dir string) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return nil, err
	}
	c, err := config.Parse(b)
	if err != nil {
		return nil, err
	}
	var at []string
	for _, g := range c.Gateways {
		at = append(at, g.Address)
	}
	return at, nil
}
