package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"holdfast/gw"
	"holdfast/gw/accesslog"
	"holdfast/gw/events"
	"holdfast/gw/lifecycle"
	"holdfast/gw/usage"
)

// Bounds of the configuration.
const (
	maxServices    = 64 // of one kind on one host
	maxConfigBytes = 1 << 20
	minCacheBytes  = 8 << 20
)

// Config says how a single-host server runs. The zero value is completed by [Config.WithDefaults].
type Config struct {
	// Data is the directory of the store; on a cluster, the directory on the shared mount.
	Data string `json:"-"`
	// NameServers and ObjectServers are how many services a new store gets. An existing store keeps what it has.
	NameServers   int `json:"-"`
	ObjectServers int `json:"-"`

	// S3Address is where the S3 API listens; MetricsAddress where /metrics, /healthz, /readyz and /debug/pprof do.
	S3Address      string `json:"-"`
	MetricsAddress string `json:"-"`

	// WithoutMounts has a host of a cluster run gateways alone, whatever it has mounted.
	WithoutMounts bool `json:"-"`

	// CacheBytes bounds the caches of all engines together.
	CacheBytes int64 `json:"cache_bytes,omitempty"`

	// Targets are where event notifications can be sent to.
	Targets []events.Target `json:"notification_targets,omitempty"`

	// AccessLogEvery is how old the first line of an access log object may be when it is delivered.
	AccessLogEvery time.Duration `json:"-"`

	// LifecycleDay is how long a day of lifecycle rules lasts; 24 hours but for tests.
	LifecycleDay time.Duration `json:"-"`

	// The fields of Reloadable can be changed while running: edit the file and send SIGHUP.
	Reloadable
}

// Reloadable are the settings that take effect on SIGHUP without a connection being dropped.
type Reloadable struct {
	// Region is the only region in signatures; "us-east-1" if empty.
	Region string `json:"region,omitempty"`
	// Domains are host names whose sub-domains are bucket names (virtual-hosted style).
	Domains []string `json:"domains,omitempty"`
	// WebsiteDomains are host names whose sub-domains are the web sites of buckets.
	WebsiteDomains []string `json:"website_domains,omitempty"`
	// TrustedProxies are addresses and networks (192.0.2.0/24) of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []string `json:"trusted_proxies,omitempty"`
	// Encrypt encrypts all new objects for which neither the request nor the bucket says how.
	Encrypt bool `json:"encrypt,omitempty"`
	// LogLevel is debug, info, warn or error; "info" if empty.
	LogLevel string `json:"log_level,omitempty"`
	// UsagePeriod is for how many seconds usage is counted before it becomes a record; 0: usage is not recorded.
	UsagePeriod int `json:"usage_period_seconds,omitempty"`
}

// WithDefaults returns c with what is unset filled in.
func (c Config) WithDefaults() Config {
	setDefault(&c.Data, "holdfast-data")
	setDefault(&c.NameServers, 2)
	setDefault(&c.ObjectServers, 2)
	setDefault(&c.S3Address, "127.0.0.1:9000")
	setDefault(&c.MetricsAddress, "127.0.0.1:9102")
	setDefault(&c.CacheBytes, 128<<20)
	setDefault(&c.AccessLogEvery, accesslog.DefaultEvery)
	setDefault(&c.LifecycleDay, lifecycle.Day)
	setDefault(&c.Region, "us-east-1")
	setDefault(&c.LogLevel, "info")
	return c
}

// Over returns c with what is unset in it taken from below.
func (c Config) Over(below Config) Config {
	setDefault(&c.CacheBytes, below.CacheBytes)
	setDefault(&c.Region, below.Region)
	setDefault(&c.LogLevel, below.LogLevel)
	c.Encrypt = c.Encrypt || below.Encrypt
	if len(c.Targets) == 0 {
		c.Targets = below.Targets
	}
	setDefault(&c.UsagePeriod, below.UsagePeriod)
	if len(c.Domains) == 0 {
		c.Domains = below.Domains
	}
	if len(c.WebsiteDomains) == 0 {
		c.WebsiteDomains = below.WebsiteDomains
	}
	if len(c.TrustedProxies) == 0 {
		c.TrustedProxies = below.TrustedProxies
	}
	return c
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

var (
	regionForm = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	domainForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)
)

