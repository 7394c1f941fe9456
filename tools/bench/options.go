package bench

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"holdfast/tools/bench/sign"
	"holdfast/tools/bench/wire"
)

const (
	maxConcurrency = 4096
	maxObjects     = 1 << 40
	maxBatch       = 1000  // keys per multi-delete and per listing page, by S3
	maxParts       = 10000 // per multipart upload, by S3
	maxRetries     = 100
	// maxMixed bounds the objects of the mixed workload, which remembers for
	// each whether it exists (8 bytes).
	maxMixed = 1 << 27
)

// options are the flags of a run against an endpoint, checked.
type options struct {
	workload string

	endpoint  wire.Endpoint
	url       string // of the endpoint, for the report
	host      string // value of the Host header
	cred      sign.Credentials
	region    string
	bucket    string
	cleanup   bool
	noPrepare bool

	sizeText    string
	size        sizes
	objects     int64
	concurrency int
	duration    time.Duration
	warmUp      time.Duration
	keys        *keyspace
	keysText    string
	seed        uint64
	partSize    int64
	batch       int
	delimiter   string
	mix         mix
	unsigned    bool
	verify      bool
	retries     int

	json      bool
	quiet     bool
	serverPID int
}

// rawFlags are flags as typed, before they are checked.
type rawFlags struct {
	endpoint, accessKey, secretKey, credentials  string
	prefix, partSize, mix, payload, caFile, size string
	insecure                                     bool
	timeout                                      time.Duration
}

// workloads names what the first argument may be.
const workloads = "put, get, stat, list, delete, mixed, multipart or raw"

// parseOptions parses the arguments after the workload's name.
func parseOptions(workload string, args []string, env func(string) string, usage io.Writer) (*options, error) {
	o := &options{workload: workload}
	var r rawFlags
	fs := o.flagSet(&r)
	if err := parseFlags(fs, args, usage); err != nil {
		return nil, err
	}
	if err := o.checkNumbers(); err != nil {
		return nil, err
	}
	if err := o.checkObjects(&r); err != nil {
		return nil, err
	}
	if err := o.checkEndpoint(&r); err != nil {
		return nil, err
	}
	var err error
	o.cred, err = findCredentials(r.accessKey, r.secretKey, r.credentials, env)
	return o, err
}

