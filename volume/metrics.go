package volume

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

// op is an operation of the API, as metrics label it.
type op uint8

const (
	opHead op = iota
	opRead
	opPut
	opCopy
	opSetAttributes
	opDelete
	opList
	opCreateUpload
	opPutPart
	opListParts
	opCompleteUpload
	opAbortUpload
	opBucket
	opCreateBucket
	opDeleteBucket
	opUpdateBucket
	opListBuckets
	opUsage
	opEnd
)

var opNames = [opEnd]string{
	"head", "read", "put", "copy", "set attributes", "delete", "list", "create upload", "put part", "list parts",
	"complete upload", "abort upload", "bucket", "create bucket", "delete bucket", "update bucket", "list buckets", "usage",
}

func (o op) String() string { return opNames[o] }

// metrics are the volume's own figures.
type metrics struct {
	seconds   [opEnd]prometheus.Observer
	errors    *prometheus.CounterVec
	retries   *prometheus.CounterVec
	pathHits  prometheus.Counter
	pathMiss  prometheus.Counter
	helped    prometheus.Counter
	lost      prometheus.Counter
	recreated prometheus.Counter
	cleaned   prometheus.Counter
	unclean   prometheus.Counter
	intents   *prometheus.CounterVec

	lostChanges prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "holdfast_volume_operation_seconds",
		Help:    "Time an operation of the volume took, bodies included.",
		Buckets: []float64{.0001, .0003, .001, .003, .01, .03, .1, .3, 1, 3, 10, 30},
	}, []string{"op"})
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "holdfast_volume_" + name, Help: help})
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "holdfast_volume_" + name, Help: help}, labels)
	}
	m := &metrics{
		errors:      vec("errors_total", "Operations that ended in an error, by kind.", "op", "kind"),
		retries:     vec("retries_total", "Calls made again, by the kind of error before.", "kind"),
		pathHits:    counter("path_cache_hits_total", "Directories found in the path cache."),
		pathMiss:    counter("path_cache_misses_total", "Paths that a name server had to walk."),
		helped:      counter("directories_helped_total", "Sealed directories that were unlinked because a request met them."),
		lost:        counter("directory_races_total", "Directory creations that another request won."),
		recreated:   counter("objects_recreated_total", "Bodies stored again before their commit."),
		cleaned:     counter("directories_removed_total", "Empty directories removed after a delete."),
		unclean:     counter("directories_skipped_total", "Directories not looked at after a delete because the queue was full."),
		lostChanges: counter("changes_lost_total", "Times that changes were cut off before a reader of the change log saw them."),

		intents: vec("intents_total", "Unfinished operations completed or undone, by what was done.", "outcome"),
	}
	for o := range opEnd {
		m.seconds[o] = seconds.WithLabelValues(o.String())
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		seconds, m.errors, m.retries, m.pathHits, m.pathMiss, m.helped, m.lost, m.recreated, m.cleaned, m.unclean, m.intents, m.lostChanges,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// done records the end of an operation. Answers that are part of the work (a key that is not there, a condition that does
// not hold) are counted as errors of their kind too.
func (m *metrics) done(o op, start time.Time, err error) {
	m.seconds[o].Observe(time.Since(start).Seconds())
	if err != nil {
		m.errors.WithLabelValues(o.String(), holdfast.KindOf(err).String()).Inc()
	}
}
