package nodetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"holdfast/node/nodetest"
)

func TestMain(m *testing.M) {
	nodetest.RunChild()
	os.Exit(m.Run())
}

// long skips a test with -short: leases and the settling of hosts take their time.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("waits for leases")
	}
}

// patience bounds what a test waits for; far more than is needed.
const patience = 60 * time.Second

// eventually polls until ok returns nil.
func eventually(t testing.TB, what string, ok func() error) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if err = ok(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

func client(c *nodetest.Cluster, i int) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(c.Hosts[i].Endpoint), UsePathStyle: true, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(c.Keys.AccessKey, c.Keys.SecretKey, ""),
	})
}

func put(ctx context.Context, s *s3.Client, key string, body []byte) error {
	_, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: &key, Body: bytes.NewReader(body)})
	return err
}

func get(ctx context.Context, s *s3.Client, key string) ([]byte, error) {
	out, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: &key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// running waits until every service is owned by a host that runs, and all of these have some.
func running(t testing.TB, c *nodetest.Cluster, hosts ...int) {
	t.Helper()
	eventually(t, "services on hosts", func() error {
		count := map[int]int{}
		for _, s := range c.First.Services {
			count[c.Owner(s.ID.Value)]++
		}
		total := 0
		for _, h := range hosts {
			if count[h] == 0 {
				return fmt.Errorf("host %d has none: %v", h+1, count)
			}
			total += count[h]
		}
		if total != len(c.First.Services) {
			return fmt.Errorf("elsewhere: %v", count)
		}
		return nil
	})
}

func TestWriteThroughEveryGateway(t *testing.T) {
	c := nodetest.Start(t, nodetest.Plan{Hosts: 3, NameServers: 3, ObjectServers: 3})
	began := time.Now()
	makeBucket(t, c)
	t.Logf("first request answered after %v", time.Since(began))
	running(t, c, 0, 1, 2)
	for i := range 60 {
		key := fmt.Sprintf("dir%d/key%d", i%7, i)
		if err := put(t.Context(), client(c, i%3), key, []byte(key)); err != nil {
			t.Fatal(err)
		}
		got, err := get(t.Context(), client(c, (i+1)%3), key)
		if err != nil || string(got) != key {
			t.Fatalf("%s: %q, %v", key, got, err)
		}
	}
}

// load writes through the gateways of some hosts until stop, and remembers what was acknowledged.
type load struct {
	mu      sync.Mutex
	acked   map[string][]byte
	errs    []error
	longest time.Duration
	stop    context.CancelFunc
	done    sync.WaitGroup
}

func startLoad(t testing.TB, c *nodetest.Cluster, hosts ...int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{acked: map[string][]byte{}, stop: stop}
	for w := range 4 {
		s := client(c, hosts[w%len(hosts)])
		l.done.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				key := fmt.Sprintf("load%d/%d/%d", w, n%16, n) // directories are spread over all name servers
				body := bytes.Repeat([]byte(key), 100)
				began := time.Now()
				err := put(context.WithoutCancel(ctx), s, key, body)
				if err == nil {
					var got []byte
					if got, err = get(context.WithoutCancel(ctx), s, key); err == nil && !bytes.Equal(got, body) {
						err = errors.New(key + ": other bytes")
					}
				}
				l.mu.Lock()
				l.longest = max(l.longest, time.Since(began))
				if err == nil {
					l.acked[key] = body
				} else {
					l.errs = append(l.errs, err)
				}
				l.mu.Unlock()
			}
		})
	}
	t.Cleanup(func() { stop(); l.done.Wait() })
	return l
}

// progress waits until so many more were acknowledged.
func (l *load) progress(t testing.TB, n int) {
	t.Helper()
	l.mu.Lock()
	from := len(l.acked)
	l.mu.Unlock()
	eventually(t, "progress of the load", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.acked) < from+n {
			return fmt.Errorf("%d acknowledged, errors %v", len(l.acked)-from, l.errs)
		}
		return nil
	})
}

// reset forgets how long requests took.
func (l *load) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest = 0
}

// longestNow returns the longest request since reset.
func (l *load) longestNow() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longest
}

