package node

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// agentMetrics count what the agent does.
type agentMetrics struct {
	takeovers *prometheus.CounterVec
	releases  prometheus.Counter
	took      prometheus.Histogram
}

func newAgentMetrics(reg prometheus.Registerer) *agentMetrics {
	m := &agentMetrics{
		takeovers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_node_takeovers_total", Help: "Services that this host tried to take, by result: ok or the kind of error.",
		}, []string{"result"}),
		releases: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_node_releases_total", Help: "Services that were given up for another host in good order.",
		}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "holdfast_node_takeover_seconds", Help: "How long it took to take a service and open it, the wait for a lease included.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 14),
		}),
	}
	reg.MustRegister(m.takeovers, m.releases, m.took)
	return m
}

// scope is a registerer that can be closed: it takes back all that was registered through it, so that what is opened again in one
// process finds its names free.
type scope struct {
	prometheus.Registerer

	mu  sync.Mutex
	all []prometheus.Collector // guarded by mu
}

func newScope(reg prometheus.Registerer, labels prometheus.Labels) *scope {
	return &scope{Registerer: prometheus.WrapRegistererWith(labels, reg)}
}

// Register implements prometheus.Registerer.
func (s *scope) Register(c prometheus.Collector) error {
	err := s.Registerer.Register(c)
	if err == nil {
		s.mu.Lock()
		s.all = append(s.all, c)
		s.mu.Unlock()
	}
	return err
}

// MustRegister implements prometheus.Registerer.
func (s *scope) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := s.Register(c); err != nil {
			panic(err) // our own names clash: a bug
		}
	}
}

// close takes everything back.
func (s *scope) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		s.Registerer.Unregister(c)
	}
	s.all = nil
}
