package nginx

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrUsage says that the arguments were bad and that this was explained already.
var ErrUsage = errors.New("usage")

// DefaultFile is where nginx of Debian and of Red Hat looks for configurations of servers.
const DefaultFile = "/etc/nginx/conf.d/ostor-s3.conf"

// nginxWithin bounds a run of the nginx binary, which only checks or signals.
const nginxWithin = 30 * time.Second

// Options are what the command takes from its process.
type Options struct {
	Program        string // how messages call it
	Stdout, Stderr io.Writer
	// Gateways returns the addresses of the gateways in the configuration under a local directory.
	Gateways func(configDir string) ([]string, error)
}

const usage = `usage: %[1]s create -D DOMAIN -p PORT [--ssl --ssl-cert FILE --ssl-key FILE] [--fastcgi] [flags]
       %[1]s update [flags]
create makes the configuration of an S3 endpoint for nginx; update writes it anew with the gateways there are now.
`

// command is one run.
type command struct {
	opt      Options
	settings Settings

	file, binary, conf, configDir string
	gateways                      list
	noReload                      bool
}

// list is a flag that may be given several times.
type list []string

// String implements [flag.Value].
func (l *list) String() string { return strings.Join(*l, " ") }

// Set implements [flag.Value].
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// Run runs the command. ErrUsage: the arguments were bad; flag.ErrHelp: help was asked for.
func Run(ctx context.Context, args []string, opt Options) error {
	c := &command{opt: opt}
	if len(args) == 0 || args[0] != "create" && args[0] != "update" {
		fmt.Fprintf(opt.Stderr, usage, opt.Program)
		if len(args) > 0 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
			return flag.ErrHelp
		}
		return ErrUsage
	}
	if err := c.parseFlags(args[0], args[1:]); err != nil {
		return err
	}
	if args[0] == "update" {
		made, err := os.ReadFile(c.file)
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		old, err := parse(made)
		if err != nil {
			return fmt.Errorf("--out: %s %w", c.file, err)
		}
		c.settings = *old
	}
	return c.write(ctx)
}

func (c *command) parseFlags(name string, args []string) error {
	f := flag.NewFlagSet(c.opt.Program+" "+name, flag.ContinueOnError)
	f.SetOutput(c.opt.Stderr)
	f.StringVar(&c.file, "out", DefaultFile, "`file` to write")
	f.StringVar(&c.binary, "nginx", "nginx", "nginx `binary` that checks and reloads")
	f.StringVar(&c.conf, "nginx-conf", "", "main configuration `file` of nginx, if not its own default")
	f.StringVar(&c.configDir, "r", "/var/lib/ostor/configuration", "`directory` of this host's configuration, which names the gateways")
	f.Var(&c.gateways, "gateway", "`address:port` of a gateway instead of those of the configuration; may be repeated")
	f.BoolVar(&c.noReload, "no-reload", false, "only write the file: nginx neither checks nor loads it")
	if name == "create" {
		s := &c.settings
		f.StringVar(&s.Domain, "D", "", "host `name` of the endpoint; buckets are its sub-domains")
		f.IntVar(&s.Port, "p", 80, "`port` to listen on")
		f.BoolVar(&s.SSL, "ssl", false, "speak TLS")
		f.StringVar(&s.Cert, "ssl-cert", "", "`file` with the certificate for the domain and its sub-domains, PEM")
		f.StringVar(&s.Key, "ssl-key", "", "`file` with its key, PEM")
		f.BoolVar(&s.FastCGI, "fastcgi", false, "speak FastCGI with the gateways; header names with underscores are lost")
		f.StringVar(&s.Websites, "website-domain", "", "`name` whose sub-domains are web sites of buckets")
	}
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return ErrUsage
	case f.NArg() > 0:
		fmt.Fprintf(c.opt.Stderr, "%s: %q is no flag\n", f.Name(), f.Arg(0))
		return ErrUsage
	}
	return nil
}

// write replaces the file by one for the settings and the gateways, if nginx takes it, and has it loaded.
func (c *command) write(ctx context.Context) error {
	if err := c.settings.validate(); err != nil {
		return err
	}
	if err := c.checkCertificate(); err != nil {
		return err
	}
	gateways := []string(c.gateways)
	if len(gateways) == 0 {
		var err error
		if gateways, err = c.opt.Gateways(c.configDir); err != nil {
			return fmt.Errorf("-r %s: %w", c.configDir, err)
		}
	}
	if err := checkGateways(gateways); err != nil {
		return err
	}
	page, err := c.settings.file(gateways)
	if err != nil {
		return err
	}
	if err := c.replace(ctx, page); err != nil {
		return err
	}
	fmt.Fprintf(c.opt.Stdout, "%s: %s, %d gateways\n", c.file, c.url(), len(gateways))
	return nil
}

func (c *command) url() string {
	scheme, standard := "http", 80
	if c.settings.SSL {
		scheme, standard = "https", 443
	}
	if c.settings.Port == standard {
		return scheme + "://" + c.settings.Domain
	}
	return fmt.Sprintf("%s://%s:%d", scheme, c.settings.Domain, c.settings.Port)
}

// checkCertificate wants a certificate that belongs to its key and covers the endpoint and its buckets.
func (c *command) checkCertificate() error {
	if !c.settings.SSL {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.settings.Cert, c.settings.Key)
	if err != nil {
		return fmt.Errorf("--ssl-cert, --ssl-key: %w", err)
	}
	for _, name := range []string{c.settings.Domain, "bucket." + c.settings.Domain} {
		if err := pair.Leaf.VerifyHostname(name); err != nil {
			return fmt.Errorf("--ssl-cert: is not for %s and *.%[1]s: %w", c.settings.Domain, err)
		}
	}
	if now := time.Now(); now.After(pair.Leaf.NotAfter) {
		return fmt.Errorf("--ssl-cert: expired on %s", pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// replace puts the page in the place of the file. If nginx refuses it the old one comes back.
func (c *command) replace(ctx context.Context, page []byte) error {
	old, err := os.ReadFile(c.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("--out: %w", err)
	}
	if err := writeFile(c.file, page); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if c.noReload {
		return nil
	}
	if err := c.nginx(ctx, "-t"); err != nil {
		restored := os.Remove(c.file)
		if old != nil {
			restored = writeFile(c.file, old)
		}
		return errors.Join(fmt.Errorf("nginx does not take the configuration, which is as it was: %w", err), restored)
	}
	if err := c.nginx(ctx, "-s", "reload"); err != nil {
		return fmt.Errorf("%s is written, but nginx was not told (does it run?): %w", c.file, err)
	}
	return nil
}

// nginx runs the binary and returns what it says when it fails.
func (c *command) nginx(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, nginxWithin)
	defer cancel()
	if c.conf != "" {
		args = append([]string{"-c", c.conf}, args...)
	}
	out, err := exec.CommandContext(ctx, c.binary, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", c.binary, strings.Join(args, " "), err, strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}

// writeFile replaces a file at once: nginx may be reading it.
func writeFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ostor-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // of which nothing came
	}
	return err
}
