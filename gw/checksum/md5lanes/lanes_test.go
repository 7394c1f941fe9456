package md5lanes

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"hash"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestVectors holds the digests of RFC 1321, appendix A.5, against the hash, one body alone.
func TestVectors(t *testing.T) {
	e := NewEngine()
	for text, want := range map[string]string{
		"":               "d41d8cd98f00b204e9800998ecf8427e",
		"a":              "0cc175b9c0f1b6a831c399e269772661",
		"abc":            "900150983cd24fb0d6963f7d28e17f72",
		"message digest": "f96b697d7cb7938d525a2f31aaf161d0",
		"12345678901234567890123456789012345678901234567890123456789012345678901234567890": "57edf4a22be3c955ac49da2e2107b67a",
	} {
		h := e.New()
		h.Write([]byte(text))
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		h.Close()
	}
}

// TestLengths checks every length around the ends of blocks and steps, in one piece and in two.
func TestLengths(t *testing.T) {
	e := NewEngine()
	data := random(1, stepBlocks*md5.BlockSize+200)
	h := e.New()
	defer h.Close()
	for n := range data {
		if n > 300 && n < stepBlocks*md5.BlockSize-100 {
			continue
		}
		h.Reset()
		h.Write(data[:n/3])
		h.Sum(nil) // must not disturb
		h.Write(data[n/3 : n])
		if got, want := h.Sum(nil), md5.Sum(data[:n]); !bytes.Equal(got, want[:]) {
			t.Fatalf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}

// TestMany hashes bodies of random lengths in random pieces, more at once than there are lanes, against crypto/md5.
func TestMany(t *testing.T) {
	const seed, workers, bodies = 7, 3 * Lanes, 20
	e := NewEngine()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			for i := range bodies {
				if err := hashOne(e, r); err != nil {
					t.Errorf("seed %d, worker %d, body %d: %v", seed, w, i, err)
				}
			}
		})
	}
	wg.Wait()
	if n := e.open.Load(); n != 0 {
		t.Errorf("%d hashes are open", n)
	}
	if e.led || e.used != 0 || len(e.waiting) != 0 {
		t.Errorf("somebody is left: led %v, lanes %d, waiting %d", e.led, e.used, len(e.waiting))
	}
}

func hashOne(e *Engine, r *rand.Rand) error {
	h, want := e.New(), md5.New()
	defer h.Close()
	for range r.IntN(8) {
		p := random(r.Uint64(), r.IntN(40_000))
		h.Write(p)
		want.Write(p)
		if got, want := h.Sum(nil), want.Sum(nil); !bytes.Equal(got, want) {
			return fmt.Errorf("got %x, want %x", got, want)
		}
	}
	return nil
}

func FuzzPieces(f *testing.F) {
	f.Add([]byte("some bytes"), uint16(3), uint16(5))
	f.Add(random(1, 1000), uint16(64), uint16(128))
	e := NewEngine()
	f.Fuzz(func(t *testing.T, data []byte, a, b uint16) {
		h := e.New()
		defer h.Close()
		i := min(int(a), len(data))
		j := min(i+int(b), len(data))
		for _, p := range [][]byte{data[:i], data[i:j], data[j:]} {
			h.Write(p)
		}
		if got, want := h.Sum(nil), md5.Sum(data); !bytes.Equal(got, want[:]) {
			t.Errorf("got %x, want %x", got, want)
		}
	})
}

func random(seed uint64, n int) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// BenchmarkBodies compares bodies hashed side by side with crypto/md5.
func BenchmarkBodies(b *testing.B) {
	e := NewEngine()
	for _, atOnce := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("lanes/%d", atOnce), func(b *testing.B) { hashSideBySide(b, atOnce, func() hash.Hash { return e.New() }) })
		b.Run(fmt.Sprintf("crypto/%d", atOnce), func(b *testing.B) { hashSideBySide(b, atOnce, md5.New) })
	}
}

func hashSideBySide(b *testing.B, atOnce int, make func() hash.Hash) {
	data := random(1, 256<<10)
	b.SetBytes(int64(len(data)))
	work := per(b, atOnce)
	for range atOnce {
		work.Go(func(n int) {
			h := make()
			for range n {
				h.Write(data)
			}
			h.Sum(nil)
			if c, ok := h.(*Hash); ok {
				c.Close()
			}
		})
	}
	work.Wait()
}

// shares deals b.N out to workers.
type shares struct {
	sync.WaitGroup
	b      *testing.B
	each   int
	atOnce int
	dealt  int
}

func per(b *testing.B, atOnce int) *shares { return &shares{b: b, each: b.N / atOnce, atOnce: atOnce} }

func (s *shares) Go(f func(n int)) {
	n := s.each
	if s.dealt < s.b.N%s.atOnce {
		n++
	}
	s.dealt++
	s.WaitGroup.Go(func() { f(n) })
}
