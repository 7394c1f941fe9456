package account

import (
	"context"
	"fmt"
	"testing"
	"time"

	"holdfast"
)

// scenario is a change that a process dies in.
type scenario struct {
	name string
	// change is made by the process that dies. who is a user with a service account "app".
	change func(ctx context.Context, s *Store, who *User) error
	// again is what the administrator does next, at a healthy gateway; its outcome may be success or one of the kinds.
	again func(ctx context.Context, s *Store, who *User) error
	may   []holdfast.Kind
	// check looks at the end; app is the key of the service account.
	check func(t *testing.T, s *Store, who *User, app string)
}

func scenarios() []scenario {
	create := func(ctx context.Context, s *Store, _ *User) error {
		_, err := s.Create(ctx, "new@x", false)
		return err
	}
	createService := func(ctx context.Context, s *Store, u *User) error {
		_, err := s.CreateService(ctx, u.ID, "new", nil)
		return err
	}
	remove := func(ctx context.Context, s *Store, u *User) error { return s.Delete(ctx, u.ID) }
	revoke := func(ctx context.Context, s *Store, u *User) error { return s.RevokeKey(ctx, u.ID, u.Keys[0].AccessKey) }
	disable := func(ctx context.Context, s *Store, u *User) error { return s.SetEnabled(ctx, u.ID, false) }
	removeService := func(ctx context.Context, s *Store, u *User) error { return s.DeleteService(ctx, u.ID, "app") }
	return []scenario{
		{"create", create, create, []holdfast.Kind{holdfast.Exists}, func(t *testing.T, s *Store, _ *User, _ string) {
			id := must[string](t)(s.Resolve(t.Context(), "new@x"))
			u := must[User](t)(s.User(t.Context(), id))
			signs(t, s, u.Keys[0].AccessKey, true)
		}},
		{"delete", remove, remove, []holdfast.Kind{holdfast.NotFound}, func(t *testing.T, s *Store, u *User, app string) {
			signs(t, s, u.Keys[0].AccessKey, false)
			signs(t, s, app, false)
			if _, err := s.Create(t.Context(), u.Email, false); err != nil {
				t.Errorf("the address is not free: %v", err)
			}
		}},
		{"revoke", revoke, revoke, []holdfast.Kind{holdfast.NotFound}, func(t *testing.T, s *Store, u *User, app string) {
			signs(t, s, u.Keys[0].AccessKey, false)
			signs(t, s, app, true)
		}},
		{"disable", disable, disable, nil, func(t *testing.T, s *Store, u *User, app string) {
			signs(t, s, u.Keys[0].AccessKey, false)
			signs(t, s, app, false)
		}},
		{"create service", createService, createService, []holdfast.Kind{holdfast.Exists}, func(t *testing.T, s *Store, u *User, _ string) {
			a := must[Service](t)(s.Service(t.Context(), u.ID, "new"))
			signs(t, s, a.AccessKey, true)
		}},
		{"delete service", removeService, removeService, []holdfast.Kind{holdfast.NotFound}, func(t *testing.T, s *Store, u *User, app string) {
			signs(t, s, app, false)
			signs(t, s, u.Keys[0].AccessKey, true)
		}},
	}
}

// TestDyingProcess lets the process that makes a change die at each of its steps, with the step done and not done. Another gateway, which
// had the keys in its cache, then makes the change again; whatever the first one had come to, the outcome is the same, and a sweep an hour
// later finds all that was left.
func TestDyingProcess(t *testing.T) {
	for _, sc := range scenarios() {
		for _, applied := range []bool{false, true} {
			died := true
			for step := 0; died; step++ {
				t.Run(fmt.Sprintf("%s/%d/%v", sc.name, step, applied), func(t *testing.T) { died = sc.run(t, step, applied) })
				if step > 20 {
					t.Fatal("the change has no end")
				}
			}
		}
	}
}

