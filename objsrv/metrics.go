package objsrv

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/objsrv/pool"
)

// metrics are the Prometheus metrics of one object server, `holdfast_os_*`, with the label `os` for its id. The labels of
// the vectors are error kinds and block sizes, so their number is bounded.
type metrics struct {
	created, readBytes                       prometheus.Counter
	createBytes, freed                       prometheus.Counter
	createSeconds, readSeconds, groupSeconds prometheus.Histogram
	groupSize                                prometheus.Histogram
	errors                                   *prometheus.CounterVec // by operation and kind
	cacheHits, cacheMisses                   prometheus.Counter
	corrupt, poisoned, brokenPins            prometheus.Counter
	scrubbed, scrubRounds                    prometheus.Counter
	moved, punched                           prometheus.Counter
	swept                                    *prometheus.CounterVec // by fate

	engine *Engine
	all    []prometheus.Collector
	reg    prometheus.Registerer
}

func newMetrics(e *Engine) *metrics {
	m := &metrics{engine: e}
	m.created = m.counter("created_objects_total", "Objects created.")
	m.createBytes = m.counter("created_bytes_total", "Bytes of objects created.")
	m.readBytes = m.counter("read_bytes_total", "Bytes of objects read and checked.")
	m.freed = m.counter("freed_objects_total", "Objects freed.")
	m.cacheHits = m.counter("record_cache_hits_total", "Reads whose record was cached.")
	m.cacheMisses = m.counter("record_cache_misses_total", "Reads whose record came from the index.")
	m.corrupt = m.counter("corrupt_blocks_total", "Times that stored bytes failed a check.")
	m.poisoned = m.counter("poisoned_blocks_total", "Blocks not used again because a write to them failed.")
	m.brokenPins = m.counter("broken_pins_total", "Pins given up to make room.")
	m.scrubbed = m.counter("scrubbed_bytes_total", "Bytes read by scrub.")
	m.scrubRounds = m.counter("scrub_rounds_total", "Scrubs of all objects that came to their end.")
	m.moved = m.counter("defrag_moved_bytes_total", "Bytes moved by defragmentation.")
	m.punched = m.counter("defrag_punched_bytes_total", "Bytes given back to the filesystem.")
	m.createSeconds = m.histogram("create_seconds", "Time of a create.")
	m.readSeconds = m.histogram("read_seconds", "Time of a read.")
	m.groupSeconds = m.histogram("commit_group_seconds", "Time of a commit group.")
	m.groupSize = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "holdfast_os_commit_group_changes", Help: "Changes in a commit group.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 10),
	})
	m.errors = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "holdfast_os_errors_total", Help: "Requests that failed.",
	}, []string{"operation", "kind"})
	m.swept = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "holdfast_os_swept_objects_total", Help: "Uncommitted objects asked for, by their fate.",
	}, []string{"fate"})
	m.all = append(m.all, m.groupSize, m.errors, m.swept, usageCollector{m})
	return m
}

func (m *metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "holdfast_os_" + name, Help: help})
	m.all = append(m.all, c)
	return c
}

func (m *metrics) histogram(name, help string) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "holdfast_os_" + name, Help: help, Buckets: prometheus.ExponentialBuckets(20e-6, 3, 13),
	})
	m.all = append(m.all, h)
	return h
}

// register shows the metrics, all or none.
func (m *metrics) register(reg prometheus.Registerer, self holdfast.ServiceID) error {
	if reg == nil {
		return nil
	}
	m.reg = prometheus.WrapRegistererWith(prometheus.Labels{"os": self.String()}, reg)
	for i, c := range m.all {
		if err := m.reg.Register(c); err != nil {
			for _, c := range m.all[:i] {
				m.reg.Unregister(c)
			}
			m.reg = nil
			return holdfast.E("objsrv.metrics", holdfast.Invalid, err)
		}
	}
	return nil
}

func (m *metrics) unregister() {
	if m.reg == nil {
		return
	}
	for _, c := range m.all {
		m.reg.Unregister(c)
	}
}

func (m *metrics) failed(operation string, err error) {
	m.errors.WithLabelValues(operation, holdfast.KindOf(err).String()).Inc()
}

func (m *metrics) create(n int64, took time.Duration, err error) {
	if err != nil {
		m.failed("create", err)
		return
	}
	m.created.Inc()
	m.createBytes.Add(float64(n))
	m.createSeconds.Observe(took.Seconds())
}

func (m *metrics) read(n int64, took time.Duration, err error) {
	m.readBytes.Add(float64(n))
	if err != nil {
		m.failed("read", err)
		return
	}
	m.readSeconds.Observe(took.Seconds())
}

func (m *metrics) free(n int, err error) {
	if err != nil {
		m.failed("free", err)
		return
	}
	m.freed.Add(float64(n))
}

func (m *metrics) group(changes int, took time.Duration) {
	m.groupSize.Observe(float64(changes))
	m.groupSeconds.Observe(took.Seconds())
}

// usageCollector tells what the engine knows anyway, when asked.
type usageCollector struct{ m *metrics }

var (
	descObjects  = prometheus.NewDesc("holdfast_os_objects", "Objects stored.", nil, nil)
	descBytes    = prometheus.NewDesc("holdfast_os_object_bytes", "Bytes of objects stored.", nil, nil)
	descLive     = prometheus.NewDesc("holdfast_os_pool_used_bytes", "Bytes of blocks in use.", []string{"block"}, nil)
	descReady    = prometheus.NewDesc("holdfast_os_pool_ready_bytes", "Bytes of blocks free for use.", []string{"block"}, nil)
	descBuffers  = prometheus.NewDesc("holdfast_os_write_buffer_bytes", "Memory reserved for bodies of big objects.", nil, nil)
	descPins     = prometheus.NewDesc("holdfast_os_pins", "Objects pinned.", nil, nil)
	descLate     = prometheus.NewDesc("holdfast_os_waiting_blocks", "Freed blocks that wait for readers.", nil, nil)
	descInFlight = prometheus.NewDesc("holdfast_os_requests_in_flight", "Requests being served.", nil, nil)
)

func (u usageCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descObjects, descBytes, descLive, descReady, descBuffers, descPins, descLate, descInFlight,
	} {
		ch <- d
	}
}

func (u usageCollector) Collect(ch chan<- prometheus.Metric) {
	e := u.m.engine
	gauge := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	sums := e.commits.sums()
	gauge(descObjects, sums.Objects)
	gauge(descBytes, sums.Bytes)
	for c := range pool.Class(pool.Classes) {
		use := e.set.Usage(c)
		gauge(descLive, use.Live*c.Size(), c.String())
		gauge(descReady, use.Ready*c.Size(), c.String())
	}
	gauge(descBuffers, e.budget.used())
	gauge(descPins, e.pins.pinned.Load())
	gauge(descLate, e.pins.late.Load())
	gauge(descInFlight, e.inFlight.Load())
}
