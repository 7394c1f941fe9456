package gw

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/gw/accesslog"
	"holdfast/gw/account"
	"holdfast/gw/acl"
	"holdfast/gw/admin"
	"holdfast/gw/checksum/md5lanes"
	"holdfast/gw/fastcgi"
	"holdfast/gw/keyring"
	"holdfast/gw/limit"
	"holdfast/gw/s3api"
	"holdfast/gw/space"
	"holdfast/gw/usage"
	"holdfast/volume"
)

// DefaultMaxRequests is how many requests a gateway works on at once unless told otherwise; one more is answered SlowDown.
const DefaultMaxRequests = 1024

// Identity is who an access key belongs to. The zero Identity is the anonymous caller.
type Identity struct {
	User    string // user id: owner of what the request creates
	Secret  string
	Name    string // how the user is shown: the e-mail address, where there is one
	Service string // name of the user's service account that the key belongs to; "" for the user's own keys
	Limit   []byte // policy document that narrows what a service account may do; nil: all that the user may
	System  bool   // may use the management API, and everything in every bucket but what the policies of the user's own deny
}

// Credentials finds the identity behind an access key.
type Credentials interface {
	// Identity returns false if there is no such key. Safe for concurrent use.
	Identity(ctx context.Context, accessKey string) (Identity, bool, error)
}

// Options configure a [Gateway]. Volume and Credentials are required.
type Options struct {
	Service     holdfast.ServiceID // of this gateway; begins its request ids
	Volume      *volume.Volume
	Credentials Credentials
	Keys        *keyring.Ring // master keys of the cluster; nil: nothing is encrypted with managed keys
	Settings    Settings
	Accounts    *account.Store        // what the management API manages; nil: there is no management API
	Targets     EventTargets          // of event notification; nil: there are none
	AccessLog   *accesslog.Log        // nil: requests are not logged for buckets
	Limits      *limit.Limiter        // holds users and buckets to their limits; nil: there are none. The caller closes it
	Usage       *usage.Recorder       // counts for billing; nil: nothing is counted. The caller closes it, after the last request
	Space       *space.Meter          // knows what buckets held over time; nil: nobody does. The caller closes it
	MaxRequests int                   // 0: DefaultMaxRequests
	Users       acl.Directory         // finds the users that access control lists name; nil: there are none
	Registerer  prometheus.Registerer // nil: metrics are kept and not shown
	Logger      *slog.Logger          // nil: nothing is logged
}

// Settings can be changed while the gateway runs, see [Gateway.Reload].
type Settings struct {
	Region  string   // of signatures and locations
	Domains []string // whose sub-domains are bucket names
	// WebsiteDomains are those whose sub-domains are the web sites of buckets.
	WebsiteDomains []string
	// TrustedProxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []netip.Prefix
	// Encrypt encrypts all new objects for which neither the request nor the bucket says how.
	Encrypt bool
}

// settings is Settings prepared for use.
type settings struct {
	region  string
	domains s3api.Domains
	sites   s3api.Domains
	proxies proxies
	encrypt bool
	auth    *authenticator
}

// Gateway serves the S3 API of one volume. Safe for concurrent use.
type Gateway struct {
	volume      *volume.Volume
	credentials Credentials
	keys        *keyring.Ring // may be nil
	users       acl.Directory
	handlers    map[s3api.Op]handler
	limiter     *limit.Limiter  // may be nil
	usage       *usage.Recorder // may be nil
	settings    atomic.Pointer[settings]
	ids         *s3api.RequestIDs
	slots       chan struct{} // one per request in flight
	patience    time.Duration // with clients that stand still
	metrics     *metrics
	lanes       *md5lanes.Engine
	parsed      parsedSettings
	policies    accountPolicies
	targets     EventTargets   // may be nil
	accessLog   *accesslog.Log // may be nil
	served      atomic.Uint64
	admin       *admin.API     // may be nil
	accounts    *account.Store // may be nil
	log         *slog.Logger
	router      *mux.Router
}

// New makes a gateway.
func New(opts Options) *Gateway {
	return newGateway(opts, handlers())
}

