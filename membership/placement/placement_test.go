package placement_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/placement"
)

// world is a cluster as the tests see it: a configuration, who is alive, and owners that follow each plan at once.
type world struct {
	config config.Config
	view   placement.View
}

func newWorld() *world {
	return &world{
		config: config.Config{Format: 1, Cluster: "0123456789abcdef0123456789abcdef"},
		view: placement.View{
			Up:     time.Hour,
			Hosts:  map[holdfast.HostID]placement.Host{},
			Owners: map[holdfast.ServiceID]holdfast.HostID{},
		},
	}
}

func (w *world) addHost(id holdfast.HostID, storages ...string) {
	for _, name := range storages {
		if !slices.Contains(w.config.Storages, config.Storage{Name: name}) {
			w.config.Storages = append(w.config.Storages, config.Storage{Name: name})
		}
	}
	w.config.Hosts = append(w.config.Hosts, config.Host{ID: config.IDOf(id), Storages: storages})
	w.up(id, time.Hour)
}

func (w *world) addService(kind holdfast.ServiceType, volume uint64, storage string) holdfast.ServiceID {
	id := holdfast.NewServiceID(kind, uint64(len(w.config.Services)+1))
	vol := holdfast.VolumeID(holdfast.NewServiceID(holdfast.TypeVolume, volume))
	w.config.Services = append(w.config.Services, config.Service{ID: config.IDOf(id), Volume: config.IDOf(vol), Storage: storage})
	return id
}

func (w *world) host(id holdfast.HostID) *config.Host {
	i := slices.IndexFunc(w.config.Hosts, func(h config.Host) bool { return h.ID.Value == id })
	return &w.config.Hosts[i]
}

func (w *world) up(id holdfast.HostID, back time.Duration) {
	w.view.Hosts[id] = placement.Host{Back: back, Storages: w.host(id).Storages}
}

func (w *world) down(id holdfast.HostID) { delete(w.view.Hosts, id) }

// round computes a plan and makes it true.
func (w *world) round() placement.Plan {
	plan := placement.Compute(w.config, w.view)
	for _, a := range plan {
		if a.Moves() {
			w.view.Owners[a.Service] = a.To
		}
	}
	return plan
}

// settle runs rounds until nothing moves and returns how many moved something; it fails if that takes too long.
func (w *world) settle(t *testing.T) int {
	t.Helper()
	for n := range len(w.config.Services) + 2 {
		if !slices.ContainsFunc(w.round(), placement.Assignment.Moves) {
			return n
		}
	}
	t.Fatalf("%d services do not come to rest", len(w.config.Services))
	return 0
}

// randomWorld has up to 9 hosts and 40 services; with one storage everything may be anywhere.
func randomWorld(r *rand.Rand, storages int) *world {
	w := newWorld()
	names := make([]string, storages)
	for i := range names {
		names[i] = fmt.Sprintf("stor%d", i+1)
	}
	for h := range 1 + r.IntN(9) {
		mine := slices.DeleteFunc(slices.Clone(names), func(string) bool { return storages > 1 && r.IntN(3) == 0 })
		w.addHost(holdfast.HostID(0x10+h), mine...)
	}
	for _, name := range names {
		if !slices.Contains(w.config.Storages, config.Storage{Name: name}) {
			w.config.Storages = append(w.config.Storages, config.Storage{Name: name})
		}
	}
	kinds := []holdfast.ServiceType{holdfast.TypeNameServer, holdfast.TypeObjectStore}
	for range r.IntN(40) {
		w.addService(kinds[r.IntN(2)], 1+r.Uint64N(3), names[r.IntN(storages)])
	}
	return w
}

// disturb changes something at random: hosts die, return, drain, lose a storage; services are bound and set free.
func (w *world) disturb(r *rand.Rand) {
	id := w.config.Hosts[r.IntN(len(w.config.Hosts))].ID.Value
	switch r.IntN(7) {
	case 0, 1:
		w.down(id)
	case 2:
		w.up(id, time.Duration(r.IntN(2))*time.Hour)
	case 3:
		w.host(id).Drain = !w.host(id).Drain
	case 4:
		if h, alive := w.view.Hosts[id]; alive && len(h.Storages) > 0 {
			h.Storages = slices.Clone(h.Storages[1:])
			w.view.Hosts[id] = h
		}
	case 5, 6:
		if len(w.config.Services) == 0 {
			return
		}
		s := &w.config.Services[r.IntN(len(w.config.Services))]
		if s.Bind = nil; r.IntN(2) == 0 {
			bind := config.IDOf(id)
			s.Bind = &bind
		}
	}
}

