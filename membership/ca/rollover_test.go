package ca_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/membership/ca"
)

// town is nodes that all talk to one another all the time, over new connections and old ones.
type town struct {
	t         *testing.T
	authority atomic.Pointer[ca.Authority]
	keepers   []*ca.Keeper
	addresses []string

	stop  chan struct{}
	talk  sync.WaitGroup
	fresh atomic.Int64 // connections made
	said  atomic.Int64 // words on connections that stay
}

func newTown(t *testing.T, n int) *town {
	w := &town{t: t, stop: make(chan struct{})}
	w.authority.Store(newAuthority(t, cluster))
	for i := range n {
		as := host(holdfast.HostID(i + 1))
		dir := join(t, w.authority.Load(), as, time.Now())
		w.keepers = append(w.keepers, openKeeper(t, ca.Options{Dir: dir, Renew: func(_ context.Context, request []byte) (ca.Grant, error) {
			return w.authority.Load().Issue(request, as, time.Now())
		}}))
		w.addresses = append(w.addresses, w.listen(w.keepers[i]))
	}
	for i := range n {
		for j := range n {
			w.talk.Go(func() { w.chat(i, j) })
		}
	}
	return w
}

// listen serves an echo with a configuration that is made once.
func (w *town) listen(k *ca.Keeper) string {
	l, err := tls.Listen("tcp", "127.0.0.1:0", k.Server(ca.RoleHost))
	must(w.t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c) // the client checks what comes back
			})
		}
	})
	w.t.Cleanup(func() { must(w.t, l.Close()); serving.Wait() })
	return l.Addr().String()
}

// chat keeps one connection and makes others. Nothing may fail.
func (w *town) chat(from, to int) {
	config := w.keepers[from].Client(holdfast.HostID(to + 1))
	staying, err := tls.Dial("tcp", w.addresses[to], config)
	if err != nil {
		w.t.Errorf("%d to %d: %v", from+1, to+1, err)
		return
	}
	defer staying.Close()
	for {
		select {
		case <-w.stop:
			return
		default:
		}
		if err := echo(staying); err != nil {
			w.t.Errorf("%d to %d, old connection: %v", from+1, to+1, err)
			return
		}
		w.said.Add(1)
		c, err := tls.Dial("tcp", w.addresses[to], config)
		if err == nil {
			err = errors.Join(echo(c), c.Close())
		}
		if err != nil {
			w.t.Errorf("%d to %d, new connection: %v", from+1, to+1, err)
			return
		}
		w.fresh.Add(1)
	}
}

func echo(c net.Conn) error {
	if _, err := c.Write([]byte("word")); err != nil {
		return err
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, []byte("word")) {
		return errors.New("another word came back")
	}
	return nil
}

// busy waits until every pair has talked since.
func (w *town) busy() {
	w.t.Helper()
	pairs := int64(len(w.keepers) * len(w.keepers))
	fresh, said := w.fresh.Load(), w.said.Load()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); w.fresh.Load() < fresh+2*pairs || w.said.Load() < said+2*pairs; <-tick.C {
		if w.t.Failed() || time.Now().After(end) {
			w.t.Fatal("the town fell silent")
		}
	}
}

// The authority and every certificate are replaced while all nodes talk: nothing fails, on old connections or new ones, between any
// two nodes at different steps; and in the end the old authority is worth nothing.
func TestRollOverUnderLoad(t *testing.T) {
	w := newTown(t, 3)
	first := w.authority.Load()
	step := func(next *ca.Authority, err error) {
		t.Helper()
		must(t, err)
		w.authority.Store(next)
	}
	each := func(do func(*ca.Keeper) error) {
		t.Helper()
		for _, k := range w.keepers {
			must(t, do(k))
			w.busy()
		}
	}
	trust := func(k *ca.Keeper) error { return k.Trust(w.authority.Load().Bundle()) }
	renew := func(k *ca.Keeper) error { return k.Renew(t.Context()) }

	w.busy()
	each(renew) // an ordinary renewal, first
	step(first.Introduce(time.Now()))
	each(trust)
	step(w.authority.Load().Promote())
	each(renew)
	step(w.authority.Load().Retire())
	each(trust)
	close(w.stop)
	w.talk.Wait()

	old := openKeeper(t, ca.Options{Dir: join(t, first, host(1), time.Now())}).Client(0)
	old.VerifyConnection = nil
	if _, err, _ := shake(t, w.keepers[0].Server(ca.RoleHost), old); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("a certificate of the old authority: got %v, want Denied", err)
	}
	t.Logf("%d connections, %d words", w.fresh.Load(), w.said.Load())
}

