package pool

// The trade-off of cutting: each further block costs a header, and for small objects a flush of another file; each
// rounding up costs space. DESIGN.md has the table that cut_test.go computes.
const (
	// wasteDivisor: rounding up to one block ends the cut if that stores at most size/wasteDivisor bytes more than
	// going on would.
	wasteDivisor = 8
	// maxTail bounds the blocks behind the full blocks of [MaxBlock].
	maxTail = 4
)

// MaxBlocks is the greatest number of blocks that an object of size bytes is cut into.
func MaxBlocks(size int64) int { return int(size/MaxBlock) + maxTail }

// Cut appends to dst the classes of the blocks that an object of size bytes is stored in, in order. All but the last
// are full. The empty object has none.
func Cut(dst []Class, size int64) []Class {
	for ; size >= MaxBlock; size -= MaxBlock {
		dst = append(dst, Classes-1)
	}
	rest := size
	for n := 1; rest > 0; n++ {
		up := ClassFor(rest)
		least := (rest + MinBlock - 1) / MinBlock * MinBlock
		if n == maxTail || up.Size()-least <= size/wasteDivisor {
			return append(dst, up)
		}
		down := classWithin(rest)
		dst = append(dst, down)
		rest -= down.Size()
	}
	return dst
}
