package gw

import (
	"context"
	"errors"
	"strings"
	"testing"

	"holdfast"
)

// identities are credentials that a test can change.
type identities func(key string) (Identity, bool, error)

func (f identities) Identity(_ context.Context, key string) (Identity, bool, error) { return f(key) }

// TestBucketsOfOthers makes buckets that are there already: one's own, and somebody else's, inside and outside of the first
// region.
func TestBucketsOfOthers(t *testing.T) {
	v := openVolume(t, newServices())
	if _, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{Name: "taken", Owner: "somebody"}); err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{usEast1, "eu-test-1"} {
		c := clientOf(t, serve(t, New(Options{Volume: v, Credentials: oneUser{}, Settings: Settings{Region: region}})))
		c.region = region
		c.do("PUT", "/taken", nil).fails(409, "BucketAlreadyExists")
		own := "/own-" + region
		location := "<CreateBucketConfiguration><LocationConstraint>" + region + "</LocationConstraint></CreateBucketConfiguration>"
		c.do("PUT", own, []byte(location)).is(200)
		if again := c.do("PUT", own, nil); region == usEast1 {
			again.is(200)
		} else {
			again.fails(409, "BucketAlreadyOwnedByYou")
		}
		want := "/>"
		if region != usEast1 {
			want = ">" + region + "</LocationConstraint>"
		}
		got := c.do("GET", own+"?location", nil).is(200)
		if text := strings.ReplaceAll(string(got.body), "></LocationConstraint>", "/>"); !strings.HasSuffix(text, want) {
			t.Errorf("got %s, want %s", got.body, want)
		}
		if list := c.do("GET", "/", nil).is(200); strings.Contains(string(list.body), "taken") {
			t.Errorf("somebody else's bucket is listed: %s", list.body)
		}
	}
}

// TestCredentialLookup fails the lookup of an access key, and revokes one between the two times it is looked at.
func TestCredentialLookup(t *testing.T) {
	calls := 0
	var answer func() (bool, error)
	g := newTestGateway(t, func(o *Options) {
		o.Credentials = identities(func(string) (Identity, bool, error) {
			calls++
			ok, err := answer()
			return Identity{User: testUser, Secret: testSecret}, ok, err
		})
	})
	c := clientOf(t, serve(t, g))
	answer = func() (bool, error) { return false, holdfast.E("test", holdfast.Unavailable, nil) }
	c.do("GET", "/", nil).fails(503, "ServiceUnavailable")
	answer = func() (bool, error) { return false, errors.New("secret detail") }
	if a := c.do("GET", "/", nil).fails(500, "InternalError"); strings.Contains(string(a.body), "secret detail") {
		t.Errorf("got %s", a.body)
	}
	calls = 0
	answer = func() (bool, error) { return calls == 1, nil }
	c.do("GET", "/", nil).fails(403, "InvalidAccessKeyId")
	calls = 0
	answer = func() (bool, error) {
		if calls > 1 {
			return false, holdfast.E("test", holdfast.Unavailable, nil)
		}
		return true, nil
	}
	c.do("GET", "/", nil).fails(503, "ServiceUnavailable")
	answer = func() (bool, error) { return true, nil }
	c.do("GET", "/", nil).is(200)
}
