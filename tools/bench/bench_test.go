package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/tools/bench/benchtest"
	"holdfast/tools/bench/payload"
)

// start runs a server and returns it with the flags that reach it.
func start(t *testing.T, hook func(http.ResponseWriter, *http.Request) bool) (*benchtest.Server, []string) {
	t.Helper()
	s := &benchtest.Server{AccessKey: "AK", SecretKey: "SK/+", Region: "eu-1", Hook: hook}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, []string{"--endpoint", h.URL, "--access-key", "AK", "--secret-key", "SK/+", "--region", "eu-1",
		"--json", "--quiet", "--concurrency", "3", "--prefix", "p &ü/"}
}

// noEnv is an environment without credentials.
func noEnv(string) string { return "" }

// bench runs a workload and decodes its report.
func bench(t *testing.T, ctx context.Context, workload string, flags []string, more ...string) (Report, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(ctx, append(append([]string{workload}, flags...), more...), noEnv, &out, io.Discard)
	var r Report
	if out.Len() > 0 {
		if jsonErr := json.Unmarshal(out.Bytes(), &r); jsonErr != nil {
			t.Fatalf("report is not JSON: %v\n%s", jsonErr, out.String())
		}
	}
	return r, err
}

func (r *Report) op(name string) Operation {
	for _, o := range r.Operations {
		if o.Name == name {
			return o
		}
	}
	return Operation{}
}

func TestPutStoresTheInventedContent(t *testing.T) {
	for _, mode := range []string{"signed", "unsigned"} {
		for _, size := range []string{"0", "17", "4KiB", "1B-200KiB", "0:1,3MiB:1"} {
			s, flags := start(t, nil)
			r, err := bench(t, context.Background(), "put", flags, "--objects", "20", "--size", size, "--payload-sha256", mode, "--seed", "5", "--keys", "dirs:4")
			if err != nil {
				t.Fatalf("%s, %s: %v", mode, size, err)
			}
			if got := r.op("put"); got.Count != 20 || got.Errors != 0 || r.Requests != 20 || got.Latency.P50 <= 0 {
				t.Errorf("%s, %s: report %+v", mode, size, got)
			}
			keys, err := newKeyspace("p &ü/", "dirs:4", 5)
			if err != nil {
				t.Fatal(err)
			}
			dist, err := parseSizes(size)
			if err != nil {
				t.Fatal(err)
			}
			stored, src := s.Objects(), payload.New(5)
			for i := range uint64(20) {
				want := src.Object(i, dist.of(5, i))
				got, ok := stored[keys.name(i)]
				if bad := want.Check(0, got); !ok || bad >= 0 || int64(len(got)) != want.Size() {
					t.Errorf("%s, %s: object %d: stored %v, %d bytes of %d, first wrong byte %d", mode, size, i, ok, len(got), want.Size(), bad)
				}
			}
		}
	}
}

func TestEveryWorkloadVerifies(t *testing.T) {
	cases := []struct {
		workload string
		more     []string
		op       string
		count    int64
		keys     int64
	}{
		{"get", nil, "get", 50, 0},
		{"stat", nil, "stat", 50, 0},
		{"list", []string{"--batch", "20"}, "list", 9, 150},
		{"delete", nil, "delete", 50, 50},
		{"delete", []string{"--batch", "20"}, "delete", 3, 50},
	}
	for _, c := range cases {
		_, flags := start(t, nil)
		r, err := bench(t, context.Background(), c.workload, flags, append(c.more, "--objects", "50", "--size", "1-9KiB", "--verify")...)
		if err != nil {
			t.Errorf("%s: %v", c.workload, err)
			continue
		}
		got := r.op(c.op)
		if got.Count != c.count || got.Keys != c.keys || got.Errors != 0 || r.Prepare.Count != 50 {
			t.Errorf("%s %v: %+v, want count %d, keys %d", c.workload, c.more, got, c.count, c.keys)
		}
	}
}

func TestMixedMeetsNoSurprise(t *testing.T) {
	_, flags := start(t, nil)
	r, err := bench(t, context.Background(), "mixed", flags, "--objects", "300", "--verify",
		"--mix", "get:30,stat:20,put:20,delete:25,list:5")
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, o := range r.Operations {
		total += o.Count
		if o.Errors != 0 || o.Count == 0 {
			t.Errorf("%s: %d done, %d errors: %v", o.Name, o.Count, o.Errors, r.FirstErrors)
		}
	}
	if total != 300 || len(r.Operations) != 5 {
		t.Errorf("%d operations of %d kinds, want 300 of 5", total, len(r.Operations))
	}
}

