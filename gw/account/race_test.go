package account

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"holdfast"
)

// racers is how many goroutines try the same thing; half of them at each gateway.
const racers = 8

// race runs f in all racers and returns how many of them succeeded; any other must have ended in the kind.
func race(t *testing.T, p *pair, lost holdfast.Kind, f func(s *Store, i int) error) int {
	t.Helper()
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range racers {
		s := p.here
		if i%2 == 1 {
			s = p.there
		}
		wg.Go(func() {
			switch err := f(s, i); {
			case err == nil:
				won.Add(1)
			case !holdfast.Is(err, lost):
				t.Errorf("got %v, want %v", err, lost)
			}
		})
	}
	wg.Wait()
	return int(won.Load())
}

// TestOneWinner lets many make the same thing at once: one has it.
func TestOneWinner(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	for round := range 5 {
		email := fmt.Sprintf("user%d@x", round)
		if n := race(t, p, holdfast.Exists, func(s *Store, _ int) error {
			_, err := s.Create(ctx, email, false)
			return err
		}); n != 1 {
			t.Errorf("%d users have the address", n)
		}
		id := must[string](t)(p.here.Resolve(ctx, email))
		if n := race(t, p, holdfast.Conflict, func(s *Store, _ int) error {
			_, _, err := s.GenerateKey(ctx, id)
			return err
		}); n != MaxKeys-1 {
			t.Errorf("%d more keys were made, want %d", n, MaxKeys-1)
		}
		if n := race(t, p, holdfast.Exists, func(s *Store, _ int) error {
			_, err := s.CreateService(ctx, id, "app", nil)
			return err
		}); n != 1 {
			t.Errorf("%d service accounts have the name", n)
		}
		keys := must[User](t)(p.here.User(ctx, id)).Keys
		if n := race(t, p, holdfast.NotFound, func(s *Store, _ int) error { return s.RevokeKey(ctx, id, keys[0].AccessKey) }); n != 1 {
			t.Errorf("%d revocations found the key", n)
		}
		signs(t, p.there, keys[0].AccessKey, false)
		signs(t, p.there, keys[1].AccessKey, true)
	}
	p.leavesNothing(t)
	if page := must[UsersPage](t)(p.here.Users(ctx, "", false)); len(page.Users) != 5 {
		t.Errorf("got %d users", len(page.Users))
	}
}

// TestRevokedAtOnce revokes and disables while others sign all the time: whoever asks after the change returned is refused.
func TestRevokedAtOnce(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	for range 20 {
		u := must[User](t)(p.here.Create(ctx, "a@b", false))
		key := u.Keys[0].AccessKey
		var done atomic.Bool
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					late := done.Load()
					_, ok, err := p.there.Identity(ctx, key)
					if err != nil || ok && late {
						t.Errorf("the key signs after it was taken away: %v, %v", ok, err)
						return
					}
					if !ok {
						return
					}
				}
			})
		}
		var err error
		if u.ID[0]%2 == 0 {
			err = p.here.RevokeKey(ctx, u.ID, key)
		} else {
			err = p.here.SetEnabled(ctx, u.ID, false)
		}
		done.Store(true)
		wg.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.here.Delete(ctx, u.ID); err != nil {
			t.Fatal(err)
		}
	}
}
