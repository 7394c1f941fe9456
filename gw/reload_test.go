package gw

import (
	"fmt"
	"sync"
	"testing"
)

// TestReload changes region and domains: a request under way keeps what it began with, the next one sees the new settings.
func TestReload(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	g := newGateway(Options{Credentials: oneUser{}, Settings: Settings{Region: testRegion}}, held(begun, release))
	c := clientOf(t, serve(t, g))
	answer := make(chan *testAnswer, 1)
	go func() { answer <- c.do("GET", "/bucket/k", nil) }()
	<-begun
	g.Reload(Settings{Region: "eu-test-1", Domains: []string{"new.test"}})
	c.do("GET", "/bucket/k", nil).fails(400, "AuthorizationHeaderMalformed")
	close(release)
	(<-answer).is(200)
	c.region = "eu-test-1"
	go func() { answer <- c.do("GET", "/bucket/k", nil) }()
	<-begun
	(<-answer).is(200)
	if got, err := g.settings.Load().domains.Target("bucket.new.test", "/k"); err != nil || got.Bucket != "bucket" || got.Key != "k" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestReloadUnderLoad reloads all the time while requests run; none is disturbed.
func TestReloadUnderLoad(t *testing.T) {
	g := newTestGateway(t, nil)
	c := clientOf(t, serve(t, g))
	c.do("PUT", "/bucket", nil).is(200)
	done := make(chan struct{})
	var all, loader sync.WaitGroup
	loader.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
				g.Reload(Settings{Region: testRegion, Domains: []string{fmt.Sprintf("d%d.test", i)}})
			}
		}
	})
	for w := range 4 {
		all.Go(func() {
			for i := range 50 {
				key := fmt.Sprintf("/bucket/%d/%d", w, i)
				if a, err := c.try("PUT", key, []byte(key)); err != nil || a.StatusCode != 200 {
					t.Errorf("put: %v %v", a, err)
				}
				if a, err := c.try("GET", key, nil); err != nil || string(a.body) != key {
					t.Errorf("get: %v %v", a, err)
				}
			}
		})
	}
	all.Wait()
	close(done)
	loader.Wait()
}
