package gwtest

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// RunAcross runs the groups that are about many clients at once against several gateways of one volume. Each client has a gateway of its
// own, as far as there are enough.
func RunAcross(t *testing.T, endpoints []string, creds Credentials) {
	if creds.Region == "" {
		creds.Region = "us-east-1"
	}
	across := func(name string, run func(t *testing.T, clients []*client)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clients []*client
			for _, at := range endpoints {
				c := newClient(at, creds)
				t.Cleanup(c.close)
				clients = append(clients, c)
			}
			run(t, clients)
		})
	}
	across("VersionRaces", withBucket(func(e *env, clients []*client) {
		e.versioning("Enabled")
		versionRaces(e, clients)
	}))
	if creds.System {
		across("Access", accessAcross)
		across("SharedLimits", withBucket(testSharedLimits))
		across("SharedQuota", withBucket(testSharedQuota))
	}
}

// withBucket gives a group for several gateways a bucket of its own.
func withBucket(run func(e *env, clients []*client)) func(*testing.T, []*client) {
	return func(t *testing.T, clients []*client) {
		e := &env{T: t, client: clients[0]}
		e.bucket = e.newBucket()
		run(e, clients)
	}
}

func testVersionRaces(e *env) {
	e.versioning("Enabled")
	versionRaces(e, []*client{e.client})
}

// written is a version or delete marker that a client was told of.
type written struct {
	id         string
	marker     bool
	data       string
	begun, end time.Time
}

// Each racer writes so often to each of these keys.
const (
	racesPerKey = 12
	raceKeys    = 3
)

// versionRaces lets many clients write and delete the same few keys in a bucket with versioning: every version that was acknowledged is
// listed exactly once and holds what its writer sent, nothing else is listed, and a version that was acknowledged before another was
// begun is older than that.
func versionRaces(e *env, clients []*client) {
	key := func(i int) string { return fmt.Sprintf("race/%d/key", i) }
	var mu sync.Mutex
	told := make(map[string][]written)
	race(func(i int) {
		c := clients[i%len(clients)]
		for n := range racesPerKey * raceKeys {
			k := key(n % raceKeys)
			w := written{marker: n%5 == 4, data: fmt.Sprint(i, "-", n), begun: time.Now()}
			var a *answer
			var err error
			if w.marker {
				a, err = c.try(e.T, "DELETE", e.at(k))
			} else {
				a, err = c.try(e.T, "PUT", e.at(k), text(w.data))
			}
			if err != nil || a.status != http.StatusOK && a.status != http.StatusNoContent {
				e.Errorf("racer %d: %v %v", i, a, err)
				continue
			}
			w.end, w.id = time.Now(), a.header.Get("X-Amz-Version-Id")
			mu.Lock()
			told[k] = append(told[k], w)
			mu.Unlock()
		}
	})
	for i := range raceKeys {
		e.checkRace(key(i), told[key(i)])
	}
}

// checkRace holds the listing of a key against what its writers were told.
func (e *env) checkRace(key string, told []written) {
	e.T.Helper()
	var rows []versionRow
	for from := ""; ; {
		page := e.versions("max-keys=100&prefix=" + escape(key) + from)
		if rows = append(rows, page.Rows...); !page.IsTruncated {
			break
		}
		from = "&key-marker=" + escape(page.NextKeyMarker) + "&version-id-marker=" + page.NextVersionIdMarker
	}
	if len(rows) != len(told) {
		e.Errorf("%s: %d versions are listed, %d were acknowledged", key, len(rows), len(told))
	}
	var last time.Time // when the newest of the older versions was begun
	for i, row := range slices.Backward(rows) {
		at := slices.IndexFunc(told, func(w written) bool { return w.id == row.VersionId })
		if at < 0 {
			e.Errorf("%s: version %s is listed and was not acknowledged, or is listed twice", key, row.VersionId)
			continue
		}
		w := told[at]
		told = slices.Delete(told, at, at+1)
		if marker := row.XMLName.Local == "DeleteMarker"; marker != w.marker || row.IsLatest != (i == 0) {
			e.Errorf("%s: version %s is shown as %v, want a marker: %t", key, row.VersionId, row, w.marker)
		}
		if !w.marker {
			e.req("GET", e.version(key, w.id)).is(200).holds([]byte(w.data))
		}
		if w.end.Before(last) {
			e.Errorf("%s: version %s was acknowledged before an older one was begun", key, w.id)
		}
		if w.begun.After(last) {
			last = w.begun
		}
	}
	for _, w := range told {
		e.Errorf("%s: the acknowledged version %s is not listed", key, w.id)
	}
}
