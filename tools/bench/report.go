package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"holdfast/tools/bench/hist"
	"holdfast/tools/bench/procstat"
)

// Report is the result of a run, as --json prints it. Rates are per second of
// the measured stretch; operations that failed are in no rate and no latency.
type Report struct {
	Workload    string
	Started     time.Time
	Parameters  Parameters
	Interrupted bool    // an interrupt ended the run early
	Seconds     float64 // of the measured stretch, until the last operation's end
	// Prepare is the writing of the objects that the workload needed.
	Prepare    *Operation `json:",omitempty"`
	Operations []Operation
	// Requests counts all requests of the measured stretch, failed ones too.
	Requests int64
	Retries  int64
	// Errors counts failures by S3 code, by "HTTP <status>" where the response
	// named none, or by what happened to the connection.
	Errors map[string]int64 `json:",omitempty"`
	// FirstErrors are a few failures in full.
	FirstErrors []string `json:",omitempty"`
	Client      Usage
	Server      *Usage `json:",omitempty"`
}

// Parameters are the settings that shape a run.
type Parameters struct {
	Endpoint      string `json:",omitempty"`
	Directory     string `json:",omitempty"`
	Size          string
	Objects       int64 `json:",omitempty"`
	Concurrency   int
	Duration      float64 // seconds asked for; 0: once through the objects
	WarmUp        float64 // seconds
	Prefix        string  `json:",omitempty"`
	Keys          string  `json:",omitempty"`
	PartSizeBytes int64   `json:",omitempty"`
	Batch         int     `json:",omitempty"`
	PayloadSHA256 string  `json:",omitempty"`
	Layout        string  `json:",omitempty"`
	Sync          string  `json:",omitempty"`
	Verify        bool
	Seed          uint64
	GoMaxProcs    int
}

// Operation is one kind of operation of a run.
type Operation struct {
	Name          string
	Count         int64 // successes
	Errors        int64
	Bytes         int64 // of object content
	Keys          int64 // listed or deleted
	OpsPerSecond  float64
	MiBPerSecond  float64
	KeysPerSecond float64
	Latency       Latency
}

// Latency is in microseconds, of successes.
type Latency struct {
	Mean, P50, P90, P99, P999, Max float64
}

// Usage is what a process used during the measured stretch.
type Usage struct {
	CPUSeconds           float64
	UserSeconds          float64
	SystemSeconds        float64
	CPUMicrosPerRequest  float64
	ResidentBytes        int64 `json:",omitempty"`
	PeakResidentBytes    int64 `json:",omitempty"` // since the process started
	CPUMicrosPerKey      float64
	CPUMicrosPerMebibyte float64
}

func newReport(o *options) *Report {
	p := Parameters{Endpoint: o.url, Size: o.sizeText, Objects: o.objects, Concurrency: o.concurrency,
		Duration: o.duration.Seconds(), WarmUp: o.warmUp.Seconds(), Prefix: o.keys.prefix, Keys: o.keysText,
		Batch: o.batch, PayloadSHA256: "signed", Verify: o.verify, Seed: o.seed, GoMaxProcs: runtime.GOMAXPROCS(0)}
	if o.unsigned {
		p.PayloadSHA256 = "unsigned"
	}
	if o.workload == "multipart" {
		p.PartSizeBytes = o.partSize
	}
	return &Report{Workload: o.workload, Started: time.Now().UTC(), Parameters: p}
}

// fill takes over what was measured.
func (r *Report) fill(m *measured) {
	r.Seconds = m.elapsed.Seconds()
	r.Retries = m.retries
	r.Requests = m.retries
	var keys, size int64
	for o, t := range m.ops {
		if t == nil {
			continue
		}
		r.Operations = append(r.Operations, newOperation(op(o), t, m.elapsed))
		if op(o) != opMultipart { // it is the sum of the others
			r.Requests += int64(t.latency.Count()) + t.errors
			keys += t.keys
			size += t.bytes
		}
	}
	r.Errors, r.FirstErrors = m.codes, m.samples
	r.Client = newUsage(m.client, r.Requests, keys, size)
	if m.server != nil {
		u := newUsage(m.server.cpu, r.Requests, keys, size)
		u.ResidentBytes, u.PeakResidentBytes = m.server.memory.Resident, m.server.memory.PeakResident
		r.Server = &u
	}
}

func newOperation(o op, t *tally, elapsed time.Duration) Operation {
	n := int64(t.latency.Count())
	return Operation{Name: o.String(), Count: n, Errors: t.errors, Bytes: t.bytes, Keys: t.keys,
		OpsPerSecond:  per(float64(n), elapsed.Seconds()),
		MiBPerSecond:  per(float64(t.bytes)/(1<<20), elapsed.Seconds()),
		KeysPerSecond: per(float64(t.keys), elapsed.Seconds()),
		Latency:       newLatency(&t.latency)}
}

