package namesrv

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

// metrics are what operators see of an engine. They are counted also when no registry takes them.
type metrics struct {
	reg       prometheus.Registerer
	all       []prometheus.Collector
	groups    prometheus.Histogram
	groupSize prometheus.Histogram
	txs       *prometheus.CounterVec
	asked     prometheus.Counter
	items     prometheus.Counter
	gone      prometheus.Counter
}

func newMetrics(e *Engine) *metrics {
	label := prometheus.Labels{"service": e.opt.Self.String()}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: label})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, ConstLabels: label, Buckets: buckets})
	}
	gauge := func(name, help string, f func(v *view) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: label}, func() float64 {
			if !e.gate.TryRLock() { // closing
				return 0
			}
			defer e.gate.RUnlock()
			if e.closed {
				return 0
			}
			v := e.acquire()
			defer v.release()
			return f(v)
		})
	}
	m := &metrics{
		reg: e.opt.Registerer,
		groups: histogram("holdfast_ns_commit_seconds", "Time from the evaluation of a commit group to its confirmation.",
			prometheus.ExponentialBuckets(50e-6, 2, 18)),
		groupSize: histogram("holdfast_ns_commit_calls", "Calls that shared one commit group.", prometheus.ExponentialBuckets(1, 2, 12)),
		txs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_ns_transactions_total", Help: "Transactions by the kind of their outcome.", ConstLabels: label,
		}, []string{"kind"}),
		asked: counter("holdfast_ns_lookups_total", "Questions answered by Lookup."),
		items: counter("holdfast_ns_listed_items_total", "Items on pages of List."),
		gone:  counter("holdfast_ns_freed_objects_total", "Objects freed on their servers."),
	}
	m.all = []prometheus.Collector{
		m.groups, m.groupSize, m.txs, m.asked, m.items, m.gone,
		gauge("holdfast_ns_names", "Versions and delete markers.", func(v *view) float64 { return float64(v.state.Names) }),
		gauge("holdfast_ns_garbage_objects", "Objects waiting to be freed.", func(v *view) float64 { return float64(v.state.Garbage) }),
		gauge("holdfast_ns_intents", "Unfinished operations of several steps.", func(v *view) float64 { return float64(v.state.Intents) }),
		gauge("holdfast_ns_change_seq", "Sequence of the last change.", func(v *view) float64 { return float64(v.state.Seq) }),
		gauge("holdfast_ns_inflight_calls", "Calls being served.", func(*view) float64 { return float64(e.inFlight.Load()) }),
		gauge("holdfast_ns_store_bytes", "Bytes the store takes on the mount.", func(*view) float64 { return float64(e.DiskUsage()) }),
	}
	if m.reg != nil {
		for i, c := range m.all {
			if err := m.reg.Register(c); err != nil { // the same service twice in one registry: only in tests
				m.all = m.all[:i]
				break
			}
		}
	}
	return m
}

func (m *metrics) unregister() {
	if m.reg == nil {
		return
	}
	for _, c := range m.all {
		m.reg.Unregister(c)
	}
}

func (m *metrics) group(calls int, d time.Duration) {
	m.groups.Observe(d.Seconds())
	m.groupSize.Observe(float64(calls))
}

func (m *metrics) applied(rs []holdfast.Result) {
	ok := 0
	for i := range rs {
		if rs[i].Err == nil {
			ok++
			continue
		}
		m.txs.WithLabelValues(holdfast.KindOf(rs[i].Err).String()).Inc()
	}
	if ok > 0 {
		m.txs.WithLabelValues("ok").Add(float64(ok))
	}
}

func (m *metrics) lookups(n int) { m.asked.Add(float64(n)) }
func (m *metrics) listed(n int)  { m.items.Add(float64(n)) }
func (m *metrics) freed(n int)   { m.gone.Add(float64(n)) }
