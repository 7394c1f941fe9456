package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Gateway is a way into the store.
type Gateway struct {
	Name     string
	Endpoint string // URL
	// Dial connects to it; nil means as this process does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Options say what load to make.
type Options struct {
	Gateways             []Gateway
	Bucket               string
	AccessKey, SecretKey string
	Clients              int    // at least 1
	Seed                 uint64 // of what is done; when is up to the store
	// Pause is how long a client rests between two requests.
	Pause time.Duration
	// AttemptFor is how long a client waits for an answer before it asks the next gateway.
	AttemptFor time.Duration
	// RetryFor is how long a client tries to get one thing done.
	RetryFor time.Duration
}

// Bounds of the load. Keys are used for a while and then left, so that the history of each stays short enough to be searched.
const (
	keysPerDirectory = 8
	usesOfDirectory  = 240 // requests
	maxUnknown       = 8   // attempts of unknown outcome in a directory
	firstPause       = 20 * time.Millisecond
	maxPause         = time.Second
)

// Load is clients at work on a bucket. Each has one request at a time, and tries it at one gateway after the other, as SDKs and DNS make clients
// do, until it is settled.
type Load struct {
	opt   Options
	doors []door
	began time.Time
	stop  context.CancelFunc
	group sync.WaitGroup
	more  chan struct{} // of capacity 1: a request succeeded

	mu       sync.Mutex
	history  []Operation
	requests []request
	errs     map[string]int // what attempts failed with
	dirs     []*directory
	last     map[string]Value // what a key held when it was last heard of
	etags    map[string]Value
}

// request is what a client wanted, and got or not.
type request struct {
	call, end time.Duration
	ok        bool
}

// directory is some keys.
type directory struct {
	prefix  string
	uses    int
	unknown int
}

// Start makes the bucket through the first gateway that answers and starts the clients. ctx bounds the former only.
func Start(ctx context.Context, o Options) (*Load, error) {
	l := &Load{
		opt: o, began: time.Now(), more: make(chan struct{}, 1),
		errs: map[string]int{}, last: map[string]Value{}, etags: map[string]Value{},
	}
	for _, g := range o.Gateways {
		l.doors = append(l.doors, newDoor(g, o))
	}
	if err := l.makeBucket(ctx); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	for i := range o.Clients {
		c := &client{id: i, at: i, rng: rand.New(rand.NewPCG(o.Seed, uint64(i)))}
		l.group.Go(func() {
			for running.Err() == nil {
				// A client that has failed is shown by the figures. It goes on with something else.
				_, _ = l.carryOut(context.WithoutCancel(ctx), c, l.draw(c.rng))
				_ = wait(running, l.opt.Pause) // the condition of the loop has the error
			}
		})
	}
	return l, nil
}

func (l *Load) makeBucket(ctx context.Context) error {
	for i := 0; ; i++ {
		attempt, cancel := context.WithTimeout(ctx, l.opt.AttemptFor)
		_, err := l.doors[i%len(l.doors)].s3.CreateBucket(attempt, &s3.CreateBucketInput{Bucket: &l.opt.Bucket})
		cancel()
		if err == nil || codeOf(err) == "BucketAlreadyOwnedByYou" {
			return nil
		}
		if wait(ctx, maxPause) != nil {
			return fmt.Errorf("make bucket: %w", err)
		}
	}
}

// wait pauses; an error if ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// client is one of several that work at the same time.
type client struct {
	id  int
	at  int  // the gateway it asks, modulo their number
	one bool // it stays with that
	rng *rand.Rand
}

// draw decides what to do next.
func (l *Load) draw(rng *rand.Rand) Operation {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.dirs); n == 0 || l.dirs[n-1].uses >= usesOfDirectory || l.dirs[n-1].unknown >= maxUnknown {
		l.dirs = append(l.dirs, &directory{prefix: fmt.Sprintf("d%d/", n)})
	}
	d := l.dirs[len(l.dirs)-1]
	d.uses++
	o := Operation{Key: keyOf(d, rng.IntN(keysPerDirectory)), Value: Value(rng.Uint64() | 1<<63)} // not None
	switch n := rng.IntN(100); {
	case n < 30:
	case n < 40:
		o.Condition = IfNone
	case n < 50:
		if o.Match = l.last[o.Key]; o.Match != None {
			o.Condition = IfMatch
		}
	case n < 60:
		o = Operation{Kind: Delete, Key: o.Key}
	case n < 90:
		o = Operation{Kind: Get, Key: o.Key}
	case n < 95:
		o = Operation{Kind: List, Key: d.prefix}
	default: // what was left long ago is there as it was
		o = Operation{Kind: Get, Key: keyOf(l.dirs[rng.IntN(len(l.dirs))], rng.IntN(keysPerDirectory))}
	}
	return o
}

