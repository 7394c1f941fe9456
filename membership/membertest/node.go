package membertest

import (
	"context"
	"fmt"
	"io"
	"time"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/takeover"
	"holdfast/storage"
)

// The services of the model: one for names, one for bytes.
const (
	nameService   = holdfast.ServiceID(0x0800000000000001)
	objectService = holdfast.ServiceID(0x1000000000000001)

	root   = "/r"
	leaseT = 10 * time.Second
)

func services() []holdfast.ServiceID { return []holdfast.ServiceID{nameService, objectService} }

func serviceName(id holdfast.ServiceID) string {
	if id == nameService {
		return "NS"
	}
	return "OS"
}

// node is a host's process: the real membership.Host, and for each service a keeper that wants to own it.
type node struct {
	w       *world
	p       *process
	fs      storage.FS
	host    *membership.Host
	keepers map[holdfast.ServiceID]*keeper
	routes  *routes

	stop chan struct{} // closed to end in good order
}

// startNode starts a process on a machine, in the loop.
func (w *world) startNode(m *machine, id holdfast.HostID, lock string) {
	w.runs[id]++
	p := w.newProcess(m, fmt.Sprintf("h%d.%d", id, w.runs[id]))
	n := &node{w: w, p: p, fs: mountFS{p}, stop: make(chan struct{}), keepers: map[holdfast.ServiceID]*keeper{},
		routes: newRoutes()}
	for _, s := range services() {
		n.keepers[s] = &keeper{n: n, id: s, name: serviceName(s), move: make(chan struct{}, 1)}
	}
	p.node, m.proc = n, p
	w.fault("start", "%s on %s", p.name, m.name)
	go n.run(membership.Options{
		FS: n.fs, Root: root, Host: id, Address: p.name, T: leaseT, Clock: clock{p},
		Machine: membership.Machine{Boot: m.bootID(), Lock: func(string) (io.Closer, string, error) { return noLock{}, lock, nil }},
		OnEvent: n.leaseEvent,
	})
	w.woke = true
}

// leaseEvent ends the process when it learns that another has taken its host's place.
func (n *node) leaseEvent(e heartbeat.Event) {
	if e.Superseded {
		n.p.post("superseded", func() {
			n.w.counts["superseded"]++
			n.w.kill(n.p)
		})
	}
}

// run opens the host, keeps the services until the end, and closes it.
func (n *node) run(opt membership.Options) {
	var err error
	for {
		if n.host, err = membership.Open(opt); err == nil {
			break
		}
		if !n.p.sleep("open", leaseT/20, leaseT/5) {
			return
		}
	}
	for _, id := range services() {
		for n.host.CreateService(id) != nil {
			if !n.p.sleep("create service", leaseT/20, leaseT/5) {
				_ = n.host.Close() // it is dead
				return
			}
		}
	}
	go n.configure()
	done := make(chan struct{}, len(n.keepers))
	for _, id := range services() {
		go func() {
			n.keepers[id].run()
			done <- struct{}{}
		}()
	}
	for range n.keepers {
		<-done
	}
	_ = n.host.Close() // if it fails, the others wait for the lease
	n.p.post("ended", func() { n.w.kill(n.p) })
}

// serve answers a request on a goroutine of its own.
func (n *node) serve(m message, reply func(answer)) {
	a := answer{err: holdfast.E("serve", holdfast.NotOwner, nil)}
	if e := n.keepers[m.service].serving.Load(); e != nil {
		a = (*e).handle(m)
	}
	n.p.post("answer "+m.id, func() { reply(a) })
}

// engineFS is the mount as the engines use it.
func (n *node) engineFS() storage.FS {
	if n.w.opt.Off.Has(R6) {
		return retryingFS{n.fs}
	}
	return n.fs
}

// ask sends a message to whoever owns a service, once.
func (n *node) ask(m message, id string) answer {
	m.id = id
	return n.p.send(n.routes, m)
}

// openEngine opens the engine of a service under an epoch.
func (n *node) openEngine(id holdfast.ServiceID, own *takeover.Ownership) (engine, error) {
	st, err := openStore(n.engineFS(), own.StoreDir, own.Epoch)
	if err != nil {
		return nil, err
	}
	fence := looseFence{own.Fence, n.w.opt.Off}
	name := fmt.Sprintf("%s e%d", serviceName(id), own.Epoch)
	if id == nameService {
		return openNames(n, name, fence, st), nil
	}
	return openObjects(n, name, own, fence, st)
}

// prepare is takeover.Request.Prepare.
func (n *node) prepare(dir string, create bool) error {
	if create {
		return createStore(n.fs, dir)
	}
	_, err := openStore(n.fs, dir, 0)
	return err
}

// take takes a service.
func (n *node) take(ctx context.Context, id holdfast.ServiceID, force bool) (*takeover.Ownership, error) {
	return n.host.Take(ctx, takeover.Request{Service: id, Force: force, Prepare: n.prepare})
}

// owner reads the published owner of a service.
func (p *process) owner(id holdfast.ServiceID) (holdfast.HostID, error) {
	b, err := storage.ReadFile(mountFS{p}, layout.Root(root).Service(id).OwnerFile(), layout.MaxFile)
	if err != nil {
		return 0, err
	}
	o, err := layout.ParseOwner(b)
	return o.Host, err
}
