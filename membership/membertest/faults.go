package membertest

import (
	"time"

	"holdfast"
)

// powers are what the mount of a run may do at any call, in so many of 1000, and what else is drawn for it.
type powers struct {
	fail     int // a call gets an error
	failSync int // a sync does
	repeat   int // a request is sent twice
	missing  int // a name that was not there is remembered as missing
	stale    int // a listing or an attribute is remembered

	writeBack   bool
	directPools bool
	faults      []func(*world, *machine)
	pace        time.Duration // between two faults, at most
}

// drawPowers gives every run some powers and not others, so that each has runs where it is frequent.
func (w *world) drawPowers() {
	pick := func(values ...int) int { return values[w.rng.IntN(len(values))] }
	p := powers{
		fail: pick(0, 0, 1, 5, 20), failSync: pick(0, 0, 0, 5, 30), repeat: pick(0, 0, 5, 50),
		missing: pick(0, 200, 1000), stale: pick(0, 200, 1000),
		writeBack: w.chance(500), directPools: w.chance(500),
		pace: []time.Duration{leaseT / 3, leaseT, 3 * leaseT}[w.rng.IntN(3)],
	}
	for _, f := range allFaults() {
		if w.chance(500) {
			p.faults = append(p.faults, f)
		}
	}
	w.powers = p
}

func allFaults() []func(*world, *machine) {
	return []func(*world, *machine){
		(*world).freeze, (*world).freeze, (*world).suspend, (*world).stopClocks, (*world).killProcess, (*world).killProcess,
		(*world).crashMachine, (*world).cutHard, (*world).cutSoft, (*world).isolate, (*world).slowDown, (*world).failSyncs,
		(*world).shutDown, (*world).moveAway, (*world).forceTake, (*world).twin, (*world).powerFails,
	}
}

// breakThings causes a fault now and then as long as it is not calm.
func (w *world) breakThings() {
	if w.calm || len(w.powers.faults) == 0 {
		return
	}
	m := w.machines[w.rng.IntN(w.opt.Hosts)]
	w.powers.faults[w.rng.IntN(len(w.powers.faults))](w, m)
	w.after(w.between(0, w.powers.pace), w.breakThings)
}

// calmDown ends all faults, for good.
func (w *world) calmDown() {
	w.fault("calm", "")
	w.calm = true
	w.powers.fail, w.powers.failSync, w.powers.repeat, w.powers.missing, w.powers.stale = 0, 0, 0, 0, 0
	for _, m := range w.machines {
		m.slow, m.failing, m.isolated = fastest, 0, false
		m.heal()
		if m.proc != nil && m.proc.paused {
			m.clocks.start(m.stopped)
			w.resume(m.proc)
		}
	}
	w.keepUp()
}

// keepUp starts a process for each host that has none, and looks again after a while: one may just have been shutting down.
func (w *world) keepUp() {
	for _, m := range w.machines {
		if !m.client && m.host != 0 && !w.hostRuns(m.host) {
			m.start()
		}
	}
	w.after(leaseT/2, w.keepUp)
}

// stopMachine pauses the process of a machine for a while; its clocks do what they do.
func (w *world) stopMachine(m *machine, how stop) {
	p := m.proc
	if p == nil || p.paused {
		return
	}
	d := w.between(0, 3*leaseT)
	w.fault([]string{"freeze", "suspend", "clocks-stop"}[how], "%s for %v", p.name, d)
	w.pause(p)
	m.stopped = how
	if how != clocksRun {
		m.clocks.halt()
	}
	w.after(d, func() {
		if !p.dead && p.paused {
			m.clocks.start(how)
			w.fault("resume", "%s", p.name)
			w.resume(p)
		}
	})
}

func (w *world) freeze(m *machine)     { w.stopMachine(m, clocksRun) }
func (w *world) suspend(m *machine)    { w.stopMachine(m, machineSleep) }
func (w *world) stopClocks(m *machine) { w.stopMachine(m, clocksStop) }

