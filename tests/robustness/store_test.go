package robustness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/layout"
	"holdfast/node"
	"holdfast/storage"
	"holdfast/storage/storagetest"
	"holdfast/volume"
)

const (
	dataDir = "/data"
	// opensWithin bounds how long a store may take to open, and callsWithin how long a request may take; far more than needed.
	opensWithin = 60 * time.Second
	callsWithin = 2 * time.Minute
)

// clock runs with the machine's and can be put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) Forward(d time.Duration) { c.ahead.Add(int64(d)) }

// nobody is a lock that is always free: each store of a test has a disk of its own.
type nobody struct{}

func (nobody) Close() error { return nil }

// machine is one whose own disk the store is on. Another boot of it proves that what ran before is gone.
func machine(boot string) membership.Machine {
	return membership.Machine{
		Boot: boot, LocalDisk: true,
		Lock: func(string) (io.Closer, string, error) { return nobody{}, "lock", nil },
	}
}

// store is a node's services with a volume on them.
type store struct {
	node    *node.Node
	volume  *volume.Volume
	clock   *clock
	objects int // object servers there are
	log     *log
}

// log is what the node wrote.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// young is the age of an unfinished operation that only a request that died can have left; patient is one that no
// request under way has.
const (
	young   = time.Millisecond
	patient = time.Second
)

// open opens the store on a filesystem, made if it is not there. Requests are retried for so long, and what they leave
// unfinished is seen to at that age.
func open(fs storage.FS, boot string, c *clock, retryFor, intentAge time.Duration) (*store, error) {
	ctx, cancel := context.WithTimeout(context.Background(), opensWithin)
	defer cancel()
	if err := storage.MakeDir(fs, layout.Root(dataDir).Services()); err != nil {
		return nil, err
	}
	s := &store{clock: c, log: &log{}}
	config := node.Config{Data: dataDir, CacheBytes: 8 << 20}.WithDefaults()
	var err error
	s.node, err = node.OpenServices(ctx, config, node.Environment{
		FS: fs, Machine: machine(boot), Now: c.Now, Log: s.log, Getenv: func(string) string { return "" },
	})
	if err != nil {
		return nil, err
	}
	s.objects = len(s.node.Services().ObjectServers())
	s.volume, err = volume.Open(volume.Options{
		Services: s.node.Services(), RetryFor: retryFor, ReplaySize: 64 << 10,
		IntentEvery: 5 * time.Millisecond, IntentAge: intentAge,
	})
	return s, err
}

// ended counts stores that are being closed beside the tests: one whose world has stopped takes a while.
var ended sync.WaitGroup

// close closes the store. What is left of one whose world has stopped does not matter, and is not waited for.
func (s *store) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), callsWithin)
	defer cancel()
	err := s.volume.Close()
	if nodeErr := s.node.Close(ctx); err == nil {
		err = nodeErr
	}
	return err
}

// closeBeside closes a store whose world has stopped, and drops its disk.
func (s *store) closeBeside(disk *storagetest.CrashFS) {
	ended.Go(func() {
		_ = s.close() // a stopped world says so
		disk.Discard()
	})
}

// mustOpen opens a store that must open.
func mustOpen(t testing.TB, fs storage.FS, boot string, c *clock, intentAge time.Duration) *store {
	t.Helper()
	s, err := open(fs, boot, c, callsWithin/2, intentAge)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

// image is the disk of a store that was closed in good order; runs begin on copies of it.
type image struct {
	disk   *storagetest.CrashFS
	ledger *ledger
}

// newImage makes a store with one bucket and runs the steps that a script needs done.
func newImage(t testing.TB, prepare []step) *image {
	t.Helper()
	im := &image{disk: storagetest.NewCrash(), ledger: newLedger()}
	s := mustOpen(t, im.disk, "boot0", &clock{}, patient)
	c := &client{store: s, ledger: im.ledger, uploads: im.ledger.ids}
	for i, do := range append([]step{makeBucket(bucketName)}, prepare...) {
		if err := do(c); err != nil {
			t.Fatalf("preparing step %d: %v", i, err)
		}
	}
	if err := s.close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	return im
}

// run is a store on a copy of an image, on a mount that can fail.
type run struct {
	*client
	disk   *storagetest.CrashFS
	faults *storagetest.FaultFS
}

// start opens a store on a copy of the image.
func (im *image) start(t testing.TB, retryFor time.Duration) *run {
	t.Helper()
	disk := im.disk.Crash(1)
	faults := storagetest.NewFault(disk)
	s, err := open(faults, "boot1", &clock{}, retryFor, patient)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	l := im.ledger.clone()
	return &run{client: &client{store: s, ledger: l, uploads: l.ids}, disk: disk, faults: faults}
}

// changes returns how many calls changed something so far.
func (r *run) changes() (n int) {
	for _, c := range r.faults.Calls() {
		if c.Op.Changes() {
			n++
		}
	}
	return n
}

// awaitServices waits until all services are open.
func (s *store) awaitServices(t testing.TB) {
	t.Helper()
	eventually(t, "all services to be open", func() error {
		services := s.node.Services()
		for _, id := range services.SlotMap().Servers() {
			if _, err := services.NameServer(t.Context(), id); err != nil {
				return err
			}
		}
		if got := len(services.ObjectServers()); got != s.objects {
			return errorf("%d object servers of %d", got, s.objects)
		}
		return nil
	})
}

// objectServers returns the object servers of the store.
func (s *store) objectServers(t testing.TB) map[holdfast.ServiceID]holdfast.ObjectService {
	t.Helper()
	all := map[holdfast.ServiceID]holdfast.ObjectService{}
	for _, id := range s.node.Services().ObjectServers() {
		o, err := s.node.Services().ObjectServer(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		all[id] = o
	}
	return all
}

// nameServers returns the name servers of the store.
func (s *store) nameServers(t testing.TB) map[holdfast.ServiceID]holdfast.NameService {
	t.Helper()
	all := map[holdfast.ServiceID]holdfast.NameService{}
	for _, id := range s.node.Services().SlotMap().Servers() {
		n, err := s.node.Services().NameServer(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		all[id] = n
	}
	return all
}

// eventually polls until ok returns nil.
func eventually(t testing.TB, what string, ok func() error) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(callsWithin); ; <-tick.C {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s: %v", callsWithin, what, err)
		}
	}
}

// errorf makes eventually's polls short to write.
func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }
