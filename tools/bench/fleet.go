package bench

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/tools/bench/payload"
	"holdfast/tools/bench/procstat"
)

// fleet is the workers of a run; they keep their connections from phase to
// phase.
type fleet struct {
	o       *options
	workers []*worker
	screen  *screen
}

func newFleet(o *options, screen *screen) *fleet {
	f := &fleet{o: o, screen: screen}
	source, cache := payload.New(o.seed), payload.NewCache()
	for i := range o.concurrency {
		f.workers = append(f.workers, &worker{
			client: newClient(o, source, cache),
			rng:    rand.New(rand.NewPCG(o.seed, uint64(i))),
		})
	}
	return f
}

func (f *fleet) close() {
	for _, w := range f.workers {
		w.client.close()
	}
}

// phase is a stretch of work with one plan.
type phase struct {
	name     string
	plan     func(worker int) plan
	warmUp   time.Duration
	duration time.Duration // 0: until the plan is done
	total    int64         // operations expected, 0 if unknown, for the progress display
}

// measured is what a phase gave.
type measured struct {
	counts
	elapsed time.Duration
	client  procstat.CPU
	server  *serverUsage // nil without --server-pid
}

type serverUsage struct {
	cpu    procstat.CPU
	memory procstat.Memory
}

// run works through one phase with all workers and returns when all are done.
func (f *fleet) run(ctx context.Context, ph phase) (*measured, error) {
	begin := time.Now()
	from := begin.Add(ph.warmUp)
	var until time.Time
	if ph.duration > 0 {
		until = from.Add(ph.duration)
	}
	stop := f.screen.watch(f, ph, begin)
	m := &meter{pid: f.o.serverPID}
	m.startAt(ph.warmUp)

	var wg sync.WaitGroup
	for i, w := range f.workers {
		w.plan, w.from, w.until = ph.plan(i), from, until
		w.counts, w.cursor, w.pause = counts{}, cursor{}, 0
		wg.Go(func() { w.run(ctx) })
	}
	wg.Wait()
	res := &measured{elapsed: max(time.Since(from), 0)}
	stop()
	if err := m.stop(res); err != nil {
		return nil, err
	}
	for _, w := range f.workers {
		res.merge(&w.counts)
	}
	return res, nil
}

// meter reads CPU counters at the end of the warm-up and at the end.
type meter struct {
	pid    int
	timer  *time.Timer
	mu     sync.Mutex
	self   procstat.CPU
	server procstat.CPU
	err    error
}

func (m *meter) startAt(d time.Duration) {
	m.read()
	if d > 0 {
		m.timer = time.AfterFunc(d, m.read)
	}
}

func (m *meter) read() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.self, m.err = procstat.Self(); m.err != nil || m.pid == 0 {
		return
	}
	m.server, m.err = procstat.OfProcess(m.pid)
}

// stop fills in what was used since the last read.
func (m *meter) stop(res *measured) error {
	if m.timer != nil {
		m.timer.Stop()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return badFlag("server-pid", "%v", m.err)
	}
	self, err := procstat.Self()
	if err != nil {
		return err
	}
	res.client = self.Sub(m.self)
	if m.pid == 0 {
		return nil
	}
	cpu, err := procstat.OfProcess(m.pid)
	if err != nil {
		return badFlag("server-pid", "%v", err)
	}
	memory, err := procstat.MemoryOf(m.pid)
	if err != nil {
		return badFlag("server-pid", "%v", err)
	}
	res.server = &serverUsage{cpu.Sub(m.server), memory}
	return nil
}

// sequential is a plan that goes once through the objects.
func (f *fleet) sequential(o op, step int) func(int) plan {
	p := &sequence{op: o, counter: new(atomic.Uint64), objects: uint64(f.o.objects), step: uint64(step)}
	return func(int) plan { return p }
}

// plan is the plan of the workload asked for.
func (f *fleet) plan() func(worker int) plan {
	objects, forever := uint64(f.o.objects), f.o.duration > 0
	counter := new(atomic.Uint64)
	switch f.o.workload {
	case "put", "multipart":
		p := &sequence{op: opPut, counter: counter, objects: objects, step: 1, cycle: forever}
		if f.o.workload == "multipart" {
			p.op = opMultipart
		}
		return func(int) plan { return p }
	case "get", "stat":
		p := &random{op: opGet, counter: counter, objects: objects, forever: forever}
		if f.o.workload == "stat" {
			p.op = opStat
		}
		return func(int) plan { return p }
	case "list":
		return func(int) plan { return &listing{forever: forever} }
	case "delete":
		return f.sequential(opDelete, f.o.batch)
	default: // mixed; Run has refused everything else
		limit := objects
		if forever {
			limit = 0
		}
		return func(i int) plan { return newMixture(&f.o.mix, i, f.o.concurrency, objects, counter, limit) }
	}
}