func keyOf(d *directory, i int) string { return fmt.Sprintf("%sk%d", d.prefix, i) }

// carryOut tries an operation until it is settled, and records each attempt. It returns the one that settled it.
func (l *Load) carryOut(ctx context.Context, c *client, o Operation) (Operation, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opt.RetryFor)
	defer cancel()
	r := request{call: l.Now()}
	o.Client = c.id
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		door := &l.doors[c.at%len(l.doors)]
		attempt := o
		attempt.Gateway, attempt.Call = door.name, l.Now()
		one, cancel := context.WithTimeout(ctx, l.opt.AttemptFor)
		answer, err := door.try(one, attempt, l.value)
		cancel()
		answer.Return = l.Now()
		l.record(answer, err)
		if err == nil {
			r.end, r.ok = answer.Return, true
			l.finished(r)
			return answer, nil
		}
		if !c.one {
			c.at++
		}
		if wait(ctx, pause) != nil {
			r.end = l.Now()
			l.finished(r)
			return answer, err
		}
	}
}

// record keeps an attempt, unless it was one that did nothing for certain.
func (l *Load) record(o Operation, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.errs[summary(err)]++
	}
	if errors.Is(err, errNothing) {
		return
	}
	l.history = append(l.history, o)
	switch {
	case o.Outcome == Unknown:
		for _, d := range l.dirs {
			if strings.HasPrefix(o.Key, d.prefix) {
				d.unknown++
			}
		}
	case o.Outcome == Done && (o.Kind == Put || o.Kind == Get):
		l.last[o.Key] = o.Value
	case o.Outcome == Done && o.Kind == Delete:
		l.last[o.Key] = None
	}
}

// value returns the value with this ETag, given that a content of it is about to be written.
func (l *Load) value(tag string, learn Value) Value {
	l.mu.Lock()
	defer l.mu.Unlock()
	if learn != None {
		l.etags[tag] = learn
	}
	return l.etags[tag]
}

func (l *Load) finished(r request) {
	l.mu.Lock()
	l.requests = append(l.requests, r)
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default: // somebody will look anyway
	}
}

// Now returns the time since the load began.
func (l *Load) Now() time.Duration { return time.Since(l.began) }

// Progress waits until n more requests have succeeded. One caller at a time.
func (l *Load) Progress(ctx context.Context, n int) error {
	from := l.succeeded()
	for {
		got := l.succeeded() - from
		if got >= n {
			return nil
		}
		select {
		case <-l.more:
		case <-ctx.Done():
			return fmt.Errorf("%d requests succeeded, want %d: %w; attempts failed with %v", got, n, context.Cause(ctx), l.Errors())
		}
	}
}

func (l *Load) succeeded() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.requests {
		if r.ok {
			n++
		}
	}
	return n
}

// Errors returns what attempts failed with, and how many did.
func (l *Load) Errors() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[string]int, len(l.errs))
	for what, n := range l.errs {
		all[what] = n
	}
	return all
}

// Stop ends the clients, each after its request.
func (l *Load) Stop() {
	l.stop()
	l.group.Wait()
}

// Verify reads every key that was ever used, and lists every directory, through every gateway: after Stop, when all are well. What it was
// told becomes part of the history; an error says that something could not be read at all.
func (l *Load) Verify(ctx context.Context) error {
	type job struct {
		door int
		o    Operation
	}
	jobs, errs := make(chan job), make(chan error, l.opt.Clients)
	var group sync.WaitGroup
	for i := range l.opt.Clients {
		group.Go(func() {
			var failed error
			for j := range jobs {
				if failed == nil {
					_, failed = l.carryOut(ctx, &client{id: i, at: j.door, one: true}, j.o)
				}
			}
			errs <- failed
		})
	}
	for door := range l.doors {
		for _, d := range l.dirs {
			jobs <- job{door, Operation{Kind: List, Key: d.prefix}}
			for i := range keysPerDirectory {
				jobs <- job{door, Operation{Kind: Get, Key: keyOf(d, i)}}
			}
		}
	}
	close(jobs)
	group.Wait()
	var all []error
	for range l.opt.Clients {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// History returns what was recorded so far.
func (l *Load) History() []Operation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Operation(nil), l.history...)
}

// bucket returns the bucket's name as the SDK wants it.
func (o Options) bucket() *string { return aws.String(o.Bucket) }
