package history

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast/node"
)

const (
	access = "ACCESSKEYOFTESTS"
	secret = "secret-key-of-tests"
)

// startStore runs a store in this process and returns its address.
func startStore(t *testing.T) string {
	t.Helper()
	env := map[string]string{"HOLDFAST_ROOT_ACCESS_KEY": access, "HOLDFAST_ROOT_SECRET_KEY": secret}
	config := node.Config{Data: t.TempDir() + "/store", S3Address: "127.0.0.1:0", MetricsAddress: "127.0.0.1:0"}.WithDefaults()
	n, err := node.Start(t.Context(), config, node.Environment{Getenv: func(name string) string { return env[name] }, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return n.Endpoint()
}

// proxy stands between clients and a store. before may answer a request in its place.
func proxy(t *testing.T, endpoint string, before func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool) string {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r, forward) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// use runs a load through gateways until so many requests have succeeded, and reads all back.
func use(t *testing.T, requests int, endpoints ...string) *Load {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o := Options{Bucket: "histories", AccessKey: access, SecretKey: secret, Clients: 4, Seed: uint64(time.Now().UnixNano()),
		AttemptFor: 10 * time.Second, RetryFor: 30 * time.Second}
	t.Logf("seed %d", o.Seed)
	for i, e := range endpoints {
		o.Gateways = append(o.Gateways, Gateway{Name: fmt.Sprintf("gw%d", i), Endpoint: e})
	}
	l, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	err = l.Progress(ctx, requests)
	l.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(ctx); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestAStoreIsAccepted loads a real store through gateways that lose answers, before and after the store got the request.
func TestAStoreIsAccepted(t *testing.T) {
	endpoint := startStore(t)
	var n atomic.Int64
	losing := proxy(t, endpoint, func(_ http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		turn := n.Add(1) % 40
		if turn == 0 {
			forward.ServeHTTP(httptest.NewRecorder(), r)
		}
		if turn <= 1 {
			panic(http.ErrAbortHandler) // the connection is closed without an answer
		}
		return false
	})
	l := use(t, 800, losing, losing)
	f := l.Figures(0, l.Now())
	t.Log(f)
	if f.Failed != 0 || f.Requests < 800 || f.Unknown == 0 || f.Stall <= 0 || f.Longest < f.P99 || f.P99 < f.Median {
		t.Errorf("figures: %+v", f)
	}
	for _, a := range Check(l.History(), 20*time.Second) {
		t.Error(a)
	}
}

// TestLiesAreFound loads a store through a second gateway that lies now and then.
func TestLiesAreFound(t *testing.T) {
	endpoint := startStore(t)
	for name, lie := range map[string]func(w http.ResponseWriter, r *http.Request, body []byte, told map[string][]byte) bool{
		"a put that was never done": func(w http.ResponseWriter, r *http.Request, body []byte, _ map[string][]byte) bool {
			if r.URL.Query().Get("x-id") != "PutObject" {
				return false
			}
			w.Header().Set("ETag", etag(body))
			return true
		},
		"a delete that was never done": func(w http.ResponseWriter, r *http.Request, _ []byte, _ map[string][]byte) bool {
			if r.Method != http.MethodDelete {
				return false
			}
			w.WriteHeader(http.StatusNoContent)
			return true
		},
		"a listing without anything": func(w http.ResponseWriter, r *http.Request, _ []byte, _ map[string][]byte) bool {
			if r.URL.Query().Get("list-type") == "" {
				return false
			}
			_, err := io.WriteString(w, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListBucketResult>`)
			return err == nil
		},
		"what was written first, for ever": func(w http.ResponseWriter, r *http.Request, body []byte, told map[string][]byte) bool {
			if r.Method == http.MethodPut && told[r.URL.Path] == nil {
				told[r.URL.Path] = body
			}
			first := told[r.URL.Path]
			if r.Method != http.MethodGet || first == nil {
				return false
			}
			w.Header().Set("ETag", etag(first))
			_, err := w.Write(first)
			return err == nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			n, told := 0, map[string][]byte{}
			lying := proxy(t, endpoint, func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
				body, err := io.ReadAll(io.LimitReader(r.Body, 2*largeBytes))
				if err != nil {
					return true // the client is gone
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				mu.Lock()
				defer mu.Unlock()
				n++
				return n%3 == 0 && lie(w, r, body, told)
			})
			l := use(t, 600, endpoint, lying)
			wrong := Check(l.History(), 20*time.Second)
			if len(wrong) == 0 {
				t.Errorf("%d operations accepted", len(l.History()))
			}
		})
	}
}
