package group

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// joinFanout bounds how many seeds are asked in a round: one that answers brings what it knows of all others.
const joinFanout = 3

// soon is how many times shorter the pause is while the group is incomplete and somebody answers, or nobody is there at all.
const soon = 10

// rejoin keeps asking seeds that are not among the living, until the group stops. After a partition two rounds are needed: in
// the first both sides learn what the other says of them and object, in the second they hear the objections.
func (g *Group) rejoin() {
	for {
		answered := g.ask(g.missing())
		pause := g.opt.Tuning.Rejoin
		if answered || g.count() == 1 {
			pause /= soon
		}
		timer := time.NewTimer(pause/2 + rand.N(pause)) // so that hosts that start together do not ask together
		select {
		case <-g.stop:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// missing returns some of the addresses of seeds that are not alive, in random order.
func (g *Group) missing() []string {
	seeds := g.opt.Seeds()
	own := g.Address()
	g.mu.Lock()
	defer g.mu.Unlock()
	present := map[string]bool{own: true}
	for _, p := range g.peers {
		present[p.Gossip] = true
	}
	var missing []string
	for _, s := range seeds {
		_, alive := g.peers[s.Host]
		if !alive && !present[s.Address] {
			missing = append(missing, s.Address)
		}
	}
	rand.Shuffle(len(missing), func(i, j int) { missing[i], missing[j] = missing[j], missing[i] })
	return missing[:min(len(missing), joinFanout)]
}

// ask exchanges all that is known with the addresses, all at a time because the dead among them take long not to answer, and
// reports whether any did.
func (g *Group) ask(addresses []string) bool {
	var asking sync.WaitGroup
	var answered atomic.Bool
	for _, address := range addresses {
		asking.Go(func() {
			if _, err := g.list.Join([]string{address}); err != nil {
				g.metrics.joins.WithLabelValues("failed").Inc()
				g.opt.Log.Debug("group: seed does not answer", "address", address, "err", err)
				return
			}
			g.metrics.joins.WithLabelValues("answered").Inc()
			answered.Store(true)
		})
	}
	asking.Wait()
	return answered.Load()
}