// Validate returns the first setting that makes no sense, by the name of its flag or key.
func (c Config) Validate() error {
	switch {
	case c.Data == "":
		return errors.New("--data: a directory is needed")
	case c.NameServers < 1 || c.NameServers > maxServices:
		return fmt.Errorf("--ns %d: must be 1 to %d", c.NameServers, maxServices)
	case c.ObjectServers < 1 || c.ObjectServers > maxServices:
		return fmt.Errorf("--os %d: must be 1 to %d", c.ObjectServers, maxServices)
	case c.AccessLogEvery < time.Second || c.AccessLogEvery > time.Hour:
		return fmt.Errorf("--access-log-every %v: must be 1s to 1h", c.AccessLogEvery)
	case c.LifecycleDay < time.Second || c.LifecycleDay > lifecycle.Day:
		return fmt.Errorf("--lifecycle-day %v: must be 1s to 24h", c.LifecycleDay)
	case events.ValidateTargets(c.Targets) != nil:
		return fmt.Errorf("notification_targets: %w", events.ValidateTargets(c.Targets))
	case c.CacheBytes < minCacheBytes:
		return fmt.Errorf("cache_bytes %d: must be at least %d", c.CacheBytes, minCacheBytes)
	}
	if err := validAddress("--s3-address", c.S3Address); err != nil {
		return err
	}
	if err := validAddress("--metrics-address", c.MetricsAddress); err != nil {
		return err
	}
	return c.Reloadable.Validate()
}

// Validate is [Config.Validate] for the settings that can be reloaded.
func (r Reloadable) Validate() error {
	if !regionForm.MatchString(r.Region) {
		return fmt.Errorf("--region %q: must be lower-case letters, digits and dashes", r.Region)
	}
	for _, d := range r.Domains {
		if !domainForm.MatchString(d) {
			return fmt.Errorf("--domain %q: is not a host name", d)
		}
	}
	if most := int(usage.MaxPeriod / time.Second); r.UsagePeriod < 0 || r.UsagePeriod > most {
		return fmt.Errorf("usage_period_seconds %d: must be 0 to %d", r.UsagePeriod, most)
	}
	for _, d := range r.WebsiteDomains {
		if !domainForm.MatchString(d) {
			return fmt.Errorf("--website-domain %q: is not a host name", d)
		}
		if slices.ContainsFunc(r.Domains, func(api string) bool { return strings.EqualFold(api, d) }) {
			return fmt.Errorf("--website-domain %q: is a --domain, too; a host name can be one of the two", d)
		}
	}
	if _, err := r.proxies(); err != nil {
		return err
	}
	if _, err := r.level(); err != nil {
		return err
	}
	return nil
}

// proxies returns the networks of TrustedProxies.
func (r Reloadable) proxies() ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, 0, len(r.TrustedProxies))
	for _, text := range r.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if a, addrErr := netip.ParseAddr(text); addrErr == nil && a.Zone() == "" {
			network, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxies %q: is neither an address nor a network such as 192.0.2.0/24", text)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// level returns the slog level of LogLevel.
func (r Reloadable) level() (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(r.LogLevel)); err != nil || strings.ContainsAny(r.LogLevel, "+-") {
		return l, fmt.Errorf("log_level %q: must be debug, info, warn or error", r.LogLevel)
	}
	return l, nil
}

func validAddress(flag, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%s %q: must be HOST:PORT", flag, address)
	}
	return nil
}

// gatewaySettings are the settings that concern the gateway.
func (r Reloadable) gatewaySettings() gw.Settings {
	networks, _ := r.proxies() // Validate looked at them
	return gw.Settings{Region: r.Region, Domains: r.Domains, WebsiteDomains: r.WebsiteDomains, TrustedProxies: networks, Encrypt: r.Encrypt}
}

// LoadFile overlays c with the settings of a JSON file. Unknown keys are refused by name, so that a typing error does
// not go unnoticed.
func (c Config) LoadFile(name string) (Config, error) {
	f, err := os.Open(name)
	if err != nil {
		return c, fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	data := make([]byte, maxConfigBytes+1)
	n, err := readFull(f, data)
	if err != nil {
		return c, fmt.Errorf("--config %s: %w", name, err)
	}
	if n > maxConfigBytes {
		return c, fmt.Errorf("--config %s: larger than %d bytes", name, maxConfigBytes)
	}
	d := json.NewDecoder(bytes.NewReader(data[:n]))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("--config %s: %w", name, err)
	}
	if d.More() {
		return c, fmt.Errorf("--config %s: there is something behind the closing brace", name)
	}
	return c, nil
}
