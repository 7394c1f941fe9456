package usage

import (
	"testing"
	"time"

	"holdfast"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// faultyVolumes opens two volumes on the same servers: one whose calls can go wrong, and one for billing.
func faultyVolumes(t *testing.T) (*volumetest.Faults, *volume.Volume, *volume.Volume) {
	t.Helper()
	id := holdfast.NewServiceID(holdfast.TypeNameServer, 1)
	direct := volume.NewDirect(volume.NewSlotMap(id))
	direct.SetName(id, nametest.New(nil))
	object := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	direct.SetObject(object, objtest.NewMemory(object, nil))
	faults := &volumetest.Faults{Services: direct}
	var vs [2]*volume.Volume
	for i, s := range []volume.Services{faults, direct} {
		v, err := volume.Open(volume.Options{Services: s, RetryFor: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.Close() })
		vs[i] = v
	}
	return faults, vs[0], vs[1]
}

// script is a life of a recorder: periods that are written as they run and after they ended, while billing collects between any two steps.
type script struct {
	t       *testing.T
	c       *clock
	r       *Recorder
	billing *collector
	added   int64
	written int64 // of what was added, what the recorder was told is durable
}

func (s *script) add() {
	s.added++
	s.r.Add(Key{Bucket: "b"}, Put, 1, 0)
}

// write returns whether all was written.
func (s *script) write() bool {
	s.r.write(s.t.Context(), true)
	s.billing.collect()
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	all := len(s.r.ended) == 0 && (s.r.current == nil || !s.r.current.dirty)
	if all {
		s.written = s.added
	}
	return all
}

func (s *script) run() {
	for range 2 {
		s.add()
		s.write()
		s.add()
		s.write()
		s.c.advance(DefaultPeriod)
		s.write()
	}
}

// TestFaults makes each call of a recorder fail in each way, one by one and from it on for a while. Whatever happens, billing gets every
// operation once.
func TestFaults(t *testing.T) {
	for _, fault := range volumetest.AllFaults() {
		for _, width := range []int{1, 25} { // more than the volume's own retries make good
			for at := 0; ; at++ {
				faults, v, direct := faultyVolumes(t)
				c := newClock()
				s := &script{t: t, c: c, r: open(t, v, c), billing: newCollector(t, direct)}
				s.add()
				s.write() // makes the service bucket
				calls := 0
				faults.Decide(func(string) volumetest.Fault {
					calls++
					if calls > at && calls <= at+width {
						return fault
					}
					return volumetest.NoFault
				})
				s.run()
				faults.Decide(nil) // from here on nobody counts calls
				reached := calls > at
				s.add()
				s.r.Close()
				if got := s.billing.collect(); got != s.added {
					t.Errorf("fault %d at call %d, for %d: billing got %d of %d operations", fault, at, width, got, s.added)
				}
				if !reached {
					break
				}
			}
		}
	}
}

// TestCrashes ends a gateway before each call, that one being lost or answered too late, and starts it anew. Billing gets no operation twice, and
// all that was written.
func TestCrashes(t *testing.T) {
	for _, last := range []volumetest.Fault{volumetest.LostUnknown, volumetest.Unanswered} {
		for at := 0; ; at++ {
			faults, v, direct := faultyVolumes(t)
			c := newClock()
			s := &script{t: t, c: c, r: open(t, v, c), billing: newCollector(t, direct)}
			s.add()
			s.write()
			calls := 0
			faults.Decide(func(string) volumetest.Fault {
				calls++
				switch {
				case calls <= at:
					return volumetest.NoFault
				case calls == at+1:
					return last
				}
				return volumetest.LostUnknown // it is dead
			})
			s.run()
			faults.Decide(func(string) volumetest.Fault { return volumetest.LostUnknown })
			if calls <= at {
				break
			}
			lower, upper := s.written, s.added
			c.advance(time.Second)
			next := open(t, direct, c)
			if err := next.finishLeft(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.billing.collect(); got < lower || got > upper {
				t.Errorf("crash at call %d: billing got %d operations, want %d to %d", at, got, lower, upper)
			}
		}
	}
}
