package events

import "github.com/prometheus/client_golang/prometheus"

// metrics of a service, by target; targets are bounded.
type metrics struct {
	queued, delivered, failures, dropped *prometheus.CounterVec
	batches, bytes                       *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	vec := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "holdfast_events_" + name, Help: help}, []string{"target"})
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "holdfast_events_" + name, Help: help}, []string{"target"})
	}
	m := &metrics{
		queued:    vec("queued_total", "Events put into the queue of a target."),
		delivered: vec("delivered_total", "Events that a target took."),
		failures:  vec("failures_total", "Attempts to deliver that failed and are made again."),
		dropped:   vec("dropped_total", "Events given up because the queue of a target was full."),
		batches:   gauge("queue_batches", "Batches in the queue of a target, when this process looked last."),
		bytes:     gauge("queue_bytes", "Bytes in the queue of a target, when this process looked last."),
	}
	if r != nil {
		r.MustRegister(m.queued, m.delivered, m.failures, m.dropped, m.batches, m.bytes)
	}
	return m
}
