package pool

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		size int64
		want string
	}{
		{0, "[]"},
		{1, "[4KiB]"},
		{4096, "[4KiB]"},
		{4097, "[8KiB]"},
		{30 << 10, "[32KiB]"},
		{33 << 10, "[32KiB 4KiB]"},
		{129 << 10, "[128KiB 4KiB]"},
		{5 << 20, "[4MiB 1MiB]"},
		{8 << 20, "[8MiB]"},
		{16<<20 + 1, "[8MiB 8MiB 4KiB]"},
		{77 << 10, "[64KiB 16KiB]"},
		{300 << 10, "[256KiB 64KiB]"},
	} {
		if got := fmt.Sprint(Cut(nil, c.size)); got != c.want {
			t.Errorf("Cut(%d) = %s, want %s", c.size, got, c.want)
		}
	}
}

// TestCutRules checks what the rest of the server relies on, for all small sizes and many big ones.
func TestCutRules(t *testing.T) {
	check := func(size int64) {
		classes := Cut(nil, size)
		var stored int64
		for i, c := range classes {
			if i > 0 && c > classes[i-1] {
				t.Fatalf("Cut(%d) = %v: a block is bigger than the one before", size, classes)
			}
			if stored >= size {
				t.Fatalf("Cut(%d) = %v: a block without bytes", size, classes)
			}
			stored += c.Size()
		}
		if stored < size || len(classes) > MaxBlocks(size) {
			t.Fatalf("Cut(%d) = %v", size, classes)
		}
		if least := (size + MinBlock - 1) / MinBlock * MinBlock; stored-least > max(size/wasteDivisor, 0)+size/8 {
			t.Fatalf("Cut(%d) = %v wastes %d bytes", size, classes, stored-least)
		}
	}
	for size := int64(0); size < 300_000; size += 7 {
		check(size)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		check(rng.Int64N(64 << 20))
	}
}

// distributions are sizes of objects as stores see them.
var distributions = []struct {
	name string
	draw func(rng *rand.Rand) int64
}{
	{"all 4 KiB", func(*rand.Rand) int64 { return 4096 }},
	{"uniform to 64 KiB", func(r *rand.Rand) int64 { return 1 + r.Int64N(64<<10) }},
	{"photos: log-normal, median 200 KiB", logNormal(200<<10, 1)},
	{"web: log-normal, median 12 KiB", logNormal(12<<10, 1.5)},
	{"backups: log-normal, median 5 MiB", logNormal(5<<20, 1)},
	{"log-uniform 1 B to 64 MiB", func(r *rand.Rand) int64 { return int64(math.Exp(r.Float64() * math.Log(64<<20))) }},
}

func logNormal(median, sigma float64) func(*rand.Rand) int64 {
	return func(r *rand.Rand) int64 {
		return 1 + int64(min(median*math.Exp(sigma*r.NormFloat64()), 1<<30))
	}
}

// cutWith is Cut with other bounds.
func cutWith(size int64, divisor int64, tail int) (blocks int, stored int64) {
	blocks, stored = int(size/MaxBlock), size/MaxBlock*MaxBlock
	for rest, n := size%MaxBlock, 1; rest > 0; n++ {
		blocks++
		up := ClassFor(rest).Size()
		least := (rest + MinBlock - 1) / MinBlock * MinBlock
		if n == tail || up-least <= size/divisor {
			return blocks, stored + up
		}
		down := classWithin(rest).Size()
		stored += down
		rest -= down
	}
	return blocks, stored
}

// TestCutTable computes the table of DESIGN.md and holds it against the file.
func TestCutTable(t *testing.T) {
	var b strings.Builder
	variants := []struct {
		divisor int64
		tail    int
	}{{1 << 40, 1}, {4, 3}, {wasteDivisor, maxTail}, {16, 6}, {1 << 40, 12}}
	b.WriteString("| sizes | one block | 1/4, 3 blocks | **1/8, 4 blocks** | 1/16, 6 blocks | no rounding up |\n|---|---|---|---|---|---|\n")
	for _, d := range distributions {
		fmt.Fprintf(&b, "| %s |", d.name)
		for _, v := range variants {
			rng := rand.New(rand.NewPCG(1, 2))
			var blocks, n int
			var size, stored int64
			for range 20_000 {
				s := d.draw(rng)
				k, st := cutWith(s, v.divisor, v.tail)
				n, blocks, size, stored = n+1, blocks+k, size+s, stored+st
			}
			fmt.Fprintf(&b, " %.1f %%, %.2f |", 100*(float64(stored)/float64(size)-1), float64(blocks)/float64(n))
		}
		b.WriteString("\n")
	}
	design, err := os.ReadFile("../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(design), b.String()) {
		t.Errorf("DESIGN.md does not have this table:\n%s", b.String())
	}
}
