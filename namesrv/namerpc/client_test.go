package namerpc

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
	"holdfast/wire"
)

// overWires runs test with a client of a fresh spyNames over each wire.
func overWires(t *testing.T, test func(t *testing.T, c *Client, s *spyNames)) {
	for name, connect := range wires {
		t.Run(name, func(t *testing.T) {
			s := new(spyNames)
			c, _ := connect(t, s)
			test(t, c, s)
		})
	}
}

func several[T any](f filler, n int) []T {
	var out []T
	for range n {
		out = append(out, random[T](f))
	}
	return out
}

// expect checks one call: the service was asked what the client was asked, and the client answers what the service did.
func expect[T any](t *testing.T, seed uint64, s *spyNames, asked any, got T, err error, want T) {
	t.Helper()
	if !reflect.DeepEqual(s.asked, asked) {
		t.Fatalf("seed %d: the service was asked %+v\nwant %+v", seed, s.asked, asked)
	}
	if !reflect.DeepEqual(err, s.err) || err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("seed %d: got %+v, %v\nwant %+v, %v", seed, got, err, want, s.err)
	}
}

// TestEveryCallIsTransparent makes random calls with random replies, and with random errors in their place.
func TestEveryCallIsTransparent(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, s *spyNames) {
		for seed := range uint64(60) {
			f := newFiller(seed)
			*s = spyNames{
				answers: several[holdfast.Answer](f, 2), pages: several[holdfast.Page](f, 2), results: several[holdfast.Result](f, 2),
				epoch: f.Uint64(), usage: random[holdfast.Usage](f), fates: []holdfast.Fate{holdfast.FateDoomed, 77},
				changes: several[holdfast.Change](f, 3), intents: several[holdfast.Intent](f, 3), status: random[holdfast.NameStatus](f),
			}
			if seed%2 == 1 {
				s.err = f.error()
			}
			readCalls(t, seed, f, c, s)
			workCalls(t, seed, f, c, s)
		}
	})
}

func readCalls(t *testing.T, seed uint64, f filler, c *Client, s *spyNames) {
	t.Helper()
	ctx := t.Context()
	questions := several[holdfast.Lookup](f, 2)
	answers, err := c.Lookup(ctx, questions)
	expect(t, seed, s, questions, answers, err, s.answers)

	requests := several[holdfast.ListRequest](f, 2)
	pages, err := c.List(ctx, requests)
	expect(t, seed, s, requests, pages, err, s.pages)

	root := random[holdfast.DirID](f)
	epoch, err := c.BucketEpoch(ctx, root)
	expect(t, seed, s, root, epoch, err, s.epoch)
	usage, err := c.Usage(ctx, root)
	expect(t, seed, s, root, usage, err, s.usage)
	status, err := c.Status(ctx)
	expect(t, seed, s, nil, status, err, s.status)
}

func workCalls(t *testing.T, seed uint64, f filler, c *Client, s *spyNames) {
	t.Helper()
	ctx := t.Context()
	txs := several[holdfast.Tx](f, 2)
	results, err := c.Apply(ctx, txs)
	expect(t, seed, s, txs, results, err, s.results)

	settle := settleArgs{random[holdfast.ServiceID](f), several[holdfast.GuardedObject](f, 2)}
	fates, err := c.Settle(ctx, settle.OS, settle.Objects)
	expect(t, seed, s, settle, fates, err, s.fates)

	changes := changesArgs{f.Uint64(), random[int](f)}
	log, err := c.Changes(ctx, changes.After, changes.Limit)
	expect(t, seed, s, changes, log, err, s.changes)

	intents := intentsArgs{random[holdfast.IntentID](f), random[time.Duration](f), random[int](f)}
	open, err := c.Intents(ctx, intents.After, intents.OlderThan, intents.Limit)
	expect(t, seed, s, intents, open, err, s.intents)
}

// calls are all calls of a client, with arguments that do not matter.
func calls(ctx context.Context, c *Client) map[string]func() error {
	return map[string]func() error{
		"lookup":  func() error { _, err := c.Lookup(ctx, nil); return err },
		"list":    func() error { _, err := c.List(ctx, nil); return err },
		"apply":   func() error { _, err := c.Apply(ctx, nil); return err },
		"epoch":   func() error { _, err := c.BucketEpoch(ctx, holdfast.VolumeRoot); return err },
		"usage":   func() error { _, err := c.Usage(ctx, holdfast.VolumeRoot); return err },
		"settle":  func() error { _, err := c.Settle(ctx, 0, nil); return err },
		"changes": func() error { _, err := c.Changes(ctx, 0, 1); return err },
		"intents": func() error { _, err := c.Intents(ctx, holdfast.IntentID{}, 0, 1); return err },
		"status":  func() error { _, err := c.Status(ctx); return err },
	}
}

func TestServiceThatIsNotHere(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, s *spyNames) {
		other := &Client{remote: c.remote, id: c.id + 1}
		for name, call := range calls(t.Context(), other) {
			if err := call(); !holdfast.Is(err, holdfast.NotOwner) {
				t.Errorf("%s: %v, want not owner", name, err)
			}
		}
	})
}

func TestAddAndRemove(t *testing.T) {
	c, r := inProcess(t, new(spyNames))
	r.Remove(testID)
	if _, err := c.Status(t.Context()); !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("status after Remove: %v, want not owner", err)
	}
	r.Add(testID, new(spyNames))
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("status after Add: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	lis := listen(t, "127.0.0.1:0")
	addr := lis.Addr().String()
	_ = lis.Close()
	for name, call := range calls(t.Context(), NewClient(dial(t, addr), testID)) {
		if err := call(); !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("%s: %v, want unavailable", name, err)
		}
	}
}

