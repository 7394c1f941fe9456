package discovery

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/namesrv/namerpc"
	"holdfast/namesrv/nametest"
	"holdfast/wire"
)

const (
	me   = holdfast.HostID(1)
	them = holdfast.HostID(2)
	ns   = holdfast.ServiceID(0x0800000000000002)
	obj  = holdfast.ServiceID(0x1000000000000003)
	vol  = holdfast.VolumeID(0x0100000000000001)
)

func conf() config.Config {
	return config.Single(me, vol, []holdfast.ServiceID{ns}, []holdfast.ServiceID{obj})
}

// files is a source whose answers are set.
type files struct {
	mu     sync.Mutex
	owners map[holdfast.ServiceID]confrpc.Owner
	asked  atomic.Int32
	hang   chan struct{} // not nil: answers wait for it
}

func (f *files) set(o confrpc.Owner) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owners[o.Service] = o
}

func (f *files) Owners(ctx context.Context, _ string, ids []holdfast.ServiceID) []confrpc.Owner {
	f.asked.Add(1)
	if f.hang != nil {
		<-f.hang
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []confrpc.Owner
	for _, id := range ids {
		o := f.owners[id]
		o.Service = id
		found = append(found, o)
	}
	return found
}

func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address, append(wire.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
}

func open(t *testing.T, src *files) *Discovery {
	t.Helper()
	if src.owners == nil {
		src.owners = map[holdfast.ServiceID]confrpc.Owner{}
	}
	d := New(Options{Self: me, Source: src, Dial: dial})
	d.SetConfig(conf())
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestHintsOfOlderEpochsAreNotNews(t *testing.T) {
	d := open(t, &files{})
	owner := func(e holdfast.Epoch, at string) confrpc.Owner {
		return confrpc.Owner{Service: ns, Epoch: e, Host: them, Address: at}
	}
	for _, c := range []struct {
		hint confrpc.Owner
		news bool
	}{
		{owner(3, "a:1"), true}, {owner(3, "a:1"), false}, {owner(2, "b:1"), false}, {owner(4, "b:1"), true},
		{confrpc.Owner{Service: ns, Epoch: 9}, false}, {confrpc.Owner{Service: 77, Epoch: 9, Host: them, Address: "c:1"}, false},
	} {
		if got := d.Learn(c.hint); got != c.news {
			t.Errorf("%+v: news %v, want %v", c.hint, got, c.news)
		}
	}
	if o := d.Owners([]holdfast.ServiceID{ns, obj}); len(o) != 1 || o[0] != owner(4, "b:1") {
		t.Errorf("owners: %+v", o)
	}
}

// An engine of this process is called directly, whatever is said of its owner.
func TestOpenHereIsCalledDirectly(t *testing.T) {
	d := open(t, &files{})
	d.Learn(confrpc.Owner{Service: ns, Epoch: 9, Host: them, Address: "192.0.2.1:1"})
	engine := nametest.New(nil, nametest.Slots()...)
	d.SetName(ns, engine)
	if got, err := d.Volume(vol).NameServer(t.Context(), ns); err != nil || got != holdfast.NameService(engine) {
		t.Errorf("got %v, %v; want the engine", got, err)
	}
	d.SetName(ns, nil)
	if got, err := d.Volume(vol).NameServer(t.Context(), ns); err != nil || got == holdfast.NameService(engine) {
		t.Errorf("after it closed: got %v, %v; want the way to the other host", got, err)
	}
}

// serve answers for a name server on a port of this machine.
func serve(t *testing.T, s holdfast.NameService) (address string, names *namerpc.Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	names = namerpc.NewServer()
	names.Add(ns, s)
	server := grpc.NewServer(wire.ServerOptions()...)
	names.Register(server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends by Stop
	}()
	t.Cleanup(func() { server.Stop(); <-done })
	return l.Addr().String(), names
}

// A call to an owner of old fails, and the next after a refresh reaches the new one.
func TestRefreshAfterNotOwner(t *testing.T) {
	src := &files{owners: map[holdfast.ServiceID]confrpc.Owner{}}
	d := open(t, src)
	engine := nametest.New(nil, nametest.Slots()...)
	first, names := serve(t, engine)
	second, _ := serve(t, engine)
	d.Learn(confrpc.Owner{Service: ns, Epoch: 1, Host: them, Address: first})
	call := func() error {
		s, err := d.Volume(vol).NameServer(t.Context(), ns)
		if err == nil {
			_, err = s.Status(t.Context())
		}
		return err
	}
	if err := call(); err != nil {
		t.Fatal(err)
	}
	names.Remove(ns)
	src.set(confrpc.Owner{Service: ns, Epoch: 2, Host: 3, Address: second})
	if err := call(); !holdfast.Is(err, holdfast.NotOwner) {
		t.Fatalf("after the move: %v, want NotOwner", err)
	}
	if err := d.Volume(vol).Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := call(); err != nil {
		t.Errorf("after the refresh: %v", err)
	}
}

// However many callers fail, one look serves them all, and looks keep their pace.
func TestNoHerd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &files{}
		d := open(t, src)
		time.Sleep(pace) // virtual
		const rounds = 10
		for range rounds {
			var all sync.WaitGroup
			for range 200 {
				all.Go(func() {
					for range 5 {
						if err := d.Volume(vol).Refresh(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			time.Sleep(pace)
		}
		if n := src.asked.Load(); n < 1 || n > rounds+1 {
			t.Errorf("the source was asked %d times by %d refreshes in %d rounds", n, rounds*1000, rounds)
		}
	})
}

// A storage that hangs holds a refresh up for a bounded time, and is not asked twice at once.
func TestStorageThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &files{hang: make(chan struct{})}
		d := open(t, src)
		time.Sleep(pace)
		for range 3 {
			began := time.Now()
			if err := d.Volume(vol).Refresh(t.Context()); err != nil || time.Since(began) > lookWithin {
				t.Errorf("%v after %v", err, time.Since(began))
			}
			time.Sleep(pace)
		}
		if n := src.asked.Load(); n != 1 {
			t.Errorf("the storage was asked %d times while it hung", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.Volume(vol).Refresh(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		close(src.hang)
	})
}

// Slot maps and object servers follow the configuration at once; services of which nothing is known are Unavailable.
func TestConfigurationTakesEffect(t *testing.T) {
	d := open(t, &files{})
	view := d.Volume(vol)
	if view.SlotMap()[0] != ns || len(view.ObjectServers()) != 1 {
		t.Fatalf("slot 0 at %s, %d object servers", view.SlotMap()[0], len(view.ObjectServers()))
	}
	c, err := conf().WithObjectServers(vol, "stor1", 2)
	if err != nil {
		t.Fatal(err)
	}
	d.SetConfig(c)
	if n := len(view.ObjectServers()); n != 3 {
		t.Errorf("%d object servers, want 3", n)
	}
	for _, id := range append(view.ObjectServers(), 0x1000000000000099) {
		if _, err := view.ObjectServer(t.Context(), id); !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("%s: %v, want Unavailable", id, err)
		}
	}
}
