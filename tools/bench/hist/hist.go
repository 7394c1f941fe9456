// Package hist counts durations in log-linear buckets, as HDR histograms do.
//
// Invariant: a quantile read from a Histogram differs from the exact one by at
// most 1/256 of its value (MaxRelativeError), whatever was recorded; the
// smallest and the largest value and the mean are exact. Memory is fixed
// (37 KiB) and Record costs a few nanoseconds, so every operation of a load
// test is counted and none is sampled.
//
// It is not a metrics library: there are no labels, no decay and no locks.
package hist

import (
	"math"
	"math/bits"
	"time"
)

const (
	// subBits splits every power of two into 128 linear steps.
	subBits = 7
	sub     = 1 << subBits
	// maxBits caps what is told apart: values from 2^43 ns (2.4 hours) up
	// share the last bucket. Max still reports them exactly.
	maxBits = 43
	buckets = (maxBits-subBits-1)*sub + 2*sub
)

// MaxRelativeError bounds |reported-exact|/exact of any quantile below the cap
// of 2^43 ns.
const MaxRelativeError = 1.0 / (2 * sub)

// Histogram counts durations. The zero value is empty and ready. It is not
// safe for concurrent use: give each goroutine its own and Merge them.
type Histogram struct {
	counts [buckets]uint64
	n      uint64
	sum    float64
	min    time.Duration
	max    time.Duration
}

// Record counts one duration; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))]++
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.n++
	h.sum += float64(d)
}

// Merge adds the counts of o to h. o is not changed.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	if h.n == 0 || o.min < h.min {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	h.n += o.n
	h.sum += o.sum
}

// Count is the number of recorded durations.
func (h *Histogram) Count() uint64 { return h.n }

// Min is the smallest recorded duration, 0 if there is none.
func (h *Histogram) Min() time.Duration { return h.min }

// Max is the largest recorded duration, 0 if there is none.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean is the arithmetic mean, 0 if nothing was recorded.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.n))
}

// Quantile returns the value that a share q (0 to 1) of the recorded durations
// does not exceed, within MaxRelativeError; 0 if nothing was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := uint64(math.Ceil(q * float64(h.n)))
	rank = min(max(rank, 1), h.n)
	var seen uint64
	for i, c := range h.counts {
		seen += c
		if seen >= rank {
			// The middle of a bucket may lie outside what was recorded.
			return min(max(middle(i), h.min), h.max)
		}
	}
	return h.max
}

// bucketOf maps nanoseconds to a bucket: below 2·sub one bucket per value,
// above that sub buckets per power of two.
func bucketOf(v uint64) int {
	if v < 2*sub {
		return int(v)
	}
	shift := bits.Len64(v) - (subBits + 1)
	if shift > maxBits-subBits-1 {
		return buckets - 1
	}
	return shift*sub + int(v>>shift)
}

// middle is the middle of bucket i.
func middle(i int) time.Duration {
	if i < 2*sub {
		return time.Duration(i)
	}
	shift := i/sub - 1
	low := uint64(i-shift*sub) << shift
	return time.Duration(low + uint64(1)<<shift/2)
}
