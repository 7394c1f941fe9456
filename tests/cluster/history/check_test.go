package history

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const second = time.Second

// at gives an operation its time, in seconds.
func at(call, end int, o Operation) Operation {
	o.Call, o.Return = time.Duration(call)*second, time.Duration(end)*second
	return o
}

// The operations of the tests, all on key d/k.
func put(v Value) Operation    { return Operation{Kind: Put, Key: "d/k", Value: v} }
func found(v Value) Operation  { return Operation{Kind: Get, Key: "d/k", Value: v} }
func remove() Operation        { return Operation{Kind: Delete, Key: "d/k"} }
func create(v Value) Operation { return Operation{Kind: Put, Key: "d/k", Value: v, Condition: IfNone} }
func swap(from, to Value) Operation {
	return Operation{Kind: Put, Key: "d/k", Value: to, Condition: IfMatch, Match: from}
}
func listed(named map[string]Value) Operation {
	return Operation{Kind: List, Key: "d/", Listed: named}
}
func unknown(o Operation) Operation { o.Outcome = Unknown; return o }
func refused(o Operation) Operation { o.Outcome = Refused; return o }

func TestHistoriesThatAStoreMayHave(t *testing.T) {
	for name, h := range map[string][]Operation{
		"empty":                            {},
		"read what was written":            {at(0, 1, put(1)), at(2, 3, found(1))},
		"a read during a put sees either":  {at(0, 1, put(1)), at(2, 9, put(2)), at(3, 4, found(1)), at(5, 6, found(2))},
		"concurrent puts in either order":  {at(0, 9, put(1)), at(0, 9, put(2)), at(10, 11, found(1))},
		"an unknown put takes effect late": {at(0, 1, put(1)), at(2, 3, unknown(put(2))), at(4, 5, found(1)), at(6, 7, found(2))},
		"an unknown put never happens":     {at(0, 1, put(1)), at(2, 3, unknown(put(2))), at(4, 5, found(1))},
		"an unknown put again":             {at(0, 1, unknown(put(1))), at(2, 3, put(1)), at(4, 5, put(2)), at(6, 7, found(1))},
		"an unknown delete":                {at(0, 1, put(1)), at(2, 3, unknown(remove())), at(4, 5, found(None))},
		"an unseen put refuses a create":   {at(0, 1, unknown(put(1))), at(2, 3, refused(create(2))), at(4, 5, remove()), at(6, 7, found(None))},
		"an unknown create finds its key":  {at(0, 1, put(1)), at(2, 3, unknown(create(2))), at(4, 5, found(1))},
		"one of two creates":               {at(0, 9, create(1)), at(0, 9, refused(create(2))), at(10, 11, found(1))},
		"a chain of swaps":                 {at(0, 1, put(1)), at(2, 3, swap(1, 2)), at(4, 5, swap(2, 3)), at(6, 7, refused(swap(1, 4))), at(8, 9, found(3))},
		"a listing during a delete":        {at(0, 1, put(1)), at(2, 9, remove()), at(3, 4, listed(map[string]Value{"d/k": 1})), at(5, 6, listed(nil))},
		"a listing of another directory":   {at(0, 1, put(1)), at(2, 3, Operation{Kind: List, Key: "e/"})},
	} {
		for _, a := range Check(h, second) {
			t.Errorf("%s: refused: %v", name, a)
		}
	}
}

