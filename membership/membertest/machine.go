package membertest

import (
	"fmt"

	"holdfast"
)

// machine is a kernel with a client of the mount, clocks, and at most one process of ours.
type machine struct {
	w    *world
	name string
	host holdfast.HostID // of the process it runs
	boot int
	proc *process
	mount
	clocks

	stopped  stop // how it was stopped last
	client   bool // runs a client, and nothing happens to it
	isolated bool // from the other machines, not from the mount
}

func (w *world) newMachine(name string, host holdfast.HostID) *machine {
	m := &machine{w: w, name: name, host: host, boot: 1, mount: newMount()}
	m.clocks = clocks{w: w, rate: int64(950 + w.rng.IntN(101)), skew: w.between(-leaseT/2, leaseT/2)}
	w.machines = append(w.machines, m)
	return m
}

// bootID looks like the kernel's.
func (m *machine) bootID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%s%011x", m.boot, "0", m.host)
}

// lock is the token of the machine-wide lock: it is gone with the boot.
func (m *machine) lock() string { return fmt.Sprintf("lock-%s-%d", m.name, m.boot) }

// start runs a process, unless one is running.
func (m *machine) start() {
	if m.proc == nil {
		m.w.startNode(m, m.host, m.lock())
	}
}

// crash ends everything on the machine at once. What was on its way to the server may arrive.
func (m *machine) crash() {
	if m.proc != nil {
		m.w.kill(m.proc)
	}
	for _, f := range m.waiting {
		m.w.after(m.w.between(0, lateBy), f.arrive)
	}
	old := m.mount.cut
	m.boot++
	m.mount = newMount()
	m.cut = old
	m.clocks.base, m.clocks.since, m.clocks.stopped, m.clocks.slept, m.clocks.lied = 0, m.w.now, false, 0, 0
}

// heal makes the server reachable and sends what waited for it.
func (m *machine) heal() {
	m.cut = false
	waiting := m.waiting
	m.waiting = nil
	m.w.rng.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	for _, f := range waiting {
		m.w.after(m.delay(), f.arrive)
	}
}
