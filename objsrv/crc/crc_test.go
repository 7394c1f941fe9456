package crc

import (
	"math/rand/v2"
	"testing"
)

func TestJoinEqualsSumOfWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 300<<10)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	for range 200 {
		end := rng.IntN(len(data) + 1)
		cut := rng.IntN(end + 1)
		a, b := Sum(data[:cut]), Sum(data[cut:end])
		if got, want := Join(a, b, int64(end-cut)), Sum(data[:end]); got != want {
			t.Fatalf("Join of %d+%d bytes = %08x, want %08x", cut, end-cut, got, want)
		}
		if got, want := Update(a, data[cut:end]), Sum(data[:end]); got != want {
			t.Fatalf("Update = %08x, want %08x", got, want)
		}
	}
}

func TestJoinerEqualsJoin(t *testing.T) {
	for _, n := range []int64{1, 4096, 65536} {
		j := NewJoiner(n)
		for a := uint32(1); a < 1<<31; a = a*3 + 1 {
			if got, want := j.Join(a, 77), Join(a, 77, n); got != want {
				t.Fatalf("n=%d a=%d: %08x, want %08x", n, a, got, want)
			}
		}
	}
}

func BenchmarkJoiner(b *testing.B) {
	j := NewJoiner(65536)
	var sum uint32
	for b.Loop() {
		sum = j.Join(sum, 7)
	}
}
