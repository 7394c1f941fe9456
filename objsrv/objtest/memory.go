package objtest

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"
	"time"

	"holdfast"
)

// Memory is a [holdfast.ObjectService] that keeps everything in memory, for tests of what stands on one. It keeps the
// contract, pins included, but nothing survives it.
type Memory struct {
	self holdfast.ServiceID
	now  func() time.Time

	mu      sync.Mutex // guards all below
	next    uint64
	objects map[holdfast.ObjectID]*memObject
	order   []holdfast.ObjectID // ascending; freed ones are left out
}

type memObject struct {
	data    []byte // never changed
	info    holdfast.ObjectInfo
	freed   bool
	readers int
	until   time.Time // pinned
}

var _ holdfast.ObjectService = (*Memory)(nil)

// NewMemory returns an empty store. now may be nil.
func NewMemory(self holdfast.ServiceID, now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	return &Memory{self: self, now: now, objects: make(map[holdfast.ObjectID]*memObject)}
}

// pieceBytes bounds one read of a body, as the contract says.
const pieceBytes = 8 << 20

// Create implements [holdfast.ObjectService].
func (m *Memory) Create(ctx context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	const op = "memory.create"
	if req.Home >= holdfast.Slots || req.Size < -1 {
		return holdfast.Link{}, holdfast.E(op, holdfast.Invalid, fmt.Errorf("home %d, size %d", req.Home, req.Size))
	}
	if req.Size > holdfast.MaxObjectSize {
		return holdfast.Link{}, holdfast.E(op, holdfast.TooLarge, nil)
	}
	data, err := readBody(ctx, req.Size, body)
	if err != nil {
		return holdfast.Link{}, err
	}
	link := holdfast.Link{OS: m.self, Home: req.Home, Size: int64(len(data))}
	if len(data) == 0 {
		return link, nil
	}
	link.CRC = crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	link.Object = holdfast.ObjectID{Epoch: 1, Counter: m.next}
	m.objects[link.Object] = &memObject{data: data, info: holdfast.ObjectInfo{
		Object: link.Object, Home: req.Home, Size: link.Size, CRC: link.CRC, Created: m.now(), Stored: link.Size,
	}}
	m.order = append(m.order, link.Object)
	return link, nil
}

func readBody(ctx context.Context, size int64, body io.Reader) ([]byte, error) {
	const op = "memory.create"
	var data []byte
	piece := make([]byte, min(pieceBytes, 64<<10))
	for {
		if ctx.Err() != nil {
			return nil, holdfast.E(op, holdfast.Aborted, ctx.Err())
		}
		n, err := body.Read(piece)
		data = append(data, piece[:n]...)
		switch {
		case err == io.EOF && size >= 0 && int64(len(data)) != size:
			return nil, holdfast.E(op, holdfast.Aborted, fmt.Errorf("the body has %d of %d bytes", len(data), size))
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		case size >= 0 && int64(len(data)) > size:
			return nil, holdfast.E(op, holdfast.Aborted, fmt.Errorf("the body has more than %d bytes", size))
		case len(data) > holdfast.MaxObjectSize:
			return nil, holdfast.E(op, holdfast.TooLarge, nil)
		}
	}
}

// Read implements [holdfast.ObjectService].
func (m *Memory) Read(ctx context.Context, req holdfast.ReadRequest, w io.Writer) (int64, error) {
	const op = "memory.read"
	o, err := m.open(req.Object)
	if err != nil {
		return 0, err
	}
	defer m.close(req.Object, o)
	size := int64(len(o.data))
	if req.Offset < 0 || req.Length < 0 || req.Offset > size || req.Length > size-req.Offset {
		return 0, &holdfast.Error{Op: op, Kind: holdfast.Invalid, ID: req.Object.String()}
	}
	if ctx.Err() != nil {
		return 0, holdfast.E(op, holdfast.Aborted, ctx.Err())
	}
	n, err := w.Write(o.data[req.Offset : req.Offset+req.Length])
	return int64(n), err
}

