package gw

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of a gateway; label values are operations and error codes of the S3 API, so their number is bounded.
type metrics struct {
	requests *prometheus.CounterVec
	errors   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	received prometheus.Counter
	sent     prometheus.Counter
	limited  *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_gw_requests_total", Help: "Requests answered, by operation."}, []string{"operation"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_gw_errors_total", Help: "Requests answered with an error, by S3 error code."}, []string{"code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "holdfast_gw_request_seconds", Help: "Time from the request's head to the end of the answer, by operation.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10)}, []string{"operation"}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_gw_received_bytes_total", Help: "Bytes of request bodies read."}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_gw_sent_bytes_total", Help: "Bytes of response bodies written."}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_gw_limited_total", Help: "Requests refused by a limit, by what was used up: operations, bandwidth, user quota."}, []string{"limit"}),
	}
	if r != nil {
		r.MustRegister(m.requests, m.errors, m.seconds, m.received, m.sent, m.limited)
	}
	return m
}

func (m *metrics) observe(q *request, took time.Duration) {
	op := q.op.String()
	m.requests.WithLabelValues(op).Inc()
	m.seconds.WithLabelValues(op).Observe(took.Seconds())
	if q.w.code != "" {
		m.errors.WithLabelValues(q.w.code).Inc()
	}
	m.received.Add(float64(q.body.read))
	m.sent.Add(float64(q.w.bytes))
}
