package membertest

import "fmt"

// history is what clients were told, per key. A key has one writer, which writes 1, 2, 3 … and goes on only when it is
// acknowledged, so a key is linearizable if and only if every read returns at least what was acknowledged, and what any
// earlier read returned, before it began, and nothing that was not begun when it ended.
type history struct {
	keys  []string
	begun map[string]uint64
	acked map[string]uint64
	seen  map[string]uint64 // by reads that ended
}

func newHistory() history {
	return history{begun: map[string]uint64{}, acked: map[string]uint64{}, seen: map[string]uint64{}}
}

func (h *history) begin(key string, seq uint64)       { h.begun[key] = seq }
func (h *history) acknowledge(key string, seq uint64) { h.acked[key] = seq }

// reading is a read under way: what it must return at least.
type reading struct {
	key         string
	acked, seen uint64
}

func (h *history) read(key string) reading { return reading{key, h.acked[key], h.seen[key]} }

// check returns what is wrong with the result of a read, or "".
func (h *history) check(r reading, seq uint64) string {
	switch {
	case seq < r.acked:
		return fmt.Sprintf("read %s=%d after %d was acknowledged", r.key, seq, r.acked)
	case seq < r.seen:
		return fmt.Sprintf("read %s=%d after another read had returned %d", r.key, seq, r.seen)
	case seq > h.begun[r.key]:
		return fmt.Sprintf("read %s=%d, which nobody wrote", r.key, seq)
	}
	h.seen[r.key] = max(h.seen[r.key], seq)
	return ""
}
