package objrpc

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"
	"time"

	"holdfast"
)

// memStore is an object service in memory that keeps the contract, with hooks for what a test wants to go wrong.
type memStore struct {
	id holdfast.ServiceID

	// Set before use.
	createFunc func(context.Context, holdfast.CreateRequest, io.Reader) (holdfast.Link, error)
	readFunc   func(context.Context, holdfast.ReadRequest, io.Writer) (int64, error)
	freeFunc   func(context.Context, []holdfast.ObjectID) error

	mu      sync.Mutex
	next    uint64
	objects map[holdfast.ObjectID]memObject // guarded by mu
}

type memObject struct {
	data []byte
	home holdfast.Slot
	made time.Time
}

func newMemStore(id holdfast.ServiceID) *memStore {
	return &memStore{id: id, objects: make(map[holdfast.ObjectID]memObject)}
}

func (m *memStore) Create(ctx context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	if m.createFunc != nil {
		return m.createFunc(ctx, req, body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return holdfast.Link{}, err
	}
	if req.Size >= 0 && int64(len(data)) != req.Size {
		return holdfast.Link{}, holdfast.E("mem.create", holdfast.Aborted, nil)
	}
	if len(data) == 0 {
		return holdfast.Link{OS: m.id, Home: req.Home}, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	id := holdfast.ObjectID{Epoch: 1, Counter: m.next}
	m.objects[id] = memObject{data: data, home: req.Home, made: time.Now().UTC()}
	return holdfast.Link{OS: m.id, Object: id, Home: req.Home, Size: int64(len(data)), CRC: crc32.Checksum(data, castagnoli)}, nil
}

func (m *memStore) get(id holdfast.ObjectID) (memObject, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[id]
	return o, ok
}

func (m *memStore) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.objects)
}

func (m *memStore) Read(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	if m.readFunc != nil {
		return m.readFunc(ctx, req, w)
	}
	o, ok := m.get(req.Object)
	if !ok {
		return 0, &holdfast.Error{Op: "mem.read", Kind: holdfast.NotFound, ID: req.Object.String()}
	}
	if req.Offset < 0 || req.Length < 0 || req.Offset > int64(len(o.data))-req.Length {
		return 0, holdfast.E("mem.read", holdfast.Invalid, nil)
	}
	return io.Copy(w, bytes.NewReader(o.data[req.Offset:req.Offset+req.Length]))
}

func (m *memStore) Pin(_ context.Context, ids []holdfast.ObjectID, _ time.Duration) error {
	for _, id := range ids {
		if _, ok := m.get(id); !ok {
			return &holdfast.Error{Op: "mem.pin", Kind: holdfast.NotFound, ID: id.String()}
		}
	}
	return nil
}

func (m *memStore) Free(ctx context.Context, ids []holdfast.ObjectID) error {
	if m.freeFunc != nil {
		return m.freeFunc(ctx, ids)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.objects, id)
	}
	return nil
}

func (m *memStore) Stat(_ context.Context, ids []holdfast.ObjectID) ([]holdfast.ObjectInfo, error) {
	infos := make([]holdfast.ObjectInfo, len(ids))
	for i, id := range ids {
		infos[i] = m.info(id)
	}
	return infos, nil
}

func (m *memStore) info(id holdfast.ObjectID) holdfast.ObjectInfo {
	o, ok := m.get(id)
	if !ok {
		return holdfast.ObjectInfo{Object: id, Size: -1}
	}
	return holdfast.ObjectInfo{Object: id, Home: o.home, Size: int64(len(o.data)), Created: o.made,
		CRC: crc32.Checksum(o.data, castagnoli), Stored: int64(len(o.data)+4095) &^ 4095}
}

func (m *memStore) Objects(_ context.Context, after holdfast.ObjectID, limit int) ([]holdfast.ObjectInfo, error) {
	m.mu.Lock()
	var ids []holdfast.ObjectID
	for id := range m.objects {
		if after.Less(id) {
			ids = append(ids, id)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(ids, func(a, b holdfast.ObjectID) int { return int(a.Counter) - int(b.Counter) })
	return m.Stat(context.Background(), ids[:min(limit, len(ids))])
}

func (m *memStore) Status(context.Context) (holdfast.ObjectStatus, error) {
	return holdfast.ObjectStatus{Objects: int64(m.count()), Free: 1 << 40}, nil
}

// discard is a service whose Create swallows bodies and whose Read invents bytes, at no cost: for benchmarks.
type discard struct {
	memStore
	zeros []byte
}

func (d *discard) Create(_ context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	var crc uint32
	var total int64
	buf := d.zeros[:min(int64(len(d.zeros)), max(req.Size, 1))]
	for {
		n, err := body.Read(buf)
		total += int64(n)
		crc = crc32.Update(crc, castagnoli, buf[:n])
		if err == io.EOF {
			return holdfast.Link{OS: d.id, Object: holdfast.ObjectID{Epoch: 1, Counter: 1}, Size: total, CRC: crc}, nil
		}
		if err != nil {
			return holdfast.Link{}, fmt.Errorf("discard: %w", err)
		}
	}
}

func (d *discard) Read(_ context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	var total int64
	for total < req.Length {
		n, err := w.Write(d.zeros[:min(int64(len(d.zeros)), req.Length-total)])
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