// restart starts the machine's process after a while, unless somebody did before.
func (w *world) restart(m *machine, within time.Duration) {
	w.after(w.between(0, within), func() {
		if !w.calm && !w.hostRuns(m.host) {
			m.start()
		}
	})
}

func (w *world) hostRuns(host holdfast.HostID) bool {
	for _, m := range w.machines {
		if m.host == host && m.proc != nil {
			return true
		}
	}
	return false
}

func (w *world) killProcess(m *machine) {
	if m.proc == nil {
		return
	}
	w.fault("kill", "%s", m.proc.name)
	w.kill(m.proc)
	w.restart(m, leaseT/[]time.Duration{1, 1000}[w.rng.IntN(2)])
}

func (w *world) crashMachine(m *machine) {
	w.fault("crash", "%s", m.name)
	m.crash()
	w.restart(m, 2*leaseT)
}

func (w *world) cut(m *machine, soft bool) {
	if m.cut {
		return
	}
	d := w.between(0, 3*leaseT)
	w.fault("cut", "%s from the mount for %v, soft %v", m.name, d, soft)
	m.mount.cut, m.soft = true, soft
	w.after(d, func() { w.fault("heal", "%s", m.name); m.heal() })
}

func (w *world) cutHard(m *machine) { w.cut(m, false) }
func (w *world) cutSoft(m *machine) { w.cut(m, true) }

func (w *world) isolate(m *machine) {
	d := w.between(0, 2*leaseT)
	w.fault("isolate", "%s for %v", m.name, d)
	m.isolated = true
	w.after(d, func() { m.isolated = false })
}

func (w *world) slowDown(m *machine) {
	m.slow = w.between(fastest, leaseT)
	w.fault("slow", "%s: up to %v", m.name, m.slow)
	w.after(w.between(0, 4*leaseT), func() { m.slow = fastest })
}

func (w *world) failSyncs(m *machine) {
	m.failing = 1 + w.rng.IntN(3)
	w.fault("fail-syncs", "%s: %d", m.name, m.failing)
}

// shutDown ends a process in good order; it is killed if that takes too long.
func (w *world) shutDown(m *machine) {
	p := m.proc
	if p == nil || p.stopping {
		return
	}
	w.fault("shut-down", "%s", p.name)
	p.stopping = true
	w.run(p, func() { close(p.node.stop) })
	w.after(2*leaseT, func() { w.kill(p) })
	w.restart(m, 3*leaseT)
}

func (w *world) moveAway(m *machine) {
	if m.proc == nil {
		return
	}
	id := services()[w.rng.IntN(2)]
	w.fault("move", "%s away from %s", serviceName(id), m.proc.name)
	k := m.proc.node.keepers[id]
	w.run(m.proc, func() {
		select {
		case k.move <- struct{}{}:
		default:
		}
	})
}

func (w *world) forceTake(m *machine) {
	if m.proc == nil {
		return
	}
	id := services()[w.rng.IntN(2)]
	w.fault("force", "%s to %s", serviceName(id), m.proc.name)
	m.proc.node.keepers[id].force.Store(true)
}

// twin starts a process of the same host elsewhere, where it cannot see the machine-wide lock: another container.
func (w *world) twin(m *machine) {
	spare := w.machines[w.opt.Hosts]
	if spare.proc != nil {
		w.kill(spare.proc)
	}
	spare.host = m.host
	w.fault("twin", "of host %d on %s", m.host, spare.name)
	spare.start()
}

// powerFails ends all machines and the server at once: what was not synced is lost.
func (w *world) powerFails(*machine) {
	if w.chance(700) {
		return // seldom
	}
	w.fault("power", "fails everywhere")
	for _, m := range w.machines {
		if m.client {
			continue // they live elsewhere
		}
		m.crash()
		w.restart(m, leaseT)
	}
	w.site++
	w.disk = w.disk.Crash(w.rng.Uint64())
}
