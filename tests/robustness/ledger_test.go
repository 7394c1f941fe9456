package robustness

import (
	"maps"
	"math/rand/v2"
	"slices"

	"holdfast"
)

// content says what an object holds: seeded bytes, so that they can be made again. The zero content is no object.
type content struct {
	seed  uint64
	sizes [4]int // of the pieces, which have the seeds seed, seed+1, …; a multipart object has several
	there bool
}

func (c content) bytes() []byte {
	var all []byte
	for i, n := range c.sizes {
		all = append(all, piece(c.seed+uint64(i), n)...)
	}
	return all
}

// piece returns n bytes that depend on the seed.
func piece(seed uint64, n int) []byte {
	b := make([]byte, n)
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// ledger knows what users were told: for each key, bucket and part what may be found there. The first possibility is what was
// acknowledged last, the others were under way when the answer was lost.
type ledger struct {
	keys    map[string][]content
	buckets map[string][]bool
	uploads map[string][]bool // by the script's name of the upload: whether it is there
	parts   map[string][]content
	ids     map[string]uploadRef

	versions map[string]*history
	states   []holdfast.Versioning // what the versioning of the scripts' bucket may be
	repeats  bool                  // a request may be done twice, because a service is lost and comes back
}

// uploadRef is an upload that a script began.
type uploadRef struct {
	key string
	id  holdfast.UploadID
}

func newLedger() *ledger {
	return &ledger{
		keys: map[string][]content{}, buckets: map[string][]bool{},
		uploads: map[string][]bool{}, parts: map[string][]content{}, ids: map[string]uploadRef{},
		versions: map[string]*history{},
	}
}

func (l *ledger) clone() *ledger {
	return &ledger{
		keys: cloneAll(l.keys), buckets: cloneAll(l.buckets),
		uploads: cloneAll(l.uploads), parts: cloneAll(l.parts), ids: maps.Clone(l.ids),
		versions: cloneHistories(l.versions), states: slices.Clone(l.states), repeats: l.repeats,
	}
}

func cloneAll[V any](m map[string][]V) map[string][]V {
	n := make(map[string][]V, len(m))
	for k, v := range m {
		n[k] = slices.Clone(v)
	}
	return n
}

// attempt notes a change before it is asked for; the function it returns is told how it ended. After an error that leaves the
// outcome open both the old and the new state may be found from then on.
func attempt[V comparable](m map[string][]V, name string, to V, open func(error) bool) (end func(error)) {
	if len(m[name]) == 0 {
		var none V
		m[name] = []V{none}
	}
	before := len(m[name])
	m[name] = append(m[name], to)
	return func(err error) {
		switch {
		case err == nil:
			m[name] = []V{to}
		case !open(err):
			m[name] = m[name][:before]
		}
	}
}

// unknown is what leaves the outcome of a change to one key open: volume promises that after any other error nothing of it
// is visible.
func unknown(err error) bool { return holdfast.Is(err, holdfast.Unknown) }

// unfinished is what leaves the outcome of a change in several steps open: some of them may have been done.
func unfinished(err error) bool { return retryable(err) || holdfast.Is(err, holdfast.NotOwner) }

// retryable reports whether an error tells the user that the same request may succeed later.
func retryable(err error) bool {
	switch holdfast.KindOf(err) {
	case holdfast.Unavailable, holdfast.Overload, holdfast.Unknown, holdfast.NoSpace:
		return true
	}
	return false
}
