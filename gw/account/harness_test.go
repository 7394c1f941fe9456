package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/gw/keyring"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
)

// newVolume opens a volume on two name servers and an object server in memory.
func newVolume(t testing.TB) *volume.Volume {
	t.Helper()
	ids := []holdfast.ServiceID{holdfast.NewServiceID(holdfast.TypeNameServer, 1), holdfast.NewServiceID(holdfast.TypeNameServer, 2)}
	slots := volume.NewSlotMap(ids...)
	direct := volume.NewDirect(slots)
	for _, id := range ids {
		direct.SetName(id, nametest.New(nil, slots.Held(id)...))
	}
	os := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	direct.SetObject(os, objtest.NewMemory(os, nil))
	v, err := volume.Open(volume.Options{Services: direct, RetryFor: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func newRing(t testing.TB) *keyring.Ring {
	t.Helper()
	var key [keyring.KeySize]byte
	_, _ = rand.Read(key[:]) // documented never to fail
	ring, err := new(keyring.Ring).With("test:" + base64.StdEncoding.EncodeToString(key[:]))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// testRoot is the root user of the tests.
var testRoot = Root{ID: "0000000000000001", Name: "root", AccessKey: "ROOTKEY", Secret: "rootsecret"}

// pair is two stores on one volume, as two gateways have them.
type pair struct {
	volume *volume.Volume
	here   *Store
	there  *Store
}

func newPair(t testing.TB) *pair {
	v := newVolume(t)
	o := Options{Volume: v, Keys: newRing(t), Root: testRoot}
	return &pair{v, New(o), New(o)}
}

// must fails the test on an error.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// signs checks whether a key signs at a store.
func signs(t testing.TB, s *Store, accessKey string, want bool) Identity {
	t.Helper()
	id, ok, err := s.Identity(t.Context(), accessKey)
	if err != nil || ok != want {
		t.Errorf("identity of %s: got %v, %v; want %v", accessKey, ok, err, want)
	}
	return id
}

func wantKind(t testing.TB, err error, want holdfast.Kind) {
	t.Helper()
	if !holdfast.Is(err, want) {
		t.Errorf("got %v (%v), want %v", err, holdfast.KindOf(err), want)
	}
}

// faulty are records whose step with a number fails, either before it takes effect or after.
type faulty struct {
	records
	mu      sync.Mutex
	steps   int // made so far
	failAt  int // -1: never
	applied bool
	dead    bool // after the failure: every step fails, as of a process that died
}

var errFault = &holdfast.Error{Op: "test", Kind: holdfast.Unknown, Err: errors.New("fault of the test")}

// step counts a step; it returns whether it takes effect and whether it fails.
func (f *faulty) step() (happens, fails bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return false, true
	}
	f.steps++
	if f.steps-1 != f.failAt {
		return true, false
	}
	f.dead = true
	return f.applied, true
}

func (f *faulty) do(change func() error) error {
	happens, fails := f.step()
	var err error
	if happens {
		err = change()
	}
	if fails {
		return errFault
	}
	return err
}

func (f *faulty) write(ctx context.Context, key, value string, was holdfast.ETag) error {
	return f.do(func() error { return f.records.write(ctx, key, value, was) })
}

func (f *faulty) drop(ctx context.Context, key string, was holdfast.ETag) error {
	return f.do(func() error { return f.records.drop(ctx, key, was) })
}

func (f *faulty) bump(ctx context.Context) error {
	return f.do(func() error { return f.records.bump(ctx) })
}

func (f *faulty) read(ctx context.Context, key string) (volume.Record, error) {
	f.mu.Lock()
	dead := f.dead
	f.mu.Unlock()
	if dead {
		return volume.Record{}, errFault
	}
	return f.records.read(ctx, key)
}
