package ca

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/storage"
)

// Options are what a [Keeper] works with.
type Options struct {
	Dir string // the node's pki directory, filled by [Request.Install]

	// Renew asks the authority to sign a request, over a connection of the present certificate. Nil: nothing is renewed.
	Renew func(ctx context.Context, request []byte) (Grant, error)
	// Admit refuses peers that have a certificate but should not come in: those that the configuration does not have any more. It
	// is asked in each handshake and must not block. Nil: all peers of the cluster come in.
	Admit func(Identity) error

	Log        *slog.Logger          // nil: nothing is logged
	Registerer prometheus.Registerer // nil: nobody collects
	Now        func() time.Time      // nil: time.Now
}

// Keeper holds a node's certificate, keeps it in force, and makes configurations for connections from it. They follow every
// change: those that were made before use the new certificate, too. Safe for concurrent use.
type Keeper struct {
	opt     Options
	present atomic.Pointer[credentials]
	metrics *metrics

	mu sync.Mutex // held while the credentials change

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Open reads a node's pki directory and begins to keep it up to date until Close. Errors: NotFound if the node has not joined;
// Corrupt, or Denied if others can read a key. A certificate that has run out is no error: renewal needs another door then, but the
// keeper tells who the node is.
func Open(opt Options) (*Keeper, error) {
	c, err := loadCredentials(opt.Dir)
	if err != nil {
		return nil, err
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{opt: opt}
	k.present.Store(c)
	k.metrics = newMetrics(k)
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	if opt.Renew != nil {
		k.running.Go(func() { k.keep(ctx) })
	}
	return k, nil
}

// Close stops renewing and waits for a renewal under way.
func (k *Keeper) Close() error {
	k.cancel()
	k.running.Wait()
	k.metrics.unregister()
	return nil
}

// Self returns whom the node's certificate speaks for.
func (k *Keeper) Self() Identity { return k.present.Load().self }

// Expires returns when the node's certificate runs out.
func (k *Keeper) Expires() time.Time { return k.present.Load().node.cert.NotAfter }

// Bundle returns the certificates of the authority that the node trusts, as PEM.
func (k *Keeper) Bundle() []byte { return k.present.Load().bundle }

// Trust replaces the certificates of the authority that the node trusts: a step of a roll-over. The caller got them from a peer of the
// cluster. Errors: Invalid if they make no sense, or have nothing in common with those trusted now; Conflict if the node's own
// certificate would not count any more: renew first.
func (k *Keeper) Trust(bundle []byte) error {
	const op = "trust authority"
	k.mu.Lock()
	defer k.mu.Unlock()
	present := k.present.Load()
	cluster, trust, err := parseBundle(bundle)
	if err != nil {
		return holdfast.E(op, holdfast.Invalid, err)
	}
	if cluster != present.self.Cluster || !overlap(trust, present.trust) {
		return holdfast.E(op, holdfast.Invalid, errors.New("these are not the authority of this cluster"))
	}
	next, err := newCredentials(present.node, bundle)
	if err != nil {
		return holdfast.E(op, holdfast.Conflict, err)
	}
	if err := storage.ReplacePrivate(filepath.Join(k.opt.Dir, bundleFile), bundle); err != nil {
		return err
	}
	k.present.Store(next)
	return nil
}

func overlap(a, b []*x509.Certificate) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Equal(y) {
				return true
			}
		}
	}
	return false
}

// Renew gets a new certificate for a new key now, whatever the age of the present one. Invalid if what is granted is for
// somebody else, or from an authority that has nothing to do with the present one.
func (k *Keeper) Renew(ctx context.Context) error {
	const op = "renew certificate"
	if k.opt.Renew == nil {
		return holdfast.E(op, holdfast.Unsupported, errors.New("there is nobody to ask"))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	r, err := NewRequest()
	if err != nil {
		return err
	}
	g, err := k.opt.Renew(ctx, r.PEM())
	if err != nil {
		return err
	}
	next, err := r.accept(g)
	if err != nil {
		return err
	}
	present := k.present.Load()
	if next.self != present.self || !overlap(next.trust, present.trust) {
		return holdfast.E(op, holdfast.Invalid, errors.New("the certificate is somebody else's"))
	}
	if err := next.save(k.opt.Dir); err != nil {
		return err
	}
	k.present.Store(next)
	return nil
}

const (
	// The pause after a renewal that failed doubles from the first to the last of these.
	minRetry = time.Minute
	maxRetry = time.Hour

	// maxWait bounds how long the keeper waits before it looks at the clock again, which may have been set.
	maxWait = time.Hour
)

// renewAt is when half of the certificate's life is over.
func (k *Keeper) renewAt() time.Time {
	c := k.present.Load().node.cert
	return c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 2)
}

// keep renews the certificate again and again until ctx ends.
func (k *Keeper) keep(ctx context.Context) {
	retry := minRetry
	for {
		wait := min(maxWait, k.renewAt().Sub(k.opt.Now()))
		if wait <= 0 {
			if wait = k.try(ctx, retry); wait > 0 {
				retry = min(2*retry, maxRetry)
			} else {
				retry = minRetry
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// try renews once and returns how long to wait if that failed.
func (k *Keeper) try(ctx context.Context, retry time.Duration) time.Duration {
	err := k.Renew(ctx)
	if err == nil && !k.renewAt().After(k.opt.Now()) {
		err = errors.New("the new certificate is as good as over")
	}
	if err == nil {
		k.metrics.renewals.WithLabelValues("renewed").Inc()
		k.opt.Log.Info("certificate renewed", "expires", k.Expires())
		return 0
	}
	if ctx.Err() == nil {
		k.metrics.renewals.WithLabelValues("failed").Inc()
		k.opt.Log.Warn("certificate not renewed", "expires", k.Expires(), "retry", retry, "err", err)
	}
	return retry
}

// metrics are what operators see of a keeper.
type metrics struct {
	reg      prometheus.Registerer
	all      []prometheus.Collector
	renewals *prometheus.CounterVec
	refused  prometheus.Counter
}

func newMetrics(k *Keeper) *metrics {
	m := &metrics{
		reg: k.opt.Registerer,
		renewals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_ca_renewals_total", Help: "Renewals of this node's certificate, by their result.",
		}, []string{"result"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "holdfast_ca_refused_peers_total", Help: "Handshakes refused because of the peer's certificate.",
		}),
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	m.all = []prometheus.Collector{
		m.renewals, m.refused,
		gauge("holdfast_ca_certificate_expiry_timestamp_seconds", "When this node's certificate runs out, in Unix time.",
			func() float64 { return float64(k.Expires().Unix()) }),
		gauge("holdfast_ca_authority_expiry_timestamp_seconds", "When the authority that signed it runs out, in Unix time.",
			func() float64 { return float64(k.present.Load().signer.NotAfter.Unix()) }),
	}
	if m.reg != nil {
		for i, c := range m.all {
			if err := m.reg.Register(c); err != nil { // two nodes in one registry: only in tests
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