func (o *options) flagSet(r *rawFlags) *flag.FlagSet {
	fs := flag.NewFlagSet("holdfast bench "+o.workload, flag.ContinueOnError)
	size, objects := "4KiB", int64(10000)
	if o.workload == "multipart" {
		size, objects = "64MiB", 16
	}
	fs.StringVar(&r.endpoint, "endpoint", "http://127.0.0.1:9000", "`URL` of the S3 endpoint")
	fs.StringVar(&r.accessKey, "access-key", "", "access `key` (or HOLDFAST_ACCESS_KEY, AWS_ACCESS_KEY_ID in the environment)")
	fs.StringVar(&r.secretKey, "secret-key", "", "secret `key` (or HOLDFAST_SECRET_KEY, AWS_SECRET_ACCESS_KEY in the environment)")
	fs.StringVar(&r.credentials, "credentials", "", "`file` of KEY=VALUE lines with the two keys, such as holdfast-data/root-credentials.env")
	fs.StringVar(&o.region, "region", "us-east-1", "`region` to sign for")
	fs.StringVar(&o.bucket, "bucket", "holdfast-bench", "`bucket` to use, created if it does not exist")
	fs.BoolVar(&o.cleanup, "cleanup", false, "delete the objects at the end, and the bucket if this run created it")
	fs.BoolVar(&o.noPrepare, "no-prepare", false, "the objects are there from an earlier run with the same --seed, --size, --prefix and --keys")
	fs.StringVar(&r.size, "size", size, "object `size`: 4KiB, a log-uniform range 1KiB-1MiB, or a weighted list 4KiB:70,64KiB-1MiB:30")
	fs.Int64Var(&o.objects, "objects", objects, "`number` of different objects")
	fs.IntVar(&o.concurrency, "concurrency", 16, "`number` of connections, each with one request at a time")
	fs.DurationVar(&o.duration, "duration", 0, "how long to measure; 0 goes once through the objects")
	fs.DurationVar(&o.warmUp, "warm-up", 0, "how long to run before measuring")
	fs.StringVar(&r.prefix, "prefix", "bench/", "start of every object's `name`")
	fs.StringVar(&o.keysText, "keys", "flat", "`layout` of the names after the prefix: flat, or dirs:N for N directories")
	fs.Uint64Var(&o.seed, "seed", 1, "`number` that names, sizes, contents and choices follow from")
	fs.StringVar(&r.partSize, "part-size", "8MiB", "part `size` of multipart uploads")
	fs.IntVar(&o.batch, "batch", 1, "delete: `keys` per request, 1 (DELETE) to 1000 (multi-delete); list: keys per page")
	fs.StringVar(&o.delimiter, "delimiter", "", "list: `delimiter`, such as /")
	fs.StringVar(&r.mix, "mix", "get:45,stat:30,put:15,delete:10", "mixed: `weights` of get, stat, put, delete, list")
	fs.StringVar(&r.payload, "payload-sha256", "signed", "`signed` hashes bodies into the signature, unsigned does not")
	fs.BoolVar(&o.verify, "verify", false, "compare every byte read with what must have been written, and the order of listings")
	fs.IntVar(&o.retries, "retries", 0, "`times` to try again after a lost connection or a 5xx")
	fs.DurationVar(&r.timeout, "timeout", time.Minute, "how long a request may take")
	fs.BoolVar(&r.insecure, "insecure", false, "accept any TLS certificate")
	fs.StringVar(&r.caFile, "ca-file", "", "PEM `file` of certificate authorities to trust")
	commonFlags(fs, &o.json, &o.quiet)
	fs.IntVar(&o.serverPID, "server-pid", 0, "`pid` of the server, to report its CPU per request and its peak memory")
	return fs
}

// commonFlags are those that the raw mode has too.
func commonFlags(fs *flag.FlagSet, json, quiet *bool) {
	fs.BoolVar(json, "json", false, "print the report as JSON")
	fs.BoolVar(quiet, "quiet", false, "no progress on standard error")
}

// errHelp says that help was asked for and printed.
var errHelp = errors.New("help printed")

// parseFlags parses args and words every complaint as one line that starts
// with the flag.
func parseFlags(fs *flag.FlagSet, args []string, usage io.Writer) error {
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(usage)
		fmt.Fprintf(usage, "usage: %s [flags]\n", fs.Name())
		fs.PrintDefaults()
		return errHelp
	case err != nil:
		return badFlag(flagIn(err.Error()), "%v", err)
	case fs.NArg() > 0:
		return badFlag(fs.Arg(0), "not a flag of %s; its only argument without -- is the workload, which comes first", fs.Name())
	}
	return nil
}

// flagIn finds the flag's name in a message of package flag, which has no
// better place for it.
func flagIn(message string) string {
	for word := range strings.FieldsSeq(message) {
		if name := strings.TrimLeft(word, "-"); name != word {
			return strings.TrimRight(name, ":")
		}
	}
	return "flags"
}

