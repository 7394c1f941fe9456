package storagetest

import (
	"maps"
	"math/rand/v2"
)

// Crash returns what a power failure at this moment may leave: a new filesystem, everything in it synced. The seed
// chooses what becomes of unsynced changes; seed 0 loses them all, seed 1 keeps them all. The original goes on unchanged.
func (c *CrashFS) Crash(seed uint64) *CrashFS {
	c.mu.Lock()
	defer c.mu.Unlock()
	after := NewCrash()
	after.DirectIO = c.DirectIO
	after.ticks, after.inodes, after.usage = c.ticks, c.inodes, c.usage
	p := &powerCut{rng: rand.New(rand.NewPCG(seed, 0x686f6c6466617374)), seen: map[*node]*node{}}
	switch seed {
	case 0:
	case 1:
		p.luck, p.kept = 100, len(c.pending)
	default:
		p.luck = []int{10, 50, 90}[p.rng.IntN(3)]
		p.kept = p.rng.IntN(len(c.pending) + 1)
		p.split = p.rng.IntN(2) == 0
	}
	p.pending = c.pending
	after.root = p.clone(c.root)
	return after
}

// powerCut copies a tree as a power failure leaves it.
type powerCut struct {
	rng     *rand.Rand
	luck    int  // chance in percent of an unsynced sector
	kept    int  // so many pending directory changes survive,
	split   bool // or, with split, a number drawn for each directory
	pending []dirChange
	seen    map[*node]*node
}

func (p *powerCut) clone(n *node) *node {
	if done := p.seen[n]; done != nil {
		done.links++
		return done
	}
	fresh := newNode(n.inode, n.isDir)
	fresh.mtime, fresh.links = n.mtime, 1
	p.seen[n] = fresh
	if n.isDir {
		p.cloneDir(n, fresh)
	} else {
		p.cloneFile(n, fresh)
	}
	return fresh
}

func (p *powerCut) cloneDir(n, fresh *node) {
	survivors := maps.Clone(n.durableChildren)
	var mine []dirChange
	for i, ch := range p.pending {
		if ch.dir == n && (p.split || i < p.kept || p.straddles(i)) {
			mine = append(mine, ch)
		}
	}
	if p.split {
		k := p.rng.IntN(len(mine) + 1)
		if k > 0 && k < len(mine) && mine[k].op == mine[k-1].op { // the halves of a rename inside this directory
			k++
		}
		mine = mine[:k]
	}
	for _, ch := range mine {
		ch.apply(survivors)
	}
	for _, name := range sortedNames(survivors) {
		child := p.clone(survivors[name])
		fresh.children[name], fresh.durableChildren[name] = child, child
	}
}

// straddles reports whether change i is the second half of a rename whose first half is the last that survives.
func (p *powerCut) straddles(i int) bool {
	return i == p.kept && i > 0 && p.pending[i].op == p.pending[i-1].op
}

func (p *powerCut) cloneFile(n, fresh *node) {
	maps.Copy(fresh.pages, n.pages)
	for _, i := range n.dirtyPages() {
		mixed := new(page)
		for s := 0; s < pageSize; s += sectorSize {
			if from := p.pick(n, i); from != nil {
				copy(mixed[s:s+sectorSize], from[s:])
			}
		}
		fresh.pages[i] = mixed
	}
	fresh.size = n.durableSize
	switch grown := n.size - n.durableSize; {
	case grown <= 0 || p.luck == 0:
	case p.luck == 100 || p.rng.IntN(2) == 0:
		fresh.size = n.size
	default:
		fresh.size += p.rng.Int64N(grown)
	}
	fresh.cut()
	fresh.sync()
}

// pick chooses which version of page i a sector shows.
func (p *powerCut) pick(n *node, i int64) *page {
	if p.luck < 100 && p.rng.IntN(100) >= p.luck {
		return n.base[i]
	}
	if mid, twice := n.mid[i]; twice && p.luck < 100 && p.rng.IntN(4) == 0 {
		return mid
	}
	return n.pages[i]
}

// cut drops what lies past the size.
func (n *node) cut() {
	for i, p := range n.pages {
		switch first := i * pageSize; {
		case first >= n.size:
			delete(n.pages, i)
		case first+pageSize > n.size:
			short := *p
			clear(short[n.size-first:])
			n.pages[i] = &short
		}
	}
}