func TestMultipart(t *testing.T) {
	s, flags := start(t, nil)
	r, err := bench(t, context.Background(), "multipart", flags, "--objects", "4", "--size", "2500000", "--part-size", "1MiB", "--seed", "3")
	if err != nil {
		t.Fatal(err)
	}
	if r.op("multipart").Count != 4 || r.op("multipart-part").Count != 12 || r.Requests != 20 || s.Uploads() != 0 {
		t.Errorf("report %+v, %d uploads open", r.Operations, s.Uploads())
	}
	keys, _ := newKeyspace("p &ü/", "flat", 3)
	for i, src := uint64(0), payload.New(3); i < 4; i++ {
		want, got := src.Object(i, 2500000), s.Objects()[keys.name(i)]
		if bad := want.Check(0, got); bad >= 0 || len(got) != 2500000 {
			t.Errorf("object %d: %d bytes, first wrong byte %d", i, len(got), bad)
		}
	}
}

func TestFailedMultipartIsAborted(t *testing.T) {
	s, flags := start(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == "PUT" && r.URL.Query().Get("partNumber") == "2" {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(507)
			return true
		}
		return false
	})
	r, err := bench(t, context.Background(), "multipart", flags, "--objects", "2", "--size", "3MiB", "--part-size", "1MiB")
	if !errors.Is(err, errNothing) && r.op("multipart-part").Count == 0 {
		t.Errorf("error = %v", err)
	}
	if r.Errors["HTTP 507"] != 2 || r.op("multipart").Errors != 2 || s.Uploads() != 0 {
		t.Errorf("errors %v, multipart %+v, %d uploads left", r.Errors, r.op("multipart"), s.Uploads())
	}
}

func TestVerifyFindsARottenByte(t *testing.T) {
	s, flags := start(t, nil)
	if _, err := bench(t, context.Background(), "put", flags, "--objects", "1", "--size", "100KiB"); err != nil {
		t.Fatal(err)
	}
	for key := range s.Objects() {
		s.Corrupt(key, 77777)
	}
	r, err := bench(t, context.Background(), "get", flags, "--objects", "1", "--size", "100KiB", "--no-prepare", "--verify")
	if err == nil || !strings.Contains(err.Error(), "offset 77777") || r.Errors[codeMismatch] != 1 {
		t.Errorf("error = %v, counted %v", err, r.Errors)
	}
	if _, err = bench(t, context.Background(), "get", flags, "--objects", "1", "--size", "100KiB", "--no-prepare"); err != nil {
		t.Errorf("without --verify: %v", err)
	}
	if _, err = bench(t, context.Background(), "get", flags, "--objects", "1", "--size", "101KiB", "--no-prepare"); err == nil {
		t.Error("a wrong length passes")
	}
}

func TestErrorsAreCountedByCode(t *testing.T) {
	var n atomic.Int64
	_, flags := start(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != "GET" || r.URL.Query().Has("list-type") {
			return false
		}
		switch n.Add(1) % 5 {
		case 0: // reset
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		case 1: // half a response
			w.Header().Set("Content-Length", "4096")
			_, _ = w.Write(make([]byte, 100))
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(503)
			_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code><Message>m</Message></Error>")
		case 3:
			w.WriteHeader(500)
			_, _ = io.WriteString(w, "not xml")
		default:
			return false
		}
		return true
	})
	r, err := bench(t, context.Background(), "get", flags, "--objects", "100")
	if err != nil {
		t.Fatal(err)
	}
	got := r.op("get")
	lost := r.Errors[codeClosed] + r.Errors[codeReset]
	if got.Count != 20 || got.Errors != 80 || r.Errors["SlowDown"] != 20 || r.Errors["HTTP 500"] != 20 || lost != 40 {
		t.Errorf("%+v, errors %v", got, r.Errors)
	}
	if r.Retries != 0 || len(r.FirstErrors) != maxSamples {
		t.Errorf("%d retries without being asked, %d samples", r.Retries, len(r.FirstErrors))
	}
	n.Store(0)
	r, err = bench(t, context.Background(), "get", flags, "--objects", "100", "--retries", "99", "--no-prepare")
	if got := r.op("get"); err != nil || got.Count != 100 || got.Errors != 0 || r.Retries == 0 {
		t.Errorf("with retries: %+v, %d retries, %v", got, r.Retries, err)
	}
}

