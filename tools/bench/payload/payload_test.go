package payload

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

var sizes = []int64{0, 1, 31, 32, 33, 4096, 65536, baseSize, baseSize + 31, baseSize + 32, 3*baseSize + 5}

func content(o Object) []byte {
	return bytes.Join(o.Pieces(nil, 0, o.Size()), nil)
}

func TestContentIsAFunction(t *testing.T) {
	a, b := New(7), New(7)
	for _, size := range sizes {
		x, y := content(a.Object(3, size)), content(b.Object(3, size))
		if int64(len(x)) != size || !bytes.Equal(x, y) {
			t.Errorf("size %d: two sources of one seed disagree (lengths %d, %d)", size, len(x), len(y))
		}
		if size >= 8 && bytes.Equal(x, content(New(8).Object(3, size))) {
			t.Errorf("size %d: two seeds give the same content", size)
		}
	}
}

// TestGolden pins the contents: objects written by one version must verify
// with the next.
func TestGolden(t *testing.T) {
	sum := sha256.New()
	s := New(1)
	for i, size := range sizes {
		sum.Write(content(s.Object(uint64(i), size)))
	}
	const want = "625c971e51c061ab8f714742543413a8aaee4eb87fe391e81bd158d4e0f4b5fc"
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("hash of the contents = %s, want %s", got, want)
	}
}

func TestObjectsDiffer(t *testing.T) {
	s := New(1)
	seen := map[string]uint64{}
	for i := range uint64(2000) {
		c := string(content(s.Object(i, 4096)))
		if j, ok := seen[c]; ok {
			t.Fatalf("objects %d and %d have the same content", i, j)
		}
		seen[c] = i
	}
}

func TestCheckFindsTheByte(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	s := New(seed)
	for _, size := range sizes {
		o := s.Object(9, size)
		c := content(o)
		from := rng.Int64N(size + 1)
		if got := o.Check(from, c[from:]); got != -1 {
			t.Errorf("seed %d: size %d: Check of the right bytes from %d = %d, want -1", seed, size, from, got)
		}
		if got := o.Check(size, []byte{0}); got != size {
			t.Errorf("seed %d: size %d: Check beyond the end = %d, want %d", seed, size, got, size)
		}
		if size == 0 {
			continue
		}
		at := rng.Int64N(size)
		c[at] ^= 1 << rng.IntN(8)
		if got := o.Check(0, c); got != at {
			t.Errorf("seed %d: size %d: Check = %d, want %d", seed, size, got, at)
		}
	}
}

func TestHashes(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 2))
	s := New(seed)
	h := NewHasher(NewCache())
	for _, size := range sizes {
		for i := range 20 {
			o := s.Object(uint64(i), size)
			from := rng.Int64N(size + 1)
			n := rng.Int64N(size - from + 1)
			if i == 0 {
				from, n = 0, size
			}
			want := sha256.Sum256(content(o)[from : from+n])
			for range 2 { // the second time from the cache
				if got := string(h.AppendHex(nil, &o, from, n)); got != hex.EncodeToString(want[:]) {
					t.Fatalf("seed %d: hash of [%d,+%d) of %d bytes = %s, want %x", seed, from, n, size, got, want)
				}
			}
		}
	}
}

func TestHashDoesNotAllocate(t *testing.T) {
	s := New(1)
	h := NewHasher(NewCache())
	dst := make([]byte, 0, 64)
	for i := range uint64(1000) { // fill the cache with every window
		o := s.Object(i, 4096)
		h.AppendHex(dst, &o, 0, 4096)
	}
	i := uint64(0)
	got := testing.AllocsPerRun(100, func() {
		o := s.Object(i, 4096)
		h.AppendHex(dst, &o, 0, 4096)
		i++
	})
	if got > 1 { // o itself escapes
		t.Errorf("hashing a cached window allocates %v times, want at most 1", got)
	}
}

func BenchmarkHash4KiB(b *testing.B) {
	s := New(1)
	h := NewHasher(NewCache())
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for i := range b.N {
		o := s.Object(uint64(i), 4096)
		dst = h.AppendHex(dst[:0], &o, 0, 4096)
	}
}