func newLatency(h *hist.Histogram) Latency {
	us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	return Latency{Mean: us(h.Mean()), P50: us(h.Quantile(0.5)), P90: us(h.Quantile(0.9)),
		P99: us(h.Quantile(0.99)), P999: us(h.Quantile(0.999)), Max: us(h.Max())}
}

func newUsage(c procstat.CPU, requests, keys, size int64) Usage {
	total := c.Total().Seconds()
	return Usage{CPUSeconds: total, UserSeconds: c.User.Seconds(), SystemSeconds: c.System.Seconds(),
		CPUMicrosPerRequest:  per(total*1e6, float64(requests)),
		CPUMicrosPerKey:      per(total*1e6, float64(keys)),
		CPUMicrosPerMebibyte: per(total*1e6, float64(size)/(1<<20))}
}

// per divides, and is 0 where there is nothing to divide by.
func per(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// verdict is an error if the figures must not be trusted.
func (r *Report) verdict() error {
	if n := r.Errors[codeMismatch]; n > 0 {
		return fmt.Errorf("%d responses had wrong content, the first: %s", n, firstWith(r.FirstErrors, "wrong content"))
	}
	for _, o := range r.Operations {
		if o.Count > 0 {
			return nil
		}
	}
	if len(r.FirstErrors) > 0 {
		return fmt.Errorf("%w, the first: %s", errNothing, r.FirstErrors[0])
	}
	if r.Interrupted || len(r.Operations) == 0 {
		return nil
	}
	return errNothing
}

func firstWith(list []string, part string) string {
	for _, s := range list {
		if strings.Contains(s, part) {
			return s
		}
	}
	return "not kept"
}

// print writes the report as JSON or as a table.
func (r *Report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	return r.printText(w)
}

func (r *Report) printText(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s, concurrency %d, measured %.2f s", r.Workload, r.Parameters.Size, r.Parameters.Concurrency, r.Seconds)
	if r.Interrupted {
		fmt.Fprint(w, " (interrupted)")
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "operation\tcount\terrors\tops/s\tMiB/s\tkeys/s\tp50\tp90\tp99\tp99.9\tmax\t")
	if r.Prepare != nil {
		row := *r.Prepare
		row.Name = "(prepare) " + row.Name
		printRow(t, row)
	}
	for _, o := range r.Operations {
		printRow(t, o)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	printUsage(w, "generator", &r.Client)
	if r.Server != nil {
		printUsage(w, "server   ", r.Server)
	}
	for _, code := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(w, "error     %s: %d\n", code, r.Errors[code])
	}
	for _, e := range r.FirstErrors {
		fmt.Fprintf(w, "for one:  %s\n", e)
	}
	if r.Retries > 0 {
		fmt.Fprintf(w, "retries   %d\n", r.Retries)
	}
	return nil
}

func printRow(w io.Writer, o Operation) {
	l := o.Latency
	fmt.Fprintf(w, "%s\t%d\t%d\t%.1f\t%.1f\t%.0f\t%s\t%s\t%s\t%s\t%s\t\n", o.Name, o.Count, o.Errors, o.OpsPerSecond,
		o.MiBPerSecond, o.KeysPerSecond, micros(l.P50), micros(l.P90), micros(l.P99), micros(l.P999), micros(l.Max))
}

// micros prints microseconds with three digits or so.
func micros(us float64) string {
	switch {
	case us < 1000:
		return fmt.Sprintf("%.0f µs", us)
	case us < 1e5:
		return fmt.Sprintf("%.2f ms", us/1e3)
	case us < 1e6:
		return fmt.Sprintf("%.0f ms", us/1e3)
	default:
		return fmt.Sprintf("%.2f s", us/1e6)
	}
}

func printUsage(w io.Writer, who string, u *Usage) {
	fmt.Fprintf(w, "%s %.2f s CPU (%.2f user, %.2f system), %.1f µs per request", who, u.CPUSeconds, u.UserSeconds, u.SystemSeconds, u.CPUMicrosPerRequest)
	if u.CPUMicrosPerKey > 0 {
		fmt.Fprintf(w, ", %.2f µs per key", u.CPUMicrosPerKey)
	}
	if u.PeakResidentBytes > 0 {
		fmt.Fprintf(w, ", %d MiB resident, peak %d MiB", u.ResidentBytes>>20, u.PeakResidentBytes>>20)
	}
	fmt.Fprintln(w)
}
