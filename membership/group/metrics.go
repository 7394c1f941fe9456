package group

import "github.com/prometheus/client_golang/prometheus"

// metrics are what operators see of the group. They are counted also when no registry takes them.
type metrics struct {
	reg    prometheus.Registerer
	all    []prometheus.Collector
	events *prometheus.CounterVec
	joins  *prometheus.CounterVec
}

func newMetrics(g *Group) *metrics {
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	m := &metrics{
		reg: g.opt.Registerer,
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_group_events_total", Help: "What the group noticed of hosts and services, by kind.",
		}, []string{"event"}),
		joins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_group_joins_total", Help: "Missing seeds that were asked, by whether they answered.",
		}, []string{"result"}),
	}
	m.all = []prometheus.Collector{
		m.events, m.joins,
		gauge("holdfast_group_hosts", "Hosts that are alive, this one included.", func() float64 { return float64(g.count()) }),
		gauge("holdfast_group_trouble_score", "How much this host fails to hear from others; 0 is well.",
			func() float64 { return float64(g.list.GetHealthScore()) }),
		gauge("holdfast_group_hints", "Services of whose owner something is said.", func() float64 {
			g.mu.Lock()
			defer g.mu.Unlock()
			return float64(len(g.hints))
		}),
	}
	if m.reg != nil {
		for i, c := range m.all {
			if err := m.reg.Register(c); err != nil { // two groups in one registry: only in tests
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
