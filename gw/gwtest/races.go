package gwtest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
)

// racers is how many clients try the same at once.
const racers = 12

// race runs one function per racer at the same time.
func race(run func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		all.Go(func() {
			<-start
			run(i)
		})
	}
	close(start)
	all.Wait()
}

func testRaces(e *env) {
	e.sub("create", func(e *env) { testRaceToCreate(e) })
	e.sub("replace", func(e *env) { testRaceToReplace(e) })
	e.sub("complete", func(e *env) { testRaceToComplete(e) })
	e.sub("read", func(e *env) { testReadWhileReplaced(e) })
}

// conflict reports whether an answer is one of those that a lost race has.
func conflict(a *answer) bool {
	return a.status == 412 && bytes.Contains(a.body, []byte("<Code>PreconditionFailed</Code>")) ||
		a.status == 409 && bytes.Contains(a.body, []byte("<Code>ConditionalRequestConflict</Code>"))
}

// winner returns the one that succeeded and fails the test if it was not exactly one.
func winner(e *env, answers []*answer) int {
	e.T.Helper()
	won := -1
	for i, a := range answers {
		switch {
		case a == nil:
			e.Fatal("no answer")
		case a.status == 200 && won >= 0:
			e.Errorf("%d and %d both won", won, i)
		case a.status == 200:
			won = i
		case !conflict(a):
			e.Errorf("%s: %d %s", a.what, a.status, a.body)
		}
	}
	if won < 0 {
		e.Error("nobody won")
	}
	return max(won, 0)
}

func testRaceToCreate(e *env) {
	for round := range 5 {
		key := fmt.Sprintf("deep/%d/key", round)
		var answers [racers]*answer
		race(func(i int) {
			answers[i], _ = e.try(e.T, "PUT", e.at(key), text(fmt.Sprint(i)), header("If-None-Match", "*"))
		})
		won := winner(e, answers[:])
		e.get(key).is(200).holds([]byte(fmt.Sprint(won)))
	}
}

func testRaceToReplace(e *env) {
	etag := e.put("r", "start").header.Get("ETag")
	for range 5 {
		var answers [racers]*answer
		race(func(i int) {
			answers[i], _ = e.try(e.T, "PUT", e.at("r"), text(fmt.Sprint(etag, i)), header("If-Match", etag))
		})
		won := winner(e, answers[:])
		e.get("r").is(200).holds([]byte(fmt.Sprint(etag, won)))
		etag = answers[won].header.Get("ETag")
	}
}

// testRaceToComplete finishes one upload many times at once: all that succeed say the same.
func testRaceToComplete(e *env) {
	up := e.begin("m")
	doc := completeDocument(row{1, e.part(up, 1, []byte("part"))})
	var answers [racers]*answer
	race(func(i int) { answers[i], _ = e.try(e.T, "POST", up.target(), text(doc)) })
	want := `"` + multipartTag([]byte("part")) + `"`
	for _, a := range answers {
		var done completeResult
		if a.mustBe(200).xml(&done); done.ETag != want {
			e.Errorf("got %s, want %s", done.ETag, want)
		}
	}
	e.get("m").is(200).holds([]byte("part"))
}

// testReadWhileReplaced reads a key that is replaced all the time: each answer is one of the objects, whole, under its own
// ETag.
func testReadWhileReplaced(e *env) {
	content := func(i int) string { return strings.Repeat(fmt.Sprintf("%04d", i), 50_000) }
	e.put("x", content(0))
	done := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		defer close(done)
		for i := range 40 {
			if a, err := e.try(e.T, "PUT", e.at("x"), text(content(i))); err != nil || a.status != 200 {
				e.Errorf("put: %v %v", a, err)
			}
		}
	})
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		a, err := e.try(e.T, "GET", e.at("x"))
		if err != nil {
			e.Fatal(err)
		}
		if want := `"` + md5Hex(string(a.body)) + `"`; a.status != 200 || a.header.Get("ETag") != want {
			e.Errorf("%d with ETag %s and bytes of %s", a.status, a.header.Get("ETag"), want)
		}
	}
	writer.Wait()
}
