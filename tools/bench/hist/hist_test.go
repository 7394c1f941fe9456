package hist

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestEmpty(t *testing.T) {
	var h Histogram
	if h.Count() != 0 || h.Min() != 0 || h.Max() != 0 || h.Mean() != 0 || h.Quantile(0.5) != 0 {
		t.Errorf("empty histogram reports values: n=%d p50=%v", h.Count(), h.Quantile(0.5))
	}
}

func TestBucketsAreContiguous(t *testing.T) {
	last := -1
	for _, v := range edges() {
		b := bucketOf(v)
		if b < last || b >= buckets {
			t.Fatalf("bucketOf(%d) = %d after %d", v, b, last)
		}
		last = b
		if v >= 1<<maxBits {
			continue
		}
		if e := math.Abs(float64(middle(b))-float64(v)) / math.Max(float64(v), 1); e > MaxRelativeError {
			t.Errorf("middle of the bucket of %d is %d: relative error %.5f", v, middle(b), e)
		}
	}
}

// edges lists, in order, values around every power of two and every step.
func edges() []uint64 {
	var vs []uint64
	for v := range uint64(1024) {
		vs = append(vs, v)
	}
	for b := 10; b < 62; b++ {
		for step := range uint64(16) {
			vs = append(vs, uint64(1)<<b+step<<(b-4))
		}
		vs = append(vs, uint64(1)<<(b+1)-1)
	}
	return vs
}

// TestQuantilesAgainstSorting compares with exact order statistics over
// distributions as different as latencies get.
func TestQuantilesAgainstSorting(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	shapes := map[string]func() float64{
		"uniform":   func() float64 { return rng.Float64() * 1e6 },
		"lognormal": func() float64 { return math.Exp(rng.NormFloat64()*2 + 12) },
		"bimodal": func() float64 {
			if rng.IntN(100) == 0 {
				return 8e9 + rng.Float64()*1e6
			}
			return 9e4 + rng.Float64()*1e3
		},
		"tiny": func() float64 { return float64(rng.IntN(300)) },
	}
	for name, draw := range shapes {
		var h, a, b Histogram
		values := make([]time.Duration, 20000)
		for i := range values {
			values[i] = time.Duration(draw())
			h.Record(values[i])
			if i%3 == 0 {
				a.Record(values[i])
			} else {
				b.Record(values[i])
			}
		}
		slices.Sort(values)
		a.Merge(&b)
		for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 1} {
			want := values[max(int(math.Ceil(q*float64(len(values))))-1, 0)]
			got := h.Quantile(q)
			if math.Abs(float64(got-want)) > MaxRelativeError*float64(want)+1e-9 {
				t.Errorf("seed %d: %s: quantile %v = %d, want %d within %.3f %%", seed, name, q, got, want, 100*MaxRelativeError)
			}
			if m := a.Quantile(q); m != got {
				t.Errorf("seed %d: %s: merged quantile %v = %d, want %d", seed, name, q, m, got)
			}
		}
		if h.Max() != values[len(values)-1] || h.Min() != values[0] || a.Max() != h.Max() || a.Min() != h.Min() {
			t.Errorf("seed %d: %s: extremes %d..%d, want %d..%d", seed, name, h.Min(), h.Max(), values[0], values[len(values)-1])
		}
	}
}

func TestBeyondTheCap(t *testing.T) {
	var h Histogram
	h.Record(20 * time.Hour)
	h.Record(-time.Second)
	if got := h.Quantile(1); got > 20*time.Hour || got < 2*time.Hour {
		t.Errorf("quantile of a value beyond the cap = %v, want between the cap and the value", got)
	}
	if h.Max() != 20*time.Hour || h.Min() != 0 {
		t.Errorf("extremes = %v..%v, want 0s..20h", h.Min(), h.Max())
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Histogram
	for i := range b.N {
		h.Record(time.Duration(i) * 37)
	}
}
