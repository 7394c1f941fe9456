package main

import (
	"context"
	"fmt"
	"strconv"

	"holdfast/tools/bench"
	"holdfast/tools/bench/procstat"
)

// fillPrefix is where the objects of the fill and scale scenarios live.
const fillPrefix = "fill/"

// objectSize is that of the fill scenario.
const objectSize = 4 << 10

// fill is the scenario of many small objects on a fresh server.
type fill struct {
	Objects              int
	IdleRSSBytes         int64 // of the fresh server
	PutsPerSecond        float64
	Disk                 usage
	DiskRatio            float64 // allocated bytes over payload
	ListKeysPerSecond    float64 // concurrency 16
	ListCPUMicrosPerKey  float64
	ListOneKeysPerSecond float64 // one client
	DeleteKeysPerSecond  float64 // multi-delete of 1,000
	DeleteCPUMicros      float64 // per key
	PeakRSSBytes         int64
}

// measureFill writes, weighs, lists and deletes n objects. The server must be
// fresh, so that all it occupies is theirs.
func measureFill(ctx context.Context, s *server, n int, p pace) (*fill, error) {
	memory, err := procstat.MemoryOf(s.pid())
	if err != nil {
		return nil, err
	}
	f := &fill{Objects: n, IdleRSSBytes: memory.Resident}
	run := func(workload string, more ...string) (*bench.Report, error) {
		args := append([]string{workload, "--size", strconv.Itoa(objectSize), "--objects", strconv.Itoa(n), "--prefix", fillPrefix, "--no-prepare"}, s.reach()...)
		return drive(ctx, nil, append(args, more...)...)
	}
	r, err := run("put")
	if err != nil {
		return nil, err
	}
	if got := r.Operations[0].Count; got != int64(n) {
		return nil, fmt.Errorf("fill: %d of %d objects written: %v", got, n, r.FirstErrors)
	}
	f.PutsPerSecond = r.Operations[0].OpsPerSecond
	if f.Disk, err = occupied(s.data); err != nil {
		return nil, err
	}
	f.DiskRatio = float64(f.Disk.AllocatedBytes) / float64(int64(n)*objectSize)

	if r, err = run("list", "--duration", p.duration.String(), "--warm-up", p.warmUp.String()); err != nil {
		return nil, err
	}
	f.ListKeysPerSecond, f.ListCPUMicrosPerKey = r.Operations[0].KeysPerSecond, r.Server.CPUMicrosPerKey
	if r, err = run("list", "--duration", p.duration.String(), "--concurrency", "1", "--verify"); err != nil {
		return nil, err
	}
	f.ListOneKeysPerSecond = r.Operations[0].KeysPerSecond
	if r, err = run("delete", "--batch", "1000"); err != nil {
		return nil, err
	}
	f.DeleteKeysPerSecond, f.DeleteCPUMicros = r.Operations[0].KeysPerSecond, r.Server.CPUMicrosPerKey
	f.PeakRSSBytes = r.Server.PeakResidentBytes
	return f, nil
}

// scaleBase is the number of names that the larger number is compared with.
const scaleBase = 100000

// cost is what operations cost at a number of names.
type cost struct {
	Names        int
	CPUMicros    map[string]float64 // server CPU per request; list: per key
	PerSecond    map[string]float64
	PeakRSSBytes int64
	Disk         usage
}

// measureScale loads names without content, as many as each step says, and
// measures what operations cost at each.
func measureScale(ctx context.Context, s *server, steps []int, p pace, say func(string, ...any)) ([]cost, error) {
	var costs []cost
	for _, names := range steps {
		say("load %d names", names)
		// The first names are written again: the time for that is small, and
		// the key space stays one.
		args := append([]string{"put", "--size", "0", "--objects", strconv.Itoa(names), "--prefix", fillPrefix, "--concurrency", "32"}, s.reach()...)
		if _, err := drive(ctx, nil, args...); err != nil {
			return costs, err
		}
		c, err := measureCost(ctx, s, names, steps[0]/5, p)
		if err != nil {
			return costs, err
		}
		costs = append(costs, *c)
	}
	return costs, nil
}

// measureCost measures the operations at the number of names there now. As
// many new names as said are put into the same directory, under another seed,
// and deleted again.
func measureCost(ctx context.Context, s *server, names, fresh int, p pace) (*cost, error) {
	c := &cost{Names: names, CPUMicros: map[string]float64{}, PerSecond: map[string]float64{}}
	extra := []string{"--objects", strconv.Itoa(fresh), "--seed", "2"}
	existing := []string{"--objects", strconv.Itoa(names), "--duration", p.duration.String(), "--warm-up", p.warmUp.String()}
	steps := []struct {
		workload string
		more     []string
	}{{"put", extra}, {"delete", extra}, {"stat", existing}, {"get", existing}, {"list", existing}}
	for _, step := range steps {
		args := append([]string{step.workload, "--size", "0", "--prefix", fillPrefix, "--no-prepare", "--concurrency", strconv.Itoa(concurrency)}, s.reach()...)
		r, err := drive(ctx, nil, append(args, step.more...)...)
		if err != nil {
			return nil, err
		}
		if len(r.Operations) == 0 {
			return nil, fmt.Errorf("%s: nothing was done in %v", step.workload, p.duration)
		}
		c.CPUMicros[step.workload], c.PerSecond[step.workload] = r.Server.CPUMicrosPerRequest, r.Operations[0].OpsPerSecond
		if step.workload == "list" {
			c.CPUMicros["list"], c.PerSecond["list"] = r.Server.CPUMicrosPerKey, r.Operations[0].KeysPerSecond
		}
		c.PeakRSSBytes = r.Server.PeakResidentBytes
	}
	var err error
	c.Disk, err = occupied(s.data)
	return c, err
}