func (w *world) mayRun(host holdfast.HostID, s config.Service) bool {
	seen, alive := w.view.Hosts[host]
	return alive && slices.Contains(seen.Storages, s.Storage) && slices.Contains(w.host(host).Storages, s.Storage)
}

// boundTo returns the host that a service must be on because of its bind; 0 if none can have it.
func (w *world) boundTo(s config.Service) holdfast.HostID {
	if s.Bind == nil || !w.mayRun(s.Bind.Value, s) || w.host(s.Bind.Value).Drain {
		return 0
	}
	return s.Bind.Value
}

func eachSeed(t *testing.T, do func(t *testing.T, r *rand.Rand)) {
	for seed := range uint64(400) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { do(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

// Every plan of a random history keeps the rules that hold in every round.
func TestEveryRoundKeepsTheRules(t *testing.T) {
	eachSeed(t, func(t *testing.T, r *rand.Rand) {
		w := randomWorld(r, 1+r.IntN(3))
		for range 30 {
			w.disturb(r)
			w.checkRound(t)
		}
	})
}

func (w *world) checkRound(t *testing.T) {
	t.Helper()
	before := w.view
	owners := map[holdfast.ServiceID]holdfast.HostID{}
	for id, h := range w.view.Owners {
		owners[id] = h
	}
	plan := w.round()
	if got, want := len(plan), len(w.config.Services); got != want {
		t.Fatalf("%d assignments, want %d", got, want)
	}
	moved := 0
	for i, a := range plan {
		s := w.config.Services[slices.IndexFunc(w.config.Services, func(s config.Service) bool { return s.ID.Value == a.Service })]
		if i > 0 && plan[i-1].Service >= a.Service {
			t.Errorf("%s follows %s", a.Service, plan[i-1].Service)
		}
		if a.From != owners[a.Service] {
			t.Errorf("%s: from %s, want %s", a.Service, a.From, owners[a.Service])
		}
		if a.To != 0 && !w.mayRun(a.To, s) {
			t.Errorf("%s goes to %s, which cannot run it", a.Service, a.To)
		}
		if someone := slices.ContainsFunc(w.config.Hosts, func(h config.Host) bool { return w.mayRun(h.ID.Value, s) }); (a.To != 0) != someone {
			t.Errorf("%s: to %s, but whether anybody can run it is %v", a.Service, a.To, someone)
		}
		ownerLives := a.From != 0 && w.mayRun(a.From, s)
		if a.Moves() && ownerLives {
			moved++
		}
		if bind := w.boundTo(s); bind != 0 && a.To != bind && a.Why != placement.Waits {
			t.Errorf("%s is bound to %s, goes to %s (%s)", a.Service, bind, a.To, a.Why)
		}
		if !ownerLives && a.Moves() && a.Why != placement.Orphaned {
			t.Errorf("%s lost its owner, and moves because it is %s", a.Service, a.Why)
		}
	}
	if moved > placement.MovesPerRound {
		t.Errorf("%d moves from living hosts, want at most %d", moved, placement.MovesPerRound)
	}
	if !reflect.DeepEqual(before.Hosts, w.view.Hosts) {
		t.Error("Compute changed the view")
	}
}

func TestPlansAreDeterministic(t *testing.T) {
	eachSeed(t, func(t *testing.T, r *rand.Rand) {
		w := randomWorld(r, 1+r.IntN(3))
		for range 10 {
			w.disturb(r)
			want := placement.Compute(w.config, w.view)
			shuffled := w.config.Clone()
			r.Shuffle(len(shuffled.Hosts), func(i, j int) {
				shuffled.Hosts[i], shuffled.Hosts[j] = shuffled.Hosts[j], shuffled.Hosts[i]
			})
			r.Shuffle(len(shuffled.Services), func(i, j int) {
				shuffled.Services[i], shuffled.Services[j] = shuffled.Services[j], shuffled.Services[i]
			})
			if got := placement.Compute(shuffled, w.view); !reflect.DeepEqual(got, want) {
				t.Fatalf("in another order:\n%v, want\n%v", got, want)
			}
			w.round()
		}
	})
}

// At rest, binds are kept, draining hosts are as empty as they can be, and nothing could move to even out more.
func TestRestIsEven(t *testing.T) {
	eachSeed(t, func(t *testing.T, r *rand.Rand) {
		w := randomWorld(r, 1+r.IntN(3))
		for range 5 {
			w.disturb(r)
			for id, h := range w.view.Hosts {
				h.Back = time.Hour
				w.view.Hosts[id] = h
			}
			w.settle(t)
			w.checkRest(t)
		}
	})
}

func (w *world) checkRest(t *testing.T) {
	t.Helper()
	counts := map[holdfast.ServiceType]map[holdfast.HostID]int{holdfast.TypeNameServer: {}, holdfast.TypeObjectStore: {}}
	plan := placement.Compute(w.config, w.view)
	for _, a := range plan {
		counts[a.Service.Type()][a.To]++
	}
	for _, s := range w.config.Services {
		a := plan[slices.IndexFunc(plan, func(a placement.Assignment) bool { return a.Service == s.ID.Value })]
		if bind := w.boundTo(s); bind != 0 {
			if a.To != bind {
				t.Errorf("%s is bound to %s, rests on %s", a.Service, bind, a.To)
			}
			continue
		}
		if a.To == 0 {
			continue
		}
		of := counts[a.Service.Type()]
		for _, h := range w.config.Hosts {
			id := h.ID.Value
			if id == a.To || h.Drain || !w.mayRun(id, s) {
				continue
			}
			if w.host(a.To).Drain {
				t.Errorf("%s rests on draining %s although %s can take it", a.Service, a.To, id)
			} else if of[a.To]-of[id] > 1 {
				t.Errorf("%s rests on %s with %d of its type, although %s has %d", a.Service, a.To, of[a.To], id, of[id])
			}
		}
	}
}

// Where everything may be anywhere, hosts differ by one at most, and the death of a host moves its own services only.
func TestDeathMovesOnlyTheDead(t *testing.T) {
	eachSeed(t, func(t *testing.T, r *rand.Rand) {
		w := randomWorld(r, 1)
		w.settle(t)
		dead := w.config.Hosts[r.IntN(len(w.config.Hosts))].ID.Value
		w.down(dead)
		for range 3 {
			for _, a := range w.round() {
				if a.Moves() && a.From != dead {
					t.Errorf("%s moves from %s (%s), but %s died", a.Service, a.From, a.Why, dead)
				}
				if a.To == dead {
					t.Errorf("%s stays with the dead", a.Service)
				}
			}
		}
		w.checkRest(t)
	})
}

// The return of a host moves back what it should have, to it and to nobody else, a few a round, and not before it has settled.
func TestReturnIsGradual(t *testing.T) {
	eachSeed(t, func(t *testing.T, r *rand.Rand) {
		w := randomWorld(r, 1)
		w.settle(t)
		back := w.config.Hosts[r.IntN(len(w.config.Hosts))].ID.Value
		w.down(back)
		w.settle(t)
		w.up(back, placement.SettleTime-1)
		for _, a := range w.round() {
			if a.Moves() && len(w.view.Hosts) > 1 {
				t.Fatalf("%s moves to a host that is back for less than %v", a.Service, placement.SettleTime)
			}
		}
		w.up(back, placement.SettleTime)
		share := len(w.config.Services)/len(w.config.Hosts) + 2 // of two types, each rounded up
		moves := 0
		for range share + 1 {
			round := 0
			for _, a := range w.round() {
				if a.Moves() {
					round++
					if a.To != back {
						t.Errorf("%s moves to %s, but %s is back", a.Service, a.To, back)
					}
				}
			}
			if round > placement.MovesPerRound {
				t.Errorf("%d moves in a round, want at most %d", round, placement.MovesPerRound)
			}
			moves += round
		}
		if moves > share {
			t.Errorf("%d moves, want at most %d", moves, share)
		}
		w.checkRest(t)
	})
}

// A host that has just started takes back its own, and waits for the others unless it sees them all.
func TestStartWaitsForTheOthers(t *testing.T) {
	w := newWorld()
	w.addHost(1, "stor1")
	w.addHost(2, "stor1")
	for range 4 {
		w.addService(holdfast.TypeObjectStore, 1, "stor1")
	}
	w.settle(t)
	w.down(2)
	w.view.Up = placement.JoinGrace - 1
	for _, a := range w.round() {
		want := placement.Assignment{Service: a.Service, From: a.From, To: 1, Why: placement.Stays}
		if a.From == 2 {
			want.To, want.Why = 0, placement.Waits
		}
		if a != want {
			t.Errorf("got %+v, want %+v", a, want)
		}
	}
	w.up(2, 0)
	for _, a := range w.round() {
		if a.Why != placement.Stays {
			t.Errorf("both are there: %+v, want stays", a)
		}
	}
}

func BenchmarkCompute(b *testing.B) {
	w := newWorld()
	for h := range 100 {
		w.addHost(holdfast.HostID(h+1), "stor1")
	}
	for range 1000 {
		w.addService(holdfast.TypeNameServer, 1, "stor1")
		w.addService(holdfast.TypeObjectStore, 1, "stor1")
	}
	w.round()
	for b.Loop() {
		placement.Compute(w.config, w.view)
	}
}