func (o *options) checkNumbers() error {
	switch {
	case o.objects < 1 || o.objects > maxObjects:
		return badFlag("objects", "%d is not from 1 to %d", o.objects, int64(maxObjects))
	case o.concurrency < 1 || o.concurrency > maxConcurrency:
		return badFlag("concurrency", "%d is not from 1 to %d", o.concurrency, maxConcurrency)
	case o.duration < 0:
		return badFlag("duration", "%v is negative", o.duration)
	case o.warmUp < 0:
		return badFlag("warm-up", "%v is negative", o.warmUp)
	case o.warmUp > 0 && o.duration == 0:
		return badFlag("warm-up", "needs --duration")
	case o.batch < 1 || o.batch > maxBatch:
		return badFlag("batch", "%d is not from 1 to %d", o.batch, maxBatch)
	case o.retries < 0 || o.retries > maxRetries:
		return badFlag("retries", "%d is not from 0 to %d", o.retries, maxRetries)
	case o.serverPID < 0:
		return badFlag("server-pid", "%d is not a process", o.serverPID)
	case o.region == "":
		return badFlag("region", "is empty")
	case len(o.bucket) < 3 || len(o.bucket) > 63 || strings.ContainsFunc(o.bucket, notInBucket):
		return badFlag("bucket", "%q is not a bucket name", o.bucket)
	}
	return nil
}

// notInBucket reports characters that no bucket name has; the server judges
// the finer rules.
func notInBucket(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_')
}

// checkObjects checks what shapes the objects: size, names, parts, mix.
func (o *options) checkObjects(r *rawFlags) error {
	var err error
	o.sizeText = r.size
	if o.size, err = parseSizes(r.size); err != nil {
		return badFlag("size", "%v", err)
	}
	if o.partSize, err = parseBytes(r.partSize); err != nil {
		return badFlag("part-size", "%v", err)
	}
	if o.partSize < 1 {
		return badFlag("part-size", "must be at least 1 byte")
	}
	if o.workload == "multipart" && (o.size.max()+o.partSize-1)/o.partSize > maxParts {
		return badFlag("part-size", "%s makes more than %d parts of --size %s", r.partSize, maxParts, r.size)
	}
	if len(r.prefix) > 900 {
		return badFlag("prefix", "%d bytes leave no room in a name of 1024", len(r.prefix))
	}
	if o.keys, err = newKeyspace(r.prefix, o.keysText, o.seed); err != nil {
		return badFlag("keys", "%v", err)
	}
	if o.mix, err = parseMix(r.mix); err != nil {
		return badFlag("mix", "%v", err)
	}
	if o.workload == "mixed" && o.objects > maxMixed {
		return badFlag("objects", "mixed takes at most %d", maxMixed)
	}
	if o.workload == "mixed" && o.objects < int64(o.concurrency) {
		return badFlag("objects", "mixed needs at least one object per connection (--concurrency %d)", o.concurrency)
	}
	switch r.payload {
	case "signed":
	case "unsigned":
		o.unsigned = true
	default:
		return badFlag("payload-sha256", "%q is neither signed nor unsigned", r.payload)
	}
	return nil
}

// checkEndpoint parses the URL and loads what TLS needs.
func (o *options) checkEndpoint(r *rawFlags) error {
	u, err := url.Parse(r.endpoint)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return badFlag("endpoint", "%q is not a URL such as http://127.0.0.1:9000", r.endpoint)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return badFlag("endpoint", "%q has more than scheme, host and port", r.endpoint)
	}
	if r.timeout <= 0 {
		return badFlag("timeout", "%v is not positive", r.timeout)
	}
	o.url = u.Scheme + "://" + u.Host
	o.endpoint.Timeout = r.timeout
	o.host = u.Host
	port, standard := u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" {
		port = standard
	} else if port == standard { // clients leave it out of Host, and so out of the signature
		o.host = strings.TrimSuffix(u.Host, ":"+port)
	}
	o.endpoint.Address = net.JoinHostPort(u.Hostname(), port)
	if u.Scheme == "https" {
		o.endpoint.TLS = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: r.insecure}
	}
	if r.caFile == "" {
		return nil
	}
	if u.Scheme != "https" {
		return badFlag("ca-file", "needs an https endpoint")
	}
	pem, err := os.ReadFile(r.caFile)
	if err != nil {
		return badFlag("ca-file", "%v", err)
	}
	o.endpoint.TLS.RootCAs = x509.NewCertPool()
	if !o.endpoint.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return badFlag("ca-file", "%s holds no PEM certificate", r.caFile)
	}
	return nil
}
