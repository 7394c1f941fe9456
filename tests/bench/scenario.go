package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"holdfast/tools/bench"
)

// concurrency is that of the targets.
const concurrency = 16

// subject is what a scenario runs against.
type subject int

const (
	ours subject = iota
	null
	raw
	subjects
)

var subjectNames = [subjects]string{"holdfast", "null", "raw"}

func (s subject) String() string { return subjectNames[s] }

// scenario is one measured workload.
type scenario struct {
	name     string
	workload string
	op       string // the operation of the report that counts
	size     string
	// objects is the key space: written before the first round for readers
	// (prepared), cycled through by writers.
	objects  int
	prepared bool
	// raw has a raw disk run beside it.
	raw bool
	// inBytes shows throughput in MiB/s instead of operations.
	inBytes bool
	target  target
}

// target is what the project promises; 0 means no promise.
type target struct {
	ofNull    float64 // share of the null server's throughput, at least
	ofSmaller float64 // share of the smaller of null and raw, at least
	cpuMicros float64 // server CPU per request, at most
}

// scenarios are those of the project's promise of speed.
func scenarios() []scenario {
	return []scenario{
		{name: "PUT 4 KiB", workload: "put", op: "put", size: "4KiB", objects: 1 << 30, raw: true, target: target{ofNull: 0.50, cpuMicros: 210}},
		{name: "GET 4 KiB", workload: "get", op: "get", size: "4KiB", objects: 10000, prepared: true, target: target{ofNull: 0.65, cpuMicros: 100}},
		{name: "HEAD", workload: "stat", op: "stat", size: "4KiB", objects: 10000, prepared: true, target: target{ofNull: 0.75, cpuMicros: 80}},
		{name: "PUT 16 MiB", workload: "put", op: "put", size: "16MiB", objects: 32, raw: true, inBytes: true, target: target{ofSmaller: 0.75}},
		{name: "GET 16 MiB", workload: "get", op: "get", size: "16MiB", objects: 16, prepared: true, inBytes: true, target: target{ofNull: 0.75}},
	}
}

// pace is how long things take.
type pace struct {
	duration, warmUp time.Duration
	rounds           int
	fill             int // objects of the space and listing scenario
}

var (
	fullPace  = pace{5 * time.Second, time.Second, 3, 100000}
	quickPace = pace{time.Second, 250 * time.Millisecond, 2, 20000}
)

// drive runs the load generator and returns its report.
func drive(ctx context.Context, progress io.Writer, args ...string) (*bench.Report, error) {
	var out bytes.Buffer
	err := bench.Run(ctx, append(args, "--json", "--quiet"), &out, progress)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("bench %s: %w", args[0], err)
	}
	var r bench.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return nil, fmt.Errorf("bench %s: its report: %w", args[0], err)
	}
	return &r, nil
}

// reach is the flags that lead the load generator to a server.
func (s *server) reach() []string {
	return []string{"--endpoint", s.endpoint, "--credentials", s.credentials(), "--server-pid", strconv.Itoa(s.pid())}
}

// prefix keeps scenarios of different sizes apart, and rounds of writers, so
// that a PUT of small objects always makes new names.
func (sc *scenario) prefix(round int) string {
	if sc.prepared || sc.inBytes {
		return "bench-" + sc.size + "/"
	}
	return fmt.Sprintf("bench-%s-round%d/", sc.size, round)
}

// prepare writes the objects that a reading scenario reads.
func (sc *scenario) prepare(ctx context.Context, s *server) error {
	if !sc.prepared {
		return nil
	}
	_, err := drive(ctx, nil, append([]string{"put", "--size", sc.size, "--objects", strconv.Itoa(sc.objects), "--prefix", sc.prefix(0)}, s.reach()...)...)
	return err
}

// measure runs the scenario once against a server.
func (sc *scenario) measure(ctx context.Context, s *server, p pace, round int) (*bench.Report, error) {
	args := []string{sc.workload, "--size", sc.size, "--objects", strconv.Itoa(sc.objects), "--prefix", sc.prefix(round),
		"--concurrency", strconv.Itoa(concurrency), "--duration", p.duration.String(), "--warm-up", p.warmUp.String(), "--no-prepare"}
	return drive(ctx, nil, append(args, s.reach()...)...)
}

// measureRaw runs the scenario's bytes against the directory.
func (sc *scenario) measureRaw(ctx context.Context, dir string, p pace) (*bench.Report, error) {
	return drive(ctx, nil, "raw", "--dir", dir, "--size", sc.size, "--concurrency", strconv.Itoa(concurrency),
		"--duration", p.duration.String(), "--warm-up", p.warmUp.String())
}

// sample is what one run gave.
type sample struct {
	OpsPerSecond      float64
	MiBPerSecond      float64
	P50Micros         float64
	P99Micros         float64
	ServerCPUMicros   float64 // per request; 0 for raw
	GeneratorMicros   float64 // the generator's CPU per request
	ServerPeakRSSByte int64
	Errors            map[string]int64 `json:",omitempty"`
}

func (sc *scenario) sample(r *bench.Report) sample {
	s := sample{GeneratorMicros: r.Client.CPUMicrosPerRequest, Errors: r.Errors}
	for _, o := range r.Operations {
		if o.Name == sc.op || o.Name == "write" {
			s.OpsPerSecond, s.MiBPerSecond, s.P50Micros, s.P99Micros = o.OpsPerSecond, o.MiBPerSecond, o.Latency.P50, o.Latency.P99
		}
	}
	if r.Server != nil {
		s.ServerCPUMicros, s.ServerPeakRSSByte = r.Server.CPUMicrosPerRequest, r.Server.PeakResidentBytes
	}
	return s
}

// result is a scenario with its samples by subject's name.
type result struct {
	Name    string
	InBytes bool
	Samples map[string][]sample
	target  target
}

// median is the median of a figure over the rounds of a subject, 0 without
// rounds.
func (r *result) median(who subject, figure func(sample) float64) float64 {
	var v []float64
	for _, s := range r.Samples[who.String()] {
		v = append(v, figure(s))
	}
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func (r *result) throughput(who subject) float64 {
	return r.median(who, func(s sample) float64 {
		if r.InBytes {
			return s.MiBPerSecond
		}
		return s.OpsPerSecond
	})
}

func (r *result) cpu(who subject) float64 {
	return r.median(who, func(s sample) float64 { return s.ServerCPUMicros })
}