func TestHistoriesThatNoStoreMayHave(t *testing.T) {
	other := put(7)
	other.Key = "d/other"
	broken := found(1)
	broken.Broken = "bytes that nobody wrote"
	for name, h := range map[string][]Operation{
		"a lost write":                      {at(0, 1, put(1)), at(2, 3, found(None))},
		"a stale read":                      {at(0, 1, put(1)), at(2, 3, put(2)), at(4, 5, found(1))},
		"time runs backwards":               {at(0, 1, put(1)), at(2, 9, put(2)), at(3, 4, found(2)), at(5, 6, found(1))},
		"an unknown put is seen and lost":   {at(0, 1, put(1)), at(2, 3, unknown(put(2))), at(4, 5, found(2)), at(6, 7, found(1))},
		"a zombie's write":                  {at(0, 1, put(1)), at(2, 3, put(2)), at(4, 5, found(2)), at(6, 7, found(1)), at(8, 9, found(1))},
		"a deleted object returns":          {at(0, 1, put(1)), at(2, 3, remove()), at(4, 5, found(1))},
		"what nobody wrote":                 {at(0, 1, put(1)), at(2, 3, found(9))},
		"a read before the put began":       {at(0, 1, found(1)), at(2, 3, put(1))},
		"an unknown put from the future":    {at(0, 1, found(1)), at(2, 3, unknown(put(1)))},
		"two creates succeed":               {at(0, 9, create(1)), at(0, 9, create(2))},
		"a create over an object":           {at(0, 1, put(1)), at(2, 3, create(2))},
		"a create refused by nothing":       {at(0, 1, refused(create(1)))},
		"a lost update":                     {at(0, 1, put(1)), at(2, 9, swap(1, 2)), at(2, 9, swap(1, 3))},
		"a swap refused though it matches":  {at(0, 1, put(1)), at(2, 3, refused(swap(1, 2)))},
		"a refused create took effect":      {at(0, 1, put(1)), at(2, 3, refused(create(2))), at(4, 5, found(2))},
		"a listing misses an object":        {at(0, 1, put(1)), at(2, 3, listed(nil))},
		"a listing has the former content":  {at(0, 1, put(1)), at(2, 3, put(2)), at(4, 5, listed(map[string]Value{"d/k": 1}))},
		"a listing has a deleted object":    {at(0, 1, put(1)), at(2, 3, remove()), at(4, 5, listed(map[string]Value{"d/k": 1}))},
		"a listing misses one of two":       {at(0, 1, put(1)), at(0, 1, other), at(2, 3, listed(map[string]Value{"d/k": 1}))},
		"a listing has what was never made": {at(0, 1, put(1)), at(2, 3, listed(map[string]Value{"d/k": 1, "d/ghost": 5}))},
		"two listings turn back":            {at(0, 9, put(1)), at(1, 2, listed(map[string]Value{"d/k": 1})), at(3, 4, listed(nil))},
		"broken bytes":                      {at(0, 1, put(1)), at(2, 3, broken)},
	} {
		wrong := Check(h, second)
		if len(wrong) == 0 {
			t.Errorf("%s: accepted", name)
		}
		for _, a := range wrong {
			if len(a.History) == 0 || !strings.Contains(a.String(), a.Key) {
				t.Errorf("%s: the anomaly shows nothing: %v", name, a)
			}
		}
	}
}

// TestRandomHistories makes histories as a correct store would, with answers that get lost, and sees that they are accepted; then it changes one
// answer to a value that was written once and is overwritten for certain, and sees that it is refused.
func TestRandomHistories(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		h, stale := correct(rng)
		if wrong := Check(h, 10*second); len(wrong) > 0 {
			t.Fatalf("refused: %v", wrong[0])
		}
		if stale < 0 {
			continue
		}
		h[stale].Value = 1 // the first put's, which the second replaced before any read
		if len(Check(h, 10*second)) == 0 {
			t.Fatalf("accepted: %v", h)
		}
	}
}

// correct returns what clients see of one key of a store, each operation in effect at a random moment of its time, and the index of a read
// that succeeded, -1 if there is none.
func correct(rng *rand.Rand) (h []Operation, read int) {
	h = []Operation{at(0, 1, put(1)), at(2, 3, put(2))}
	now, clock, read := Value(2), 4*second, -1
	for v := Value(3); v < 60; v++ {
		var o Operation
		switch rng.IntN(5) {
		case 0, 1:
			o = put(v)
		case 2:
			o = remove()
		case 3:
			o = swap(now+Value(rng.IntN(2)), v)
		default:
			o = found(now)
			read = len(h)
		}
		// Moments of effect are in order, and so is the history; calls and returns overlap with those of neighbours.
		o.Call, o.Return = clock-time.Duration(rng.IntN(1500))*time.Millisecond, clock+time.Duration(rng.IntN(1500))*time.Millisecond
		o.Call = max(o.Call, 4*second)
		clock += second
		lost := rng.IntN(12) == 0 && o.Kind != Get
		if lost && rng.IntN(2) == 0 {
			h = append(h, unknown(o)) // and it is never done
			continue
		}
		met, next := step(now, o, Done)
		if !met {
			o.Outcome = Refused
		} else {
			now = next.(Value)
		}
		if lost {
			o.Outcome = Unknown
		}
		h = append(h, o)
	}
	return h, read
}

func TestContentsAreKnownByEveryByte(t *testing.T) {
	for _, v := range []Value{1, 2, 3, 32, 4096, 1<<63 + 32*77777, 1<<64 - 1} {
		b := content(v)
		if got, broken := identify(b); got != v || broken != "" {
			t.Errorf("content of %x: identified as %x, %q", v, got, broken)
		}
		for _, i := range []int{0, len(b) / 2, len(b) - 1} {
			bad := slices.Clone(b)
			bad[i] ^= 1
			if _, broken := identify(bad); broken == "" {
				t.Errorf("content of %x with another byte %d is not noticed", v, i)
			}
		}
		if _, broken := identify(b[:len(b)-1]); broken == "" {
			t.Errorf("content of %x without its end is not noticed", v)
		}
	}
	if _, broken := identify(nil); broken == "" {
		t.Error("no bytes are not noticed")
	}
}
