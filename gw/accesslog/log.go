package accesslog

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// DefaultEvery is how old the first line of a log object may be when it is delivered, unless told otherwise.
const DefaultEvery = time.Minute

// Bounds of what waits in memory.
const (
	maxObject    = 4 << 20  // bytes of lines after which an object is delivered
	maxMemory    = 64 << 20 // bytes of all lines that wait; more are dropped
	tick         = time.Second / 4
	deliverFor   = 10 * time.Second // one delivery
	closeFor     = 20 * time.Second // all that wait when the log is closed
	deliverLanes = 4                // deliveries at once
)

// Options configure a [Log]. Volume is required.
type Options struct {
	Volume *volume.Volume
	Region string                // that partitioned keys show
	Every  time.Duration         // 0: DefaultEvery
	Reg    prometheus.Registerer // nil: metrics are kept and not shown
	Logger *slog.Logger          // nil: nothing is logged
}

// Log gathers and delivers lines. Close it.
type Log struct {
	opts      Options
	delivered prometheus.Counter
	dropped   prometheus.Counter
	stop      context.CancelFunc
	running   sync.WaitGroup
	urgent    chan struct{} // of capacity 1: a batch is large enough

	mu      sync.Mutex
	batches map[batchKey]*batch
	bytes   int // of all lines that wait, also of those on their way
}

// batchKey says which lines go into one object.
type batchKey struct {
	bucket string // that the requests were to
	owner  string // of it
	target s3api.LoggingConfig
	day    string // of the requests, if the keys of objects tell it
}

type batch struct {
	lines []byte
	first time.Time // when the first line came
	count int
}

// Start starts a log.
func Start(opts Options) *Log {
	if opts.Every <= 0 {
		opts.Every = DefaultEvery
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &Log{
		opts: opts, stop: stop, urgent: make(chan struct{}, 1), batches: make(map[batchKey]*batch),
		delivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_accesslog_delivered_total", Help: "Lines of access logs that were delivered."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_accesslog_dropped_total", Help: "Lines of access logs that were given up: the target could not be written."}),
	}
	if opts.Reg != nil {
		opts.Reg.MustRegister(l.delivered, l.dropped, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "holdfast_accesslog_waiting_bytes", Help: "Bytes of lines that wait for their delivery.",
		}, l.waiting))
	}
	l.running.Go(func() { l.run(ctx) })
	return l
}

// waiting returns the bytes of all lines that wait.
func (l *Log) waiting() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return float64(l.bytes)
}

// Close delivers what waits, for a bounded time, and ends the log. Nothing may be added any more.
func (l *Log) Close() error {
	l.stop()
	l.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeFor)
	defer cancel()
	l.deliver(ctx, func(*batch) bool { return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	left := 0
	for _, b := range l.batches {
		left += b.count
	}
	if left > 0 {
		l.dropped.Add(float64(left))
		l.opts.Logger.Warn("access log lines lost at the end", "lines", left)
	}
	return nil
}

// Add adds the line of a request to a bucket with this configuration. It does no I/O.
func (l *Log) Add(r *Record, target s3api.LoggingConfig) {
	key := batchKey{bucket: r.Bucket, owner: r.Owner, target: target}
	if target.Partitioned == s3api.LogEventTime {
		key.day = r.Time.UTC().Format(time.DateOnly)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes >= maxMemory {
		l.dropped.Inc()
		return
	}
	b := l.batches[key]
	if b == nil {
		b = &batch{first: time.Now()}
		l.batches[key] = b
	}
	before := len(b.lines)
	b.lines = r.Append(b.lines)
	b.count++
	l.bytes += len(b.lines) - before
	if len(b.lines) >= maxObject {
		select {
		case l.urgent <- struct{}{}:
		default:
		}
	}
}

func (l *Log) run(ctx context.Context) {
	ticker := time.NewTicker(min(tick, l.opts.Every))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-l.urgent:
		}
		l.deliver(ctx, func(b *batch) bool { return len(b.lines) >= maxObject || time.Since(b.first) >= l.opts.Every })
	}
}

