package membertest

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/storage/storagetest"
)

// errDead is what the calls of a killed process return, so that its goroutines end.
var errDead = errors.New("membertest: the process was killed")

// world owns time and order. Its loop takes one event after the other; an event may wake one goroutine of one process, and the next
// is not taken before all goroutines stand still again.
type world struct {
	opt   Options
	rng   *rand.Rand // drawn from by the loop alone
	now   time.Duration
	queue eventQueue
	seq   uint64 // of events
	steps int
	woke  bool // this event woke somebody

	disk     *storagetest.CrashFS // behind the mount
	site     int                  // how often the power of the whole site failed
	machines []*machine
	procs    int                     // started so far
	runs     map[holdfast.HostID]int // those of each host
	powers   powers
	calm     bool // no fault happens any more
	history  history
	configs  map[uint64]string // nonces of the versions that somebody was told are in force
	clients  int               // that have not finished
	trouble  time.Duration     // until then faults happen
	served   time.Duration     // when the last client had finished
	over     bool              // and all is as it should be

	violation string
	stalled   bool
	hash      uint64
	trace     []string
	counts    map[string]int // how often what happened

	mu     sync.Mutex // guards posted, and dead and pending of processes
	posted []post
}

// post is what a goroutine asks of the loop. The loop takes the posts of a step in the order of (process, key), whatever the
// order in which the goroutines ran.
type post struct {
	p   *process
	key string
	do  func()
}

type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// after runs do in the loop once d of true time has passed.
func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.queue, event{w.now + d, w.seq, do})
}

// step takes the next event and lets what it woke run until it waits again.
func (w *world) step() {
	e := heap.Pop(&w.queue).(event)
	w.now = e.at
	w.steps++
	e.do()
	w.settle()
}

// settle waits until every goroutine waits, and hears what they ask for.
func (w *world) settle() {
	for w.woke {
		w.woke = false
		synctest.Wait()
		w.mu.Lock()
		posted := w.posted
		w.posted = nil
		w.mu.Unlock()
		slices.SortStableFunc(posted, func(a, b post) int {
			if a.p.id != b.p.id {
				return a.p.id - b.p.id
			}
			return strings.Compare(a.key, b.key)
		})
		for _, p := range posted {
			w.note(p.p, p.key)
			p.do()
		}
	}
}

// chance is true in so many of 1000 cases.
func (w *world) chance(permille int) bool { return permille > 0 && w.rng.IntN(1000) < permille }

// between draws a time.
func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.rng.Int64N(int64(high-low)+1))
}

// note adds something that a process did to the hash of the run, and to its trace.
func (w *world) note(p *process, what string) {
	h := fnv.New64a()
	fmt.Fprint(h, w.hash, w.now, p.id, what)
	w.hash = h.Sum64()
	if w.opt.Trace {
		w.tracef("%-6s %s", p.name, what)
	}
}

// tracef adds a line to the trace if there is to be one.
func (w *world) tracef(format string, args ...any) {
	if w.opt.Trace {
		w.trace = append(w.trace, fmt.Sprintf("%10.4f ", w.now.Seconds())+fmt.Sprintf(format, args...))
	}
}

// fault adds what the world did to the trace and counts it.
func (w *world) fault(kind, format string, args ...any) {
	w.counts[kind]++
	w.tracef("       -- "+kind+" "+format, args...)
}

// process is a process of a machine: what stands still, and dies, as a whole.
type process struct {
	w    *world
	m    *machine
	id   int
	name string

	// The loop's own.
	paused bool
	held   []func() // what would have woken it

	// Guarded by w.mu, written by the loop.
	dead    bool
	pending map[*call]struct{}

	node     *node // nil for a client
	stopping bool  // asked to end; the loop's own

	quit   chan struct{} // closed when it is killed
	ctx    context.Context
	cancel context.CancelFunc
}

func (w *world) newProcess(m *machine, name string) *process {
	w.procs++
	p := &process{w: w, m: m, id: w.procs, name: name, pending: map[*call]struct{}{}, quit: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// call is a goroutine of a process that waits for the loop.
type call struct {
	p    *process
	done chan struct{}
	over bool // the loop has let it go
	err  error
}

// post asks the loop for something and does not wait. It is nothing if the process is dead.
func (p *process) post(key string, do func()) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if !p.dead {
		p.w.posted = append(p.w.posted, post{p, key, do})
	}
}

// wait asks the loop for something and waits until the loop wakes the call: false if the process is dead.
func (p *process) wait(key string, do func(c *call)) error {
	c := &call{p: p, done: make(chan struct{})}
	p.w.mu.Lock()
	if p.dead {
		p.w.mu.Unlock()
		return errDead
	}
	p.pending[c] = struct{}{}
	p.w.posted = append(p.w.posted, post{p, key, func() { do(c) }})
	p.w.mu.Unlock()
	<-c.done
	return c.err
}

// wake lets a call go with an error or nil, once its process runs.
func (w *world) wake(c *call, err error) {
	w.run(c.p, func() {
		if c.over {
			return
		}
		c.over, c.err = true, err
		w.mu.Lock()
		delete(c.p.pending, c)
		w.mu.Unlock()
		close(c.done)
	})
}

// run does something that wakes a goroutine of p: now, or when p is not paused any more, or never if it is dead.
func (w *world) run(p *process, do func()) {
	switch {
	case p.dead:
	case p.paused:
		p.held = append(p.held, do)
	default:
		do()
		w.woke = true
	}
}

// kill ends a process between two of its steps. Its goroutines get errors from whatever they wait for, and what they try
// after that has no effect. They have come to rest when it returns.
func (w *world) kill(p *process) {
	if p.dead {
		return
	}
	if p.paused {
		p.m.clocks.start(p.m.stopped)
	}
	if p.m.proc == p {
		p.m.proc = nil
	}
	p.held = nil
	w.mu.Lock()
	p.dead = true
	pending := p.pending
	p.pending = nil
	w.mu.Unlock()
	for c := range pending {
		if !c.over {
			c.over, c.err = true, errDead
			close(c.done)
		}
	}
	close(p.quit)
	p.cancel()
	w.woke = true
	synctest.Wait()
}

// pause stops a process at whatever it waits for; resume lets it go on with what happened meanwhile, in any order.
func (w *world) pause(p *process) { p.paused = true }

func (w *world) resume(p *process) {
	if p.dead {
		return
	}
	p.paused = false
	held := p.held
	p.held = nil
	w.rng.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
	for _, do := range held {
		w.after(w.between(0, maxResumeSpread), func() { w.run(p, do) })
	}
}

// maxResumeSpread is how long after a pause the last thing that waited comes in.
const maxResumeSpread = 5 * time.Millisecond

// sleep waits for a time drawn from the given bounds, of the machine's monotonic clock. False: the process was killed.
func (p *process) sleep(label string, low, high time.Duration) bool {
	return p.wait("sleep "+label, func(c *call) {
		p.m.alarm(p, p.w.between(low, high), func() { p.w.wake(c, nil) })
	}) == nil
}

// yield is a step at which nothing happens but what the world does.
func (p *process) yield(label string) bool {
	return p.wait(label, func(c *call) {
		p.w.after(p.w.between(0, 200*time.Microsecond), func() { p.w.wake(c, nil) })
	}) == nil
}
