package fstest

import (
	"fmt"
	"math/rand"
	"strings"
)

// randomTests go through random steps and compare with a model after each.
func randomTests() []test {
	return []test{
		{"bytes of a file", basic, func(e *env) { randomBytes(e, e.dir) }},
		{"bytes of a file over two mounts", CloseToOpen, func(e *env) { randomBytes(e, e.dir, e.other) }},
		{"a tree of names", basic, func(e *env) { randomTree(e, e.dir) }},
		{"a tree of names over two mounts", CloseToOpen, func(e *env) { randomTree(e, e.dir, e.other) }},
	}
}

func randomBytes(e *env, doors ...string) {
	use := e.byteOps()
	random(e, doors, func(rng *rand.Rand) byteOp { return newByteOp(rng, use) }, runBytes)
}

func randomTree(e *env, doors ...string) {
	e.root() // modes without rights are among the steps
	_, noLinks := e.opt.Without[HardLinks]
	random(e, doors, func(rng *rand.Rand) treeOp { return newTreeOp(rng, !noLinks) }, runTree)
}

// random makes steps from the seed and runs them below a directory that has one or more doors. If they fail it looks for fewer that
// fail too, and prints those.
func random[T fmt.Stringer](e *env, doors []string, next func(*rand.Rand) T, run func(doors []string, ops []T) error) {
	e.Logf("seed %d", e.opt.Seed)
	rng := rand.New(rand.NewSource(e.opt.Seed))
	ops := make([]T, e.opt.Steps)
	for i := range ops {
		ops[i] = next(rng)
	}
	runs := 0
	again := func(ops []T) error {
		runs++
		fresh := fmt.Sprint("run", runs)
		e.folder(fresh)
		through := make([]string, len(doors))
		for i, door := range doors {
			through[i] = door + "/" + fresh
		}
		return run(through, ops)
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
	e.Errorf("seed %d: %v\ncut down to %d of %d steps, which fail with: %v\n%s",
		e.opt.Seed, first, len(fewest), len(ops), err, strings.Join(lines, "\n"))
}

// shrinkRuns bounds how often a failing sequence is tried again.
const shrinkRuns = 1000

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
