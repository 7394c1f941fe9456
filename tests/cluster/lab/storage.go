package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Storage is a kind of shared storage: [Local], [Gluster] or [MooseFS].
type Storage interface {
	// Name names the kind.
	Name() string
	// Networked tells whether mounts reach servers over the network of the storage, so that it can be cut.
	Networked() bool
	// Fences tells whether the storage itself keeps a mount that was cut off and came back from writing to files that it had open.
	Fences() bool

	up(ctx context.Context, l *Lab) error
	mount(l *Lab, h Host) string
	killServer(ctx context.Context, l *Lab, h Host) error
	startServer(ctx context.Context, l *Lab, h Host) error
	whole(ctx context.Context, l *Lab) error
}

// Local is one directory on the machine's disk that all hosts share: quick, coherent, and without servers that could be lost.
func Local() Storage { return local{} }

type local struct{}

func (local) Name() string    { return "local" }
func (local) Networked() bool { return false }
func (local) Fences() bool    { return false }

func (s local) up(_ context.Context, l *Lab) error { return os.Mkdir(s.mount(l, 0), 0o700) }

func (local) mount(l *Lab, _ Host) string { return filepath.Join(l.dir, "shared") }

func (local) killServer(context.Context, *Lab, Host) error {
	return fmt.Errorf("lab: kill storage server: %w", errors.ErrUnsupported)
}

func (local) startServer(context.Context, *Lab, Host) error {
	return fmt.Errorf("lab: start storage server: %w", errors.ErrUnsupported)
}

func (local) whole(context.Context, *Lab) error { return nil }

// mountPoint is where a host has a filesystem mounted that it reaches over the network.
func mountPoint(l *Lab, h Host) string { return filepath.Join(l.dir, "mnt", fmt.Sprint(h)) }

// killNamed kills all processes of a program in a host; an error if there is none.
func killNamed(ctx context.Context, l *Lab, h Host, program string) error {
	pids, err := l.pidsNamed(ctx, h, program)
	if err != nil {
		return err
	}
	if len(pids) == 0 {
		return fmt.Errorf("no %s runs in host %d", program, h)
	}
	for _, pid := range pids {
		p, err := os.FindProcess(pid)
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			return fmt.Errorf("kill %s of host %d: %w", program, h, err)
		}
	}
	return await(ctx, "end of "+program, func() error {
		if pids, err := l.pidsNamed(ctx, h, program); err != nil || len(pids) > 0 {
			return errors.Join(err, fmt.Errorf("processes %v", pids))
		}
		return nil
	})
}
