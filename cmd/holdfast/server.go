package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"holdfast/node"
)

func runServer(ctx context.Context, args []string, s streams) error {
	config, file, err := parseServer("server", args, s)
	if err != nil {
		return err
	}
	return serve(ctx, func() (server, func(), error) {
		n, err := node.Start(ctx, config, node.Environment{Getenv: os.Getenv, Log: s.err})
		if err != nil {
			return nil, nil, err
		}
		fmt.Fprint(s.out, banner(n.Endpoint(), config))
		return n, func() { reloadServer(n, args, file, s) }, nil
	})
}

// reloadServer reads the configuration file again. A file that makes no sense changes nothing and is reported.
func reloadServer(n *node.Node, args []string, file string, s streams) {
	config, _, err := parseServer("server", args, s)
	if err == nil {
		err = n.Reload(config.Reloadable)
	}
	if err != nil {
		fmt.Fprintf(s.err, "holdfast server: reload of %q: %s; nothing was changed\n", file, oneLine(err))
	}
}

// domains is a flag that may be given several times.
type domains []string

func (d *domains) String() string { return strings.Join(*d, ",") }

func (d *domains) Set(value string) error {
	*d = append(*d, value)
	return nil
}

// networks is a flag with a list.
type networks []string

func (n *networks) String() string { return strings.Join(*n, ",") }

func (n *networks) Set(value string) error {
	for network := range strings.SplitSeq(value, ",") {
		*n = append(*n, strings.TrimSpace(network))
	}
	return nil
}

// parseServer makes the configuration from the flags and, below them, the file that --config names.
func parseServer(name string, args []string, s streams) (node.Config, string, error) {
	var c node.Config
	var file string
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(s.err)
	flags.StringVar(&c.Data, "data", "", "directory of the store (default ./holdfast-data)")
	flags.IntVar(&c.NameServers, "ns", 0, "name servers of a new store (default 2)")
	flags.IntVar(&c.ObjectServers, "os", 0, "object servers of a new store (default 2)")
	flags.IntVar(&c.UsagePeriod, "usage-period", 0, "`seconds` of usage in one record (default 0: usage is not recorded)")
	flags.StringVar(&c.S3Address, "s3-address", "", "where the S3 API listens (default 127.0.0.1:9000)")
	flags.StringVar(&c.MetricsAddress, "metrics-address", "", "where metrics, health and pprof listen (default 127.0.0.1:9102)")
	flags.StringVar(&c.Region, "region", "", "region of signatures (default us-east-1)")
	flags.Var((*domains)(&c.Domains), "domain", "host `name` whose sub-domains are bucket names; may be repeated")
	flags.Var((*domains)(&c.WebsiteDomains), "website-domain", "host `name` whose sub-domains are the web sites of buckets; may be repeated")
	flags.BoolVar(&c.Encrypt, "encrypt", false, "encrypt new objects for which neither request nor bucket says how")
	flags.Var((*networks)(&c.TrustedProxies), "trusted-proxies",
		"`networks` of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by commas")
	flags.StringVar(&c.LogLevel, "log-level", "", "debug, info, warn or error (default info)")
	flags.DurationVar(&c.AccessLogEvery, "access-log-every", 0, "how often the access logs of buckets are delivered (default 1m)")
	flags.DurationVar(&c.LifecycleDay, "lifecycle-day", 0, "how long a day of lifecycle rules lasts, for tests (default 24h)")
	flags.StringVar(&file, "config", "", "JSON `file` with cache_bytes, region, domains, website_domains, trusted_proxies, encrypt, log_level, notification_targets; flags win; SIGHUP reads it again")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return c, file, flag.ErrHelp
		}
		return c, file, errUsage
	}
	if flags.NArg() > 0 {
		return c, file, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if file != "" {
		fromFile, err := node.Config{}.LoadFile(file)
		if err != nil {
			return c, file, err
		}
		c = c.Over(fromFile)
	}
	given := c
	c = c.WithDefaults()
	if given.NameServers < 0 || given.ObjectServers < 0 {
		c.NameServers, c.ObjectServers = given.NameServers, given.ObjectServers
	}
	return c, file, c.Validate()
}

func banner(endpoint string, c node.Config) string {
	file := filepath.Join(c.Data, node.CredentialsFile)
	address := strings.TrimPrefix(endpoint, "http://")
	return fmt.Sprintf(`Holdfast serves S3 at %[1]s, region %[2]s; metrics and health at http://%[3]s
credentials: %[4]s
aws:   (set -a; . %[4]s; AWS_ACCESS_KEY_ID=$HOLDFAST_ROOT_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$HOLDFAST_ROOT_SECRET_KEY AWS_DEFAULT_REGION=%[2]s aws --endpoint-url %[1]s s3 ls)
s3cmd: (. %[4]s; s3cmd --access_key=$HOLDFAST_ROOT_ACCESS_KEY --secret_key=$HOLDFAST_ROOT_SECRET_KEY --host=%[5]s --host-bucket=%[5]s --region=%[2]s --no-ssl ls)
`, endpoint, c.Region, c.MetricsAddress, file, address)
}