// TestRefusalBeforeTheBody wants the server's word, not a broken pipe.
func TestRefusalBeforeTheBody(t *testing.T) {
	_, flags := start(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != "PUT" || !strings.HasPrefix(r.URL.Path, "/holdfast-bench/") {
			return false
		}
		w.Header().Set("Connection", "close")
		w.WriteHeader(403)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
		return true
	})
	r, err := bench(t, context.Background(), "put", flags, "--objects", "6", "--size", "8MiB")
	if !errors.Is(err, errNothing) {
		t.Errorf("error = %v, want %v", err, errNothing)
	}
	// A reset can overtake the answer; it must never be anything else.
	if r.Errors["AccessDenied"] == 0 || r.Errors["AccessDenied"]+r.Errors[codeReset] != 6 {
		t.Errorf("errors %v", r.Errors)
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	_, flags := start(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == "PUT" && strings.HasPrefix(r.URL.Path, "/holdfast-bench/") {
			<-release
		}
		return false
	})
	r, err := bench(t, context.Background(), "put", flags, "--objects", "1", "--timeout", "50ms")
	if !errors.Is(err, errNothing) || r.Errors[codeTimeout] != 1 {
		t.Errorf("error %v, counted %v", err, r.Errors)
	}
}

// TestInterrupt stops a run in the middle of blocked requests and wants the
// report of what was done before.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	release := make(chan struct{})
	defer close(release)
	var n atomic.Int64
	var all sync.Once
	_, flags := start(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != "PUT" || !strings.HasPrefix(r.URL.Path, "/holdfast-bench/") || n.Add(1) <= 10 {
			return false
		}
		if n.Load() >= 13 { // ten are through, three workers wait
			all.Do(cancel)
		}
		<-release
		return true
	})
	r, err := bench(t, ctx, "put", flags, "--duration", "1h")
	if err != nil || !r.Interrupted || r.op("put").Count != 10 || len(r.Errors) != 0 {
		t.Errorf("interrupted run: %+v, errors %v, %v", r.Operations, r.Errors, err)
	}
}

func TestWarmUpIsNotCounted(t *testing.T) {
	s, flags := start(t, nil)
	r, err := bench(t, context.Background(), "put", flags, "--duration", "100ms", "--warm-up", "100ms", "--objects", "10", "--server-pid", "1")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.op("put").Count; got == 0 || got >= int64(s.Requests("PUT"))-1 {
		t.Errorf("%d of %d requests counted", got, s.Requests("PUT"))
	}
	if r.Server == nil || r.Server.PeakResidentBytes == 0 || r.Seconds < 0.1 || r.Seconds > 5 {
		t.Errorf("server usage %+v, %v seconds", r.Server, r.Seconds)
	}
}

func TestCleanup(t *testing.T) {
	s, flags := start(t, nil)
	if _, err := bench(t, context.Background(), "put", flags, "--objects", "1100", "--size", "1", "--cleanup"); err != nil {
		t.Fatal(err)
	}
	if len(s.Objects()) != 0 || s.Bucket() != "" {
		t.Errorf("%d objects and bucket %q left", len(s.Objects()), s.Bucket())
	}
}