// finish stops the load and reads everything back through a gateway.
func (l *load) finish(t testing.TB, c *nodetest.Cluster, via int) {
	t.Helper()
	l.stop()
	l.done.Wait()
	for _, err := range l.errs {
		t.Errorf("a request failed: %v", err)
	}
	s := client(c, via)
	for key, want := range l.acked {
		got, err := get(t.Context(), s, key)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v; want %d", key, len(got), err, len(want))
		}
	}
	t.Logf("%d acknowledged and read back, longest request %v", len(l.acked), l.longest)
}

// makeBucket makes the bucket once the first gateway answers.
func makeBucket(t testing.TB, c *nodetest.Cluster) {
	t.Helper()
	eventually(t, "a bucket", func() error {
		_, err := client(c, 0).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")})
		return err
	})
}

// A node that stops in good order hands its services over, and no request through the others fails.
func TestNodeStopsUnderLoad(t *testing.T) {
	long(t)
	c := nodetest.Start(t, nodetest.Plan{Hosts: 3, NameServers: 4, ObjectServers: 4, Lease: 15 * time.Second})
	makeBucket(t, c)
	running(t, c, 0, 1, 2)
	l := startLoad(t, c, 0, 1)
	l.progress(t, 50)
	began := time.Now()
	c.Stop(t, 2)
	t.Logf("stopped within %v", time.Since(began))
	running(t, c, 0, 1)
	l.progress(t, 50)
	l.finish(t, c, 0)
	if l.longest > 5*time.Second {
		t.Errorf("a request took %v: the lease was waited for", l.longest)
	}
}

// A process is killed under load. The others take its services when its lease has ended, everything acknowledged is there, and no
// request through the gateways of the others fails.
func TestProcessIsKilledUnderLoad(t *testing.T) {
	c := nodetest.New(t, nodetest.Plan{Hosts: 3, NameServers: 4, ObjectServers: 4, Lease: time.Second})
	c.Run(t, 0)
	c.Run(t, 1)
	third := c.Spawn(t, 2)
	makeBucket(t, c)
	running(t, c, 0, 1, 2)
	l := startLoad(t, c, 0, 1)
	l.progress(t, 50)
	if err := third.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	running(t, c, 0, 1)
	t.Logf("taken over within %v", time.Since(killed))
	l.progress(t, 50)
	l.finish(t, c, 1)
}

// A process is killed and started again at once: it has its services back without waiting for a lease.
func TestProcessIsRestartedInPlace(t *testing.T) {
	long(t)
	c := nodetest.New(t, nodetest.Plan{Hosts: 2, NameServers: 2, ObjectServers: 2, Lease: 15 * time.Second})
	c.Run(t, 0)
	second := c.Spawn(t, 1)
	makeBucket(t, c)
	running(t, c, 0, 1)
	l := startLoad(t, c, 0)
	l.progress(t, 50)
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait() // it was killed
	c.Spawn(t, 1)
	l.progress(t, 50)
	l.finish(t, c, 0)
	if l.longest > 8*time.Second {
		t.Errorf("a request took %v: the lease was waited for", l.longest)
	}
}

// A paused process that comes back after its lease has been succeeded does no harm, and takes part again.
func TestProcessIsPausedUnderLoad(t *testing.T) {
	long(t)
	c := nodetest.New(t, nodetest.Plan{Hosts: 3, NameServers: 3, ObjectServers: 3, Lease: time.Second})
	c.Run(t, 0)
	c.Run(t, 1)
	third := c.Spawn(t, 2)
	makeBucket(t, c)
	running(t, c, 0, 1, 2)
	l := startLoad(t, c, 0, 1)
	l.progress(t, 50)
	if err := third.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	running(t, c, 0, 1)
	l.progress(t, 50)
	if err := third.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	l.progress(t, 200)
	l.finish(t, c, 2)
}

// Twenty services of a host that died are taken in parallel.
func TestTwentyServicesAreTakenAtOnce(t *testing.T) {
	long(t)
	const lease = time.Second
	c := nodetest.New(t, nodetest.Plan{Hosts: 2, NameServers: 20, ObjectServers: 20, Lease: lease})
	c.Run(t, 0)
	second := c.Spawn(t, 1)
	makeBucket(t, c)
	running(t, c, 0, 1)
	l := startLoad(t, c, 0)
	l.progress(t, 50)
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	running(t, c, 0)
	after := time.Since(killed) - lease*6/5
	l.progress(t, 50)
	l.finish(t, c, 0)
	t.Logf("all taken %v after the lease", after)
	if after > 20*time.Second {
		t.Errorf("that is too long, also on a busy machine")
	}
}
