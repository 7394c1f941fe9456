package fstest

import (
	"fmt"
	"math/rand"
	"strings"
)

// randomTests go through random steps and compare with a model after each.
func randomTests() []test {
	return []test{
		{"bytes of a file", basic, func(e *env) {
			use := e.byteOps()
			random(e, func(rng *rand.Rand) byteOp { return newByteOp(rng, use) }, runBytes)
		}},
		{"a tree of names", basic, func(e *env) {
			e.root() // modes without rights are among the steps
			_, noLinks := e.opt.Without[HardLinks]
			random(e, func(rng *rand.Rand) treeOp { return newTreeOp(rng, !noLinks) }, runTree)
		}},
	}
}

// random makes steps from the seed and runs them. If they fail it looks for fewer that fail too, and prints those.
func random[T fmt.Stringer](e *env, next func(*rand.Rand) T, run func(dir string, ops []T) error) {
	e.Logf("seed %d", e.opt.Seed)
	rng := rand.New(rand.NewSource(e.opt.Seed))
	ops := make([]T, e.opt.Steps)
	for i := range ops {
		ops[i] = next(rng)
	}
	runs := 0
	again := func(ops []T) error {
		runs++
		return run(e.folder(fmt.Sprint("run", runs)), ops)
	}
	first := again(ops)
	if first == nil {
		return
	}
	fewest, err := shrink(ops, first, again)
	lines := make([]string, len(fewest))
	for i, op := range fewest {
		lines[i] = op.String()
	}
	e.Errorf("seed %d: %v\ncut down to %d of %d steps, which fail with: %v\n%s", e.opt.Seed, first, len(fewest), len(ops), err, strings.Join(lines, "\n"))
}

// shrinkRuns bounds how often a failing sequence is tried again.
const shrinkRuns = 200

// shrink leaves out runs of steps, first long ones and then single ones, as long as what is left fails. It returns the steps that
// remain and how they fail.
func shrink[T any](ops []T, failure error, run func([]T) error) ([]T, error) {
	tries := 0
	for size := (len(ops) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(ops) && tries < shrinkRuns; {
			fewer := append(append([]T(nil), ops[:at]...), ops[min(at+size, len(ops)):]...)
			tries++
			if err := run(fewer); err != nil {
				ops, failure = fewer, err
			} else {
				at += size
			}
		}
	}
	return ops, failure
}