func TestServerRestarts(t *testing.T) {
	c, r := overTCP(t, new(spyNames))
	if _, err := c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	addr := r.lis.Addr().String()
	r.stop()
	// Until the client has seen the connection go, a change may be sent on it, whose outcome is unknown then.
	if !eventually(wire.MaxReconnect, func() bool { _, err := c.Status(t.Context()); return holdfast.Is(err, holdfast.Unavailable) }) {
		t.Fatal("the client does not notice that the server is down")
	}
	for name, call := range calls(t.Context(), c) {
		if err := call(); !holdfast.Is(err, holdfast.Unavailable) {
			t.Errorf("%s while the server is down: %v, want unavailable", name, err)
		}
	}
	serve(t, listen(t, addr)).Add(testID, new(spyNames))
	if !eventually(2*wire.MaxReconnect, func() bool { _, err := c.Status(t.Context()); return err == nil }) {
		t.Errorf("no answer %v after the restart", 2*wire.MaxReconnect)
	}
}

func TestReplyOfAnApplyIsLost(t *testing.T) {
	s := new(spyNames)
	c, r := overTCP(t, s)
	stopped := make(chan struct{})
	s.applyFunc = func(ctx context.Context, _ []holdfast.Tx) ([]holdfast.Result, error) {
		go func() { defer close(stopped); r.stop() }() // breaks the connection, then waits for this call
		<-ctx.Done()
		return nil, nil
	}
	if _, err := c.Apply(t.Context(), nil); !holdfast.Is(err, holdfast.Unknown) {
		t.Errorf("apply with the reply lost: %v, want unknown", err)
	}
	<-stopped
}

func TestContextEndsInTheMiddleOfAnApply(t *testing.T) {
	overWires(t, func(t *testing.T, c *Client, s *spyNames) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		reached := make(chan time.Duration, 1)
		s.applyFunc = func(ctx context.Context, _ []holdfast.Tx) ([]holdfast.Result, error) {
			deadline, _ := ctx.Deadline()
			reached <- time.Until(deadline)
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		_, err := c.Apply(ctx, nil)
		if !holdfast.Is(err, holdfast.Unknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("apply cancelled after it was sent: %v, want unknown because cancelled", err)
		}
		if left := <-reached; left > time.Hour || left < 50*time.Minute {
			t.Errorf("the service had %v left, want an hour", left)
		}
		for name, call := range calls(ctx, c) {
			if err := call(); !holdfast.Is(err, holdfast.Aborted) || !errors.Is(err, context.Canceled) {
				t.Errorf("%s cancelled before it was sent: %v, want aborted", name, err)
			}
		}
	})
}

func TestRequestOverTheLimit(t *testing.T) {
	c, _ := inProcess(t, new(spyNames))
	big := strings.Repeat("x", wire.MaxMessage)
	_, errApply := c.Apply(t.Context(), []holdfast.Tx{{Ops: []holdfast.Op{holdfast.LinkDir{Name: big}}}})
	_, errLookup := c.Lookup(t.Context(), []holdfast.Lookup{{Name: big}})
	_, errList := c.List(t.Context(), []holdfast.ListRequest{{Prefix: big}})
	for name, err := range map[string]error{"apply": errApply, "lookup": errLookup, "list": errList} {
		if !holdfast.Is(err, holdfast.TooLarge) {
			t.Errorf("%s: %v, want too large", name, err)
		}
	}
}

// TestPagesOverTheLimit lists two directories of items of 1 MiB: neither both pages nor one full page fit a message.
func TestPagesOverTheLimit(t *testing.T) {
	c, _ := inProcess(t, &spyNames{listFunc: func(requests []holdfast.ListRequest) ([]holdfast.Page, error) {
		var pages []holdfast.Page
		name := strings.Repeat("n", 1<<20)
		for _, r := range requests {
			page := holdfast.Page{More: r.Limit < 100}
			for range min(r.Limit, 100) {
				page.Items = append(page.Items, holdfast.Item{Name: name, Latest: r.Recursive})
			}
			pages = append(pages, page)
		}
		return pages, nil
	}})
	pages, err := c.List(t.Context(), []holdfast.ListRequest{{Limit: 100}, {Limit: 20, Recursive: true}})
	if err != nil || len(pages) != 2 {
		t.Fatalf("%d pages, %v, want 2", len(pages), err)
	}
	if n := len(pages[0].Items); n != 50 || !pages[0].More {
		t.Errorf("first page: %d items, more %v, want the half and more", n, pages[0].More)
	}
	if n := len(pages[1].Items); n != 20 || !pages[1].Items[0].Latest {
		t.Errorf("second page: %d items, want the 20 of the second request", n)
	}
}

func TestServiceWithoutTheMethod(t *testing.T) {
	lis := listen(t, "127.0.0.1:0")
	g := grpc.NewServer(wire.ServerOptions()...)
	g.RegisterService(&grpc.ServiceDesc{ServiceName: namepb.NameService_ServiceDesc.ServiceName, HandlerType: (*any)(nil)}, nil)
	done := make(chan struct{})
	go func() { defer close(done); _ = g.Serve(lis) }() // ends by Stop
	defer func() { g.Stop(); <-done }()
	for name, call := range calls(t.Context(), NewClient(dial(t, lis.Addr().String()), testID)) {
		if err := call(); !holdfast.Is(err, holdfast.Unsupported) {
			t.Errorf("%s: %v, want unsupported", name, err)
		}
	}
}