// TestBadInput wants one line that begins with the flag, and the right kind.
func TestBadInput(t *testing.T) {
	_, good := start(t, nil)
	dead := httptest.NewServer(nil)
	dead.Close()
	cases := []struct {
		args []string
		want string
	}{
		{[]string{"--endpoint", "ftp://x"}, "--endpoint: "},
		{[]string{"--endpoint", dead.URL}, "--endpoint: "},
		{[]string{"--endpoint", "http://h/path"}, "--endpoint: "},
		{[]string{"--size", "4XiB"}, "--size: "},
		{[]string{"--size", "1KiB:2,3KiB"}, "--size: "},
		{[]string{"--size", "9KiB-3KiB"}, "--size: "},
		{[]string{"--objects", "0"}, "--objects: "},
		{[]string{"--objects", "many"}, "--objects: "},
		{[]string{"--concurrency", "-1"}, "--concurrency: "},
		{[]string{"--warm-up", "1s"}, "--warm-up: "},
		{[]string{"--keys", "tree"}, "--keys: "},
		{[]string{"--keys", "dirs:0"}, "--keys: "},
		{[]string{"--bucket", "a/b/c"}, "--bucket: "},
		{[]string{"--mix", "get"}, "--mix: "},
		{[]string{"--mix", "fly:1"}, "--mix: "},
		{[]string{"--payload-sha256", "maybe"}, "--payload-sha256: "},
		{[]string{"--no-such-flag"}, "--no-such-flag: "},
		{[]string{"--access-key", "AX"}, "--access-key: "},
		{[]string{"--secret-key", "wrong"}, "--secret-key: "},
		{[]string{"--region", "us-east-1"}, "--region: "},
		{[]string{"--access-key", "", "--secret-key", ""}, "--access-key: no credentials"},
		{[]string{"--secret-key", ""}, "--secret-key: "},
		{[]string{"--ca-file", "x"}, "--ca-file: "},
		{[]string{"--server-pid", "1073741824"}, "--server-pid: "},
		{[]string{"stray"}, "--stray: not a flag"},
	}
	for _, c := range cases {
		_, err := bench(t, context.Background(), "put", good, append([]string{"--objects", "1"}, c.args...)...)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: error %q, want it to begin with %q", c.args, err, c.want)
		}
		if !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%v: kind %v, want invalid", c.args, holdfast.KindOf(err))
		}
	}
	for _, args := range [][]string{{"fly"}, {"--json"}, {"raw"}, {"raw", "--dir", "/nonexistent"}, {"raw", "--dir", "/", "--sync", "x"}} {
		if err := run(context.Background(), args, noEnv, io.Discard, io.Discard); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%v: error %v, want one of kind invalid", args, err)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"--help"}, {"put", "--help"}, {"raw", "-h"}} {
		var out bytes.Buffer
		if err := run(context.Background(), args, noEnv, &out, io.Discard); err != nil || !strings.Contains(out.String(), "usage: holdfast bench") {
			t.Errorf("%v: %v, %q", args, err, out.String())
		}
	}
}

func TestCredentialsFileAndEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root-credentials.env")
	text := "# made once\nHOLDFAST_ROOT_ACCESS_KEY=FILE\nexport HOLDFAST_ROOT_SECRET_KEY=\"s=1\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"AWS_ACCESS_KEY_ID": "AWS", "AWS_SECRET_ACCESS_KEY": "w", "AWS_SESSION_TOKEN": "tok"}
	get := func(k string) string { return env[k] }
	if c, err := findCredentials("", "", file, get); err != nil || c.AccessKey != "FILE" || c.SecretKey != "s=1" || c.SessionToken != "" {
		t.Errorf("from the file: %+v, %v", c, err)
	}
	if c, err := findCredentials("", "", "", get); err != nil || c.AccessKey != "AWS" || c.SessionToken != "tok" {
		t.Errorf("from the environment: %+v, %v", c, err)
	}
	if c, err := findCredentials("F", "f", file, get); err != nil || c.AccessKey != "F" {
		t.Errorf("from the flags: %+v, %v", c, err)
	}
	for _, bad := range []string{"no assignment\n", "OTHER=1\n"} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := findCredentials("", "", file, get); err == nil || !strings.HasPrefix(err.Error(), "--credentials: ") {
			t.Errorf("file %q: error %v", bad, err)
		}
	}
}

func TestTextReport(t *testing.T) {
	_, flags := start(t, nil)
	var out, progress bytes.Buffer
	args := append(append([]string{"get"}, flags...), "--json=false", "--objects", "5", "--quiet=false")
	if err := run(context.Background(), args, noEnv, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"get: 4KiB, concurrency 3", "(prepare) put", "p99.9", "generator", "µs per request"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("report lacks %q:\n%s", want, out.String())
		}
	}
}

func TestRaw(t *testing.T) {
	var out bytes.Buffer
	args := []string{"raw", "--dir", t.TempDir(), "--ops", "50", "--layout", "append", "--sync", "group", "--json", "--quiet"}
	if err := run(context.Background(), args, noEnv, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if got := r.op("write"); got.Count != 50 || got.Bytes != 50*4096 || r.Parameters.Sync != "group" {
		t.Errorf("report %+v", r)
	}
}

func TestProgressLine(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, false)
	s.line(phase{name: "put", duration: 8 * time.Second, warmUp: 2 * time.Second}, 5*time.Second, 5*time.Second,
		moment{ops: 100}, moment{ops: 600, bytes: 10 << 20, errors: 1})
	if got, want := out.String(), " 50 % put: 600 ops, 100 ops/s, 2.0 MiB/s, 1 errors\n"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
}
