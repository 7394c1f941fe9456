package membertest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast"
	"holdfast/membership/takeover"
)

// objects is a small object server: bytes in blocks of pool files, an index of them, an allocator. Its rows are
//
//	o/<object>  <epoch of the file> <block> <created> <guarded or settled>
type objects struct {
	n      *node
	name   string
	own    *takeover.Ownership
	fence  holdfast.Fence
	off    Rules
	commit *committer
	pools  *pools

	mu   sync.RWMutex // guards what follows
	view map[string]string
	next uint64 // counter of the next object
}

// guardPeriod is how long an object may wait for its name.
const guardPeriod = 2 * leaseT

func openObjects(n *node, name string, own *takeover.Ownership, fence holdfast.Fence, st *store) (*objects, error) {
	e := &objects{n: n, name: name, own: own, fence: fence, off: n.w.opt.Off, view: maps.Clone(st.rows), next: 1}
	undrained := own.Undrained
	if e.off.Has(R4) {
		undrained = nil
	}
	var used []place
	for _, key := range slices.Sorted(maps.Keys(st.rows)) {
		used = append(used, parseObject(st.rows[key]).place)
	}
	var err error
	if e.pools, err = openPools(n.engineFS(), own.PoolsDir, own.Epoch, undrained, used, n.w.powers.directPools); err != nil {
		return nil, err
	}
	e.commit = newCommitter(n.p, name, fence, st, e.show)
	go e.sweep()
	return e, nil
}

func (e *objects) close() *committer { e.commit.close(); return e.commit }

func (e *objects) show(rows []row) { showRows(&e.mu, e.view, rows) }

// object is a row of the index.
type object struct {
	place
	created time.Duration
	settled bool
}

func (o object) String() string {
	state := "guarded"
	if o.settled {
		state = "settled"
	}
	return fmt.Sprintf("%d %d %d %s", o.epoch, o.block, o.created, state)
}

func parseObject(value string) (o object) {
	var state string
	_, _ = fmt.Sscanf(value, "%d %d %d %s", &o.epoch, &o.block, &o.created, &state) // written by String
	o.settled = state == "settled"
	return o
}

func (e *objects) handle(m message) answer {
	switch m.op {
	case opCreate:
		return e.create(m)
	case opRead:
		return e.read(m.object)
	case opFree:
		return answer{err: e.free(m.id, m.object)}
	}
	return answer{err: holdfast.E("objects", holdfast.Invalid, nil)}
}

// create stores bytes in a block and answers with the new object's id.
func (e *objects) create(m message) answer {
	if err := e.fence.Held(); err != nil { // R2
		return answer{err: err}
	}
	e.mu.Lock()
	id := fmt.Sprintf("%d-%d", e.own.Epoch, e.next)
	e.next++
	e.mu.Unlock()
	at := e.pools.alloc()
	file, err := e.pools.write(at, encodeBlock(id, m.key, m.seq))
	if err != nil {
		// The block stays taken: the write may still land.
		return answer{err: holdfast.E("create", holdfast.Unavailable, err)}
	}
	o := object{place: at, created: e.n.p.m.clocks.wall()}
	err = e.commit.submit(&job{label: m.id, file: file, eval: func(map[string]string) ([]row, error) {
		return []row{{"o/" + id, o.String()}}, nil
	}})
	return answer{err: err, object: id}
}

// read returns the bytes of an object: R2 at both ends, and what is in the block is compared with the index.
func (e *objects) read(id string) answer {
	if err := e.fence.Held(); err != nil {
		return answer{err: err}
	}
	value := e.lookup(id)
	if value == "" {
		if err := e.fence.Held(); err != nil {
			return answer{err: err}
		}
		return answer{err: holdfast.E("read", holdfast.NotFound, nil)}
	}
	b, err := e.pools.read(parseObject(value).place)
	if err != nil {
		return answer{err: holdfast.E("read", holdfast.Unavailable, err)}
	}
	if err := e.fence.Held(); err != nil {
		return answer{err: err}
	}
	got, key, seq, ok := decodeBlock(b)
	if ok && got == id {
		return answer{key: key, seq: seq}
	}
	if e.lookup(id) != value {
		return answer{err: holdfast.E("read", holdfast.NotFound, nil)} // freed meanwhile
	}
	if err := e.own.Fence.Confirm(); err != nil {
		return answer{err: err} // a successor may have used the block again
	}
	return answer{err: &holdfast.Error{Op: "read", Kind: holdfast.Corrupt, ID: id, Err: fmt.Errorf("block %v holds %.60q", value, bytes.TrimRight(b, "\x00"))}}
}

func (e *objects) lookup(id string) string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.view["o/"+id]
}

// free removes objects from the index. R3: their blocks are used again only once that is durable.
func (e *objects) free(label, id string) error {
	if err := e.fence.Held(); err != nil { // R2, before destructive work
		return err
	}
	if value := e.lookup(id); value != "" && e.off.Has(R3) { // used again at once, and written down some time
		e.pools.release(parseObject(value).place)
		if !e.n.p.sleep("lazy free "+id, 0, leaseT/2) {
			return errDead
		}
	}
	var freed *place
	err := e.commit.submit(&job{label: label, later: true, eval: func(rows map[string]string) ([]row, error) {
		value := rows["o/"+id]
		if value == "" {
			return nil, nil
		}
		at := parseObject(value).place
		freed = &at
		return []row{{"o/" + id, ""}}, nil
	}})
	if err == nil && freed != nil && !e.off.Has(R3) {
		e.pools.release(*freed)
	}
	return err
}

// sweep asks for the fates of objects that were guarded for too long. R5: only one that is doomed is freed.
func (e *objects) sweep() {
	for e.n.p.sleep("sweep "+e.name, leaseT/2, leaseT) {
		select {
		case <-e.commit.done:
			return
		default:
		}
		e.mu.RLock()
		var due []string
		for _, key := range slices.Sorted(maps.Keys(e.view)) {
			o := parseObject(e.view[key])
			if !o.settled && e.n.p.m.clocks.wall()-o.created > guardPeriod {
				due = append(due, strings.TrimPrefix(key, "o/"))
			}
		}
		e.mu.RUnlock()
		for _, id := range due {
			e.settle(id)
		}
	}
}

func (e *objects) settle(id string) {
	a := e.n.ask(message{service: nameService, op: opSettle, object: id}, "settle "+id)
	switch {
	case a.err == nil && a.fate == fateCommitted:
		_ = e.commit.submit(&job{label: "settled " + id, later: true, eval: func(rows map[string]string) ([]row, error) {
			o := parseObject(rows["o/"+id])
			if rows["o/"+id] == "" || o.settled {
				return nil, nil
			}
			o.settled = true
			return []row{{"o/" + id, o.String()}}, nil
		}}) // asked again if it fails
	case a.err == nil && a.fate == fateDoomed, a.err != nil && e.off.Has(R5):
		_ = e.free("doomed "+id, id) // as above
	}
}
