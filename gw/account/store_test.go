package account

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"holdfast"
)

// TestLife follows a user from creation to deletion, changed at one gateway and used at the other.
func TestLife(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	u := must[User](t)(p.here.Create(ctx, "User@Example.com", false))
	if !ValidID(u.ID) || u.Email != "User@Example.com" || !u.Enabled || u.System || len(u.Keys) != 1 {
		t.Fatalf("got %+v", u)
	}
	first := u.Keys[0]
	if !regexp.MustCompile("^"+u.ID+"[A-Z0-9]{4}$").MatchString(first.AccessKey) || !regexp.MustCompile(`^[A-Za-z0-9]{40}$`).MatchString(first.Secret) {
		t.Errorf("got the key %+v", first)
	}
	if id := signs(t, p.there, first.AccessKey, true); id.User != u.ID || id.Secret != first.Secret || id.Email != u.Email || id.System {
		t.Errorf("got %+v", id)
	}
	_, second, err := p.here.GenerateKey(ctx, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = p.here.GenerateKey(ctx, u.ID)
	if wantKind(t, err, holdfast.Conflict); !errors.Is(err, ErrTooManyKeys) {
		t.Errorf("got %v", err)
	}
	signs(t, p.there, second.AccessKey, true)
	if err := p.here.RevokeKey(ctx, u.ID, first.AccessKey); err != nil {
		t.Fatal(err)
	}
	signs(t, p.there, first.AccessKey, false)
	signs(t, p.there, second.AccessKey, true)
	wantKind(t, p.here.RevokeKey(ctx, u.ID, first.AccessKey), holdfast.NotFound)
	for _, on := range []bool{false, true} {
		if err := p.here.SetEnabled(ctx, u.ID, on); err != nil {
			t.Fatal(err)
		}
		signs(t, p.there, second.AccessKey, on)
	}
	if id := must[string](t)(p.there.Resolve(ctx, "user@EXAMPLE.com")); id != u.ID {
		t.Errorf("got %s", id)
	}
	if name := must[string](t)(p.there.Name(ctx, u.ID)); name != "User@Example.com" {
		t.Errorf("got %s", name)
	}
	if err := p.here.Delete(ctx, u.ID); err != nil {
		t.Fatal(err)
	}
	signs(t, p.there, second.AccessKey, false)
	if name := must[string](t)(p.there.Name(ctx, u.ID)); name != u.ID {
		t.Errorf("got %s for a user who is gone", name)
	}
	_, err = p.here.User(ctx, u.ID)
	wantKind(t, err, holdfast.NotFound)
	wantKind(t, p.here.Delete(ctx, u.ID), holdfast.NotFound)
	again := must[User](t)(p.here.Create(ctx, "user@example.com", true))
	if id := signs(t, p.there, again.Keys[0].AccessKey, true); !id.System {
		t.Errorf("a system user is not one: %+v", id)
	}
}

// TestAddresses tries what may be an address.
func TestAddresses(t *testing.T) {
	p := newPair(t)
	for _, email := range []string{"", "x", "@", "a@", "@b", "a b@c", "a@b\n", "a@b>", "a@b,c@d", "a@b\xff", strings.Repeat("x", 252) + "@yz"} {
		_, err := p.here.Create(t.Context(), email, false)
		wantKind(t, err, holdfast.Invalid)
	}
	for _, email := range []string{"a@b", "a/../b@c", "u+tag%2F@example.org", "käthe@müller.de", strings.Repeat("x", 252) + "@y"} {
		u := must[User](t)(p.here.Create(t.Context(), email, false))
		if got := must[string](t)(p.there.Resolve(t.Context(), email)); got != u.ID {
			t.Errorf("%s: got %s, want %s", email, got, u.ID)
		}
		_, err := p.there.Create(t.Context(), strings.ToUpper(email), false)
		wantKind(t, err, holdfast.Exists)
	}
}

// TestOwnersStay refuses to delete a user who owns a bucket, whose keys go on signing.
func TestOwnersStay(t *testing.T) {
	p := newPair(t)
	u := must[User](t)(p.here.Create(t.Context(), "a@b", false))
	must[holdfast.BucketInfo](t)(p.volume.CreateBucket(t.Context(), holdfast.BucketInfo{Name: "bucket", Owner: u.ID}))
	wantKind(t, p.here.Delete(t.Context(), u.ID), holdfast.NotEmpty)
	signs(t, p.there, u.Keys[0].AccessKey, true)
	if err := p.volume.DeleteBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	if err := p.here.Delete(t.Context(), u.ID); err != nil {
		t.Fatal(err)
	}
}

// TestServiceAccounts follows service accounts through their life and that of their user.
func TestServiceAccounts(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	u := must[User](t)(p.here.Create(ctx, "a@b", false))
	policy := []byte(`{ "Version": "2012-10-17", "Statement": [] }`)
	a := must[Service](t)(p.here.CreateService(ctx, u.ID, "backup", policy))
	if !regexp.MustCompile(`^holdfast-[A-Z0-9]{10}$`).MatchString(a.AccessKey) || len(a.Secret) != 40 {
		t.Errorf("got %+v", a)
	}
	id := signs(t, p.there, a.AccessKey, true)
	if id.User != u.ID || id.Service != "backup" || id.Secret != a.Secret || string(id.Policy) != `{"Version":"2012-10-17","Statement":[]}` {
		t.Errorf("got %+v", id)
	}
	_, err := p.there.CreateService(ctx, u.ID, "backup", nil)
	wantKind(t, err, holdfast.Exists)
	b := must[Service](t)(p.here.CreateService(ctx, u.ID, "web", nil))
	if got := must[Service](t)(p.here.Service(ctx, u.ID, "backup")); got.Secret != "" || got.AccessKey != a.AccessKey {
		t.Errorf("got %+v", got)
	}
	if err := p.here.SetPolicy(ctx, u.ID, "backup", nil); err != nil {
		t.Fatal(err)
	}
	if id := signs(t, p.there, a.AccessKey, true); id.Policy != nil {
		t.Errorf("the policy is still %s", id.Policy)
	}
	if err := p.here.SetEnabled(ctx, u.ID, false); err != nil {
		t.Fatal(err)
	}
	signs(t, p.there, a.AccessKey, false)
	if err := p.here.SetEnabled(ctx, u.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := p.here.DeleteService(ctx, u.ID, "backup"); err != nil {
		t.Fatal(err)
	}
	signs(t, p.there, a.AccessKey, false)
	signs(t, p.there, b.AccessKey, true)
	signs(t, p.there, u.Keys[0].AccessKey, true)
	wantKind(t, p.here.DeleteService(ctx, u.ID, "backup"), holdfast.NotFound)
	wantKind(t, p.here.SetPolicy(ctx, u.ID, "backup", nil), holdfast.NotFound)
	if all := must[[]Service](t)(p.here.Services(ctx, u.ID)); len(all) != 1 || all[0].Name != "web" {
		t.Errorf("got %+v", all)
	}
	if err := p.here.Delete(ctx, u.ID); err != nil {
		t.Fatal(err)
	}
	signs(t, p.there, b.AccessKey, false)
	_, err = p.here.CreateService(ctx, u.ID, "late", nil)
	wantKind(t, err, holdfast.NotFound)
}

// TestServiceRefusals tries names and policies that cannot be.
func TestServiceRefusals(t *testing.T) {
	p := newPair(t)
	u := must[User](t)(p.here.Create(t.Context(), "a@b", false))
	for _, name := range []string{"", "a/b", "a b", "ä", strings.Repeat("x", 65)} {
		_, err := p.here.CreateService(t.Context(), u.ID, name, nil)
		wantKind(t, err, holdfast.Invalid)
	}
	for _, policy := range []string{"{", "[]", `"text"`, "{} {}"} {
		_, err := p.here.CreateService(t.Context(), u.ID, "x", []byte(policy))
		wantKind(t, err, holdfast.Invalid)
	}
	_, err := p.here.CreateService(t.Context(), u.ID, "x", []byte(`{"a":"`+strings.Repeat("x", MaxPolicy)+`"}`))
	wantKind(t, err, holdfast.TooLarge)
	full := `{"a":"` + strings.Repeat("x", MaxPolicy-8) + `"}`
	if _, err := p.here.CreateService(t.Context(), u.ID, "full", []byte(full)); err != nil {
		t.Errorf("a policy of %d bytes: %v", len(full), err)
	}
}

// TestRoot has the user that no record knows.
func TestRoot(t *testing.T) {
	p := newPair(t)
	if id := signs(t, p.here, testRoot.AccessKey, true); id.User != testRoot.ID || id.Secret != testRoot.Secret || !id.System {
		t.Errorf("got %+v", id)
	}
	wantKind(t, p.here.SetEnabled(t.Context(), testRoot.ID, false), holdfast.Unsupported)
	wantKind(t, p.here.Delete(t.Context(), testRoot.ID), holdfast.Unsupported)
	_, _, err := p.here.GenerateKey(t.Context(), testRoot.ID)
	wantKind(t, err, holdfast.Unsupported)
	a := must[Service](t)(p.here.CreateService(t.Context(), testRoot.ID, "app", nil))
	if id := signs(t, p.there, a.AccessKey, true); id.User != testRoot.ID || id.Service != "app" || !id.System {
		t.Errorf("got %+v", id)
	}
	if ok := must[bool](t)(p.here.UserByID(t.Context(), testRoot.ID)); !ok {
		t.Error("root is not a user")
	}
}

// TestForeignKeys asks for keys that were never given out.
func TestForeignKeys(t *testing.T) {
	p := newPair(t)
	for _, key := range []string{"", "AKIAIOSFODNN7EXAMPLE", "0123456789abcdefABCD", "holdfast-ABCDEFGHIJ", "holdfast-../../x/y", "holdfast-"} {
		signs(t, p.here, key, false)
	}
}

// TestSealedSecrets looks for secrets in what is stored, and moves a sealed one to another key.
func TestSealedSecrets(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	u := must[User](t)(p.here.Create(ctx, "a@b", false))
	_, second, err := p.here.GenerateKey(ctx, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.volume.ReadRecord(ctx, userKey(u.ID))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.Value, second.Secret) || strings.Contains(r.Value, u.Keys[0].Secret) {
		t.Errorf("a secret is stored in the clear: %s", r.Value)
	}
	_, err = p.here.change(ctx, "test", u.ID, func(u *userRecord) error {
		u.Keys[0].Secret = u.Keys[1].Secret
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.there.Identity(ctx, u.Keys[0].AccessKey); !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("got %v, want corrupt", err)
	}
	signs(t, p.there, second.AccessKey, true)
}

// TestUsers lists users over several pages.
func TestUsers(t *testing.T) {
	p := newPair(t)
	for _, email := range []string{"c@x", "A@x", "b@x"} {
		must[User](t)(p.here.Create(t.Context(), email, false))
	}
	page := must[UsersPage](t)(p.there.Users(t.Context(), "", false))
	var got []string
	for _, u := range page.Users {
		got = append(got, u.Email)
		if len(u.Keys) != 1 || u.Keys[0].Secret != "" {
			t.Errorf("got %+v", u.Keys)
		}
	}
	if strings.Join(got, " ") != "A@x b@x c@x" || page.Next != "" {
		t.Errorf("got %v, next %q", got, page.Next)
	}
	page = must[UsersPage](t)(p.there.Users(t.Context(), mailKey("a@x"), true))
	if len(page.Users) != 2 || page.Users[0].Keys[0].Secret == "" {
		t.Errorf("got %+v", page.Users)
	}
}
