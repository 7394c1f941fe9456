package volume

import (
	"cmp"
	"context"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"holdfast"
)

// spread chooses object servers for new objects by weighted rendezvous: for each server a number is drawn from the full name of
// the object and the server's id, and scaled so that a server wins with a probability proportional to its free
// space. The choice need not be repeatable, since the link tells where the bytes are; drawing it from the name keeps one
// hot key from flooding all servers.
type spread struct {
	free atomic.Pointer[map[holdfast.ServiceID]float64] // free bytes by server, as last heard; replaced, never changed
}

// order returns the servers to try, the best first.
func (s *spread) order(servers []holdfast.ServiceID, hash uint64) []holdfast.ServiceID {
	if len(servers) <= 1 {
		return servers
	}
	type choice struct {
		id    holdfast.ServiceID
		score float64
	}
	var free map[holdfast.ServiceID]float64
	if p := s.free.Load(); p != nil {
		free = *p
	}
	choices := make([]choice, len(servers))
	for i, id := range servers {
		weight, known := free[id]
		if !known || weight < 1 {
			weight = 1 // not heard of yet, or full: at the end
		}
		u := (float64(mix(hash^uint64(id))>>11) + 0.5) / (1 << 53)
		choices[i] = choice{id, -math.Log(u) / weight}
	}
	slices.SortFunc(choices, func(a, b choice) int { return cmp.Compare(a.score, b.score) })
	ids := make([]holdfast.ServiceID, len(choices))
	for i, c := range choices {
		ids[i] = c.id
	}
	return ids
}

// mix spreads the bits of x (the finaliser of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// nameHash draws the number of a full name.
func (b *Bucket) nameHash(key string) uint64 {
	var h maphash.Hash
	h.SetSeed(b.vol.seed)
	_, _ = h.Write(b.info.Root[:]) // never fails
	_, _ = h.WriteString(key)
	return h.Sum64()
}

// watchSpace asks the object servers for their free space until ctx ends.
func (v *Volume) watchSpace(ctx context.Context) {
	ticker := time.NewTicker(v.opts.WatchEvery)
	defer ticker.Stop()
	for {
		v.askSpace(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// askSpace asks each server once. One that does not answer keeps the weight it had.
func (v *Volume) askSpace(ctx context.Context) {
	free := make(map[holdfast.ServiceID]float64)
	if p := v.spread.free.Load(); p != nil {
		maps.Copy(free, *p)
	}
	for _, id := range v.router.services.ObjectServers() {
		s, err := v.router.services.ObjectServer(ctx, id)
		if err != nil {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, v.opts.WatchEvery)
		status, err := s.Status(asking)
		cancel()
		if err == nil {
			free[id] = float64(status.Free)
		}
	}
	v.spread.free.Store(&free)
}
