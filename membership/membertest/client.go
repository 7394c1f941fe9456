package membertest

import (
	"fmt"

	"holdfast"
)

// client writes its own keys and reads everybody's, and notes what it was told in the history.
type client struct {
	w      *world
	p      *process
	keys   []string
	seq    map[string]uint64
	routes *routes
}

const keysPerClient = 2

func (w *world) startClient(i int) {
	m := w.newMachine(fmt.Sprintf("c%d", i), 0)
	m.client = true
	c := &client{w: w, p: w.newProcess(m, m.name), seq: map[string]uint64{}, routes: newRoutes()}
	m.proc = c.p
	for k := range keysPerClient {
		c.keys = append(c.keys, fmt.Sprintf("%s.%d", m.name, k))
	}
	w.history.keys = append(w.history.keys, c.keys...)
	w.clients++
	go c.run()
	w.woke = true
}

// run does what a client does until all is calm, and then writes and reads every key of its own once more.
func (c *client) run() {
	for {
		var calm, reading bool
		var key string
		err := c.p.wait("next", func(call *call) {
			calm, reading = c.w.calm, c.w.chance(600)
			keys := c.keys
			if reading {
				keys = c.w.history.keys
			}
			key = keys[c.w.rng.IntN(len(keys))]
			c.w.after(c.w.between(0, leaseT/20), func() { c.w.wake(call, nil) })
		})
		switch {
		case err != nil:
			return
		case calm:
			c.finish()
			return
		case reading:
			c.get(key)
		default:
			c.put(key)
		}
	}
}

func (c *client) finish() {
	for _, key := range c.keys {
		c.put(key)
		for !c.get(key) {
			if !c.p.sleep("again", 0, leaseT/10) {
				return
			}
		}
	}
	c.p.post("finished", func() {
		c.w.clients--
		if c.w.clients == 0 {
			c.w.served = c.w.now
			c.w.inspect()
		}
		c.w.kill(c.p)
	})
}

// put writes the next value of a key and does not give up before it is acknowledged.
func (c *client) put(key string) {
	c.seq[key]++
	seq := c.seq[key]
	c.w.history.begin(key, seq)
	object := ""
	for try := 1; ; try++ {
		label := fmt.Sprintf("%s=%d try %d", key, seq, try)
		if object == "" {
			a := c.p.send(c.routes, message{service: objectService, op: opCreate, id: "create " + label, key: key, seq: seq})
			if a.err == nil {
				object = a.object
			}
		}
		if object != "" {
			a := c.p.send(c.routes, message{service: nameService, op: opPut, id: "put " + label, key: key, seq: seq, object: object})
			if a.err == nil {
				c.p.post("acknowledged "+label, func() { c.w.counts["put"]++ })
				c.w.history.acknowledge(key, seq)
				return
			}
			if holdfast.Is(a.err, holdfast.Doomed) {
				object = "" // its bytes were given up
			}
		}
		if !c.p.sleep("retry", leaseT/100, leaseT/10) {
			return
		}
	}
}

// maxLookups bounds how often a read looks a key up again because its object was freed meanwhile.
const maxLookups = 5

// get reads a key and checks what it got. False: there was no answer.
func (c *client) get(key string) bool {
	r := c.w.history.read(key)
	last := ""
	for range maxLookups {
		name := c.p.send(c.routes, message{service: nameService, op: opGet, id: "get " + key, key: key})
		if name.err != nil || name.suspect {
			return false
		}
		if name.seq == 0 {
			c.check(r, 0)
			return true
		}
		if name.object == last { // it was bound to the key after it was not found
			c.p.violation("the object %s of %s=%d is gone", name.object, key, name.seq)
			return true
		}
		a := c.p.send(c.routes, message{service: objectService, op: opRead, id: "read " + key, object: name.object})
		switch {
		case a.suspect:
			return false
		case a.err == nil && (a.key != key || a.seq != name.seq):
			c.p.violation("%s=%d is bound to the object of %s=%d", key, name.seq, a.key, a.seq)
			return true
		case a.err == nil:
			c.check(r, name.seq)
			return true
		case holdfast.Is(a.err, holdfast.Corrupt):
			c.p.violation("the object %s of %s=%d is damaged: %v", name.object, key, name.seq, a.err)
			return true
		case !holdfast.Is(a.err, holdfast.NotFound):
			return false
		}
		last = name.object
	}
	return false
}

func (c *client) check(r reading, seq uint64) {
	if problem := c.w.history.check(r, seq); problem != "" {
		c.p.violation("%s", problem)
		return
	}
	c.p.post(fmt.Sprintf("read %s=%d", r.key, seq), func() { c.w.counts["get"]++ })
}

// violation ends the run.
func (p *process) violation(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	p.post("VIOLATION "+text, func() { p.w.fail(p.name + ": " + text) })
}
