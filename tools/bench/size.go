package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"holdfast/tools/bench/payload"
)

// maxObject is the largest object S3 has.
const maxObject = 5 << 40

// sizes is a distribution of object sizes: a list of ranges with weights. A
// range of one size is a constant, another is log-uniform.
type sizes struct {
	ranges []sizeRange
	total  float64
}

type sizeRange struct {
	low, high int64
	weight    float64
}

// parseSizes parses "4KiB", "1KiB-1MiB" or "4KiB:70,64KiB-1MiB:30".
func parseSizes(text string) (sizes, error) {
	var s sizes
	items := strings.Split(text, ",")
	for _, item := range items {
		span, weight, weighted := strings.Cut(item, ":")
		r := sizeRange{weight: 1}
		if weighted {
			w, err := strconv.ParseFloat(weight, 64)
			if err != nil || !(w > 0) || math.IsInf(w, 0) {
				return s, fmt.Errorf("weight %q is not a positive number", weight)
			}
			r.weight = w
		} else if len(items) > 1 {
			return s, fmt.Errorf("%q needs a weight, as in %s:70", item, item)
		}
		low, high, isRange := strings.Cut(span, "-")
		var err error
		if r.low, err = parseBytes(low); err != nil {
			return s, err
		}
		r.high = r.low
		if isRange {
			if r.high, err = parseBytes(high); err != nil {
				return s, err
			}
		}
		if r.high < r.low || r.high > maxObject {
			return s, fmt.Errorf("%q is not a range of sizes up to 5TiB", span)
		}
		s.ranges = append(s.ranges, r)
		s.total += r.weight
	}
	return s, nil
}

// of is the size of object index under seed: the same whenever asked.
func (s *sizes) of(seed, index uint64) int64 {
	if len(s.ranges) == 1 && s.ranges[0].low == s.ranges[0].high {
		return s.ranges[0].low
	}
	h := payload.Mix(seed ^ payload.Mix(index^0x517e))
	x := unit(h) * s.total
	r := s.ranges[len(s.ranges)-1]
	for _, c := range s.ranges {
		if x < c.weight {
			r = c
			break
		}
		x -= c.weight
	}
	if r.low == r.high {
		return r.low
	}
	low, high := math.Log(float64(r.low)+1), math.Log(float64(r.high)+1)
	n := int64(math.Exp(low+unit(payload.Mix(h))*(high-low))) - 1
	return min(max(n, r.low), r.high)
}

// max is the largest size the distribution has.
func (s *sizes) max() int64 {
	var m int64
	for _, r := range s.ranges {
		m = max(m, r.high)
	}
	return m
}

// unit maps 64 random bits to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// units are tried in order, longest suffix first.
var units = []struct {
	suffix string
	factor float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40},
	{"B", 1}, {"", 1},
}

// parseBytes parses a size such as 4096, 4KiB, 1.5MB; the suffix in any case.
func parseBytes(text string) (int64, error) {
	for _, u := range units {
		if len(text) < len(u.suffix) || !strings.EqualFold(text[len(text)-len(u.suffix):], u.suffix) {
			continue
		}
		n, err := strconv.ParseFloat(text[:len(text)-len(u.suffix)], 64)
		if n *= u.factor; err != nil || !(n >= 0) || n > 1<<60 || n != math.Trunc(n) {
			break
		}
		return int64(n), nil
	}
	return 0, fmt.Errorf("%q is not a size such as 4KiB, 16MiB or 1000000", text)
}
