package pool

import (
	"slices"

	"holdfast"
)

// sparseDivisor: a region with at most 1/sparseDivisor of its blocks in use is worth emptying.
const sparseDivisor = 4

// Sparse closes the emptiest regions of a class to new blocks and returns them: those whose blocks in use fit into the free
// blocks of the regions left open, at most limit of them. Each must be given back with [Set.Reopen]. Only while the
// caller holds the lock that orders Changes.
func (s *Set) Sparse(c Class, limit int) []RegionKey {
	p := &s.pools[c]
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.opt.Now()
	var candidates []*region
	room := 0
	for _, f := range *p.files.Load() {
		if !f.usable { // R4
			continue
		}
		for i, r := range f.regions {
			if r.closed || now.Before(r.hold) {
				continue
			}
			room += r.free
			filling := f == p.own && i == len(f.regions)-1
			if r.used > 0 && !filling && r.used <= int(f.geo.regionBlocks)/sparseDivisor {
				candidates = append(candidates, r)
			}
		}
	}
	slices.SortStableFunc(candidates, func(a, b *region) int { return a.used - b.used })
	var keys []RegionKey
	for _, r := range candidates {
		room -= r.free + r.used
		if room < 0 || len(keys) == limit {
			break
		}
		r.closed = true
		keys = append(keys, RegionKey{c, r.file.geo.epoch, r.index})
	}
	return keys
}

// Reopen opens a region to new blocks again.
func (s *Set) Reopen(key RegionKey) {
	p := &s.pools[key.Class]
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.file(key.File); f != nil {
		f.regions[key.Region].closed = false
		f.hint = min(f.hint, int(key.Region))
	}
}

// InUse returns the blocks of a region that records refer to. Only while the caller holds the lock that orders Changes.
func (s *Set) InUse(key RegionKey) []Addr {
	p := &s.pools[key.Class]
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.file(key.File)
	if f == nil || key.Region >= uint32(len(f.regions)) {
		return nil
	}
	r, n := f.regions[key.Region], f.geo.regionBlocks
	var list []Addr
	for i := r.live.nextSet(0, n); i < n; i = r.live.nextSet(i+1, n) {
		list = append(list, Addr{key.Class, key.File, key.Region*n + i})
	}
	return list
}

// PunchEmpty gives the space of empty regions of a class back to the filesystem and returns how many bytes that were.
// One empty region is kept as it is. Where the mount cannot punch holes it does nothing.
func (s *Set) PunchEmpty(c Class) (int64, error) {
	var total int64
	kept := false
	for _, f := range *s.pools[c].files.Load() {
		for i := 0; ; i++ {
			r, more := s.claimEmpty(f, i, &kept)
			if !more {
				break
			}
			if r == nil || f.noPunch.Load() {
				continue
			}
			err := f.buf.PunchHole(f.geo.regionStart(r.index), f.geo.regionBytes())
			if holdfast.Is(err, holdfast.Unsupported) {
				f.noPunch.Store(true)
				err = nil
			} else if err == nil {
				total += f.geo.regionBytes()
			}
			if err != nil { // it may still happen: the region stays closed
				return total, ioError("pool.punch", err)
			}
			s.Reopen(RegionKey{c, f.geo.epoch, r.index})
		}
	}
	return total, nil
}

// claimEmpty closes region i of the file if it is empty and worth punching.
func (s *Set) claimEmpty(f *File, i int, kept *bool) (r *region, more bool) {
	p := &s.pools[f.geo.class]
	p.mu.Lock()
	defer p.mu.Unlock()
	if i >= len(f.regions) {
		return nil, false
	}
	r = f.regions[i]
	empty := r.free == int(f.geo.regionBlocks) && f.usable && !r.closed && !s.opt.Now().Before(r.hold)
	if !empty || r.punched {
		return nil, true
	}
	if f == p.own && !*kept {
		*kept = true
		return nil, true
	}
	r.closed, r.punched = true, true
	return r, true
}

// RemoveEmpty removes the files of older epochs in which nothing is left, and returns how many.
func (s *Set) RemoveEmpty(c Class) (int, error) {
	p := &s.pools[c]
	removed := 0
	for _, f := range *p.files.Load() {
		p.mu.Lock()
		idle := f != p.own && f.usable && f.live.Load() == 0 && f.idleLocked(s)
		if idle {
			f.usable = false
			p.dropLocked(f)
		}
		p.mu.Unlock()
		if !idle {
			continue
		}
		f.close()
		if err := s.opt.FS.Remove(f.name); err != nil {
			return removed, ioError("pool.remove", err)
		}
		removed++
	}
	return removed, nil
}

// idleLocked reports whether every block of the file is free and nobody may read one.
func (f *File) idleLocked(s *Set) bool {
	now := s.opt.Now()
	for _, r := range f.regions {
		inside := min(int64(f.limit)-int64(r.index)*int64(f.geo.regionBlocks), int64(f.geo.regionBlocks))
		if r.closed || now.Before(r.hold) || int64(r.free) != max(inside, 0) {
			return false
		}
	}
	return true
}
