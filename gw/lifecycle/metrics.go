package lifecycle

import "github.com/prometheus/client_golang/prometheus"

// metrics of a runner.
type metrics struct {
	names   prometheus.Counter
	removed *prometheus.CounterVec
	errors  *prometheus.CounterVec
}

// What was done, as metrics label it.
const (
	didExpire     = "expired"    // a current version was removed, or hidden by a delete marker
	didNoncurrent = "noncurrent" // a noncurrent version was removed
	didMarker     = "marker"     // a delete marker that hid nothing was removed
	didAbort      = "upload"     // a multipart upload was aborted
	didLocked     = "locked"     // object lock kept a version
	didChanged    = "changed"    // the object was written anew meanwhile
)

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		names: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_lifecycle_names_total", Help: "Versions and uploads looked at."}),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_lifecycle_actions_total", Help: "What was done with what was due."}, []string{"action"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_lifecycle_errors_total", Help: "Scans that failed and are tried again, by kind."}, []string{"kind"}),
	}
	if r != nil {
		r.MustRegister(m.names, m.removed, m.errors)
	}
	return m
}