// deliver delivers the batches that are due. One that cannot be delivered is put back, before what was added meanwhile.
func (l *Log) deliver(ctx context.Context, due func(*batch) bool) {
	l.mu.Lock()
	taken := make(map[batchKey]*batch)
	for key, b := range l.batches {
		if due(b) {
			taken[key] = b
			delete(l.batches, key)
		}
	}
	l.mu.Unlock()
	free := make(chan struct{}, deliverLanes)
	var wg sync.WaitGroup
	for key, b := range taken {
		free <- struct{}{}
		wg.Go(func() {
			err := l.write(ctx, &key, b)
			l.settle(ctx, key, b, err)
			<-free
		})
	}
	wg.Wait()
}

// settle forgets a batch that was delivered, or whose target is gone for good; another is put back.
func (l *Log) settle(ctx context.Context, key batchKey, b *batch, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.delivered.Add(float64(b.count))
	case holdfast.Is(err, holdfast.NotFound), holdfast.Is(err, holdfast.Denied):
		l.dropped.Add(float64(b.count))
		l.opts.Logger.Warn("access log lines lost: their target bucket is gone", "bucket", key.bucket, "target", key.target.TargetBucket, "lines", b.count)
	default:
		if ctx.Err() == nil {
			l.opts.Logger.Warn("access log not delivered yet", "bucket", key.bucket, "target", key.target.TargetBucket, "error", err)
		}
		if newer := l.batches[key]; newer != nil {
			b.lines = append(b.lines, newer.lines...)
			b.count += newer.count
		}
		b.first = time.Now() // and another while until the next attempt
		l.batches[key] = b
		return
	}
	l.bytes -= len(b.lines)
}

// write stores a batch as an object of its target bucket, which must still belong to the owner of the bucket that is logged.
func (l *Log) write(ctx context.Context, key *batchKey, b *batch) error {
	ctx, cancel := context.WithTimeout(ctx, deliverFor)
	defer cancel()
	ctx = volume.WithOrigin(ctx, &volume.Origin{Event: s3api.OpPutObject.String(), Requester: Store}) // S3 tells of log objects as of others
	target, err := l.opts.Volume.Bucket(ctx, key.target.TargetBucket)
	if err != nil {
		return err
	}
	if target.Info().Owner != key.owner {
		return &holdfast.Error{Op: "accesslog.write", Kind: holdfast.Denied, ID: key.target.TargetBucket}
	}
	_, err = target.Put(ctx, l.name(key, time.Now()), volume.PutRequest{
		Entry: holdfast.Entry{
			Owner: key.owner, ETag: holdfast.ETag{Digest: md5.Sum(b.lines)}, Headers: []holdfast.Header{{Name: "content-type", Value: "text/plain"}},
		},
		Body: bytes.NewReader(b.lines), Size: int64(len(b.lines)),
	})
	return err
}

// name returns the key of a new log object
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#server-access-logging-overview).
func (l *Log) name(key *batchKey, now time.Time) string {
	var unique [8]byte
	_, _ = rand.Read(unique[:]) // documented never to fail
	at := now.UTC()
	stamp := at.Format("2006-01-02-15-04-05")
	if key.target.Partitioned == "" {
		return key.target.TargetPrefix + stamp + "-" + strings.ToUpper(hex.EncodeToString(unique[:]))
	}
	if key.day != "" {
		at, _ = time.Parse(time.DateOnly, key.day) // as it was formatted
		stamp = key.day + "-00-00-00"
	}
	return fmt.Sprintf("%s%s/%s/%s/%s/%s-%s", key.target.TargetPrefix, key.owner, l.opts.Region, key.bucket, at.Format("2006/01/02"), stamp,
		strings.ToUpper(hex.EncodeToString(unique[:])))
}
