package membertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

// Options say how a run is made. A run is a function of its seed and these.
type Options struct {
	Off     Rules // switched off
	Hosts   int   // 0 means 2 to 4, as the seed says
	Clients int   // 0 means 3
	Trace   bool  // keep what happened
}

// Result is what came of a run.
type Result struct {
	// Violation says which promise was broken; "" if none was.
	Violation string
	// Stalled says that the violation is a lack of progress; nothing wrong was answered.
	Stalled bool
	Trace   []string
	Hash    uint64 // of everything that happened, in its order
	Steps   int
	Counts  map[string]int // how often what happened
	Time    time.Duration  // of the world
}

// Bounds of a run.
const (
	minTrouble, maxTrouble = 8 * leaseT, 20 * leaseT
	// calmBound is how long after the last fault every service must have served every client. It holds a
	// lease that has to be waited for, twice, because the first to take over may have been one that was just ending.
	calmBound = 20 * leaseT
	// hintBound is how long the hints may be wrong after the last fault: until the last late change has landed and the owner, which
	// looks at them every T, has seen it.
	hintBound = lateBy + 3*leaseT
	maxSteps  = 1_000_000
)

// Run makes the run of a seed.
func Run(t *testing.T, seed uint64, opt Options) (result Result) {
	if opt.Clients == 0 {
		opt.Clients = 3
	}
	synctest.Test(t, func(*testing.T) {
		w := &world{opt: opt, rng: rand.New(rand.NewPCG(seed, 0x686f6c6466617374)), disk: storagetest.NewCrash(),
			history: newHistory(), counts: map[string]int{}, configs: map[uint64]string{},
			runs: map[holdfast.HostID]int{}}
		w.play()
		result = Result{w.violation, w.stalled, w.trace, w.hash, w.steps, w.counts, w.now}
	})
	return result
}

// play sets the world up, lets it run to its end, and ends every goroutine.
func (w *world) play() {
	if w.opt.Hosts == 0 {
		w.opt.Hosts = 2 + w.rng.IntN(3)
	}
	w.drawPowers()
	for i := range w.opt.Hosts {
		w.newMachine(fmt.Sprintf("m%d", i+1), holdfast.HostID(i+1))
	}
	w.newMachine("m0", 0) // for a twin
	for _, m := range w.machines[:w.opt.Hosts] {
		w.after(w.between(0, leaseT/2), m.start)
	}
	for i := range w.opt.Clients {
		w.startClient(i + 1)
	}
	w.after(leaseT, w.breakThings)
	w.after(leaseT, w.writeBack)
	w.trouble = w.between(minTrouble, maxTrouble)
	w.after(w.trouble, w.calmDown)
	w.settle()
	for w.violation == "" && !w.over {
		switch {
		case w.steps > maxSteps:
			w.stalled = true
			w.fail("no end")
		case w.clients > 0 && w.now > w.trouble+calmBound:
			w.stalled = true
			w.fail(fmt.Sprintf("no progress: %d clients are not served although all is well since %v", w.clients, w.trouble))
		default:
			w.step()
		}
	}
	for _, m := range w.machines {
		if m.proc != nil {
			w.kill(m.proc)
		}
	}
	synctest.Wait()
}

// fail notes the first violation.
func (w *world) fail(text string) {
	if w.violation == "" {
		w.violation = text
		w.tracef("VIOLATION %s", text)
	}
}

// owned notes that a process took a service.
func (w *world) owned(p *process, id holdfast.ServiceID, e holdfast.Epoch) {
	w.fault("take", "%s epoch %d by %s", serviceName(id), e, p.name)
}

// writeBack lets the kernels write in the background.
func (w *world) writeBack() {
	if w.calm || !w.powers.writeBack {
		return
	}
	for _, m := range w.machines {
		m.writeBack()
	}
	w.after(w.between(0, leaseT/5), w.writeBack)
}

// inspect looks at the mount when all clients are served, until it finds what it should.
func (w *world) inspect() {
	problem := w.inspection()
	switch {
	case problem == "":
		w.over = true
	case w.now > w.trouble+hintBound && w.now > w.served+3*leaseT:
		w.fail(problem)
	default:
		w.after(leaseT/2, w.inspect)
	}
}

// inspection says what is wrong on the mount: of every service at most one epoch is open and not fenced, and the hints name it.
func (w *world) inspection() string {
	for _, id := range services() {
		dir := layout.Root(root).Service(id)
		var live []holdfast.Epoch
		claims, err := layout.ListClaims(w.disk, dir)
		if err != nil {
			return err.Error()
		}
		for _, e := range claims {
			if w.live(dir, e) {
				live = append(live, e)
			}
		}
		if len(live) > 1 {
			return fmt.Sprintf("%s has the open epochs %v", serviceName(id), live)
		}
		b, err := storage.ReadFile(w.disk, dir.OwnerFile(), layout.MaxFile)
		if err != nil {
			return err.Error()
		}
		if o, err := layout.ParseOwner(b); err != nil || len(live) == 1 && !slices.Contains(live, o.Epoch) {
			return fmt.Sprintf("the hint of %s says epoch %d, which is not one of %v: %v", serviceName(id), o.Epoch, live, err)
		}
	}
	return w.inspectConfig()
}

// live reports whether an epoch is open and its fence as its owner made it.
func (w *world) live(dir layout.Service, e holdfast.Epoch) bool {
	b, err := storage.ReadFile(w.disk, w.disk.PathJoin(dir.Claims(), layout.OutcomeName(e)), layout.MaxFile)
	if err != nil {
		return false
	}
	o, err := layout.ParseOutcome(b)
	if err != nil || !o.Open {
		return false
	}
	fence, err := storage.ReadFile(w.disk, dir.Fence(e), layout.MaxFile)
	return err == nil && string(fence) == string(layout.EncodeFence(e))
}