func TestTrustRefuses(t *testing.T) {
	a := newAuthority(t, cluster)
	dir := join(t, a, host(1), time.Now())
	k := openKeeper(t, ca.Options{Dir: dir})
	before := k.Bundle()
	introduced, err := a.Introduce(time.Now())
	must(t, err)
	promoted, err := introduced.Promote()
	must(t, err)
	retired, err := promoted.Retire()
	must(t, err)
	for name, tc := range map[string]struct {
		bundle []byte
		want   holdfast.Kind
	}{
		"nothing":                {nil, holdfast.Invalid},
		"no PEM":                 {[]byte("x"), holdfast.Invalid},
		"a stranger":             {newAuthority(t, cluster).Bundle(), holdfast.Invalid},
		"another cluster":        {newAuthority(t, strings.Repeat("f", 32)).Bundle(), holdfast.Invalid},
		"two steps at once":      {retired.Bundle(), holdfast.Invalid},
		"too many":               {bytes.Repeat(a.Bundle(), 5), holdfast.Invalid},
		"a mix of two clusters":  {append(bytes.Clone(a.Bundle()), newAuthority(t, strings.Repeat("f", 32)).Bundle()...), holdfast.Invalid},
		"a step after the right": {promoted.Bundle(), holdfast.Other}, // and this is fine
	} {
		err := k.Trust(tc.bundle)
		if tc.want == holdfast.Other {
			must(t, err)
			must(t, k.Trust(before)) // and back
		} else if !holdfast.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		if !bytes.Equal(k.Bundle(), before) {
			t.Errorf("%s: it trusts another authority now", name)
		}
	}
	must(t, k.Trust(promoted.Bundle()))
	if err := k.Trust(retired.Bundle()); !holdfast.Is(err, holdfast.Conflict) {
		t.Errorf("retired before it renewed: got %v, want Conflict", err)
	}
	again := openKeeper(t, ca.Options{Dir: dir})
	if !bytes.Equal(again.Bundle(), promoted.Bundle()) {
		t.Error("what it trusts is not in its file")
	}
}

func TestRenewRefuses(t *testing.T) {
	a := newAuthority(t, cluster)
	var grant func(request []byte) (ca.Grant, error)
	dir := join(t, a, host(1), time.Now())
	k := openKeeper(t, ca.Options{Dir: dir, Renew: func(_ context.Context, request []byte) (ca.Grant, error) { return grant(request) }})
	before, err := os.ReadFile(filepath.Join(dir, "node.pem"))
	must(t, err)
	for name, g := range map[string]func(request []byte) (ca.Grant, error){
		"another host":      func(r []byte) (ca.Grant, error) { return a.Issue(r, host(2), time.Now()) },
		"another authority": func(r []byte) (ca.Grant, error) { return newAuthority(t, cluster).Issue(r, host(1), time.Now()) },
		"another key":       func([]byte) (ca.Grant, error) { return a.Issue(newRequest(t).PEM(), host(1), time.Now()) },
		"nothing":           func([]byte) (ca.Grant, error) { return ca.Grant{}, nil },
	} {
		grant = g
		if err := k.Renew(t.Context()); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%s: got %v, want Invalid", name, err)
		}
	}
	after, err := os.ReadFile(filepath.Join(dir, "node.pem"))
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the certificate has changed")
	}
	if err := openKeeper(t, ca.Options{Dir: dir}).Renew(t.Context()); !holdfast.Is(err, holdfast.Unsupported) {
		t.Errorf("with nobody to ask: got %v, want Unsupported", err)
	}
}

// A certificate is renewed at half of its life, and after a failure again and again, by a clock that runs fast.
func TestRenewalInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t, cluster)
		start := time.Now()
		failures := 3
		var mu sync.Mutex
		var tries []time.Duration // guarded by mu
		asked := func() []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(tries)
		}
		k := openKeeper(t, ca.Options{
			Dir: join(t, a, host(1), start),
			Renew: func(_ context.Context, request []byte) (ca.Grant, error) {
				mu.Lock()
				defer mu.Unlock()
				if tries = append(tries, time.Since(start)); len(tries) <= failures {
					return ca.Grant{}, errors.New("nobody is there")
				}
				return a.Issue(request, host(1), time.Now())
			},
		})
		first := k.Expires()
		half := ca.Lifetime/2 - time.Hour/2 // it is in force an hour before it was signed
		time.Sleep(half - time.Second)      // of the bubble's clock
		synctest.Wait()
		if got := asked(); len(got) != 0 {
			t.Fatalf("asked after %v, want %v", got, half)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		want := []time.Duration{half, half + time.Minute, half + 3*time.Minute, half + 7*time.Minute}
		if got := asked(); !slices.Equal(got, want) {
			t.Fatalf("asked after %v, want %v", got, want)
		}
		if got, want := k.Expires(), first.Add(want[3]); got.Sub(want).Abs() > time.Second {
			t.Errorf("expires %v, want %v", got, want)
		}
		time.Sleep(ca.Lifetime)
		synctest.Wait()
		if !k.Expires().After(time.Now().Add(ca.Lifetime / 3)) {
			t.Errorf("a lifetime later it expires %v", k.Expires())
		}
		must(t, k.Close())
	})
}
