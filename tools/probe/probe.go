package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"holdfast/storage"
)

// Options are what a measurement needs.
type Options struct {
	FS   storage.FS
	Dir  string        // to probe; it exists
	Sync time.Duration // how long to sample syncs
	Wait time.Duration // how long a change may stay unseen by the other side before the probe gives up on it
	// ServerLoss says that a server of the filesystem is taken away while syncs are sampled, so that what is seen is the worst.
	ServerLoss bool

	peer   peer
	within time.Duration // of a step; 0 means stepWithin
}

// peer is the other side.
type peer interface {
	do(request) response
	close()
}

// Bounds of a measurement, whatever the mount does.
const (
	MaxSync    = time.Hour
	MaxWait    = 10 * time.Minute
	stepWithin = time.Minute // a step, waits for the other side apart
)

// Measure does everything on the mount and cleans up behind it. The error is about the directory itself: it cannot be written, or the
// caller gave up. What the mount does wrong is in the measurement. A call that never returns is left behind with its goroutine.
func Measure(ctx context.Context, o Options) (Measurement, error) {
	m := Measurement{Dir: o.Dir, Filesystem: filesystemOf(o.Dir), Local: storage.LocalDisk(o.Dir), ServerLoss: o.ServerLoss}
	name := ".holdfast-probe-" + storage.NewNonce().String()
	p := &prober{Options: o, name: name, dir: o.FS.PathJoin(o.Dir, name)}
	if err := bounded(ctx, &m, "making a directory", stepWithin, func(*Measurement) error { return o.FS.MkdirAll(p.dir, 0o700) }); err != nil {
		return m, err
	}
	if p.within == 0 {
		p.within = stepWithin
	}
	err := p.steps(ctx, &m)
	clean := bounded(context.WithoutCancel(ctx), &m, "removing the directory", p.within, func(*Measurement) error { return p.clean() })
	return m, errors.Join(err, clean)
}

// prober is one measurement.
type prober struct {
	Options
	name, dir string
}

func (p *prober) path(name string) string { return p.FS.PathJoin(p.dir, name) }

// step is a part of a measurement. It returns what puts its result into the measurement.
type step struct {
	name   string
	within time.Duration
	do     func(context.Context) func(*Measurement)
}

// steps runs all steps in turn until one hangs.
func (p *prober) steps(ctx context.Context, m *Measurement) error {
	within := p.within
	all := []step{
		{"exclusive creation", within, p.create},
		{"rename", within, p.rename},
		{"forced attribute reads", within, p.forced},
		{"hard links", within, p.links},
		{"punching holes", within, p.data},
		{"locks", within, p.lock},
		{"sync", within + p.Sync, p.sync},
	}
	if p.peer != nil {
		// Each of its delays may take the whole wait, and no more than once.
		all = append(all, step{"the other side", 2*within + delays*p.Wait, p.pair})
	}
	for _, s := range all {
		err := bounded(ctx, m, s.name, s.within, func(m *Measurement) error {
			s.do(ctx)(m)
			return nil
		})
		if err != nil || m.Hung != "" {
			return err
		}
	}
	return ctx.Err()
}

// clean removes the probe's directory. Names that the mount only shows late take a few tries.
func (p *prober) clean() (err error) {
	const tries = 3
	for range tries {
		if err = p.FS.RemoveAll(p.dir); err == nil {
			return nil
		}
	}
	return fmt.Errorf("remove %s yourself: %w", p.dir, err)
}

// bounded runs a step on a copy of the measurement, which it puts in its place if the step returns in time, and else notes that it hung.
func bounded(ctx context.Context, m *Measurement, name string, within time.Duration, step func(*Measurement) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	type result struct {
		m   Measurement
		err error
	}
	done := make(chan result, 1)
	mine := *m
	go func() {
		err := step(&mine)
		done <- result{mine, err}
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case r := <-done:
		*m = r.m
		return r.err
	case <-timer.C:
		m.Hung = name
		return nil
	}
}

// mountTable is where the kernel lists the mounts of this process.
const mountTable = "/proc/self/mountinfo"

// filesystemOf returns the type of the filesystem of a path, "unknown" if the kernel does not tell.
func filesystemOf(path string) string {
	real, err := filepath.Abs(path)
	if err != nil {
		return unknown
	}
	if r, err := filepath.EvalSymlinks(real); err == nil {
		real = r
	}
	table, err := os.ReadFile(mountTable)
	if err != nil {
		return unknown
	}
	return filesystemIn(string(table), real)
}

const unknown = "unknown"

// filesystemIn looks a path up in a table of mounts as proc_pid_mountinfo(5) describes it. Of several at one place the last is on top.
func filesystemIn(table, path string) string {
	longest, found := -1, unknown
	for line := range strings.Lines(table) {
		head, tail, ok := strings.Cut(line, " - ")
		fields, kind := strings.Fields(head), strings.Fields(tail)
		if !ok || len(fields) < 5 || len(kind) == 0 {
			continue
		}
		at := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
		below := path == at || strings.HasPrefix(path, strings.TrimSuffix(at, "/")+"/")
		if below && len(at) >= longest {
			longest, found = len(at), kind[0]
		}
	}
	return found
}