func (m *Memory) open(id holdfast.ObjectID) (*memObject, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[id]
	if o == nil || (o.freed && !o.until.After(m.now())) {
		return nil, &holdfast.Error{Op: "memory.read", Kind: holdfast.NotFound, ID: id.String()}
	}
	o.readers++
	return o, nil
}

func (m *Memory) close(id holdfast.ObjectID, o *memObject) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o.readers--
	m.dropLocked(id, o)
}

// dropLocked forgets a freed object that nobody needs any more.
func (m *Memory) dropLocked(id holdfast.ObjectID, o *memObject) {
	if o.freed && o.readers == 0 && !o.until.After(m.now()) {
		delete(m.objects, id)
	}
}

// Pin implements [holdfast.ObjectService].
func (m *Memory) Pin(ctx context.Context, ids []holdfast.ObjectID, ttl time.Duration) error {
	if len(ids) > holdfast.MaxObjectIDs || ttl < 0 {
		return holdfast.E("memory.pin", holdfast.Invalid, nil)
	}
	var missing error
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		o := m.objects[id]
		if o == nil || (o.freed && !o.until.After(m.now())) {
			missing = &holdfast.Error{Op: "memory.pin", Kind: holdfast.NotFound, ID: id.String()}
			continue
		}
		if until := m.now().Add(min(ttl, holdfast.MaxPin)); until.After(o.until) {
			o.until = until
		}
	}
	return missing
}

// Free implements [holdfast.ObjectService].
func (m *Memory) Free(ctx context.Context, ids []holdfast.ObjectID) error {
	if len(ids) > holdfast.MaxObjectIDs {
		return holdfast.E("memory.free", holdfast.TooLarge, nil)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		o := m.objects[id]
		if o == nil || o.freed {
			continue
		}
		o.freed = true
		if i, ok := m.find(id); ok {
			m.order = slices.Delete(m.order, i, i+1)
		}
		m.dropLocked(id, o)
	}
	return nil
}

// find returns where in order the id is or would be.
func (m *Memory) find(id holdfast.ObjectID) (int, bool) {
	return slices.BinarySearchFunc(m.order, id, func(a, b holdfast.ObjectID) int {
		switch {
		case a.Less(b):
			return -1
		case b.Less(a):
			return 1
		}
		return 0
	})
}

// Stat implements [holdfast.ObjectService].
func (m *Memory) Stat(ctx context.Context, ids []holdfast.ObjectID) ([]holdfast.ObjectInfo, error) {
	if len(ids) > holdfast.MaxObjectIDs {
		return nil, holdfast.E("memory.stat", holdfast.TooLarge, nil)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	infos := make([]holdfast.ObjectInfo, len(ids))
	for i, id := range ids {
		if o := m.objects[id]; o != nil && !o.freed {
			infos[i] = o.info
		} else {
			infos[i] = holdfast.ObjectInfo{Object: id, Size: -1}
		}
	}
	return infos, nil
}

// Objects implements [holdfast.ObjectService].
func (m *Memory) Objects(ctx context.Context, after holdfast.ObjectID, limit int) ([]holdfast.ObjectInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.find(after)
	if ok {
		at++
	}
	var infos []holdfast.ObjectInfo
	for ; at < len(m.order) && len(infos) < limit; at++ {
		infos = append(infos, m.objects[m.order[at]].info)
	}
	return infos, nil
}

// Status implements [holdfast.ObjectService].
func (m *Memory) Status(ctx context.Context) (holdfast.ObjectStatus, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var st holdfast.ObjectStatus
	for _, id := range m.order {
		st.Objects++
		st.Bytes += m.objects[id].info.Size
	}
	st.Allocated, st.Reserved, st.Free = st.Bytes, st.Bytes, 1<<40
	return st, nil
}

// Settle marks objects settled, as a sweep does that was told they are committed.
func (m *Memory) Settle(ids []holdfast.ObjectID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if o := m.objects[id]; o != nil {
			o.info.Settled = true
		}
	}
}
