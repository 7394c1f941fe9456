package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/gw/events"
)

func TestValidateNamesTheFlag(t *testing.T) {
	cases := []struct {
		flag   string
		change func(*Config)
	}{
		{"--ns", func(c *Config) { c.NameServers = -1 }},
		{"--os", func(c *Config) { c.ObjectServers = 1000 }},
		{"--s3-address", func(c *Config) { c.S3Address = "9000" }},
		{"--metrics-address", func(c *Config) { c.MetricsAddress = "nowhere" }},
		{"--region", func(c *Config) { c.Region = "EU West" }},
		{"--website-domain", func(c *Config) { c.WebsiteDomains = []string{"_"} }},
		{"--website-domain", func(c *Config) { c.Domains, c.WebsiteDomains = []string{"a.test"}, []string{"A.test"} }},
		{"--trusted-proxies", func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/8", "proxy"} }},
		{"--domain", func(c *Config) { c.Domains = []string{"s3.example.com", "-bad"} }},
		{"log_level", func(c *Config) { c.LogLevel = "loud" }},
		{"notification_targets: id \"a.b\"", func(c *Config) { c.Targets = []events.Target{{ID: "a.b"}} }},
		{"--access-log-every", func(c *Config) { c.AccessLogEvery = time.Millisecond }},
		{"--lifecycle-day", func(c *Config) { c.LifecycleDay = 48 * time.Hour }},
		{"cache_bytes", func(c *Config) { c.CacheBytes = 1 }},
	}
	if err := (Config{}).WithDefaults().Validate(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	for _, c := range cases {
		config := Config{}.WithDefaults()
		c.change(&config)
		err := config.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), c.flag) {
			t.Errorf("%s: got error %v, want one that begins with the flag", c.flag, err)
		}
	}
}

func TestLoadFileIsStrict(t *testing.T) {
	cases := []struct{ text, want string }{
		{`{"region":"eu-1","domains":["s3.example.com"],"trusted_proxies":["10.0.0.0/8","::1"]}`, ""},
		{`{"region":"eu-1","notification_targets":[{"id":"a","type":"webhook","url":"http://h"}]}`, ""},
		{`{"notification_targets":[{"id":"a","typo":"webhook"}]}`, "typo"},
		{`{"regoin":"eu-1"}`, "regoin"},
		{`{"region":"eu-1"} {}`, "behind the closing brace"},
		{`{"region":`, "EOF"},
	}
	for _, c := range cases {
		name := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(name, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Config{}.LoadFile(name)
		switch {
		case c.want == "" && (err != nil || got.Region != "eu-1"):
			t.Errorf("%s: got region %q, error %v", c.text, got.Region, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got error %v, want one with %q", c.text, err, c.want)
		}
	}
}

func TestCredentialsAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	none := func(string) string { return "" }
	first, err := LoadOrCreateCredentials(dir, none)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, CredentialsFile))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode of the credentials file: got %o, want 600", got)
	}
	// The environment wins at the first start only.
	second, err := LoadOrCreateCredentials(dir, func(string) string { return "something-else" })
	if err != nil {
		t.Fatal(err)
	}
	if second != first {
		t.Errorf("second start: got %v, want the credentials of the first start", second)
	}
}

func TestCredentialsFromEnvironment(t *testing.T) {
	env := map[string]string{envAccessKey: "AKIDROOT", envSecretKey: "a-long-secret"}
	got, err := LoadOrCreateCredentials(t.TempDir(), func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if want := (Credentials{"AKIDROOT", "a-long-secret"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, bad := range []map[string]string{
		{envAccessKey: "AKIDROOT"},
		{envSecretKey: "a-long-secret"},
		{envAccessKey: "AKID ROOT", envSecretKey: "a-long-secret"},
		{envAccessKey: "AKIDROOT", envSecretKey: "short"},
	} {
		dir := t.TempDir()
		if c, err := LoadOrCreateCredentials(dir, func(k string) string { return bad[k] }); err == nil {
			t.Errorf("%v: got %v, want an error", bad, c)
		}
		if _, err := os.Stat(filepath.Join(dir, CredentialsFile)); err == nil {
			t.Errorf("%v: a credentials file was written", bad)
		}
	}
}