func newGateway(opts Options, table map[s3api.Op]handler) *Gateway {
	if opts.MaxRequests <= 0 {
		opts.MaxRequests = DefaultMaxRequests
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Users == nil {
		opts.Users = nobody{}
	}
	var start [8]byte
	_, _ = rand.Read(start[:]) // documented never to fail
	g := &Gateway{
		volume:      opts.Volume,
		credentials: opts.Credentials,
		keys:        opts.Keys,
		users:       opts.Users,
		handlers:    table,
		limiter:     opts.Limits,
		usage:       opts.Usage,
		ids:         s3api.NewRequestIDs(uint64(opts.Service), binary.BigEndian.Uint64(start[:])),
		slots:       make(chan struct{}, opts.MaxRequests),
		patience:    defaultPatience,
		metrics:     newMetrics(opts.Registerer),
		accessLog:   opts.AccessLog,
		targets:     opts.Targets,
		lanes:       md5lanes.NewEngine(),
		log:         opts.Logger,
	}
	if g.accounts = opts.Accounts; opts.Accounts != nil {
		g.admin = &admin.API{
			Volume: opts.Volume, Accounts: opts.Accounts, Grants: g.grants, Explain: g.explain, Limits: opts.Limits,
			Usage: usage.Objects{Volume: opts.Volume}, Space: opts.Space,
		}
	}
	g.Reload(opts.Settings)
	// Keys are bytes: the router must neither clean nor decode paths. Every path is S3's; the operation is chosen by s3api's table.
	g.router = mux.NewRouter().SkipClean(true).UseEncodedPath()
	g.router.PathPrefix("").Handler(http.HandlerFunc(g.serve))
	return g
}

// Reload changes the settings; requests under way keep those they began with.
func (g *Gateway) Reload(s Settings) {
	g.settings.Store(&settings{
		region: s.Region, domains: s3api.NewDomains(s.Domains), sites: s3api.NewDomains(s.WebsiteDomains), proxies: s.TrustedProxies, encrypt: s.Encrypt,
		auth: newAuthenticator(g.credentials, s.Region),
	})
}

// ServeHTTP answers one S3 request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.router.ServeHTTP(w, r) }

// InFlight returns how many requests are being worked on.
func (g *Gateway) InFlight() int { return len(g.slots) }

// Served returns how many requests came so far.
func (g *Gateway) Served() uint64 { return g.served.Load() }

// Bounds of a connection; a client slower than these is cut off.
const (
	readHeaderTimeout = 20 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// NewServer returns an HTTP server for the gateway with the bounds that S3 clients need. The caller listens and shuts down.
func (g *Gateway) NewServer() *http.Server {
	return &http.Server{
		Handler:           g,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
}

// NewFastCGI is NewServer for web servers that speak FastCGI.
func (g *Gateway) NewFastCGI() *fastcgi.Server { return fastcgi.New(g, g.log) }

// request is one S3 request on its way through the gateway.
type request struct {
	g      *Gateway
	w      *responseWriter
	r      *http.Request
	ctx    context.Context
	set    *settings
	id     s3api.RequestID
	begun  time.Time
	billed bool         // it got past authorisation and limits, so its usage counts
	place  *limit.Place // that its body has in a user's quota; nil without one
	op     s3api.Op
	target s3api.Target
	query  url.Values
	caller Identity       // who signed; its secret is not kept
	signed bool           // false: anonymous
	proof  proof          // how it was signed
	told   told           // what is known of a request that nobody has made, see explain; nil: it was made
	body   payload        // of the request, verified as it is read
	form   *upload        // of a PostObject
	site   *site          // that the request visits; nil if it speaks S3
	doc    []byte         // the body, if it is a document and was read
	loaded *volume.Bucket // of the target; nil until it is asked for
	shown  s3api.Owner    // the owner that was shown last
	copied *copied        // what a copy reads; nil for other requests
	byList bool           // an access control list gave a right that the caller would not have had
	atEnd  func()         // gives back what the request borrowed; nil if nothing
}

// handler serves one operation. It writes the answer and returns nil, or returns an error and has written nothing.
type handler func(*request) error

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	g.served.Add(1)
	q := &request{g: g, r: r, ctx: r.Context(), set: g.settings.Load(), id: g.ids.Next(), begun: time.Now()}
	q.w = &responseWriter{ResponseWriter: w, pace: pace{conn: http.NewResponseController(w), patience: g.patience}}
	defer func() {
		q.w.pace.end()
		if q.atEnd != nil {
			q.atEnd()
		}
		q.place.End(q.w.status < http.StatusBadRequest)
		q.countUsage()
		g.metrics.observe(q, time.Since(q.begun))
		q.logAccess()
	}()
	if !bodyIsDone(r) {
		q.w.pace.reading()
	}
	if err := g.admit(q); err != nil {
		g.refuse(q, err)
	}
}

// admit runs the request unless too many are under way.
func (g *Gateway) admit(q *request) error {
	select {
	case g.slots <- struct{}{}:
	default:
		return s3api.E(s3api.SlowDown)
	}
	defer func() { <-g.slots }()
	if err := q.identify(); err != nil {
		return err
	}
	if !q.op.Preflight() {
		q.allowOrigin()
		if q.site != nil {
			if err := q.keepLimits(); err != nil {
				return err
			}
			q.billed = true
			return q.serveSite()
		}
		if err := q.set.auth.authenticate(q); err != nil {
			return err
		}
		if err := q.authorise(); err != nil {
			return err
		}
	}
	if err := q.keepLimits(); err != nil {
		return err
	}
	handle := g.handlers[q.op]
	if handle == nil {
		return s3api.E(s3api.NotImplemented)
	}
	q.billed = true
	q.id.SetHeaders(q.w.Header())
	q.noteOrigin()
	return handle(q)
}

// identify finds out which operation on what the request asks for.
func (q *request) identify() error {
	if headerSize(q.r.Header) > maxHeaderSection {
		return s3api.E(s3api.RequestHeaderSectionTooLarge).With("MaxSizeAllowed", strconv.Itoa(maxHeaderSection))
	}
	if bucket, ok := q.set.domains.Site(q.set.sites, q.r.Host); ok {
		return q.identifySite(bucket)
	}
	var err error
	if q.query, err = s3api.ParseQuery(q.r.URL.RawQuery); err != nil {
		return err
	}
	if q.target, err = q.set.domains.Target(q.r.Host, q.r.URL.EscapedPath()); err != nil {
		return err
	}
	q.op, err = q.match()
	return err
}

func (q *request) match() (s3api.Op, error) {
	return s3api.Match(q.r.Method, q.target.HasBucket(), q.target.HasKey(), q.query, q.r.Header)
}

// maxHeaderSection is how much the headers of a request may take, names and values: twice what S3 allows, for what proxies
// add. Beyond maxHeaderBytes the server answers without us.
const maxHeaderSection = 16 << 10

func headerSize(h http.Header) int {
	n := 0
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}

// refuse answers with an error, or cuts the connection if the answer was begun, so that a client never takes half an
// object for a whole one.
func (g *Gateway) refuse(q *request, err error) {
	if q.w.begun {
		g.log.LogAttrs(q.ctx, slog.LevelWarn, "answer cut off", slog.String("request", q.id.Request), slog.Any("error", err))
		q.w.aborted = true
		panic(http.ErrAbortHandler) // documented way to close the connection; the server recovers it silently
	}
	if !bodyIsDone(q.r) && !q.body.whole() {
		q.w.pace.refused()
		q.w.Header().Set("Connection", "close")
	}
	told := s3Error(q, err)
	if q.op.Management() {
		q.refuseManagement(told)
	}
	sent := g.sendError(q, told)
	q.w.code = string(sent.Code)
	level := slog.LevelDebug // the client's own mistakes, and what is not built
	switch {
	case errors.Is(err, context.Canceled):
	case sent.Code == s3api.InternalError:
		level = slog.LevelError
	case sent.Status() == http.StatusServiceUnavailable || sent.Status() == http.StatusInsufficientStorage:
		level = slog.LevelWarn
	}
	g.log.LogAttrs(q.ctx, level, "request refused", slog.String("request", q.id.Request),
		slog.String("operation", q.op.String()), slog.String("code", q.w.code), slog.Any("error", err))
}

// sendError answers with an error: a page to the visitors of a web site, a document to all others.
func (g *Gateway) sendError(q *request, e *s3api.Error) *s3api.Error {
	if q.site != nil {
		return s3api.WriteErrorPage(q.w, q.r, e, q.site.second, q.id)
	}
	return s3api.WriteError(q.w, q.r, e, q.id)
}

// bodyIsDone reports whether the connection can carry another request: a body that was not read would have to be
// read first, and a client that is refused should not have to send it.
func bodyIsDone(r *http.Request) bool {
	return r.ContentLength == 0 || r.Body == http.NoBody
}

// responseWriter remembers what was answered, for errors that come late and for the metrics.
type responseWriter struct {
	http.ResponseWriter
	pace    pace
	out     *limit.Out      // nil: nothing limits the bandwidth
	ctx     context.Context // with out
	begun   bool
	aborted bool
	status  int
	instead int // status of what is answered instead of 200; 0: 200
	bytes   int64
	code    string // S3 error code, "" for a success

	answered time.Time // when the answer was begun
}

// WriteHeader implements [http.ResponseWriter].
func (w *responseWriter) WriteHeader(status int) {
	if status == http.StatusOK && w.instead != 0 {
		status = w.instead
	}
	if status >= http.StatusOK {
		w.begun = true
		w.answered = time.Now()
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *responseWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	written, piece := 0, paceBytes
	if w.out != nil {
		piece = min(piece, w.out.Piece())
	}
	for {
		next := p[written:min(len(p), written+piece)]
		if w.out != nil {
			if err := w.out.Wait(w.ctx, len(next)); err != nil {
				return written, err
			}
		}
		w.pace.writing()
		n, err := w.ResponseWriter.Write(next)
		written += n
		w.bytes += int64(n)
		if err != nil || written == len(p) {
			return written, err
		}
	}
}
