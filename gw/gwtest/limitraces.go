package gwtest

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// testSharedLimits uses one limit through several gateways as hard as can be: together they let through what it says and no more.
func testSharedLimits(e *env, clients []*client) {
	e.needSystem()
	e.manage("PUT", "ostor-limits&bucket="+e.bucket+"&ops&put=60&get=1&default=0").is(200)
	for _, c := range clients { // until all gateways know the limit
		for deadline := time.Now().Add(10 * time.Second); ; {
			if a, err := c.try(e.T, "GET", e.at("none")); err == nil && a.status == http.StatusServiceUnavailable {
				a.fails(503, "SlowDown")
				break
			}
			if time.Now().After(deadline) {
				e.Fatal("a gateway does not learn of a limit")
			}
		}
	}
	const window, perWindow = 10, 10 // 60 a minute are 10 in 10 seconds
	begun := time.Now().Unix() / window
	var done, refused atomic.Int64
	race(func(i int) {
		for n := range 5 {
			a, err := clients[i%len(clients)].try(e.T, "PUT", e.at(fmt.Sprintf("%d/%d", i, n)), text("x"))
			switch {
			case err != nil:
				e.Error(err)
			case a.status == http.StatusOK:
				done.Add(1)
			case a.status == http.StatusServiceUnavailable:
				refused.Add(1)
			default:
				e.Errorf("%s: %d %s", a.what, a.status, a.body)
			}
		}
	})
	windows := time.Now().Unix()/window - begun + 1
	if got := done.Load(); got > windows*perWindow || got < perWindow/2 || refused.Load() == 0 {
		e.Errorf("%d puts were let through in %d windows and %d refused, want %d a window", got, windows, refused.Load(), perWindow)
	}
	e.manage("DELETE", "ostor-limits&bucket="+e.bucket).is(204)
}

// testSharedQuota fills a bucket through several gateways at once: it is filled to the last byte and not beyond.
func testSharedQuota(e *env, clients []*client) {
	e.needSystem()
	const size, room = 1000, 17
	e.manage("PUT", "ostor-quotas&bucket="+e.bucket+fmt.Sprintf("&quota-bytes=%d", room*size)).is(200)
	body := strings.Repeat("x", size)
	var done atomic.Int64
	race(func(i int) {
		for n := range 4 {
			a, err := clients[i%len(clients)].try(e.T, "PUT", e.at(fmt.Sprintf("%d/%d", i, n)), text(body))
			switch {
			case err != nil:
				e.Error(err)
			case a.status == http.StatusOK:
				done.Add(1)
			default:
				a.fails(403, "QuotaExceeded")
			}
		}
	})
	if got := done.Load(); got != room {
		e.Errorf("%d objects were let in, want %d", got, room)
	}
	for i := range clients { // every gateway refuses one byte more
		a, err := clients[i].try(e.T, "PUT", e.at("more"), text("x"))
		if err != nil {
			e.Fatal(err)
		}
		a.fails(403, "QuotaExceeded")
	}
	e.manage("DELETE", "ostor-quotas&bucket="+e.bucket).is(204)
}
