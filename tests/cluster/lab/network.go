package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// network is one of the two that each host is in.
type network struct {
	bridge string
	port   string // begins the names of its ports in the hub
	device string // in the host
}

var (
	peers = network{"peers", "p", "peer0"}
	store = network{"store", "s", "store0"}
)

func (w network) portOf(h Host) string { return fmt.Sprintf("%s%d", w.port, h) }

const hub = "hub"

// namespace returns the name of the namespace of a host, or of the hub.
func (l *Lab) namespace(h Host) string {
	if h == 0 {
		return namespacePrefix + l.tag + "-" + hub
	}
	return fmt.Sprintf("%s%s-%d", namespacePrefix, l.tag, h)
}

func namespacePath(name string) string { return "/run/netns/" + name }

// ip runs iproute2, in a namespace if one is named.
func (l *Lab) ip(ctx context.Context, namespace string, args ...string) error {
	if namespace != "" {
		args = append([]string{"-n", namespace}, args...)
	}
	_, err := run(ctx, "ip", args...)
	return err
}

// makeNetworks makes the namespaces and joins them.
func (l *Lab) makeNetworks(ctx context.Context) error {
	center := l.namespace(0)
	errs := []error{l.ip(ctx, "", "netns", "add", center), l.ip(ctx, center, "link", "set", "lo", "up")}
	for _, w := range []network{peers, store} {
		errs = append(errs, l.ip(ctx, center, "link", "add", w.bridge, "type", "bridge"), l.ip(ctx, center, "link", "set", w.bridge, "up"))
	}
	errs = append(errs, l.ip(ctx, center, "addr", "add", hubAddress+"/24", "dev", store.bridge))
	for _, h := range l.Hosts() {
		name := l.namespace(h)
		errs = append(errs, l.ip(ctx, "", "netns", "add", name), l.ip(ctx, name, "link", "set", "lo", "up"),
			l.plug(ctx, h, peers, l.Address(h)), l.plug(ctx, h, store, l.storeAddress(h)))
	}
	return errors.Join(errs...)
}

// plug gives a host its interface in a network.
func (l *Lab) plug(ctx context.Context, h Host, w network, address string) error {
	center, name := l.namespace(0), l.namespace(h)
	return errors.Join(
		l.ip(ctx, center, "link", "add", w.portOf(h), "type", "veth", "peer", "name", w.device, "netns", name),
		l.ip(ctx, center, "link", "set", w.portOf(h), "master", w.bridge, "up"),
		l.ip(ctx, name, "addr", "add", address+"/24", "dev", w.device),
		l.ip(ctx, name, "link", "set", w.device, "up"))
}

// CutPeers makes a host and its peers unreachable for each other. The mount stays.
func (l *Lab) CutPeers(ctx context.Context, h Host) error { return l.cut(ctx, h, peers) }

// JoinPeers undoes CutPeers.
func (l *Lab) JoinPeers(ctx context.Context, h Host) error { return l.join(ctx, h, peers) }

// CutStorage takes a host out of the network of the storage: its mount reaches no server, and its storage server no mount. It is refused
// where the storage uses no network.
func (l *Lab) CutStorage(ctx context.Context, h Host) error {
	if !l.storage.Networked() {
		return fmt.Errorf("lab: cut storage: %w", errors.ErrUnsupported)
	}
	return l.cut(ctx, h, store)
}

// JoinStorage undoes CutStorage. It does not wait for the storage to find itself; see [Lab.AwaitStorage].
func (l *Lab) JoinStorage(ctx context.Context, h Host) error { return l.join(ctx, h, store) }

func (l *Lab) cut(ctx context.Context, h Host, w network) error {
	return l.ip(ctx, l.namespace(0), "link", "set", w.portOf(h), "nomaster")
}

func (l *Lab) join(ctx context.Context, h Host, w network) error {
	return l.ip(ctx, l.namespace(0), "link", "set", w.portOf(h), "master", w.bridge)
}

// Dialer returns a function that connects from inside a host, as a program there would. A socket belongs for life to the namespace it was
// made in, so only its making has to happen there. Addresses must be literal: names are looked up elsewhere.
func (l *Lab) Dialer(h Host) func(ctx context.Context, network, address string) (net.Conn, error) {
	path := namespacePath(l.namespace(h))
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		type result struct {
			conn net.Conn
			err  error
		}
		done := make(chan result, 1)
		go func() {
			var r result
			r.err = within(path, func() (err error) {
				var d net.Dialer
				r.conn, err = d.DialContext(ctx, network, address)
				return err
			})
			done <- r
		}()
		r := <-done // ctx ends the dial
		return r.conn, r.err
	}
}

// within runs f on a thread that is in a network namespace. It must be called on a goroutine of its own, which ends with it: a thread
// that cannot go back ends with its goroutine.
func within(path string, f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	there, err := os.Open(path)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter %s: %w", path, err)
	}
	err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("leave %s: %w", path, back))
	}
	runtime.UnlockOSThread()
	return err
}
