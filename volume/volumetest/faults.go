package volumetest

import (
	"context"
	"io"
	"sync"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Fault is what happens to a call.
type Fault uint8

// The faults.
const (
	NoFault     Fault = iota
	Lost              // the server never hears of it and the caller knows: Unavailable
	LostUnknown       // the server never hears of it and the caller does not know: Unknown
	Unanswered        // it takes effect, and the reply is lost: Unknown
)

// AllFaults are the faults that are one.
func AllFaults() []Fault { return []Fault{Lost, LostUnknown, Unanswered} }

// Faults is a [volume.Services] whose calls can go wrong on the way. Decide is asked for each call with its name ("apply", "create");
// it is called by one goroutine at a time.
type Faults struct {
	volume.Services

	mu     sync.Mutex
	decide func(call string) Fault
}

// Decide sets what happens to calls from now on; nil lets all through.
func (f *Faults) Decide(decide func(call string) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.decide = decide
}

func (f *Faults) fault(call string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.decide == nil {
		return NoFault
	}
	return f.decide(call)
}

// NameServer implements [volume.Services].
func (f *Faults) NameServer(ctx context.Context, id holdfast.ServiceID) (holdfast.NameService, error) {
	s, err := f.Services.NameServer(ctx, id)
	return faultyNames{s, f}, err
}

// ObjectServer implements [volume.Services].
func (f *Faults) ObjectServer(ctx context.Context, id holdfast.ServiceID) (holdfast.ObjectService, error) {
	s, err := f.Services.ObjectServer(ctx, id)
	return faultyObjects{s, f}, err
}

// through makes a call with whatever happens to it.
func through[T any](f *Faults, call string, do func() (T, error)) (T, error) {
	var none T
	switch f.fault(call) {
	case Lost:
		return none, holdfast.E("fault."+call, holdfast.Unavailable, nil)
	case LostUnknown:
		return none, holdfast.E("fault."+call, holdfast.Unknown, nil)
	case Unanswered:
		_, _ = do()
		return none, holdfast.E("fault."+call, holdfast.Unknown, nil)
	}
	return do()
}

type faultyNames struct {
	holdfast.NameService
	f *Faults
}

func (n faultyNames) Lookup(ctx context.Context, q []holdfast.Lookup) ([]holdfast.Answer, error) {
	return through(n.f, "lookup", func() ([]holdfast.Answer, error) { return n.NameService.Lookup(ctx, q) })
}

func (n faultyNames) List(ctx context.Context, r []holdfast.ListRequest) ([]holdfast.Page, error) {
	return through(n.f, "list", func() ([]holdfast.Page, error) { return n.NameService.List(ctx, r) })
}

func (n faultyNames) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	return through(n.f, "apply", func() ([]holdfast.Result, error) { return n.NameService.Apply(ctx, txs) })
}

func (n faultyNames) BucketEpoch(ctx context.Context, root holdfast.DirID) (uint64, error) {
	return through(n.f, "epoch", func() (uint64, error) { return n.NameService.BucketEpoch(ctx, root) })
}

func (n faultyNames) Usage(ctx context.Context, root holdfast.DirID) (holdfast.Usage, error) {
	return through(n.f, "usage", func() (holdfast.Usage, error) { return n.NameService.Usage(ctx, root) })
}

func (n faultyNames) Settle(ctx context.Context, os holdfast.ServiceID, o []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	return through(n.f, "settle", func() ([]holdfast.Fate, error) { return n.NameService.Settle(ctx, os, o) })
}

func (n faultyNames) Intents(ctx context.Context, after holdfast.IntentID, age time.Duration, limit int) ([]holdfast.Intent, error) {
	return through(n.f, "intents", func() ([]holdfast.Intent, error) { return n.NameService.Intents(ctx, after, age, limit) })
}

type faultyObjects struct {
	holdfast.ObjectService
	f *Faults
}

// Create is lost before the body is read, or its reply is lost.
func (o faultyObjects) Create(ctx context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	return through(o.f, "create", func() (holdfast.Link, error) { return o.ObjectService.Create(ctx, req, body) })
}

// Read is lost, or breaks off in the middle.
func (o faultyObjects) Read(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	switch fault := o.f.fault("read"); fault {
	case NoFault:
		return o.ObjectService.Read(ctx, req, w)
	case Unanswered:
		req.Length /= 2
		n, err := o.ObjectService.Read(ctx, req, w)
		if err == nil {
			err = holdfast.E("fault.read", holdfast.Unknown, nil)
		}
		return n, err
	default:
		return 0, holdfast.E("fault.read", holdfast.Unavailable, nil)
	}
}

func (o faultyObjects) Pin(ctx context.Context, ids []holdfast.ObjectID, ttl time.Duration) error {
	_, err := through(o.f, "pin", func() (struct{}, error) { return struct{}{}, o.ObjectService.Pin(ctx, ids, ttl) })
	return err
}

func (o faultyObjects) Free(ctx context.Context, ids []holdfast.ObjectID) error {
	_, err := through(o.f, "free", func() (struct{}, error) { return struct{}{}, o.ObjectService.Free(ctx, ids) })
	return err
}
