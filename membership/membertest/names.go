package membertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"holdfast"
)

// names is a small name server: keys with a number that only grows and a link to an object, the fates of objects, and the
// queue of those to be freed. Its rows are
//
//	n/<key>     <number> <object>
//	f/<object>  committed, or doomed
//	g/<object>  garbage
type names struct {
	n      *node
	name   string
	fence  holdfast.Fence
	commit *committer

	mu   sync.RWMutex // guards view
	view map[string]string
}

func openNames(n *node, name string, fence holdfast.Fence, st *store) *names {
	e := &names{n: n, name: name, fence: fence, view: maps.Clone(st.rows)}
	e.commit = newCommitter(n.p, name, fence, st, e.show)
	go e.collect()
	return e
}

func (e *names) close() *committer { e.commit.close(); return e.commit }

func (e *names) show(rows []row) { showRows(&e.mu, e.view, rows) }

func showRows(mu *sync.RWMutex, view map[string]string, rows []row) {
	mu.Lock()
	defer mu.Unlock()
	for _, r := range rows {
		if r.value == "" {
			delete(view, r.key)
		} else {
			view[r.key] = r.value
		}
	}
}

func (e *names) handle(m message) answer {
	switch m.op {
	case opPut:
		return answer{err: e.put(m)}
	case opGet:
		return e.get(m.key)
	case opSettle:
		return e.settle(m)
	}
	return answer{err: holdfast.E("names", holdfast.Invalid, nil)}
}

// put binds a key to an object unless it is bound to that number or a later one: then it is done already.
func (e *names) put(m message) error {
	return e.commit.submit(&job{label: m.id, eval: func(rows map[string]string) ([]row, error) {
		seq, old := parseName(rows["n/"+m.key])
		if seq >= m.seq {
			return nil, nil
		}
		if rows["f/"+m.object] == fateDoomed {
			return nil, holdfast.E("put", holdfast.Doomed, nil)
		}
		changes := []row{{"n/" + m.key, fmt.Sprintf("%d %s", m.seq, m.object)}, {"f/" + m.object, fateCommitted}}
		if old != "" {
			changes = append(changes, row{"g/" + old, "garbage"})
		}
		return changes, nil
	}})
}

const (
	fateCommitted = "committed"
	fateDoomed    = "doomed"
)

func parseName(value string) (seq uint64, object string) {
	_, _ = fmt.Sscanf(value, "%d %s", &seq, &object) // both stay zero if there is no such name
	return seq, object
}

// get reads the visible state: R2 before and after.
func (e *names) get(key string) answer {
	if err := e.fence.Held(); err != nil {
		return answer{err: err}
	}
	e.mu.RLock()
	value := e.view["n/"+key]
	e.mu.RUnlock()
	if !e.n.p.yield("get " + key) {
		return answer{err: errDead}
	}
	if err := e.fence.Held(); err != nil {
		return answer{err: err}
	}
	seq, object := parseName(value)
	return answer{seq: seq, object: object}
}

// settle tells the fate of an object, and makes that of one nobody committed doomed, durably, before it tells.
func (e *names) settle(m message) answer {
	var fate string
	err := e.commit.submit(&job{label: m.id, eval: func(rows map[string]string) ([]row, error) {
		if fate = rows["f/"+m.object]; fate != "" {
			return nil, nil
		}
		fate = fateDoomed
		return []row{{"f/" + m.object, fateDoomed}}, nil
	}})
	return answer{err: err, fate: fate}
}

// collect has the garbage freed at the object server, and forgets it then.
func (e *names) collect() {
	for e.n.p.sleep("collect "+e.name, leaseT/10, leaseT/3) {
		select {
		case <-e.commit.done:
			return
		default:
		}
		e.mu.RLock()
		var garbage []string
		for _, key := range slices.Sorted(maps.Keys(e.view)) {
			if object, ok := strings.CutPrefix(key, "g/"); ok {
				garbage = append(garbage, object)
			}
		}
		e.mu.RUnlock()
		for _, object := range garbage {
			if e.fence.Held() != nil { // R2, before destructive work
				break
			}
			e.free(object)
		}
	}
}

func (e *names) free(object string) {
	a := e.n.ask(message{service: objectService, op: opFree, object: object}, "free "+object)
	if a.err != nil {
		return // again the next time
	}
	_ = e.commit.submit(&job{label: "freed " + object, later: true, eval: func(map[string]string) ([]row, error) {
		return []row{{"g/" + object, ""}, {"f/" + object, ""}}, nil
	}}) // again the next time if it fails
}