// run reports whether the process came to the step at which it should die.
func (sc *scenario) run(t *testing.T, step int, applied bool) (died bool) {
	p := newPair(t)
	ctx := t.Context()
	u := must[User](t)(p.here.Create(ctx, "old@x", false))
	app := must[Service](t)(p.here.CreateService(ctx, u.ID, "app", nil))
	signs(t, p.there, u.Keys[0].AccessKey, true)
	signs(t, p.there, app.AccessKey, true)

	f := &faulty{records: volumeRecords{p.volume}, failAt: step, applied: applied}
	dying := newStore(f, Options{Keys: p.here.keys, Root: testRoot})
	if err := sc.change(ctx, dying, &u); err != nil && !f.dead {
		t.Fatalf("without a fault: %v", err)
	}
	err := sc.again(ctx, p.here, &u)
	ok := err == nil
	for _, kind := range sc.may {
		ok = ok || holdfast.Is(err, kind)
	}
	if !ok {
		t.Errorf("again: %v", err)
	}
	sc.check(t, p.there, &u, app.AccessKey)
	p.here.now = func() time.Time { return time.Now().Add(2 * sweepAfter) }
	must[int](t)(p.here.Sweep(ctx))
	p.leavesNothing(t)
	return f.dead
}

// leavesNothing holds that what a sweep leaves is exactly what is visible.
func (p *pair) leavesNothing(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	page := must[UsersPage](t)(p.here.Users(ctx, "", false))
	want := make(map[string]bool)
	for _, u := range page.Users {
		want[userKey(u.ID)] = true
		for _, a := range must[[]Service](t)(p.here.Services(ctx, u.ID)) {
			want[accountKey(u.ID, a.Name)], want[indexKey(a.AccessKey)] = true, true
		}
	}
	for _, prefix := range []string{userPrefix, accountPrefix, keyPrefix} {
		keys, _, err := p.here.records.keys(ctx, prefix, "", pageSize)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if !want[key] {
				t.Errorf("%s is left", key)
			}
			delete(want, key)
		}
	}
	for key := range want {
		t.Errorf("%s is missing", key)
	}
}

// TestSweepSparesTheYoung sweeps while a user is being made: the record is there, the address is not yet.
func TestSweepSparesTheYoung(t *testing.T) {
	p := newPair(t)
	f := &faulty{records: volumeRecords{p.volume}, failAt: 1}
	if _, err := newStore(f, Options{Keys: p.here.keys}).Create(t.Context(), "a@b", false); err == nil {
		t.Fatal("the creation did not break off")
	}
	if n := must[int](t)(p.here.Sweep(t.Context())); n != 0 {
		t.Errorf("%d records went at once", n)
	}
	p.here.now = func() time.Time { return time.Now().Add(2 * sweepAfter) }
	if n := must[int](t)(p.here.Sweep(t.Context())); n != 1 {
		t.Errorf("%d records went after an hour, want 1", n)
	}
}

// TestAbandonedAddress takes over an address whose user was swept up before the address was claimed.
func TestAbandonedAddress(t *testing.T) {
	p := newPair(t)
	value, err := encode(&mailRecord{V: format, User: "00000000000000aa"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.here.records.write(t.Context(), mailKey("a@b"), value, holdfast.ETag{}); err != nil {
		t.Fatal(err)
	}
	_, err = p.here.Resolve(t.Context(), "a@b")
	wantKind(t, err, holdfast.NotFound)
	must[User](t)(p.here.Create(t.Context(), "a@b", false))
}

// TestUnackedChangeAges lets a process die between a change and making it known: the others go by it when their cache has aged.
func TestUnackedChangeAges(t *testing.T) {
	p := newPair(t)
	u := must[User](t)(p.here.Create(t.Context(), "a@b", false))
	key := u.Keys[0].AccessKey
	signs(t, p.there, key, true)
	f := &faulty{records: volumeRecords{p.volume}, failAt: 1}
	wantKind(t, newStore(f, Options{Keys: p.here.keys}).RevokeKey(t.Context(), u.ID, key), holdfast.Unknown)
	p.there.now = func() time.Time { return time.Now().Add(maxAge) }
	signs(t, p.there, key, false)
}
