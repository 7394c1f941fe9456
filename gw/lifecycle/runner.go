package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/gw/accesslog"
	"holdfast/gw/events"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// Setting is the name under which a bucket's record has its configuration.
const Setting = "lifecycle"

// Bounds of a runner.
const (
	DefaultRate = 400_000 // names looked at per second

	pageNames   = 2000               // of one page of a listing
	saveEvery   = 2 * time.Second    // between two writings of the cursor
	longestLook = time.Minute        // between two looks for buckets that are due
	shortLook   = time.Second / 4    // the same with short days
	longestRest = 2 * time.Second    // between two pages while the gateway is busy
	busyShare   = 0.05               // of all processors that a scan may take while the gateway is busy
	bucketsPage = 1000               // buckets looked at in one call
	turn        = volume.DefaultTurn // after which another process goes on with a scan
)

// Options configure a [Runner]. Volume is required.
type Options struct {
	Volume *volume.Volume
	Day    time.Duration         // how long a day of the rules lasts; 0: Day. Shorter ones are for tests
	Rate   int                   // names looked at per second; 0: DefaultRate
	Busy   func() bool           // whether requests are or were just being served, which the scan then makes way for; nil: never
	Reg    prometheus.Registerer // nil: metrics are kept and not shown

	// AccessLog gets a line for everything that is done in a bucket which is logged, as S3 does it; nil: none.
	AccessLog *accesslog.Log

	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: time.Now
}

// Runner carries out the rules of all buckets. Close it.
type Runner struct {
	opts    Options
	metrics *metrics
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Start starts a runner.
func Start(opts Options) *Runner {
	r := newRunner(opts)
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.running.Go(func() { r.run(ctx) })
	return r
}

func newRunner(opts Options) *Runner {
	if opts.Day <= 0 {
		opts.Day = Day
	}
	if opts.Rate <= 0 {
		opts.Rate = DefaultRate
	}
	if opts.Busy == nil {
		opts.Busy = func() bool { return false }
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Runner{opts: opts, metrics: newMetrics(opts.Reg)}
}

// Close stops the runner and waits for it. What it was at is gone on with by the next one.
func (r *Runner) Close() error {
	r.stop()
	r.running.Wait()
	return nil
}

// run looks for buckets that are due. While there are none it writes nothing.
func (r *Runner) run(ctx context.Context) {
	ticker := time.NewTicker(min(longestLook, max(shortLook, r.opts.Day/24)))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		due, err := r.due(ctx)
		if err != nil || len(due) == 0 {
			r.failed(ctx, "", err)
			continue
		}
		scanning, done := context.WithCancel(ctx)
		scanning = volume.WithOrigin(scanning, &volume.Origin{Event: events.Lifecycle})
		r.opts.Volume.Exclusive(scanning, "lifecycle", turn, func(ctx context.Context) {
			defer done()
			r.pass(ctx)
		})
		done()
	}
}

// failed tells of work that will be tried again.
func (r *Runner) failed(ctx context.Context, bucket string, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	r.metrics.errors.WithLabelValues(holdfast.KindOf(err).String()).Inc()
	r.opts.Logger.Warn("lifecycle scan failed, will be tried again", "bucket", bucket, "error", err)
}

// progress is how far the scan of a bucket has come; the record of it is replaced as the scan goes on.
type progress struct {
	Day   int64  `json:"day"`             // number of the day that the scan is for
	Rules string `json:"rules"`           // digest of the configuration
	Done  bool   `json:"done,omitempty"`  // there is nothing left to do on that day
	After []byte `json:"after,omitempty"` // key up to which everything was looked at
}

// begins reports whether a scan for p has yet to begin: the last one was for another day or for other rules.
func (p progress) begins(last progress) bool { return p.Day != last.Day || p.Rules != last.Rules }

// recordPrefix begins the keys of the records of progress.
const recordPrefix = "c/lifecycle/"

func recordKey(info *holdfast.BucketInfo) string { return recordPrefix + info.Root.String() }

// today returns where a scan of the bucket begins now.
func (r *Runner) today(info *holdfast.BucketInfo) progress {
	sum := sha256.Sum256(info.Settings[Setting])
	return progress{Day: r.opts.Now().UnixNano() / int64(r.opts.Day), Rules: hex.EncodeToString(sum[:8])}
}

// last reads how far the last scan of a bucket came.
func (r *Runner) last(ctx context.Context, info *holdfast.BucketInfo) (p progress, err error) {
	record, err := r.opts.Volume.ReadRecord(ctx, recordKey(info))
	if err == nil && record.Value != "" && json.Unmarshal([]byte(record.Value), &p) != nil {
		p = progress{} // of another release: begin anew
	}
	return p, err
}

// save records how far a scan has come.
func (r *Runner) save(ctx context.Context, info *holdfast.BucketInfo, p progress) error {
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return r.opts.Volume.SetRecord(ctx, recordKey(info), string(value))
}

// due returns the buckets that have rules and were not scanned to the end today, in order.
func (r *Runner) due(ctx context.Context) (due []*holdfast.BucketInfo, err error) {
	opts := volume.BucketsOptions{Limit: bucketsPage}
	for {
		page, err := r.opts.Volume.Buckets(ctx, opts)
		if err != nil {
			return nil, err
		}
		for _, info := range page.Buckets {
			opts.After = info.Name
			if len(info.Settings[Setting]) == 0 {
				continue
			}
			last, err := r.last(ctx, info)
			if err != nil {
				return nil, err
			}
			if r.today(info).begins(last) || !last.Done {
				due = append(due, info)
			}
		}
		if !page.More || len(page.Buckets) == 0 {
			return due, nil
		}
	}
}

// pass scans the buckets that are due.
func (r *Runner) pass(ctx context.Context) {
	due, err := r.due(ctx) // again: the process that had the task before may have scanned them
	r.failed(ctx, "", err)
	for _, info := range due {
		begun := time.Now()
		s, err := r.scan(ctx, info)
		if err != nil {
			r.failed(ctx, info.Name, err)
			continue
		}
		r.opts.Logger.Info("lifecycle scan done", "bucket", info.Name, "names", s.names, "expired", s.removed, "locked", s.locked,
			"aborted_uploads", s.aborted, "took", time.Since(begun))
	}
	if err == nil {
		r.failed(ctx, "", r.forget(ctx))
	}
}

// forget removes the records of buckets that have no rules any more, or are gone.
func (r *Runner) forget(ctx context.Context) error {
	b, err := r.opts.Volume.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	page, err := b.List(ctx, volume.ListOptions{Prefix: recordPrefix, Limit: holdfast.MaxList})
	if err != nil || len(page.Items) == 0 {
		return err
	}
	kept := make(map[string]bool)
	opts := volume.BucketsOptions{Limit: bucketsPage}
	for more := true; more; {
		buckets, err := r.opts.Volume.Buckets(ctx, opts)
		if err != nil {
			return err
		}
		for _, info := range buckets.Buckets {
			opts.After = info.Name
			kept[recordKey(info)] = len(info.Settings[Setting]) > 0
		}
		more = buckets.More && len(buckets.Buckets) > 0
	}
	for _, item := range page.Items {
		if strings.HasPrefix(item.Key, recordPrefix) && !kept[item.Key] {
			if err := r.opts.Volume.DropRecord(ctx, item.Key, item.Entry.ETag); err != nil && !holdfast.Is(err, holdfast.Precondition) {
				return err
			}
		}
	}
	return nil
}

// Parse reads a configuration as buckets keep it.
func Parse(doc []byte) (*s3api.Lifecycle, error) {
	return s3api.DecodeLifecycle(doc, func() string { return "" })
}
